"""Speakers: equal error rates of the 8 speakers held out of all training, and whether thresholds hold what they claim."""

from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from audiocli import audio
from audiocli.models import load
from audiocli.models.embeddings import SpeakerEncoder
from audiocli.options import ModelOptions
from audiocli.speakers import calibration, scores
from audiocli.speakers.voice import Voice, hear
from bench._common import Score
from tests.kernels.rhythm_signals import DATA

Floats = NDArray[np.float32]
Clip = tuple[str, Floats]  # speaker, samples

RATE = 16_000
HELD_OUT = 8  # the numerically highest ids
PEERS = {
    "whole": ("Resemblyzer, another draw of LibriSpeech", "0.44 %"),
    "3 s": ("Resemblyzer", "1.33 %"),
    "10 dB": ("Resemblyzer", "6.22 %"),
}
WANTED = {"whole": 2.0, "3 s": 5.0, "10 dB": 6.0}
FAR = 0.01


@cache
def utterances() -> tuple[Clip, ...]:
    folders = sorted(
        (path for path in (DATA / "mini-librispeech").iterdir() if path.is_dir()), key=lambda path: int(path.name)
    )
    paths = [path for folder in folders[-HELD_OUT:] for path in sorted(folder.glob("*.opus"))]
    return tuple((path.parent.name, audio.read(path, sample_rate=RATE, mono=True).samples[0]) for path in paths)


@cache
def sounds() -> tuple[Floats, ...]:
    """Fold 4 of ESC-10, which no net of ours has heard."""
    paths = sorted((DATA / "esc10").glob("*/4-*.ogg"))
    return tuple(audio.read(path, sample_rate=RATE, mono=True).samples[0] for path in paths)


def changed(clip: Clip, seconds: float | None, snr: float | None, random: np.random.Generator) -> Clip:
    """A crop of a clip, in noise."""
    speaker, samples = clip
    if seconds is not None:
        begin = int(random.integers(max(len(samples) - int(seconds * RATE), 0) + 1))
        samples = samples[begin : begin + int(seconds * RATE)]
    if snr is not None:
        other = np.resize(sounds()[random.integers(len(sounds()))], len(samples)) + 1e-5
        gain = np.sqrt(np.mean(np.square(samples)) / np.mean(np.square(other)) / 10 ** (snr / 10))
        samples = samples + np.float32(gain) * other
    return speaker, np.asarray(samples, np.float32)


def pairs(clips: list[Clip]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """All trials: first, second, whether they are of one speaker."""
    names = np.array([speaker for speaker, _ in clips])
    first, second = np.triu_indices(len(clips), 1)
    return first, second, names[first] == names[second]


def equal_error_rate(encoder: SpeakerEncoder, clips: list[Clip]) -> float:
    """Percent, over all pairs, of the samples as they are."""
    vectors = encoder.embed([samples for _, samples in clips])
    first, second, same = pairs(clips)
    return 100 * scores.curve(np.einsum("nd,nd->n", vectors[first], vectors[second]), same).equal_error_rate()


def decided(encoder: SpeakerEncoder, clips: list[Clip]) -> tuple[float, float, float, int]:
    """False accepts, false rejects, the rejects that were claimed, and clips with too little speech; through the verb's own way."""
    heard: list[tuple[str, Voice]] = [(speaker, hear(encoder, samples)) for speaker, samples in clips]
    able = [(speaker, voice) for speaker, voice in heard if voice.embedding is not None]
    first, second, same = pairs([(speaker, np.zeros(0, np.float32)) for speaker, _ in able])
    known = calibration.between([able[n][1] for n in first], [able[n][1] for n in second])
    judged = calibration.from_dict(encoder.calibration).judge(known, FAR)
    rejected = ~judged.same[same]
    return (
        float(judged.same[~same].mean()),
        float(rejected.mean()),
        float(judged.false_rejects[same].mean()),
        len(heard) - len(able),
    )


def rows() -> list[Score]:
    encoder: SpeakerEncoder = load("siamese-speakers", "verify", ModelOptions())  # type: ignore[assignment]
    found = []
    for name, (seconds, snr) in {"whole": (None, None), "3 s": (3.0, None), "10 dB": (None, 10.0)}.items():
        random = np.random.default_rng(0)
        rate = equal_error_rate(encoder, [changed(clip, seconds, snr, random) for clip in utterances()])
        peer, value = PEERS[name]
        wanted = WANTED[name]
        what = f"EER, all trials of {HELD_OUT} unheard speakers, {name}"
        found.append(
            Score(
                what,
                f"{rate:.2f} %",
                peer,
                value,
                f"<= {wanted:g} %",
                rate <= wanted,
                f"{len(utterances())} utterances",
            )
        )
    for name, (seconds, snr) in {
        "clean": (None, None),
        "10 dB": (None, 10.0),
        "0 dB": (None, 0.0),
        "1.5 s": (1.5, None),
    }.items():
        random = np.random.default_rng(1)
        accepts, rejects, claimed, left = decided(
            encoder, [changed(clip, seconds, snr, random) for clip in utterances()[::2]]
        )
        fits = all(low <= 2 * high for low, high in pairwise((FAR, accepts, FAR))) and rejects <= 2 * claimed
        ours = f"{accepts:.2%} false accepts, {rejects:.1%} false rejects"
        note = f"{left} clips with too little speech"
        found.append(Score(f"decisions, {name}", ours, "a bare threshold (Resemblyzer, 0 dB)", "50 % false accepts",
                           f"within 2x of {FAR:.0%} and {claimed:.1%}", fits, note))  # fmt: skip
    return found


if __name__ == "__main__":
    for row in rows():
        print(row)

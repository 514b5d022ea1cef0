"""Speakers: equal error rates of those held out of all training, and whether thresholds keep their promise.

Eight of LibriSpeech, and forty of another kind of sound: adults and children who read a few words in English with an accent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from audiocli import audio
from audiocli.errors import ModelError
from audiocli.models.load import load
from audiocli.options import ModelOptions, VerifyOptions
from audiocli.voices import calibration, error_rates
from audiocli.voices.embeddings import SpeakerEncoder
from audiocli.voices.voice import hear
from bench._common import Score
from tests.kernels.rhythm_signals import DATA

Floats = NDArray[np.float32]
Clip = tuple[str, Floats]  # speaker, samples

RATE = 16_000
HELD_OUT = 8  # the numerically highest ids
ACCENTED = 40  # of speechocean, likewise
PEERS = {
    "clean": ("Resemblyzer, another draw of LibriSpeech", "0.44 %"),
    "3 s": ("Resemblyzer", "1.33 %"),
    "10 dB": ("Resemblyzer", "6.22 %"),
}
WANTED = {
    "siamese-speakers": {"clean": 2.0, "3 s": 5.0, "10 dB": 6.0},
    "ge2e": {"clean": 1.0, "3 s": 2.5, "10 dB": 4.0},
}  # percent, by encoder
FAR = VerifyOptions().far
# Seconds of a crop, and dB over the noise.
CONDITIONS = {
    "clean": (None, None),
    "3 s": (3.0, None),
    "1.5 s": (1.5, None),
    "10 dB": (None, 10.0),
    "0 dB": (None, 0.0),
}
ACCENTED_WANTED = {"EER": 6.0, "accepts": 2.0}  # percent
DECIDED = ("clean", "10 dB", "0 dB", "1.5 s")


@cache
def utterances(corpus: str = "mini-librispeech", last: int = HELD_OUT) -> tuple[Clip, ...]:
    """The utterances of the last speakers of a corpus."""
    folders = sorted((path for path in (DATA / corpus).iterdir() if path.is_dir()), key=lambda path: int(path.name))
    paths = [path for folder in folders[-last:] for path in sorted(folder.glob("*.opus"))]
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


@dataclass(frozen=True)
class Trials:
    """All pairs of clips that can be decided, whether they are of one speaker, and the number of clips left out."""

    known: calibration.Pairs
    judged: calibration.Judged
    same: NDArray[np.bool_]
    left: int

    @property
    def note(self) -> str:
        left = f", without {self.left} clips that have too little speech" if self.left else ""
        return f"{len(self.same)} trials{left}"


def trials(encoder: SpeakerEncoder, seconds: float | None, snr: float | None, clips: Sequence[Clip] = ()) -> Trials:
    """Every clip (those of LibriSpeech, unless there are others), once, through the verb's own way."""
    random = np.random.default_rng(0)
    heard = [
        (speaker, hear(encoder, samples))
        for speaker, samples in (changed(clip, seconds, snr, random) for clip in clips or utterances())
    ]
    able = [(speaker, voice) for speaker, voice in heard if voice.embedding is not None]
    names, voices = np.array([speaker for speaker, _ in able]), [voice for _, voice in able]
    first, second = np.triu_indices(len(able), 1)
    known = calibration.between([voices[n] for n in first], [voices[n] for n in second], encoder.cohort)
    judged = calibration.from_dict(encoder.calibration).judge(known, FAR)
    return Trials(known, judged, names[first] == names[second], len(heard) - len(able))


def error_row(model: str, name: str, found: Trials) -> Score:
    """The equal error rate under a condition, as `--trials` reports it; and that of the bare cosine."""
    rate, bare = (
        100 * error_rates.curve(values, found.same).equal_error_rate()
        for values in (found.judged.log_odds, found.known.cosine(found.known.scores))
    )
    (peer, value), wanted = PEERS[name], WANTED[model][name]
    what = f"{model}: EER, all trials of {HELD_OUT} unheard speakers, {name}"
    return Score(what, f"{rate:.2f} %", peer, value, f"<= {wanted:g} %", rate <= wanted,
                 f"by the bare cosine {bare:.2f} %; {found.note}")  # fmt: skip


def decision_row(model: str, name: str, found: Trials) -> Score:
    """The error rates at the default operating point under a condition, and a note about them."""
    judged = found.judged
    accepts, rejects = float(judged.same[~found.same].mean()), float((~judged.same[found.same]).mean())
    claimed = float(judged.false_rejects[found.same].mean())
    times = accepts / FAR, rejects / max(claimed, 1e-6)
    ours = f"{accepts:.2%} false accepts, {rejects:.2%} false rejects"
    note = f"{times[0]:.2f} and {times[1]:.2f} times what is claimed; {found.note}"
    return Score(f"{model}: decisions, {name}", ours, "a bare threshold (Resemblyzer, 0 dB)", "50 % false accepts",
                 f"within 2x of {FAR:.0%} and {claimed:.2%}", all(0.5 <= one <= 2.0 for one in times), note)  # fmt: skip


def accented_rows(encoder: SpeakerEncoder) -> Iterator[Score]:
    """Equal error rate and false accepts on short sentences of people who sound like nobody in LibriSpeech."""
    found = trials(encoder, None, None, utterances("speechocean", ACCENTED))
    eer = 100 * error_rates.curve(found.judged.log_odds, found.same).equal_error_rate()
    passed, same = found.judged.same, found.same
    accepts, rejects = 100 * float(passed[~same].mean()), 100 * float((~passed[same]).mean())
    who, most = f"{ACCENTED} unheard speakers with an accent, children too", ACCENTED_WANTED
    yield from (
        Score(f"{encoder.spec.name}: EER, {who}", f"{eer:.2f} %", "", "", f"<= {most['EER']:g} %", eer <= most["EER"], found.note),
        Score(f"{encoder.spec.name}: strangers that pass where {FAR:.0%} is claimed, {who}", f"{accepts:.2f} %", "", "",
              f"<= {most['accepts']:g} %", accepts <= most["accepts"], f"{rejects:.1f} % false rejects"),
    )  # fmt: skip


def rows_of(encoder: SpeakerEncoder) -> Iterator[Score]:
    model = encoder.spec.name
    for name, condition in CONDITIONS.items():
        found = trials(encoder, *condition)
        if name in WANTED[model]:
            yield error_row(model, name, found)
        if name in DECIDED:
            yield decision_row(model, name, found)
    yield from accented_rows(encoder)


def rows() -> Iterator[Score]:
    """Our own encoder, and the published one where its package is on this machine."""
    for name in WANTED:
        try:
            encoder = load(name, "verify", SpeakerEncoder, ModelOptions(offline=True))
        except ModelError as error:
            print(f"{name} is left out: {error}")
            continue
        yield from rows_of(encoder)


if __name__ == "__main__":
    for row in rows():
        print(row)

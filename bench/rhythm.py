"""Onsets, tempo and beats against librosa and the plain twins, and the F-measure against librosa's beats.

librosa.beat.beat_track is given the samples, and so are we: mel spectrogram (audiocli.kernels.spectral), median onset
strength, tempo, beats. `mel_db` is the only function here that knows how the mel spectrogram is made, and takes most of
our time. librosa's time, and less so ours, depends on whether malloc has kept pages for its large arrays: after the many
signals of the F-measure librosa took 75 ms for the 30 s that take 22 ms in a fresh process. So times are taken first.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from statistics import mean

import librosa
import mir_eval
import numpy as np
from audiocli.kernels import mel, rhythm, spectral
from numpy.typing import NDArray

from bench._common import Row, side_by_side
from tests.kernels import naive_rhythm
from tests.kernels.rhythm_signals import DATA, SAMPLE_RATE, Samples, chorales, drums, synthesised

THREADS = 2
N_FFT, HOP_LENGTH, N_MELS = 2048, 512, 128
FRAME_RATE = SAMPLE_RATE / HOP_LENGTH
SECONDS = (30, 120, 600)
N_CHORALES = 8
RECORDINGS = ("esc10/clock_tick/*", "esc10/rooster/*", "ami/*.flac", "cmu-arctic/slt/*")
N_RECORDINGS = 5  # of each kind
LEAST_AGREEMENT = 0.95
FRAMING = spectral.Framing(N_FFT, HOP_LENGTH, mel.window("hann", N_FFT))
BANK = mel.sparse(mel.filterbank(SAMPLE_RATE, N_FFT, N_MELS, 0.0, SAMPLE_RATE / 2, norm="slaney"))


def mel_db(samples: Samples) -> Samples:
    """Log-power mel spectrogram [frames, bands] of samples [n], at most 80 dB below its peak, as librosa has it."""
    decibels = spectral.Log(spectral.DECIBEL, 1e-10)
    bands = spectral.analyse(samples, FRAMING, bank=BANK, log=decibels, threads=THREADS, padding="constant").mel
    assert bands is not None
    return np.asarray(np.maximum(bands, bands.max() - 80.0, out=bands))


def onsets(bands: Samples) -> Samples:
    """The onset envelope [frames] that librosa's beat tracker starts from."""
    return np.asarray(rhythm.centred(rhythm.onset_strength(bands, median=True), N_FFT, HOP_LENGTH))


def beats(bands: Samples) -> NDArray[np.int64]:
    """Frames of the beats in a mel spectrogram in dB [frames, bands]."""
    onset = onsets(bands)
    return np.asarray(rhythm.beats(onset, rhythm.tempo(onset, FRAME_RATE), FRAME_RATE))


def track(samples: Samples) -> NDArray[np.int64]:
    """Frames of the beats in samples [n]."""
    return beats(mel_db(samples))


def recordings() -> Iterator[tuple[str, Samples]]:
    """Name and samples of some real recordings, none where they are absent."""
    for pattern in RECORDINGS:
        for path in islice(sorted(DATA.glob(pattern)), N_RECORDINGS):
            yield path.name, librosa.load(path, sr=SAMPLE_RATE, duration=30.0)[0]


def agreement(samples: Samples) -> float:
    """F-measure (70 ms) of our beats against librosa's."""
    peer = librosa.beat.beat_track(y=samples, sr=SAMPLE_RATE)[1]
    reference, estimate = (librosa.frames_to_time(frames, sr=SAMPLE_RATE) for frames in (peer, track(samples)))
    if not reference.size or not estimate.size:
        return float(reference.size == estimate.size)
    return float(mir_eval.beat.f_measure(reference, estimate))


def agreements() -> tuple[float, str]:
    """Mean F-measure over all signals, and a note of the groups of signals."""
    groups = {"synthesised": synthesised(), "chorales": chorales(N_CHORALES), "recordings": recordings()}
    found = {name: [agreement(samples) for _, samples in group] for name, group in groups.items()}
    every = [score for scores in found.values() for score in scores]
    means = ", ".join(f"{name} {mean(scores):.3f} of {len(scores)}" for name, scores in found.items() if scores)
    note = f"F-measure against librosa's beats {mean(every):.3f} ({means}), least {min(every):.3f}"
    return mean(every), f"{note}, want {LEAST_AGREEMENT}"


def row(what: str, target: float, *calls: Callable[[], object], note: str = "") -> Iterator[Row]:
    """One line against librosa and, when there are three calls, one against the twin."""
    ours, *peers = side_by_side(*calls)
    for name, peer in zip(("librosa", "naive twin"), peers, strict=False):
        want = target if name == "librosa" else 1.0
        yield Row(what, ours, name, peer, f">= {want:g}x", peer / ours >= want, note)


def chain_row(seconds: int) -> Iterator[Row]:
    """From samples to beats."""
    samples = drums(105.0, seconds, swing=0.17)
    yield from row(
        f"beats from {seconds} s of samples, {THREADS} threads",
        5.0,
        lambda: track(samples),
        lambda: librosa.beat.beat_track(y=samples, sr=SAMPLE_RATE),
    )


def onset_rows(bands: Samples) -> Iterator[Row]:
    """Onset strength of a mel spectrogram [frames, bands]."""
    turned = np.ascontiguousarray(bands.T)
    yield from row(
        "onset strength, mean",
        1.0,
        lambda: rhythm.onset_strength(bands),
        lambda: librosa.onset.onset_strength(S=turned),
        lambda: naive_rhythm.onset_strength(bands),
    )
    yield from row(
        "onset strength, median",
        1.0,
        lambda: rhythm.onset_strength(bands, median=True),
        lambda: librosa.onset.onset_strength(S=turned, aggregate=np.median),
        lambda: naive_rhythm.onset_strength(bands, median=True),
    )


def beat_rows(bands: Samples) -> Iterator[Row]:
    """Tempo and beats of the onsets in a mel spectrogram [frames, bands], and the three together."""
    turned, onset = np.ascontiguousarray(bands.T), onsets(bands)
    bpm = rhythm.tempo(onset, FRAME_RATE)
    yield from row(
        "tempo",
        5.0,
        lambda: rhythm.tempo(onset, FRAME_RATE),
        lambda: librosa.feature.tempo(onset_envelope=onset, sr=SAMPLE_RATE),
        lambda: naive_rhythm.tempo(onset, FRAME_RATE),
        note=f"{bpm:.1f} bpm",
    )
    yield from row(
        "beats",
        1.0,
        lambda: rhythm.beats(onset, bpm, FRAME_RATE),
        lambda: librosa.beat.beat_track(onset_envelope=onset, sr=SAMPLE_RATE, bpm=bpm),
        lambda: naive_rhythm.beats(onset, bpm, FRAME_RATE),
    )

    def peer() -> object:
        envelope = librosa.onset.onset_strength(S=turned, aggregate=np.median)
        return librosa.beat.beat_track(onset_envelope=envelope, sr=SAMPLE_RATE)

    yield from row("onset, tempo and beats from 30 s of mel", 5.0, lambda: beats(bands), peer)


def rows() -> list[Row]:
    """All rows."""
    bands = mel_db(drums(105.0, 30.0, swing=0.17))
    chains = [line for seconds in SECONDS for line in chain_row(seconds)]
    stages = [*onset_rows(bands), *beat_rows(bands)]
    score, note = agreements()
    return [*(replace(line, note=note, reached=line.reached and score >= LEAST_AGREEMENT) for line in chains), *stages]


if __name__ == "__main__":
    for line in rows():
        print(f"{line.what}: {line.ours * 1e3:.2f} ms, {line.peer_name} {line.peer * 1e3:.2f} ms,", end=" ")
        print(f"{line.ratio:.1f}x (want {line.target}{'' if line.reached else ', MISSED'}) {line.note}")

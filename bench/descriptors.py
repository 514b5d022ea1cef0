"""Descriptors, chroma and pitch against librosa and the plain NumPy twins: 60 s at 22.05 kHz, n_fft 2048, hop 512."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import librosa
import numpy as np
from audiocli.kernels import chroma, descriptors, mel, pitch, spectral, waveform
from numpy.typing import NDArray

from bench._common import Row, side_by_side
from tests.kernels import naive_chroma, naive_descriptors, naive_pitch
from tests.kernels.rhythm_signals import Samples, chorales, drums

SAMPLE_RATE, N_FFT, HOP_LENGTH = 22050, 2048, 512
SECONDS = 60.0
FREQUENCIES = np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE)
FMIN, FMAX = 65.4, 2093.0  # C2 to C7, as librosa recommends
TWIN_SECONDS = 2.0  # of the pitch twin, which is slow


FRAMING = spectral.Framing(N_FFT, HOP_LENGTH, mel.window("hann", N_FFT))
BANK = mel.sparse(mel.filterbank(SAMPLE_RATE, N_FFT, 128, 0.0, SAMPLE_RATE / 2, norm="slaney"))
COSINES = mel.dct(128, 20)
CHROMA = chroma.filterbank(SAMPLE_RATE, N_FFT)


def spectra(samples: Samples) -> NDArray[np.float32]:
    """Magnitudes [frames, bins]."""
    return np.ascontiguousarray(np.abs(librosa.stft(samples, n_fft=N_FFT, hop_length=HOP_LENGTH)).T, np.float32)


def row(what: str, target: float, *calls: Callable[[], object], note: str = "") -> Iterator[Row]:
    """One line against librosa, and one against the twin."""
    ours, *peers = side_by_side(*calls)
    for name, peer in zip(("librosa", "NumPy twin"), peers, strict=True):
        want = target if name == "librosa" else 1.0
        yield Row(what, ours, name, peer, f">= {want:g}x", peer / ours >= want, note)


def spectral_rows(magnitude: NDArray[np.float32]) -> Iterator[Row]:
    """Each descriptor by itself, and all of them in one pass."""
    turned, power = np.ascontiguousarray(magnitude.T), np.square(magnitude)
    peers: dict[str, Callable[[], object]] = {
        "centroid": lambda: librosa.feature.spectral_centroid(S=turned, freq=FREQUENCIES),
        "bandwidth": lambda: librosa.feature.spectral_bandwidth(S=turned, freq=FREQUENCIES),
        "rolloff": lambda: librosa.feature.spectral_rolloff(S=turned, freq=FREQUENCIES),
        "flatness": lambda: librosa.feature.spectral_flatness(S=turned),
        "flux": lambda: librosa.onset.onset_strength(S=turned, center=False),
    }
    for name, peer in peers.items():
        arguments = (magnitude,) if name in ("flatness", "flux") else (magnitude, FREQUENCIES)
        ours, twin = getattr(descriptors, name), getattr(naive_descriptors, name)
        yield from row(name, 5.0, partial(ours, *arguments), peer, partial(twin, *arguments))
    yield from row(
        "all five from power",
        5.0,
        lambda: descriptors.shape(power, FREQUENCIES),
        lambda: [peer() for peer in peers.values()],
        lambda: naive_descriptors.shape(power, FREQUENCIES),
    )


def power_of(samples: Samples) -> NDArray[np.float32]:
    """Our power spectra [frames, bins]."""
    spectra = spectral.analyse(samples, FRAMING, bank=BANK, want_mel=False, want_power=True, padding="constant")
    return np.asarray(spectra.power)


def mfcc(samples: Samples) -> NDArray[np.float32]:
    """MFCCs [frames, 20] as librosa has them."""
    decibels = spectral.Log(spectral.DECIBEL, 1e-10)
    bands = np.asarray(spectral.analyse(samples, FRAMING, bank=BANK, log=decibels, padding="constant").mel)
    return np.asarray(np.maximum(bands, bands.max() - np.float32(80.0), out=bands) @ COSINES)


def by_librosa(samples: Samples) -> list[object]:
    """The five descriptors, of one spectrogram."""
    magnitude = np.abs(librosa.stft(samples, n_fft=N_FFT, hop_length=HOP_LENGTH))
    names = {"S": magnitude, "freq": FREQUENCIES}
    return [
        librosa.feature.spectral_centroid(**names),
        librosa.feature.spectral_bandwidth(**names),
        librosa.feature.spectral_rolloff(**names),
        librosa.feature.spectral_flatness(S=magnitude),
        librosa.onset.onset_strength(S=magnitude, center=False),
    ]


def from_samples_rows(samples: Samples) -> Iterator[Row]:
    """What the preset librosa gives, from samples, on one thread."""
    calls: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "MFCC": (lambda: mfcc(samples), lambda: librosa.feature.mfcc(y=samples, sr=SAMPLE_RATE)),
        "chroma": (
            lambda: chroma.chroma(power_of(samples), CHROMA),
            lambda: librosa.feature.chroma_stft(y=samples, sr=SAMPLE_RATE, tuning=0.0),
        ),
        "all five": (lambda: descriptors.shape(power_of(samples), FREQUENCIES), lambda: by_librosa(samples)),
    }
    error = np.abs(mfcc(samples).T - librosa.feature.mfcc(y=samples, sr=SAMPLE_RATE)).max()
    for name, (ours, peer) in calls.items():
        times = side_by_side(ours, peer)
        note = f"largest difference {error:.1e}" if name == "MFCC" else ""
        what = f"{name} from {SECONDS:g} s of samples"
        yield Row(what, times[0], "librosa", times[1], ">= 5x", times[1] >= 5 * times[0], note)


def waveform_rows(samples: Samples) -> Iterator[Row]:
    """RMS and zero crossings."""
    frames: dict[str, Any] = {"frame_length": N_FFT, "hop_length": HOP_LENGTH}
    yield from row(
        "rms",
        5.0,
        lambda: waveform.rms(samples, **frames),
        lambda: librosa.feature.rms(y=samples, center=False, **frames),
        lambda: naive_descriptors.rms(samples, **frames),
    )
    yield from row(
        "zero crossings",
        5.0,
        lambda: waveform.zero_crossings(samples, **frames),
        lambda: librosa.feature.zero_crossing_rate(samples, center=False, **frames),
        lambda: naive_descriptors.zero_crossings(samples, **frames),
    )


def chroma_row(magnitude: NDArray[np.float32]) -> Iterator[Row]:
    """Chroma of power spectra, the filters made before (librosa makes them at each call, in 2 ms or so)."""
    power, bank = np.square(magnitude), chroma.filterbank(SAMPLE_RATE, N_FFT)
    turned = np.ascontiguousarray(power.T)
    yield from row(
        "chroma",
        1.0,
        lambda: chroma.chroma(power, bank),
        lambda: librosa.feature.chroma_stft(S=turned, sr=SAMPLE_RATE, tuning=0.0),
        lambda: naive_chroma.chroma(power, bank),
        note="ours on one thread, BLAS in both others on all",
    )


def pitch_rows(samples: Samples) -> Iterator[Row]:
    """YIN against librosa on all samples, and against the twin on a few."""
    part = samples[: round(TWIN_SECONDS * SAMPLE_RATE)]
    frames: dict[str, Any] = {"frame_length": N_FFT, "hop_length": HOP_LENGTH}
    names: dict[str, Any] = {"sr": SAMPLE_RATE, "fmin": FMIN, "fmax": FMAX, "center": False}
    times = side_by_side(
        lambda: pitch.yin(samples, SAMPLE_RATE, FMIN, FMAX, **frames),
        lambda: librosa.yin(samples, **names, **frames),
    )
    yield Row("pitch", times[0], "librosa", times[1], ">= 2x", times[1] >= 2 * times[0], cents())
    times = side_by_side(
        lambda: pitch.yin(part, SAMPLE_RATE, FMIN, FMAX, **frames),
        lambda: naive_pitch.yin(part, SAMPLE_RATE, FMIN, FMAX, **frames),
        repeats=3,
    )
    what = f"pitch, {TWIN_SECONDS:g} s"
    yield Row(what, times[0], "NumPy twin", times[1], ">= 1x", times[1] >= times[0])


def cents() -> str:
    """Mean error of ours and of librosa's on sines from 70 to 1900 Hz."""
    errors: list[list[float]] = []
    for hertz in np.geomspace(70.0, 1900.0, 40):
        sine = np.sin(2 * np.pi * hertz * np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE).astype(np.float32)
        ours = pitch.yin(sine, SAMPLE_RATE, FMIN, FMAX, N_FFT, HOP_LENGTH).f0
        peer = librosa.yin(sine, sr=SAMPLE_RATE, fmin=FMIN, fmax=FMAX, frame_length=N_FFT, center=False)
        errors.append([float(np.abs(1200 * np.log2(f0 / hertz)).mean()) for f0 in (ours, peer)])
    ours, peer = np.mean(errors, axis=0)
    return f"mean error on sines {ours:.2f} cents, librosa {peer:.2f}"


def rows() -> list[Row]:
    """All rows: spectra of drums, the pitch of plucked chords where the scores exist."""
    samples = drums(105.0, SECONDS, swing=0.17)
    melody = next(chorales(1, SECONDS), ("", samples))[1]
    magnitude = spectra(samples)
    return [
        *from_samples_rows(samples),
        *spectral_rows(magnitude),
        *waveform_rows(samples),
        *chroma_row(magnitude),
        *pitch_rows(melody),
    ]


if __name__ == "__main__":
    for line in rows():
        print(f"{line.what}: {line.ours * 1e3:.2f} ms, {line.peer_name} {line.peer * 1e3:.2f} ms,", end=" ")
        print(f"{line.ratio:.1f}x (want {line.target}{'' if line.reached else ', MISSED'}) {line.note}")

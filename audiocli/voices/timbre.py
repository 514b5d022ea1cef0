"""The sound of a voice, apart from what it says: its pitch, and the mean and the spread of its spectral envelope.

Envelopes are cepstra cut off below the pitch period and raised towards the peaks of the harmonics (Roebel & Rodet 2005, "Efficient
spectral envelope estimation", true envelope); everything runs at 16 kHz.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ..kernels.pitch import yin

Floats = NDArray[np.float32]

SAMPLE_RATE = 16_000  # Hz
N_FFT, HOP_LENGTH = 1_024, 256
N_BINS = N_FFT // 2 + 1
QUEFRENCIES = 30  # cepstral values that are kept: the pitch period of all but the highest voices is longer
ROUNDS = 3  # of the true envelope
FLOOR = 1e-5  # of magnitudes
LOUD = 7.0  # a frame this many nepers of power below the loudest is not speech
LOWEST, HIGHEST = 65.0, 450.0  # Hz of pitch
HUM = 80.0  # Hz; mains hum below it would pass for a low voice
PERIODIC = 0.15  # yin's threshold
OCTAVE = 0.5  # log Hz from the median; what is further away is an error of an octave
HALVES, SPREADS = (0.7, 1.4), 1e-3  # how much less or more an envelope may vary, and the least spread


@dataclass(frozen=True)
class Timbre:
    """Log Hz of the median pitch; mean and standard deviation of the log magnitude envelope of speech, [N_BINS]."""

    pitch: float
    mean: Floats
    spread: Floats

    def arrays(self) -> dict[str, Floats]:
        """The arrays for a voice file."""
        return {"pitch": np.array([self.pitch], np.float32), "envelope": self.mean, "spread": self.spread}


def of_arrays(arrays: Mapping[str, Floats]) -> Timbre | None:
    """The timbre in a voice file, if it has one."""
    if not {"pitch", "envelope", "spread"} <= arrays.keys() or arrays["envelope"].shape != (N_BINS,):
        return None
    return Timbre(float(arrays["pitch"][0]), arrays["envelope"], arrays["spread"])


def timbre(samples: Floats) -> Timbre | None:
    """The timbre of speech [n] at SAMPLE_RATE; None when no sound in it is voiced."""
    spectrum = transform(samples)
    log_pitch = np.log(pitch(samples, loudness(spectrum)))
    log_pitch = log_pitch[np.isfinite(log_pitch)]
    if not log_pitch.size:
        return None
    near = log_pitch[np.abs(log_pitch - np.median(log_pitch)) < OCTAVE]
    envelopes = envelope(spectrum)[loudness(spectrum) > -LOUD]
    spread = np.maximum(envelopes.std(axis=0), SPREADS)
    return Timbre(float(np.median(near)), envelopes.mean(axis=0).astype(np.float32), spread.astype(np.float32))


def transform(samples: Floats) -> NDArray[np.complex64]:
    """Short-time spectra [frames, N_BINS]; frame f is centred on sample f * HOP_LENGTH, and one lies behind the last sample."""
    padded = np.pad(samples, (N_FFT // 2, N_FFT // 2 + HOP_LENGTH))
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP_LENGTH]
    spectrum: NDArray[np.complex64] = scipy.fft.rfft(frames * _window(), axis=1)
    return spectrum


def inverse(spectrum: NDArray[np.complex64], size: int) -> Floats:
    """Samples [size] of spectra [frames, N_BINS], by weighted overlap-add (Griffin & Lim 1984)."""
    window = _window()
    frames = scipy.fft.irfft(spectrum, N_FFT, axis=1).astype(np.float32) * window
    total = np.zeros((len(frames) - 1) * HOP_LENGTH + N_FFT, np.float32)
    weight = np.zeros_like(total)
    for number, frame in enumerate(frames):
        first = number * HOP_LENGTH
        total[first : first + N_FFT] += frame
        weight[first : first + N_FFT] += window**2
    return np.asarray(total / np.maximum(weight, 1e-3), np.float32)[N_FFT // 2 : N_FFT // 2 + size]


def _window() -> Floats:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT), np.float32)


def envelope(spectrum: NDArray[np.complex64]) -> Floats:
    """Log magnitude envelopes [frames, N_BINS] of spectra."""
    peaks = log = np.log(np.abs(spectrum) + np.float32(FLOOR))
    smooth = log
    for _ in range(ROUNDS):
        cepstrum = scipy.fft.irfft(peaks, axis=1)
        cepstrum[:, QUEFRENCIES : N_FFT - QUEFRENCIES + 1] = 0.0
        smooth = scipy.fft.rfft(cepstrum, axis=1).real
        peaks = np.maximum(log, smooth)
    return np.asarray(smooth, np.float32)


def loudness(spectrum: NDArray[np.complex64]) -> Floats:
    """Log power of each frame, 0 for the loudest."""
    power = np.log(np.mean(np.abs(spectrum) ** 2, axis=1) + FLOOR**2)
    return np.asarray(power - power.max(initial=-np.inf), np.float32)


def pitch(samples: Floats, level: Floats) -> Floats:
    """Hz of each frame, NaN where it is not voiced or too quiet (level: `loudness` of the frames)."""
    from scipy.signal import butter, sosfiltfilt

    if len(samples) < N_FFT:
        return np.full(len(level), np.nan, np.float32)
    clean = sosfiltfilt(butter(4, HUM, "high", fs=SAMPLE_RATE, output="sos"), samples).astype(np.float32)
    padded = np.pad(clean, (N_FFT // 2, N_FFT // 2 + HOP_LENGTH))
    hertz = yin(padded, SAMPLE_RATE, LOWEST, HIGHEST, N_FFT, HOP_LENGTH, PERIODIC).f0[: len(level)]
    return np.where(level[: len(hertz)] > -LOUD, hertz, np.nan).astype(np.float32)


def warped(values: Floats, factor: float) -> Floats:
    """Envelopes [..., N_BINS] along a frequency axis that is stretched by a factor: formants of a longer or shorter throat."""
    places = np.clip(np.arange(N_BINS) / factor, 0, N_BINS - 1)
    first = np.minimum(places.astype(int), N_BINS - 2)
    part = (places - first).astype(np.float32)
    return np.asarray(values[..., first] * (1 - part) + values[..., first + 1] * part, np.float32)

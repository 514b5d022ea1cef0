"""Whisper's spectrogram: 10 ms frames of a logarithmic mel spectrum, as OpenAI's audio.py makes it, without torch."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ....kernels.mel import filterbank, window

Floats = NDArray[np.float32]
SAMPLE_RATE = 16_000  # Hz
N_FFT, HOP = 400, 160
LEAST, RANGE = 1e-10, 8.0  # of power; decades below the loudest that are kept


def log_mel(samples: Floats, frames: int, n_mels: int) -> Floats:
    """The features [n_mels, frames] of samples [n], followed by silence or cut off there."""
    fitted = np.pad(samples[: frames * HOP], (0, max(0, frames * HOP - len(samples))))
    padded = np.pad(fitted, N_FFT // 2, mode="reflect")
    # Only frames with sound in them: the rest is the floor.
    sounding = min(frames, -(-(len(samples) + N_FFT // 2) // HOP) + 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP][:sounding]
    spectrum = np.fft.rfft(windows * window("hann", N_FFT))
    power = spectrum.real**2 + spectrum.imag**2
    decades = np.full((n_mels, frames), np.log10(LEAST), np.float32)
    decades[:, :sounding] = np.log10(np.maximum(_bank(n_mels) @ power.astype(np.float32).T, LEAST))
    return np.asarray((np.maximum(decades, decades.max() - RANGE) + 4.0) / 4.0, np.float32)


@lru_cache(maxsize=2)
def _bank(n_mels: int) -> Floats:
    """Slaney's triangles up to half the rate [n_mels, N_FFT // 2 + 1]."""
    bank: Floats = filterbank(SAMPLE_RATE, N_FFT, n_mels, 0.0, SAMPLE_RATE / 2, norm="slaney")
    return bank

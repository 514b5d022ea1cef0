"""The descriptors of audiocli.kernels.descriptors and .waveform the obvious way: float64, one line of NumPy each."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def weights(spectra: Array) -> Array:
    """Each frame of spectra [frames, bins] over its sum; silence stays 0."""
    total = spectra.astype(np.float64).sum(axis=1, keepdims=True)
    return np.asarray(spectra / np.where(total < np.finfo(np.float32).tiny, 1.0, total))


def centroid(spectra: Array, frequencies: Array) -> Array:
    """[frames] in Hz."""
    return np.asarray((weights(spectra) * frequencies).sum(axis=1))


def bandwidth(spectra: Array, frequencies: Array) -> Array:
    """[frames] in Hz."""
    distance = frequencies - centroid(spectra, frequencies)[:, None]
    return np.asarray(np.sqrt((weights(spectra) * distance**2).sum(axis=1)))


def rolloff(spectra: Array, frequencies: Array, fraction: float = 0.85) -> Array:
    """[frames] in Hz; NaN where a frame holds one."""
    running = np.cumsum(spectra.astype(np.float64), axis=1)
    found = frequencies[np.argmax(running >= fraction * running[:, -1:], axis=1)]
    return np.where(np.isnan(running[:, -1]), np.nan, found)


def flatness(spectra: Array, exponent: int = 2, floor: float = 1e-10) -> Array:
    """[frames], 0 to 1."""
    power = np.maximum(spectra.astype(np.float64) ** exponent, floor)
    return np.asarray(np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1))


def flux(spectra: Array, previous: Array | None = None) -> Array:
    """[frames], mean rise per bin."""
    before = spectra[:1] if previous is None else previous[None]
    rows = np.concatenate([before, spectra]).astype(np.float64)
    return np.asarray(np.maximum(np.diff(rows, axis=0), 0.0).mean(axis=1))


def shape(power: Array, frequencies: Array, previous: Array | None = None) -> tuple[Array, ...]:
    """The five above, of power spectra."""
    magnitude = np.sqrt(power)
    before = None if previous is None else np.sqrt(previous)
    return (
        centroid(magnitude, frequencies),
        bandwidth(magnitude, frequencies),
        rolloff(magnitude, frequencies),
        flatness(power, exponent=1),
        flux(magnitude, before),
    )


def frames(samples: Array, frame_length: int, hop_length: int) -> Array:
    """Whole frames [frames, frame_length] of samples [n]."""
    if samples.size < frame_length:
        return np.empty((0, frame_length), samples.dtype)
    return np.lib.stride_tricks.sliding_window_view(samples, frame_length)[::hop_length]


def rms(samples: Array, frame_length: int, hop_length: int) -> Array:
    """[frames]."""
    return np.asarray(np.sqrt(np.square(frames(samples, frame_length, hop_length), dtype=np.float64).mean(axis=1)))


def zero_crossings(samples: Array, frame_length: int, hop_length: int, threshold: float = 1e-10) -> Array:
    """[frames], changes over frame_length."""
    negative = frames(samples, frame_length, hop_length) < -threshold
    return np.asarray((negative[:, 1:] != negative[:, :-1]).sum(axis=1) / frame_length)

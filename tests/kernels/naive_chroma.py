"""Chroma the obvious way: a matrix product, then each frame over its largest value; the tuning with all peaks at hand."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def chroma(power: NDArray[Any], bank: NDArray[Any]) -> NDArray[Any]:
    """[frames, n_chroma] of power [frames, bins] and filters [n_chroma, bins]."""
    raw = power @ bank.T
    peak = raw.max(axis=1, keepdims=True)
    return np.asarray(raw / np.where(peak < np.finfo(np.float32).tiny, 1, peak))


def peaks(power: NDArray[Any], sample_rate: float) -> NDArray[Any]:
    """[n, 2] Hz and height of parabolas through the peaks from 150 to 4000 Hz that reach a tenth of their frame's largest."""
    found, n_fft = [], 2 * (power.shape[1] - 1)
    for row in power.astype(np.float64):
        for k in range(1, len(row) - 1):
            before, here, after = row[k - 1 : k + 2]
            inside = 150 <= k * sample_rate / n_fft < min(4000, sample_rate / 2)
            if inside and here > 0.1 * row.max() and here > before and here >= after:
                slope, bend = (after - before) / 2, after + before - 2 * here
                shift = -slope / bend if abs(slope) < abs(bend) else 0.0
                found.append(((k + shift) * sample_rate / n_fft, here + slope * shift / 2))
    return np.array(found).reshape(-1, 2)


def tuning(found: NDArray[Any]) -> float:
    """The fullest hundredth of a semitone around A4 = 440 Hz, of the pitches that are stronger than the median."""
    hertz, strength = found.T
    semitones = 12 * np.log2(hertz[strength >= np.median(strength)] / 440)
    counts = np.bincount(np.floor(100 * (semitones - np.round(semitones)) + 50).astype(int), minlength=101)[:100]
    return float(counts.argmax() / 100 - 0.5)

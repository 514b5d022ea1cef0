"""Time stretching by waveform similarity (WSOLA): the same sound, faster or slower, at the same pitch.

Windows of the input are overlapped at another distance; each is taken from near its own place, where it best continues the one
before. Reference: Verhelst & Roelands (1993), "An overlap-add technique based on waveform similarity".
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._jit import jit_sums

Floats = NDArray[np.float32]
WINDOW = 0.04  # s: some periods of a low voice
SEARCH = 0.01  # s to either side: one period of a voice of 100 Hz


def stretch(samples: ArrayLike, rate: float, sample_rate: int) -> Floats:
    """Samples [n] that last n / rate samples; `rate` above 1 is faster. Raises ValueError for a rate that is not positive."""
    source = np.ascontiguousarray(samples, np.float32)
    if not (np.isfinite(rate) and rate > 0.0):
        raise ValueError(f"rate must be above 0, not {rate}")
    size = round(len(source) / rate)
    half = max(int(WINDOW * sample_rate) // 2, 1)
    search = int(SEARCH * sample_rate)
    if rate == 1.0 or not size:
        return source[:size].copy()
    window = (0.5 - 0.5 * np.cos(np.pi * (np.arange(2 * half) + 0.5) / half)).astype(np.float32)
    padded = np.concatenate([np.zeros(half + search, np.float32), source, np.zeros(4 * half + 2 * search, np.float32)])
    return _laid(padded, window, half, search, rate, size + half)[half:]


@jit_sums
def _laid(padded: Floats, window: Floats, half: int, search: int, rate: float, size: int) -> Floats:
    """Windows of 2 * half samples, half apart, summed; frame f is searched for around its place in `padded`."""
    out = np.zeros(size + 2 * half, np.float32)
    last = padded.size - 2 * half
    natural = -1  # where the frame before goes on
    for frame in range((size + half - 1) // half):
        place = min(int(frame * half * rate) + search, last)
        if natural >= 0:
            place = _best(padded, natural, max(place - search, 0), min(place + search, last), half)
        for i in range(2 * half):
            out[frame * half + i] += window[i] * padded[place + i]
        natural = min(place + half, last)
    return out[:size]


@jit_sums
def _best(padded: Floats, natural: int, first: int, final: int, half: int) -> int:
    """The start in [first, final] of the `half` samples most like those at `natural`, by normalised correlation."""
    best, score = first, np.float32(-np.inf)
    for place in range(first, final + 1):
        dot, energy = np.float32(0.0), np.float32(1e-9)
        for i in range(half):
            dot += padded[natural + i] * padded[place + i]
            energy += padded[place + i] * padded[place + i]
        value = dot / np.sqrt(energy)
        if value > score:
            best, score = place, value
    return best

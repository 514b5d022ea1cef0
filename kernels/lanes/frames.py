"""Frames as lanes: WIDTH overlapping frames of a signal, one sample of each side by side; and Kaldi's treatment of speech.

z[t * WIDTH + lane] is sample t of a frame, windowed: [n_fft, WIDTH] as one flat array. The samples come in tiles of WIDTH by
WIDTH that turn in registers, which costs less than to keep what overlapping frames share.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._jit import jit, part
from . import WIDTH, gather_tile, load, splat, store

Floats = NDArray[np.float32]


class Cut(NamedTuple):
    """How frames are cut, for kernels; `spectral.Framing` in numbers."""

    hop_length: int
    offset: int  # of the window in the n_fft samples of a frame
    factors: Floats  # [length] what each sample of a frame is multiplied by: the window, or Kaldi's gain
    window: Floats  # [length] of speech, applied after pre-emphasis; [0] without
    preemphasis: np.float32


def aligned(n: int) -> Floats:
    """Room for n numbers, begun at a cache line: no load of Lanes from a multiple of WIDTH then takes two of them."""
    room = np.empty(n + 16, np.float32)
    first = -room.ctypes.data % 64 // 4
    return room[first : first + n]


@jit
def fill(
    samples: NDArray[np.float32] | NDArray[np.int16], cut: Cut, first: int, last: int, z: Floats, energy: Floats
) -> None:
    """Frames first..first + WIDTH - 1 into z; from `last` on, the frame before it again.

    samples: float32, or int16, which count as their values. energy: [frames], filled for speech.
    """
    starts = np.empty(WIDTH, np.int64)
    for lane in range(WIDTH):
        starts[lane] = min(first + lane, last - 1) * cut.hop_length + cut.offset
    before, length = cut.offset * WIDTH, cut.factors.shape[0]
    for at in range(0, z.shape[0], WIDTH):
        if at < before or at >= before + length * WIDTH:
            store(z, at, splat(np.float32(0.0)))
    whole = length // WIDTH * WIDTH
    for t in range(0, whole, WIDTH):
        gather_tile(samples, starts, t, cut.factors, z, before + t * WIDTH)
    for t in range(whole, length):
        for lane in range(WIDTH):
            z[before + t * WIDTH + lane] = cut.factors[t] * np.float32(samples[starts[lane] + t])
    if cut.window.shape[0]:
        total = np.empty(WIDTH, np.float32)
        _emphasise(z, cut.window, cut.preemphasis, total)
        for lane in range(min(WIDTH, last - first)):
            energy[first + lane] = total[lane]


@part
def _emphasise(z: Floats, window: Floats, preemphasis: np.float32, energy: Floats) -> None:
    """Take out each frame's mean, then x[i] -= preemphasis * x[i - 1] and the window; energy [WIDTH] before the last two."""
    length = window.shape[0]
    # Two running sums each: one would wait for itself.
    even, odd = splat(np.float32(0.0)), splat(np.float32(0.0))
    for t in range(0, length - 1, 2):
        even, odd = even + load(z, t * WIDTH), odd + load(z, t * WIDTH + WIDTH)
    if length % 2:
        even = even + load(z, (length - 1) * WIDTH)
    mean = (even + odd) * splat(np.float32(1.0 / length))
    factor, square = splat(preemphasis), splat(np.float32(0.0))
    before = load(z, 0) - mean  # Kaldi repeats the first sample before the frame
    for t in range(length):
        value = load(z, t * WIDTH) - mean
        square = square + value * value
        store(z, t * WIDTH, (value - factor * before) * splat(window[t]))
        before = value
    store(energy, 0, square)

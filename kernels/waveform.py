"""One number per frame of samples: its level, its rate of zero crossings.

The numbers are those of librosa 0.11 (feature.rms, feature.zero_crossing_rate) with center=False: pad the samples
first. Frames are the whole ones, frame f from sample f * hop_length on.

References: Kedem (1986), "Spectral analysis and discrimination by zero-crossings".
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._jit import jit, jit_sums
from .framing import frame_count

Floats = NDArray[np.float32]
Single = np.float32


def rms(samples: ArrayLike, frame_length: int, hop_length: int) -> Floats:
    """Root mean square of each whole frame of samples [n], already padded: [frames]."""
    values, out = _samples(samples, frame_length, hop_length)
    _rms(values, frame_length, hop_length, out)
    return out


def zero_crossings(samples: ArrayLike, frame_length: int, hop_length: int, threshold: float = 1e-10) -> Floats:
    """Sign changes inside each whole frame of samples [n], already padded, over frame_length: [frames], 0 to 1.

    Values of at most `threshold` either side of 0 count as positive (and so does NaN). Pad with edge values, as librosa
    does for this descriptor: zeros would cross a signal that begins or ends below them.
    """
    values, out = _samples(samples, frame_length, hop_length)
    _zero_crossings(values, frame_length, hop_length, -np.float32(threshold), out)
    return out


def _samples(samples: ArrayLike, frame_length: int, hop_length: int) -> tuple[Floats, Floats]:
    """The checked samples [n] and room for one number per frame."""
    values = np.ascontiguousarray(samples, np.float32)
    if values.ndim != 1:
        raise ValueError(f"samples must be [n], not of shape {values.shape}")
    if frame_length < 1 or hop_length < 1:
        raise ValueError(f"frame_length and hop_length must be 1 or more, not {frame_length} and {hop_length}")
    return values, np.empty(frame_count(values.size, frame_length, hop_length), np.float32)


@jit_sums
def _energy(row: Floats) -> float:
    total = 0.0
    for i in range(row.shape[0]):
        value = np.float64(row[i])
        total += value * value
    return total


@jit
def _changes(samples: Floats, first: int, last: int, least: Single) -> int:
    """Positions i of first..last-1 where samples i-1 and i differ in sign."""
    before, after = samples[first - 1 : last - 1], samples[first:last]
    count = 0
    for i in range(after.shape[0]):
        count += (before[i] < least) != (after[i] < least)
    return count


@jit
def _rms(samples: Floats, frame_length: int, hop_length: int, out: Floats) -> None:
    for f in range(out.shape[0]):
        start = f * hop_length
        out[f] = np.sqrt(_energy(samples[start : start + frame_length]) / frame_length)


@jit
def _zero_crossings(samples: Floats, frame_length: int, hop_length: int, least: Single, out: Floats) -> None:
    count = _changes(samples, 1, frame_length, least) if out.shape[0] else 0
    for f in range(out.shape[0]):
        start, end = f * hop_length, f * hop_length + frame_length
        if f and hop_length < frame_length:
            # The count of the last frame, less the crossings that left at its start, plus those that came in at the end.
            count += _changes(samples, end - hop_length, end, least)
            count -= _changes(samples, start - hop_length + 1, start + 1, least)
        elif f:
            count = _changes(samples, start + 1, end, least)
        out[f] = count / frame_length

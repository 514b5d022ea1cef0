"""Onset strength: the rise of a log-power mel spectrogram since the frame before.

The numbers are those of librosa 0.11: onset.onset_strength takes the mean over the bands, beat.beat_track the median.
Any block of frames will do when the frame before it is given; `centred` then moves the whole file's envelope:

    envelope = centred(concatenate([onset_strength(block, previous), ...]), n_fft, hop_length)

References: Bock & Widmer (2013), "Maximum filter vibrato suppression for onset detection" (spectral flux of log bands).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._jit import jit, jit_sums

Floats = NDArray[np.float32]
Single = np.float32

ZERO = np.float32(0.0)


def onset_strength(
    mel_db: ArrayLike, previous: ArrayLike | None = None, *, median: bool = False, lowest_db: float = -100.0
) -> Floats:
    """Rise of the bands of a mel spectrogram in dB [frames, bands] since the frame before: [frames].

    The mean over the bands of the rises (falls count 0), or their median. previous: [bands], the frame before the
    first; None starts at 0. lowest_db: lower values count as this one (librosa.power_to_db: -100, and then 80 below the
    file's peak). The strength stands at the frame in which the rise is seen; `centred` moves it to where librosa has
    it.
    """
    bands = np.ascontiguousarray(mel_db, np.float32)
    if bands.ndim != 2:
        raise ValueError(f"mel_db must be [frames, bands], not of shape {bands.shape}")
    out = np.zeros(bands.shape[0], np.float32)
    if not bands.size:
        return out
    before = bands[0] if previous is None else np.ascontiguousarray(previous, np.float32)
    if before.shape != bands.shape[1:]:
        raise ValueError(f"previous of shape {before.shape} does not fit mel_db of shape {bands.shape}")
    _strength(bands, before, np.float32(lowest_db), median, out)
    return out


def centred(onset: ArrayLike, n_fft: int, hop_length: int) -> Floats:
    """The onset envelope [frames] later by n_fft // (2 * hop_length) frames, as long as before, 0 at the start.

    A frame centred on its time hears an onset half its length early; librosa (center=True) moves the whole envelope. To
    be called once, on the envelope of the whole file.
    """
    values = np.asarray(onset, np.float32)
    if n_fft < 1 or hop_length < 1:
        raise ValueError(f"n_fft and hop_length must be 1 or more, not {n_fft} and {hop_length}")
    shift = n_fft // (2 * hop_length)
    return np.concatenate([np.zeros(shift, np.float32), values])[: values.size]


@jit
def _strength(bands: Floats, before: Floats, lowest: Single, median: bool, out: Floats) -> None:
    rises = np.empty(bands.shape[1], np.float32)
    for f in range(bands.shape[0]):
        total, n_rising = _rises(bands[f], before if f == 0 else bands[f - 1], lowest, rises)
        if not median or np.isnan(total):
            out[f] = total / rises.shape[0]
        elif 2 * n_rising < rises.shape[0] - 1:
            out[f] = 0.0  # most frames rise in less than half the bands
        else:
            out[f] = _median(rises)


@jit_sums
def _rises(row: Floats, before: Floats, lowest: Single, rises: Floats) -> tuple[float, int]:
    """Fill `rises` with the rise of each band, falls as 0; their sum, and how many are above 0."""
    total, n_rising = 0.0, 0
    for k in range(row.shape[0]):
        change = _at_least(row[k], lowest) - _at_least(before[k], lowest)
        rise = _at_least(change, ZERO)
        rises[k] = rise
        total += float(rise)
        n_rising += int(rise > ZERO)
    return total, n_rising


@jit
def _at_least(value: Single, lowest: Single) -> Single:
    """The larger of two; NaN stays."""
    return lowest if value < lowest else value


@jit
def _median(values: Floats) -> Single:
    """Median of values [n] that are 0 or more: the bits of such floats, read as integers, stand in the same order."""
    bits = values.view(np.int32)
    n = bits.shape[0]
    lower = _select(bits, (n - 1) // 2)
    upper = lower if n % 2 else _select(bits, n // 2)
    pair = np.array([lower, upper], np.int32).view(np.float32)
    return np.float32((pair[0] + pair[1]) * np.float32(0.5))


@jit
def _select(bits: NDArray[np.int32], rank: int) -> np.int32:
    """The value with `rank` smaller ones, bit by bit from the top: counting vectorises, sorting would not."""
    value = np.int32(0)
    for shift in range(30, -1, -1):
        trial = np.int32(value | (1 << shift))
        if _count_below(bits, trial) <= rank:
            value = trial
    return value


@jit_sums
def _count_below(bits: NDArray[np.int32], limit: np.int32) -> int:
    count = 0
    for i in range(bits.shape[0]):
        count += int(bits[i] < limit)
    return count

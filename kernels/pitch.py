"""Fundamental frequency by YIN (de Cheveigne & Kawahara 2002).

The difference function compares the first frame_length - max_lag samples of a frame with as many at each lag (equation
6), so every lag sums the same number of terms; librosa 0.11 lets the frame run into zeros instead, which lifts long
lags and hides their minima. It comes from autocorrelation by FFT, several frames at once; the rest of the algorithm is
one pass over the lags.
"""

from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from ._jit import jit, jit_sums
from .framing import frame_count

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

# Frames transformed at once. Always so many (the last batch is filled with zeros): scipy.fft works on several rows in
# one register, the rest of a batch goes another way, and a frame must give the same bits wherever a block ends.
BATCH = 32
# Differences smaller than this part of the energy are rounding errors of the FFT in float32.
ROUNDING = 1e-6


class Pitch(NamedTuple):
    """The results of yin, each [frames] float32."""

    f0: Floats  # Hz; NaN where unvoiced
    aperiodicity: Floats  # 0 (periodic) to about 1 (noise, silence); below the threshold where voiced


def yin(
    samples: ArrayLike,
    sample_rate: float,
    fmin: float,
    fmax: float,
    frame_length: int = 2048,
    hop_length: int = 512,
    threshold: float = 0.1,
) -> Pitch:
    """Fundamental frequency and aperiodicity of each whole frame of samples [n], already padded.

    f0 lies between fmin and fmax (Hz); it is NaN where no period makes the normalised difference smaller than
    `threshold`, and in silence; the aperiodicity is that difference at the period, or the least of all where f0 is NaN.
    A frame with a NaN or an infinity is NaN in both. Two periods of fmin must fit into a frame.
    """
    values = np.ascontiguousarray(samples, np.float32)
    first, last = _lags(sample_rate, fmin, fmax, frame_length)
    if values.ndim != 1 or hop_length < 1:
        raise ValueError(f"samples must be [n], not of shape {values.shape}; hop_length 1 or more, not {hop_length}")
    n_frames = frame_count(values.size, frame_length, hop_length)
    pitch = Pitch(np.empty(n_frames, np.float32), np.empty(n_frames, np.float32))
    frames, products = np.empty((BATCH, frame_length), np.float32), np.empty((BATCH, last + 2), np.float32)
    for start in range(0, n_frames, BATCH):
        n = min(BATCH, n_frames - start)
        frames[n:] = 0.0
        _fill(values[start * hop_length :], hop_length, frames[:n])
        _correlate(frames, products)
        lags = pitch.f0[start : start + n]
        _search(frames, products, first, threshold, lags, pitch.aperiodicity[start : start + n])
    return Pitch(np.float32(sample_rate) / pitch.f0, pitch.aperiodicity)


def _lags(sample_rate: float, fmin: float, fmax: float, frame_length: int) -> tuple[int, int]:
    """Shortest and longest period in samples."""
    if not 0 < fmin < fmax <= sample_rate / 2:
        raise ValueError(f"0 < fmin < fmax <= {sample_rate / 2} Hz does not hold for fmin {fmin}, fmax {fmax}")
    first, last = int(sample_rate / fmax), int(np.ceil(sample_rate / fmin))
    if frame_length < 2 * last + 2:
        raise ValueError(f"a frame must hold two periods of fmin {fmin} Hz: {2 * last + 2} samples, not {frame_length}")
    return first, last


def _correlate(frames: Floats, products: Floats) -> None:
    """products[f, lag] = sum over j < window of frames[f, j] * frames[f, j + lag], lags 0 to frame_length - window."""
    length = frames.shape[1]
    window = length - products.shape[1] + 1
    # The window padded to the frame's length: no lag that is asked for wraps around.
    head = np.zeros_like(frames)
    head[:, :window] = frames[:, :window]
    spectrum = scipy.fft.rfft(frames, axis=1)
    with np.errstate(invalid="ignore", over="ignore"):  # frames with NaN, infinity or such come out as NaN
        spectrum *= scipy.fft.rfft(head, axis=1).conj()
    products[:] = scipy.fft.irfft(spectrum, length, axis=1)[:, : products.shape[1]]


@jit
def _fill(samples: Floats, hop_length: int, frames: Floats) -> None:
    """The frames without their mean, which does not affect differences but the rounding of large sums."""
    length = frames.shape[1]
    for f in range(frames.shape[0]):
        source, frame = samples[f * hop_length : f * hop_length + length], frames[f]
        mean = np.float32(_sum(source) / length)
        for i in range(length):
            frame[i] = source[i] - mean


@jit
def _search(frames: Floats, products: Floats, first: int, threshold: float, lag: Floats, aperiodicity: Floats) -> None:
    """The period of each frame in samples, between `first` and the last but one of the lags; NaN where unvoiced."""
    difference, normalised = np.empty(products.shape[1]), np.empty(products.shape[1])
    for f in range(lag.shape[0]):
        _differ(frames[f], products[f], difference)
        _normalise(difference, normalised)
        trough = _first_trough(normalised, first, threshold)
        if trough > 0:
            # Of the difference itself: it is symmetric around a period, the normalised one is not (step 5 of the
            # paper).
            lag[f] = trough + _vertex(difference[trough - 1], difference[trough], difference[trough + 1])
            aperiodicity[f] = normalised[trough]
        else:
            lag[f] = np.nan
            aperiodicity[f] = normalised[first:-1].min()


@jit_sums
def _sum(values: Floats) -> float:
    total = 0.0
    for i in range(values.shape[0]):
        total += values[i]
    return total


@jit_sums
def _energy(values: Floats) -> float:
    total = 0.0
    for i in range(values.shape[0]):
        value = np.float64(values[i])
        total += value * value
    return total


@jit
def _differ(frame: Floats, product: Floats, out: Doubles) -> None:
    """Sum over j < window of (frame[j] - frame[j + lag])^2, for each lag (equation 6)."""
    window = frame.shape[0] - product.shape[0] + 1
    still = _energy(frame[:window])
    moved = still
    out[0] = 0.0
    for lag in range(1, product.shape[0]):
        entering, leaving = np.float64(frame[lag + window - 1]), np.float64(frame[lag - 1])
        moved += entering * entering - leaving * leaving
        difference = still + moved - 2.0 * product[lag]
        out[lag] = 0.0 if difference < ROUNDING * (still + moved) else difference


@jit
def _normalise(difference: Doubles, out: Doubles) -> None:
    """Difference of each lag over the mean difference of the lags up to it (equation 8); 1 where nothing differs."""
    total = 0.0
    out[0] = 1.0
    for lag in range(1, difference.shape[0]):
        total += difference[lag]
        out[lag] = 1.0 if total == 0.0 else difference[lag] * lag / total


@jit
def _first_trough(values: Doubles, first: int, threshold: float) -> int:
    """The first local minimum below the threshold among values[first:-1]; -1 when there is none."""
    for i in range(first, values.shape[0] - 1):
        if values[i] < threshold and values[i] < values[i - 1] and values[i] <= values[i + 1]:
            return i
    return -1


@jit
def _vertex(left: float, middle: float, right: float) -> float:
    """The minimum of the parabola through three values at -1, 0 and 1, -0.5 to 0.5 when the middle one is least."""
    bend = left - 2.0 * middle + right
    return 0.0 if bend <= 0.0 else 0.5 * (left - right) / bend

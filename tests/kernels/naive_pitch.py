"""YIN the obvious way: the equations of de Cheveigne & Kawahara (2002), lag by lag, in float64."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def difference(frame: Array, max_lag: int) -> Array:
    """Equation 6: [max_lag + 1]."""
    window = frame.size - max_lag
    return np.array([np.square(frame[:window] - frame[lag : lag + window]).sum() for lag in range(max_lag + 1)])


def normalised(values: Array) -> Array:
    """Equation 8; 1 where nothing differs."""
    out = np.ones(values.size)
    for lag in range(1, values.size):
        mean = values[1 : lag + 1].mean()
        out[lag] = values[lag] / mean if mean > 0 else 1.0
    return out


def period(frame: Array, first: int, last: int, threshold: float) -> tuple[float, float]:
    """Period in samples (NaN where unvoiced) and aperiodicity of one frame."""
    d = difference(frame, last + 1)
    y = normalised(d)
    for i in range(first, last + 1):
        if y[i] < threshold and y[i - 1] > y[i] <= y[i + 1]:
            bend = d[i - 1] - 2 * d[i] + d[i + 1]
            return i + (0.5 * (d[i - 1] - d[i + 1]) / bend if bend > 0 else 0.0), y[i]
    return np.nan, y[first : last + 1].min()


def yin(
    samples: Array, sample_rate: float, fmin: float, fmax: float, frame_length: int, hop_length: int,
    threshold: float = 0.1,
) -> tuple[Array, Array]:  # fmt: skip
    """f0 in Hz [frames] and aperiodicity [frames]."""
    first, last = int(sample_rate / fmax), int(np.ceil(sample_rate / fmin))
    starts = range(0, samples.size - frame_length + 1, hop_length)
    found = [period(samples[s : s + frame_length].astype(np.float64), first, last, threshold) for s in starts]
    lags, aperiodicity = np.array(found, np.float64).reshape(-1, 2).T
    return sample_rate / lags, aperiodicity

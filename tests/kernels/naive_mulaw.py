"""Mu-law the obvious way: the definition of audiocli.kernels.mulaw in float64, one line of NumPy after another."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def encode(x: NDArray[Any], mu: int = 255) -> NDArray[np.int64]:
    """Codes [...] of float32 or int16 samples [...]."""
    x = x / np.float64(32768) if x.dtype == np.int16 else x.astype(np.float64)
    x = np.clip(np.where(np.isnan(x), 0, x), -1, 1)
    y = np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)
    return np.asarray(np.floor((y + 1) / 2 * mu + 0.5), np.int64)


def decode(codes: NDArray[Any], mu: int = 255) -> NDArray[np.float32]:
    """Samples [...] of codes [...]."""
    y = codes.astype(np.float64) / mu * 2 - 1
    x = np.sign(y) * (np.exp(np.abs(y) * np.log1p(mu)) - 1) / mu
    return np.asarray(x, np.float32)

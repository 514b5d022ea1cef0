"""Chroma the obvious way: a matrix product, then each frame over its largest value."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def chroma(power: NDArray[Any], bank: NDArray[Any]) -> NDArray[Any]:
    """[frames, n_chroma] of power [frames, bins] and filters [n_chroma, bins]."""
    raw = power @ bank.T
    peak = raw.max(axis=1, keepdims=True)
    return np.asarray(raw / np.where(peak < np.finfo(np.float32).tiny, 1, peak))

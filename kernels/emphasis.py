"""Pre-emphasis: high frequencies are raised before sound is coded coarsely, and the noise of the codes falls with them after."""

import numpy as np
import scipy.signal
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def emphasise(samples: Floats, factor: float) -> Floats:
    """y[i] = x[i] - factor x[i - 1] of samples [n]; before the first one is silence."""
    raised = samples.copy()
    raised[1:] -= np.float32(factor) * samples[:-1]
    return raised


def deemphasise(samples: Floats, factor: float) -> Floats:
    """The inverse of `emphasise`: y[i] = x[i] + factor y[i - 1]."""
    return np.asarray(scipy.signal.lfilter([1.0], [1.0, -factor], samples.astype(np.float64)), np.float32)

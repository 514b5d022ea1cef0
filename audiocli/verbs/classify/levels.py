"""The power of an input over time, by which events find their edges; kept while its blocks go through."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

LEVEL_STEP = 0.02  # s
# Hz: what lies below (rumble, wind, hum, an offset) is left out. It holds much of the power of a room, and in frames so short it
# rises and falls as if sounds began and ended.
LOWEST = 100.0
ORDER = 2


@dataclass
class Levels:
    """Mean squares of frames of LEVEL_STEP of an input that comes in blocks."""

    sample_rate: int
    _sections: Doubles = field(init=False)  # of the high-pass
    _state: Doubles = field(init=False)
    _rest: Floats = field(default_factory=lambda: np.zeros(0, np.float32))  # less than a frame
    _frames: list[Floats] = field(default_factory=list)

    def __post_init__(self) -> None:
        from scipy.signal import butter

        self._sections = butter(ORDER, LOWEST, "high", fs=self.sample_rate, output="sos")
        self._state = np.zeros((len(self._sections), 2))

    def push(self, samples: Floats) -> None:
        """Take the next block [samples]."""
        from scipy.signal import sosfilt

        if not len(samples):  # which sosfilt does not take
            return
        clean, self._state = sosfilt(self._sections, samples, zi=self._state)
        self._rest = np.concatenate([self._rest, clean.astype(np.float32)])
        frame = round(LEVEL_STEP * self.sample_rate)
        whole = len(self._rest) // frame * frame
        self._frames.append(np.mean(self._rest[:whole].reshape(-1, frame) ** 2, axis=1))
        self._rest = self._rest[whole:]

    def power(self) -> Floats:
        """The frames so far; what is left is less than one."""
        return np.concatenate([np.zeros(0, np.float32), *self._frames])

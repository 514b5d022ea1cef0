"""What is kept of the probabilities of an input: their means, and the few that events can be made of.

A model of hundreds of labels gives 75 MB of them an hour; nearly all are next to zero, and are about no event.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass
class Course:
    """The probabilities of `labels` labels, window by window.

    floor: the value from which on they are kept (infinite: none is). whole: whether all are kept, for a picture.
    """

    labels: int
    floor: float
    whole: bool = False
    count: int = 0  # windows
    _sums: Doubles = field(init=False)
    _kept: list[tuple[NDArray[np.int32], NDArray[np.int32], Floats]] = field(
        default_factory=list
    )  # window, label, value
    _all: list[Floats] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sums = np.zeros(self.labels)

    def add(self, probabilities: Floats) -> None:
        """Take those of the next windows [windows, labels]."""
        windows, labels = np.nonzero(probabilities >= self.floor)
        if len(windows):
            values = probabilities[windows, labels]
            self._kept.append(((windows + self.count).astype(np.int32), labels.astype(np.int32), values))
        if self.whole:
            self._all.append(probabilities)
        self._sums += probabilities.sum(axis=0, dtype=np.float64)
        self.count += len(probabilities)

    def mean(self) -> Doubles:
        """The mean of each label; there must be a window."""
        return self._sums / self.count

    def curves(self, threshold: float) -> Iterator[tuple[int, Floats]]:
        """The labels that come to a threshold, and their curves [windows], in which what lies below the floor is zero."""
        if not self._kept:
            return
        windows, labels, values = (np.concatenate(parts) for parts in zip(*self._kept, strict=True))
        for label in np.unique(labels[values >= threshold]).tolist():
            of_it = labels == label
            curve = np.zeros(self.count, np.float32)
            curve[windows[of_it]] = values[of_it]
            yield label, curve

    def table(self) -> Floats:
        """All of them [windows, labels], if they were kept."""
        return np.concatenate([np.zeros((0, self.labels), np.float32), *self._all])

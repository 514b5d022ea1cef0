"""What all classifiers of sounds have in common: how they are asked, and what their answers mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Traits:
    """The properties of a classifier.

    independent: several of its labels can hold at once; else they exclude each other, and their probabilities add up to one.
    threshold: the probability above which an event begins. hop: s from one window to the next, where whole inputs are judged
    (None: a window).
    """

    independent: bool = False
    threshold: float = 0.5
    hop: float | None = None


@runtime_checkable
class Tagger(Protocol):
    """A loaded model: windows of sound in, probabilities [windows, labels] out. window: s that it takes at once."""

    labels: tuple[str, ...]
    sample_rate: int
    window: float

    @property
    def traits(self) -> Traits: ...

    def __call__(self, windows: Sequence[Floats]) -> Floats: ...

"""Common parts of the scripts here: side-by-side timing, and the rows of bench.md."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of bench.md: the name of the task, both medians in seconds, their ratio and its target."""

    what: str
    ours: float
    peer_name: str
    peer: float
    target: str
    reached: bool
    note: str = ""

    @property
    def ratio(self) -> float:
        """The factor by which we are faster (peer time / our time)."""
        return self.peer / self.ours


@dataclass(frozen=True)
class Score:
    """One line of bench.md that is not a time: an error rate, a memory, a quality; the values as text."""

    what: str
    ours: str
    peer_name: str
    peer: str
    target: str
    reached: bool
    note: str = ""


def seconds(function: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def side_by_side(*functions: Callable[[], object], repeats: int = 7) -> list[float]:
    """Median seconds of each function, called in turn (A B A B ...) after one warm-up of each.

    In turn, so that a machine that slows down slows them all.
    """
    for function in functions:
        function()
    times = [[seconds(function) for function in functions] for _ in range(repeats)]
    return [statistics.median(column) for column in zip(*times, strict=True)]

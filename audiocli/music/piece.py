"""A piece of music by its notes: the grid, where notes begin in it, and the time of each step."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .grid import REST, STEPS_PER_QUARTER, Grid

Onsets = NDArray[np.bool_]


class Note(NamedTuple):
    """A note: steps from the start, steps long, MIDI pitch."""

    start: int
    length: int
    pitch: int


class Meter(NamedTuple):
    """A time signature from a step on, as in 3/4."""

    step: float
    beats: int
    unit: int


@dataclass(frozen=True)
class Tempo:
    """Quarters a minute: (step, value) in rising order of the steps, the first of which is 0; each value holds up to the next."""

    changes: tuple[tuple[float, float], ...]

    @property
    def first(self) -> float:
        """Quarters a minute at the start."""
        return self.changes[0][1]

    def at(self, step: float) -> float:
        """Quarters a minute at a step."""
        return self.changes[max(bisect_right(self.changes, step, key=lambda change: change[0]) - 1, 0)][1]

    def seconds(self, step: float) -> float:
        """The time in seconds at which a step begins."""
        n = max(bisect_right(self.changes, step, key=lambda change: change[0]) - 1, 0)
        return self._begins[n] + (step - self.changes[n][0]) * _step_seconds(self.changes[n][1])

    def step(self, seconds: float) -> float:
        """The step, with its fraction, that is heard at a time: the inverse of `seconds`."""
        n = max(bisect_right(self._begins, seconds) - 1, 0)
        return self.changes[n][0] + (seconds - self._begins[n]) / _step_seconds(self.changes[n][1])

    @cached_property
    def _begins(self) -> list[float]:
        """Seconds at which each value begins to hold."""
        begins = [0.0]
        for (at, value), (until, _) in pairwise(self.changes):
            begins.append(begins[-1] + (until - at) * _step_seconds(value))
        return begins


def _step_seconds(quarters_a_minute: float) -> float:
    return 60 / quarters_a_minute / STEPS_PER_QUARTER


def steady(quarters_a_minute: float) -> Tempo:
    """A tempo that never changes."""
    return Tempo(((0.0, quarters_a_minute),))


@dataclass(frozen=True)
class Piece:
    """Voices [steps, voices], the highest first.

    onsets: bool [steps, voices], where notes begin: a pitch that is struck again looks in the grid as one that goes on.
    lead: steps of silence before the first step; the steps of tempo and meter count from before it.
    warnings: what was lost in reading it from a file.
    """

    grid: Grid
    onsets: Onsets
    tempo: Tempo
    meter: tuple[Meter, ...] = ()
    lead: float = 0.0
    warnings: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """The time in seconds at which its last step ends."""
        return self.time(len(self.grid))

    def time(self, step: float) -> float:
        """Seconds at which a step of the grid begins."""
        return self.tempo.seconds(self.lead + step)

    def first(self, steps: int) -> "Piece":
        """Its beginning."""
        return replace(self, grid=self.grid[:steps], onsets=self.onsets[:steps])

    def held(self, steps: int) -> "Piece":
        """The same piece with so many more steps, through which the last chord is held."""
        last = np.repeat(self.grid[-1:], steps, axis=0)
        grid = np.concatenate([self.grid, last])
        return replace(self, grid=grid, onsets=np.concatenate([self.onsets, np.zeros(last.shape, np.bool_)]))

    def notes(self, voice: int) -> list[Note]:
        """The notes of one voice."""
        pitches = self.grid[:, voice]
        starts = np.flatnonzero(self.onsets[:, voice] | _changes(pitches))
        ends = np.append(starts, len(pitches))[1:]
        spans = zip(starts.tolist(), ends.tolist(), strict=True)
        return [Note(a, b - a, int(pitches[a])) for a, b in spans if pitches[a] != REST]


def piece_of(grid: Grid, quarters_a_minute: float) -> Piece:
    """A grid by itself, in which a pitch that stays is one note."""
    return Piece(grid, begun(grid), steady(quarters_a_minute))


def begun(grid: Grid) -> Onsets:
    """A mask of the places where the pitches of a grid [steps, voices] change."""
    return np.asarray(_changes(grid) & (grid != REST))


def _changes(pitches: Grid) -> Onsets:
    """A mask of the pitches [steps, ...] that differ from those of the step before."""
    return np.asarray(np.diff(pitches.astype(np.int16), axis=0, prepend=np.int16(REST - 1)) != 0)

"""Turns out of windows whose people are known: as many speakers at once as the net hears, those for whom most windows speak.

As pyannote.audio reconstructs them, but that its arrays hold every window once for every speaker, in float64: 800 MB for ten hours
of ten people. Here every window is added to the whole, which is a fortieth of that.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...records import Turn
from ...voices.clusters import Labels
from .listening import HOP, SURE, Active, Heard

GAP = 0.1  # s; shorter pauses of a speaker are none
BLIP = 0.1  # s; shorter turns are none


def turns(heard: Heard, labels: Labels, count: int, seconds: float, *, exclusive: bool) -> tuple[Turn, ...]:
    """The turns of `count` speakers within so many seconds. labels: of each person, -1 for nobody [windows, SPEAKERS]."""
    spoken = spoken_frames(heard, labels, count, 1 if exclusive else None)
    each = (_turns(spoken[:, n], heard, seconds, str(n), fill=not exclusive) for n in range(count))
    return tuple(turn for some in each for turn in some)


def spoken_frames(heard: Heard, labels: Labels, count: int, most: int | None) -> Active:
    """Whether each speaker speaks [frames, count]; at most so many of them at once."""
    windows, frames, _ = heard.scores.shape
    total = np.zeros((heard.length, count), np.float32)
    people, covered = np.zeros((2, heard.length), np.float32)
    active = heard.active
    for n in range(windows):
        here = slice(n * HOP, n * HOP + frames)
        for person in np.flatnonzero(labels[n] >= 0):
            total[here, labels[n, person]] += heard.scores[n, :, person] / np.float32(SURE)
        people[here] += active[n].sum(axis=1)
        covered[here] += 1.0
    speaking = np.rint(people / covered).astype(int)
    ranks = np.argsort(np.argsort(-total, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray((ranks < np.minimum(speaking, count if most is None else most)[:, None]) & (total > 0.0))


def _turns(spoken: NDArray[np.bool_], heard: Heard, seconds: float, speaker: str, *, fill: bool) -> Iterator[Turn]:
    """The turns of one speaker, whose frames [frames] are known."""
    edges = np.flatnonzero(np.diff(spoken.astype(np.int8), prepend=0, append=0))
    spans = [[float(one), float(other)] for one, other in edges.reshape(-1, 2)]
    merged = list[list[float]]()
    for start, end in spans:
        if fill and merged and (start - merged[-1][1]) * heard.step < GAP:
            merged[-1][1] = end
        else:
            merged.append([start, end])
    for first, last in merged:
        start = max(heard.begin + first * heard.step, 0.0) if first else 0.0
        end = min(heard.begin + last * heard.step, seconds)
        if end - start >= BLIP:
            yield Turn(start, end, speaker)

"""Notes from what a net says of each frame and pitch: how likely it sounds, and how likely it begins (Bittner et al. 2022).

Frame by frame instead of note by note as in the paper, so that hours need no memory: a note begins at a peak of the onsets and
lasts as long as its pitch is likely, short gaps forgiven; what sounds without a beginning is a note when it is long and sure.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._jit import jit

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

FIELDS = 4  # of a note: its first frame, the frame behind its last, its column, its strength (the mean of its frames)
IDLE, STRUCK, UNSTRUCK = 0, 1, 2
BACK = 8  # frames


class Rules(NamedTuple):
    """Frames, and probabilities in [0, 1].

    onset: the least peak at which a note begins. again: the least at which a pitch that sounds is struck again, unless it has
    been let go, that is, was below `rest` within the last BACK frames. sounding: what is below it is silent; so many silent
    frames as `gap` end a note. shortest, weakest: frames and strength of a note. unstruck, sure: of one that nobody heard begin.
    """

    onset: float
    again: float
    rest: float
    sounding: float
    gap: int
    shortest: int
    weakest: float
    unstruck: int
    sure: float


class Follower:
    """Follows all pitches [columns] at once through blocks of frames."""

    def __init__(self, columns: int, rules: Rules) -> None:
        self._rules = rules
        self._kind = np.zeros(columns, np.int64)
        self._span = np.zeros((2, columns), np.int64)  # the first and the last frame of the note that sounds
        self._sum = np.zeros(columns)
        self._kept = np.zeros((2, BACK + 1, columns), np.float32)  # of sounding and onset, the frames before this block
        self._frame = 0  # the next one

    def push(self, sounding: Floats, onset: Floats) -> Doubles:
        """The notes [n, FIELDS] that have ended, from the next frames [frames, columns] of both."""
        values = np.concatenate([self._kept, np.stack([sounding, onset])], axis=1)
        # A frame is judged when the next one is known, since only then is a peak one.
        notes = _follow(values, self._frame - 1 - BACK, self._kind, self._span, self._sum, self._rules)
        self._kept, self._frame = values[:, -BACK - 1 :].copy(), self._frame + len(sounding)
        return notes

    def finish(self) -> Doubles:
        """The notes that still sound."""
        silence = np.zeros((self._rules.gap + 2, self._kind.size), np.float32)
        return self.push(silence, silence)


@jit
def _follow(
    values: Floats, frame: int, kind: NDArray[np.int64], span: NDArray[np.int64], total: Doubles, rules: Rules
) -> Doubles:
    """Frames BACK to the last but one of values [2, frames, columns], the first of which is number `frame`."""
    sounding, notes, count = values[0], np.empty((16, FIELDS)), 0
    for t in range(BACK, sounding.shape[0] - 1):
        for p in range(kind.shape[0]):
            value, now = sounding[t, p], frame + t
            struck = _struck(values, t, p, kind[p] != IDLE, rules)
            silent = value < rules.sounding and now - span[1, p] >= rules.gap
            if kind[p] != IDLE and (struck or silent):
                length = span[1, p] + 1 - span[0, p]
                if _counts(kind[p], length, total[p] / length, rules):
                    if count == notes.shape[0]:
                        notes = np.concatenate((notes, np.empty_like(notes)))
                    notes[count, 0], notes[count, 1] = span[0, p], span[1, p] + 1
                    notes[count, 2], notes[count, 3] = p, total[p] / length
                    count += 1
                kind[p] = IDLE
            if struck or (kind[p] == IDLE and value >= rules.sounding and _leads(sounding[t], p)):
                kind[p] = STRUCK if struck else UNSTRUCK
                span[:, p] = now
                total[p] = value
            elif kind[p] != IDLE and value >= rules.sounding:
                total[p] += value * (now - span[1, p])  # the gaps that it bridges count as it does
                span[1, p] = now
    return notes[:count]


@jit
def _struck(values: Floats, t: int, p: int, sounds: bool, rules: Rules) -> bool:
    """Whether a pitch is struck in a frame."""
    before, now, after = values[1, t - 1, p], values[1, t, p], values[1, t + 1, p]
    if now < rules.onset or now <= before or now < after:
        return False
    let_go: bool = values[0, t - BACK : t, p].min() < rules.rest
    return not sounds or now >= rules.again or let_go


@jit
def _counts(kind: int, length: int, strength: float, rules: Rules) -> bool:
    """Whether a stretch of one pitch is a note."""
    if kind == STRUCK:
        return length >= rules.shortest and strength >= rules.weakest
    return length >= rules.unstruck and strength >= rules.sure


@jit
def _leads(values: Floats, p: int) -> bool:
    """Whether a pitch is likelier than its neighbours, which sound with it in the eyes of a net."""
    below: bool = p == 0 or values[p] >= values[p - 1]
    above: bool = p == values.shape[0] - 1 or values[p] > values[p + 1]
    return below and above

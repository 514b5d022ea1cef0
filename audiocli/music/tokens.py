"""From a grid to the inputs of the nets: tokens, the time that each pitch has been held, and the context of each step."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .grid import RANGES, REST, STEPS_PER_BAR, Grid, key_of

Ints = NDArray[np.int64]

LOWEST = min(low for low, _ in RANGES)
N_TOKENS = max(high for _, high in RANGES) - LOWEST + 2  # the pitches, and the rest as the last token
REST_TOKEN = N_TOKENS - 1
START = N_TOKENS  # the token before the first step
LONGEST = 32  # steps that a pitch is counted as held, at most
SOON = 64  # steps before the end from which on they are counted
LATER = SOON + 1


class Steps(NamedTuple):
    """The inputs of a net, each [steps, ...]: the step before, its durations, the context, and the step itself."""

    before: Ints  # [steps, 4]
    held: Ints  # [steps, 4]
    context: Ints  # [steps, 3]: key (0: unknown, 1 to 24), sixteenth of the bar, steps to the end (0: unknown)
    now: Ints  # [steps, 4]


def tokens(piece: Grid) -> Ints:
    """[steps, 4] in [0, N_TOKENS)."""
    return np.where(piece == REST, REST_TOKEN, piece.astype(np.int64) - LOWEST)


def grid_of(numbers: Ints) -> Grid:
    """The grid of tokens [steps, 4]."""
    return np.where(numbers == REST_TOKEN, REST, numbers + LOWEST).astype(np.int8)


def steps(piece: Grid) -> Steps:
    """A whole piece, its key and its end known."""
    now = tokens(piece)
    before = np.concatenate([np.full((1, 4), START), now[:-1]])
    return Steps(before, held(before), context(len(piece), key_of(piece)), now)


def held(before: Ints) -> Ints:
    """For each step of `before`, the number of steps that its token has been held, 0 to LONGEST."""
    counts = np.zeros_like(before)
    for i in range(1, len(before)):
        counts[i] = np.where(before[i] == before[i - 1], counts[i - 1] + 1, 0)
    return np.minimum(counts, LONGEST)


def context(length: int, key: int | None) -> Ints:
    """[steps, 3] of a piece of `length` steps; key as key_of has it."""
    at = np.arange(length)
    left = length - at
    countdown = np.where(left <= SOON, left, LATER)
    return np.stack([np.full(length, 0 if key is None else key + 1), at % STEPS_PER_BAR, countdown], axis=1)


def without_hints(known: Ints, *, key: bool, end: bool) -> Ints:
    """Contexts [..., steps, 3] in which the key or the end is unknown."""
    hidden = known.copy()
    if key:
        hidden[..., 0] = 0
    if end:
        hidden[..., 2] = 0
    return hidden

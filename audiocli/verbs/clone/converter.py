"""The common part of the voice converters: a stream of speech in, a stream of the same length in another voice out.

A converter cuts what it cannot take whole: into windows that overlap, or into the pieces of speech between two pauses.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Protocol, runtime_checkable

import numpy as np

from ...kernels.stretch import stretch
from ...vad.cutter import Cut, cutter, pieces
from ...voices.files import Target
from ...voices.timbre import SAMPLE_RATE, Floats, Timbre

WINDOW = 30.0  # s that are converted at once
FADE = 0.25  # s over which one window goes over into the next
BLOCK = 1 << 18  # samples of silence that are made at once

# Blocks [n] of speech at SAMPLE_RATE, whose own voice is known, to blocks of as many samples in all.
Move = Callable[[Iterable[Floats], Timbre], Iterator[Floats]]


@runtime_checkable
class Converter(Protocol):
    """A loaded model, which can go to any voice."""

    def towards(self, target: Target) -> Move:
        """The way to one voice. Raises UsageError when the target lacks what the model needs."""


@dataclass(frozen=True)
class Windowed:
    """A converter without weights: `convert` makes as many samples of samples [n], their own timbre and the target's."""

    convert: Callable[[Floats, Timbre, Timbre], Floats]

    def towards(self, target: Target) -> Move:
        """The way to one voice, of which the timbre is all that counts."""
        return in_windows(lambda samples, own: self.convert(samples, own, target.timbre))


def in_windows(convert: Callable[[Floats, Timbre], Floats]) -> Move:
    """A stream through a function that takes up to WINDOW seconds and returns as many samples."""
    return lambda blocks, own: faded(convert(window, own) for window in windows(blocks))


def windows(blocks: Iterable[Floats]) -> Iterator[Floats]:
    """Blocks [n] as windows of WINDOW seconds, each with the last FADE seconds of the one before."""
    size, fade = int(WINDOW * SAMPLE_RATE), int(FADE * SAMPLE_RATE)
    rest, fresh = np.zeros(0, np.float32), False
    for block in blocks:
        rest, fresh = np.concatenate([rest, block]), True
        while len(rest) >= size + fade:
            yield rest[:size]
            rest, fresh = rest[size - fade :], len(rest) > size
    if fresh:
        yield rest


def faded(stretches: Iterable[Floats]) -> Iterator[Floats]:
    """Windows that overlap by FADE seconds as one sound."""
    fade, rest = int(FADE * SAMPLE_RATE), None
    for window in stretches:
        if rest is not None:
            part = min(fade, len(window))
            rise = np.linspace(0.0, 1.0, part, dtype=np.float32)
            window[:part] = rest[:part] * (1 - rise) + window[:part] * rise
        rest = window[len(window) - fade :] if len(window) > fade else window[:0]
        yield window[: len(window) - len(rest)]
    if rest is not None:
        yield rest


def in_pieces(convert: Callable[[Floats], Floats], cut: Cut) -> Move:
    """A stream through a function that takes a piece of speech and returns one about as long; silence lies between pieces."""

    def move(blocks: Iterable[Floats], own: Timbre) -> Iterator[Floats]:
        work = cutter(True, cut)
        converted = ((start, convert(samples)) for start, samples in pieces(work, blocks))
        return placed(converted, lambda: round(work.seconds * SAMPLE_RATE))

    return move


def placed(sounds: Iterable[tuple[int, Floats]], total: Callable[[], int]) -> Iterator[Floats]:
    """Sounds where they begin, (sample, [n]), as one of total() samples; one is faster when the next would begin before its end."""
    position = 0
    for one, following in pairwise(chain(sounds, [None])):
        assert one is not None
        start, samples = one
        part = fitted(samples, (total() if following is None else following[0]) - start)
        yield from _silence(start - position)
        yield part
        position = start + len(part)
    yield from _silence(total() - position)


def fitted(samples: Floats, room: int) -> Floats:
    """Samples [n], sped up where they are more than there is room for."""
    return samples if len(samples) <= room else stretch(samples, len(samples) / max(room, 1), SAMPLE_RATE)[:room]


def _silence(size: int) -> Iterator[Floats]:
    yield from (np.zeros(min(BLOCK, size - first), np.float32) for first in range(0, size, BLOCK))


def as_loud(samples: Floats, like: Floats) -> Floats:
    """Samples with the level of others, below full scale."""
    level, wanted = (float(np.sqrt(np.mean(np.square(x, dtype=np.float64)) + 1e-12)) for x in (samples, like))
    peak = float(np.abs(samples).max(initial=1e-9))
    return np.asarray(samples * np.float32(min(wanted / level, 0.99 / peak)), np.float32)

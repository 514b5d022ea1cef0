"""Speech in windows: neighbouring pieces with the pauses between them, cut out of a stream in constant memory."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from .cutter import Chunk, Cut, Span, cutter
from .silero import SAMPLE_RATE

Floats = NDArray[np.float32]
KEPT = SAMPLE_RATE  # samples behind the newest one in which a piece may still begin: its lead, its onset, and a frame


def windows(blocks: Iterable[Floats], longest: float, cut: Cut | None = None) -> Iterator[tuple[Span, Floats]]:
    """The windows of speech of at most `longest` seconds in blocks [n] at 16 kHz, each with its samples.

    Pieces are put together as `cutter.merged` does it; one that is longer is a window of its own.
    """
    work, building = cutter(True, cut), _Building(round(longest * SAMPLE_RATE))
    for block in blocks:
        building.push(block)
        yield from building.take(work.push(block))
    yield from building.take(work.finish())
    yield from building.close()


class _Building:
    """The window that is being put together, and the samples that it may still need."""

    def __init__(self, longest: int) -> None:
        self._longest = longest  # samples, as all here
        self._parts: list[Floats] = []
        self._first = self._stop = 0  # of the samples that are held
        self._window: tuple[int, int] | None = None  # of complete pieces
        self._start, self._end, self._open = 0, 0, False  # of the piece at hand

    def push(self, block: Floats) -> None:
        self._parts.append(block)
        self._stop += len(block)

    def take(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Span, Floats]]:
        """The windows that these chunks of speech complete."""
        for chunk in chunks:
            if chunk.begins:
                self._start, self._open = chunk.start, True
            if chunk.ends:
                self._open = False
                yield from self._put(min(self._end, self._stop))
            self._end = chunk.start + chunk.samples.size
        if self._window and self._stop - self._window[0] > self._longest + KEPT:
            yield from self.close()
        self._forget(self._window[0] if self._window else self._start if self._open else self._stop - KEPT)

    def _put(self, end: int) -> Iterator[tuple[Span, Floats]]:
        """Add the piece at hand to the window, or begin a new one with it."""
        if self._window and end - self._window[0] > self._longest:
            yield from self.close()
        self._window = (self._window[0] if self._window else self._start, end)

    def close(self) -> Iterator[tuple[Span, Floats]]:
        """The window, which nothing can be added to."""
        if self._window:
            start, end = self._window
            self._window = None
            held = np.concatenate(self._parts)
            yield Span(start / SAMPLE_RATE, end / SAMPLE_RATE), held[start - self._first : end - self._first].copy()

    def _forget(self, before: int) -> None:
        """Let go of the blocks that end before a sample."""
        while self._parts and self._first + len(self._parts[0]) <= before:
            self._first += len(self._parts.pop(0))

"""Rows of numbers that may be too many for memory: in memory while they are few, after that in a file without a name."""

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

# Rows in one block of everything that is read back; all tables have their blocks at the same places.
BLOCK_ROWS = 4_096
# Five minutes of an 80-band mel spectrogram, or three of sound at 16 kHz; a run holds a few of these for each job.
MEMORY = 10 << 20  # bytes


class Spool:
    """Append blocks [n, columns], then read them back from the start, as often as need be."""

    def __init__(self, columns: int, dtype: DTypeLike = np.float32) -> None:
        self.columns = columns
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.n_rows = 0
        self._blocks: list[NDArray[Any]] = []
        self._file: Any = None

    def append(self, block: NDArray[Any]) -> None:
        """Add rows [n, columns], or [n] when there is one column; the array must not change afterwards."""
        self.n_rows += len(block)
        self._blocks.append(block.reshape(len(block), self.columns))
        if sum(one.nbytes for one in self._blocks) > MEMORY:
            self._to_file()

    def _to_file(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()
        for block in self._blocks:
            self._file.write(np.ascontiguousarray(block, self.dtype).data)
        self._blocks.clear()

    def drop_last(self) -> None:
        """Remove the last row; nothing may be appended after that."""
        self.n_rows = max(0, self.n_rows - 1)

    def blocks(self) -> Iterator[NDArray[Any]]:
        """All rows in blocks [BLOCK_ROWS or what is left, columns]."""
        if self._file is None:
            yield from in_blocks(self._whole())
            return
        self._to_file()
        self._file.flush()
        row = self.columns * self.dtype.itemsize
        for first in range(0, self.n_rows, BLOCK_ROWS):
            count = min(BLOCK_ROWS, self.n_rows - first)
            data = os.pread(self._file.fileno(), count * row, first * row)
            yield np.frombuffer(data, self.dtype).reshape(count, self.columns)

    def _whole(self) -> NDArray[Any]:
        if not self._blocks:
            return np.zeros((0, self.columns), self.dtype)
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks)]
        return self._blocks[0][: self.n_rows]


class Shelf:
    """Arrays [n] of one type by number: in memory while they are few, after that in a file without a name."""

    def __init__(self, memory: int = MEMORY, dtype: DTypeLike = np.float32) -> None:
        self.sizes: list[int] = []  # values in each
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._memory, self._held, self._offsets = memory, list[NDArray[Any]](), [0]
        self._file: Any = None

    def append(self, values: NDArray[Any]) -> None:
        """Add an array; it must not change afterwards."""
        self.sizes.append(len(values))
        self._offsets.append(self._offsets[-1] + values.size * self.dtype.itemsize)
        self._held.append(np.ascontiguousarray(values, self.dtype))
        if self._file is not None or self._offsets[-1] > self._memory:
            self._to_file()

    def _to_file(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()
        for values in self._held:
            self._file.write(values.data)
        self._file.flush()
        self._held.clear()

    def __getitem__(self, number: int) -> NDArray[Any]:
        """An array by its number."""
        if self._file is None:
            return self._held[number]
        size = self._offsets[number + 1] - self._offsets[number]
        return np.frombuffer(os.pread(self._file.fileno(), size, self._offsets[number]), self.dtype)


def in_blocks(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """An array [n, columns] as the blocks that a Spool would give."""
    for first in range(0, len(values), BLOCK_ROWS):
        yield values[first : first + BLOCK_ROWS]


def reblocked(blocks: Iterator[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """Blocks of any length as the blocks that a Spool would give."""
    waiting: list[NDArray[Any]] = []
    for block in blocks:
        waiting.append(block)
        while sum(map(len, waiting)) >= BLOCK_ROWS:
            whole = np.concatenate(waiting)
            yield whole[:BLOCK_ROWS]
            waiting = [whole[BLOCK_ROWS:]]
    if sum(map(len, waiting)):
        yield np.concatenate(waiting)

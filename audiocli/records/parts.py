"""What records are made of: tables over time, sound, words and segments, turns, labels."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Table:
    """Numbers over time: [frames, columns], read block by block so that hours of them need no memory.

    `columns` names them ("band at 440 Hz", "coefficient 3"). Frame f stands at `start + f * step` seconds; step is None where
    rows are not frames (the tempo, the times of beats).
    """

    columns: tuple[str, ...]
    n_frames: int
    step: float | None
    blocks: Callable[[], Iterator[NDArray[Any]]]  # each call reads from the start; a block is [n, columns]
    dtype: np.dtype[Any]
    start: float = 0.0  # s
    unit: str = ""

    def values(self) -> NDArray[Any]:
        """The whole table [frames, columns] in memory."""
        blocks = list(self.blocks())
        return np.concatenate(blocks) if blocks else np.zeros((0, len(self.columns)), self.dtype)

    def moments(self, overall: bool = False) -> NDArray[np.float64]:
        """Mean, standard deviation, minimum and maximum of each column, [4, columns], or of all together, [4, 1]."""
        blocks = (block.reshape(-1, 1) if overall else block for block in self.blocks())
        return moments(blocks, 1 if overall else len(self.columns))


def moments(blocks: Iterable[NDArray[Any]], n_columns: int) -> NDArray[np.float64]:
    """Mean, standard deviation, minimum and maximum of each column, [4, columns]; NaN counts for nothing."""
    count, total, square = np.zeros((3, n_columns))
    low, high = np.full(n_columns, np.inf), np.full(n_columns, -np.inf)
    pivot: NDArray[np.float64] | None = (
        None  # sums are taken around it: squares of large means would drown small spreads
    )
    for block in blocks:
        values = block.astype(np.float64)
        known = ~np.isnan(values)
        if pivot is None:
            pivot = np.where(known[0], values[0], 0.0) if len(values) else None
        centred = np.where(known, values - (0.0 if pivot is None else pivot), 0.0)
        count += known.sum(axis=0)
        total += centred.sum(axis=0)
        square += (centred**2).sum(axis=0)
        low = np.minimum(low, np.where(known, values, np.inf).min(axis=0, initial=np.inf))
        high = np.maximum(high, np.where(known, values, -np.inf).max(axis=0, initial=-np.inf))
    filled = np.maximum(count, 1)
    mean = total / filled
    std = np.sqrt(np.maximum(square / filled - mean**2, 0.0))
    result = np.stack([mean + (0.0 if pivot is None else pivot), std, low, high])
    return np.where(count > 0, result, np.nan)


@dataclass(frozen=True)
class Sound:
    """Samples that a verb has made, read block by block so that hours of them need no memory.

    `subtype` is what the samples were stored in where they come from (PCM_24, FLOAT): formats keep it when they can.
    """

    sample_rate: int  # Hz
    channels: int
    n_samples: int  # of each channel
    blocks: Callable[[], Iterator[NDArray[np.float32]]]  # each call reads from the start; a block is [channels, n]
    subtype: str | None = None

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.n_samples / self.sample_rate

    def samples(self) -> NDArray[np.float32]:
        """All of it, [channels, samples], in memory."""
        blocks = list(self.blocks())
        return np.concatenate(blocks, axis=1) if blocks else np.zeros((self.channels, 0), np.float32)


def sound_of(samples: NDArray[np.float32], sample_rate: int, subtype: str | None = None) -> Sound:
    """The Sound of samples [channels, samples] that are in memory."""
    return Sound(sample_rate, samples.shape[0], samples.shape[1], lambda: iter([samples]), subtype)


# Languages written without blanks between words.
UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km", "bo"})


def joined(texts: Iterable[str], language: str | None) -> str:
    """The texts of words or segments as one, with blanks between them unless the language is written without."""
    return ("" if language in UNSPACED else " ").join(filter(None, map(str.strip, texts)))


@dataclass(frozen=True)
class Word:
    """A word of a transcript; times in seconds of the input."""

    text: str
    start: float
    end: float
    probability: float | None = None
    speaker: str | None = None


@dataclass(frozen=True)
class Segment:
    """A stretch of speech; times in seconds of the input."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    probability: float | None = None
    speaker: str | None = None


def later(segments: Sequence[Segment], seconds: float) -> tuple[Segment, ...]:
    """Segments with their words so much later."""
    return tuple(
        replace(
            segment, start=segment.start + seconds, end=segment.end + seconds,
            words=tuple(replace(word, start=word.start + seconds, end=word.end + seconds) for word in segment.words),
        )
        for segment in segments
    )  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """One speaker's uninterrupted speech; times in seconds of the input. `channel` counts from 1, as RTTM does."""

    start: float
    end: float
    speaker: str
    channel: int = 1


class Speaking:
    """Sound that is made while somebody takes it: float32 [n] blocks, once; what has been said so far beside it.

    `keep`: whether the segments are remembered; of a book nobody needs them all.
    """

    def __init__(self, found: Iterator[tuple[Segment, NDArray[np.float32]]], sample_rate: int, *, keep: bool) -> None:
        self.sample_rate, self.n_samples = sample_rate, 0
        self.segments: list[Segment] = []
        self._found, self._keep = found, keep

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """What is still to come."""
        for segment, samples in self._found:
            self.n_samples += len(samples)
            if self._keep:
                self.segments.append(segment)
            yield samples

    @property
    def duration(self) -> float:
        """Seconds so far."""
        return self.n_samples / self.sample_rate


@dataclass(frozen=True)
class Label:
    """A sound by name, and how sure the model is (0 to 1)."""

    label: str
    score: float

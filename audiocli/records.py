"""What a verb finds out about one input, as plain frozen data; `formats` writes it, and nothing here knows how."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .music.piece import Piece


@dataclass(frozen=True)
class Table:
    """Numbers over time: [frames, columns], read block by block so that hours of them need no memory.

    `columns` names them ("band at 440 Hz", "coefficient 3"). Frame f stands at `start + f * step` seconds; step is None where
    rows are no frames (the tempo, the times of beats).
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


@dataclass(frozen=True, kw_only=True)
class Record:
    """What every verb says about one input."""

    path: str
    duration: float  # s, of what was read
    sample_rate: int  # Hz, of the input
    task: str
    model: str | None = None
    revision: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    status: str = "ok"
    warnings: Sequence[str] = ()  # of what is made while it is written (speech) there may be more in the end


@dataclass(frozen=True, kw_only=True)
class Features(Record):
    """Tables by kind."""

    tables: dict[str, Table]


@dataclass(frozen=True, kw_only=True)
class Stats(Record):
    """Mean, standard deviation, minimum and maximum of each column of each kind: one row of a table over files."""

    values: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Recording(Record):
    """A result that is sound itself: the audio formats write the sound, the others what is said about it.

    `details` are the verb's own fields of the JSON record; `tags` is what an audio file says about itself (title, software,
    comment).
    """

    sound: Sound
    details: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


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


@dataclass(frozen=True, kw_only=True)
class Transcript(Record):
    """What was said. `dropped`: what was taken out and why, one line each (silence, repetition)."""

    text: str
    language: str | None
    segments: tuple[Segment, ...]
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Match(Record):
    """Whether two recordings `a` and `b` are of one speaker; None where nothing can be decided, and `reason` says why.

    log_odds: natural logarithm of the odds of one speaker, both being as likely beforehand; it means the same in all conditions.
    false_accepts, false_rejects: the shares of them that are to be expected at this threshold. name: who of a database it is.
    """

    a: str
    b: str
    score: float | None = None
    threshold: float | None = None
    same: bool | None = None
    probability: float | None = None
    log_odds: float | None = None
    false_accepts: float | None = None
    false_rejects: float | None = None
    label: bool | None = None
    reason: str | None = None
    name: str | None = None
    candidates: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Person(Record):
    """Who is in the database `path`: `duration` seconds of speech in so many recordings, as a net heard them."""

    name: str
    recordings: int


@dataclass(frozen=True, kw_only=True)
class Recognised(Record):
    """Which recording a query is a piece of: the track, where in it the query begins (s), and how sure that is in [0, 1]."""

    track: str | None = None
    offset: float | None = None
    confidence: float = 0.0
    hashes: int = 0  # that agree on the offset
    candidates: tuple[
        tuple[str, float, float], ...
    ] = ()  # track, offset, confidence of all that it may be, the best first


@dataclass(frozen=True)
class Turn:
    """One speaker's uninterrupted speech; times in seconds of the input. `channel` counts from 1, as RTTM does."""

    start: float
    end: float
    speaker: str
    channel: int = 1


@dataclass(frozen=True, kw_only=True)
class Diarization(Record):
    """Who spoke when, in the order of the starts.

    exclusive: no two turns overlap, because overlap was not looked for or was left out. known: how likely each speaker with a
    name of the user's is that person.
    """

    turns: tuple[Turn, ...]
    exclusive: bool = True
    known: dict[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> dict[str, float]:
        """How long each speaker speaks, in the order in which they are first heard."""
        total: dict[str, float] = {}
        for turn in self.turns:
            total[turn.speaker] = total.get(turn.speaker, 0.0) + turn.end - turn.start
        return total


@dataclass(frozen=True, kw_only=True)
class Music(Recording):
    """A piece of music; `piece` and what follows are of music that is known by its notes."""

    piece: "Piece | None" = None
    program: int = 0  # of General MIDI, from 0
    stems: dict[str, Sound] = field(default_factory=dict)  # each voice by itself


@dataclass(frozen=True)
class Failure:
    """An input that gave no result, and why, in one line."""

    path: str
    reason: str
    bug: bool = False  # ours, not the input's
    fatal: bool = False  # no other input can do better


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


@dataclass(frozen=True, kw_only=True)
class Speech(Record):
    """A text as it is spoken; its duration is known (`sound`) when all of it has been taken."""

    voice: str | None
    language: str | None
    sound: Speaking
    text: str | None = None  # None: long, and read while it is spoken
    tags: dict[str, str] = field(default_factory=dict)  # for the file: software, comment, title

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What has been said, as subtitles have it."""
        return tuple(self.sound.segments)


@dataclass(frozen=True)
class Label:
    """A sound by name, and how sure the model is (0 to 1)."""

    label: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Labels(Record):
    """What sounds there are, the likeliest first; `tables` are for pictures: spectrogram and probabilities over time."""

    labels: tuple[Label, ...]
    tables: dict[str, Table] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Events(Labels):
    """And when: segments whose text is the label, in the order of their starts; those of one label do not overlap."""

    segments: tuple[Segment, ...] = ()

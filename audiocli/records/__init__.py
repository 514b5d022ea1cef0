"""What a verb finds out about one input, as plain frozen data; `formats` writes it, and nothing here knows how."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .parts import UNSPACED, Label, Segment, Sound, Speaking, Table, Turn, Word, joined, later, moments, sound_of

if TYPE_CHECKING:
    from ..music.piece import Piece

__all__ = [
    "NOTHING", "NO_SPEECH", "UNSPACED", "Diarization", "Events", "Failure", "Features", "Label", "Labels", "Match",
    "Music", "Person", "Recognised", "Record", "Recording", "Segment", "Sound", "Speaking", "Speech", "Stats", "Table",
    "Transcript", "Turn", "Word", "joined", "later", "moments", "sound_of",
]  # fmt: skip

NO_SPEECH = "no_speech"  # the status of an input in which nobody speaks
# What is said of an input in which nothing was found, by the status of its record. One without any sound has a warning.
NOTHING = {NO_SPEECH: "no speech in it"}


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

    @property
    def nothing(self) -> str | None:
        """What was looked for and not found; None where something was found, or a warning says why not."""
        return NOTHING.get(self.status)


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


@dataclass(frozen=True, kw_only=True)
class Labels(Record):
    """What sounds there are, the likeliest first; `tables` are for pictures: spectrogram and probabilities over time."""

    labels: tuple[Label, ...]
    tables: dict[str, Table] = field(default_factory=dict)

    @property
    def nothing(self) -> str | None:
        """That no label applies."""
        return None if self.labels or not self.duration else "no label for it"


@dataclass(frozen=True, kw_only=True)
class Events(Labels):
    """And when: segments whose text is the label, in the order of their starts; those of one label do not overlap."""

    segments: tuple[Segment, ...] = ()

    @property
    def nothing(self) -> str | None:
        """That there are no events."""
        return None if self.segments or not self.duration else "no events in it"

"""Who says what: the words of a transcript with the speakers of a diarization."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ...inputs.sources import Source, Streamed, reread
from ...models.load import build
from ...models.locate import locate
from ...options import DiarizeOptions, InputOptions, ModelOptions, TranscribeOptions
from ...records import Segment, Transcript, Turn, Word, joined
from ...run import batch
from ..diarize import work as turns
from ..diarize.clustering import bounds
from ..diarize.naming import namer
from . import work as transcripts
from .work import mean_probability


def with_speakers(
    words: transcripts.Work,
    options: TranscribeOptions,
    choice: ModelOptions,
    reading: InputOptions,
    tell: Callable[[str], None],
) -> "Spoken":
    """The runner of `audiocli transcribe --diarize`: the user's diarizer beside the recogniser. Raises ModelError, InputError."""
    own, model = DiarizeOptions(options.speakers, exclusive=True, db=options.db), replace(choice, model=None)
    located = locate(None, "diarize", offline=choice.offline, tell=tell)
    diarizer = build(located, turns.Diarizer, model, own)
    names = namer(options.db, model, tell) if options.db else None
    return Spoken(words, turns.Work(diarizer, reading, bounds(own), {}, names))


@dataclass(frozen=True)
class Heard:
    """One input for both."""

    words: transcripts.Item
    turns: Streamed


@dataclass(frozen=True)
class Spoken(batch.Work[Heard, Transcript]):
    """Inputs in, transcripts with speakers out."""

    words: transcripts.Work
    turns: turns.Work

    @property
    def grouping(self) -> batch.Grouping[Heard] | None:
        """As the recogniser wants its clips put together."""
        own = self.words.grouping
        if own is None:
            return None
        return batch.Grouping(lambda heard: own.cost(heard.words), own.seconds, own.window)

    def read(self, source: Source) -> Heard:
        """An input as both take it. Raises InputError."""
        kept = reread(source)
        return Heard(self.words.read(kept), self.turns.read(kept))

    def __call__(self, batch: list[Heard]) -> list[Transcript]:
        """A record for each input."""
        said = self.words([heard.words for heard in batch])
        spoken = self.turns([heard.turns for heard in batch])
        return [
            replace(record, segments=assigned(record, who.turns), warnings=tuple(dict.fromkeys((*record.warnings, *who.warnings))))
            for record, who in zip(said, spoken, strict=True)
        ]  # fmt: skip


def assigned(record: Transcript, found: Sequence[Turn]) -> tuple[Segment, ...]:
    """The segments of a transcript with speakers, cut where another one goes on."""
    return tuple(part for segment in record.segments for part in _parts(segment, found, record.language))


def _parts(segment: Segment, found: Sequence[Turn], language: str | None) -> Iterator[Segment]:
    words = [replace(word, speaker=speaker_of(word, found)) for word in segment.words]
    runs = [(speaker, tuple(run)) for speaker, run in groupby(words, key=lambda word: word.speaker)]
    if len(runs) < 2:
        speaker = runs[0][0] if runs else speaker_of(segment, found)
        yield replace(segment, words=tuple(words), speaker=speaker)
        return
    for speaker, run in runs:
        text = joined((word.text for word in run), language)
        yield Segment(run[0].start, run[-1].end, text, run, mean_probability(run), speaker)


def speaker_of(part: Word | Segment, found: Sequence[Turn]) -> str | None:
    """Who speaks most of a word or segment; beside all turns, whose turn is nearest; None where nobody has one.

    found: turns in order that do not overlap.
    """
    first = bisect_right(found, part.start, key=lambda turn: turn.end)  # the first that ends after the beginning
    last = bisect_left(found, part.end, key=lambda turn: turn.start)
    near = found[max(first - 1, 0) : last + 1]
    # Overlap counts as a negative distance, so that one order holds for both.
    return min(near, key=lambda turn: max(turn.start, part.start) - min(turn.end, part.end)).speaker if near else None

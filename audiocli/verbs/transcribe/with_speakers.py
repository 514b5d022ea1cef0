"""The words of a transcript with the speakers of a diarization."""

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
) -> "WithSpeakers":
    """The runner of `audiocli transcribe --diarize`: the user's diarizer beside the recogniser. Raises ModelError, InputError."""
    own, model = DiarizeOptions(options.speakers, exclusive=True, db=options.db), replace(choice, model=None)
    located = locate(None, "diarize", offline=choice.offline, tell=tell)
    diarizer = build(located, turns.Diarizer, model, own)
    names = namer(options.db, model, tell) if options.db else None
    return WithSpeakers(words, turns.Work(diarizer, reading, bounds(own), {}, names))


@dataclass(frozen=True)
class SharedInput:
    """One input for both."""

    words: transcripts.Item
    turns: Streamed


@dataclass(frozen=True)
class WithSpeakers(batch.Work[SharedInput, Transcript]):
    """Inputs in, transcripts with speakers out."""

    words: transcripts.Work
    turns: turns.Work

    @property
    def grouping(self) -> batch.Grouping[SharedInput] | None:
        """The recogniser's grouping of clips."""
        own = self.words.grouping
        if own is None:
            return None
        return batch.Grouping(lambda item: own.cost(item.words), own.seconds, own.window)

    def read(self, source: Source) -> SharedInput:
        """An input as both take it. Raises InputError."""
        again = reread(source)
        return SharedInput(self.words.read(again), self.turns.read(again))

    def __call__(self, batch: list[SharedInput]) -> list[Transcript]:
        """A record for each input."""
        records = self.words([item.words for item in batch])
        diarizations = self.turns([item.turns for item in batch])
        return [
            replace(record, segments=assigned(record, who.turns), warnings=tuple(dict.fromkeys((*record.warnings, *who.warnings))))
            for record, who in zip(records, diarizations, strict=True)
        ]  # fmt: skip


def assigned(record: Transcript, speakers: Sequence[Turn]) -> tuple[Segment, ...]:
    """The segments of a transcript with speakers, cut where another speaker goes on."""
    return tuple(part for segment in record.segments for part in _parts(segment, speakers, record.language))


def _parts(segment: Segment, speakers: Sequence[Turn], language: str | None) -> Iterator[Segment]:
    words = [replace(word, speaker=speaker_of(word, speakers)) for word in segment.words]
    runs = [(speaker, tuple(run)) for speaker, run in groupby(words, key=lambda word: word.speaker)]
    if len(runs) < 2:
        speaker = runs[0][0] if runs else speaker_of(segment, speakers)
        yield replace(segment, words=tuple(words), speaker=speaker)
        return
    for speaker, run in runs:
        text = joined((word.text for word in run), language)
        yield Segment(run[0].start, run[-1].end, text, run, mean_probability(run), speaker)


def speaker_of(part: Word | Segment, speakers: Sequence[Turn]) -> str | None:
    """The speaker of most of a word or segment; outside all turns, the one whose turn is nearest; None where nobody has one.

    speakers: turns in order that do not overlap.
    """
    first = bisect_right(speakers, part.start, key=lambda turn: turn.end)  # the first that ends after the beginning
    last = bisect_left(speakers, part.end, key=lambda turn: turn.start)
    near = speakers[max(first - 1, 0) : last + 1]
    # Overlap counts as a negative distance, so that one order holds for both.
    return min(near, key=lambda turn: max(turn.start, part.start) - min(turn.end, part.end)).speaker if near else None

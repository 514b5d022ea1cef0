"""The words of a transcript with the speakers of a diarization."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from ....inputs.sources import Source, Streamed, reread
from ....models.load import build
from ....models.locate import locate
from ....options import DiarizeOptions, InputOptions, ModelOptions, TranscribeOptions
from ....records import Diarization, Transcript, later
from ....run import batch
from ....voices.embeddings import SpeakerEncoder
from ...diarize import work as turns
from ...diarize.clustering import bounds
from ...diarize.naming import namer
from .. import work as transcripts
from .attribution import Doubles, assigned, contested, parts
from .likeness import ENCODER, alike


def with_speakers(
    words: transcripts.Work,
    options: TranscribeOptions,
    choice: ModelOptions,
    reading: InputOptions,
    tell: Callable[[str], None],
) -> "WithSpeakers":
    """The runner of `audiocli transcribe --diarize`: the user's diarizer beside the recogniser. Raises ModelError, InputError."""
    own, model = DiarizeOptions(options.speakers, db=options.db), replace(choice, model=None)
    located = locate(options.diarize_model, "diarize", offline=choice.offline, tell=tell)
    diarizer = build(located, turns.Diarizer, model, own)
    names = namer(options.db, model, tell) if options.db else None

    @cache
    def encoder() -> SpeakerEncoder:
        return build(locate(ENCODER, "verify"), SpeakerEncoder, model)

    return WithSpeakers(words, turns.Work(diarizer, reading, bounds(own), {}, names), encoder)


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
    encoder: Callable[[], SpeakerEncoder]  # of voices, loaded when several speak at once

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
        return [self._one(*each) for each in zip(batch, records, diarizations, strict=True)]

    def _one(self, item: SharedInput, record: Transcript, who: Diarization) -> Transcript:
        several = contested(parts(record.segments), who.turns)
        voices = self._voices(item.turns, record, who, several.tolist()) if len(several) else None
        warnings = tuple(dict.fromkeys((*record.warnings, *who.warnings)))
        return replace(record, segments=assigned(record, who.turns, voices), warnings=warnings)

    def _voices(self, item: Streamed, record: Transcript, who: Diarization, several: Sequence[int]) -> Doubles:
        """How alike some parts are to the speakers' voices [parts, speakers]."""
        start = self.turns.reading.start  # the times are those of the input, and of what is read of it wanted
        some = parts(later(record.segments, -start))
        return alike(self.encoder(), item, replace(who, turns=turns.later(who.turns, -start)), some, several)

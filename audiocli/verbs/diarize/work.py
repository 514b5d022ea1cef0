"""What goes into a diarizer, whichever it is, and what is done to the record that comes out: names, times, the user's options."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from ...inputs.sources import Source, Streamed, reread
from ...options import InputOptions
from ...records import Diarization, Turn
from ...run import batch
from ...voices.clusters import Bounds


@runtime_checkable
class Diarizer(Protocol):
    """A loaded model: inputs in, records whose speakers have any names."""

    def __call__(self, batch: Sequence[Streamed]) -> list[Diarization]: ...


class Namer(Protocol):
    """Finds out who of the user's people the speakers of a record are."""

    def __call__(self, item: Streamed, found: Diarization) -> Diarization: ...


@dataclass(frozen=True)
class Work(batch.Work[Streamed, Diarization]):
    """The runner of `audiocli diarize`: inputs in, complete records out, one after the other."""

    diarizer: Diarizer
    reading: InputOptions
    bounds: Bounds
    recorded: dict[str, Any]  # the options as the record tells them
    namer: Namer | None = None

    def read(self, source: Source) -> Streamed:
        """An input that may be read more than once. Raises InputError."""
        return Streamed(reread(source), self.reading)

    def __call__(self, batch: list[Streamed]) -> list[Diarization]:
        """A record for each input."""
        return [self._complete(item, record) for item, record in zip(batch, self.diarizer(batch), strict=True)]

    def _complete(self, item: Streamed, record: Diarization) -> Diarization:
        found = replace(record, turns=numbered(record.turns))
        missing = self.bounds.least - len(found.seconds)
        if found.turns and missing > 0:
            warning = f"{len(found.seconds)} of {self.bounds.least} speakers found: there is not enough speech of more"
            found = replace(found, warnings=(*found.warnings, warning))
        if self.namer and found.turns:
            found = self.namer(item, found)
        status = found.status if found.duration else "empty"
        return replace(found, options=self.recorded, turns=later(found.turns, self.reading.start), status=status)


def numbered(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """The turns in order, their speakers called by number in the order in which they are first heard, as pyannote calls them."""
    ordered = sorted(turns, key=lambda turn: (turn.start, turn.end))
    names = {speaker: f"SPEAKER_{n:02}" for n, speaker in enumerate(dict.fromkeys(turn.speaker for turn in ordered))}
    return tuple(replace(turn, speaker=names[turn.speaker]) for turn in ordered)


def later(turns: Sequence[Turn], seconds: float) -> tuple[Turn, ...]:
    """Turns so much later, times to the millisecond."""
    return tuple(
        replace(turn, start=round(turn.start + seconds, 3), end=round(turn.end + seconds, 3)) for turn in turns
    )

"""What a recogniser makes of a clip, and the record of it."""

from dataclasses import dataclass, replace
from typing import TypeVar

from ...audio import Audio
from ...audio.level import SILENCE
from ...models.registry import ModelSpec
from ...records import NO_SPEECH, Segment, Transcript, Word

Spoken = TypeVar("Spoken", Segment, Word)


@dataclass(frozen=True)
class Found:
    """What a recogniser made of one clip. Segments and words keep the blank before them, so that joined they are the text."""

    segments: tuple[Segment, ...] = ()
    language: str | None = None
    dropped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


SILENT = Found(dropped=(f"silence: nothing louder than {SILENCE:g} dBFS",))


def record(audio: Audio, spec: ModelSpec, found: Found) -> Transcript:
    """The record of one clip; no segments make it "no_speech"."""
    segments = tuple(map(tidy, found.segments))
    return Transcript(
        path=audio.name, duration=audio.duration, sample_rate=audio.sample_rate, task="transcribe", model=spec.name,
        revision=spec.revision, status="ok" if segments else NO_SPEECH, warnings=found.warnings,
        text="".join(segment.text for segment in found.segments).strip(), language=found.language, segments=segments,
        dropped=found.dropped,
    )  # fmt: skip


def tidy(segment: Segment) -> Segment:
    """A segment as records have it, with its words."""
    return replace(_tidy(segment), words=tuple(map(_tidy, segment.words)))


def _tidy(part: Spoken) -> Spoken:
    """Without blanks around the text, times to the millisecond, probabilities to a thousandth."""
    sure = None if part.probability is None else round(part.probability, 3)
    return replace(part, text=part.text.strip(), start=round(part.start, 3), end=round(part.end, 3), probability=sure)

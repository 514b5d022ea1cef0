"""What goes into a recogniser, whichever it is, and what is done to the record that comes out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ... import audio
from ...inputs.sources import Source, Streamed
from ...options import InputOptions, TranscribeOptions
from ...records import NO_SPEECH, Transcript, Word, joined, later
from ...run import batch
from ...vad import cutter as vad
from ...vad.silero import SAMPLE_RATE
from .loops import REPETITION
from .recogniser import Multilingual, Recogniser

WINDOW = 28.0  # s of speech and pauses in one piece; Whisper's window is 30


@dataclass(frozen=True)
class Partial:
    """Text that may still change, of a piece of speech that began at `start` seconds of the input."""

    start: float
    text: str


@dataclass(frozen=True)
class Clip:
    """An input in memory, one channel at the recogniser's rate."""

    source: Source
    audio: audio.Audio
    source_rate: int  # Hz
    warnings: tuple[str, ...]
    spans: tuple[vad.Span, ...] | None = None  # the speech in it, where that alone is to be heard


Item = Streamed | Clip


@dataclass(frozen=True)
class Work(batch.Work[Item, Transcript]):
    """The runner of `audiocli transcribe`: inputs in, complete records out."""

    recogniser: Recogniser
    reading: InputOptions
    options: dict[str, Any]  # as the record tells them
    model: str | None = None  # its name, for records of what no recogniser has heard
    revision: str | None = None
    vad: bool = False  # only the speech in a clip goes to the recogniser, cut and merged into windows
    threshold: float = TranscribeOptions.vad_threshold

    @property
    def streams(self) -> bool:
        """Whether inputs are read by the recogniser, one after the other."""
        return self.recogniser.traits.streams

    @property
    def grouping(self) -> batch.Grouping[Item] | None:
        """How clips are put together: enough of them to fill the recogniser's batches."""
        if self.streams:
            return None
        batches = getattr(self.recogniser, "batches", None)
        size, held = (batches.size or 0, batches.seconds) if batches else (0, 0.0)
        return batch.Grouping(
            cost=seconds,
            seconds=max(batch.Grouping.seconds, held, size * WINDOW),
            window=max(batch.Grouping.window, size),
        )

    def read(self, source: Source) -> Item:
        """An input as the recogniser takes it. Raises InputError."""
        streamed = Streamed(source, self.reading)
        if self.streams:
            return streamed
        with streamed.open(self.recogniser.sample_rate) as stream:
            blocks = list(stream.blocks)
        clip = audio.Audio(_concatenated(blocks), stream.sample_rate, source.path)
        spans = _speech(clip, self.threshold) if self.vad and clip.sample_rate == SAMPLE_RATE else None
        return Clip(source, clip, stream.source_rate, tuple(stream.warnings), spans)

    def __call__(self, batch: list[Item]) -> list[Transcript]:
        """A record for each input."""
        if self.streams:
            return [self._complete(record) for record in self.recogniser(batch)]
        clips = [item for item in batch if isinstance(item, Clip)]
        records = heard_by_pieces(self.recogniser, clips)
        return [self._complete(_of(clip, record)) for clip, record in zip(clips, records, strict=True)]

    def _complete(self, record: Transcript) -> Transcript:
        """The options into the record, and its times into those of the input."""
        status = record.status if record.duration else "empty"
        segments = later(record.segments, self.reading.start) if self.reading.start else record.segments
        model, revision = record.model or self.model, record.revision or self.revision
        return replace(
            record, options=self.options, segments=segments, status=status, model=model, revision=revision,
            warnings=(*record.warnings, *looped(record.dropped)),
        )  # fmt: skip


def _of(clip: Clip, record: Transcript) -> Transcript:
    """The record of a clip with what the recogniser does not know."""
    warnings = (*clip.warnings, *record.warnings)
    return replace(record, path=clip.source.path, sample_rate=clip.source_rate, warnings=warnings)


def _speech(clip: audio.Audio, threshold: float) -> tuple[vad.Span, ...]:
    return tuple(vad.merged(vad.spans(clip.samples[0], vad.Cut(threshold)), WINDOW))


def heard_by_pieces(recogniser: Recogniser, clips: Sequence[Clip]) -> list[Transcript]:
    """A record for each clip; the pieces of speech of all clips go to the recogniser together, so that batches are full."""
    pieces = [(number, piece) for number, clip in enumerate(clips) for piece in _cut(clip)]
    records = iter(_heard(recogniser, pieces) if pieces else ())
    return [
        next(records) if clip.spans is None else _rejoined(clip.audio, clip.spans, [next(records) for _ in clip.spans])
        for clip in clips
    ]


def _heard(recogniser: Recogniser, pieces: Sequence[tuple[int, audio.Audio]]) -> Sequence[Transcript]:
    """A record for each piece, which come with the numbers of their inputs."""
    heard = [piece for _, piece in pieces]
    if isinstance(recogniser, Multilingual):
        return recogniser.pieces(heard, [number for number, _ in pieces], {})
    return recogniser(heard)


def _cut(clip: Clip) -> Iterator[audio.Audio]:
    """The speech of a clip, or all of it."""
    if clip.spans is None:
        yield clip.audio
        return
    for span in clip.spans:
        first, last = (round(time * clip.audio.sample_rate) for time in (span.start, span.end))
        yield audio.Audio(clip.audio.samples[:, first:last], clip.audio.sample_rate, clip.audio.name)


def _rejoined(clip: audio.Audio, spans: Sequence[vad.Span], records: Sequence[Transcript]) -> Transcript:
    """One record of those of a clip's pieces."""
    segments = tuple(
        segment
        for span, record in zip(spans, records, strict=True)
        for segment in later(record.segments, span.start)
    )  # fmt: skip
    dropped = left_out(clip.duration, sum(span.end - span.start for span in spans))
    for span, record in zip(spans, records, strict=True):
        dropped += tuple(f"at {span.start:.1f} s: {line}" for line in record.dropped)
    longest = max(records, key=lambda record: len(record.text), default=None)
    if longest is None:
        return Transcript(
            path=clip.name, duration=clip.duration, sample_rate=clip.sample_rate, task="transcribe", status=NO_SPEECH,
            text="", language=None, segments=(), dropped=dropped,
        )  # fmt: skip
    return replace(
        longest, path=clip.name, duration=clip.duration, status="ok" if segments else NO_SPEECH, segments=segments,
        text=joined((record.text for record in records), longest.language), dropped=dropped,
        warnings=tuple(dict.fromkeys(line for record in records for line in record.warnings)),
    )  # fmt: skip


def left_out(seconds: float, kept: float) -> tuple[str, ...]:
    """What the record says about the time that no recogniser has heard."""
    left = seconds - kept
    return (f"no speech: {left:.1f} of {seconds:.1f} s",) if left >= 0.1 else ()


def looped(dropped: Sequence[str]) -> tuple[str, ...]:
    """One line about all loops that were taken out, because the model may be wrong about them."""
    loops = [line for line in dropped if REPETITION in line]
    more = f", and {len(loops) - 1} like it" if len(loops) > 1 else ""
    return (f"left out as a loop of the model: {loops[0]}{more} (json has all in dropped)",) if loops else ()


def seconds(item: Item) -> float:
    """What a clip costs in a batch."""
    return item.audio.duration if isinstance(item, Clip) else 0.0


def _concatenated(blocks: list[Any]) -> Any:
    import numpy as np

    return np.concatenate(blocks, axis=1) if blocks else np.zeros((1, 0), np.float32)


def mean_probability(words: Sequence[Word]) -> float | None:
    """Of the words that have one."""
    known = [word.probability for word in words if word.probability is not None]
    return sum(known) / len(known) if known else None

"""What goes into a recogniser, whichever it is, and what is done to the record that comes out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ... import audio
from ...inputs.sources import Source, Streamed
from ...options import InputOptions, TranscribeOptions
from ...records import NO_SPEECH, Transcript, Word, joined, later
from ...run import batch
from ...spool import Shelf
from ...vad import cutter as vad
from ...vad.silero import SAMPLE_RATE
from ...vad.windows import windows
from .loops import REPETITION
from .recogniser import Batched, Multilingual, Recogniser

HELD = 4 << 20  # bytes of an input that are held in memory: a minute; 64 inputs are read ahead
WINDOW = 28.0  # s of speech and pauses in one piece; Whisper's window is 30


@dataclass(frozen=True)
class Clip:
    """An input of one channel at the recogniser's rate: its windows of speech, or all of it in one."""

    source: Source
    duration: float  # s, of all of it
    sample_rate: int  # Hz
    source_rate: int  # Hz
    warnings: tuple[str, ...]
    sounds: Shelf  # the samples of each window
    spans: tuple[vad.Span, ...] | None = None  # where each is; None: there is one with everything

    @property
    def seconds(self) -> float:
        """What the recogniser is to hear."""
        return sum(self.sounds.sizes) / self.sample_rate

    def piece(self, number: int) -> audio.Audio:
        """A window as the recogniser takes it."""
        return audio.Audio(self.sounds[number][None], self.sample_rate, self.source.path)


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
        batches = self.recogniser.batches if isinstance(self.recogniser, Batched) else None
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
        rate = self.recogniser.sample_rate
        with streamed.open(rate) as stream:
            cut = vad.Cut(self.threshold) if self.vad and rate == SAMPLE_RATE else None
            seconds, sounds, spans = _heard_of(stream, cut)
        return Clip(source, seconds, stream.sample_rate, stream.source_rate, tuple(stream.warnings), sounds, spans)

    def __call__(self, batch: list[Item]) -> list[Transcript]:
        """A record for each input."""
        if self.streams:
            return [self._complete(record) for record in self.recogniser(batch)]
        clips = [item for item in batch if isinstance(item, Clip)]
        grouping = self.grouping
        records = heard_by_pieces(self.recogniser, clips, grouping.seconds if grouping else 0.0)
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


def _heard_of(stream: audio.Stream, cut: vad.Cut | None) -> tuple[float, Shelf, tuple[vad.Span, ...] | None]:
    """The seconds of a stream, what of it is to be heard, and where that is; cut: of the speech in it, None: everything."""
    sizes = [0]

    def counted() -> Iterator[Any]:
        for block in stream.blocks:
            sizes[0] += block.shape[1]
            yield block[0]

    sounds = Shelf(HELD)
    if cut is None:
        parts = list(counted())
        sounds.append(np.concatenate([np.zeros(0, np.float32), *parts]))
        return sizes[0] / stream.sample_rate, sounds, None
    spans = []
    for span, samples in windows(counted(), WINDOW, cut):
        spans.append(span)
        sounds.append(samples)
    return sizes[0] / stream.sample_rate, sounds, tuple(spans)


def heard_by_pieces(recogniser: Recogniser, clips: Sequence[Clip], seconds: float) -> list[Transcript]:
    """A record for each clip; the windows of all of them go to the recogniser together, `seconds` at once: full batches."""
    heard: list[Transcript] = []
    known: dict[int, str] = {}
    for group in _groups(clips, seconds):
        pieces = [clips[clip].piece(number) for clip, number in group]
        if isinstance(recogniser, Multilingual):
            heard += recogniser.pieces(pieces, [clip for clip, _ in group], known)
        else:
            heard += recogniser(pieces)
    records = iter(heard)
    return [
        next(records) if clip.spans is None else _rejoined(clip, clip.spans, [next(records) for _ in clip.spans])
        for clip in clips
    ]


def _groups(clips: Sequence[Clip], seconds: float) -> Iterator[list[tuple[int, int]]]:
    """The windows of the clips, as (clip, window), in groups of at most so many seconds, or of one."""
    group: list[tuple[int, int]] = []
    total = 0.0
    for at, clip in enumerate(clips):
        for number, size in enumerate(clip.sounds.sizes):
            if group and total + size / clip.sample_rate > seconds:
                yield group
                group, total = [], 0.0
            group.append((at, number))
            total += size / clip.sample_rate
    if group:
        yield group


def _rejoined(clip: Clip, spans: Sequence[vad.Span], records: Sequence[Transcript]) -> Transcript:
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
            path=clip.source.path, duration=clip.duration, sample_rate=clip.sample_rate, task="transcribe", status=NO_SPEECH,
            text="", language=None, segments=(), dropped=dropped,
        )  # fmt: skip
    return replace(
        longest, path=clip.source.path, duration=clip.duration, status="ok" if segments else NO_SPEECH, segments=segments,
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
    return item.seconds if isinstance(item, Clip) else 0.0


def mean_probability(words: Sequence[Word]) -> float | None:
    """Of the words that have one."""
    known = [word.probability for word in words if word.probability is not None]
    return sum(known) / len(known) if known else None

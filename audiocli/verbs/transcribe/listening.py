"""--stream: samples from standard input as they come, text as it settles, in constant memory for as long as it goes on."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import numpy as np

from ...audio import Audio, RawFormat, blocks, mixdown, parse_raw
from ...audio.libsndfile import ENCODINGS
from ...console import Console
from ...errors import UsageError
from ...inputs import live
from ...inputs.stop import Stop
from ...options import InputOptions, TranscribeOptions
from ...outputs.formats.subtitles import columns
from ...outputs.formats.transcripts import segment_object
from ...records import NOTHING, Segment, later
from ...vad.cutter import Cutter, cutter_of
from ...vad.silero import SAMPLE_RATE
from .recogniser import Floats, Listening, Partial, Recogniser, Session
from .work import looped

# Text so far of models that hear a whole piece again: after so much new speech, or as long as hearing it took, twice over.
STEP = 0.8  # s
PATIENCE = 2.0


def check_stdin() -> None:
    """Raises UsageError when nobody is going to send anything."""
    live.check_stdin("arecord -f S16_LE -r 16000 | audiocli transcribe --stream -")


def listen(
    recogniser: Recogniser, name: str, options: TranscribeOptions, reading: InputOptions, form: str, console: Console
) -> int:  # fmt: skip
    """Transcribe standard input to its end or to Ctrl-C; the exit code. name: the model's; form: txt or jsonl."""
    given, warnings = parse_raw(reading.raw) if reading.raw else None, list[str]()
    session: Session = recogniser.listen() if isinstance(recogniser, Listening) else Again(recogniser, options)
    printer, stop = _Printer(form), Stop(Console(quiet=True))  # Ctrl-C needs no message here
    with stop.listening():
        incoming = samples(stop.until_asked(live.chunks()), given, session.sample_rate, reading.channel, warnings)
        for block in incoming:
            for event in session.push(block):
                printer.event(event)
        for event in session.finish():
            printer.event(event)
        printer.end(name, session.cutter)
    warnings += looped(session.dropped)
    if not printer.spoken:
        warnings.append(NOTHING["no_speech"] if session.cutter.seconds else "holds no sound")
    live.report(warnings, stop, console)
    return 130 if stop.interrupted else 0


def samples(
    chunks: Iterator[bytes], given: RawFormat | None, sample_rate: int, channel: str, warnings: list[str]
) -> Iterator[Floats]:
    """Blocks [n] of one channel at sample_rate Hz; the bytes themselves show their format unless one is given.

    channel: as of --channel. `warnings` is complete after the last block.
    """
    start = live.opened(chunks, given, warnings)
    raw = start.raw
    flow = blocks.finite(start.frames, warnings)
    flow = blocks.plausible(flow, ENCODINGS[raw.encoding][0], warnings)
    flow = mixdown.mono(flow, channel, raw.sample_rate, raw.channels, warnings)
    flow = blocks.resampled(flow, raw.sample_rate, sample_rate, 1)
    return (block[:, 0] for block in flow if len(block))


class Again:
    """A session for models that hear clips: the piece so far is heard again and again.

    The words that two hearings in a row agree on are the text so far (local agreement: Liu, Spanakis and Niehues, 2020).
    """

    def __init__(self, recogniser: Recogniser, options: TranscribeOptions) -> None:
        if recogniser.sample_rate != SAMPLE_RATE:
            raise UsageError(f"--stream needs a model for {SAMPLE_RATE} Hz")
        self.sample_rate = SAMPLE_RATE
        self.cutter = cutter_of(options)
        self._recogniser = recogniser
        self._start, self._parts = 0, list[Floats]()
        self._fresh, self._step = 0.0, STEP  # s of speech since the last hearing; until the next one
        self._before: list[str] = []
        self._agreed = ""
        self.dropped: list[str] = []  # the parts that were left out of settled pieces

    def push(self, samples: Floats) -> Iterator[Partial | Segment]:
        """Take the next samples [n]."""
        yield from self._take(self.cutter.push(samples))

    def finish(self) -> Iterator[Partial | Segment]:
        """No more samples will come."""
        yield from self._take(self.cutter.finish())

    def _take(self, chunks: Iterator[Any]) -> Iterator[Partial | Segment]:
        for chunk in chunks:
            if chunk.begins:
                self._start, self._parts, self._fresh, self._before, self._agreed = chunk.start, [], 0.0, [], ""
            self._parts.append(chunk.samples)
            self._fresh += chunk.samples.size / SAMPLE_RATE
            if chunk.ends:
                yield from self._heard(settled=True)
            elif self._fresh >= self._step:
                yield from self._so_far()

    def _heard(self, *, settled: bool = False) -> tuple[Segment, ...]:
        """The recogniser's text for the piece; settled: the piece is complete."""
        audio = Audio(np.concatenate(self._parts)[None], SAMPLE_RATE, "-")
        record = self._recogniser([audio])[0]
        self.dropped += record.dropped if settled else ()
        return later(record.segments, self._start / SAMPLE_RATE)

    def _so_far(self) -> Iterator[Partial]:
        began = time.monotonic()
        words = " ".join(segment.text.strip() for segment in self._heard()).split()
        self._fresh, self._step = 0.0, max(STEP, PATIENCE * (time.monotonic() - began))
        both = takewhile(lambda pair: pair[0] == pair[1], zip(self._before, words, strict=False))
        agreed = " ".join(word for word, _ in both)
        self._before = words
        if agreed and agreed != self._agreed:
            self._agreed = agreed
            yield Partial(self._start / SAMPLE_RATE, agreed)


class _Printer:
    """A printer of the text so far, to standard output at once."""

    def __init__(self, form: str) -> None:
        self._jsonl = form == "jsonl"
        self._terminal = not self._jsonl and os.isatty(1)
        self.spoken = False

    def event(self, event: Partial | Segment) -> None:
        """Text that may change, or a segment that will not."""
        self.spoken |= isinstance(event, Segment)
        if self._jsonl:
            self._json(event)
        elif isinstance(event, Segment):
            self._write(("\r\x1b[K" if self._terminal else "") + " ".join(event.text.split()) + "\n")
        elif self._terminal:
            self._write("\r\x1b[K" + _tail(event.text, shutil.get_terminal_size().columns - 1))

    def _json(self, event: Partial | Segment) -> None:
        if isinstance(event, Segment):
            self._line({"event": "final", **segment_object(event)})
        else:
            self._line({"event": "partial", "start": round(event.start, 3), "text": event.text})

    def end(self, model: str, work: Cutter) -> None:
        """Finish: nothing more will come."""
        if self._terminal:
            self._write("\r\x1b[K")
        if self._jsonl:
            status = "ok" if self.spoken else "no_speech" if work.seconds else "empty"
            self._line(
                {"event": "end", "path": "-", "duration": round(work.seconds, 6), "model": model, "status": status}
            )

    def _line(self, value: dict[str, Any]) -> None:
        self._write(json.dumps(value, ensure_ascii=False) + "\n")

    def _write(self, text: str) -> None:
        live.write_out(text.encode("utf-8", "backslashreplace"))


def _tail(text: str, width: int) -> str:
    """The end of a text, as much as one line holds."""
    while columns(text) > width:
        text = text[max(1, len(text) - width) :]
    return text

"""--stream: samples from standard input as they come, text as it settles, in constant memory for as long as it goes on."""

import io
import json
import os
import shutil
import struct
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, takewhile
from typing import Any, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from .audio import Audio, RawFormat, blocks, parse_raw
from .audio.libsndfile import ENCODINGS
from .console import Console
from .errors import InputError, UsageError
from .formats.timed import columns, segment_object
from .models.transcripts import Partial, Recogniser, later
from .models.vad import SAMPLE_RATE, Cutter, cutter
from .options import TranscribeOptions
from .records import Segment
from .stop import Stop

Floats = NDArray[np.float32]

RAW = "s16le:16000:1"
READ = 1 << 16  # bytes at once, at most
# What may wait in the pipe while a piece of speech is decoded: 33 s of 16-bit samples at 16 kHz.
PIPE = 1 << 20  # bytes
# Text so far of models that hear a whole piece again: after so much new speech, or as long as hearing it took, twice over.
STEP = 0.8  # s
PATIENCE = 2.0
HEADER = 1 << 16  # bytes in which a WAV file's samples must begin
UNKNOWN = 0x7FFF_F000  # bytes; who writes a WAV file into a pipe cannot know, and says such numbers
_ENCODINGS = {
    (1, 8): "u8", (1, 16): "s16le", (1, 24): "s24le", (1, 32): "s32le", (3, 32): "f32le", (3, 64): "f64le",
    (6, 8): "alaw", (7, 8): "ulaw",
}  # fmt: skip
_EXTENSIBLE = 0xFFFE


class Session(Protocol):
    """A recogniser at work on samples that go on: what it takes for now, and what it has settled on."""

    sample_rate: int
    cutter: Cutter

    def push(self, samples: Floats) -> Iterator[Partial | Segment]: ...

    def finish(self) -> Iterator[Partial | Segment]: ...


def listen(
    recogniser: Recogniser, name: str, options: TranscribeOptions, raw: str | None, form: str
) -> int:  # fmt: skip
    """Transcribe standard input to its end or to Ctrl-C; the exit code. name: the model's; form: txt or jsonl."""
    given = parse_raw(raw) if raw else None
    session = getattr(recogniser, "listen", lambda: Again(recogniser, options))()
    told, stop = _Told(form), Stop(Console(quiet=True))  # nothing is worth a word on Ctrl-C here
    with stop.listening():
        for block in samples(stop.until_asked(_chunks()), given, session.sample_rate):
            for event in session.push(block):
                told.event(event)
        for event in session.finish():
            told.event(event)
        told.end(name, session.cutter)
    return 130 if stop.interrupted else 0


def check_stdin() -> None:
    """Raises UsageError and InputError where nothing can come in; gives the pipe room."""
    if sys.stdin is None or sys.stdin.closed:
        raise InputError("standard input is closed")
    if os.isatty(0):
        raise UsageError(
            "standard input is a terminal: pipe audio into it, as in: arecord -f S16_LE -r 16000 | audiocli transcribe --stream -"
        )
    os.set_blocking(0, True)  # else a pause of the writer would look like the end
    with suppress(ImportError, AttributeError, OSError):  # Linux only, and not for files
        import fcntl

        fcntl.fcntl(0, fcntl.F_SETPIPE_SZ, PIPE)


def _chunks() -> Iterator[bytes]:
    while data := os.read(0, READ):
        yield data


def samples(chunks: Iterator[bytes], given: RawFormat | None, sample_rate: int) -> Iterator[Floats]:
    """Blocks [n] of one channel at sample_rate Hz; a WAV header tells the format unless one is given."""
    head, size = b"", None
    if given is None:
        given, head, size = _format(chunks)
    flow = blocks.finite(_decoded(_first(size, chain([head], chunks)), given), [])
    flow = blocks.resampled(blocks.mono(flow), given.sample_rate, sample_rate, 1)
    return (block[:, 0] for block in flow if len(block))


def _first(size: int | None, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """As many bytes of the chunks, None for all; an empty chunk is none."""
    for chunk in chunks:
        yield from filter(None, [chunk if size is None else chunk[:size]])
        size = None if size is None else size - len(chunk)
        if size is not None and size <= 0:
            return


def _decoded(chunks: Iterable[bytes], raw: RawFormat) -> Iterator[Floats]:
    """Frames [n, channels] of headerless PCM; what is no whole frame waits for the next chunk."""
    subtype, endian = ENCODINGS[raw.encoding]
    rest = b""
    for chunk in chunks:
        rest += chunk
        whole = len(rest) // raw.frame_bytes * raw.frame_bytes
        if whole:
            yield soundfile.read(
                io.BytesIO(rest[:whole]), format="RAW", subtype=subtype, endian=endian, samplerate=raw.sample_rate,
                channels=raw.channels, dtype="float32", always_2d=True,
            )[0]  # fmt: skip
        rest = rest[whole:]


# A format, what there is of the samples, and how many bytes they will be (None: until the end).
_Opened = tuple[RawFormat, bytes, int | None]


def _format(chunks: Iterator[bytes]) -> _Opened:
    """What the first bytes speak of: a WAV file, else samples as RAW."""
    head = b""
    while len(head) < 12 and (chunk := next(chunks, b"")):
        head += chunk
    if not (head[:4] == b"RIFF" and head[8:12] == b"WAVE"):
        return parse_raw(RAW), head, None
    while not (found := _wav(head)) and len(head) < HEADER and (chunk := next(chunks, b"")):
        head += chunk
    if found:
        return found
    raise InputError("standard input begins as a WAV file, and has no samples")


def _wav(head: bytes) -> _Opened | None:
    """What the header of a WAV file says; None when it goes on. Raises InputError."""
    place, raw = 12, None
    while place + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, place)
        if name == b"data" and raw:
            return raw, head[place + 8 :], size if 0 < size < UNKNOWN else None
        if name == b"fmt " and place + 8 + size <= len(head):
            raw = _fmt(head[place + 8 : place + 8 + size])
        place += 8 + size + size % 2
    return None


def _fmt(chunk: bytes) -> RawFormat:
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    if (tag, bits) not in _ENCODINGS:
        raise InputError(f"standard input is a WAV file of a kind that cannot be streamed (format {tag}, {bits} bits)")
    return parse_raw(f"{_ENCODINGS[tag, bits]}:{rate}:{channels}")


class Again:
    """A session for models that hear clips: the piece so far is heard again and again.

    The words that two hearings in a row agree on are the text so far (local agreement: Liu, Spanakis and Niehues, 2020).
    """

    def __init__(self, recogniser: Recogniser, options: TranscribeOptions) -> None:
        if recogniser.sample_rate != SAMPLE_RATE:
            raise UsageError(f"--stream needs a model for {SAMPLE_RATE} Hz")
        self.sample_rate = SAMPLE_RATE
        self.cutter = cutter(options.vad)
        self._recogniser = recogniser
        self._start, self._parts = 0, list[Floats]()
        self._fresh, self._step = 0.0, STEP  # s of speech since the last hearing; until the next one
        self._before: list[str] = []
        self._agreed = ""

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
                yield from self._heard()
            elif self._fresh >= self._step:
                yield from self._so_far()

    def _heard(self) -> tuple[Segment, ...]:
        """What the recogniser makes of the piece."""
        audio = Audio(np.concatenate(self._parts)[None], SAMPLE_RATE, "-")
        return later(self._recogniser([audio])[0].segments, self._start / SAMPLE_RATE)

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


class _Told:
    """What is known so far, to standard output at once."""

    def __init__(self, form: str) -> None:
        self._jsonl = form == "jsonl"
        self._terminal = not self._jsonl and os.isatty(1)
        self._spoken = False

    def event(self, event: Partial | Segment) -> None:
        """Text that may change, or a segment that will not."""
        self._spoken |= isinstance(event, Segment)
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
        """Nothing more will come."""
        if self._terminal:
            self._write("\r\x1b[K")
        if self._jsonl:
            status = "ok" if self._spoken else "no_speech" if work.seconds else "empty"
            self._line(
                {"event": "end", "path": "-", "duration": round(work.seconds, 6), "model": model, "status": status}
            )

    def _line(self, value: dict[str, Any]) -> None:
        self._write(json.dumps(value, ensure_ascii=False) + "\n")

    def _write(self, text: str) -> None:
        """All of it, now: a short write of a full pipe is gone on with."""
        data = text.encode("utf-8", "backslashreplace")
        while data:
            data = data[os.write(1, data) :]


def _tail(text: str, width: int) -> str:
    """The end of a text, as much as one line holds."""
    while columns(text) > width:
        text = text[max(1, len(text) - width) :]
    return text

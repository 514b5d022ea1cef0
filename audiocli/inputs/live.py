"""Sound from standard input as it comes: the format of the bytes, and their samples; for verbs that answer before the end."""

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple, cast

import numpy as np
import soundfile
from numpy.typing import NDArray

from ..audio import RawFormat, parse_raw
from ..audio.decoders import discrepancy, odd_bytes, shortcomings
from ..audio.encoders import rounded
from ..audio.ffmpeg import FFmpegDecoder
from ..audio.headers import Header, header, wav_header
from ..audio.kinds import FRAMES, kind_of
from ..audio.libsndfile import ENCODINGS
from ..audio.spans import Passage, passages
from ..console import Console
from ..errors import InputError, UsageError
from .stop import Stop

Floats = NDArray[np.float32]

RAW = "s16le:16000:1"
READ = 1 << 16  # bytes at once, at most
# What may wait in the pipe while a verb is at work: 33 s of 16-bit samples at 16 kHz.
PIPE = 1 << 20  # bytes
HEADER = 1 << 24  # bytes in which the samples behind a header must begin


class Opened(NamedTuple):
    """The sound on standard input: the format to answer in, the header before its samples, frames [n, channels] as they come."""

    raw: RawFormat
    header: bytes
    frames: Iterator[Floats]


class Incoming(io.RawIOBase):
    """Chunks front to back: a Reader of `audio.headers`, and a file that FFmpeg can read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._ahead = filter(None, chunks), b""
        self.position = 0
        self._passed: bytearray | None = bytearray()  # by skip(), while there may be a way back

    def peek(self, n: int) -> bytes:
        """The next n bytes, fewer only at the end."""
        while len(self._ahead) < n and (chunk := next(self._chunks, b"")):
            self._ahead += chunk
        return self._ahead[:n]

    def skip(self, n: int) -> None:
        """Go on. Raises InputError where that is too far to come back."""
        for chunk in self.take(n):
            if self._passed is not None:
                self._passed += chunk
                if len(self._passed) > HEADER:
                    raise InputError(f"its samples begin after more than {HEADER >> 20} MiB")

    def settle(self) -> bytes:
        """The bytes that skip() has passed; from now on rewinding is impossible."""
        passed, self._passed = bytes(self._passed or b""), None
        return passed

    def rewind(self) -> None:
        """Go back to the start, from where skip() has led."""
        self._ahead = self.settle() + self._ahead
        self.position = 0

    def take(self, n: int) -> Iterator[bytes]:
        """The next n bytes, or all, as they come."""
        while n > 0 and (chunk := self.read(n)):
            n -= len(chunk)
            yield chunk

    def read(self, n: int = -1) -> bytes:
        """As many of the next n bytes as have come, once some have; none at the end."""
        data = self._ahead or next(self._chunks, b"")
        n = len(data) if n < 0 else n
        self._ahead = data[n:]
        self.position += len(data[:n])
        return data[:n]


def check_stdin(example: str) -> None:
    """Raises UsageError (with an example) and InputError where nothing can come in; gives the pipe room."""
    if sys.stdin is None or sys.stdin.closed:
        raise InputError("standard input is closed")
    if os.isatty(0):
        raise UsageError(f"standard input is a terminal: pipe audio into it, as in: {example}")
    os.set_blocking(0, True)  # else a pause of the writer would look like the end
    with suppress(ImportError, AttributeError, OSError):  # Linux only, and not for files
        import fcntl

        fcntl.fcntl(0, fcntl.F_SETPIPE_SZ, PIPE)


def chunks() -> Iterator[bytes]:
    """Bytes as they come."""
    while data := os.read(0, READ):
        yield data


def write_out(data: bytes) -> None:
    """Write all of it to standard output, now; after a short write to a full pipe, go on with the rest."""
    while data:
        data = data[os.write(1, data) :]


def report(warnings: list[str], stop: Stop, console: Console) -> None:
    """A line for each thing that was wrong with standard input; where Ctrl-C has cut it, nothing was."""
    for warning in [] if stop.interrupted else warnings:
        console.note(f"standard input: {warning}")


def opened(chunks: Iterable[bytes], given: RawFormat | None, warnings: list[str]) -> Opened:
    """The format that is given, else the one that the first bytes show, else samples as RAW; `warnings` is complete at the end.

    Plain samples are answered in the format that came in, behind the header that came in; what is compressed, as WAV.
    Raises InputError.
    """
    incoming = Incoming(chunks)
    if given is not None:
        return Opened(given, b"", _raw(incoming, given, warnings))
    try:
        if not incoming.peek(1):
            raise InputError("empty file")
        return _plain(incoming, warnings) or _compressed(incoming, warnings)
    except InputError as error:
        raise InputError(f"standard input: {error}") from error


def _plain(incoming: Incoming, warnings: list[str]) -> Opened | None:
    """Plain samples behind a header, or without one; None if it is another kind of file."""
    head = header(incoming)
    if head and head.raw:
        return Opened(head.raw, incoming.settle(), _behind(incoming, head, head.raw, warnings))
    incoming.rewind()
    if head or kind_of(incoming.peek(FRAMES if incoming.peek(1) == b"\xff" else 12)):
        return None
    raw = parse_raw(RAW)
    return Opened(raw, b"", _raw(incoming, raw, warnings))


def _compressed(incoming: Incoming, warnings: list[str]) -> Opened:
    """Sound that FFmpeg decodes from a file in which it cannot seek."""
    kind = kind_of(incoming.peek(FRAMES))
    try:
        part = FFmpegDecoder(cast(BinaryIO, incoming))
    except InputError as error:
        raise InputError(f"damaged {kind} file, or one that cannot be read as it comes: leave --stream out") from error
    raw = RawFormat("s24le" if part.is_deep else "s16le", part.sample_rate, part.channels)

    def frames() -> Iterator[Floats]:
        yield from part.blocks()
        warnings.extend(shortcomings(part, part.promised()) + part.notes)

    return Opened(raw, wav_header(raw), frames())


def _behind(incoming: Incoming, head: Header, raw: RawFormat, warnings: list[str]) -> Iterator[Floats]:
    """The samples behind a header, with a warning where their number is wrong."""
    n = 0
    for block in _frames(incoming, raw, passages(incoming, head, warnings)):
        n += len(block)
        yield block
    if head.promised is not None:
        warnings += discrepancy(n / raw.sample_rate, head.promised / raw.frame_bytes / raw.sample_rate)


def _raw(incoming: Incoming, raw: RawFormat, warnings: list[str]) -> Iterator[Floats]:
    """Samples to the end."""
    yield from _frames(incoming, raw, [Passage(0, sys.maxsize, False)])
    if odd := incoming.position % raw.frame_bytes:
        warnings.append(odd_bytes(odd))


def _frames(incoming: Incoming, raw: RawFormat, parts: Iterable[Passage]) -> Iterator[Floats]:
    """Frames [n, channels] of passages; a frame that is incomplete waits for the next chunk."""
    rest = b""
    for passage in parts:
        rest = rest if passage.goes_on else b""
        for chunk in incoming.take(passage.size):
            rest += chunk
            whole = len(rest) // raw.frame_bytes * raw.frame_bytes
            if whole:
                yield decoded(rest[:whole], raw)
            rest = rest[whole:]


def decoded(data: bytes, raw: RawFormat) -> Floats:
    """Headerless PCM as frames [n, channels]."""
    subtype, endian = ENCODINGS[raw.encoding]
    frames: Floats = soundfile.read(
        io.BytesIO(data), format="RAW", subtype=subtype, endian=endian, samplerate=raw.sample_rate, channels=raw.channels,
        dtype="float32", always_2d=True,
    )[0]  # fmt: skip
    return frames


def encoded(frames: Floats, raw: RawFormat) -> bytes:
    """Frames [n, channels] as headerless PCM; what is beyond full scale is clipped."""
    subtype, endian = ENCODINGS[raw.encoding]
    stream = io.BytesIO()
    values = rounded(frames) if subtype == "PCM_16" else frames
    soundfile.write(stream, values, raw.sample_rate, subtype, endian, "RAW")
    return stream.getvalue()

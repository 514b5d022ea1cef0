"""Sound from standard input as it comes: what the bytes are, and their samples; for verbs that answer before the end."""

import io
import os
import struct
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from .audio import RawFormat, parse_raw
from .audio.encoders import rounded
from .audio.libsndfile import ENCODINGS
from .errors import InputError, UsageError

Floats = NDArray[np.float32]

RAW = "s16le:16000:1"
READ = 1 << 16  # bytes at once, at most
# What may wait in the pipe while a verb is at work: 33 s of 16-bit samples at 16 kHz.
PIPE = 1 << 20  # bytes
HEADER = 1 << 16  # bytes in which a WAV file's samples must begin
UNKNOWN = 0x7FFF_F000  # bytes; who writes a WAV file into a pipe cannot know, and says such numbers
_WAV_ENCODINGS = {
    (1, 8): "u8", (1, 16): "s16le", (1, 24): "s24le", (1, 32): "s32le", (3, 32): "f32le", (3, 64): "f64le",
    (6, 8): "alaw", (7, 8): "ulaw",
}  # fmt: skip
_EXTENSIBLE = 0xFFFE


class Opened(NamedTuple):
    """What standard input holds: its format, the header as it was, what has been read of the samples, their bytes (None: all)."""

    raw: RawFormat
    header: bytes
    rest: bytes
    size: int | None


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
    """What comes, as it comes."""
    while data := os.read(0, READ):
        yield data


def write_out(data: bytes) -> None:
    """All of it to standard output, now: a short write of a full pipe is gone on with."""
    while data:
        data = data[os.write(1, data) :]


def opened(found: Iterator[bytes], given: RawFormat | None) -> Opened:
    """The format that is given, else what the first bytes speak of: a WAV file, else samples as RAW. Raises InputError."""
    if given is not None:
        return Opened(given, b"", b"", None)
    head = b""
    while len(head) < 12 and (chunk := next(found, b"")):
        head += chunk
    if not (head[:4] == b"RIFF" and head[8:12] == b"WAVE"):
        return Opened(parse_raw(RAW), b"", head, None)
    while not (wav := _wav(head)) and len(head) < HEADER and (chunk := next(found, b"")):
        head += chunk
    if wav:
        return wav
    raise InputError("standard input begins as a WAV file, and has no samples")


def decoded(start: Opened, found: Iterable[bytes]) -> Iterator[Floats]:
    """Frames [n, channels] of what `opened` has found; what is no whole frame waits for the next chunk."""
    raw, rest = start.raw, b""
    subtype, endian = ENCODINGS[raw.encoding]
    for chunk in _first(start.size, chain([start.rest], found)):
        rest += chunk
        whole = len(rest) // raw.frame_bytes * raw.frame_bytes
        if whole:
            yield soundfile.read(
                io.BytesIO(rest[:whole]), format="RAW", subtype=subtype, endian=endian, samplerate=raw.sample_rate,
                channels=raw.channels, dtype="float32", always_2d=True,
            )[0]  # fmt: skip
        rest = rest[whole:]


def encoded(frames: Floats, raw: RawFormat) -> bytes:
    """Frames [n, channels] as headerless PCM; what is beyond full scale is clipped."""
    subtype, endian = ENCODINGS[raw.encoding]
    stream = io.BytesIO()
    values = rounded(frames) if subtype == "PCM_16" else frames
    soundfile.write(stream, values, raw.sample_rate, subtype, endian, "RAW")
    return stream.getvalue()


def _first(size: int | None, found: Iterable[bytes]) -> Iterator[bytes]:
    """As many bytes of the chunks, None for all; an empty chunk is none."""
    for chunk in found:
        yield from filter(None, [chunk if size is None else chunk[:size]])
        size = None if size is None else size - len(chunk)
        if size is not None and size <= 0:
            return


def _wav(head: bytes) -> Opened | None:
    """What the header of a WAV file says; None when it goes on. Raises InputError."""
    place, raw = 12, None
    while place + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, place)
        if name == b"data" and raw:
            return Opened(raw, head[: place + 8], head[place + 8 :], size if 0 < size < UNKNOWN else None)
        if name == b"fmt " and place + 8 + size <= len(head):
            raw = _fmt(head[place + 8 : place + 8 + size])
        place += 8 + size + size % 2
    return None


def _fmt(chunk: bytes) -> RawFormat:
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    if (tag, bits) not in _WAV_ENCODINGS:
        raise InputError(f"standard input is a WAV file of a kind that cannot be streamed (format {tag}, {bits} bits)")
    return parse_raw(f"{_WAV_ENCODINGS[tag, bits]}:{rate}:{channels}")

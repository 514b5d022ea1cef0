"""Speech that is being made: into audio files, into a pipe sentence by sentence, and its times beside it as srt and json."""

import struct
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ...audio import open_writer
from ...records import Speech
from . import subtitles, transcripts
from .objects import Place, encoded, head

# The size in a WAV header while the length is still unknown: ffmpeg, sox and aplay take that for "to the end".
UNKNOWN = 0x7FFF_F000  # bytes


def writer(name: str) -> Callable[[Sequence[Speech], BinaryIO, Place], None]:
    """The writer of one audio format to a file; wav goes into a pipe as it comes, of the others a pipe gets the whole."""

    def write(records: Sequence[Speech], stream: BinaryIO, place: Place) -> None:
        (record,) = records
        if name == "wav" and not stream.seekable():
            _streamed(record, stream, _header(record))
            return
        with open_writer(stream, record.sound.sample_rate, 1, format=name, tags=record.tags) as out:
            for block in record.sound.blocks():
                out.write(block[None])

    return write


def raw(records: Sequence[Speech], stream: BinaryIO, place: Place) -> None:
    """Samples alone, 16 bits, little-endian, one channel."""
    for record in records:
        _streamed(record, stream, b"")


def _streamed(record: Speech, stream: BinaryIO, header: bytes) -> None:
    """Write each sentence at once: somebody is listening."""
    stream.write(header)
    for block in record.sound.blocks():
        stream.write(_sixteen(block))
        stream.flush()


def _sixteen(samples: NDArray[np.float32]) -> bytes:
    """16-bit integers, little-endian."""
    steps = np.rint(np.clip(samples * np.float32(2**15), -(2**15), 2**15 - 1))
    return bytes(steps.astype("<i2").data)


def _header(record: Speech) -> bytes:
    """All of a WAV file that stands before its samples, tags included."""
    rate = record.sound.sample_rate
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    names = {"title": b"INAM", "software": b"ISFT", "comment": b"ICMT"}
    info = b"INFO" + b"".join(_chunk(names[tag], text.encode() + b"\0") for tag, text in record.tags.items())
    return (
        b"RIFF"
        + struct.pack("<I", UNKNOWN)
        + b"WAVE"
        + form
        + _chunk(b"LIST", info)
        + b"data"
        + struct.pack("<I", UNKNOWN)
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    """A RIFF chunk, padded to an even length."""
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def srt(records: Sequence[Speech], stream: BinaryIO, place: Place) -> None:
    """Subtitles of what is spoken."""
    _spoken(records)
    subtitles.srt(records, stream, place)  # type: ignore[arg-type]  # it has what subtitles are made of


def json_object(records: Sequence[Speech], stream: BinaryIO, place: Place) -> None:
    """One object: the head, then voice, language, text and segments with their words."""
    _spoken(records)
    for record in records:
        about: dict[str, Any] = {
            "duration": round(record.sound.duration, 6), "sample_rate": record.sound.sample_rate,
            "voice": record.voice, "language": record.language, "text": record.text,
            "segments": [transcripts.segment_object(segment) for segment in record.segments],
        }  # fmt: skip
        stream.write(encoded({**head(record, place), **about}) + b"\n")


def _spoken(records: Sequence[Speech]) -> None:
    """Speak what no audio format has taken before."""
    for record in records:
        for _ in record.sound.blocks():
            pass

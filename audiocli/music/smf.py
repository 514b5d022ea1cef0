"""Standard MIDI files (MIDI Manufacturers Association, RP-001), as the few events that music consists of, whatever else is in them.

mido refuses a whole file for an impossible key signature, and loses the time before an event that it does not know; symusic
reads beyond the end of damaged files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import InputError

HEAD, RIFF, RMID = b"MThd", b"RIFF", b"RMID"
NOTE_OFF, NOTE_ON = 0x80, 0x90  # the status of a message on channel 0
NAME, TEMPO, METER = 0x03, 0x51, 0x58  # types of meta events
_META = 0xFF
_SYSTEM_DATA = {0xF1: 1, 0xF2: 2, 0xF3: 1}  # bytes after the status; all others have none


class Event(NamedTuple):
    """A message (kind: its status without the channel) or a meta event (kind: its type), at ticks from the start."""

    time: int
    kind: int
    channel: int
    data: bytes


@dataclass(frozen=True)
class File:
    """Ticks of a quarter, and the events of each track."""

    ticks: int
    tracks: list[list[Event]]


def is_midi(data: bytes) -> bool:
    """Whether a file that begins so is a MIDI file, bare or inside a RIFF file (RMID)."""
    return data.startswith(HEAD) or (data.startswith(RIFF) and data[8:12] == RMID)


def parse(data: bytes) -> File:
    """The events of a file. Raises InputError for a file that is not MIDI, is cut off or damaged, or does not count in quarters."""
    if not is_midi(data):
        raise InputError("is not a MIDI file" if data else "is empty")
    try:
        return _parsed(data if data.startswith(HEAD) else _unwrapped(data))
    except (IndexError, ValueError) as error:
        raise InputError(f"is a damaged MIDI file: {error if isinstance(error, ValueError) else TOO_SOON}") from error


TOO_SOON = "it ends too soon"


def _unwrapped(data: bytes) -> bytes:
    """The contents of the data chunk of a RIFF file."""
    for name, body in _chunks(data, 12, "little"):
        if name == b"data" and body.startswith(HEAD):
            return body
    raise ValueError("a RIFF file without the MIDI file that should be in it")


def _chunks(data: bytes, at: int, order: str) -> Iterator[tuple[bytes, bytes]]:
    """Name and data of each chunk from a byte on; those of RIFF (little endian) are padded to even lengths."""
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little" if order == "little" else "big")
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        if at + 8 + length > len(data):
            raise ValueError(TOO_SOON)
        at += 8 + length + (length % 2 if order == "little" else 0)


def _parsed(data: bytes) -> File:
    chunks = _chunks(data, 0, "big")
    _, head = next(chunks, (HEAD, b""))
    if len(head) < 6:
        raise ValueError(TOO_SOON)
    count, ticks = (int.from_bytes(head[at : at + 2], "big") for at in (2, 4))
    if not 0 < ticks < 0x8000:
        raise InputError("counts time in frames of a film, not in quarters")
    tracks: list[list[Event]] = []
    while len(tracks) < count:
        name, body = next(chunks, (b"", b""))
        if not name:
            raise ValueError(TOO_SOON)
        if name == b"MTrk":
            tracks.append(list(_events(body)))
    return File(ticks, tracks)


def _events(data: bytes) -> Iterator[Event]:
    """The events of a track; anything but messages of a channel and meta events is skipped."""
    at, now, running = 0, 0, 0
    while at < len(data):
        delta, at = _number(data, at)
        now += delta
        status = data[at]
        if status >= 0x80:
            at += 1
        elif not running:
            raise ValueError("data without a message that they belong to")
        else:
            status = running
        if status < 0xF0:
            running, end = status, at + (1 if 0xC0 <= status < 0xE0 else 2)
            yield Event(now, status & 0xF0, status & 0x0F, _between(data, at, end))
        else:
            kind, start, end = _other(data, at, status)
            if kind is not None:
                yield Event(now, kind, 0, _between(data, start, end))
        at = end


def _other(data: bytes, at: int, status: int) -> tuple[int | None, int, int]:
    """The type of a meta event (None: something else), and the bytes between which its data lie."""
    kind = data[at] if status == _META else None
    if status in (_META, 0xF0, 0xF7):
        length, start = _number(data, at + (kind is not None))
        return kind, start, start + length
    return None, at, at + _SYSTEM_DATA.get(status, 0)


def _between(data: bytes, start: int, end: int) -> bytes:
    if end > len(data):
        raise ValueError(TOO_SOON)
    return data[start:end]


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, seven bits a byte and at most four of them, and the byte behind it."""
    value = 0
    for n in range(4):
        value = value << 7 | data[at + n] & 0x7F
        if data[at + n] < 0x80:
            return value, at + n + 1
    raise ValueError("a number of more than four bytes")

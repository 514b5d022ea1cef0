"""The place of the sound behind a header of plain samples, in files and pipes alike, and parts of a file as a file.

Also sound beyond the size in the header: sizes wrap at 4 GiB, recorders die before they can correct them, and files
are put one after the other.
"""

import io
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple

from ..errors import InputError
from .headers import LETTERS, MANY, Container, Header, Reader, container, header
from .kinds import FRAMES, kind_of, tag_length
from .libsndfile import RawFormat

Span = tuple[int, int]  # first byte, bytes

SLACK = 0.1  # s: less than that missing, or beyond the end, is not reported (an MP3 frame, a rounded header)
_SECOND = 10_000  # bytes of one, where the codec is not known
_WRAP = 2**32  # bytes: where 32-bit sizes begin again
_HEADS = 64  # bytes in which a chunk or a file says what it is
_LOOK = 2**16  # bytes beyond the end of the sound that are looked at
# Chunks that may stand behind the sound, whatever their size; others are known by an id of letters and a modest size.
_CHUNKS = frozenset({
    b"LIST", b"JUNK", b"junk", b"FLLR", b"PAD ", b"bext", b"iXML", b"axml", b"chna", b"cue ", b"smpl", b"inst", b"plst",
    b"fact", b"PEAK", b"acid", b"strc", b"afsp", b"umid", b"levl", b"_PMX", b"cart", b"DISP", b"id3 ", b"ID3 ", b"MARK",
    b"INST", b"COMT", b"ANNO", b"NAME", b"AUTH", b"(c) ", b"APPL", b"AESD", b"MIDI", b"data", b"SSND", b"info", b"strg",
    b"mark", b"regn", b"ovvw", b"peak", b"uuid", b"free", b"edct", b"pakt", b"chan", b"kuki",
})  # fmt: skip
_MODEST = 2**26  # bytes
_OTHERS = ("flac", "ogg", "matroska")  # files with long signatures, which samples do not have by chance


class Passage(NamedTuple):
    """Sound from `start` on, `size` bytes or as many as there are; `goes_on`: its first frame may have begun before."""

    start: int
    size: int
    goes_on: bool


class Layout(NamedTuple):
    """The place of the sound behind a header, and notes of what is left out."""

    head: Header
    spans: list[Span]
    notes: list[str]

    @property
    def raw(self) -> RawFormat | None:
        """The format of the samples; None if they are not plain."""
        return self.head.raw

    @property
    def promised(self) -> int | None:
        """Frames that the header vouches for, or None."""
        return self.head.promised // self.raw.frame_bytes if self.raw and self.head.promised is not None else None

    @property
    def beyond(self) -> int:
        """Bytes of sound beyond the size in the header; none where it leaves that open."""
        promised = self.head.size if self.head.promised is None else self.head.promised
        return max(0, sum(size for _, size in self.spans) - promised) if promised else 0


def passages(reader: Reader, head: Header, notes: list[str]) -> Iterator[Passage]:
    """The sound, the reader at its first sample; the caller brings the reader to the end of a passage before the next.

    A file that follows in another format is left out, which `notes` then say.
    """
    following: Header | None = head
    goes_on = False
    while following is not None:
        start, size = reader.position, following.size
        yield Passage(start, size, goes_on)
        end = reader.position
        following = _following(reader, following, notes) if end == start + size else None
        goes_on = reader.position == end


def _following(reader: Reader, head: Header, notes: list[str]) -> Header | None:
    """The header behind a passage, with the size of its samples, to which the reader is brought; None if there is none."""
    kind = head.kind
    fill = kind.whole(head.size) - head.size
    tagged = False
    for _ in range(MANY):
        ahead = reader.peek(_HEADS)
        if fill and _is_marked(kind, ahead[fill:]):
            reader.skip(fill)
            ahead = ahead[fill:]
        fill = 0
        if tag := tag_length(ahead):
            tagged = True
            reader.skip(tag)
            continue
        if _is_file(ahead) or (ahead[:1] == b"\xff" and kind_of(reader.peek(FRAMES))):
            return _second(reader, head, notes)
        chunk = _chunk(kind, ahead)
        if chunk is None:
            return None if tagged or _is_padding(reader, head) else head._replace(size=_WRAP)
        name, size = chunk
        if name == kind.data:
            reader.skip(kind.head + kind.offset)
            return head._replace(size=max(0, size - kind.offset))
        reader.skip(kind.head + kind.whole(size))
    return None


def _is_file(ahead: bytes) -> bool:
    """Whether a file begins here."""
    return container(ahead) is not None or kind_of(ahead[:12]) in _OTHERS


def _is_marked(kind: Container, ahead: bytes) -> bool:
    """Whether something begins here that says what it is."""
    return _is_file(ahead) or tag_length(ahead) > 0 or _chunk(kind, ahead) is not None


def _chunk(kind: Container, ahead: bytes) -> tuple[bytes, int] | None:
    """Id and size of what must be a chunk and not samples."""
    chunk = None if kind.name == "au" else kind.chunk(ahead)
    if chunk is None:
        return None
    name, size = chunk
    return chunk if size >= 0 and (name in _CHUNKS or (size < _MODEST and LETTERS.issuperset(name))) else None


def _is_padding(reader: Reader, head: Header) -> bool:
    """Whether the rest of the file is not sound: zeros that fill it up, lyrics, next to nothing."""
    if head.promised is None and reader.peek(1):  # the writer did not know where the sound ends
        return False
    ahead = reader.peek(_LOOK)
    if ahead.startswith(b"LYRICSBEGIN"):
        return True
    if len(ahead) == _LOOK:
        return False
    second = head.raw.sample_rate * head.raw.frame_bytes if head.raw else _SECOND
    return not ahead.strip(b"\0") or len(ahead) < SLACK * second


def _second(reader: Reader, head: Header, notes: list[str]) -> Header | None:
    """The header of a file that follows, if it is of the same format."""
    try:
        second = header(reader)
    except InputError:
        second = None
    if second and second.raw and second.raw == head.raw:
        return second._replace(promised=head.promised)
    notes.append("another file follows in this one, in another format: left out")
    return None


def layout(file: BinaryIO) -> Layout | None:
    """Go through the headers of a file; None if it has none that can be followed."""
    reader = FileReader(file)
    head = None
    with suppress(InputError):
        head = header(reader)
    if head is None:
        return None
    spans, notes = list[Span](), list[str]()
    for start, size, goes_on in passages(reader, head, notes):
        first = spans.pop()[0] if goes_on else start
        reader.skip(size)
        spans.append((first, reader.position - first))
    whole = head.raw.frame_bytes if head.raw else 1
    result = Layout(head, [(start, size // whole * whole) for start, size in spans], notes)
    if result.beyond and not head.raw:
        notes.append(f"the file goes on after what its header promises: {result.beyond} bytes, left out")
    return result


class FileReader:
    """A file, front to back; see headers.Reader."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._size = file, file.seek(0, io.SEEK_END)
        self.position = 0

    def peek(self, n: int) -> bytes:
        """The next n bytes."""
        self._file.seek(self.position)
        return self._file.read(n)

    def skip(self, n: int) -> None:
        """Go on."""
        self.position = min(self.position + n, self._size)


class Spans(io.RawIOBase):
    """Spans of a file, one after the other, as a file that is read."""

    def __init__(self, file: BinaryIO, spans: list[Span]) -> None:
        self._file, self._spans = file, spans
        self._size = sum(size for _, size in spans)
        self._place = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move as in any file; OSError before the first byte."""
        place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        if place < 0:
            raise OSError("before the start")
        self._place = place
        return place

    def tell(self) -> int:
        """The place among the spans."""
        return self._place

    def read(self, n: int = -1) -> bytes:
        """The next n bytes, fewer only at the end."""
        left, parts, passed = self._size if n < 0 else n, list[bytes](), 0
        for start, size in self._spans:
            inside = self._place - passed
            passed += size
            if left and inside < size:
                self._file.seek(start + inside)
                parts.append(self._file.read(min(left, size - inside)))
                left -= len(parts[-1])
                self._place += len(parts[-1])
        return b"".join(parts)

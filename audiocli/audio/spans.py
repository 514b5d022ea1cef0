"""Parts of a file as a file, and where in a file of plain samples its sound lies."""

import io
from contextlib import suppress
from typing import BinaryIO, NamedTuple

from ..errors import InputError
from .headers import Header, header, passages
from .libsndfile import RawFormat

Span = tuple[int, int]  # first byte, bytes


class Layout(NamedTuple):
    """Where the sound lies behind a header, and what is left out."""

    head: Header
    spans: list[Span]
    notes: list[str]

    @property
    def raw(self) -> RawFormat | None:
        """What the samples are; None if they are no plain ones."""
        return self.head.raw

    @property
    def promised(self) -> int | None:
        """Frames that the header vouches for, or None."""
        return self.head.promised // self.raw.frame_bytes if self.raw and self.head.promised is not None else None

    @property
    def beyond(self) -> int:
        """Bytes of sound beyond the size that the header tells; none where it leaves that open."""
        told = self.head.size if self.head.promised is None else self.head.promised
        return max(0, sum(size for _, size in self.spans) - told) if told else 0


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
    found = Layout(head, [(start, size // whole * whole) for start, size in spans], notes)
    if found.beyond and not head.raw:
        notes.append(f"the file goes on after what its header promises: {found.beyond} bytes, left out")
    return found


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
        """As of any file; OSError before the first byte."""
        place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        if place < 0:
            raise OSError("before the start")
        self._place = place
        return place

    def tell(self) -> int:
        """The place among the spans."""
        return self._place

    def read(self, n: int = -1) -> bytes:
        """The next bytes of one span; not all that there are, perhaps."""
        passed = 0
        for start, size in self._spans:
            inside = self._place - passed
            if inside < size:
                self._file.seek(start + inside)
                data = self._file.read(size - inside if n < 0 else min(n, size - inside))
                self._place += len(data)
                return data
            passed += size
        return b""

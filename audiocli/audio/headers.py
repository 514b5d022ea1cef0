"""Headers in front of plain samples: WAV, RF64, W64, AIFF, AU, CAF, read front to back, from files and pipes alike.

`header` says what the samples are and stops at the first of them; `passages` gives the sound that follows, also what lies
beyond the size that the header tells: sizes wrap at 4 GiB, recorders die before they mend them, files are put one after the
other. Sources: Microsoft's "Multiple channel audio data and WAVE files", EBU Tech 3306 (RF64), Apple's AIFF-C and CAF
specifications, Sony's Wave64 document.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from ..errors import InputError
from .kinds import FRAMES, kind_of, tag_length
from .libsndfile import ENCODINGS, MAX_CHANNELS, RawFormat

UNKNOWN = 0x7FFF_F000  # bytes; who writes into a pipe cannot come back to the header: 2 GiB - 4 KiB (sox) to 4 GiB - 1
_ENDLESS = 2**63
_WRAP = 2**32  # bytes: where 32-bit sizes begin again
_MANY = 10_000  # chunks; more are damage
_HEADS = 64  # bytes in which a chunk or a file says what it is
_LOOK = 2**16  # bytes beyond the end of the sound that are looked at
_SLACK = 0.1  # s: less than that beyond the end is no news
_EXTENSIBLE = 0xFFFE
_CODECS = {1: "s", 3: "f", 6: "alaw", 7: "ulaw"}  # WAV format tags of plain samples
_AIFC = {
    b"NONE": ("s", ">"), b"twos": ("s", ">"), b"in24": ("s", ">"), b"in32": ("s", ">"), b"sowt": ("s", "<"),
    b"raw ": ("u", ">"), b"fl32": ("f", ">"), b"FL32": ("f", ">"), b"fl64": ("f", ">"), b"FL64": ("f", ">"),
    b"alaw": ("alaw", ">"), b"ALAW": ("alaw", ">"), b"ulaw": ("ulaw", ">"), b"ULAW": ("ulaw", ">"),
}  # fmt: skip
_AU = {1: "ulaw8", 2: "s8", 3: "s16", 4: "s24", 5: "s32", 6: "f32", 7: "f64", 27: "alaw8"}
# Chunks that may stand behind the sound, whatever their size; others are known by an id of letters and a modest size.
_CHUNKS = frozenset({
    b"LIST", b"JUNK", b"junk", b"FLLR", b"PAD ", b"bext", b"iXML", b"axml", b"chna", b"cue ", b"smpl", b"inst", b"plst",
    b"fact", b"PEAK", b"acid", b"strc", b"afsp", b"umid", b"levl", b"_PMX", b"cart", b"DISP", b"id3 ", b"ID3 ", b"MARK",
    b"INST", b"COMT", b"ANNO", b"NAME", b"AUTH", b"(c) ", b"APPL", b"AESD", b"MIDI", b"data", b"SSND", b"info", b"strg",
    b"mark", b"regn", b"ovvw", b"peak", b"uuid", b"free", b"edct", b"pakt", b"chan", b"kuki",
})  # fmt: skip
_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.()")
_MODEST = 2**26  # bytes
_OTHERS = (b"fLaC\0", b"OggS\0", b"\x1aE\xdf\xa3")  # files that may follow one of these


_SECOND = 10_000  # bytes of one, where the codec is not known


class Reader(Protocol):
    """Bytes front to back, of a file or a pipe."""

    position: int

    def peek(self, n: int) -> bytes:
        """The next n bytes, fewer only at the end; they stay the next ones."""

    def skip(self, n: int) -> None:
        """Go n bytes on, or to the end."""


_Format = tuple[RawFormat | None, int]  # of plain samples, and how many there are of each channel (0: not said)


class Header(NamedTuple):
    """What samples are (None: not plain ones), bytes that the header gives them, and of these how many it vouches for."""

    kind: Container
    raw: RawFormat | None
    size: int
    promised: int | None  # None: the writer did not know


class Passage(NamedTuple):
    """Sound from `start` on, `size` bytes or as many as there are; `goes_on`: its first frame may have begun before."""

    start: int
    size: int
    goes_on: bool


class Container(NamedTuple):
    """How a format names and counts its chunks."""

    name: str
    order: str  # of bytes, as struct has it
    first: int = 12  # bytes before the first chunk
    head: int = 8  # bytes of a chunk's id and size
    size: str = "I"  # at the end of the head
    counted: int = 0  # bytes of the head in that size
    even: int = 2  # chunks begin at multiples of this
    format: bytes = b"fmt "
    data: bytes = b"data"
    offset: int = 0  # bytes between the data chunk's head and the samples

    def chunk(self, ahead: bytes) -> tuple[bytes, int] | None:
        """Id (its first four bytes) and size (that of the contents) of the chunk that begins here."""
        if len(ahead) < self.head:
            return None
        (size,) = struct.unpack_from(self.order + self.size, ahead, self.head - struct.calcsize(self.size))
        return ahead[:4], (size if size >= 0 else _ENDLESS) - self.counted

    def whole(self, size: int) -> int:
        """A chunk's size with what fills it up."""
        return size + -size % self.even


_WAV = Container("wav", "<")
_RF64 = Container("rf64", "<")
_RIFX = Container("wav", ">")
_W64 = Container("w64", "<", 40, 24, "Q", 24, 8)
_AIFF = Container("aiff", ">", format=b"COMM", data=b"SSND", offset=8)
_CAF = Container("caf", ">", 8, 12, "q", 0, 1, format=b"desc", offset=4)
_AU_BIG, _AU_LITTLE = Container("au", ">"), Container("au", "<")


def container(ahead: bytes) -> Container | None:
    """The format that 28 bytes are the beginning of."""
    form = ahead[8:12]
    if form == b"WAVE":
        return {b"RIFF": _WAV, b"RIFX": _RIFX, b"RF64": _RF64, b"BW64": _RF64}.get(ahead[:4])
    if ahead[:4] == b"FORM" and form in (b"AIFF", b"AIFC"):
        return _AIFF
    if ahead[:4] == b"riff" and ahead[24:28] == b"wave":
        return _W64
    return {b"caff": _CAF, b".snd": _AU_BIG, b"dns.": _AU_LITTLE}.get(ahead[:4])


def header(reader: Reader) -> Header | None:
    """Read up to the first sample; None where it is none of these formats. Raises InputError if it is damaged."""
    kind = container(reader.peek(28))
    if kind is None:
        return None
    if kind.name == "au":
        return _au(reader, kind)
    reader.skip(kind.first)
    found: _Format | None = None
    long = None
    for _ in range(_MANY):
        name, size = kind.chunk(reader.peek(kind.head)) or (b"", 0)
        if not (name and _LETTERS.issuperset(name)):
            break
        if name == kind.data:
            return _data(reader, kind, long if kind is _RF64 and size == _WRAP - 1 and long else size, found)
        body = reader.peek(kind.head + min(size, 64))[kind.head :]
        if name == kind.format and found is None:
            found = _FORMATS[kind.name](body, kind.order)
        if name == b"ds64" and len(body) >= 16:
            (long,) = struct.unpack_from("<Q", body, 8)
        reader.skip(kind.head + kind.whole(size))
    raise InputError(f"begins as {'an' if kind is _AIFF else 'a'} {kind.name} file, and has no samples")


def passages(reader: Reader, head: Header, notes: list[str]) -> Iterator[Passage]:
    """The sound, the reader at its first sample; whoever takes a passage brings the reader to its end before the next.

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
    """What the reader finds behind a passage, and is brought to the samples of: a header with their size, or None."""
    kind = head.kind
    fill = kind.whole(head.size) - head.size
    tagged = False
    for _ in range(_MANY):
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
            return None if tagged or _is_padding(head, reader.peek(_LOOK)) else head._replace(size=_WRAP)
        name, size = chunk
        if name == kind.data:
            reader.skip(kind.head + kind.offset)
            return head._replace(size=size - kind.offset)
        reader.skip(kind.head + kind.whole(size))
    return None


def _is_file(ahead: bytes) -> bool:
    """Whether a file begins here."""
    return container(ahead) is not None or ahead.startswith(_OTHERS)


def _is_marked(kind: Container, ahead: bytes) -> bool:
    """Whether something begins here that says what it is."""
    return _is_file(ahead) or tag_length(ahead) > 0 or _chunk(kind, ahead) is not None


def _chunk(kind: Container, ahead: bytes) -> tuple[bytes, int] | None:
    """Id and size of what must be a chunk and no samples."""
    found = None if kind.name == "au" else kind.chunk(ahead)
    if found is None:
        return None
    name, size = found
    return found if size >= 0 and (name in _CHUNKS or (size < _MODEST and _LETTERS.issuperset(name))) else None


def _is_padding(head: Header, ahead: bytes) -> bool:
    """Whether the rest of the file is no sound: zeros that fill it up, lyrics, next to nothing."""
    if not ahead or ahead.startswith(b"LYRICSBEGIN"):
        return True
    if len(ahead) == _LOOK or head.promised is None:
        return False
    second = head.raw.sample_rate * head.raw.frame_bytes if head.raw else _SECOND
    return not ahead.strip(b"\0") or len(ahead) < _SLACK * second


def _second(reader: Reader, head: Header, notes: list[str]) -> Header | None:
    """The header of a file that follows, if it is of the same format."""
    try:
        found = header(reader)
    except InputError:
        found = None
    if found and found.raw and found.raw == head.raw:
        return found._replace(promised=head.promised)
    notes.append("another file follows in this one, in another format: left out")
    return None


def _data(reader: Reader, kind: Container, size: int, format: _Format | None) -> Header:
    """The header, complete, and the reader at the samples."""
    raw, frames = format or (None, 0)
    reader.skip(kind.head)
    skipped = kind.offset
    if kind is _AIFF:  # samples may be aligned to blocks
        skipped += int.from_bytes(reader.peek(4), "big")
    reader.skip(skipped)
    size = max(0, size - skipped)
    promised = min(size, frames * raw.frame_bytes) if raw and frames else size
    long = kind.size != "I" or kind is _RF64
    known = 0 < size < (_ENDLESS // 2 if long else UNKNOWN)
    return Header(kind, raw, size, promised if known else None)


def _au(reader: Reader, kind: Container) -> Header:
    """The header of an AU file, which has no chunks."""
    ahead = reader.peek(24)
    if len(ahead) < 24:
        raise InputError("begins as an au file, and has no samples")
    offset, size, code, rate, channels = struct.unpack_from(kind.order + "5I", ahead, 4)
    reader.skip(offset)
    raw = _raw("au", _named(_AU.get(code, ""), kind.order), rate, channels)
    return Header(kind, raw, size, size if 0 < size < UNKNOWN else None)


def _fmt(body: bytes, order: str) -> _Format:
    """A WAV file's format chunk; how many bytes a sample takes is what counts, not how many of its bits are used."""
    if len(body) < 14:
        raise InputError("damaged or unsupported wav file")
    tag, channels, rate, _, align = struct.unpack_from(order + "HHIIH", body)
    bits = struct.unpack_from(order + "H", body, 14)[0] if len(body) >= 16 else 0
    if tag == _EXTENSIBLE and len(body) >= 26:
        (tag,) = struct.unpack_from(order + "H", body, 24)
    width, odd = divmod(align, channels or 1)
    if odd or 8 * width < bits or not width:
        width = (bits + 7) // 8
    codec = _CODECS.get(tag, "")
    return _raw("wav", _named("u8" if codec == "s" and width == 1 else f"{codec}{8 * width}", order), rate, channels), 0


def _comm(body: bytes, order: str) -> _Format:
    """An AIFF file's format chunk; its rate is an 80-bit float."""
    if len(body) < 18:
        raise InputError("damaged or unsupported aiff file")
    channels, frames, bits, exponent, mantissa = struct.unpack_from(">HIHHQ", body)
    codec, order = _AIFC.get(body[18:22], ("", order)) if len(body) >= 22 else ("s", order)
    rate = round(mantissa * 2.0 ** ((exponent & 0x7FFF) - 16_446)) if exponent & 0x7FFF < 16_500 else 0
    return _raw("aiff", _named(f"{codec}{(bits + 7) // 8 * 8}", order), rate, channels), frames


def _desc(body: bytes, order: str) -> _Format:
    """A CAF file's format chunk."""
    if len(body) < 32:
        raise InputError("damaged or unsupported caf file")
    rate, codec, flags, size, _, channels, _ = struct.unpack_from(">d4s5I", body)
    kind = ("f" if flags & 1 else "s") if codec == b"lpcm" else codec.decode("latin-1")
    name = _named(f"{kind}{8 * size // max(1, channels)}", "<" if flags & 2 else ">")
    return _raw("caf", name, round(rate) if 0 < rate < _WRAP else 0, channels), 0


_FORMATS = {"wav": _fmt, "rf64": _fmt, "w64": _fmt, "aiff": _comm, "caf": _desc}


def _named(name: str, order: str) -> str:
    """The encoding that s16, alaw8, ... stand for, in this byte order."""
    if name in ("alaw8", "ulaw8"):
        return name[:-1]
    return name if name in ENCODINGS else name + ("le" if order == "<" else "be")


def _raw(kind: str, encoding: str, rate: int, channels: int) -> RawFormat | None:
    """The format, None if it is no plain one; InputError if it cannot be."""
    if not (0 < rate < 2**31 and 0 < channels <= MAX_CHANNELS):
        raise InputError(f"damaged or unsupported {kind} file")
    return RawFormat(encoding, rate, channels) if encoding in ENCODINGS else None

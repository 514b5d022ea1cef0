"""Headers in front of plain samples: WAV, RF64, W64, AIFF, AU, CAF, read front to back, from files and pipes alike.

Sources: Microsoft's "Multiple channel audio data and WAVE files", EBU Tech 3306 (RF64), Apple's AIFF-C and CAF
specifications, Sony's Wave64 document.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, Protocol

from ..errors import InputError
from .libsndfile import ENCODINGS, MAX_CHANNELS, RawFormat

UNKNOWN = 0x7FFF_F000  # bytes; who writes into a pipe cannot come back to the header: 2 GiB - 4 KiB (sox) to 4 GiB - 1
_ENDLESS = 2**63
MANY = 10_000  # chunks; more are damage
_EXTENSIBLE = 0xFFFE
LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.()")  # of ids
_CODECS = {1: "s", 3: "f", 6: "alaw", 7: "ulaw"}  # WAV format tags of plain samples
_AIFC = {
    b"NONE": ("s", ">"), b"twos": ("s", ">"), b"in24": ("s", ">"), b"in32": ("s", ">"), b"sowt": ("s", "<"),
    b"raw ": ("u", ">"), b"fl32": ("f", ">"), b"FL32": ("f", ">"), b"fl64": ("f", ">"), b"FL64": ("f", ">"),
    b"alaw": ("alaw", ">"), b"ALAW": ("alaw", ">"), b"ulaw": ("ulaw", ">"), b"ULAW": ("ulaw", ">"),
}  # fmt: skip
_AU = {1: "ulaw8", 2: "s8", 3: "s16", 4: "s24", 5: "s32", 6: "f32", 7: "f64", 27: "alaw8"}


class Reader(Protocol):
    """Bytes front to back, of a file or a pipe."""

    position: int

    def peek(self, n: int) -> bytes:
        """The next n bytes, fewer only at the end; they stay the next ones."""

    def skip(self, n: int) -> None:
        """Go n bytes on, or to the end."""


_Format = tuple[RawFormat | None, int]  # of plain samples, and how many there are of each channel (0: not said)


class Header(NamedTuple):
    """The format of samples (None: not plain ones), their bytes by the header, and how many of these it vouches for."""

    kind: Container
    raw: RawFormat | None
    size: int
    promised: int | None  # None: the writer did not know


class Container(NamedTuple):
    """The way in which a format names and counts its chunks."""

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
    sample_format: _Format | None = None
    long = None
    for _ in range(MANY):
        name, size = kind.chunk(reader.peek(kind.head)) or (b"", 0)
        if not (name and LETTERS.issuperset(name)) or size < 0:
            break
        if name == kind.data:
            return _data(reader, kind, long if kind is _RF64 and size == 2**32 - 1 and long else size, sample_format)
        body = reader.peek(kind.head + min(size, 64))[kind.head :]
        if name == kind.format and sample_format is None:
            sample_format = _FORMATS[kind.name](body, kind.order)
        if name == b"ds64" and len(body) >= 16:
            (long,) = struct.unpack_from("<Q", body, 8)
        reader.skip(kind.head + kind.whole(size))
    raise InputError(f"damaged {kind.name} file: it has no samples")


def wav_header(raw: RawFormat) -> bytes:
    """A WAV file up to its first sample, for integers that go into a pipe: their number is still unknown."""
    width = raw.frame_bytes // raw.channels
    size = struct.pack("<I", UNKNOWN)
    form = struct.pack(
        "<IHHIIHH", 16, 1, raw.channels, raw.sample_rate, raw.sample_rate * raw.frame_bytes, raw.frame_bytes, 8 * width
    )
    return b"RIFF" + size + b"WAVEfmt " + form + b"data" + size


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
        raise InputError("damaged au file: it has no samples")
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
    return _raw("caf", name, round(rate) if 0 < rate < 2**32 else 0, channels), 0


_FORMATS = {"wav": _fmt, "rf64": _fmt, "w64": _fmt, "aiff": _comm, "caf": _desc}


def _named(name: str, order: str) -> str:
    """The encoding that s16, alaw8, ... stand for, in this byte order."""
    if name in ("alaw8", "ulaw8"):
        return name[:-1]
    return name if name in ENCODINGS else name + ("le" if order == "<" else "be")


def _raw(kind: str, encoding: str, rate: int, channels: int) -> RawFormat | None:
    """The format, None if it is not plain; InputError if it is impossible."""
    if not (0 < rate < 2**31 and 0 < channels <= MAX_CHANNELS):
        raise InputError(f"damaged or unsupported {kind} file")
    return RawFormat(encoding, rate, channels) if encoding in ENCODINGS else None

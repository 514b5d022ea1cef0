"""The wire format of protocol buffers: messages as fields with a number and a value, some of which are messages themselves.

https://protobuf.dev/programming-guides/encoding. Enough for ONNX files, of which a few fields are wanted, without a library.
"""

from collections.abc import Iterable, Iterator

Value = int | bytes
Field = tuple[int, int, Value]  # number, how the value is written, value

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5  # how a value is written
SIZES = {FIXED_64: 8, FIXED_32: 4}
BROKEN = "not a message, or one that is cut off"


def fields(message: Value) -> Iterator[Field]:
    """The fields of a message, in order. Raises ValueError for bytes that are none."""
    if not isinstance(message, bytes):
        raise ValueError(BROKEN)
    at = 0
    while at < len(message):
        key, at = _number(message, at)
        kind = key & 7
        if kind == VARINT:
            value, at = _number(message, at)
            yield key >> 3, kind, value
            continue
        size = SIZES.get(kind)
        if kind == BYTES:
            size, at = _number(message, at)
        if size is None or at + size > len(message):
            raise ValueError(BROKEN)
        yield key >> 3, kind, message[at : at + size]
        at += size


def first(message: Value, number: int) -> Value:
    """The first field of that number in a message; b"" for none. Raises ValueError."""
    return next((value for n, _, value in fields(message) if n == number), b"")


def message(some: Iterable[Field]) -> bytes:
    """The bytes of fields."""
    parts = bytearray()
    for number, kind, value in some:
        parts += _bytes(number << 3 | kind)
        if isinstance(value, int):
            parts += _bytes(value)
        else:
            parts += (_bytes(len(value)) if kind == BYTES else b"") + value
    return bytes(parts)


def _number(message: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and where it ends."""
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return value, at
    raise ValueError(BROKEN)


def _bytes(value: int) -> bytes:
    """The inverse of `_number`."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])

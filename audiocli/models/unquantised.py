"""ONNX nets that were rounded for phones, as they were before: the rounding steps are taken out of the graph, in memory.

A net in QDQ form has its weights in float32, and pairs of QuantizeLinear and DequantizeLinear around everything. Where both are
left out, it computes in float32 again. The graph is a message of protocol buffers, of which nothing but the fields named
here is looked at: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from collections.abc import Iterable, Iterator

from ..errors import ModelError

Field = tuple[int, int, int | bytes]  # number, wire type, value

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5  # wire types
ROUNDING = (b"QuantizeLinear", b"DequantizeLinear")
FLOAT = 1
# Fields: of a model; of a graph; of a node; of an input or output, its type, and that as a tensor's.
GRAPH, NODE, INPUT, OUTPUT, INSIDE = 7, 1, 11, 12, 13
NODE_INPUT, NODE_OUTPUT, NODE_KIND = 1, 2, 4
VALUE_NAME, VALUE_TYPE, TENSOR, ELEMENTS = 1, 2, 1, 1


def unquantised(model: bytes) -> bytes:
    """The bytes of an ONNX model without its rounding; inputs and outputs become float32. Raises ModelError for other bytes."""
    try:
        return _message((n, wire, _graph(v) if n == GRAPH else v) for n, wire, v in _fields(model))
    except (IndexError, ValueError, TypeError) as error:
        raise ModelError("the net is not an ONNX model, or is damaged") from error


def _graph(graph: int | bytes) -> bytes:
    """A graph whose nodes take what the rounding took."""
    nodes = [v for n, _, v in _fields(graph) if n == NODE]
    before = {_one(v, NODE_OUTPUT): _one(v, NODE_INPUT) for v in nodes if _one(v, NODE_KIND) in ROUNDING}

    def source(name: int | bytes) -> int | bytes:
        for _ in before:  # as many steps as there can be: a damaged graph may lead round in circles
            name = before.get(name, name)
        return name

    def kept(number: int, wire: int, value: int | bytes) -> Field:
        if number == NODE:
            value = _message((n, w, source(v) if n == NODE_INPUT else v) for n, w, v in _fields(value))
        if number in (INPUT, OUTPUT):
            name, kind = source(_one(value, VALUE_NAME)), _one(_one(value, VALUE_TYPE), TENSOR)
            tensor = _message((n, w, FLOAT if n == ELEMENTS else v) for n, w, v in _fields(kind))
            value = _message([(VALUE_NAME, BYTES, name), (VALUE_TYPE, BYTES, _message([(TENSOR, BYTES, tensor)]))])
        return number, wire, value

    # What is known of the values inside holds for the rounded ones.
    return _message(
        kept(n, wire, v)
        for n, wire, v in _fields(graph)
        if n != INSIDE and not (n == NODE and _one(v, NODE_KIND) in ROUNDING)
    )


def _one(message: int | bytes, number: int) -> int | bytes:
    """The first field of that number; b"" for none."""
    return next((value for n, _, value in _fields(message) if n == number), b"")


def _fields(message: int | bytes) -> Iterator[Field]:
    """The fields of a message. Raises IndexError, ValueError for bytes that are none."""
    if isinstance(message, int):
        raise ValueError("a number is no message")
    place = 0
    while place < len(message):
        key, place = _number(message, place)
        wire = key & 7
        if wire == VARINT:
            value, place = _number(message, place)
            yield key >> 3, wire, value
            continue
        length, place = _number(message, place) if wire == BYTES else ({FIXED_64: 8, FIXED_32: 4}.get(wire, 0), place)
        if place + length > len(message) or wire not in (BYTES, FIXED_64, FIXED_32):
            raise ValueError("cut off, or not a message")
        yield key >> 3, wire, message[place : place + length]
        place += length


def _number(message: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and the place behind it."""
    value, shift = 0, 0
    while True:
        byte = message[place]
        value, shift, place = value | (byte & 127) << shift, shift + 7, place + 1
        if byte < 128:
            return value, place


def _message(fields: Iterable[Field]) -> bytes:
    """The bytes of fields."""
    parts = bytearray()
    for number, wire, value in fields:
        parts += _bytes(number << 3 | wire)
        if isinstance(value, int):
            parts += _bytes(value)
        else:
            parts += (_bytes(len(value)) if wire == BYTES else b"") + value
    return bytes(parts)


def _bytes(value: int) -> bytes:
    """The inverse of `_number`."""
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])

"""Changes to the graph of an ONNX file, byte by byte: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto has the numbers.

A file that was exported for whole clips begins every clip from nothing; what it would have to keep from one piece to the next
is inside it, and is brought out here.
"""

from collections.abc import Iterable, Iterator

from ..errors import DownloadError

# Numbers of fields: of a model, of its graph, of a node, of the name and type of a value.
GRAPH = 7
NODE, INPUT, OUTPUT = 1, 11, 12
NODE_INPUT, NODE_OUTPUT, OPERATOR, ATTRIBUTE = 1, 2, 4, 5
ATTRIBUTE_NAME, WHOLE = 1, 3  # of an attribute: its name, and its value if that is a whole number
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # how a field is written
FLOAT = 1  # of the types of an array
INITIAL = 5  # which input of a GRU is its first state; its second output is the last

Field = tuple[int, int, bytes]  # number, how it is written, the content


def stateful(model: bytes, name: str) -> tuple[bytes, list[int]]:
    """A recurrent net whose states go in and come out, and that adds nothing around its input.

    The first state of each GRU becomes an input `before0`, `before1`, .. [1, batch, hidden], the last one an output `after0`, ..,
    and each Pad passes its input on. Returns the new file and the hidden sizes. Raises DownloadError for what is not a model.
    """
    try:
        outer = list(fields(model))
        graph = list(fields(next(content for number, _, content in outer if number == GRAPH)))
        nodes = [list(fields(content)) if number == NODE else [] for number, _, content in graph]
        sizes = [_hidden_size(node) for node in nodes if _operator(node) == b"GRU"]
        changed = [_changed(field, node, nodes[:n]) for n, (field, node) in enumerate(zip(graph, nodes, strict=True))]
    except (IndexError, KeyError, ValueError, StopIteration) as error:
        raise DownloadError(f"{name} is not an ONNX model, or is damaged: its fields cannot be read") from error
    changed += [(INPUT, BYTES, _value(b"before%d" % n)) for n in range(len(sizes))]
    changed += [(OUTPUT, BYTES, _value(b"after%d" % n)) for n in range(len(sizes))]
    whole = [(number, kind, joined(changed) if number == GRAPH else content) for number, kind, content in outer]
    return joined(whole), sizes


def fields(data: bytes) -> Iterator[Field]:
    """The fields of a message, in their order. Raises IndexError and ValueError for what is not one."""
    place = 0
    while place < len(data):
        key, place = _number(data, place)
        number, kind = key >> 3, key & 7
        start = place
        if kind == VARINT:
            _, place = _number(data, place)
        elif kind == BYTES:
            length, start = _number(data, place)
            place = start + length
        elif kind in (FIXED64, FIXED32):
            place += 8 if kind == FIXED64 else 4
        else:
            raise ValueError(f"no field is written as {kind}")
        if place > len(data):
            raise IndexError("a field is cut off")
        yield number, kind, data[start:place]


def joined(message: Iterable[Field]) -> bytes:
    """The bytes of a message."""
    parts = []
    for number, kind, content in message:
        parts.append(_written(number << 3 | kind))
        if kind == BYTES:
            parts.append(_written(len(content)))
        parts.append(content)
    return b"".join(parts)


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while data[place] & 0x80:
        value |= (data[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
    return value | data[place] << shift, place + 1


def _written(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def _operator(node: list[Field]) -> bytes:
    return next((content for number, _, content in node if number == OPERATOR), b"")


def _hidden_size(node: list[Field]) -> int:
    """The attribute of a GRU. Raises StopIteration where there is none."""
    attributes = [
        {one: inner for one, _, inner in fields(content)} for number, _, content in node if number == ATTRIBUTE
    ]
    found = next(attribute[WHOLE] for attribute in attributes if attribute.get(ATTRIBUTE_NAME) == b"hidden_size")
    return _number(found, 0)[0]


def _changed(field: Field, node: list[Field], earlier: list[list[Field]]) -> Field:
    """A field of the graph as it is to be; node: its fields, if it is one."""
    operator = _operator(node)
    inputs = [content for number, _, content in node if number == NODE_INPUT]
    outputs = [content for number, _, content in node if number == NODE_OUTPUT]
    if operator == b"Pad":
        return NODE, BYTES, _node(b"Identity", inputs[:1], outputs)
    if operator != b"GRU":
        return field
    n = sum(_operator(one) == b"GRU" for one in earlier)
    inputs = [*inputs[:INITIAL], *[b""] * (INITIAL - len(inputs)), b"before%d" % n]
    rest = [one for one in node if one[0] not in (NODE_INPUT, NODE_OUTPUT)]
    ends = [(NODE_INPUT, BYTES, one) for one in inputs]
    ends += [(NODE_OUTPUT, BYTES, one) for one in (outputs[0], b"after%d" % n)]
    return NODE, BYTES, joined([*ends, *rest])


def _node(operator: bytes, inputs: list[bytes], outputs: list[bytes]) -> bytes:
    ends = [(NODE_INPUT, BYTES, one) for one in inputs] + [(NODE_OUTPUT, BYTES, one) for one in outputs]
    return joined([*ends, (OPERATOR, BYTES, operator)])


def _value(name: bytes) -> bytes:
    """The declaration of a float32 array [1, any, any]."""
    sizes = [joined([(1, VARINT, _written(1))]), joined([(2, BYTES, b"any")]), joined([(2, BYTES, b"hidden")])]
    shape = joined((1, BYTES, size) for size in sizes)
    tensor = joined([(1, VARINT, _written(FLOAT)), (2, BYTES, shape)])
    return joined([(1, BYTES, name), (2, BYTES, joined([(1, BYTES, tensor)]))])

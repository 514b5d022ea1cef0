"""Changes to the graph of an ONNX file, byte by byte: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto has the numbers.

A file that was exported for whole clips begins every clip from nothing; what it would have to keep from one piece to the next
is inside it, and is brought out here.
"""

from ..errors import DownloadError
from ..protobuf import BYTES, VARINT, Field, Value, fields, first, message
from .onnx import CURE

# Numbers of fields: of a model, of its graph, of a node, of the name and type of a value.
GRAPH = 7
NODE, INPUT, OUTPUT = 1, 11, 12
NODE_INPUT, NODE_OUTPUT, OPERATOR, ATTRIBUTE = 1, 2, 4, 5
ATTRIBUTE_NAME, WHOLE = 1, 3  # of an attribute: its name, and its value if that is a whole number
FLOAT = 1  # of the types of an array
INITIAL = 5  # which input of a GRU is its first state; its second output is the last


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
        raise DownloadError(
            f"{name} is not an ONNX model, or is damaged: its fields cannot be read ({CURE})"
        ) from error
    changed += [(INPUT, BYTES, _value(b"before%d" % n)) for n in range(len(sizes))]
    changed += [(OUTPUT, BYTES, _value(b"after%d" % n)) for n in range(len(sizes))]
    whole = [(number, kind, message(changed) if number == GRAPH else content) for number, kind, content in outer]
    return message(whole), sizes


def _operator(node: list[Field]) -> Value:
    return next((content for number, _, content in node if number == OPERATOR), b"")


def _hidden_size(node: list[Field]) -> int:
    """The attribute of a GRU. Raises StopIteration where there is none, and ValueError where it is no whole number."""
    attributes = (content for number, _, content in node if number == ATTRIBUTE)
    size = first(next(one for one in attributes if first(one, ATTRIBUTE_NAME) == b"hidden_size"), WHOLE)
    if not isinstance(size, int):
        raise ValueError("the hidden size of a GRU is no whole number")
    return size


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
    return NODE, BYTES, message([*ends, *rest])


def _node(operator: bytes, inputs: list[Value], outputs: list[Value]) -> bytes:
    ends = [(NODE_INPUT, BYTES, one) for one in inputs] + [(NODE_OUTPUT, BYTES, one) for one in outputs]
    return message([*ends, (OPERATOR, BYTES, operator)])


def _value(name: bytes) -> bytes:
    """The declaration of a float32 array [1, any, any]."""
    sizes = [message([(1, VARINT, 1)]), message([(2, BYTES, b"any")]), message([(2, BYTES, b"hidden")])]
    shape = message((1, BYTES, size) for size in sizes)
    tensor = message([(1, VARINT, FLOAT), (2, BYTES, shape)])
    return message([(1, BYTES, name), (2, BYTES, message([(1, BYTES, tensor)]))])

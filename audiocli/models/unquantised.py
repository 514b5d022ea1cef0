"""ONNX nets that were rounded for phones, as they were before: the rounding steps are taken out of the graph, in memory.

A net in QDQ form has its weights in float32, and pairs of QuantizeLinear and DequantizeLinear around everything. Where both are
left out, it computes in float32 again. Of the graph nothing but the fields named here is looked at:
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from ..errors import DownloadError
from ..protobuf import BYTES, Field, Value, fields, first, message
from .onnx import CURE

ROUNDING = (b"QuantizeLinear", b"DequantizeLinear")
FLOAT = 1
# Fields: of a model; of a graph; of a node; of an input or output, its type, and that as a tensor's.
GRAPH, NODE, INPUT, OUTPUT, INSIDE = 7, 1, 11, 12, 13
NODE_INPUT, NODE_OUTPUT, NODE_KIND = 1, 2, 4
VALUE_NAME, VALUE_TYPE, TENSOR, ELEMENTS = 1, 2, 1, 1


def unquantised(model: bytes, name: str) -> bytes:
    """The bytes of an ONNX model without its rounding; inputs and outputs become float32. Raises DownloadError for other bytes."""
    try:
        return message((n, kind, _graph(v) if n == GRAPH else v) for n, kind, v in fields(model))
    except ValueError as error:
        raise DownloadError(
            f"{name} is not an ONNX model, or is damaged: its fields cannot be read ({CURE})"
        ) from error


def _graph(graph: Value) -> bytes:
    """A graph whose nodes take what the rounding took."""
    rounding = [v for n, _, v in fields(graph) if _rounds(n, v)]
    before = {first(v, NODE_OUTPUT): first(v, NODE_INPUT) for v in rounding}

    def source(name: Value) -> Value:
        for _ in before:  # no more steps than there can be: a damaged graph may lead round in circles
            name = before.get(name, name)
        return name

    def kept(number: int, kind: int, value: Value) -> Field:
        if number == NODE:
            value = message((n, k, source(v) if n == NODE_INPUT else v) for n, k, v in fields(value))
        if number in (INPUT, OUTPUT):
            tensor = fields(first(first(value, VALUE_TYPE), TENSOR))
            real = message((n, k, FLOAT if n == ELEMENTS else v) for n, k, v in tensor)
            about = message([(TENSOR, BYTES, real)])
            value = message([(VALUE_NAME, BYTES, source(first(value, VALUE_NAME))), (VALUE_TYPE, BYTES, about)])
        return number, kind, value

    # What is known of the values inside is left out: it is about the rounded ones.
    return message(kept(n, k, v) for n, k, v in fields(graph) if n != INSIDE and not _rounds(n, v))


def _rounds(number: int, value: Value) -> bool:
    """Whether a field of a graph is a node that rounds."""
    return number == NODE and first(value, NODE_KIND) in ROUNDING

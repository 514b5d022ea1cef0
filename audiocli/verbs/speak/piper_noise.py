"""Nets that draw random numbers inside, as those of Piper, made to take them from outside: by changing their graph in memory.

onnxruntime draws from a generator that a session seeds once, when it is made, and that goes on from call to call (measured: after
`onnxruntime.set_seed` a session made anew repeats itself, one that is there already does not). A net that is to say the same
whatever was said before, in any thread, must therefore be given its noise. Fields by the numbers of
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

import struct
from collections.abc import Iterator, Sequence

from ...errors import DownloadError
from ...protobuf import BYTES, VARINT, Field, Value, fields, first, message

GRAPH, NODE, INITIALIZER, INPUT = 7, 1, 5, 11
NODE_INPUT, NODE_OUTPUT, NODE_KIND = 1, 2, 4
RANDOM = b"RandomNormalLike"
FLOAT, INT64 = 1, 7
NOISE = "noise"  # how the new inputs begin
ZERO, ONE = b"audiocli/zero", b"audiocli/one"


def from_outside(model: bytes, name: str) -> bytes:
    """The bytes of an ONNX model with inputs `noise0`, `noise1`, .. float32 [any] instead of nodes that draw normal noise.

    Each takes the shape that it is wanted in, and begins again where it is too short. Needs opset 11. Raises DownloadError for
    other bytes.
    """
    try:
        return message((n, kind, _graph(v) if n == GRAPH else v) for n, kind, v in fields(model))
    except ValueError as error:
        raise DownloadError(f"{name} is not an ONNX model, or is damaged") from error


def _graph(graph: Value) -> bytes:
    """A graph that takes noise; as it is where it draws none."""
    found = [v for n, _, v in fields(graph) if _draws(n, v)]
    if not found:
        return message(fields(graph))
    inputs = {first(node, NODE_OUTPUT): f"{NOISE}{number}".encode() for number, node in enumerate(found)}

    def changed() -> Iterator[Field]:
        for n, kind, value in fields(graph):
            if _draws(n, value):
                noise = inputs[first(value, NODE_OUTPUT)]
                yield from ((NODE, BYTES, node) for node in _shaped(value, noise))
            else:
                yield n, kind, value
        yield from ((INITIALIZER, BYTES, _whole(name, number)) for name, number in ((ZERO, 0), (ONE, 1)))
        yield from ((INPUT, BYTES, _vector(noise)) for noise in inputs.values())

    return message(changed())


def _draws(number: int, value: Value) -> bool:
    """Whether a field of a graph is a node that draws normal noise."""
    return number == NODE and first(value, NODE_KIND) == RANDOM


def _shaped(node: Value, noise: bytes) -> Iterator[bytes]:
    """Nodes that give the numbers of `noise` in the shape of the node's input, round and round."""
    like, output = first(node, NODE_INPUT), first(node, NODE_OUTPUT)
    assert isinstance(like, bytes)
    assert isinstance(output, bytes)
    yield _node(b"Shape", [like], noise + b"/shape")
    yield _node(b"Size", [like], noise + b"/count")
    yield _node(b"Size", [noise], noise + b"/length")
    yield _node(b"Range", [ZERO, noise + b"/count", ONE], noise + b"/counted")
    yield _node(b"Mod", [noise + b"/counted", noise + b"/length"], noise + b"/places")
    yield _node(b"Gather", [noise, noise + b"/places"], noise + b"/flat")
    yield _node(b"Reshape", [noise + b"/flat", noise + b"/shape"], output)


def _node(kind: bytes, inputs: Sequence[bytes], output: bytes) -> bytes:
    ends = [*((NODE_INPUT, BYTES, one) for one in inputs), (NODE_OUTPUT, BYTES, output)]
    return message([*ends, (NODE_KIND, BYTES, kind)])


def _whole(name: bytes, number: int) -> bytes:
    """A whole number that nodes know by its name."""
    return message([(2, VARINT, INT64), (8, BYTES, name), (9, BYTES, struct.pack("<q", number))])


def _vector(name: bytes) -> bytes:
    """The declaration of a float32 array [any]."""
    shape = message([(1, BYTES, message([(2, BYTES, name + b"/any")]))])
    tensor = message([(1, VARINT, FLOAT), (2, BYTES, shape)])
    return message([(1, BYTES, name), (2, BYTES, message([(1, BYTES, tensor)]))])

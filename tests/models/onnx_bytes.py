"""ONNX files of a few operators, byte by byte, so that tests need no other library (fields by the numbers of onnx.proto)."""

from collections.abc import Sequence

import numpy as np

FLOAT, INT64 = 1, 7
INTS = 7  # the type of an attribute


def varint(value: int) -> bytes:
    """A whole number, seven bits a byte."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes | str) -> bytes:
    """A field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def node(operator: str, inputs: Sequence[str], output: str, **ints: Sequence[int]) -> bytes:
    """An operator; its attributes are lists of whole numbers."""
    attributes = [
        field(1, name) + b"".join(field(8, n) for n in values) + field(20, INTS) for name, values in ints.items()
    ]
    parts = [*(field(1, name) for name in inputs), field(2, output), field(4, operator)]
    return b"".join([*parts, *(field(5, one) for one in attributes)])


def constant(name: str, values: np.ndarray) -> bytes:
    """An array of float32 or int64."""
    kind = INT64 if values.dtype == np.int64 else FLOAT
    dims = b"".join(field(1, n) for n in values.shape)
    return dims + field(2, kind) + field(8, name) + field(9, values.tobytes())


def value(name: str, shape: Sequence[int | str]) -> bytes:
    """A float32 input or output; words are lengths that are not known."""
    dims = b"".join(field(1, field(1, one) if isinstance(one, int) else field(2, one)) for one in shape)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, dims)))


def model(
    nodes: Sequence[bytes], constants: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes]
) -> bytes:
    """A whole file."""
    lists = ((1, nodes), (5, constants), (11, inputs), (12, outputs))
    graph = field(2, "g") + b"".join(field(number, one) for number, ones in lists for one in ones)
    return field(1, 8) + field(8, field(1, "") + field(2, 13)) + field(7, graph)

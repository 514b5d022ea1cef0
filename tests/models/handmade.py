"""ONNX files written byte by byte, so that no other library is needed: nodes, weights, values, and the model around them."""

import numpy as np

OPSET = 12
TYPES = {"float32": 1, "int64": 7}


def varint(value):
    parts = bytearray()
    while True:
        value, digit = value >> 7, value & 0x7F
        parts.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(parts)


def field(number, value):
    """A field of a protocol buffer: a whole number, text, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def attribute(name, value):
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    return field(1, name) + b"".join(field(8, one) for one in value) + field(20, 7)


def node(operator, inputs, outputs, **attributes):
    ends = b"".join(field(1, one) for one in inputs) + b"".join(field(2, one) for one in outputs)
    return ends + field(4, operator) + b"".join(field(5, attribute(*one)) for one in attributes.items())


def weights(name, values):
    sizes = b"".join(field(1, size) for size in values.shape)
    return sizes + field(2, TYPES[str(values.dtype)]) + field(8, name) + field(9, values.tobytes())


def value(name, sizes):
    """A float32 array; a size that is text may be any."""
    shape = b"".join(field(1, field(1 if isinstance(size, int) else 2, size)) for size in sizes)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def model(nodes, constants, inputs, outputs):
    """The file of a net; constants: arrays by name; inputs, outputs: sizes by name."""
    graph = b"".join(field(1, one) for one in nodes) + field(2, "handmade")
    graph += b"".join(field(5, weights(*one)) for one in constants.items())
    graph += b"".join(field(11, value(*one)) for one in inputs.items())
    graph += b"".join(field(12, value(*one)) for one in outputs.items())
    return field(1, 7) + field(8, field(1, "") + field(2, OPSET)) + field(7, graph)


def gru(random, inside, hidden):
    """The three weights of a GRU."""
    shapes = {"w": (1, 3 * hidden, inside), "r": (1, 3 * hidden, hidden), "b": (1, 6 * hidden)}
    return {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}

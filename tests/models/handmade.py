"""ONNX files made by hand, so that no other library is needed: nodes, weights, values, and the model around them.

The numbers of the fields are those of onnx.proto.
"""

import numpy as np

from audiocli.protobuf import BYTES, VARINT, message

OPSET = 12
FLOAT, UINT8, INT64 = 1, 2, 7  # types of elements
TYPES = {"float32": FLOAT, "uint8": UINT8, "int64": INT64}
NUMBER, NUMBERS = 2, 7  # types of attributes


def fields(*some):
    """A message of fields: number and value of each, which is a whole number, text, or bytes."""
    return message(
        (number, VARINT, value) if isinstance(value, int)
        else (number, BYTES, value.encode() if isinstance(value, str) else value)
        for number, value in some
    )  # fmt: skip


def attribute(name, value):
    """A whole number, or several."""
    if isinstance(value, int):
        return fields((1, name), (3, value), (20, NUMBER))
    return fields((1, name), *((8, one) for one in value), (20, NUMBERS))


def node(operator, inputs, outputs, **attributes):
    ends = [*((1, one) for one in inputs), *((2, one) for one in outputs)]
    return fields(*ends, (4, operator), *((5, attribute(*one)) for one in attributes.items()))


def weights(name, values):
    """An array, of no dimension as well."""
    shape = ((1, size) for size in values.shape)
    return fields(*shape, (2, TYPES[str(values.dtype)]), (8, name), (9, values.tobytes()))


def beside(name, shape, file):
    """A float32 array that is the whole of another file."""
    where = {"location": file, "offset": "0", "length": str(4 * int(np.prod(shape)))}
    entries = ((13, fields((1, key), (2, text))) for key, text in where.items())
    return fields(*((1, size) for size in shape), (2, FLOAT), (8, name), *entries, (14, 1))


def value(name, sizes, elements=FLOAT):
    """An input or output; a size that is text may be any."""
    shape = fields(*((1, fields((1 if isinstance(size, int) else 2, size))) for size in sizes))
    return fields((1, name), (2, fields((1, fields((1, elements), (2, shape))))))


def model(nodes, constants, inputs, outputs, *, opset=OPSET, types=None, outside=(), notes=()):
    """The file of a net; constants: arrays by name; inputs, outputs: sizes by name.

    types: of inputs and outputs that are not of float32, by name. outside: arrays as `beside` makes them.
    notes: keys and texts of its metadata.
    """
    arrays = [*(weights(*one) for one in constants.items()), *outside]
    ends = [*((11, one) for one in inputs.items()), *((12, one) for one in outputs.items())]
    graph = fields(
        *((1, one) for one in nodes), (2, "handmade"), *((5, one) for one in arrays),
        *((number, value(*one, (types or {}).get(one[0], FLOAT))) for number, one in ends),
    )  # fmt: skip
    about = ((14, fields((1, key), (2, text))) for key, text in notes)
    return fields((1, 7), (8, fields((1, ""), (2, opset))), (7, graph), *about)


def gru(random, inside, hidden):
    """The three weights of a GRU."""
    shapes = {"w": (1, 3 * hidden, inside), "r": (1, 3 * hidden, hidden), "b": (1, 6 * hidden)}
    return {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}

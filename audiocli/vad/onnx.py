"""The weights in an ONNX file, read without a library for ONNX: only its numbers are wanted.

A file is a protocol buffer: fields with a number and a value, some of which are messages themselves
(https://protobuf.dev/programming-guides/encoding, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Numbers of fields: of a model, of its graph, of a tensor.
GRAPH, INITIALIZER = 7, 5
DIMS, DATA_TYPE, NAME, RAW_DATA = 1, 2, 8, 9
FLOAT = 1  # as a tensor's data type
VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5  # how a value is written


def tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """The float32 tensors of a file's graph by name. Raises ValueError for a file that is not ONNX, or cut off."""
    graphs = [value for number, value in _fields(path.read_bytes()) if number == GRAPH and isinstance(value, bytes)]
    pairs = (_tensor(value) for graph in graphs for number, value in _fields(graph) if number == INITIALIZER)
    return {name: values for name, values in pairs if values is not None}


def _tensor(message: int | bytes) -> tuple[str, NDArray[np.float32] | None]:
    """The name of a tensor and its values; None for another type than float32."""
    if not isinstance(message, bytes):
        raise ValueError("a tensor that is not a message")
    fields = list(_fields(message))
    shape = [value for number, value in fields if number == DIMS and isinstance(value, int)]
    known = dict(fields)
    name = bytes(known.get(NAME, b"")).decode()
    if known.get(DATA_TYPE) != FLOAT or RAW_DATA not in known:
        return name, None
    return name, np.frombuffer(bytes(known[RAW_DATA]), "<f4").reshape(shape)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Each field's number and its value."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        size = {FIXED_64: 8, FIXED_32: 4}.get(kind)
        if kind == BYTES:
            size, at = _varint(message, at)
        if size is None or at + size > len(message):
            raise ValueError("not an ONNX file, or one that is cut off")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and where it ends."""
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return value, at
    raise ValueError("not an ONNX file, or one that is cut off")

"""The weights in an ONNX file, read without a library for ONNX: only its numbers are wanted.

A file is a protocol buffer: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..protobuf import Value, fields

# Numbers of fields: of a model, of its graph, of a tensor.
GRAPH, INITIALIZER = 7, 5
DIMS, DATA_TYPE, NAME, RAW_DATA = 1, 2, 8, 9
FLOAT = 1  # as a tensor's data type


def tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """The float32 tensors of a file's graph by name. Raises ValueError for a file that is not ONNX, or cut off."""
    graphs = [value for number, _, value in fields(path.read_bytes()) if number == GRAPH]
    pairs = (_tensor(value) for graph in graphs for number, _, value in fields(graph) if number == INITIALIZER)
    return {name: values for name, values in pairs if values is not None}


def _tensor(message: Value) -> tuple[str, NDArray[np.float32] | None]:
    """The name of a tensor and its values; None for another type than float32."""
    of_tensor = [(number, value) for number, _, value in fields(message)]
    shape = [value for number, value in of_tensor if number == DIMS and isinstance(value, int)]
    known = dict(of_tensor)
    name = bytes(known.get(NAME, b"")).decode()
    if known.get(DATA_TYPE) != FLOAT or RAW_DATA not in known:
        return name, None
    return name, np.frombuffer(bytes(known[RAW_DATA]), "<f4").reshape(shape)

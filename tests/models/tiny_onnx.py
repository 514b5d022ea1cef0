"""A net in an ONNX file, written byte by byte: rounded to 8 bits as those for phones are, its weights in a file beside it."""

import csv
import io
import struct
import zipfile

import numpy as np

from audiocli.protobuf import BYTES, VARINT, message

UINT8, FLOAT = 2, 1
SCALE_IN, ZERO_IN, SCALE_OUT, ZERO_OUT = 0.05, 144, 0.25, 128


def node(kind, inputs, output):
    return message([*((1, BYTES, name) for name in inputs), (2, BYTES, output), (4, BYTES, kind)])


def value(name, elements, shape):
    """An input or output of a shape."""
    sizes = message([(1, BYTES, message([(1, VARINT, size)])) for size in shape])
    tensor = message([(1, VARINT, elements), (2, BYTES, sizes)])
    return message([(1, BYTES, name), (2, BYTES, message([(1, BYTES, tensor)]))])


def number(name, elements, raw):
    """A number that nodes know by its name."""
    return message([(2, VARINT, elements), (8, BYTES, name), (9, BYTES, raw)])


def beside(name, shape, file, length):
    """A tensor of float32 in another file."""
    where = [(b"location", file), (b"offset", b"0"), (b"length", str(length).encode())]
    entries = [(13, BYTES, message([(1, BYTES, key), (2, BYTES, text)])) for key, text in where]
    return message(
        [*((1, VARINT, size) for size in shape), (2, VARINT, FLOAT), (8, BYTES, name), *entries, (14, VARINT, 1)]
    )


def rounded(labels, file=b"model.data"):
    """class_scores [1, labels] = the mean of audio [1, 1, 96, 64] by weights [1, labels], all of it in uint8."""
    nodes = [
        node(b"DequantizeLinear", [b"audio", b"scale_in", b"zero_in"], b"real"),
        node(b"GlobalAveragePool", [b"real"], b"mean"),
        node(b"Flatten", [b"mean"], b"flat"),
        node(b"MatMul", [b"flat", b"weights"], b"logits"),
        node(b"QuantizeLinear", [b"logits", b"scale_out", b"zero_out"], b"class_scores"),
    ]
    numbers = [
        number(b"scale_in", FLOAT, struct.pack("<f", SCALE_IN)), number(b"zero_in", UINT8, bytes([ZERO_IN])),
        number(b"scale_out", FLOAT, struct.pack("<f", SCALE_OUT)), number(b"zero_out", UINT8, bytes([ZERO_OUT])),
        beside(b"weights", (1, labels), file, 4 * labels),
    ]  # fmt: skip
    graph = message(
        [*((1, BYTES, one) for one in nodes), (2, BYTES, b"tiny"), *((5, BYTES, one) for one in numbers),
         (11, BYTES, value(b"audio", UINT8, (1, 1, 96, 64))), (12, BYTES, value(b"class_scores", UINT8, (1, labels)))]
    )  # fmt: skip
    return message([(1, VARINT, 8), (8, BYTES, message([(1, BYTES, b""), (2, VARINT, 13)])), (7, BYTES, graph)])


def yamnet(folder, weights, names):
    """A folder as YAMNet's: the tiny net in its place, with weights [labels]."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("job_tiny")
        archive.writestr("job_tiny/model.onnx", rounded(len(weights)))
        archive.writestr("job_tiny/model.data", np.asarray(weights, "<f4").tobytes())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "YamNet_w8a8.onnx.zip").write_bytes(content.getvalue())
    with (folder / "yamnet_class_map.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["index", "mid", "display_name"])
        rows.writerows([n, f"/m/{n}", name] for n, name in enumerate(names))
    return folder

"""A net in an ONNX file, made by hand: rounded to 8 bits as those for phones are, its weights in a file beside it."""

import csv
import io
import zipfile

import numpy as np

from tests.models.handmade import UINT8, beside, model, node

SCALE_IN, ZERO_IN, SCALE_OUT, ZERO_OUT = 0.05, 144, 0.25, 128


def rounded(labels, file="model.data"):
    """class_scores [1, labels] = the mean of audio [1, 1, 96, 64] by weights [1, labels], all of it in uint8."""
    nodes = [
        node("DequantizeLinear", ["audio", "scale_in", "zero_in"], ["real"]),
        node("GlobalAveragePool", ["real"], ["mean"]),
        node("Flatten", ["mean"], ["flat"]),
        node("MatMul", ["flat", "weights"], ["logits"]),
        node("QuantizeLinear", ["logits", "scale_out", "zero_out"], ["class_scores"]),
    ]
    constants = {
        "scale_in": np.array(SCALE_IN, np.float32), "zero_in": np.array(ZERO_IN, np.uint8),
        "scale_out": np.array(SCALE_OUT, np.float32), "zero_out": np.array(ZERO_OUT, np.uint8),
    }  # fmt: skip
    outside = [beside("weights", (1, labels), file)]
    ends = {"audio": (1, 1, 96, 64)}, {"class_scores": (1, labels)}
    return model(
        nodes, constants, *ends, opset=13, types=dict.fromkeys(("audio", "class_scores"), UINT8), outside=outside
    )


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

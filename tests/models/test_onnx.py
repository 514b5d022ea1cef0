"""Nets in ONNX files: made here, byte by byte, so that no other library is needed."""

import struct

import numpy as np
import pytest

from audiocli.errors import DeviceError, ModelError
from audiocli.models import onnx


def field(number: int, value: int | bytes) -> bytes:
    """A field of a protocol buffer; numbers and lengths below 128."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value


def graph_value(name: str) -> bytes:
    """A float32 vector of any length."""
    tensor = field(1, 1) + field(2, field(1, field(2, b"n")))
    return field(1, name.encode()) + field(2, field(1, tensor))


def doubler() -> bytes:
    """y = x + x."""
    node = field(1, b"x") + field(1, b"x") + field(2, b"y") + field(4, b"Add")
    graph = field(1, node) + field(2, b"g") + field(11, graph_value("x")) + field(12, graph_value("y"))
    note = field(1, b"maker") + field(2, b"us")
    return field(1, 8) + field(8, field(1, b"") + field(2, 13)) + field(7, graph) + field(14, note)


def test_a_net_from_a_file_and_from_bytes(tmp_path):
    path = tmp_path / "double.onnx"
    path.write_bytes(doubler())
    for source in (path, doubler()):
        net = onnx.load(source, device="cpu", threads=1, takes=["x"])
        values = np.array([1.0, -2.5], np.float32)
        assert np.array_equal(net(x=values)[0], 2 * values)
        assert (list(net.inputs), net.outputs, net.metadata()) == (["x"], ("y",), {"maker": "us"})


@pytest.mark.parametrize("content", [b"", b"junk", struct.pack("<9d", *range(9)), doubler()[:-30]])
def test_what_is_no_net(tmp_path, content, capfd):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"^bad\.onnx is not an ONNX model, or is damaged: ") as caught:
        onnx.load(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_net_of_something_else():
    with pytest.raises(ModelError, match=r"^double is an ONNX model of something else: it has no input 'audio'"):
        onnx.load(doubler(), name="double", takes=["audio"])


def test_what_a_net_cannot_take(capfd):
    net = onnx.load(doubler(), name="double", device="cpu")
    with pytest.raises(ModelError, match=r"^double cannot work on this: "):
        net(x=np.zeros((2, 2), np.float64))
    assert capfd.readouterr() == ("", "")


def test_a_device_that_is_not_here():
    import onnxruntime

    if onnx.CUDA in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(DeviceError, match=r"--device cuda:0: this onnxruntime has no CUDA"):
        onnx.load(doubler(), device="cuda:0")

"""Nets in ONNX files: made by hand, so that no other library is needed."""

import struct

import numpy as np
import pytest

from audiocli.errors import DeviceError, DownloadError, ModelError
from audiocli.models import onnx
from tests.models.handmade import model, node


def doubler() -> bytes:
    """y = x + x."""
    nodes = [node("Add", ["x", "x"], ["y"])]
    return model(nodes, {}, {"x": ["n"]}, {"y": ["n"]}, notes=[("maker", "us")])


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
    with pytest.raises(
        DownloadError, match=r"^bad\.onnx is not an ONNX model, or is damaged: .* \(ask for it\)$"
    ) as caught:
        onnx.load(path, cure="ask for it")
    assert ("\n" in str(caught.value), caught.value.exit_code) == (False, 1)
    assert capfd.readouterr() == ("", "")


def test_a_net_of_something_else():
    with pytest.raises(
        ModelError, match=r"^double is an ONNX model of something else: it has no input 'audio'"
    ) as caught:
        onnx.load(doubler(), name="double", takes=["audio"])
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match=r"^there is no .*away\.onnx$") as caught:
        onnx.load(tmp_path / "away.onnx")
    assert caught.value.exit_code == 2


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

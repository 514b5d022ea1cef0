"""Rounding taken out of a net, against the net with it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocli import protobuf
from audiocli.errors import DownloadError
from audiocli.models import onnx
from audiocli.models.unquantised import unquantised
from tests.models import handmade, tiny_yamnet

WEIGHTS = np.array([1.0, -0.37, 2.13], np.float32)
BESIDE = {"model.data": WEIGHTS.tobytes()}


def test_it_computes_what_the_rounding_hid():
    """Exactly the closed form; the net as it was is away by half a step at most, and takes bytes."""
    real = np.random.default_rng(0).uniform(-3.0, 3.0, (1, 1, 96, 64)).astype(np.float32)
    net = onnx.load(unquantised(tiny_yamnet.rounded(3), "tiny"), device="cpu", takes=["audio"], beside=BESIDE)
    (exact,) = net(audio=real)
    np.testing.assert_allclose(exact, real.mean() * WEIGHTS[None], rtol=1e-5)
    steps = np.round(real / tiny_yamnet.SCALE_IN + tiny_yamnet.ZERO_IN).astype(np.uint8)
    (bytes_out,) = onnx.load(tiny_yamnet.rounded(3), device="cpu", beside=BESIDE)(audio=steps)
    assert bytes_out.dtype == np.uint8
    rough = tiny_yamnet.SCALE_OUT * (bytes_out.astype(np.float32) - tiny_yamnet.ZERO_OUT)
    assert np.abs(rough - exact).max() <= tiny_yamnet.SCALE_OUT / 2 + 0.01


@pytest.mark.parametrize("content", [b"junk", tiny_yamnet.rounded(3)[:-40], tiny_yamnet.rounded(3)[:100]])
def test_what_is_no_net(content):
    with pytest.raises(DownloadError, match=r"^tiny is not an ONNX model, or is damaged: its fields cannot be read"):
        unquantised(content, "tiny")


def test_weights_that_are_cut_off(capfd):
    with pytest.raises(DownloadError, match=r"^tiny is not an ONNX model, or is damaged: "):
        onnx.load(tiny_yamnet.rounded(3), name="tiny", device="cpu", beside={"model.data": WEIGHTS.tobytes()[:-1]})
    assert capfd.readouterr() == ("", "")


def test_a_net_that_leads_round_in_circles():
    """Two nodes that round each other's outputs, and a third that wants one: it ends."""
    nodes = [handmade.node("QuantizeLinear", [a], [b]) for a, b in (("x", "y"), ("y", "x"))]
    wants = handmade.node("Relu", ["x"], ["z"])
    graph = protobuf.message([(1, protobuf.BYTES, one) for one in (*nodes, wants)])
    left = protobuf.first(unquantised(protobuf.message([(7, protobuf.BYTES, graph)]), "round"), 7)
    assert [protobuf.first(value, 4) for _, _, value in protobuf.fields(left)] == [b"Relu"]


VALUES = st.one_of(
    st.tuples(st.integers(1, 2**20), st.just(protobuf.VARINT), st.integers(0, 2**63)),
    st.tuples(st.integers(1, 2**20), st.just(protobuf.BYTES), st.binary(max_size=300)),
    st.tuples(st.integers(1, 2**20), st.just(protobuf.FIXED_32), st.binary(min_size=4, max_size=4)),
    st.tuples(st.integers(1, 2**20), st.just(protobuf.FIXED_64), st.binary(min_size=8, max_size=8)),
)


@given(st.lists(VALUES, max_size=8))
def test_messages_come_back(some):
    assert list(protobuf.fields(protobuf.message(some))) == some

"""A net for whole clips becomes one that takes them piece by piece."""

import numpy as np
import pytest

from audiocli.errors import DownloadError
from audiocli.models import graph, onnx
from tests.models import handmade

HIDDEN, INSIDE = 3, 2


def recurrent(extra=()):
    """x [frames, 1, 2] through two GRUs: y [frames, 1, 3]."""
    random = np.random.default_rng(0)
    first = handmade.gru(random, INSIDE, HIDDEN)
    second = {name + "2": values for name, values in handmade.gru(random, HIDDEN, HIDDEN).items()}
    nodes = [
        handmade.node("GRU", ["x", "w", "r", "b"], ["a"], hidden_size=HIDDEN, linear_before_reset=1),
        handmade.node("Squeeze", ["a"], ["c"], axes=[1]),
        handmade.node("GRU", ["c", "w2", "r2", "b2", "", "zero"], ["d", "last"], hidden_size=HIDDEN),
        handmade.node("Squeeze", ["d"], ["y"], axes=[1]),
        *extra,
    ]
    constants = {**first, **second, "zero": np.zeros((1, 1, HIDDEN), np.float32)}
    return handmade.model(nodes, constants, {"x": ["n", 1, INSIDE]}, {"y": ["n", 1, HIDDEN]})


def test_states_go_from_piece_to_piece():
    sound = np.random.default_rng(1).standard_normal((40, 1, INSIDE)).astype(np.float32)
    (whole,) = onnx.load(recurrent(), device="cpu")(x=sound)
    changed, sizes = graph.stateful(recurrent(), "net")
    assert sizes == [HIDDEN, HIDDEN]
    net = onnx.load(changed, device="cpu", takes=["before0", "before1"])
    states, parts = [np.zeros((1, 1, size), np.float32) for size in sizes], []
    for piece in np.split(sound, [1, 2, 17]):
        part, *states = net(x=piece, before0=states[0], before1=states[1])
        parts.append(part)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)
    alone = net(x=sound[17:], before0=np.zeros_like(states[0]), before1=np.zeros_like(states[0]))[0]
    assert np.abs(alone - whole[17:]).max() > 0.1  # without the states it is another result


def test_pads_pass_on_what_they_get():
    nodes = [handmade.node("Pad", ["x", "p"], ["padded"]), handmade.node("Relu", ["padded"], ["y"])]
    constants = {"p": np.array([2, 0, 0, 0], np.int64)}
    content = handmade.model(nodes, constants, {"x": ["n", 1]}, {"y": ["m", 1]})
    ones = np.ones((3, 1), np.float32)
    assert len(onnx.load(content, device="cpu")(x=ones)[0]) == 5
    changed, sizes = graph.stateful(content, "net")
    assert sizes == []
    assert len(onnx.load(changed, device="cpu")(x=ones)[0]) == 3


@pytest.mark.parametrize("content", [b"", b"junk", b"\xff" * 9, recurrent()[:-30], recurrent()[:3]])
def test_what_is_no_net(content):
    with pytest.raises(DownloadError, match=r"^net\.onnx is not an ONNX model, or is damaged"):
        graph.stateful(content, "net.onnx")

"""Noise from outside, against what the net is known to compute, and against the net that draws it itself."""

import numpy as np
import pytest

from audiocli.errors import DownloadError
from audiocli.models import onnx
from audiocli.verbs.speak.piper_noise import from_outside
from tests.models.handmade import model, node


def doubled():
    """y = a + b: two draws in the shape of x [rows, columns]."""
    nodes = [node("RandomNormalLike", ["x"], [one]) for one in "ab"] + [node("Add", ["a", "b"], ["y"])]
    return model(nodes, {}, {"x": ["rows", "columns"]}, {"y": ["rows", "columns"]})


def test_each_draw_takes_its_own_numbers_round_and_round():
    net = onnx.load(from_outside(doubled(), "tiny"), device="cpu", threads=1)
    assert net.inputs == {"x": ("rows", "columns"), "noise0": ("noise0/any",), "noise1": ("noise1/any",)}
    numbers = np.random.default_rng(0).standard_normal((2, 7)).astype(np.float32)
    for shape in ((1, 3), (2, 2), (3, 5)):
        (found,) = net(x=np.zeros(shape, np.float32), noise0=numbers[0], noise1=numbers[1, :4])
        want = np.resize(numbers[0], shape) + np.resize(numbers[1, :4], shape)
        assert np.array_equal(found, want)


def test_a_net_that_draws_goes_on_from_call_to_call():
    """The reason for all this: the same input gives something else."""
    net, x = onnx.load(doubled(), name="tiny", device="cpu", threads=1), np.zeros((1, 9), np.float32)
    assert not np.array_equal(net(x=x)[0], net(x=x)[0])


def test_a_net_without_noise_stays_as_it_is():
    plain = model([node("Add", ["x", "x"], ["y"])], {}, {"x": ["n"]}, {"y": ["n"]})
    assert from_outside(plain, "tiny") == plain


@pytest.mark.parametrize("content", [b"junk", doubled()[:-9], doubled()[:50]])
def test_what_is_no_net(content):
    with pytest.raises(DownloadError, match=r"^tiny is not an ONNX model, or is damaged$"):
        from_outside(content, "tiny")

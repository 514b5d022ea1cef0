"""Any cutting into blocks gives the frames of the whole signal."""

import itertools

import numpy as np
import pytest
from audiocli.kernels.framing import Framer, frame_count, pad_ends
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels import naive_spectral as naive


def framed(samples, cuts, frame_length, hop_length, padding):
    """All frames that a Framer gives for samples cut at `cuts`."""
    framer = Framer(frame_length, hop_length, padding)
    rows = []
    edges = [0, *sorted(cuts), len(samples)]
    chunks = [framer.push(samples[a:b]) for a, b in itertools.pairwise(edges)]
    for chunk in [*chunks, framer.finish()]:
        starts = hop_length * np.arange(frame_count(chunk.size, frame_length, hop_length))
        rows += [chunk[start : start + frame_length] for start in starts]
    return np.array(rows).reshape(-1, frame_length)


@given(
    n=st.integers(0, 200),
    frame_length=st.integers(1, 40),
    hop_length=st.integers(1, 60),
    padding=st.sampled_from(["constant", "edge", "reflect", "none"]),
    data=st.data(),
)
def test_blocks_give_the_frames_of_the_whole(n, frame_length, hop_length, padding, data):
    samples = np.arange(1, n + 1, dtype=np.float32)
    cuts = data.draw(st.lists(st.integers(0, n), max_size=6))
    expected = naive.frames(samples, frame_length, hop_length, padding)
    np.testing.assert_array_equal(framed(samples, cuts, frame_length, hop_length, padding), expected)


@given(
    n=st.integers(0, 50),
    frame_length=st.integers(1, 40),
    padding=st.sampled_from(["constant", "edge", "reflect", "none"]),
)
def test_pad_ends_is_numpy_pad(n, frame_length, padding):
    samples = np.arange(1, n + 1, dtype=np.float32)
    side = 0 if padding == "none" else frame_length // 2
    expected = np.pad(samples, side, mode="constant" if padding == "none" else padding) if n else samples
    np.testing.assert_array_equal(pad_ends(samples, frame_length, padding), expected)


def test_a_million_samples_one_by_one_keep_no_more_than_a_frame():
    framer = Framer(512, 160, "reflect")
    for _ in range(5_000):
        framer.push(np.zeros(100, np.float32))
    assert framer._kept.size < 512
    assert framer._tail.size <= 257


@pytest.mark.parametrize(("frame_length", "hop_length", "padding"), [(0, 1, "none"), (1, 0, "none"), (4, 2, "wrap")])
def test_refuses(frame_length, hop_length, padding):
    with pytest.raises(ValueError, match="must be"):
        Framer(frame_length, hop_length, padding)

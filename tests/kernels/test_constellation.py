"""Constellation kernels equal their twins, and shrug at silence, NaN and what is too short."""

import numpy as np
import pytest
from audiocli.kernels import constellation
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels import naive_constellation as naive

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(("frames", "bins"), [(1, 1), (3, 5), (8, 10), (0, 2)])
@pytest.mark.parametrize("levels", [3, 1_000_000])  # few levels: many cells are equal
def test_peaks_equal_twin(frames, bins, levels):
    power = RANDOM.integers(0, levels, (40, 60)).astype(np.float32)
    found = constellation.peaks(power, frames, bins, 0.5)
    assert list(zip(*map(np.ndarray.tolist, found), strict=True)) == naive.peaks(power, frames, bins, 0.5)


def test_peaks_of_silence_nan_and_nothing():
    assert not len(constellation.peaks(np.zeros((30, 30)), 2, 2)[0])
    assert not len(constellation.peaks(np.zeros((0, 30)), 2, 2)[0])
    assert not len(constellation.peaks(np.full((5, 5), np.nan), 2, 2)[0])
    power = np.zeros((9, 9), np.float32)
    power[4, 4], power[4, 5] = 1.0, np.nan
    assert [part.tolist() for part in constellation.peaks(power, 2, 2)] == [[4], [4]]


def test_peaks_of_what_is_not_contiguous():
    power = RANDOM.random((40, 80)).astype(np.float32)
    for view in (power[:, ::2], power.T, power[::-1]):
        here, there = constellation.peaks(view, 2, 3), constellation.peaks(view.copy(), 2, 3)
        assert all(np.array_equal(a, b) for a, b in zip(here, there, strict=True))


def test_a_plateau_is_one_peak():
    assert [part.tolist() for part in constellation.peaks(np.ones((4, 4)), 4, 4)] == [[0], [0]]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=40), st.integers(1, 6))
def test_hashes_equal_twin(stars, fan_out):
    stars = sorted(set(stars))
    frames, bins = zip(*stars, strict=True) if stars else ((), ())
    codes, anchors = constellation.hashes(np.array(frames, np.int32), np.array(bins, np.int32), fan_out)
    assert list(zip(codes.tolist(), anchors.tolist(), strict=True)) == naive.hashes(stars, fan_out)
    assert (codes < constellation.HASHES).all()


@pytest.mark.parametrize("seed", range(5))
def test_agreement_equals_twin(seed):
    random = np.random.default_rng(seed)
    track = sorted(zip(random.integers(0, 20, 200).tolist(), random.integers(0, 90, 200).tolist(), strict=True))
    query = [*zip(random.integers(0, 25, 50).tolist(), random.integers(0, 30, 50).tolist(), strict=True)]
    columns = [np.array(column) for column in (*zip(*track, strict=True), *zip(*query, strict=True))]
    assert constellation.agreement(*columns) == naive.agreement(track, query)


def test_agreement_finds_where_a_piece_lies():
    codes, when = RANDOM.integers(0, 2**21, 500).astype(np.uint32), np.arange(500, dtype=np.int32)
    order = np.argsort(codes)
    count, slots, distance, _ = constellation.agreement(codes[order], when[order], codes[200:300], np.arange(100))
    assert (count, slots, distance) == (100, 7, 200)
    assert constellation.agreement(codes[order], when[order], [], []) == (0, 0, 0, 0)
    assert constellation.agreement([], [], codes, when) == (0, 0, 0, 0)


def test_what_makes_no_sense():
    with pytest.raises(ValueError, match="no peaks"):
        constellation.peaks(np.zeros(5), 1, 1)
    with pytest.raises(ValueError, match="bins of peaks"):
        constellation.hashes([1, 2], [3, 256], 2)
    with pytest.raises(ValueError, match="no pairs"):
        constellation.hashes([1, 2], [3, 4], 0)
    with pytest.raises(ValueError, match="one frame"):
        constellation.agreement([1], [1, 2], [1], [1])

"""Resampling: quality, exact length, and blocks that make no difference."""

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocli.audio import blocks
from audiocli.errors import InputError


def resample(samples, old, new, length=None):
    """samples [n, channels] in pieces of `length`."""
    pieces = [
        samples[i : i + (length or len(samples) or 1)] for i in range(0, len(samples), length or len(samples) or 1)
    ]
    return np.concatenate(list(blocks.resampled(pieces, old, new, samples.shape[1])))


def sine(hz, rate, seconds=1.0):
    return np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate).astype(np.float32)[:, None]


@pytest.mark.parametrize(
    ("old", "new"), [(44_100, 16_000), (48_000, 16_000), (8_000, 16_000), (16_000, 44_100), (22_050, 48_000)]
)
def test_a_tone_stays_the_tone(old, new):
    got = resample(sine(1000, old), old, new)
    inner = slice(new // 10, -new // 10)
    assert np.abs(got - sine(1000, new))[inner].max() < 1e-4


@pytest.mark.parametrize("hz", [8_800, 10_000, 15_000, 20_000])
def test_what_is_above_half_the_new_rate_is_gone(hz):
    got = resample(sine(hz, 44_100), 44_100, 16_000)
    assert 20 * np.log10(np.abs(got[1600:-1600]).max()) < -100  # dB


@given(
    n=st.integers(0, 3000),
    old=st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000]) | st.integers(1_000, 200_000),
    new=st.sampled_from([8_000, 16_000, 24_000, 44_100, 48_000]),
    length=st.integers(1, 1000),
    channels=st.integers(1, 3),
)
@settings(max_examples=150, deadline=None)
def test_length_is_exact_and_blocks_are_as_the_whole(n, old, new, length, channels):
    samples = np.random.default_rng(n).uniform(-1, 1, (n, channels)).astype(np.float32)
    parts = (
        resample(samples, old, new, length)
        if n
        else np.concatenate(list(blocks.resampled([], old, new, channels)) or [samples])
    )
    assert abs(len(parts) - n * new / old) <= 0.5
    if n and old != new:
        np.testing.assert_array_equal(parts, soxr.resample(samples, old, new, "HQ"))


def test_the_same_rate_passes_through():
    samples = sine(440, 8_000)
    assert next(blocks.resampled([samples], 8_000, 8_000, 1)) is samples


def test_a_rate_of_100_hz_makes_no_giant_block():
    samples = np.ones((30_000, 1), np.float32)
    parts = list(blocks.resampled([samples], 100, 48_000, 1))
    assert sum(map(len, parts)) == 300 * 48_000
    assert max(map(len, parts)) < 2**20


def test_rates_that_are_too_far_apart():
    with pytest.raises(InputError, match="cannot be resampled"):
        list(blocks.resampled([], 0, 16_000, 1))


def test_finite_does_not_depend_on_the_blocks():
    samples = np.random.default_rng(0).uniform(-1, 1, (1000, 7)).astype(np.float32)
    samples[7, 3] = np.nan
    warnings = []
    clean = np.concatenate(list(blocks.finite([samples[:5].copy(), samples[5:].copy()], warnings)))
    assert warnings == ["1 sample was NaN or infinite: read as 0"]
    assert clean[7, 3] == 0.0
    assert np.count_nonzero(clean != samples) == 1


def warnings_for(samples, subtype, size=700):
    """The warnings about the level of samples [n]."""
    warnings = []
    found = [samples[i : i + size, None].astype(np.float32) for i in range(0, len(samples), size)]
    assert sum(map(len, blocks.plausible(found, subtype, warnings))) == len(samples)
    return warnings


def test_levels_that_cannot_be_right_are_reported():
    tone = 0.5 * sine(220, 8_000)[:, 0].astype(np.float64)
    (note,) = warnings_for(32_768 * tone, "FLOAT")
    assert "16384 times full scale" in note
    low = np.rint(2.0**23 * tone) / 2.0**31  # 24 bits in the low bytes of 32
    (note,) = warnings_for(low, "PCM_32")
    assert "-54 dB only" in note


@pytest.mark.parametrize(
    ("gain", "subtype", "bits"),
    [(8.0, "FLOAT", None), (100.0, "DOUBLE", None), (1e-3, "PCM_16", 16), (1e-3, "FLOAT", None), (1e-3, "PCM_32", 24),
     (1.0, "PCM_32", 32), (0.0, "PCM_32", 32), (1e-7, "PCM_32", 32)],
)  # fmt: skip
def test_levels_of_ordinary_files_are_not(gain, subtype, bits):
    samples = 0.5 * gain * sine(220, 8_000)[:, 0].astype(np.float64)
    if bits:
        samples = np.rint(samples * 2.0 ** (bits - 1)) / 2.0 ** (bits - 1)
    assert warnings_for(samples, subtype) == []

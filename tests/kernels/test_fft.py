"""The transforms of many frames at once: against NumPy in float64, and what holds of every Fourier transform."""

import numpy as np
import pytest
from audiocli.kernels.lanes import WIDTH, fft
from audiocli.kernels.lanes.frames import aligned
from hypothesis import given
from hypothesis import strategies as st

SIZES = (256, 400, 512, 1024, 2048)
# Every radix alone, an odd number of points, many stages, and parts that stay in the cache.
OTHERS = (4, 8, 10, 20, 50, 100, 128, 640, 800, 1000, 4096, 5000, 8192)
sizes = st.sampled_from((*SIZES, *OTHERS[:10]))


def frames(n_fft, seed=0):
    """[n_fft, WIDTH] normal."""
    return np.random.default_rng(seed).standard_normal((n_fft, WIDTH)).astype(np.float32)


def transformed(x):
    """Z [M, WIDTH] of real frames [n_fft, WIDTH], as pairs of samples."""
    plan, z = fft.plan(len(x)), aligned(x.size)
    z[:] = x.reshape(-1)
    fft.transform(z, plan)
    parts = z.reshape(-1, 2, WIDTH)[plan.order]
    return parts[:, 0] + 1j * parts[:, 1]


def power(x):
    """[bins, WIDTH] of real frames [n_fft, WIDTH]."""
    plan, z, out = fft.plan(len(x)), aligned(x.size), aligned((len(x) // 2 + 1) * WIDTH)
    z[:] = x.reshape(-1)
    fft.transform(z, plan)
    fft.power(z, plan, out)
    return out.reshape(-1, WIDTH).copy()


@pytest.mark.parametrize("n_fft", [*SIZES, *OTHERS])
def test_both_steps_equal_numpy(n_fft):
    x = frames(n_fft)
    expected = np.fft.fft(x[::2].astype(np.float64) + 1j * x[1::2], axis=0)
    np.testing.assert_allclose(transformed(x), expected, atol=5e-7 * np.abs(expected).max())
    expected = np.abs(np.fft.rfft(x.astype(np.float64), axis=0)) ** 2
    np.testing.assert_allclose(power(x), expected, atol=1e-6 * expected.max())


@pytest.mark.parametrize("n_fft", SIZES)
def test_errors_are_no_larger_than_those_of_scipy(n_fft):
    import scipy.fft

    x = frames(n_fft, 1)
    exact = np.abs(np.fft.rfft(x.astype(np.float64), axis=0)) ** 2
    theirs = np.abs(scipy.fft.rfft(x, axis=0).astype(np.complex128)) ** 2
    errors = [np.sqrt(np.mean((values - exact) ** 2)) for values in (power(x), theirs)]
    assert errors[0] < 1.5 * errors[1]


@pytest.mark.parametrize("n_fft", [0, 1, 2, 3, 6, 14, 441, 480, 511, 960, 10_000, 16_384])
def test_sizes_without_a_plan(n_fft):
    assert fft.plan(n_fft) is None


@pytest.mark.parametrize("n_fft", [*SIZES, *OTHERS])
def test_order_is_a_permutation(n_fft):
    np.testing.assert_array_equal(np.sort(fft.plan(n_fft).order), np.arange(n_fft // 2))


@given(sizes, st.integers(0, 99))
def test_energy_stays(n_fft, seed):
    x = frames(n_fft, seed)
    weights = np.full(n_fft // 2 + 1, 2.0)
    weights[[0, -1]] = 1.0
    np.testing.assert_allclose(weights @ power(x) / n_fft, (x.astype(np.float64) ** 2).sum(axis=0), rtol=1e-5)


@given(sizes, st.integers(0, 99), st.floats(-2.0, 2.0, width=32))
def test_the_transform_of_a_sum_is_the_sum(n_fft, seed, factor):
    x, y = frames(n_fft, seed), frames(n_fft, seed + 100)
    expected = transformed(x) + np.float32(factor) * transformed(y)
    np.testing.assert_allclose(transformed(x + np.float32(factor) * y), expected, atol=3e-6 * np.abs(expected).max())


@given(sizes, st.integers(0, 2047), st.integers(0, 99))
def test_a_circular_shift_keeps_the_power(n_fft, shift, seed):
    x = frames(n_fft, seed)
    expected = power(x)
    np.testing.assert_allclose(power(np.roll(x, shift, axis=0)), expected, atol=2e-6 * expected.max())


@pytest.mark.parametrize("n_fft", SIZES)
def test_a_lane_does_not_see_the_others(n_fft):
    x = frames(n_fft)
    alone = np.full_like(x, np.nan)
    alone[:, WIDTH - 1] = x[:, 0]
    got = power(alone)
    np.testing.assert_array_equal(got[:, -1], power(x)[:, 0])
    assert np.isnan(got[:, : WIDTH - 1]).all()


@pytest.mark.parametrize("n_fft", SIZES)
def test_a_tone_on_a_bin(n_fft):
    k = np.arange(WIDTH) + 1
    x = np.cos(2 * np.pi * np.arange(n_fft)[:, None] * k / n_fft).astype(np.float32)
    got = power(x)
    np.testing.assert_allclose(got[k, np.arange(WIDTH)], (n_fft / 2) ** 2, rtol=1e-5)
    got[k, np.arange(WIDTH)] = 0.0
    assert got.max() < 1e-10 * n_fft**2

"""The kernels around DeepFilterNet against slow references in double precision."""

import itertools

import numpy as np
import pytest
from audiocli.kernels import deepfilter

RATE, N_FFT, BANDS, LOW = 48_000, 960, 32, 96
KEEP = np.float32(0.99)


def noise(frames, seed=0, bins=N_FFT // 2 + 1):
    real, imaginary = 1e-3 * np.random.default_rng(seed).standard_normal((2, frames, bins))
    return (real + 1j * imaginary).astype(np.complex64)


def test_the_bands_of_the_published_model():
    widths = np.diff(deepfilter.band_edges(RATE, N_FFT, BANDS, 2))
    assert widths.tolist() == [2] * 13 + [5, 5, 7, 7, 8, 10, 12, 13, 15, 18, 20, 24, 28, 31, 37, 42, 50, 56, 67]


@pytest.mark.parametrize(
    ("rate", "n_fft", "bands", "least"), [(48_000, 96, 4, 1), (16_000, 320, 24, 2), (48_000, 960, 32, 3)]
)
def test_bands_cover_all_bins_once(rate, n_fft, bands, least):
    edges = deepfilter.band_edges(rate, n_fft, bands, least)
    assert (edges[0], edges[-1], len(edges)) == (0, n_fft // 2 + 1, bands + 1)
    assert np.diff(edges)[:-1].min() >= least


def test_the_squares_of_the_window_sum_to_one():
    squares = deepfilter.window(N_FFT).astype(float) ** 2
    np.testing.assert_allclose(squares[: N_FFT // 2] + squares[N_FFT // 2 :], 1.0, atol=1e-6)


def slow_features(frames, lifts, edges):
    """As the paper has them, with the averages of sound that is made louder."""
    levels, sizes = np.linspace(-60, -90, BANDS), np.linspace(1e-3, 1e-4, LOW)
    bands, low = [], []
    for frame, lift in zip(frames.astype(complex), lifts, strict=True):
        power = np.array([np.mean(np.abs(frame[a:b]) ** 2) for a, b in itertools.pairwise(edges)])
        decibels = 10 * np.log10(power + 1e-10 / lift**2)
        levels = 0.01 * decibels + 0.99 * levels
        bands.append((decibels - levels) / 40)
        sizes = 0.01 * np.abs(frame[:LOW]) + 0.99 * sizes
        low.append(frame[:LOW] * lift / np.sqrt(lift * sizes))
    low = np.array(low)
    return np.array(bands), np.stack([low.real, low.imag])


@pytest.mark.parametrize("cut", [0, 1, 13])
def test_features_against_a_slow_reference(cut):
    frames, edges = noise(60), deepfilter.band_edges(RATE, N_FFT, BANDS, 2)
    lifts = np.linspace(10, 1, 60).astype(np.float32)
    averages = deepfilter.first_averages(BANDS, LOW)
    bands, low = np.empty((60, BANDS), np.float32), np.empty((2, 60, LOW), np.float32)
    for part in (slice(0, cut), slice(cut, 60)):
        some = np.empty((2, len(frames[part]), LOW), np.float32)
        deepfilter.features(frames[part], lifts[part], edges, KEEP, *averages, bands[part], some)
        low[:, part] = some
    wanted = slow_features(frames, lifts, edges)
    np.testing.assert_allclose(bands, wanted[0], atol=2e-5)
    np.testing.assert_allclose(low, wanted[1], rtol=2e-4, atol=1e-5)


def test_filters_against_a_slow_reference():
    frames, order, ahead = 7, 5, 2
    sound, edges = noise(frames + order - 1), deepfilter.band_edges(RATE, N_FFT, BANDS, 2)
    random = np.random.default_rng(1)
    gains = random.uniform(size=(frames, BANDS)).astype(np.float32)
    taps = random.standard_normal((frames, LOW, 2 * order)).astype(np.float32)
    found = np.empty((frames, N_FFT // 2 + 1), np.complex64)
    deepfilter.filtered(sound, edges, gains, taps, ahead, found)
    wanted = np.repeat(gains, np.diff(edges), axis=1) * sound[order - 1 - ahead :][:frames]
    factors = taps[..., ::2] + 1j * taps[..., 1::2]
    wanted[:, :LOW] = sum(sound[n : n + frames, :LOW] * factors[..., n] for n in range(order))
    np.testing.assert_allclose(found, wanted, atol=1e-7)


def middle(sound, powers=None):
    out = np.empty_like(sound[0])
    deepfilter.middle(sound, np.zeros(2, np.float32) if powers is None else powers, KEEP, out)
    return out


def test_the_middle_of_channels():
    left, right, third = noise(5, 0), noise(5, 1), noise(5, 2)
    np.testing.assert_array_equal(middle(left[None]), left)
    np.testing.assert_allclose(middle(np.stack([left, right])), (left + right) / 2, atol=1e-9)
    np.testing.assert_allclose(middle(np.stack([left, right, third])), (left + right + third) / 3, atol=1e-9)


def test_opposite_channels_do_not_cancel():
    left = noise(5)
    np.testing.assert_allclose(middle(np.stack([left, -left])), left, atol=1e-9)

"""Descriptors equal their definitions, librosa's numbers, and themselves block by block."""

from collections.abc import Callable
from typing import Any

import librosa
import numpy as np
import pytest
from audiocli.kernels import descriptors
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from tests.kernels import naive_descriptors as naive

Array = NDArray[Any]
RNG = np.random.default_rng(0)
N_FFT, SAMPLE_RATE = 512, 16000
FREQUENCIES = np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE)
MAGNITUDE = np.abs(RNG.standard_normal((37, FREQUENCIES.size))).astype(np.float32)
POWER = np.square(MAGNITUDE)
# Relative, of float32 results against float64 ones.
TOLERANCE = 2e-6

# Each with its twin; all take spectra first and give one number per frame.
PAIRS: dict[str, tuple[Callable[..., Array], Callable[..., Array]]] = {
    "centroid": (lambda s: descriptors.centroid(s, FREQUENCIES), lambda s: naive.centroid(s, FREQUENCIES)),
    "bandwidth": (lambda s: descriptors.bandwidth(s, FREQUENCIES), lambda s: naive.bandwidth(s, FREQUENCIES)),
    "rolloff": (lambda s: descriptors.rolloff(s, FREQUENCIES), lambda s: naive.rolloff(s, FREQUENCIES)),
    "flatness": (descriptors.flatness, naive.flatness),
    "flatness of power": (lambda s: descriptors.flatness(s, exponent=1), lambda s: naive.flatness(s, exponent=1)),
    "flux": (descriptors.flux, naive.flux),
    "shape": (
        lambda s: np.array(descriptors.shape(s, FREQUENCIES)).T,
        lambda s: np.array(naive.shape(s, FREQUENCIES)).T,
    ),
}
each = pytest.mark.parametrize("name", PAIRS)
quick = settings(deadline=None, max_examples=50)  # no deadline: the first example waits for the compiler


# Against the twin


@each
def test_equals_twin(name: str) -> None:
    ours, twin = PAIRS[name]
    np.testing.assert_allclose(ours(MAGNITUDE), twin(MAGNITUDE), rtol=TOLERANCE)


@each
def test_silence_is_finite(name: str) -> None:
    ours, twin = PAIRS[name]
    silence = np.zeros((3, FREQUENCIES.size), np.float32)
    assert np.isfinite(ours(silence)).all()
    np.testing.assert_allclose(ours(silence), twin(silence), rtol=TOLERANCE)


@each
def test_nan_stays_in_its_frame(name: str) -> None:
    ours, _ = PAIRS[name]
    spoilt = MAGNITUDE.copy()
    spoilt[5, 7] = np.nan
    clean, found = ours(MAGNITUDE), ours(spoilt)
    assert np.isnan(found[5]).all()
    others = np.arange(len(found)) != 5
    others[6] = "flux" not in name and name != "shape"  # it rises from the NaN
    np.testing.assert_array_equal(found[others], clean[others])


@each
def test_takes_every_layout(name: str) -> None:
    ours, _ = PAIRS[name]
    expected = ours(MAGNITUDE)
    np.testing.assert_array_equal(ours(np.asfortranarray(MAGNITUDE)), expected)
    np.testing.assert_array_equal(ours(np.repeat(MAGNITUDE, 2, axis=0)[::2]), expected)
    np.testing.assert_array_equal(ours(MAGNITUDE.astype(np.float64)), expected)


@each
@pytest.mark.parametrize("n", [0, 1])
def test_few_frames(name: str, n: int) -> None:
    ours, _ = PAIRS[name]
    found = ours(MAGNITUDE[:n])
    assert len(found) == n
    np.testing.assert_array_equal(found, ours(MAGNITUDE)[:n])


@quick
@given(
    hnp.arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(1, 80)), elements=st.floats(0, 1e6, width=32)),
)
def test_any_spectra_equal_twin(spectra: Array) -> None:
    frequencies = np.linspace(0, 4000, spectra.shape[1])
    found = descriptors.shape(spectra, frequencies)
    for ours, twin in zip(found, naive.shape(spectra, frequencies), strict=True):
        np.testing.assert_allclose(ours, twin, rtol=1e-5, atol=1e-3)


# Block by block


@pytest.mark.parametrize("size", [1, 5, 36])
def test_blocks_equal_whole(size: int) -> None:
    whole = np.array(descriptors.shape(POWER, FREQUENCIES))
    flux = descriptors.flux(MAGNITUDE)
    for start in range(0, len(POWER), size):
        part = slice(start, start + size)
        before = (POWER[start - 1], MAGNITUDE[start - 1]) if start else (None, None)
        np.testing.assert_array_equal(descriptors.shape(POWER[part], FREQUENCIES, before[0]), whole[:, part])
        np.testing.assert_array_equal(descriptors.flux(MAGNITUDE[part], before[1]), flux[part])


# Closed forms


def test_a_tone_has_its_frequency_and_no_width() -> None:
    tones = np.eye(FREQUENCIES.size, dtype=np.float32)[[3, 100]]
    found = descriptors.shape(tones, FREQUENCIES)
    for values in (found.centroid, found.rolloff):
        np.testing.assert_allclose(values, FREQUENCIES[[3, 100]])
    np.testing.assert_allclose(found.bandwidth, 0, atol=1e-6)
    assert (found.flatness < 1e-6).all()


def test_an_impulse_is_white() -> None:
    impulse = np.zeros(N_FFT)
    impulse[7] = 1.0
    spectra = np.abs(np.fft.rfft(impulse))[None]
    nyquist = SAMPLE_RATE / 2
    np.testing.assert_allclose(descriptors.flatness(spectra), 1, rtol=1e-6)
    np.testing.assert_allclose(descriptors.centroid(spectra, FREQUENCIES), nyquist / 2, rtol=1e-6)
    np.testing.assert_allclose(descriptors.bandwidth(spectra, FREQUENCIES), nyquist / np.sqrt(12), rtol=1e-2)
    np.testing.assert_allclose(descriptors.rolloff(spectra, FREQUENCIES, 0.5), nyquist / 2, rtol=1e-2)


def test_white_noise_has_the_flatness_of_an_exponential() -> None:
    # The power of a bin of white noise is exponential: E[ln p] - ln E[p] = -0.5772.
    noise = RNG.standard_normal((400, N_FFT))
    spectra = np.abs(np.fft.rfft(noise))[:, 1:-1]
    assert descriptors.flatness(spectra).mean() == pytest.approx(np.exp(-np.euler_gamma), rel=0.01)


def test_flux_counts_rises_only() -> None:
    spectra = np.array([[1, 1], [3, 0], [3, 0], [0, 4]], np.float32)
    np.testing.assert_array_equal(descriptors.flux(spectra), [0, 1, 0, 2])
    np.testing.assert_array_equal(descriptors.flux(spectra, np.array([0, 1])), [0.5, 1, 0, 2])


def test_flatness_of_many_bins() -> None:
    # More bins than mantissas go into one product, the largest mantissas, and the ends of the range.
    spectra = np.repeat(np.array([1.9999999, 3.4e38, 1.2e-38], np.float32), 5000).reshape(3, 5000)
    np.testing.assert_allclose(descriptors.flatness(spectra, exponent=1, floor=1.2e-38), 1, rtol=1e-6)


# Against librosa, given float64 (in float32 its running sum rounds to another rolloff bin now and then)


@pytest.mark.parametrize("name", ["centroid", "bandwidth", "rolloff", "flatness"])
def test_equals_librosa(name: str) -> None:
    spectra = MAGNITUDE * np.linspace(1, 0, FREQUENCIES.size, dtype=np.float32) ** 3
    peer = getattr(librosa.feature, f"spectral_{name}")
    extra = {} if name == "flatness" else {"freq": FREQUENCIES}
    expected = peer(S=spectra.T.astype(np.float64), **extra)[0]
    np.testing.assert_allclose(getattr(descriptors.shape(spectra**2, FREQUENCIES), name), expected, rtol=5e-6)
    np.testing.assert_allclose(getattr(descriptors, name)(spectra, *extra.values()), expected, rtol=5e-6)


# Errors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: descriptors.centroid(np.ones(5), np.ones(5)), "frames, bins"),
        (lambda: descriptors.centroid(np.ones((2, 5)), np.ones(4)), "do not fit"),
        (lambda: descriptors.flux(np.ones((2, 5)), np.ones(4)), "does not fit"),
        (lambda: descriptors.rolloff(np.ones((2, 5)), np.ones(5), 1.0), "fraction"),
        (lambda: descriptors.flatness(np.ones((2, 5)), floor=0.0), "floor"),
        (lambda: descriptors.flatness(np.ones((2, 5)), exponent=3), "exponent"),
        (lambda: descriptors.flatness(np.ones((2, 0))), "frames, bins"),
    ],
)
def test_errors_name_the_argument(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()

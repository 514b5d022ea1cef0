"""Mu-law codes equal the float64 definition for every input, and decode undoes them."""

from typing import Any

import numpy as np
import pytest
import torch
import torchaudio
from audiocli.kernels import mulaw
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from tests.kernels import naive_mulaw

MUS = st.sampled_from(mulaw.MUS)
SOME_MUS = [1, 3, 255, 1023, 65535]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=40)
SAMPLES = hnp.arrays(np.float32, SHAPES, elements=st.floats(-1.5, 1.5, width=32))
quick = settings(deadline=None, max_examples=60)  # no deadline: the first example waits for the compiler


def assert_exact(x: NDArray[Any], mu: int) -> None:
    np.testing.assert_array_equal(mulaw.encode(x, mu), naive_mulaw.encode(x, mu))


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads start at 10 samples each instead of a million."""
    monkeypatch.setattr(mulaw, "SAMPLES_PER_THREAD", 10)


# Exactness


@pytest.mark.parametrize("mu", mulaw.MUS)
def test_thresholds_are_where_the_code_steps(mu: int) -> None:
    steps = mulaw.thresholds(mu)
    codes = np.arange(1, mu + 1)
    np.testing.assert_array_equal(naive_mulaw.encode(steps, mu), codes)
    np.testing.assert_array_equal(naive_mulaw.encode(np.nextafter(steps, np.float32(-2)), mu), codes - 1)


@pytest.mark.parametrize("mu", mulaw.MUS)
def test_exact_around_every_threshold(mu: int) -> None:
    bits = mulaw.thresholds(mu).view(np.int32)
    assert_exact((bits[:, None] + np.arange(-3, 4, dtype=np.int32)).view(np.float32), mu)


@pytest.mark.parametrize("mu", SOME_MUS)
def test_exact_on_random_bit_patterns(mu: int) -> None:
    bits = np.random.default_rng(mu).integers(0, 2**32, 300_000, dtype=np.uint32)
    with np.errstate(invalid="ignore"):  # some of them are signalling NaNs
        assert_exact(bits.view(np.float32), mu)


@pytest.mark.parametrize("mu", SOME_MUS)
def test_exact_on_random_samples(mu: int) -> None:
    random = np.random.default_rng(mu)
    samples = random.uniform(-1.2, 1.2, 100_003) * 2.0 ** random.integers(-40, 1, 100_003)
    assert_exact(samples.astype(np.float32), mu)


@pytest.mark.parametrize("mu", SOME_MUS)
def test_exact_on_special_values(mu: int) -> None:
    x = np.array([0, 1e-45, 3e-39, 2**-126, 1, 1 + 2**-23, 3.4e38, np.inf, np.nan], np.float32)  # 1e-45 is the smallest
    assert_exact(np.concatenate([x, -x]), mu)


@pytest.mark.parametrize("mu", SOME_MUS)
def test_nan_is_the_middle_and_infinity_the_end(mu: int) -> None:
    x = np.array([np.nan, -np.nan, 0, np.inf, -np.inf], np.float32)
    assert mulaw.encode(x, mu).tolist() == [(mu + 1) // 2] * 3 + [mu, 0]


@pytest.mark.parametrize("mu", mulaw.MUS)
def test_exact_on_every_int16(mu: int) -> None:
    assert_exact(np.arange(-32768, 32768).astype(np.int16), mu)


@pytest.mark.slow
def test_exact_on_every_float32_from_minus_one_to_one() -> None:
    """All 2.1 billion of them at mu = 255."""
    one, chunk = int(np.float32(1).view(np.uint32)), 1 << 18
    for start in range(0, one + 1, chunk):
        x = np.arange(start, min(start + chunk, one + 1), dtype=np.uint32).view(np.float32)
        assert_exact(x, 255)
        assert_exact(-x, 255)


@pytest.mark.parametrize("mu", mulaw.MUS)
def test_decode_equals_the_twin(mu: int) -> None:
    codes = np.arange(mu + 1)
    np.testing.assert_array_equal(mulaw.decode(codes, mu), naive_mulaw.decode(codes, mu))
    assert mulaw.decode(codes, mu)[[0, -1]].tolist() == [-1, 1]


# Agreement with torchaudio, which computes in float32


@pytest.mark.parametrize("mu", [1, 15, 255, 1023])
def test_codes_of_torchaudio_differ_by_one_at_most(mu: int) -> None:
    x = np.random.default_rng(mu).uniform(-1, 1, 100_000).astype(np.float32)
    peer = torchaudio.functional.mu_law_encoding(torch.from_numpy(x), mu + 1).numpy()
    difference = np.abs(mulaw.encode(x, mu) - peer)
    assert difference.max() <= 1
    assert np.count_nonzero(difference) <= 100


@pytest.mark.parametrize("mu", [1, 15, 255, 1023])
def test_values_of_torchaudio_are_close(mu: int) -> None:
    codes = np.arange(mu + 1)
    peer = torchaudio.functional.mu_law_decoding(torch.from_numpy(codes), mu + 1).numpy()
    np.testing.assert_allclose(mulaw.decode(codes, mu), peer, rtol=2e-6, atol=1e-7)


# Properties


@quick
@given(SAMPLES, MUS)
def test_shape_and_dtype(x: NDArray[np.float32], mu: int) -> None:
    codes = mulaw.encode(x, mu)
    back = mulaw.decode(codes, mu)
    assert codes.shape == back.shape == x.shape
    assert codes.dtype == (np.uint8 if mu <= 255 else np.uint16)
    assert back.dtype == np.float32
    assert_exact(x, mu)


@quick
@given(SAMPLES, MUS)
def test_codes_never_fall_as_samples_rise(x: NDArray[np.float32], mu: int) -> None:
    assert np.all(np.diff(mulaw.encode(np.sort(x, axis=None), mu).astype(int)) >= 0)


@quick
@given(SAMPLES, MUS)
def test_decoded_lies_within_one_step(x: NDArray[np.float32], mu: int) -> None:
    codes = mulaw.encode(x, mu).astype(int)
    below = mulaw.decode(np.maximum(codes - 1, 0), mu)
    above = mulaw.decode(np.minimum(codes + 1, mu), mu)
    clipped = np.clip(x, -1, 1)
    assert np.all((below <= clipped) & (clipped <= above))


@pytest.mark.parametrize("mu", mulaw.MUS)
def test_every_code_comes_back(mu: int) -> None:
    codes = np.arange(mu + 1)
    np.testing.assert_array_equal(mulaw.encode(mulaw.decode(codes, mu), mu), codes)


@quick
@given(hnp.arrays(np.int16, SHAPES), MUS)
def test_int16_equals_float32(x: NDArray[np.int16], mu: int) -> None:
    as_float = np.asarray(x / np.float32(32768), np.float32)
    np.testing.assert_array_equal(mulaw.encode(x, mu), mulaw.encode(as_float, mu))


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
@pytest.mark.parametrize("mu", [255, 1023])
def test_non_contiguous_equals_contiguous(dtype: type[Any], mu: int) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (60, 70, 3))
    x = (x * 32767).astype(np.int16) if dtype is np.int16 else x.astype(np.float32)
    for view in (x[::2, ::-3], x.T, np.broadcast_to(x[:1], x.shape), np.asfortranarray(x)):
        codes = mulaw.encode(view, mu)
        np.testing.assert_array_equal(codes, mulaw.encode(view.copy("C"), mu))
        wide = np.repeat(codes, 2, axis=-1)[..., ::2]
        np.testing.assert_array_equal(mulaw.decode(wide, mu), mulaw.decode(codes, mu))


def test_unaligned_and_read_only_input() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, 5001).astype(np.float32)
    unaligned = np.frombuffer(b"\0" + x.tobytes(), np.float32, offset=1)
    codes = mulaw.encode(x)
    np.testing.assert_array_equal(mulaw.encode(unaligned), codes)
    np.testing.assert_array_equal(mulaw.decode(codes[1:]), mulaw.decode(codes)[1:])


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("size", [0, 1, 19, 20, 47, 1001, 5003])
@pytest.mark.parametrize("mu", [15, 255, 4095])
def test_threads_change_nothing(size: int, mu: int) -> None:
    x = np.random.default_rng(size).uniform(-1, 1, size).astype(np.float32)
    for samples in (x, (x * 32767).astype(np.int16)):
        codes = mulaw.encode(samples, mu)
        for threads in (2, 3, 64):
            np.testing.assert_array_equal(mulaw.encode(samples, mu, threads), codes)
            np.testing.assert_array_equal(mulaw.decode(codes, mu, threads), mulaw.decode(codes, mu))


def test_every_integer_dtype_decodes() -> None:
    codes = np.arange(128)
    for kind in "bBhHiIlLqQ":
        np.testing.assert_array_equal(mulaw.decode(codes.astype(kind)), mulaw.decode(codes))


# Errors: ValueError, one line


@pytest.mark.parametrize("mu", [0, -1, 2, 100, 256, 2**17 - 1])
def test_mu_must_be_a_power_of_two_less_one(mu: int) -> None:
    with pytest.raises(ValueError, match=rf"^mu must be 2\*\*n - 1 .* not {mu}$"):
        mulaw.encode(np.zeros(3, np.float32), mu)
    with pytest.raises(ValueError, match=r"^mu must be"):
        mulaw.decode(np.zeros(3, np.uint8), mu)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "uint8", "bool", "complex64", ">f4"])
def test_other_sample_dtypes_are_refused(dtype: str) -> None:
    with pytest.raises(ValueError, match=rf"^mu-law encodes float32 or int16 samples, not {dtype}$"):
        mulaw.encode(np.zeros(3, dtype))


@pytest.mark.parametrize("dtype", ["float32", "bool"])
def test_codes_that_are_no_integers_are_refused(dtype: str) -> None:
    with pytest.raises(ValueError, match=rf"^mu-law codes are integers, not {dtype}$"):
        mulaw.decode(np.zeros(3, dtype))


@pytest.mark.parametrize(
    ("codes", "mu"),
    [(np.array([0, 16], np.uint8), 15), (np.array([3, 1024], np.uint16), 1023), (np.array([-1, 2]), 255), ([256], 255)],
)
def test_codes_out_of_range_are_refused(codes: Any, mu: int) -> None:
    with pytest.raises(ValueError, match=rf"^mu-law codes must lie in 0\.\.{mu}, but these reach from"):
        mulaw.decode(codes, mu)


def test_threads_must_be_positive() -> None:
    with pytest.raises(ValueError, match=r"^threads must be 1 or more, not 0$"):
        mulaw.encode(np.zeros(3, np.float32), threads=0)
    with pytest.raises(ValueError, match=r"^threads"):
        mulaw.decode(np.zeros(3, np.uint8), threads=-1)

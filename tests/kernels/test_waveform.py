"""RMS and zero crossings equal their definitions and librosa's numbers, and do not feel where a block ends."""

from collections.abc import Callable
from typing import Any

import librosa
import numpy as np
import pytest
from audiocli.kernels import waveform
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from tests.kernels import naive_descriptors as naive

Array = NDArray[Any]
Descriptor = Callable[[Array, int, int], Array]
SAMPLES = np.random.default_rng(0).standard_normal(3000).astype(np.float32)
PAIRS: list[tuple[Descriptor, Descriptor]] = [
    (waveform.rms, naive.rms),
    (waveform.zero_crossings, naive.zero_crossings),
]
each = pytest.mark.parametrize(("ours", "twin"), PAIRS)


@each
@pytest.mark.parametrize(("frame_length", "hop_length"), [(400, 160), (256, 64), (100, 100), (50, 130), (1, 1)])
def test_equals_twin(ours: Descriptor, twin: Descriptor, frame_length: int, hop_length: int) -> None:
    found = ours(SAMPLES, frame_length, hop_length)
    np.testing.assert_allclose(found, twin(SAMPLES, frame_length, hop_length), rtol=1e-6)


@each
@settings(deadline=None, max_examples=50)
@given(
    samples=hnp.arrays(np.float32, st.integers(0, 60), elements=st.floats(-1, 1, width=32)),
    frame_length=st.integers(1, 20),
    hop_length=st.integers(1, 25),
)
def test_any_samples_equal_twin(
    ours: Descriptor, twin: Descriptor, samples: Array, frame_length: int, hop_length: int
) -> None:
    found = ours(samples, frame_length, hop_length)
    # Below the normal numbers a float32 has no six digits.
    np.testing.assert_allclose(found, twin(samples, frame_length, hop_length), rtol=1e-6, atol=1e-37)


@each
def test_blocks_equal_whole(ours: Descriptor, twin: Descriptor) -> None:
    whole = ours(SAMPLES, 400, 160)
    blocks = [ours(SAMPLES[f * 160 : (f + 2) * 160 + 400], 400, 160) for f in range(0, whole.size, 3)]
    np.testing.assert_array_equal(np.concatenate(blocks)[: whole.size], whole)


@each
def test_silence_nan_and_short(ours: Descriptor, twin: Descriptor) -> None:
    np.testing.assert_array_equal(ours(np.zeros(100, np.float32), 40, 20), np.zeros(4))
    assert ours(np.zeros(0), 40, 20).shape == (0,)
    assert ours(np.ones(39), 40, 20).shape == (0,)
    assert ours(np.ones(40), 40, 20).shape == (1,)
    spoilt = SAMPLES.copy()
    spoilt[0] = np.nan
    np.testing.assert_array_equal(ours(spoilt, 400, 160)[1:], ours(SAMPLES, 400, 160)[1:])


@each
def test_takes_every_layout(ours: Descriptor, twin: Descriptor) -> None:
    np.testing.assert_array_equal(ours(np.repeat(SAMPLES, 2)[::2], 400, 160), ours(SAMPLES, 400, 160))


def test_a_quiet_frame_after_a_loud_one_keeps_its_digits() -> None:
    samples = np.concatenate([np.full(1000, 3e4, np.float32), np.full(1000, 1e-5, np.float32)])
    np.testing.assert_allclose(waveform.rms(samples, 500, 500), [3e4, 3e4, 1e-5, 1e-5], rtol=1e-6)


def test_a_sine_has_its_rms_and_crossings() -> None:
    sine = np.sin(2 * np.pi * (np.arange(8000) + 0.5) / 80)
    np.testing.assert_allclose(waveform.rms(sine, 800, 400), np.sqrt(0.5), rtol=1e-6)
    np.testing.assert_allclose(waveform.zero_crossings(sine, 800, 400), 1 / 40, atol=1 / 800)


def test_equals_librosa() -> None:
    quiet = np.concatenate([SAMPLES, 1e-11 * SAMPLES])
    expected = librosa.feature.rms(y=quiet, frame_length=400, hop_length=160, center=False)[0]
    np.testing.assert_allclose(waveform.rms(quiet, 400, 160), expected, rtol=2e-6)
    expected = librosa.feature.zero_crossing_rate(quiet, frame_length=400, hop_length=160, center=False)[0]
    np.testing.assert_allclose(waveform.zero_crossings(quiet, 400, 160), expected, rtol=1e-6)


def test_errors_name_the_argument() -> None:
    with pytest.raises(ValueError, match="hop_length"):
        waveform.rms(SAMPLES, 400, 0)
    with pytest.raises(ValueError, match="samples must be"):
        waveform.rms(SAMPLES[None], 400, 160)

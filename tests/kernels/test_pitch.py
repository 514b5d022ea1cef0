"""YIN equals its equations, finds the frequency of tones as librosa does or better, and leaves noise and silence unvoiced."""

from collections.abc import Callable
from typing import Any

import librosa
import numpy as np
import pytest
from audiocli.kernels import pitch
from numpy.typing import NDArray

from tests.kernels import naive_pitch

Array = NDArray[Any]
RNG = np.random.default_rng(0)
SAMPLE_RATE, FRAME_LENGTH, HOP_LENGTH, FMIN, FMAX = 16000, 1024, 256, 60.0, 1000.0
SETTINGS: dict[str, Any] = {
    "sample_rate": SAMPLE_RATE, "fmin": FMIN, "fmax": FMAX, "frame_length": FRAME_LENGTH, "hop_length": HOP_LENGTH,
}  # fmt: skip


def tone(hertz: float, seconds: float = 0.3, partials: int = 1, sample_rate: int = SAMPLE_RATE) -> Array:
    """Partials 1/k at phases that differ."""
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    waves = [np.sin(2 * np.pi * hertz * k * t + k) / k for k in range(1, partials + 1)]
    return np.asarray(np.sum(waves, axis=0), np.float32)


def cents(found: Array, hertz: float | Array) -> Array:
    return np.asarray(1200 * np.log2(found / hertz))


# A glide, a voice-like tone in some noise, noise, and silence, one after the other.
MIXED = np.concatenate(
    [
        librosa.chirp(fmin=100, fmax=400, sr=SAMPLE_RATE, duration=0.4),
        tone(130.0, 0.2, partials=8) + 0.05 * RNG.standard_normal(3200),
        0.3 * RNG.standard_normal(2000),
        np.zeros(2000),
    ]
).astype(np.float32)


def test_equals_twin() -> None:
    f0, aperiodicity = pitch.yin(MIXED, **SETTINGS)
    expected_f0, expected_aperiodicity = naive_pitch.yin(MIXED, **SETTINGS)
    np.testing.assert_array_equal(np.isnan(f0), np.isnan(expected_f0))
    np.testing.assert_allclose(f0, expected_f0, rtol=1e-4)
    np.testing.assert_allclose(aperiodicity, expected_aperiodicity, atol=1e-4)
    assert 0.3 < np.isnan(f0).mean() < 0.7


@pytest.mark.parametrize("hertz", [62.0, 97.3, 220.0, 441.7, 950.0])
def test_a_tone_within_a_cent(hertz: float) -> None:
    found = pitch.yin(tone(hertz), **SETTINGS)
    assert np.abs(cents(found.f0, hertz)).max() < 1.0
    assert found.aperiodicity.max() < 0.01


@pytest.mark.parametrize("hertz", [70.0, 131.1, 247.2, 392.9])
@pytest.mark.parametrize("partials", [1, 6])
def test_as_near_as_librosa(hertz: float, partials: int) -> None:
    samples = tone(hertz, partials=partials)
    names: dict[str, Any] = {
        "sr": SAMPLE_RATE,
        "fmin": FMIN,
        "fmax": FMAX,
        "frame_length": FRAME_LENGTH,
        "hop_length": HOP_LENGTH,
    }
    expected = librosa.yin(samples, center=False, **names)
    found = pitch.yin(samples, **SETTINGS).f0
    assert found.shape == expected.shape
    assert np.abs(cents(found, hertz)).mean() <= np.abs(cents(expected, hertz)).mean() + 0.1
    # librosa's own error reaches 15 cents where only few periods fit into the frame.
    assert np.abs(cents(found, expected)).max() < 20.0


def test_noise_silence_and_offset_are_unvoiced() -> None:
    for samples in (RNG.standard_normal(4000), np.zeros(4000), np.full(4000, 0.3)):
        found = pitch.yin(samples, **SETTINGS)
        assert np.isnan(found.f0).all()
        assert (found.aperiodicity > 0.1).all()


def test_an_offset_changes_nothing() -> None:
    np.testing.assert_allclose(
        pitch.yin(tone(200.0) + 10.0, **SETTINGS).f0, pitch.yin(tone(200.0), **SETTINGS).f0, rtol=1e-5
    )


def test_loudness_changes_nothing() -> None:
    loud, quiet = (pitch.yin(np.float32(gain) * MIXED, **SETTINGS) for gain in (2.0**12, 2.0**-20))
    np.testing.assert_allclose(loud.f0, quiet.f0, rtol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 5, 31])
def test_blocks_equal_whole(size: int) -> None:
    samples = np.tile(MIXED, 2)
    whole = pitch.yin(samples, **SETTINGS)
    for start in range(0, whole.f0.size, size):
        part = samples[start * HOP_LENGTH : (start + size - 1) * HOP_LENGTH + FRAME_LENGTH]
        for block, expected in zip(pitch.yin(part, **SETTINGS), whole, strict=True):
            np.testing.assert_array_equal(block, expected[start : start + size])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_frames(bad: float) -> None:
    spoilt = tone(200.0, 0.4)
    spoilt[2000] = bad
    clean, found = pitch.yin(tone(200.0, 0.4), **SETTINGS), pitch.yin(spoilt, **SETTINGS)
    starts = np.arange(clean.f0.size) * HOP_LENGTH
    touched = (starts <= 2000) & (starts + FRAME_LENGTH > 2000)
    for before, after in zip(clean, found, strict=True):
        assert np.isnan(after[touched]).all()
        np.testing.assert_array_equal(after[~touched], before[~touched])


@pytest.mark.parametrize(("n", "frames"), [(0, 0), (1023, 0), (1024, 1), (1279, 1), (1280, 2)])
def test_few_samples(n: int, frames: int) -> None:
    found = pitch.yin(tone(200.0)[:n], **SETTINGS)
    assert found.f0.shape == found.aperiodicity.shape == (frames,)


def test_takes_every_layout() -> None:
    strided = np.repeat(tone(200.0), 2)[::2]
    np.testing.assert_array_equal(pitch.yin(strided, **SETTINGS).f0, pitch.yin(tone(200.0), **SETTINGS).f0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pitch.yin(MIXED, SAMPLE_RATE, 60, 9000), "fmax"),
        (lambda: pitch.yin(MIXED, SAMPLE_RATE, 0, 500), "fmin"),
        (lambda: pitch.yin(MIXED, SAMPLE_RATE, 60, 500, frame_length=512), "two periods"),
        (lambda: pitch.yin(MIXED, SAMPLE_RATE, 60, 500, hop_length=0), "hop_length"),
        (lambda: pitch.yin(MIXED[None], SAMPLE_RATE, 60, 500), "samples must be"),
    ],
)
def test_errors_name_the_argument(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()

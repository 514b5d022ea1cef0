"""Chroma equals librosa's filters and features, and does not feel where a block ends."""

from typing import Any

import librosa
import numpy as np
import pytest
from audiocli.kernels import chroma
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.kernels import naive_chroma

SAMPLE_RATE, N_FFT = 22050, 2048
BANK = chroma.filterbank(SAMPLE_RATE, N_FFT)
POWER = np.square(np.random.default_rng(0).standard_normal((23, 1 + N_FFT // 2))).astype(np.float32)


def spectrum(hertz: float) -> NDArray[Any]:
    """Power [1, bins] of a windowed tone."""
    wave = np.sin(2 * np.pi * hertz * np.arange(N_FFT) / SAMPLE_RATE) * np.hanning(N_FFT)
    return np.square(np.abs(np.fft.rfft(wave)))[None]


@pytest.mark.parametrize(
    ("sample_rate", "n_fft", "n_chroma", "tuning"),
    [(22050, 2048, 12, 0.0), (44100, 4096, 24, 0.3), (16000, 400, 12, -0.2), (8000, 512, 36, 0.0), (16000, 511, 13, 0)],
)
def test_filters_equal_librosa(sample_rate: int, n_fft: int, n_chroma: int, tuning: float) -> None:
    expected = librosa.filters.chroma(sr=sample_rate, n_fft=n_fft, n_chroma=n_chroma, tuning=tuning)
    found = chroma.filterbank(sample_rate, n_fft, n_chroma, tuning)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-11)


@pytest.mark.parametrize("n_chroma", [12, 13, 24])
def test_equals_twin(n_chroma: int) -> None:
    bank = chroma.filterbank(SAMPLE_RATE, N_FFT, n_chroma)
    np.testing.assert_allclose(chroma.chroma(POWER, bank), naive_chroma.chroma(POWER, bank), rtol=1e-5)


def test_equals_librosa() -> None:
    expected = librosa.feature.chroma_stft(S=POWER.T, sr=SAMPLE_RATE, tuning=0).T
    np.testing.assert_allclose(chroma.chroma(POWER, BANK), expected, atol=1e-5)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_blocks_equal_whole(size: int) -> None:
    whole = chroma.chroma(POWER, BANK)
    blocks = [chroma.chroma(POWER[start : start + size], BANK) for start in range(0, len(POWER), size)]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


@pytest.mark.parametrize(("hertz", "pitch_class"), [(440.0, 9), (880.0, 9), (523.25, 0), (987.77, 11), (1479.98, 6)])
def test_a_tone_lights_its_pitch_class(hertz: float, pitch_class: int) -> None:
    found = chroma.chroma(spectrum(hertz), BANK)[0]
    assert found.argmax() == pitch_class
    assert found.max() == 1.0


def chords(hertz: float) -> NDArray[Any]:
    """Power [frames, bins] of chords of three notes with overtones, tuned to A4 = `hertz`, over a little noise."""
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    notes = [hertz * 2 ** (step / 12) * overtone for step in (-9, -5, -2, 3) for overtone in (1, 2, 3)]
    wave = sum(np.sin(2 * np.pi * note * t) / (1 + n % 3) for n, note in enumerate(notes))
    wave = wave + 0.01 * np.random.default_rng(0).standard_normal(len(t))
    return np.square(np.abs(librosa.stft(wave.astype(np.float32), n_fft=N_FFT))).T


@pytest.mark.parametrize("power", [chords(440.0), chords(446.0), chords(452.9), chords(431.5), POWER, POWER[:1, :200]])
@pytest.mark.filterwarnings("ignore:Trying to estimate tuning from empty")
def test_peaks_and_tuning_equal_librosa_and_the_twin(power: NDArray[Any]) -> None:
    found = chroma.peaks(power, SAMPLE_RATE)
    pitches, strengths = librosa.piptrack(S=power.T, sr=SAMPLE_RATE)
    np.testing.assert_array_equal(found, np.stack([pitches.T, strengths.T], axis=-1)[pitches.T > 0])
    np.testing.assert_allclose(found, naive_chroma.peaks(power, SAMPLE_RATE), rtol=1e-5)
    expected = librosa.estimate_tuning(S=power.T, sr=SAMPLE_RATE)
    assert chroma.tuning(lambda: iter([found])) == expected
    assert naive_chroma.tuning(found.astype(np.float64)) == pytest.approx(expected, abs=0.0101)


def test_tuning_of_chords_is_near() -> None:
    for cents in (-40, -17, 0, 33):
        found = chroma.peaks(chords(440.0 * 2 ** (cents / 1200)), SAMPLE_RATE)
        assert chroma.tuning(lambda found=found: iter([found])) == pytest.approx(cents / 100, abs=0.06)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_tuning_does_not_feel_blocks(size: int) -> None:
    power = chords(446.0)
    whole = chroma.peaks(power, SAMPLE_RATE)
    blocks = [chroma.peaks(power[start : start + size], SAMPLE_RATE) for start in range(0, len(power), size)]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
    assert chroma.tuning(lambda: iter(blocks)) == chroma.tuning(lambda: iter([whole]))


@given(st.lists(st.floats(2.0**-120, 2.0**120, width=32), min_size=1, max_size=40), st.integers(1, 7))
def test_median_by_counting_is_numpys(values: list[float], size: int) -> None:
    numbers = np.array(values, np.float32)
    median = chroma._median(lambda: (numbers[start : start + size] for start in range(0, len(numbers), size)))
    assert median == np.median(numbers)


def test_no_peaks_no_tuning() -> None:
    for power in (np.zeros((5, 1025)), np.full((5, 1025), np.nan), POWER[:0], np.ones((3, 2))):
        found = chroma.peaks(power, SAMPLE_RATE)
        assert found.shape == (0, 2)
        assert chroma.tuning(lambda found=found: iter([found])) == 0.0


def test_silence_nan_and_few_frames() -> None:
    np.testing.assert_array_equal(chroma.chroma(np.zeros((5, POWER.shape[1])), BANK), np.zeros((5, 12)))
    assert chroma.chroma(POWER[:0], BANK).shape == (0, 12)
    spoilt = POWER.copy()
    spoilt[2, 9] = np.nan
    found = chroma.chroma(spoilt, BANK)
    assert np.isnan(found[2]).all()
    others = np.arange(len(POWER)) != 2
    np.testing.assert_array_equal(found[others], chroma.chroma(POWER, BANK)[others])


def test_takes_every_layout() -> None:
    np.testing.assert_array_equal(chroma.chroma(np.asfortranarray(POWER), BANK), chroma.chroma(POWER, BANK))
    turned = np.asfortranarray(BANK)
    np.testing.assert_array_equal(chroma.chroma(POWER, turned), chroma.chroma(POWER, BANK))


def test_errors_name_the_argument() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        chroma.chroma(POWER[:, 1:], BANK)
    with pytest.raises(ValueError, match="no peaks"):
        chroma.peaks(POWER[:, :1], SAMPLE_RATE)
    with pytest.raises(ValueError, match="no chroma filters"):
        chroma.filterbank(SAMPLE_RATE, 1)

"""Stretched sound lasts as long as it should, keeps its pitch and its level, and equals the plain definition."""

import numpy as np
import pytest
from audiocli.kernels.stretch import stretch

from tests.conftest import vowels
from tests.kernels import naive_stretch

RATE = 8_000


@pytest.mark.parametrize("rate", [0.5, 0.9, 1.3, 2.0])
def test_equals_the_definition(rate):
    noise = np.random.default_rng(0).standard_normal(3_000).astype(np.float32)
    np.testing.assert_allclose(stretch(noise, rate, RATE), naive_stretch.stretch(noise, rate, RATE), atol=1e-4)


@pytest.mark.parametrize("rate", [0.25, 0.7, 1.0, 1.5, 4.0])
def test_length_pitch_and_level(rate):
    tone = np.sin(2 * np.pi * 200 * np.arange(2 * RATE) / RATE).astype(np.float32)
    made = stretch(tone, rate, RATE)
    assert len(made) == round(2 * RATE / rate)
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made))))
    assert np.argmax(spectrum) * RATE / len(made) == pytest.approx(200, abs=3)
    assert np.std(made[400:-400]) == pytest.approx(np.sqrt(0.5), rel=0.05)


def test_speech_keeps_its_spectrum():
    speech = vowels(2.0, RATE)
    made = stretch(speech, 0.8, RATE)
    before, after = (
        np.histogram(np.fft.rfftfreq(len(x), 1 / RATE), 20, weights=np.abs(np.fft.rfft(x)) ** 2)[0]
        for x in (speech, made)
    )
    assert np.corrcoef(np.log(before + 1e-3), np.log(after + 1e-3))[0, 1] > 0.97


@pytest.mark.parametrize("samples", [[], [0.5], np.zeros(50), np.ones(700)])
def test_short_and_silent(samples):
    made = stretch(samples, 1.5, RATE)
    assert made.dtype == np.float32
    assert len(made) == round(len(samples) / 1.5)
    assert np.isfinite(made).all()


@pytest.mark.parametrize("rate", [0.0, -1.0, np.nan, np.inf])
def test_rates_that_are_none(rate):
    with pytest.raises(ValueError, match="rate"):
        stretch(np.zeros(10), rate, RATE)

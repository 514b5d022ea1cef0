"""Voices as pitch and envelopes: there and back, and a converted voice has the pitch and the spectrum of the target."""

import numpy as np
import pytest

from audiocli.verbs.clone import envelope
from audiocli.voices import timbre
from audiocli.voices.timbre import N_BINS, SAMPLE_RATE


def voice(pitch, tilt, seconds=2.0):
    """Harmonics of a pitch in Hz, with the formants of two vowels in turn, falling by `tilt` dB an octave; [n]."""
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.02 * np.sin(2 * np.pi * 2 * t))) / SAMPLE_RATE
    first = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * 1.5 * t))
    made = np.zeros(len(t))
    for k in range(1, int(7_500 / pitch)):
        levels = [
            sum(1 / (1 + ((k * pitch - f) / 120) ** 2) for f in vowel) + 0.02
            for vowel in ((700, 1_200, 2_500), (350, 2_100, 2_900))
        ]
        made += np.sin(k * phase) * k ** (-tilt / 6.02) * (levels[0] * first + levels[1] * (1 - first))
    return (0.3 * made / np.abs(made).max()).astype(np.float32)


@pytest.fixture(scope="module")
def low():
    return voice(110.0, 6.0)


@pytest.fixture(scope="module")
def high():
    """Another pitch, and a spectrum that falls off less."""
    return voice(190.0, 2.0)


def test_there_and_back(low):
    for size in (len(low), 5_000, 1_024, 100, 1):
        back = timbre.inverse(timbre.transform(low[:size]), size)
        np.testing.assert_allclose(back, low[:size], atol=1e-4)


def test_what_is_heard_in_a_voice(low, high):
    assert np.exp(timbre.timbre(low).pitch) == pytest.approx(110, rel=0.06)
    assert np.exp(timbre.timbre(high).pitch) == pytest.approx(190, rel=0.06)
    assert timbre.timbre(np.zeros(SAMPLE_RATE, np.float32)) is None
    assert timbre.timbre(np.zeros(0, np.float32)) is None
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    assert timbre.timbre(0.1 * noise) is None


def test_an_envelope_lies_on_the_peaks(low):
    spectrum = timbre.transform(low)[20:60]
    envelopes, log = timbre.envelope(spectrum), np.log(np.abs(spectrum) + timbre.FLOOR)
    assert envelopes.shape == (40, N_BINS)
    below = np.mean(log < envelopes + 0.1)
    assert 0.6 < below < 1.0
    assert np.abs(np.diff(envelopes, axis=1)).max() < np.abs(np.diff(log, axis=1)).max() / 3


def test_warping():
    values = np.arange(N_BINS, dtype=np.float32)
    np.testing.assert_allclose(timbre.warped(values, 1.0), values)
    np.testing.assert_allclose(timbre.warped(values, 2.0)[:100], values[:100] / 2, atol=1e-4)
    assert timbre.warped(np.ones((3, N_BINS), np.float32), 0.9) == pytest.approx(1.0)


@pytest.mark.parametrize("way", ["low to high", "high to low"])
def test_pitch_spectrum_and_level_are_moved(low, high, way):
    source, wanted = (low, high) if way == "low to high" else (high, low)
    own, target = timbre.timbre(source), timbre.timbre(wanted)
    made = envelope.converted(source, own, target)
    assert len(made) == len(source)
    assert np.std(made) == pytest.approx(np.std(source), rel=0.1)
    found = timbre.timbre(made)
    assert found.pitch == pytest.approx(target.pitch, abs=0.06)

    def shape(voice):
        return voice.mean - voice.mean.mean()

    before, after = (np.abs(shape(one) - shape(target))[:400].mean() for one in (own, found))
    assert after < 0.6 * before


def test_the_same_voice_stays_as_it_is(low):
    own = timbre.timbre(low)
    made = envelope.converted(low, own, own)
    assert np.corrcoef(made, low)[0, 1] > 0.98


def test_arrays_there_and_back(low):
    own = timbre.timbre(low)
    again = timbre.of_arrays(own.arrays())
    assert again.pitch == pytest.approx(own.pitch)
    assert np.array_equal(again.mean, own.mean)
    assert timbre.of_arrays({"pitch": own.mean}) is None

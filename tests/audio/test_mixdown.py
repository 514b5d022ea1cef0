"""One channel of many: opposite channels are not mixed, the best one is found, and the cuts of blocks make no difference."""

import numpy as np
import pytest

from audiocli.audio import mixdown
from audiocli.errors import InputError
from tests.conftest import vowels

RATE = 16_000


def mono(samples, channel="mix", size=None, rate=RATE):
    """(samples [n] of one channel of samples [n, channels] that come in pieces, warnings)."""
    samples, warnings = np.asarray(samples, np.float32), []
    size = size or len(samples)
    found = [samples[i : i + size] for i in range(0, len(samples), size)]
    made = list(mixdown.mono(found, channel, rate, samples.shape[1], warnings))
    return np.concatenate(made)[:, 0], warnings


def noise(seconds, level=0.1, seed=0):
    return level * np.random.default_rng(seed).standard_normal(int(seconds * RATE)).astype(np.float32)


def speech(seconds):
    return np.tile(vowels(), int(seconds))


@pytest.mark.parametrize("channel", ["mix", "best"])
def test_opposite_channels_do_not_cancel(channel):
    voice = speech(3)
    found, (note,) = mono(np.stack([voice, -voice], 1), channel)
    np.testing.assert_array_equal(found, voice)
    assert "channel 1 " in note


def test_cancellation_is_reported_with_its_time():
    voice = speech(3)
    _, (note,) = mono(np.stack([voice, -voice], 1))
    assert note.startswith("the channels cancel each other out in 3.0 of 3.0 s: there channel 1 is taken")


def test_channels_that_cancel_later_are_mixed_before():
    voice, rng = speech(4), np.random.default_rng(0)
    right = np.where(np.arange(len(voice)) < 2 * RATE, voice, -0.9 * voice) + 0.001 * rng.standard_normal(len(voice))
    found, (note,) = mono(np.stack([voice, right], 1))
    assert "in 2.0 of 4.0 s" in note
    change = slice(2 * RATE, round(2.01 * RATE))  # within which one takes the place of the other
    np.testing.assert_allclose(np.delete(found, change), np.delete(voice, change), atol=0.005)


def test_from_one_choice_to_the_next_there_is_no_click():
    times = np.arange(2 * RATE) / RATE
    tone = np.sin(2 * np.pi * 100.3 * times)
    found, (note,) = mono(np.stack([tone, np.cos(0.5 * np.pi * times) * tone], 1))
    assert "of 2.0 s" in note
    assert np.abs(np.diff(found)).max() < 1.5 * np.abs(np.diff(tone)).max()


@pytest.mark.parametrize(
    "right", [noise(3, seed=1), speech(3), 0.0 * noise(3), -0.1 * speech(3), speech(3) + 0.05], ids=range(5)
)
def test_other_channels_are_mixed(right):
    left = speech(3)
    found, warnings = mono(np.stack([left, right], 1))
    assert warnings == []
    np.testing.assert_array_equal(found, (left + right.astype(np.float32)) * np.float32(0.5))


def test_speech_in_the_centre_of_six_channels_is_no_cancellation():
    sides = np.zeros((3 * RATE, 6), np.float32)
    sides[:, 2] = speech(3)
    found, warnings = mono(sides)
    assert warnings == []
    np.testing.assert_allclose(found, sides[:, 2] / 6, atol=1e-6)
    best, (note,) = mono(sides, "best")
    np.testing.assert_array_equal(best, sides[:, 2])
    assert note == "channel 3 of 6 is the best one, and is taken"


def test_speech_is_better_than_louder_noise():
    voice = np.concatenate([np.zeros(2 * RATE, np.float32), speech(4)])
    sides = np.stack([noise(6, 0.3), voice, 0.2 * voice], 1)
    assert "channel 2 of 3" in mono(sides, "best")[1][0]
    np.testing.assert_array_equal(mono(sides, "best")[0], voice)


@pytest.mark.parametrize("silence", [0, 30])
def test_silence_before_the_sound_does_not_choose_and_does_not_wait(silence):
    voice = np.concatenate([np.zeros(silence * RATE, np.float32), speech(12)])
    sides = np.stack([0.1 * voice, voice], 1)
    np.testing.assert_array_equal(mono(sides, "best")[0], voice)
    if silence:
        lead = mixdown.mono(iter([sides[:RATE], None]), "best", RATE, 2, [])
        assert len(next(lead)) == RATE // 2  # the second block is not asked for


@pytest.mark.parametrize("channel", ["mix", "best", "right"])
@pytest.mark.parametrize("size", [333, 8_000, 25_000])
def test_blocks_may_be_cut_anywhere(channel, size):
    voice = speech(4)
    right = np.where(np.arange(len(voice)) < 1.3 * RATE, voice, -voice) + noise(4, 0.01)
    sides = np.stack([voice, right, 0.1 * noise(4, seed=2)], 1)
    whole, parts = mono(sides, channel), mono(sides, channel, size)
    np.testing.assert_array_equal(parts[0], whole[0])
    assert parts[1] == whole[1]


@pytest.mark.parametrize(("channel", "place"), [("left", 0), ("1", 0), ("right", 1), ("2", 1), ("3", 2)])
def test_a_channel_by_its_name_or_number(channel, place):
    sides = np.stack([noise(0.1, seed=n) for n in range(3)], 1)
    found, warnings = mono(sides, channel)
    np.testing.assert_array_equal(found, sides[:, place])
    assert warnings == []


@pytest.mark.parametrize(("channel", "channels", "why"), [
    ("right", 1, "has 1 channel, and no channel 2"), ("7", 6, "has 6 channels, and no channel 7"),
])  # fmt: skip
def test_a_channel_that_is_not_there(channel, channels, why):
    with pytest.raises(InputError, match=why):
        mono(np.zeros((10, channels)), channel)


@pytest.mark.parametrize("channel", ["mix", "best", "left"])
@pytest.mark.parametrize("length", [0, 1, 7, 801])
def test_short_and_silent_sound(channel, length):
    made = list(mixdown.mono([np.zeros((length, 2), np.float32)] if length else [], channel, RATE, 2, warnings := []))
    assert sum(map(len, made)) == length
    assert warnings == []


@pytest.mark.parametrize(("rate", "channels"), [(1, 2), (8, 1024), (192_000, 1024)])
def test_any_rate_and_number_of_channels(rate, channels):
    sides = np.random.default_rng(0).uniform(-1, 1, (3_000, channels))
    for channel in ("mix", "best"):
        found, _ = mono(sides, channel, 1_000, rate)
        assert found.shape == (3_000,)

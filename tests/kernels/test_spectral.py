"""The fused chain against the obvious one, closed forms, and odd values."""

import numpy as np
import pytest
from audiocli.kernels import mel, spectral
from audiocli.kernels.framing import frame_count, pad_ends
from audiocli.kernels.spectral import DECIBEL, Framing, Log, analyse
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels import naive_spectral as naive

RATE = 16_000


def noise(n, seed=0):
    return np.random.default_rng(seed).standard_normal(n).astype(np.float32) * 0.1


def setting(n_fft=512, win_length=400, hop_length=160, n_mels=80):
    framing = Framing(n_fft, hop_length, mel.window("hann", win_length))
    bank = mel.filterbank(RATE, n_fft, n_mels, 0.0, RATE / 2, norm="slaney")
    return framing, bank


@pytest.mark.parametrize(("n_fft", "win_length"), [(512, 512), (512, 400), (400, 400), (2048, 1023), (9, 9), (2, 2)])
@pytest.mark.parametrize("exponent", [2.0, 1.0])
def test_power_and_mel_equal_the_obvious_ones(n_fft, win_length, exponent):
    framing, bank = setting(n_fft, win_length, hop_length=max(1, n_fft // 3), n_mels=min(20, n_fft))
    samples = noise(n_fft * 40 + 17)
    got = analyse(samples, framing, bank=mel.sparse(bank), exponent=exponent, want_power=True)
    cut = naive.frames(samples, n_fft, framing.hop_length, "none")
    power = naive.power(cut, framing.window.astype(np.float64), n_fft, exponent)
    np.testing.assert_allclose(got.power, power, atol=1e-6 * power.max())
    np.testing.assert_allclose(got.mel, power @ bank.T.astype(np.float64), atol=1e-6 * (power @ bank.T).max())


def test_log_mel_equals_the_obvious_one():
    framing, bank = setting()
    samples = noise(RATE)
    got = analyse(samples, framing, bank=mel.sparse(bank), log=Log(DECIBEL, 1e-10)).mel
    cut = naive.frames(samples, 512, 160, "none")
    expected = naive.log(naive.power(cut, framing.window, 512) @ bank.T.astype(np.float64), DECIBEL, 1e-10)
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_speech_frames_equal_the_obvious_ones():
    framing = Framing(512, 160, mel.window("povey", 400, periodic=False), speech=(32_768.0, 0.97))
    samples = noise(RATE) + np.float32(0.3)
    got = analyse(samples, framing, bank=mel.sparse(setting()[1]), want_power=True)
    cut = naive.frames(samples, 400, 160, "none")
    power, energy = naive.speech(cut, framing.window.astype(np.float64), 512, 32_768.0, 0.97)
    np.testing.assert_allclose(got.power, power, atol=1e-6 * power.max())
    np.testing.assert_allclose(got.energy, energy, rtol=1e-5)


def test_a_tone_on_a_bin_has_all_its_power_there():
    framing = Framing(512, 160, np.ones(512, np.float32))
    samples = np.cos(2 * np.pi * 32 / 512 * np.arange(4_096)).astype(np.float32)
    power = analyse(samples, framing, bank=mel.sparse(setting()[1]), want_power=True).power
    np.testing.assert_allclose(power[:, 32], 256.0**2, rtol=1e-5)
    assert np.delete(power, 32, axis=1).max() < 1e-4


def test_threads_give_the_same_bits():
    framing, bank = setting()
    samples = noise(RATE * 60)
    one, three = (
        analyse(samples, framing, bank=mel.sparse(bank), log=Log(1.0, 1e-10), want_power=True, threads=threads)
        for threads in (1, 3)
    )
    np.testing.assert_array_equal(one.mel, three.mel)
    np.testing.assert_array_equal(one.power, three.power)


@pytest.mark.parametrize("n", [0, 1, 511, 512, 671, 672])
def test_short_signals(n):
    framing, bank = setting()
    got = analyse(noise(n), framing, bank=mel.sparse(bank), want_power=True)
    assert got.mel.shape == (frame_count(n, 512, 160), 80)
    assert got.power.shape == (frame_count(n, 512, 160), 257)


@pytest.mark.parametrize("padding", ["none", "constant", "edge", "reflect"])
@pytest.mark.parametrize("n", [0, 1, 3, 40, 255, 256, 257, 511, 600, 1_000, 5_003])
@pytest.mark.parametrize("hop_length", [1, 160, 700])
def test_padded_here_or_before(padding, n, hop_length):
    framing, bank = setting(hop_length=hop_length)
    samples, names = noise(n), {"bank": mel.sparse(bank), "want_power": True}
    got = analyse(samples, framing, padding=padding, **names)
    expected = analyse(pad_ends(samples, 512, padding), framing, **names)
    np.testing.assert_array_equal(got.mel, expected.mel)
    np.testing.assert_array_equal(got.power, expected.power)


def test_an_unknown_padding_is_refused():
    framing, bank = setting()
    with pytest.raises(ValueError, match="padding must be one of"):
        analyse(noise(1_000), framing, bank=mel.sparse(bank), padding="wrap")


@pytest.mark.parametrize("speech", [None, (32_768.0, 0.97)])
@pytest.mark.parametrize("n_fft", [512, 480])
def test_int16_count_as_parts_of_32768(n_fft, speech):
    framing = Framing(n_fft, 160, mel.window("povey", 400), speech)
    bank = mel.sparse(mel.filterbank(RATE, n_fft, 40, 0.0, RATE / 2))
    whole = (noise(5_000) * 32_768).astype(np.int16)
    got, expected = (
        analyse(samples, framing, bank=bank, padding="reflect", want_power=True)
        for samples in (whole, whole.astype(np.float32) / np.float32(32_768))
    )
    np.testing.assert_array_equal(got.mel, expected.mel)
    np.testing.assert_array_equal(got.power, expected.power)
    if speech:
        np.testing.assert_array_equal(got.energy, expected.energy)


@pytest.mark.parametrize("speech", [None, (32_768.0, 0.97)])
@pytest.mark.parametrize(("n_fft", "win_length"), [(400, 400), (512, 400), (2048, 1001), (480, 480), (9, 7)])
def test_a_frame_gives_the_same_bits_wherever_it_stands(n_fft, win_length, speech):
    framing = Framing(n_fft, 3, mel.window("hann", win_length), speech)
    bank = mel.sparse(mel.filterbank(RATE, n_fft, 4, 0.0, RATE / 2))
    names = {"bank": bank, "want_power": True, "log": Log(1.0, 1e-10), "exponent": 1.0}
    samples = noise(n_fft + 200)
    whole = analyse(samples, framing, **names)
    for first, count in ((0, 1), (1, 2), (7, 18), (20, 33)):
        part = analyse(samples[3 * first : 3 * (first + count - 1) + framing.frame_length], framing, **names)
        np.testing.assert_array_equal(part.mel, whole.mel[first : first + count])
        np.testing.assert_array_equal(part.power, whole.power[first : first + count])


@pytest.mark.parametrize("exponent", [0.5, 1.0, 3.0])
def test_other_exponents(exponent):
    framing, bank = setting()
    names = {"bank": mel.sparse(bank), "want_power": True}
    power = analyse(noise(3_000), framing, **names).power
    got = analyse(noise(3_000), framing, exponent=exponent, **names).power
    np.testing.assert_allclose(got, power.astype(np.float64) ** (exponent / 2), rtol=1e-6, atol=1e-12)


def test_sums_in_float32_are_as_exact_as_their_order_says():
    """A quiet band beside a loud one: the FFT's rounding errors are those of the frame's peak, 130 dB below it."""
    framing, bank = setting(win_length=512)
    t = np.arange(RATE) / RATE
    samples = (np.sin(2 * np.pi * 1_000 * t) + 1e-4 * noise(RATE)).astype(np.float32)
    got = analyse(samples, framing, bank=mel.sparse(bank), want_power=True)
    power = naive.power(naive.frames(samples, 512, 160, "none"), framing.window, 512)
    assert np.abs(got.power - power).max() < 3e-7 * power.max()
    assert np.sqrt(np.mean((np.sqrt(got.power) - np.sqrt(power)) ** 2)) < 2e-7 * np.sqrt(power.max())


def test_silence_and_overflow_stay_defined():
    framing, bank = setting()
    quiet = analyse(np.zeros(2_000, np.float32), framing, bank=mel.sparse(bank), log=Log(DECIBEL, 1e-10)).mel
    np.testing.assert_allclose(quiet, -100.0, atol=1e-4)
    loud = analyse(np.full(2_000, 1e30, np.float32), framing, bank=mel.sparse(bank), log=Log(DECIBEL, 1e-10)).mel
    assert not np.isfinite(loud).all()
    assert loud.shape == quiet.shape


def test_nan_stays_nan():
    framing, bank = setting()
    samples = noise(2_000)
    samples[1_000] = np.nan
    got = analyse(samples, framing, bank=mel.sparse(bank), log=Log(DECIBEL, 1e-10)).mel
    touched = [f for f in range(len(got)) if f * 160 + 56 <= 1_000 < f * 160 + 456]
    assert np.isnan(got[touched]).all()
    assert np.isfinite(np.delete(got, touched, axis=0)).all()


@given(st.floats(2.0**-126, 2.0**127, width=32))
def test_logarithm_of_any_float(value):
    values = np.full((1, 3), value, np.float32)
    spectral.log_in_place(values, Log(1.0, 1e-44))
    np.testing.assert_allclose(values, np.log(np.float64(value)), rtol=3e-7, atol=1e-7)


@pytest.mark.parametrize("value", [0.0, -1.0, 1e-20, -np.inf])
def test_logarithm_below_the_floor(value):
    values = np.full((2, 5), value, np.float32)
    spectral.log_in_place(values, Log(DECIBEL, 1e-10))
    np.testing.assert_allclose(values, -100.0, rtol=1e-6)


def test_logarithm_of_infinity_and_nan():
    values = np.array([[np.inf, np.nan]], np.float32)
    spectral.log_in_place(values, Log(1.0, 1e-10))
    assert values[0, 0] == np.inf
    assert np.isnan(values[0, 1])

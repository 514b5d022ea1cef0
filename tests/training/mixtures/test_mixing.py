"""Mixtures: levels and ratios are as requested, the speech in them stays in its place, the same seed gives the same."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from audiocli.training.data import Clips
from audiocli.training.examples import Example
from audiocli.training.mixtures.mixing import Mixer, Mixing, at_snr, coloured, hum, in_room, tilted
from audiocli.training.recipes.enhancer import distance, gain, likeness, mixtures, si_sdr
from tests.conftest import vowels

RATE = 16_000


class Held(Clips):
    """Clips that are in memory to begin with."""

    def __init__(self, sounds):
        super().__init__([Example(str(n)) for n in range(len(sounds))], RATE)
        self._kept = {n: (sound * 32_767).astype(np.int16) for n, sound in enumerate(sounds)}


@pytest.fixture(scope="module")
def mixer():
    random = np.random.default_rng(0)
    speech = [vowels(1.5, pitch=pitch, seed=int(pitch)) for pitch in (100, 140, 180, 220)]
    noise = [0.1 * random.standard_normal(3 * RATE), 0.3 * np.sin(np.arange(RATE) * 0.7)]
    return Mixer(Held(speech), Held(noise), Mixing(seconds=1.0))


def db(x):
    return 10 * np.log10(np.mean(np.square(x, dtype=np.float64)))


def test_pairs_have_the_ratio_and_the_level(mixer):
    plain = replace(mixer, mixing=replace(mixer.mixing, snr=(5.0, 5.0), level=(-30.0, -30.0), rooms=0.0, clean=0.0))
    for seed in range(20):
        noisy, clean = plain.pair(seed % 4, np.random.default_rng(seed))
        assert noisy.dtype == clean.dtype == np.float32
        assert len(noisy) == len(clean) == RATE
        assert db(clean) - db(noisy - clean) == pytest.approx(5.0, abs=0.1)
        assert db(noisy) == pytest.approx(-30.0, abs=0.1)


def test_every_kind_of_noise_is_finite_and_below_full_scale(mixer):
    for seed in range(60):
        noisy, clean = mixer.pair(seed % 4, np.random.default_rng(seed))
        assert np.isfinite(noisy).all()
        assert np.isfinite(clean).all()
        assert np.abs(noisy).max() <= 1.0


def test_the_same_seed_gives_the_same_batch(mixer):
    one, same, other = (mixtures(mixer, np.arange(4), [seed]) for seed in (1, 1, 2))
    assert torch.equal(one["noisy"], same["noisy"])
    assert not torch.equal(one["noisy"], other["noisy"])


def test_a_room_keeps_the_direct_sound_in_its_place():
    random = np.random.default_rng(0)
    speech = np.zeros(RATE, np.float32)
    speech[1_000] = 1.0
    heard, early = in_room(speech, RATE, random)
    assert np.argmax(np.abs(heard)) == np.argmax(np.abs(early)) == 1_000
    assert np.abs(early[1_000 + int(0.031 * RATE) :]).max() < 1e-6
    assert db(heard) > db(early)
    np.testing.assert_allclose(heard[:1_400], early[:1_400], atol=1e-6)  # the first 25 ms


def test_noises():
    random = np.random.default_rng(0)
    for sound in (coloured(RATE, random), hum(RATE, RATE, random)):
        assert sound.shape == (RATE,)
        assert np.isfinite(sound).all()
        assert sound.std() > 0
    white = random.standard_normal(RATE).astype(np.float32)
    bright, dark = (np.abs(np.fft.rfft(tilted(white, slope)))[-500:].mean() for slope in (-0.5, 0.5))
    assert bright > 1.5 * dark
    assert db(white) - db(at_snr(white, white, 7.0)) == pytest.approx(7.0, abs=1e-3)


def test_likeness_is_near_stoi():
    clean = torch.from_numpy(np.tile(vowels(1.0), 3))[None]
    assert float(likeness(clean, clean)) == pytest.approx(1.0, abs=1e-3)
    assert float(likeness(3 * clean, clean)) == pytest.approx(1.0, abs=1e-3)
    hiss = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 3 * RATE)).astype(np.float32))
    values = [float(likeness(clean + level * hiss, clean)) for level in (0.003, 0.01, 0.03, 0.1)]
    assert values == sorted(values, reverse=True)
    stoi = pytest.importorskip("pystoi").stoi
    for level, value in zip((0.01, 0.03), values[1:3], strict=True):
        assert value == pytest.approx(stoi(clean[0].numpy(), (clean + level * hiss)[0].numpy(), RATE), abs=0.1)


def test_silence_has_a_finite_likeness():
    nothing = torch.zeros(2, 16_000, requires_grad=True)
    likeness(nothing, nothing.detach()).sum().backward()
    assert torch.isfinite(nothing.grad).all()


def test_distance_and_si_sdr():
    clean = torch.randn(2, 8_000) * 0.1
    noisy = clean + 0.1 * torch.randn(2, 8_000)
    assert float(distance(clean, clean)) == 0
    assert float(distance(noisy, clean)) == pytest.approx(float(distance(0.1 * noisy, 0.1 * clean)), rel=0.05)
    assert si_sdr(noisy, clean).numpy() == pytest.approx([0.0, 0.0], abs=0.6)
    torch.testing.assert_close(si_sdr(3 * noisy, clean), si_sdr(noisy, clean), atol=1e-3, rtol=1e-3)
    # the definition, with numpy in double precision
    found, wanted = (x[0].double().numpy() - x[0].double().mean().item() for x in (noisy, clean))
    target = found @ wanted / (wanted @ wanted) * wanted
    expected = 10 * np.log10(np.sum(target**2) / np.sum((found - target) ** 2))
    assert float(si_sdr(noisy, clean)[0]) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("kept", "want"), [(0.5, 2.0), (1.0, 1.0), (0.0, 4.0), (-1.0, 4.0), (50.0, 0.25)])
def test_the_gain_of_a_net_gives_speech_its_level_back(kept, want):
    clean, noise = torch.randn(2, 4, 16_000, generator=torch.Generator().manual_seed(0))
    assert gain(kept * clean + 0.1 * noise, clean) == pytest.approx(want, rel=0.02)

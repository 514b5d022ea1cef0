"""Presets for Bark out of speech: their shapes agree in time, their codes are EnCodec's, and Bark goes on from them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from transformers import BarkModel, BarkProcessor

from audiocli.errors import InputError, UsageError
from audiocli.options import SpeakOptions
from audiocli.verbs.speak import bark, bark_presets
from audiocli.voices.timbre import SAMPLE_RATE
from tests.conftest import vowels
from tests.models import tiny_tts

PLACE = SimpleNamespace(device=torch.device("cpu"), dtype="float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_tts.bark(tmp_path_factory.mktemp("bark"))


@pytest.fixture
def understood(monkeypatch):
    """The recogniser's text."""
    monkeypatch.setattr(bark_presets, "heard", lambda speech: "hello there")


def test_the_parts_of_a_preset(folder, understood):
    model = BarkModel.from_pretrained(folder).eval()
    speech = vowels(3.0, SAMPLE_RATE)
    found = bark_presets.preset(model, BarkProcessor.from_pretrained(folder), speech, seed=0)
    assert set(found) == set(bark.PARTS)
    assert found["semantic_prompt"].shape == (round(3 * 49.9),)
    assert found["fine_prompt"].shape == (8, 3 * 75)
    assert 0 <= found["semantic_prompt"].min() <= found["semantic_prompt"].max() < 10_000
    np.testing.assert_array_equal(found["coarse_prompt"], found["fine_prompt"][:2])
    other = bark_presets.codes(model, vowels(3.0, SAMPLE_RATE, 200.0))
    assert not np.array_equal(other, found["fine_prompt"])


def test_a_voice_file_is_a_voice(folder, understood, tmp_path):
    save_file({"speech": vowels(2.0, SAMPLE_RATE)}, tmp_path / "x.voice")

    def spoken(voice):
        return bark.load(folder, None, PLACE, SpeakOptions(voice=voice))(["Yes."])[0].samples

    anybody, her, again = spoken(None), spoken(str(tmp_path / "x.voice")), spoken(str(tmp_path / "x.voice"))
    assert len(her) > 200
    assert np.array_equal(her, again)
    assert len(her) != len(anybody) or not np.array_equal(her, anybody)
    save_file({"xvector": np.zeros(5, np.float32)}, tmp_path / "x.voice")
    with pytest.raises(UsageError, match="holds no speech"):
        bark.load(folder, None, PLACE, SpeakOptions(voice=str(tmp_path / "x.voice")))


def test_long_speech_ends_where_it_is_quiet():
    speech = vowels(10.0, SAMPLE_RATE) + 0.01
    np.testing.assert_array_equal(bark_presets.beginning(speech[:100_000]), speech[:100_000])
    speech[98_000:99_000] = 0.0
    part = bark_presets.beginning(speech)
    assert 98_000 < len(part) < 99_000


def test_tokens_are_stretched_evenly():
    assert bark_presets.stretched(np.array([1, 2, 3]), 6).tolist() == [1, 1, 2, 2, 3, 3]
    assert bark_presets.stretched(np.arange(6), 3).tolist() == [0, 2, 4]
    with pytest.raises(InputError, match="makes nothing"):
        bark_presets.stretched(np.zeros(0, np.int64), 3)


def test_the_recogniser_of_transcribe_is_asked(real):
    from audiocli import audio

    clip = audio.read(real / "data" / "kathleen" / next(iter(tiny_tts.KNOWN)), sample_rate=SAMPLE_RATE, mono=True)
    assert "yards apart" in bark_presets.heard(clip.samples[0]).lower()
    with pytest.raises(InputError, match="no words are understood"):
        bark_presets.heard(np.zeros(SAMPLE_RATE, np.float32))

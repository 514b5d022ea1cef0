"""MusicGen with random weights: text, melody and stereo, beyond the window, seeds, and options that it cannot follow."""

from itertools import pairwise

import numpy as np
import pytest
import soundfile
import torch

from audiocli.errors import UsageError
from audiocli.models.load import load
from audiocli.options import ModelOptions, MusicOptions
from audiocli.verbs.generate_music.work import Composer, Wish
from tests.models import tiny_music
from tests.models.tiny_music import RATE

torch.set_num_threads(1)
KINDS = {"text": {}, "stereo": {"stereo": True}, "melody": {"melody": True}}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("musicgen")
    return {name: tiny_music.musicgen(root / name, **kind) for name, kind in KINDS.items()}


def made(folder, *wishes, **options):
    """The sound [channels, samples] of each (prompt, seed)."""
    runner = load(str(folder), "generate-music", Composer, ModelOptions(device="cpu"), MusicOptions(**options))
    records = runner([Wish("x", "x", prompt=prompt, seed=seed) for prompt, seed in wishes])
    return [record.sound.samples() for record in records]


@pytest.mark.parametrize("name", KINDS)
def test_sound_of_the_length_that_was_asked_for(folders, name):
    """Half a window, and five."""
    for seconds in (0.35, 3.3):
        (sound,) = made(folders[name], ("slow waltz", 0), seconds=seconds)
        assert sound.shape == (2 if name == "stereo" else 1, round(seconds * RATE))
        assert np.isfinite(sound).all()
        assert 0.0 < np.abs(sound).max() <= 0.98 + 1e-6


def test_what_comes_later_goes_on_from_what_was_there(folders):
    """The first window of a long piece is that of a short one, and each later one is given its end."""
    runner = load(
        str(folders["text"]), "generate-music", Composer, ModelOptions(device="cpu"), MusicOptions(seconds=2.0)
    )
    given = []
    generate = runner.model.generate

    def spy(**inputs):
        found = generate(**inputs)
        given.append((inputs.get("decoder_input_ids"), found))
        return found

    runner.model.generate = spy
    runner([Wish("x", "x", prompt="slow", seed=5)])
    assert given[0][0] is None
    assert len(given) > 3
    for (_, before), (codes, found) in pairwise(given):
        known = codes.shape[1] * RATE // tiny_music.FRAME_RATE
        again = runner.model.audio_encoder.decode(codes[None, None], [None]).audio_values
        # The codec looks ahead, so that only the beginning of the given part sounds the same.
        assert torch.allclose(found[..., : known // 2], again[..., : known // 2], atol=1e-4)
        assert before.shape[-1] >= known


def test_the_seed_and_the_prompt_make_the_sound(folders):
    one, again, other = (made(folders["text"], ("slow waltz", seed), seconds=0.5)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    (prompted,) = made(folders["text"], ("happy drums", 1), seconds=0.5)
    assert not np.array_equal(one, prompted)


def test_several_prompts_together(folders):
    first, second = made(folders["text"], ("slow waltz", 1), ("happy drums piano", 2), seconds=1.0)
    assert first.shape == second.shape
    assert not np.array_equal(first, second)


def test_the_likeliest_has_no_seed(folders):
    one, other = (made(folders["text"], ("slow", seed), seconds=0.5, temperature=0.0)[0] for seed in (1, 2))
    np.testing.assert_array_equal(one, other)


def test_a_melody_is_followed(folders, tmp_path):
    sounds = []
    for hertz in (262.0, 370.0):
        path = tmp_path / f"{hertz}.wav"
        soundfile.write(path, 0.5 * np.sin(2 * np.pi * hertz * np.arange(RATE * 3) / RATE), RATE)
        sounds.append(made(folders["melody"], ("slow", 1), seconds=1.5, melody=str(path), temperature=0.0)[0])
    assert sounds[0].shape == sounds[1].shape
    assert not np.array_equal(*sounds)


def test_what_it_cannot_follow(folders, tmp_path):
    with pytest.raises(UsageError, match="makes sound, not notes: --key"):
        made(folders["text"], ("slow", 0), key="D minor")
    with pytest.raises(UsageError, match="does not take --melody: musicgen-melody"):
        made(folders["text"], ("slow", 0), melody=str(tmp_path / "x.wav"))

"""`speak --from-mel`: from a file of features to sound, by Griffin-Lim or a vocoder of our own; what is refused, in one line."""

import json

import numpy as np
import pytest
import soundfile
import torch

from audiocli.audio import mels
from audiocli.device import Place
from audiocli.errors import ModelError
from audiocli.options import SpeakOptions
from audiocli.verbs.speak import vocoders
from audiocli.verbs.speak.mel import nets
from tests.conftest import vowels
from tests.training.recipes.test_vocoders import SMALL

PLACE = Place("cpu", "float32")


@pytest.fixture
def mel(call, tmp_path):
    """A mel by the command line, and the sound that it is of."""
    sound = vowels(1.3)
    soundfile.write(tmp_path / "x.wav", sound, 16_000, subtype="FLOAT")
    assert call("features", "x.wav", "-k", "log-mel", "--preset", "vocoder", "-o", "x.npz")[0] == 0
    return sound


@pytest.fixture(scope="module", params=SMALL)
def folder(request, tmp_path_factory):
    """A vocoder as `audiocli train` writes it."""
    return made(request.param, tmp_path_factory.mktemp(request.param))


def made(kind, folder):
    """A folder with a net that knows nothing yet."""
    from safetensors.torch import save_file

    from audiocli.console import Console
    from audiocli.options import TrainOptions
    from audiocli.training.recipes import vocoders as recipes

    soundfile.write(folder / "x.wav", vowels(1.0), 16_000)
    own = TrainOptions(data=(str(folder),), valid="none", set=SMALL[kind])
    recipe = getattr(recipes, kind)(own, Console(quiet=True))
    save_file(recipe.net.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(recipe.config()))
    return folder


def test_the_preset_is_the_mel_of_the_nets(mel):
    found = mels.read("x.npz")
    np.testing.assert_allclose(found, mels.log_mel(mel.astype(np.float32)), atol=1e-5)
    assert found.shape == (1 + len(mel) // 200, 80)


def test_griffin_lim_gives_a_sound_with_this_mel(call, mel):
    assert call("speak", "--from-mel", "x.npz", "-o", "y.wav")[0] == 0
    made, rate = soundfile.read("y.wav", dtype="float32")
    assert rate == 16_000
    assert len(made) == len(mel) // 200 * 200
    apart = np.abs(mels.log_mel(made) - mels.read("x.npz"))[5:60, :60]
    assert apart.mean() < 0.5


def test_by_a_vocoder_of_our_own(call, mel, folder):
    for name, seed in (("a.wav", 1), ("b.wav", 1), ("c.wav", 2)):
        code, _, err = call("speak", "--from-mel", "x.npz", "--vocoder", folder, "--seed", str(seed), "-o", name)
        assert code == 0, err
    first, again, other = (open(name, "rb").read() for name in ("a.wav", "b.wav", "c.wav"))
    assert first == again
    assert first != other
    assert soundfile.info("a.wav").frames == len(mel) // 200 * 200


def test_stretches_join_without_a_seam(folder, monkeypatch):
    vocoder = vocoders.load(str(folder), PLACE, vocoders.OURS, options=SpeakOptions(seed=3))
    mel = torch.from_numpy(mels.log_mel(vowels(0.7).astype(np.float32)))
    whole = vocoder(mel)
    monkeypatch.setattr(nets, "AT_ONCE", 13)
    np.testing.assert_array_equal(vocoder(mel), whole)
    assert len(vocoder(mel[:1])) == 0


def test_several_files_into_a_folder(call, mel, tmp_path):
    (tmp_path / "broken.npz").write_bytes(b"junk")
    code, _, err = call(
        "speak", "--from-mel", "x.npz", "--from-mel", "broken.npz", "--from-mel", "no.npz", "-o", "out/"
    )
    assert code == 1
    assert "broken.npz: is not an .npz with log-mel and its parameters" in err
    assert "no.npz: no such file" in err
    assert soundfile.info("out/x.wav").frames


def test_no_sound(call, tmp_path):
    soundfile.write(tmp_path / "x.wav", np.zeros(0), 16_000)
    assert call("features", "x.wav", "-k", "log-mel", "--preset", "vocoder", "-o", "x.npz")[0] == 0
    code, _, err = call("speak", "--from-mel", "x.npz", "-o", "y.wav")
    assert code == 0, err
    assert soundfile.info("y.wav").frames == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--hop-length", "160"), "holds a mel with hop_length 160, not 200"),
        (("--db",), "holds a mel with log db, not ln"),
        (("-k", "mfcc"), "is not an .npz with log-mel and its parameters"),
    ],
)
def test_a_foreign_mel_is_refused_in_one_line(call, mel, options, message):
    kind = () if "-k" in options else ("-k", "log-mel")
    assert call("features", "x.wav", "--preset", "vocoder", *kind, *options, "-o", "z.npz")[0] == 0
    code, _, err = call("speak", "--from-mel", "z.npz", "-o", "y.wav")
    assert code == 1
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_bare_arrays_and_broken_numbers(call, mel, tmp_path):
    np.savez(tmp_path / "bare.npz", np.zeros((80, 5)))
    with np.load("x.npz") as archive:
        values = archive["log-mel"].copy()
        values[3, 3] = np.nan
        np.savez(tmp_path / "nan.npz", **{"log-mel": values, "parameters": archive["parameters"]})
        np.savez(tmp_path / "narrow.npz", **{"log-mel": values[:40], "parameters": archive["parameters"]})
    for name in ("bare", "nan", "narrow"):
        code, _, err = call("speak", "--from-mel", f"{name}.npz", "-o", "y.wav")
        assert code == 1
        assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("Hello",), "leave the text and --model out"),
        (("-f", "x.txt"), "leave the text and --model out"),
        (("-m", "hibari"), "leave the text and --model out"),
        (("--rate", "2"), "--rate is of texts"),
        (("--temperature", "-1"), "--temperature must be between 0 and 2"),
        (("--vocoder", "nowhere-net"), "no model 'nowhere-net'"),
    ],
)
def test_options_that_do_not_go_together(call, mel, options, message):
    code, _, err = call("speak", "--from-mel", "x.npz", "-o", "y.wav", *options)
    assert code == 2
    assert message in err


def test_a_checkpoint_of_another_net(call, mel, folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "front_end": {**config["front_end"], "n_fft": 512}}))
    code, _, err = call("speak", "--from-mel", "x.npz", "--vocoder", other, "-o", "y.wav")
    assert code == 2
    assert "was trained on another mel" in err
    (other / "config.json").write_text(json.dumps({**config, "model_type": "audiocli-music"}))
    code, _, err = call("speak", "--from-mel", "x.npz", "--vocoder", other, "-o", "y.wav")
    assert code == 2
    assert len(err.strip().splitlines()) == 1


def test_a_model_with_another_mel_does_not_take_it(folder):
    with pytest.raises(ModelError, match="takes another mel than this model makes"):
        vocoders.load(str(folder), PLACE, vocoders.MelScale(16_000, 1_024, 256, 80, 80.0, 7_600.0))

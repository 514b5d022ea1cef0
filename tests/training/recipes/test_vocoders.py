"""The recipes of the vocoders: from speech to a folder, resumed; crops whose mel is the sound's; sentences held out whole."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from audiocli.kernels import mulaw

from audiocli.audio import mels
from audiocli.console import Console
from audiocli.errors import UsageError
from audiocli.nets.conditioner import MARGIN
from audiocli.options import TrainOptions
from audiocli.training.recipes import vocoders
from tests.conftest import vowels

SMALL = {
    "wavenet": ("samples=1600", "steps=2", "stacks=1", "layers=3", "channels=8", "skips=8"),
    "wavernn": ("samples=1000", "steps=2", "width=16", "hidden=8"),
    "waveglow": ("samples=1600", "steps=2", "flows=5", "width=8", "layers=3"),
}


@pytest.fixture
def speech(tmp_path):
    """Six recordings of three sentences, as a manifest."""
    rows = ["path\ttext"]
    for n in range(6):
        soundfile.write(tmp_path / f"{n}.wav", vowels(0.5 + n / 10, 16_000, 100.0 + 20 * n), 16_000)
        rows.append(f"{n}.wav\tsentence {n // 2}")
    path = tmp_path / "speech.tsv"
    path.write_text("\n".join(rows) + "\n")
    return path


def train(call, kind, speech, *more):
    own = [part for entry in SMALL[kind] for part in ("--set", entry)]
    return call("train", kind, "--data", speech, "-o", "model", "--batch-size", "2", "--valid", "0.2", *own, *more)


@pytest.mark.parametrize("kind", SMALL)
def test_from_speech_to_a_folder_and_on(call, speech, kind):
    code, _, err = train(call, kind, speech, "--epochs", "2", "--test", "0.2")
    assert code == 0, err
    assert "recordings of the sentences that are held out are not trained on" in err
    config = json.loads(Path("model/config.json").read_text())
    assert config["model_type"] == f"audiocli-{kind}"
    assert config["front_end"]["hop_length"] == 200
    assert {"nll", "held-out nll"} <= config["scores"].keys()
    assert f"`audiocli speak --vocoder {Path('model').resolve().name}`" in Path("model/README.md").read_text()
    code, _, err = train(call, kind, speech, "--epochs", "1", "--from", "model", "--force")
    assert code == 0, err


@pytest.mark.parametrize("kind", SMALL)
def test_a_run_that_was_stopped_goes_on(call, speech, kind, monkeypatch):
    """What comes out is what an unbroken run gives."""
    from audiocli.training import loop

    assert train(call, kind, speech, "--epochs", "3")[0] == 0
    whole = Path("model/model.safetensors").read_bytes()
    finish = loop._Run.finish_epoch

    def broken(run, loss):
        scores = finish(run, loss)
        if run.progress.epoch == 2:
            raise RuntimeError("killed")
        return scores

    with monkeypatch.context() as patch:
        patch.setattr(loop._Run, "finish_epoch", broken)
        with pytest.raises(RuntimeError, match="killed"):
            train(call, kind, speech, "--epochs", "3", "--force")
    assert train(call, kind, speech, "--epochs", "3", "--resume")[0] == 0
    assert Path("model/model.safetensors").read_bytes() == whole


def recipe(speech, kind="wavenet", **own):
    settings = tuple(f"{name}={value}" for name, value in own.items())
    options = TrainOptions(data=(str(speech),), valid="none", batch_size=3, set=(*SMALL[kind], *settings))
    return getattr(vocoders, kind)(options, Console(quiet=True))


def test_crops_are_whole_hops_of_sound_with_its_mel(speech):
    made = recipe(speech, emphasis=0.0, gain=1.0, level=0.0)
    batches = [make() for make in made.batches(1)]
    again = [make() for make in made.batches(1)]
    for one, other in zip(batches, again, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)
    batch = batches[0]
    assert batch["mel"].shape == (3, mels.N_MELS, 9 + 2 * MARGIN)
    assert torch.equal(batch["before"][:, 1:], batch["now"][:, :-1])
    for codes, spectrum in zip(batch["now"], batch["mel"], strict=True):
        sound = mulaw.decode(codes.numpy())
        # Frames in the middle see only sound that is in the crop; the noise of mu-law drowns the quiet bands, which are high.
        own = mels.log_mel(sound)[3:6, :30]
        assert np.abs(own - spectrum.numpy().T[MARGIN + 3 : MARGIN + 6, :30]).mean() < 0.15


def test_a_clip_that_is_shorter_than_a_crop(speech):
    made = recipe(speech, samples=32000)
    batch = next(iter(made.batches(0)))()
    assert batch["now"].shape == (3, 32_000)
    assert batch["mel"].shape[2] == 161 + 2 * MARGIN


def test_a_crop_of_part_of_a_frame(speech):
    with pytest.raises(UsageError, match="samples=1601: give a multiple of 200"):
        recipe(speech, samples=1601)


def test_all_sentences_held_out(call, speech):
    code, _, err = train(call, "wavenet", speech, "--valid", "text=sentence 0,sentence 1", "--test", "0.5")
    assert code == 2
    assert "all sentences are held out: hold out fewer" in err

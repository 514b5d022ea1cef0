"""`audiocli train segmentation` as a command: a net, its folder, what it begins from, resumption."""

import json

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from audiocli.training.recipes.segmentation import errors, evenly
from tests.conftest import vowels

RATE = 16_000
TINY = (
    "--set", "front=4", "--set", "width=32", "--set", "squeeze=8", "--set", "blocks=2", "--set", "hidden=16",
    "--set", "people=1,2", "--set", "seconds=1.0", "--batch-size", "4", "--jobs", "1", "-q",
)  # fmt: skip


@pytest.fixture
def data(tmp_path):
    """Four voices, and a recording with marks."""
    rows = ["path\tspeaker"]
    for speaker in range(6):
        soundfile.write(tmp_path / f"{speaker}.wav", vowels(3.0, pitch=90 + 30 * speaker, seed=speaker), RATE)
        rows.append(f"{speaker}.wav\t{speaker}")
    (tmp_path / "clips.tsv").write_text("\n".join(rows))
    soundfile.write(tmp_path / "meeting.wav", vowels(4.0, pitch=120, seed=9), RATE)
    (tmp_path / "meeting.rttm").write_text("SPEAKER meeting 1 0.5 3.0 <NA> <NA> a <NA> <NA>\n")
    (tmp_path / "meetings.tsv").write_text("path\trttm\nmeeting.wav\tmeeting.rttm\n")
    return tmp_path


def test_training_and_going_on(call, data):
    options = ("--data", "clips.tsv", "--data", "meetings.tsv", "--valid", "speaker=0,1", "--set", "steps=2", *TINY)
    code, _, err = call("train", "segmentation", *options, "-o", "m", "--epochs", "2")
    assert (code, err) == (0, "")
    config = json.loads((data / "m" / "config.json").read_text())
    assert config["model_type"] == "audiocli-segmenter"
    assert config["scores"]["DER"] == pytest.approx(
        sum(config["scores"][name] for name in ("miss", "false alarm", "confusion"))
    )
    assert load_file(data / "m" / "model.safetensors")["head.weight"].dtype == torch.float16
    assert "0.1 minutes of marked recordings" in (data / "m" / "README.md").read_text()
    code, _, err = call("train", "segmentation", *options, "-o", "on", "--from", "m", "--epochs", "1", "--rate", "1e-9")
    assert (code, err) == (0, "")
    code, out, err = call("diarize", "meeting.wav", "-m", "m", "-f", "jsonl")
    assert code == 0
    record = json.loads(out)
    assert (record["duration"], record["status"] in ("ok", "no_speech")) == (4.0, True)
    before, after = (load_file(data / name / "model.safetensors")["head.weight"].float() for name in ("m", "on"))
    torch.testing.assert_close(after, before, atol=1e-3, rtol=1e-3)


def test_layers_below_from_an_encoder_of_voices(call, data):
    sizes = ("--set", "front=4", "--set", "width=32", "--set", "squeeze=8", "--set", "blocks=2")
    code, _, err = call(
        "train", "speaker-encoder", "--data", "clips.tsv", "-o", "voices", "--valid", "none", "--epochs", "1",
        "--set", "steps=1", *sizes, "--set", "pooled=32", "--set", "embedding=32", "--batch-size", "4", "--jobs", "1", "-q",
    )  # fmt: skip
    assert (code, err) == (0, "")
    options = ("--data", "clips.tsv", "--valid", "none", "--epochs", "1", "--set", "steps=1", "--rate", "1e-9", *TINY)
    code, _, err = call("train", "segmentation", *options, "-o", "m", "--from", "voices")
    assert (code, err) == (0, "")
    voices, net = (load_file(data / name / "model.safetensors") for name in ("voices", "m"))
    torch.testing.assert_close(net["stem.0.weight"], voices["stem.0.weight"], atol=1e-3, rtol=1e-2)
    code, _, err = call("train", "segmentation", *options, "-o", "n", "--from", "voices", "--set", "width=64")
    assert code == 2
    assert "is a net of another size" in err


def test_speakers_are_needed(call, data):
    code, _, err = call("train", "segmentation", "--data", "meetings.tsv", "-o", "m", "--valid", "none", *TINY)
    assert code == 2
    assert "too few speakers" in err


def test_sounds_of_two_kinds_are_as_many():
    one, other = (np.zeros(n, np.int16) for n in (1, 2))
    assert [len(sound) for sound in evenly((one,) * 4, (other,))] == [1, 1, 1, 1, 2, 2, 2, 2]
    assert evenly((one,), ()) == (one,)
    assert [len(sound) for sound in evenly((), (other, other))] == [2, 2]


def test_errors():
    truth = np.zeros((1, 10, 3), np.bool_)
    truth[0, :6, 0] = truth[0, 4:8, 1] = True
    swapped = truth[..., [2, 0, 1]]
    assert errors(swapped, truth).tolist() == [0, 0, 0, 10]
    assert errors(np.zeros_like(truth), truth).tolist() == [10, 0, 0, 10]
    one = np.zeros_like(truth)
    one[0, :, 1] = True
    assert errors(one, truth).tolist() == [2, 2, 2, 10]

"""`audiocli train segmentation` as a command: a net, its folder, what it begins from, resumption."""

import json

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from audiocli.nets.segmenter import sets
from audiocli.nets.sinc_segmenter import frames
from audiocli.training.recipes.segmentation import evenly
from audiocli.training.recipes.segmentation_scores import THRESHOLDS, errors, threshold
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


def test_going_on_from_the_published_net(call, data):
    """A folder with pyannote's checkpoint: its numbers, with a class for each set of people; some of them stay in the result."""
    from audiocli.models.registry import MODELS
    from tests.verbs.diarize.test_segmentation import small

    folder = data / "published"
    folder.mkdir()
    state = small().state_dict()
    torch.save({"state_dict": state}, folder / MODELS["pyannote-segmentation"].carriers[0].files[0].name)
    options = ("--data", "clips.tsv", "--valid", "speaker=0,1", "--set", "steps=2", *TINY, "--from", "published")
    code, _, err = call("train", "segmentation", *options, "-o", "all", "--epochs", "1", "--set", "kept=1.0")
    assert (code, err) == (0, "")
    code, _, err = call("train", "segmentation", *options, "-o", "none", "--epochs", "1", "--rate", "0.01")
    assert (code, err) == (0, "")
    config = json.loads((data / "all" / "config.json").read_text())
    assert config["model_type"] == "audiocli-sinc-segmenter"
    assert config["threshold"] in THRESHOLDS
    every, none = (load_file(data / name / "model.safetensors") for name in ("all", "none"))
    for ours, theirs in (("recurrent.weight_hh_l0", "lstm.weight_hh_l0"), ("above.0.weight", "linear.0.weight")):
        torch.testing.assert_close(every[ours].float(), state[theirs], atol=1e-3, rtol=1e-3)
        assert (none[ours].float() - state[theirs]).abs().max() > 1e-3
    low = state["sincnet.conv1d.0.filterbank.low_hz_"][:, 0]
    torch.testing.assert_close(none["filters.low"].float(), low, atol=2.0, rtol=1e-3)
    code, out, err = call("diarize", "meeting.wav", "-m", "none", "-f", "jsonl")
    assert (code, json.loads(out)["duration"]) == (0, 4.0)
    code, _, err = call("train", "segmentation", *options, "-o", "on", "--epochs", "1", "--from", "none")
    assert (code, err) == (0, "")
    code, _, err = call("train", "segmentation", *options, "-o", "new", "--set", "form=sample")
    assert (code, "did you mean" in err or "bands" in err) == (2, True)
    code, _, err = call("train", "segmentation", *options, "-o", "new", "--epochs", "1", "--from", "nowhere")
    assert (code, "nowhere" in err) == (2, True)


def test_the_threshold_is_that_of_the_fewest_errors():
    """A net that says .42 of who speaks, and .28 of the others."""

    class Sure(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, windows):
            likely = torch.full((1, frames(16_000), 3), 0.28)
            likely[:, :, 0] = 0.42
            return sets(likely).log()

    speaking = torch.zeros(1, 50, 3)
    speaking[:, :, 0] = 1.0
    windows = [{"samples": torch.zeros(1, 16_000), "speaking": speaking}]
    assert threshold(Sure(), windows) == 0.3
    assert threshold(Sure(), []) == 0.5

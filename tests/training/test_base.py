"""Weights that a training goes on from."""

import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from audiocli.errors import UsageError
from audiocli.training.base import begin_from


def net(classes=3):
    return nn.ModuleDict({"body": nn.Linear(4, 2), "head": nn.Linear(2, classes, bias=False)})


@pytest.fixture
def written(tmp_path):
    """A folder as a training leaves it, of three classes, in 16 bits; and its weights."""
    made = net()
    save_file({name: value.half() for name, value in made.state_dict().items()}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "own"}))
    return str(tmp_path), made.state_dict()


def test_goes_on_with_the_weights(written):
    folder, weights = written
    other = net()
    begin_from(folder, other, "own")
    for name, value in other.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, weights[name], atol=1e-3, rtol=1e-3)


def test_other_classes_begin_anew(written):
    folder, weights = written
    other = net(classes=5)
    begun = other.state_dict()["head.weight"].clone()
    begin_from(folder, other, "own", classes="head.weight")
    torch.testing.assert_close(other.state_dict()["head.weight"], begun)
    torch.testing.assert_close(other.state_dict()["body.weight"], weights["body.weight"], atol=1e-3, rtol=1e-3)


def test_no_folder_leaves_a_net_as_it_is():
    made = net()
    begun = {name: value.clone() for name, value in made.state_dict().items()}
    begin_from(None, made, "own")
    assert all(torch.equal(value, begun[name]) for name, value in made.state_dict().items())


@pytest.mark.parametrize(
    ("kind", "classes", "message"),
    [("another", 3, "is a own, not a another"), ("own", 4, "is a net of another kind or size")],
)
def test_another_net(written, kind, classes, message):
    with pytest.raises(UsageError, match=message):
        begin_from(written[0], net(classes), kind)


@pytest.mark.parametrize("broken", ["config.json", "model.safetensors", None])
def test_no_such_folder(written, tmp_path, broken):
    if broken:
        (tmp_path / broken).write_bytes(b"junk")
    with pytest.raises(UsageError, match="is not a folder that 'audiocli train' has written"):
        begin_from(written[0] if broken else "nowhere", net(), "own")

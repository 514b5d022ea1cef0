"""Segmentation nets of our own in the diarizer: frames, people, and folders that do not fit."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from audiocli.device import Place
from audiocli.errors import ModelError
from audiocli.nets.segmenter import Segmenter, Sizes, activity
from audiocli.verbs.diarize import net
from audiocli.verbs.diarize.net import SPEAKERS, WINDOW

SMALL = Sizes(front=4, width=16, squeeze=8, blocks=2, hidden=8, layers=1)


def folder(path, sizes):
    """A net with random weights as `audiocli train` stores it."""
    torch.manual_seed(0)
    net = Segmenter(sizes).half().float()
    save_file({name: value.half() for name, value in net.state_dict().items()}, path / "model.safetensors")
    (path / "config.json").write_text(json.dumps({"model_type": "audiocli-segmenter", "sizes": asdict(sizes)}))
    return net.eval()


@pytest.mark.parametrize("speakers", [2, 3])
def test_probabilities_of_people(tmp_path, speakers):
    made = folder(tmp_path, replace(SMALL, speakers=speakers))
    loaded = net.load_own(tmp_path, Place("cpu"))
    windows = 0.1 * np.random.default_rng(0).standard_normal((2, WINDOW)).astype(np.float32)
    found = loaded(windows)
    assert found.shape == (2, loaded.frames, SPEAKERS)
    assert loaded.frames * loaded.step == WINDOW
    assert loaded.centre == loaded.step / 2
    with torch.inference_mode():
        wanted = activity(made(torch.from_numpy(windows))).numpy()
    np.testing.assert_allclose(found[..., :speakers], wanted, atol=1e-4)
    assert not found[..., speakers:].any()


def test_more_people_than_a_window_has_are_refused(tmp_path):
    folder(tmp_path, replace(SMALL, speakers=4))
    with pytest.raises(ModelError, match="4 speakers in a window"):
        net.load_own(tmp_path, Place("cpu"))

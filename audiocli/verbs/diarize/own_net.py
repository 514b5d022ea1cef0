"""Segmentation nets of our own: `audiocli train segmentation` writes their folders."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ...device import Place
from ...errors import ModelError
from ...models import own
from ...nets.segmenter import FRAME, Segmenter, Sizes, activity
from .pyannet import SPEAKERS, WINDOW, Floats


@dataclass(frozen=True)
class Net:
    """Windows in, probabilities out; the frames fill a window from its first sample on."""

    module: Segmenter
    step: int = FRAME
    centre: float = FRAME / 2
    frames: int = WINDOW // FRAME

    def __call__(self, windows: Floats) -> Floats:
        """Windows [batch, WINDOW] to the probability that each person speaks [batch, frames, SPEAKERS]."""
        weight = self.module.head.weight
        with torch.inference_mode(), torch.autocast(weight.device.type, enabled=False):
            likely = activity(self.module(torch.from_numpy(windows).to(weight.device)))
        return np.pad(likely.cpu().numpy(), ((0, 0), (0, 0), (0, SPEAKERS - likely.shape[2])))


def load(path: Path, place: Place) -> Net:
    """The net in the folder `path`, on the device of `place`. Raises ModelError for one of more speakers."""
    sizes = Sizes(**own.config(path)["sizes"])
    if sizes.speakers > SPEAKERS:
        raise ModelError(f"{path}: {sizes.speakers} speakers in a window, and diarize takes {SPEAKERS} at most")
    return Net(own.with_weights(Segmenter(sizes), path, replace(place, precision="float32")))

"""The nets that say who of up to three people speaks in each frame of five seconds: pyannote's published one, and those of our own.

The published weights are read without running anything in them (the file is a checkpoint of Lightning that names classes of
pyannote and omegaconf), and put into a net of ours of the same form, equal within 1e-6: pyannote.audio's own class takes five
seconds to import, and `audiocli train segmentation` goes on from these weights.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...device import Place
from ...errors import ModelError
from ...models import own, pickles
from ...nets import segmenter, sinc_segmenter
from .models import SEGMENTATION_FILE, SINC_KIND

Floats = NDArray[np.float32]

SAMPLE_RATE = 16_000  # Hz
WINDOW = 5 * SAMPLE_RATE  # samples that the nets were trained to hear at once
SPEAKERS = 3  # people in a window at most
ON = 0.4  # the probability from which somebody speaks by the published net


@dataclass(frozen=True)
class Net:
    """Windows in, probabilities out."""

    module: nn.Module
    step: int  # samples from frame to frame
    centre: float  # samples from the beginning of a window to the middle of its first frame
    frames: int  # in a window
    on: float  # the probability from which somebody speaks

    def __call__(self, windows: Floats) -> Floats:
        """Windows [batch, WINDOW] to the probability that each person speaks [batch, frames, SPEAKERS]."""
        device = next(self.module.parameters()).device
        with torch.inference_mode(), torch.autocast(device.type, enabled=False):
            likely = segmenter.activity(self.module(torch.from_numpy(windows).to(device)))
        return np.pad(likely.cpu().numpy(), ((0, 0), (0, 0), (0, SPEAKERS - likely.shape[2])))


def load_published(path: Path, place: Place) -> Net:
    """The published net in the folder `path`. Raises ModelError, DownloadError."""
    file = path / SEGMENTATION_FILE
    try:
        net = sinc_segmenter.published(pickles.weights(file))
    except (KeyError, IndexError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{file} holds something other than pyannote's segmentation net: {reason}") from error
    return _hearing_samples(net.to(place.device).eval(), file, ON)


def load_own(path: Path, place: Place) -> Net:
    """The net that `audiocli train segmentation` wrote into the folder `path`. Raises ModelError for one of more speakers."""
    place, config = replace(place, precision="float32"), own.config(path)
    on = float(config.get("threshold", 0.5))
    if config["model_type"] == SINC_KIND:
        module = sinc_segmenter.SincSegmenter(sinc_segmenter.Sizes(**config["sizes"]))
        return _hearing_samples(own.with_weights(module, path, place), path, on)
    net = own.with_weights(segmenter.Segmenter(segmenter.Sizes(**config["sizes"])), path, place)
    _check(net.sizes.speakers, path)
    return Net(net, segmenter.FRAME, segmenter.FRAME / 2, WINDOW // segmenter.FRAME, on)


def _hearing_samples(net: sinc_segmenter.SincSegmenter, path: Path, on: float) -> Net:
    _check(net.sizes.speakers, path)
    return Net(net, sinc_segmenter.STEP, sinc_segmenter.CENTRE, sinc_segmenter.frames(WINDOW), on)


def _check(speakers: int, path: Path) -> None:
    if speakers > SPEAKERS:
        raise ModelError(f"{path}: {speakers} speakers in a window, and diarize takes {SPEAKERS} at most")

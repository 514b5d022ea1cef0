"""Who of a few people speaks in each frame of a window, heard from the samples themselves: band-pass filters that learn, an LSTM.

Bredin and Laurent (2021), "End-to-end speaker segmentation for overlap-aware resegmentation" (the net, there called PyanNet);
Ravanelli and Bengio (2018), "Speaker recognition from raw waveform with SincNet" (filters of two numbers each); Pariente et al.
(2020), "Filterbank design for end-to-end speech separation" (their odd twins). As in nets.segmenter, the last layer has a class for
each set of people, where the paper has a probability for each of them: probabilities of people are sets whose logits add up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from .segmenter import members

SAMPLE_RATE = 16_000  # Hz
TAPS = 251  # of a filter
STRIDE = 10  # samples from one output of a filter to the next
POOL = 3  # of the outputs of each layer one is kept
KERNEL = 5  # of the two layers above the filters
LOWEST, NARROWEST = 50.0, 50.0  # Hz: where the lowest band begins at least, and its width at least
STEP = STRIDE * POOL**3  # samples from frame to frame: 16.9 ms
# A frame sees TAPS samples, and as many strides more as all layers together reach.
REACH = TAPS + STRIDE * ((POOL - 1) + POOL * (KERNEL - 1 + POOL - 1) + POOL**2 * (KERNEL - 1 + POOL - 1))
CENTRE = (REACH - 1) / 2  # samples from the beginning of a window to the middle of its first frame


@dataclass(frozen=True)
class Sizes:
    """The sizes that the weights must fit."""

    filters: int = 80
    channels: int = 60
    hidden: int = 128  # of the recurrent net, each way
    layers: int = 4
    width: int = 128  # of the layers above it
    speakers: int = 3  # people in a window at most


class SincFilters(nn.Module):
    """Band-pass filters [filters, 1, TAPS], a half of them even and a half odd, each pair of a lower edge and a width in Hz."""

    side: Tensor
    times: Tensor

    def __init__(self, filters: int) -> None:
        super().__init__()
        top = 2_595.0 * torch.log10(torch.tensor(1.0 + (SAMPLE_RATE / 2 - LOWEST - NARROWEST) / 700.0)).item()
        bottom = 2_595.0 * torch.log10(torch.tensor(1.0 + 30.0 / 700.0)).item()
        edges = 700.0 * (10.0 ** (torch.linspace(bottom, top, filters // 2 + 1) / 2_595.0) - 1.0)
        self.low, self.band = nn.Parameter(edges[:-1].clone()), nn.Parameter(edges.diff())
        reach = TAPS // 2
        self.register_buffer(
            "side", torch.hamming_window(TAPS, False, dtype=torch.float64)[:reach].float(), persistent=False
        )
        self.register_buffer("times", 2.0 * pi * (torch.arange(-reach, 0.0) / SAMPLE_RATE), persistent=False)

    def forward(self) -> Tensor:
        """The filters, as their numbers say."""
        low = LOWEST + self.low.abs()
        high = (low + NARROWEST + self.band.abs()).clamp(LOWEST, SAMPLE_RATE / 2)
        below, above = low[:, None] * self.times, high[:, None] * self.times
        width = 2.0 * (high - low)[:, None]
        even = (above.sin() - below.sin()) / (self.times / 2.0) * self.side / width
        odd = (below.cos() - above.cos()) / (self.times / 2.0) * self.side / width
        one, none = torch.ones_like(width), torch.zeros_like(width)
        return torch.cat(
            [torch.cat([even, one, even.flip(1)], 1), torch.cat([odd, none, -odd.flip(1)], 1)]
        )[:, None]  # fmt: skip


class SincSegmenter(nn.Module):
    """Windows [batch, samples] to logits of the sets of speakers [batch, frames(samples), 2 ** speakers]."""

    step, centre = STEP, CENTRE

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        shapes = ((sizes.filters, sizes.channels), (sizes.channels, sizes.channels))
        self.level = nn.InstanceNorm1d(1, affine=True)
        self.filters = SincFilters(sizes.filters)
        self.convolutions = nn.ModuleList(nn.Conv1d(inside, outside, KERNEL) for inside, outside in shapes)
        self.norms = nn.ModuleList(
            nn.InstanceNorm1d(channels, affine=True) for channels in (sizes.filters, sizes.channels, sizes.channels)
        )
        self.recurrent = nn.LSTM(sizes.channels, sizes.hidden, sizes.layers, batch_first=True, bidirectional=True)
        self.above = nn.ModuleList([nn.Linear(2 * sizes.hidden, sizes.width), nn.Linear(sizes.width, sizes.width)])
        self.head = nn.Linear(sizes.width, 2**sizes.speakers)

    def forward(self, windows: Tensor) -> Tensor:
        """[batch, samples] to [batch, frames(samples), 2 ** speakers]."""
        x = functional.conv1d(self.level(windows[:, None]), self.filters(), stride=STRIDE).abs()
        x = self._pooled(x, 0)
        for n, convolution in enumerate(self.convolutions, 1):
            x = self._pooled(convolution(x), n)
        deep = self.recurrent(x.transpose(1, 2))[0]
        for layer in self.above:
            deep = functional.leaky_relu(layer(deep))
        logits: Tensor = self.head(deep).float()
        return logits

    def _pooled(self, x: Tensor, n: int) -> Tensor:
        return functional.leaky_relu(self.norms[n](functional.max_pool1d(x, POOL)))


def frames(samples: int) -> int:
    """Frames of a window."""
    return (samples - REACH) // STEP + 1


PUBLISHED = {
    "sincnet.wav_norm1d": "level", "sincnet.conv1d.1": "convolutions.0", "sincnet.conv1d.2": "convolutions.1",
    "sincnet.norm1d": "norms", "lstm": "recurrent", "linear": "above",
}  # fmt: skip


def published(weights: Mapping[str, NDArray[Any]]) -> SincSegmenter:
    """The net of pyannote's published weights, which has a probability for each of the speakers.

    Raises KeyError, IndexError, ValueError, RuntimeError for weights of another net.
    """
    classifier, bias = (torch.from_numpy(np.array(weights[f"classifier.{name}"])) for name in ("weight", "bias"))
    layers = sum(name.startswith("lstm.weight_hh_l") and "reverse" not in name for name in weights)
    filters, channels = weights["sincnet.norm1d.0.weight"].shape[0], weights["sincnet.norm1d.1.weight"].shape[0]
    hidden, (speakers, width) = weights["lstm.weight_hh_l0"].shape[1], classifier.shape
    net = SincSegmenter(Sizes(filters, channels, hidden, layers, width, speakers))
    renamed = {
        ours + name.removeprefix(theirs): torch.from_numpy(np.array(value))
        for name, value in weights.items()
        for theirs, ours in PUBLISHED.items()
        if name.startswith(theirs + ".")
    }
    inside = members(speakers)
    renamed["filters.low"], renamed["filters.band"] = (
        torch.from_numpy(weights[f"sincnet.conv1d.0.filterbank.{name}_hz_"][:, 0]) for name in ("low", "band")
    )
    renamed["head.weight"], renamed["head.bias"] = inside @ classifier, inside @ bias
    net.load_state_dict(renamed)
    return net

"""A Siamese encoder: one net for both sides of a comparison, whose embeddings are compared by their cosine.

Log-mel bands with their mean removed, a few two-dimensional convolutions that see formants wherever they lie, a
time-delay net of squeezed and dilated blocks over them, and attentive statistics over time.

References: Bromley et al. (1993), "Signature verification using a Siamese time delay neural network"; Desplanques et al.
(2020), "ECAPA-TDNN" (attentive statistics with the context of the whole clip, features of several depths joined);
Wang et al. (2023), "CAM++" (the two-dimensional front); Deng et al. (2019), "ArcFace" (the margin).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .logmel import LogMel

RANGE = 14.0  # nepers of power: 60 dB
QUIETEST = 1e-6  # an effective value that is still made as loud as others


@dataclass(frozen=True)
class Sizes:
    """The sizes that the weights must fit."""

    sample_rate: int = 16_000  # Hz
    n_fft: int = 512
    hop_length: int = 160
    n_mels: int = 64
    fmin: float = 60.0  # Hz
    fmax: float = 7_600.0  # Hz
    front: int = 16  # channels of the two-dimensional front
    width: int = 256  # channels of the time-delay net
    squeeze: int = 64  # channels of its dilated convolutions
    blocks: int = 5
    pooled: int = 384  # channels that statistics are taken of
    embedding: int = 192


class Front(nn.Module):
    """Clips [batch, samples] to log-mel bands [batch, n_mels, frames], whatever their level and the colour of their channel."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.logmel = LogMel(sizes.sample_rate, sizes.n_fft, sizes.hop_length, sizes.n_mels, sizes.fmin, sizes.fmax)

    def forward(self, clips: Tensor) -> Tensor:
        """The bands around their mean over time; values RANGE below the loudest count as silence, recorded or digital alike."""
        level = clips.square().mean(1, keepdim=True).sqrt().clamp(min=QUIETEST)
        bands: Tensor = self.logmel(clips / level)
        bands = torch.maximum(bands, bands.amax((1, 2), keepdim=True) - RANGE)
        return bands - bands.mean(2, keepdim=True)


class Residual2d(nn.Module):
    """Two 3 x 3 convolutions and a way around them; halves the bands."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inside, outside, 3, (2, 1), 1, bias=False)
        self.second = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.around = nn.Conv2d(inside, outside, 1, (2, 1), bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(outside) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        deep = functional.relu(self.norms[0](self.first(x)))
        return functional.relu(self.norms[1](self.second(deep)) + self.norms[2](self.around(x)))


class TimeDelay(nn.Module):
    """Squeeze, convolve over time with dilation, widen again, weigh the channels by the whole clip, and add."""

    def __init__(self, sizes: Sizes, dilation: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv1d(sizes.width, sizes.squeeze, 1, bias=False)
        self.delay = nn.Conv1d(sizes.squeeze, sizes.squeeze, 3, padding=dilation, dilation=dilation, bias=False)
        self.widen = nn.Conv1d(sizes.squeeze, sizes.width, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm1d(n) for n in (sizes.squeeze, sizes.squeeze, sizes.width))
        self.weigh = nn.Sequential(
            nn.Linear(sizes.width, sizes.width // 8), nn.ReLU(), nn.Linear(sizes.width // 8, sizes.width), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        deep = functional.relu(self.norms[0](self.squeeze(x)))
        deep = functional.relu(self.norms[1](self.delay(deep)))
        deep = self.norms[2](self.widen(deep))
        return functional.relu(x + deep * self.weigh(deep.mean(2))[:, :, None])


class AttentiveStatistics(nn.Module):
    """Weighted mean and standard deviation over time, [batch, channels, frames] to [batch, 2 channels]."""

    def __init__(self, channels: int, inner: int = 96) -> None:
        super().__init__()
        self.frames = nn.Conv1d(channels, inner, 1)
        self.clip = nn.Linear(2 * channels, inner, bias=False)
        self.weights = nn.Conv1d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        context = torch.cat((x.mean(2), x.var(2, correction=0).clamp(min=1e-5).sqrt()), 1)
        weights = self.weights(torch.tanh(self.frames(x) + self.clip(context)[:, :, None])).softmax(2)
        mean = (weights * x).sum(2)
        variance = (weights * (x - mean[:, :, None]).square()).sum(2)
        return torch.cat((mean, variance.clamp(min=1e-5).sqrt()), 1)


class Trunk(nn.Module):
    """The lower layers of nets for speech: spectrogram, residual and time-delay blocks."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        front, width = sizes.front, sizes.width
        self.bands = Front(sizes)
        self.stem = nn.Sequential(nn.Conv2d(1, front, 3, 2, 1, bias=False), nn.BatchNorm2d(front), nn.ReLU())
        self.front = nn.Sequential(Residual2d(front, front), Residual2d(front, 2 * front))
        flat = 2 * front * (sizes.n_mels // 8)
        self.enter = nn.Sequential(nn.Conv1d(flat, width, 3, 2, 1, bias=False), nn.BatchNorm1d(width), nn.ReLU())
        self.blocks = nn.ModuleList(TimeDelay(sizes, dilation=1 + n % 3) for n in range(sizes.blocks))

    def depths(self, bands: Tensor) -> list[Tensor]:
        """What each block makes of [batch, n_mels, frames], [batch, width, time] each."""
        x = self.enter(self.front(self.stem(bands[:, None])).flatten(1, 2))
        found = []
        for block in self.blocks:
            x = block(x)
            found.append(x)
        return found


class Siamese(Trunk):
    """Clips [batch, samples] of one length to embeddings [batch, embedding] of length 1.

    `directions` [classes, embedding]: the directions of the training voices, from which the margin is measured.
    """

    def __init__(self, sizes: Sizes, classes: int) -> None:
        super().__init__(sizes)
        self.sizes, width = sizes, sizes.width
        self.join = nn.Sequential(nn.Conv1d(width * sizes.blocks, sizes.pooled, 1), nn.ReLU())
        self.pool = AttentiveStatistics(sizes.pooled)
        self.pooled_norm = nn.BatchNorm1d(2 * sizes.pooled)
        self.embed = nn.Linear(2 * sizes.pooled, sizes.embedding)
        self.embedded_norm = nn.BatchNorm1d(sizes.embedding)
        self.directions = nn.Parameter(0.05 * torch.randn(classes, sizes.embedding))

    def forward(self, clips: Tensor) -> Tensor:
        """[batch, samples] to [batch, embedding]."""
        return self.encode(self.bands(clips))

    def encode(self, bands: Tensor) -> Tensor:
        """[batch, n_mels, frames] to [batch, embedding]."""
        pooled = self.pool(self.join(torch.cat(self.depths(bands), 1)))
        return functional.normalize(self.embedded_norm(self.embed(self.pooled_norm(pooled))).float(), dim=1)


def margin_loss(embeddings: Tensor, directions: Tensor, labels: Tensor, margin: Tensor, scale: float = 30.0) -> Tensor:
    """Cross-entropy of `scale` times the cosines to the classes, where the angle to the own one counts as `margin` wider.

    embeddings [batch, embedding] of length 1, directions [classes, embedding], labels [batch], margin in radians.
    """
    cosine = (embeddings @ functional.normalize(directions.float(), dim=1).T).clamp(-1.0 + 1e-6, 1.0 - 1e-6)
    own = cosine.gather(1, labels[:, None])
    wider = own * margin.cos() - (1.0 - own.square()).sqrt() * margin.sin()
    # Beyond the angle where cos(angle + margin) would rise again, a straight line goes on.
    wider = torch.where(own > -margin.cos(), wider, own - margin * margin.sin())
    return functional.cross_entropy(scale * cosine.scatter(1, labels[:, None], wider), labels)

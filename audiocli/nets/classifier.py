"""A residual convolutional net over log-mel for sounds.

Residual blocks of 3x3 convolutions (He et al., "Identity Mappings in Deep Residual Networks", 2016) over log-mel, pooled as in
PANNs (Kong et al., "PANNs: Large-Scale Pretrained Audio Neural Networks", 2020): the mean over the bands, mean and maximum in time.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from .logmel import LogMel


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut, normalised before; stride 2 halves both axes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()
        self.pool = nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, bands, frames] to [batch, outputs, bands / stride, frames / stride]."""
        y = self.conv1(functional.relu(self.norm1(x)))
        y = self.conv2(functional.relu(self.norm2(y)))
        total: Tensor = self.shortcut(self.pool(x)) + y
        return total


class Classifier(nn.Module):
    """Samples [batch, samples] to logits [batch, labels]."""

    def __init__(
        self, labels: int, sample_rate: int = 32_000, n_fft: int = 1_024, hop_length: int = 640, n_mels: int = 64,
        widths: Sequence[int] = (24, 48, 96, 192), dropout: float = 0.3,
    ) -> None:  # fmt: skip
        super().__init__()
        self.logmel = LogMel(sample_rate, n_fft, hop_length, n_mels, fmin=40.0)
        self.bands = nn.BatchNorm1d(n_mels)  # each band to zero mean and unit variance over the training data
        self.stem = nn.Conv2d(1, widths[0], 3, (2, 2), 1, bias=False)
        pairs = zip([widths[0], *widths[:-1]], widths, strict=True)
        self.blocks = nn.Sequential(*(Block(i, o, 1 if n == 0 else 2) for n, (i, o) in enumerate(pairs)))
        self.norm = nn.BatchNorm2d(widths[-1])
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], labels)
        self.to(memory_format=torch.channels_last)  # 1.7 times as fast on processors

    def forward(self, samples: Tensor) -> Tensor:
        """[batch, samples] to [batch, labels]."""
        return self.classify(self.spectra(samples))

    def spectra(self, samples: Tensor) -> Tensor:
        """[batch, samples] to normalised log-mel [batch, bands, frames]."""
        normalised: Tensor = self.bands(self.logmel(samples))
        return normalised

    def classify(self, spectra: Tensor) -> Tensor:
        """[batch, bands, frames] to [batch, labels]."""
        x = functional.relu(self.norm(self.blocks(self.stem(spectra[:, None]))))
        x = x.mean(2)  # over the bands; then the mean and the maximum over time
        logits: Tensor = self.head(self.dropout(x.mean(2) + x.amax(2)))
        return logits


def mask(spectra: Tensor, bands: int, frames: int, generator: torch.Generator | None = None) -> Tensor:
    """SpecAugment (Park et al. 2019): up to `bands` bands and `frames` frames of each example [batch, b, f] become 0, the mean."""
    for axis, most in ((1, bands), (2, frames)):
        size = spectra.shape[axis]
        width = (torch.rand(len(spectra), 1, generator=generator) * min(most, size)).long()
        start = (torch.rand(len(spectra), 1, generator=generator) * (size - width)).long()
        at = torch.arange(size)[None]
        hidden = ((at >= start) & (at < start + width)).to(spectra.device)
        spectra = spectra.masked_fill(hidden[:, :, None] if axis == 1 else hidden[:, None, :], 0.0)
    return spectra

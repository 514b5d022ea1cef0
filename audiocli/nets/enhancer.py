"""A small causal speech enhancer: a complex mask over ERB bands, from a full-band and a sub-band recurrent net.

ERB bands and the complex mask are GTCRN's (Rong et al., ICASSP 2024); between them stands FullSubNet's pair (Hao, Su, Horaud, Li,
ICASSP 2021): one recurrent layer sees all bands at once, another, the same for every group of bands, sees that group and the output
of the first one for it. On a processor that trains five times as fast as GTCRN's convolutions. The net need not learn what it is
given: the level of each band above its lowest recent level (Martin, 2001), and a gain between 0 and 1 that the complex part only
corrects.

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
FLOOR = 1e-8  # of powers: about the noise of 16-bit samples
SEEN = 4  # values of a band: level, level above the floor, real and imaginary part
MEAN = -1.0  # of the levels (base 10 logarithms of the power), about
RISE = 0.008  # by which the floor rises in a frame: 5 dB a second
OPEN = 2.0  # a gain's logit at first: the net only has to learn what to remove

State = tuple[Tensor, Tensor, Tensor]


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
        seen = SEEN * SIGHT
        self.local = nn.Linear(seen, size.local)
        self.full_in = nn.Sequential(nn.Linear(N_GROUPS * size.local, size.full), nn.LayerNorm(size.full), nn.ReLU())
        self.full = nn.GRU(size.full, size.full)
        self.full_out = nn.Linear(size.full, N_GROUPS * size.local)
        self.sub_in = nn.Sequential(nn.Linear(2 * size.local + seen, size.sub), nn.LayerNorm(size.sub), nn.ReLU())
        self.sub = nn.GRU(size.sub, size.sub)
        last = nn.Linear(size.sub, 3 * GROUP)
        self.mask = nn.Sequential(nn.Linear(2 * size.sub, size.sub), nn.ReLU(), last)
        with torch.no_grad():
            last.weight.mul_(0.1)
            last.bias.zero_()
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
        before = (None, None, None) if state is None else state
        seen, floor = self.features(spectrum, before[2])
        local = self.local(seen).relu()
        hidden, full_after = self.full(self.full_in(local.flatten(2)), before[0])
        context = self.full_out(hidden).relu().view_as(local)
        x = self.sub_in(torch.cat([seen, local, context], -1))
        hidden, sub_after = self.sub(x.view(frames, batch * N_GROUPS, -1), before[1])
        mask = self.mask(torch.cat([x, hidden.view_as(x)], -1)).view(frames, batch, N_GROUPS, 3, GROUP)
        mask = mask.permute(1, 0, 3, 2, 4).reshape(batch, frames, 3, N_GROUPS * GROUP)[..., :N_BANDS]
        mask = torch.cat([mask[..., :N_LINEAR], mask[..., N_LINEAR:] @ self.synthesis], -1).float()
        gain = torch.sigmoid(mask[:, :, 0] + OPEN)
        return spectrum * torch.complex(gain * (1 + mask[:, :, 1]), gain * mask[:, :, 2]), (
            full_after,
            sub_after,
            floor,
        )

    def features(self, spectrum: Tensor, floor: Tensor | None) -> tuple[Tensor, Tensor]:
        """The inputs of each group, [frames, batch, N_GROUPS, SEEN * SIGHT], and the last floor of each band, [batch, N_BANDS].

        For each band: its level, its level above the floor, the compressed real and imaginary part.
        """
        power = spectrum.real**2 + spectrum.imag**2 + FLOOR
        gain = power**-0.35
        bins = torch.stack([power, spectrum.real * gain, spectrum.imag * gain], 2)
        bands = torch.cat([bins[..., :N_LINEAR], bins[..., N_LINEAR:] @ self.analysis.T], -1)
        level = bands[:, :, 0].float().log10()
        floors = _floors(level, level[:, 0] if floor is None else floor)
        bands = torch.cat([level[:, :, None] - MEAN, (level - floors)[:, :, None], bands[:, :, 1:]], 2)
        side = (SIGHT - GROUP) // 2
        bands = nn.functional.pad(bands, (side, side + N_GROUPS * GROUP - N_BANDS))
        return bands.unfold(3, SIGHT, GROUP).permute(1, 0, 3, 2, 4).flatten(3), floors[:, -1]

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


def _floors(level: Tensor, before: Tensor) -> Tensor:
    """The lowest level so far in each band, which rises by RISE a frame; [batch, frames, bands], before: [batch, bands].

    floor[t] = min(level[t], floor[t - 1] + RISE), which is the running minimum of level[t] - t * RISE, plus t * RISE.
    """
    rise = RISE * torch.arange(level.shape[1] + 1, device=level.device)[:, None]
    levels = torch.cat([before[:, None], level], 1) - rise
    return (levels.cummin(1).values + rise)[:, 1:]


def window() -> Tensor:
    """The square root of a Hann window: its square sums to 1 over frames that overlap by half, [N_FFT]."""
    return torch.hann_window(N_FFT).sqrt()

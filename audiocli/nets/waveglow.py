"""WaveGlow (Prenger, Valle, Catanzaro 2018): an invertible net between sound and noise, conditioned on a mel; drawn all at once.

Sound is taken in groups of GROUP samples as channels. Each flow mixes the channels by an invertible matrix and scales and shifts
one half of them by what a WaveNet without causality says of the other half and of the mel. Some channels leave early.
"""

import math

import torch
from torch import Tensor, nn

from .conditioner import Conditioner

GROUP = 8
MOST = 2.0  # of a log scale, so that no step of a training makes one explode
DITHER = 1e-3  # of noise in training: digital silence would have an infinite density


class Coupling(nn.Module):
    """(log scale, shift) [batch, channels, groups] for one half of the channels, from the other half and the mel."""

    def __init__(self, channels: int, width: int, layers: int, given: int) -> None:
        super().__init__()
        self.width = width
        self.begin = nn.Conv1d(channels, width, 1)
        self.project = nn.Conv1d(given, 2 * width * layers, 1)
        self.dilated = nn.ModuleList(nn.Conv1d(width, 2 * width, 3, dilation=2**n, padding=2**n) for n in range(layers))
        self.out = nn.ModuleList(nn.Conv1d(width, 2 * width, 1) for _ in range(layers))
        self.end = nn.Conv1d(width, 2 * channels, 1)
        nn.init.zeros_(self.end.weight)  # a flow that does nothing yet
        nn.init.zeros_(self.end.bias)  # type: ignore[arg-type]

    def forward(self, half: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        """half: [batch, channels, groups]; given: [batch, width, steps], each step for equally many groups."""
        x = self.begin(half)
        total = torch.zeros_like(x)
        for dilated, out, own in zip(
            self.dilated, self.out, self.project(given).chunk(len(self.out), dim=1), strict=True
        ):
            inside = dilated(x).view(*own.shape, -1) + own[..., None]
            values, gates = inside.flatten(2).chunk(2, dim=1)
            more, skip = out(torch.tanh(values) * torch.sigmoid(gates)).chunk(2, dim=1)
            x, total = x + more, total + skip
        log_scale, shift = self.end(total).float().chunk(2, dim=1)
        return MOST * torch.tanh(log_scale / MOST), shift


class WaveGlow(nn.Module):
    """Between sound [batch, samples] and noise [batch, GROUP, samples / GROUP]."""

    def __init__(
        self, n_mels: int = 80, flows: int = 12, early_every: int = 4, early: int = 2, width: int = 48, layers: int = 6,
        given: int = 64,
    ) -> None:  # fmt: skip
        super().__init__()
        self.early_every, self.early, self.layers = early_every, early, layers
        self.conditioner = Conditioner(n_mels, given)
        counts = [GROUP - early * (flow // early_every) for flow in range(flows)]
        turns = [torch.linalg.qr(torch.randn(count, count))[0].contiguous() for count in counts]
        self.mix = nn.ParameterList(map(nn.Parameter, turns))
        self.couplings = nn.ModuleList(Coupling(count // 2, width, layers, given) for count in counts)

    @property
    def reach(self) -> int:
        """Groups to each side that a sample depends on, at most."""
        return int(len(self.couplings) * (2**self.layers - 1))

    def forward(self, samples: Tensor, mel: Tensor) -> tuple[Tensor, Tensor]:
        """(noise [batch, GROUP, groups], log-determinant of its derivative [batch]) of sound [batch, samples].

        mel: [batch, n_mels, frames + 2 MARGIN] of a whole number of hops, one fewer than frames.
        """
        given = self.conditioner(mel)
        x = samples.float().view(len(samples), -1, GROUP).transpose(1, 2)
        left, log_det = [], torch.zeros(len(x), device=x.device)
        for number, (mix, coupling) in enumerate(zip(self.mix, self.couplings, strict=True)):
            if number and number % self.early_every == 0:
                left.append(x[:, : self.early])
                x = x[:, self.early :]
            with torch.autocast(x.device.type, enabled=False):
                x = mix.float() @ x
                log_det = log_det + x.shape[-1] * torch.linalg.slogdet(mix.float())[1]
            one, other = x.chunk(2, dim=1)
            log_scale, shift = coupling(one, given)
            x = torch.cat([one, log_scale.exp() * other + shift], dim=1)
            log_det = log_det + log_scale.sum((1, 2))
        return torch.cat([*left, x], dim=1), log_det

    def inverse(self, noise: Tensor, mel: Tensor) -> Tensor:
        """The sound [batch, samples] of noise [batch, GROUP, groups]."""
        given = self.conditioner(mel)
        kept = (len(self.couplings) - 1) // self.early_every * self.early
        waiting, x = noise[:, :kept], noise[:, kept:]
        for number in reversed(range(len(self.couplings))):
            one, other = x.chunk(2, dim=1)
            log_scale, shift = self.couplings[number](one, given)
            x = torch.cat([one, (other - shift) * (-log_scale).exp()], dim=1)
            x = torch.linalg.inv(self.mix[number].float()) @ x
            if number and number % self.early_every == 0:
                x = torch.cat([waiting[:, -self.early :], x], dim=1)
                waiting = waiting[:, : -self.early]
        return x.transpose(1, 2).flatten(1)

    def nll(self, now: Tensor, mel: Tensor, before: Tensor | None = None) -> Tensor:
        """Mean negative log-density of a sample, in nats. before: what nets that draw one by one look at, and this one does not."""
        if self.training:
            now = now + DITHER * torch.randn_like(now)
        noise, log_det = self(now, mel)
        found: Tensor = 0.5 * noise.square().mean() + 0.5 * math.log(2 * math.pi) - log_det.mean() / now.shape[1]
        return found

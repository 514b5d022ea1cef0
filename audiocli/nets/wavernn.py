"""WaveRNN (Kalchbrenner et al. 2018): one gated recurrent layer, two softmaxes for the high and the low byte of a sample.

Half of the state is for the high byte and never sees the one that is being drawn; the other half does. Otherwise it is a GRU.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .conditioner import Conditioner

BYTE = 256
INPUTS = 3  # the high and the low byte of the sample before, and the high byte of this one


class WaveRNN(nn.Module):
    """Logits of both bytes of 16-bit codes."""

    mask: Tensor

    def __init__(self, n_mels: int = 80, width: int = 256, hidden: int = 128, given: int = 64) -> None:
        super().__init__()
        self.width, half = width, width // 2
        self.conditioner = Conditioner(n_mels, given)
        self.gru = nn.GRU(INPUTS + given, width, batch_first=True)
        self.high = nn.Sequential(nn.Linear(half, hidden), nn.ReLU(), nn.Linear(hidden, BYTE))
        self.low = nn.Sequential(nn.Linear(half, hidden), nn.ReLU(), nn.Linear(hidden, BYTE))
        mask = torch.ones(3, width, INPUTS + given)
        mask[:, :half, INPUTS - 1] = 0.0  # weights that are 0 at the beginning, and learn nothing
        self.register_buffer("mask", mask.flatten(0, 1), persistent=False)
        inputs = self._gate("weight_ih_l0")
        with torch.no_grad():
            inputs.mul_(self.mask)
        inputs.register_hook(lambda gradient: gradient * self.mask)  # type: ignore[no-untyped-call]  # as torch declares it

    def forward(self, before: Tensor, now: Tensor, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [batch, samples, BYTE] of the high and the low byte of codes 0..65535 [batch, samples].

        before: the code before each; mel: [batch, n_mels, frames + 2 MARGIN] of a whole number of hops, one fewer than frames.
        """
        given = self.conditioner(mel).transpose(1, 2)
        given = given.repeat_interleave(now.shape[1] // given.shape[1], dim=1)
        bytes_ = torch.stack([before // BYTE, before % BYTE, now // BYTE], dim=-1)
        states, _ = self.gru(torch.cat([scaled(bytes_), given.float()], dim=-1))
        high, low = states.chunk(2, dim=-1)
        return self.high(high), self.low(low)

    def nll(self, before: Tensor, now: Tensor, mel: Tensor) -> Tensor:
        """Mean nats a sample, of both bytes together."""
        high, low = self(before, now, mel)
        return _nll(high, now // BYTE) + _nll(low, now % BYTE)

    def given(self, mel: Tensor) -> Tensor:
        """What conditioning adds inside the gates, with the biases of the inputs [batch, steps, 3 width]."""
        weight, bias = self._gate("weight_ih_l0")[:, INPUTS:], self._gate("bias_ih_l0")
        return functional.linear(self.conditioner(mel).transpose(1, 2), weight, bias)

    def _gate(self, name: str) -> Tensor:
        """A parameter of the recurrent layer: the reset, the update and the new gate, one behind the other."""
        return dict(self.gru.named_parameters())[name]


def scaled(byte: Tensor) -> Tensor:
    """Bytes as inputs from -1 to 1."""
    return byte.float() / ((BYTE - 1) / 2) - 1.0


def _nll(logits: Tensor, byte: Tensor) -> Tensor:
    return functional.cross_entropy(logits.float().flatten(0, 1), byte.long().flatten())

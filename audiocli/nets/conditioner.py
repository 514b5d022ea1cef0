"""A mel spectrogram brought nearer to the rate of samples: what autoregressive vocoders are conditioned on."""

import torch
from torch import Tensor, nn
from torch.nn import functional

STEPS = 5  # of the conditioning, from frame to frame
MARGIN = 2  # frames that are seen before the first and after the last one
MEAN, SPREAD = -5.0, 2.5  # of natural log-mel magnitudes of speech, roughly


class Conditioner(nn.Module):
    """Log-mel [batch, n_mels, frames + 2 MARGIN] to [batch, width, STEPS (frames - 1)].

    Two convolutions over frames, then a transposed one (van den Oord et al. 2016, 2.5), whose output holds for hop / STEPS
    samples: the hops between frame 0 and the last one.
    """

    def __init__(self, n_mels: int, width: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(n_mels, width, 3)
        self.second = nn.Conv1d(width, width, 3)
        self.up = nn.ConvTranspose1d(width, width, 2 * STEPS, stride=STEPS, padding=STEPS)

    def forward(self, mel: Tensor) -> Tensor:
        """The conditioning of each step."""
        hidden = functional.leaky_relu(self.first((mel - MEAN) / SPREAD), 0.1)
        hidden = functional.leaky_relu(self.second(hidden), 0.1)
        found: Tensor = functional.leaky_relu(self.up(hidden), 0.1)
        return found


def with_margin(mel: Tensor) -> Tensor:
    """A whole log-mel [batch, n_mels, frames] with its first and last frame repeated as often as the margin needs."""
    return torch.cat([mel[..., :1]] * MARGIN + [mel] + [mel[..., -1:]] * MARGIN, dim=-1)

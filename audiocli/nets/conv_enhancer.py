"""The plain waveform enhancer that others are measured against: a convolutional encoder and decoder, 1-64-128 and back.

A convolutional autoencoder over samples as of Pascual, Bonafonte, Serra, "SEGAN" (Interspeech 2017), with two layers each way and
without the adversary. The net's output is subtracted from the noisy sound.
"""

from torch import Tensor, nn

SAMPLE_RATE = 16_000
KERNEL = 32
STRIDE = 4  # of each of the two layers
STEP = STRIDE**2  # samples between the inner values
REACH = 160  # samples on either side that count for one: (KERNEL - 1) * (1 + STRIDE) = 155, in whole steps


class ConvEnhancer(nn.Module):
    """Sound in, enhanced sound out: [batch, samples], a multiple of STEP.

    Without biases silence stays silence, and louder sound gives the same louder.
    """

    def __init__(self, widths: tuple[int, int] = (64, 128)) -> None:
        super().__init__()
        narrow, wide = widths
        pad = (KERNEL - STRIDE) // 2
        self.encoder = nn.Sequential(
            nn.Conv1d(1, narrow, KERNEL, STRIDE, pad, bias=False), nn.PReLU(),
            nn.Conv1d(narrow, wide, KERNEL, STRIDE, pad, bias=False), nn.PReLU(),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.ConvTranspose1d(wide, narrow, KERNEL, STRIDE, pad, bias=False), nn.PReLU(),
            nn.ConvTranspose1d(narrow, 1, KERNEL, STRIDE, pad, bias=False),
        )  # fmt: skip

    def forward(self, samples: Tensor) -> Tensor:
        """The sound minus the net's estimate of the noise."""
        noise: Tensor = self.decoder(self.encoder(samples[:, None]))[:, 0]
        return samples - noise

    def enhance(self, samples: Tensor) -> Tensor:
        """Enhanced sound [batch, samples] of whole clips of any length."""
        length = samples.shape[-1]
        padded = nn.functional.pad(samples, (0, -length % STEP))
        enhanced: Tensor = self(padded)[:, :length]
        return enhanced

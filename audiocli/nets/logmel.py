"""Log-mel spectra as a fixed first layer, so that training and use see the same numbers."""

import torch
from torch import Tensor, nn

from ..kernels import mel

FLOOR = 1e-8  # power below counts as this: -80 dB


class LogMel(nn.Module):
    """Samples [batch, samples] to natural log-mel power [batch, n_mels, frames]; frame f is centred on sample f * hop_length.

    The filters are Slaney's (triangles of unit area on the Slaney scale), as librosa has them.
    """

    window: Tensor
    filters: Tensor

    def __init__(
        self, sample_rate: int, n_fft: int, hop_length: int, n_mels: int, fmin: float = 0.0, fmax: float | None = None
    ) -> None:
        super().__init__()
        self.n_fft, self.hop_length = n_fft, hop_length
        filters = torch.from_numpy(
            mel.filterbank(sample_rate, n_fft, n_mels, fmin, fmax or sample_rate / 2, norm="slaney")
        )
        # Computed again wherever the net is made: no weights.
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        """[batch, samples] to [batch, n_mels, 1 + samples // hop_length]; in float32 whatever the net computes in."""
        with torch.autocast(samples.device.type, enabled=False):
            spectrum = torch.stft(
                samples.float(), self.n_fft, self.hop_length, window=self.window, center=True, pad_mode="constant",
                return_complex=True,
            )  # fmt: skip
            power = spectrum.real.square() + spectrum.imag.square()
            return (self.filters @ power).clamp_min(FLOOR).log()

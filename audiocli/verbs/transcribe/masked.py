"""Group normalisation that leaves padding out."""

from typing import Any

import torch


class MaskedGroupNorm(torch.nn.Module):
    """A GroupNorm over time that ignores padding.

    wav2vec2-base and its kin, and Moonshine, normalise their first layer over the whole clip: in a padded batch the plain
    layer would make a clip's text depend on the others. `lengths`: samples [batch] that go into the convolution before it.
    """

    def __init__(self, norm: torch.nn.GroupNorm, conv: torch.nn.Conv1d) -> None:
        super().__init__()
        self.norm, self.kernel, self.stride = norm, int(conv.kernel_size[0]), int(conv.stride[0])
        self.lengths: torch.Tensor | None = None

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Values [batch, channels, frames], normalised."""
        assert self.lengths is not None
        frames = (self.lengths - self.kernel) // self.stride + 1
        mask = (torch.arange(values.shape[2], device=values.device) < frames[:, None])[:, None, None]
        grouped = values.float().reshape(
            len(values), self.norm.num_groups, -1, values.shape[2]
        )  # float: sums over thousands of frames
        count = (frames * grouped.shape[2])[:, None, None, None]
        centred = (grouped - (grouped * mask).sum((2, 3), keepdim=True) / count) * mask
        variance = centred.square().sum((2, 3), keepdim=True) / count
        normal = (centred / torch.sqrt(variance + self.norm.eps)).flatten(1, 2)
        scaled: torch.Tensor = normal * self.norm.weight[:, None] + self.norm.bias[:, None]
        return scaled.to(values.dtype)


def mask_norms(model: Any) -> list[MaskedGroupNorm]:
    """Put MaskedGroupNorm in the place of each GroupNorm that stands behind a convolution of the waveform."""
    masked = []
    for module in list(model.modules()):
        for norm, conv in (("layer_norm", "conv"), ("groupnorm", "conv1")):
            if isinstance(getattr(module, norm, None), torch.nn.GroupNorm) and hasattr(module, conv):
                setattr(module, norm, MaskedGroupNorm(getattr(module, norm), getattr(module, conv)))
                masked.append(getattr(module, norm))
    return masked

"""Decoder-only transformer with relative attention (Huang et al., Music Transformer, 2018), over the steps of a chorale."""

import math

import torch
from torch import Tensor, nn

from .music_frames import StepIn, StepOut

Cache = list[tuple[Tensor, Tensor]]  # keys and values [batch, heads, steps, width of a head] of each layer


class RelativeAttention(nn.Module):
    """Causal attention to the last `reach` steps, which a learned vector for each distance adds to."""

    def __init__(self, width: int, heads: int, reach: int) -> None:
        super().__init__()
        self.heads, self.reach = heads, reach
        self.qkv = nn.Linear(width, 3 * width)
        self.distance = nn.Parameter(0.02 * torch.randn(reach, width // heads))  # the last row: distance 0
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x: [batch, steps, width], all steps, or the one behind those in `past` -> (the same shape, keys and values)."""
        batch, steps, width = x.shape
        q, k, v = self.qkv(x).view(batch, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
            k, v = k[:, :, -self.reach :], v[:, :, -self.reach :]
        logits = (q @ k.transpose(-1, -2) + self._relative(q, k.shape[2])) / math.sqrt(q.shape[-1])
        if past is None:
            logits = logits.masked_fill(self._hidden(steps, x.device), -math.inf)
        values = (logits.softmax(-1) @ v).transpose(1, 2).reshape(batch, steps, width)
        return self.out(values), (k, v)

    def _relative(self, q: Tensor, keys: int) -> Tensor:
        """The term that distance adds to each logit: [batch, heads, queries, keys]."""
        table = self.distance[-keys:].to(q.dtype)
        table = nn.functional.pad(table, (0, 0, keys - table.shape[0], 0))  # beyond reach: masked anyway
        products = q @ table.transpose(-1, -2)
        return products if q.shape[2] == 1 else skewed(products)

    def _hidden(self, steps: int, device: torch.device) -> Tensor:
        """True where a query [steps] may not see a key [steps]: in the future, and beyond reach."""
        at = torch.arange(steps, device=device)
        distance = at.unsqueeze(1) - at
        return (distance < 0) | (distance >= self.reach)


def skewed(by_distance: Tensor) -> Tensor:
    """Column r of row i, the logit for distance steps - 1 - r, moved to column i - distance: the paper's section 3.4.1.

    [..., steps, steps] -> the same; entries above the diagonal have no meaning.
    """
    *outer, rows, columns = by_distance.shape
    padded = nn.functional.pad(by_distance, (1, 0))
    return padded.reshape(*outer, columns + 1, rows)[..., 1:, :].reshape(*outer, rows, columns)


class Block(nn.Module):
    """Attention, then two linear layers, each added to what came in (norms first)."""

    def __init__(self, width: int, heads: int, reach: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = RelativeAttention(width, heads, reach)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x: [batch, steps, width] -> (the same shape, keys and values)."""
        attended, past = self.attention(self.norm1(x), past)
        x = x + self.drop(attended)
        return x + self.drop(self.narrow(nn.functional.gelu(self.wide(self.norm2(x))))), past


class MusicTransformer(nn.Module):
    """Logits of the next step from the steps before it; a layer looks `reach` steps back."""

    def __init__(
        self, n_tokens: int, width: int = 192, heads: int = 4, layers: int = 4, reach: int = 192, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.step_in = StepIn(n_tokens, width)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, reach, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.step_out = StepOut(n_tokens, width)
        self._shape = (heads, width // heads)

    def forward(self, before: Tensor, held: Tensor, context: Tensor, now: Tensor) -> Tensor:
        """before, held, now: [batch, steps, 4], context: [batch, steps, 3] -> logits [batch, steps, 4, tokens]."""
        logits: Tensor = self.step_out(self.states(before, held, context), before, now)
        return logits

    def states(self, before: Tensor, held: Tensor, context: Tensor) -> Tensor:
        """The trunk's output for all steps: [batch, steps, width] for `step_out`."""
        x = self.drop(self.step_in(before, held, context))
        for block in self.blocks:
            x, _ = block(x)
        normed: Tensor = self.norm(x)
        return normed

    def start(self) -> Cache | None:
        """The state for `step` before the first step."""
        return None

    def step(self, before: Tensor, held: Tensor, context: Tensor, state: Cache | None) -> tuple[Tensor, Cache]:
        """One step: before, held: [batch, 1, 4], context: [batch, 1, 3] -> ([batch, width] for `step_out.one`, cache)."""
        x = self.step_in(before, held, context)
        if state is None:
            nothing = x.new_zeros(len(x), self._shape[0], 0, self._shape[1])
            state = [(nothing, nothing)] * len(self.blocks)
        grown: Cache = []
        for block, past in zip(self.blocks, state, strict=True):
            x, known = block(x, past)
            grown.append(known)
        return self.norm(x)[:, -1], grown

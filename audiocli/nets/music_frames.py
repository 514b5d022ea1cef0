"""Common layers of the nets for four-part music: a step of the grid as input, and the next one as output, voice by voice.

The trunk (an LSTM or a transformer) sees one step at a time; within a step the voices come one after the other, each given
those above it, as in NADE (Larochelle & Murray 2011) and the depth transformer of Lee et al. (2022). The likelihood is the one
of a net over single tokens, at a quarter of the trunk's work.
"""

import torch
from torch import Tensor, nn

VOICES = 4
CONTEXT = {"key": 25, "beat": 16, "countdown": 66}  # values of each; 0 of key and countdown: unknown
HELD = 32  # steps that a pitch has been held, at most


class StepIn(nn.Module):
    """The step before, how long each voice has held its pitch, and the context of the step to come, as one vector."""

    def __init__(self, n_tokens: int, width: int) -> None:
        super().__init__()
        self.n_tokens = n_tokens
        self.pitch = nn.Embedding(VOICES * (n_tokens + 1), width)  # the last token of each voice: before the first step
        self.held = nn.Embedding(VOICES * (HELD + 1), width)
        self.context = nn.ModuleDict({name: nn.Embedding(size, width) for name, size in CONTEXT.items()})

    def forward(self, before: Tensor, held: Tensor, context: Tensor) -> Tensor:
        """before, held: [batch, steps, 4]; context: [batch, steps, 3], as CONTEXT has them -> [batch, steps, width]."""
        voice = torch.arange(VOICES, device=before.device)
        total: Tensor = self.pitch(before + voice * (self.n_tokens + 1)).sum(-2)
        total = total + self.held(held + voice * (HELD + 1)).sum(-2)
        for n, table in enumerate(self.context.values()):
            total = total + table(context[..., n])
        return total


class StepOut(nn.Module):
    """Logits of each voice from the trunk's state, the voices above it in the same step, and what it has sung so far."""

    def __init__(self, n_tokens: int, width: int) -> None:
        super().__init__()
        self.n_tokens = n_tokens
        self.above = nn.Embedding((VOICES - 1) * n_tokens, width)
        self.voice = nn.Embedding(VOICES, width)
        self.norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, 2 * width)
        self.out = nn.Linear(2 * width, n_tokens + 1)  # the last one: to hold the pitch

    def forward(self, state: Tensor, before: Tensor, now: Tensor) -> Tensor:
        """state: [batch, steps, width]; before, now: tokens [batch, steps, 4] -> logits [batch, steps, 4, tokens]."""
        offset = torch.arange(VOICES - 1, device=now.device) * self.n_tokens
        above = self.above(now[..., :-1] + offset).cumsum(-2)
        above = torch.cat([torch.zeros_like(above[..., :1, :]), above], dim=-2)
        return self._logits(state.unsqueeze(-2) + above + self.voice.weight, before)

    def one(self, state: Tensor, before: Tensor, above: Tensor) -> Tensor:
        """Logits [batch, tokens] of the voice below those of `above` [batch, voices]; state: [batch, width], before: [batch, 4]."""
        n = above.shape[-1]
        offset = torch.arange(n, device=above.device) * self.n_tokens
        total = state + self.above(above + offset).sum(-2) + self.voice.weight[n]
        return self._logits(total, before[..., n])

    def _logits(self, total: Tensor, before: Tensor) -> Tensor:
        """[..., width] and the tokens before [...] -> [..., tokens]; at the first step there is nothing to hold."""
        values = self.out(nn.functional.gelu(self.hidden(self.norm(total))))
        logits, hold = values[..., :-1], values[..., -1:]
        hold = torch.where(before.unsqueeze(-1) < self.n_tokens, hold, torch.zeros_like(hold))
        held: Tensor = logits.scatter_add(-1, before.clamp(max=self.n_tokens - 1).unsqueeze(-1), hold)
        return held

"""Two layers of LSTM over the steps of a chorale (Hochreiter & Schmidhuber 1997; for chorales: Liang, BachBot, 2016)."""

from torch import Tensor, nn

from .music_frames import StepIn, StepOut

State = tuple[Tensor, Tensor]


class MusicLSTM(nn.Module):
    """Logits of the next step from all steps before it."""

    def __init__(self, n_tokens: int, width: int = 256, layers: int = 2, dropout: float = 0.3) -> None:
        super().__init__()
        self.step_in = StepIn(n_tokens, width)
        self.drop = nn.Dropout(dropout)
        self.trunk = nn.LSTM(width, width, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.step_out = StepOut(n_tokens, width)

    def forward(self, before: Tensor, held: Tensor, context: Tensor, now: Tensor) -> Tensor:
        """before, held, now: [batch, steps, 4], context: [batch, steps, 3] -> logits [batch, steps, 4, tokens]."""
        states, _ = self.trunk(self.drop(self.step_in(before, held, context)))
        logits: Tensor = self.step_out(self.drop(states), before, now)
        return logits

    def start(self) -> State | None:
        """The state for `step` before the first step."""
        return None

    def step(self, before: Tensor, held: Tensor, context: Tensor, state: State | None) -> tuple[Tensor, State]:
        """One step: before, held: [batch, 1, 4], context: [batch, 1, 3] -> ([batch, width] for `step_out.one`, state)."""
        states, state = self.trunk(self.step_in(before, held, context), state)
        return states[:, -1], state

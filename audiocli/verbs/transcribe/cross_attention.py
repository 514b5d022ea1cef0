"""Times of a decoder's tokens from its cross-attention, by dynamic time warping.

Source: openai-whisper, whisper/timing.py (Radford et al. 2022).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import median_filter

SMOOTH = 0.14  # s of the median filter over time
UNSEEN = (
    0.1  # of an even share of the weight: a position whose weights spread by less is seen by no token in particular
)
Head = tuple[int, int]  # layer, and which of its heads


def upper_heads(layers: int, heads: int) -> list[Head]:
    """The heads of the upper layers: the better guess where it is unknown which heads follow the sound."""
    return [(layer, head) for layer in range(layers // 2, layers) for head in range(heads)]


@contextmanager
def looking(layers: Any, of: Sequence[Head], n_heads: int) -> Iterator[dict[int, torch.Tensor]]:
    """Record the cross-attention weights [batch, heads, tokens, positions] of the decoder's layers meanwhile, by layer of `of`.

    From the queries and keys as they pass: the fast attention kernels keep no weights, and a model set to keep them
    is slow in all that it does.
    """
    seen: dict[tuple[int, str], torch.Tensor] = {}
    looks: dict[int, torch.Tensor] = {}
    numbers = {layer for layer, _ in of}
    hooks = [
        getattr(layers[layer].encoder_attn, name).register_forward_hook(_keeper(seen, (layer, name)))
        for layer in numbers
        for name in ("q_proj", "k_proj")
    ]
    try:
        yield looks
    finally:
        for hook in hooks:
            hook.remove()
    for layer in numbers:
        query, key = (_by_head(seen[layer, name], n_heads) for name in ("q_proj", "k_proj"))
        looks[layer] = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).softmax(-1)


def _keeper(seen: dict[tuple[int, str], torch.Tensor], name: tuple[int, str]) -> Any:
    def keep(module: Any, inputs: Any, output: torch.Tensor) -> None:
        seen[name] = output

    return keep


def _by_head(values: torch.Tensor, n_heads: int) -> torch.Tensor:
    """Values [batch, n, width] as [batch, heads, n, width of a head]."""
    return values.reshape(*values.shape[:2], n_heads, -1).transpose(1, 2).float()


def edges(
    looks: dict[int, torch.Tensor], of: Sequence[Head], n: int, tokens: slice, loud: tuple[float, float], tick: float
) -> list[float]:
    """The second at which each of these tokens of row n begins; a position is `tick` seconds, and there is sound within `loud`.

    Each position's weights are made to stand out over the tokens, smoothed over time, averaged over heads, and the path of
    most weight from the first token at the first position to the last at the last is taken.
    """
    first = round(loud[0] / tick)
    within = slice(first, max(round(loud[1] / tick), first + 1))
    weights = torch.stack([looks[layer][n, head] for layer, head in of])[:, tokens, within].cpu().numpy()
    spread = weights.std(axis=1, keepdims=True)
    clear = (weights - weights.mean(axis=1, keepdims=True)) / np.maximum(spread, UNSEEN / weights.shape[2])
    size = int(SMOOTH / tick / 2) * 2 + 1
    path = warped(-median_filter(clear, size=(1, 1, size), mode="reflect").mean(axis=0))
    return [(first + column) * tick for column in path]


def warped(cost: NDArray[np.floating[Any]]) -> list[int]:
    """The first column of each row on the cheapest path through cost [rows, columns]: steps right, down and both."""
    rows, columns = cost.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for row in range(rows):
        # total[j] = cost[j] + min(above[j], above[j - 1], total[j - 1]); with running sums of the cost taken off, the last of
        # the three is a running minimum.
        sums = np.cumsum(cost[row])
        above = np.minimum(total[row, :-1], total[row, 1:])
        total[row + 1, 1:] = sums + np.minimum.accumulate(above - (sums - cost[row]))
    row, column, firsts = rows, columns, [0] * rows
    while row > 0:
        firsts[row - 1] = column - 1
        diagonal, up, left = total[row - 1, column - 1], total[row - 1, column], total[row, column - 1]
        if diagonal <= min(up, left):
            row, column = row - 1, column - 1
        elif left < up:
            column -= 1
        else:
            row -= 1
    return firsts

"""Choosing the next token from its logits."""

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


def choose(
    logits: Doubles, random: np.random.Generator, *, temperature: float, top_k: int | None, top_p: float | None
) -> int:
    """A random token from logits [tokens] (-inf: never); temperature 0: the likeliest. One draw of `random` in any case.

    top_k: only among so many of the likeliest. top_p: only among the likeliest that have this probability together (Holtzman et
    al. 2020), after top_k.
    """
    draw = random.random()
    if temperature == 0.0:
        return int(np.argmax(logits))
    scaled = (logits - logits.max()) / temperature
    order = np.argsort(-scaled, kind="stable")[: top_k or None]
    weights = np.exp(scaled[order])
    weights /= weights.sum()
    if top_p is not None:
        before = np.cumsum(weights) - weights
        weights = np.where(before < top_p, weights, 0.0)
    bounds = np.cumsum(weights)
    place = int(np.searchsorted(bounds, draw * bounds[-1], side="right"))
    return int(order[min(place, int(np.count_nonzero(weights)) - 1)])

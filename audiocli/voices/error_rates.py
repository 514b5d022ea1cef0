"""How well scores distinguish pairs of one speaker from pairs of two: equal error rate, detection cost, the curve of both."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..records import Match

Doubles = NDArray[np.float64]
TARGETS = 0.01  # prior of the detection cost (NIST SRE, VoxCeleb)


@dataclass(frozen=True)
class Curve:
    """Error rates at every threshold that makes a difference, rising: [points]; a score at the threshold is accepted."""

    thresholds: Doubles
    false_accepts: Doubles
    false_rejects: Doubles

    def equal_error_rate(self) -> float:
        """The rate at which both are equal, between the two points around the crossing."""
        gap = self.false_rejects - self.false_accepts
        after = int(np.argmax(gap >= 0.0))
        if after == 0:
            return float(self.false_rejects[0] + self.false_accepts[0]) / 2
        share = gap[after - 1] / (gap[after - 1] - gap[after])
        pair = self.false_accepts[after - 1 : after + 1]
        return float(pair[0] + share * (pair[1] - pair[0]))

    def min_dcf(self, prior: float = TARGETS) -> float:
        """The least detection cost of any threshold, as a share of the cost of not listening at all (Martin & Przybocki)."""
        cost = prior * self.false_rejects + (1.0 - prior) * self.false_accepts
        return float(cost.min() / min(prior, 1.0 - prior))


def curve(scores: ArrayLike, same: ArrayLike) -> Curve:
    """The error rates of scores [trials] whose pairs are the same or not [trials]. Raises ValueError without both kinds."""
    values, labels = np.asarray(scores, np.float64), np.asarray(same, bool)
    positive, negative = np.sort(values[labels]), np.sort(values[~labels])
    if not len(positive) or not len(negative):
        raise ValueError("error rates need pairs of both kinds")
    thresholds = np.append(np.unique(values), np.inf)
    false_accepts = 1.0 - np.searchsorted(negative, thresholds) / len(negative)
    return Curve(thresholds, false_accepts, np.searchsorted(positive, thresholds) / len(positive))


def of(matches: Sequence[Match]) -> Curve:
    """The curve of labelled matches, by their log-odds where there are any: one bar for pairs of all lengths in all noise.

    Raises ValueError without both kinds.
    """
    values = [match.score if match.log_odds is None else match.log_odds for match in matches]
    return curve(np.array(values, np.float64), [bool(match.label) for match in matches])


def decided(matches: Iterable[Match]) -> tuple[float, float]:
    """The shares of false accepts and of false rejects among labelled matches as they were decided."""
    table = np.zeros((2, 2))
    for match in matches:
        table[int(bool(match.label)), int(bool(match.same))] += 1
    sums = np.maximum(table.sum(axis=1), 1.0)
    return float(table[0, 1] / sums[0]), float(table[1, 0] / sums[1])

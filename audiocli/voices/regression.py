"""Regressions of scores on what is known of the trials: mean and spread, the tail of strangers, the odds of one speaker."""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

STEPS = 50
LEAST = 1e-3  # spread of a cosine
TAIL = 0.01  # of the scores of different speakers are the ones that thresholds are about


def spread(scores: Doubles, conditions: Doubles) -> tuple[list[float], list[float]]:
    """Weights of the conditions [n, weights] for the mean and for the logarithm of the spread of scores [n]."""
    mean = np.linalg.lstsq(conditions, scores, rcond=None)[0]
    rest = np.abs(scores - conditions @ mean)
    # The mean logarithm of a normal variable's size lies 0.635 below that of its spread.
    log_spread = np.linalg.lstsq(conditions, np.log(np.maximum(rest, LEAST)), rcond=None)[0]
    log_spread[0] += 0.635
    return mean.tolist(), log_spread.tolist()


def tail(scores: Doubles, conditions: Doubles) -> tuple[list[float], list[float]]:
    """The same as `spread`, but by the highest scores: a share TAIL of normal ones lies beyond as many spreads in all conditions.

    Scores of different speakers are not normally distributed, least of all for long clips: men and women are far apart, and few
    pairs far out. By the spread of all of them the threshold of long clips would be one that hardly anybody reaches.
    """
    mean = np.linalg.lstsq(conditions, scores, rcond=None)[0]
    above = (conditions @ _quantile(scores, conditions, 1.0 - TAIL) - conditions @ mean) / NormalDist().inv_cdf(
        1.0 - TAIL
    )
    log_spread = np.linalg.lstsq(conditions, np.log(np.maximum(above, LEAST)), rcond=None)[0]
    return mean.tolist(), log_spread.tolist()


def _quantile(scores: Doubles, conditions: Doubles, share: float) -> Doubles:
    """Weights of the conditions, below whose sum a share of the scores lies: quantile regression (Koenker & Bassett 1978).

    By least squares again and again, each score by the inverse of its distance.
    """
    fitted = np.linalg.lstsq(conditions, scores, rcond=None)[0]
    for _ in range(STEPS):
        rest = scores - conditions @ fitted
        weights = np.where(rest > 0.0, share, 1.0 - share) / np.maximum(np.abs(rest), LEAST)
        weighted = conditions * weights[:, None]
        fitted = np.linalg.solve(weighted.T @ conditions, weighted.T @ scores)
    return np.asarray(fitted)


def logistic(
    columns: Doubles, labels: NDArray[np.bool_], before: Doubles | None = None, ridge: float = 1e-6
) -> Doubles:
    """Logistic regression on columns [n, weights] by Newton's steps; both kinds of labels [n] count alike.

    ridge: how much it costs to be far from the weights that were known before (None: 0).
    """
    weights = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    centre = np.zeros(columns.shape[1]) if before is None else before
    solution = centre.copy()

    def loss(at: Doubles) -> float:
        surprise = np.logaddexp(0.0, np.where(labels, -1.0, 1.0) * (columns @ at))
        return float(weights @ surprise + 0.5 * ridge * np.square(at - centre).sum())

    for _ in range(STEPS):
        probability = sigmoid(columns @ solution)
        slope = columns.T @ (weights * (probability - labels)) + ridge * (solution - centre)
        bend = (columns * (weights * probability * (1.0 - probability))[:, None]).T @ columns
        step = np.clip(np.linalg.solve(bend + ridge * np.eye(len(solution)), slope), -2.0, 2.0)
        while np.abs(step).max() > 1e-8 and loss(solution - step) > loss(solution):
            step *= 0.5  # too far where the curve is flat
        solution = solution - step
        if np.abs(step).max() < 1e-8:
            break
    return solution


def sigmoid(values: Doubles) -> Doubles:
    """The probabilities of log-odds."""
    return np.asarray(0.5 * (np.tanh(0.5 * values) + 1.0))  # exp would overflow

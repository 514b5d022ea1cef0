"""A calibration moved to recordings of another kind, of which there may be few pairs."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from . import regression
from .calibration import LEAST, RATES, Calibration, Doubles, Pairs, Spread, inputs

SHOWN = 5  # strangers that have to pass before their share says anything


def refitted(known: Calibration | None, pairs: Pairs, same: ArrayLike) -> Calibration:
    """A calibration moved to other trials [n], of which there may be few.

    What it knows of lengths and noise stays; thresholds and odds are of these trials.
    Without one they are the same in all conditions.
    """
    labels = np.asarray(same, bool)
    known = known or _plain(pairs.scores[labels], pairs.scores[~labels])
    conditions, scores = pairs.conditions(), pairs.scores
    columns = inputs(known.different, known.one, scores, conditions)
    # Log-odds are only stretched and shifted, so that their order stays; and few trials, be they ever so easy, make nobody sure.
    odds, before = columns @ np.asarray(known.logistic), np.array([0.0, 1.0])
    ridge = 1.0 / min(labels.sum(), (~labels).sum())
    shift, stretch = regression.logistic(np.stack([np.ones(len(odds)), odds], axis=1), labels, before, ridge)
    return replace(
        known, quantiles=_moved(known.quantiles, columns[~labels, 1]), trials=len(labels),
        own=np.quantile(columns[labels, 2], np.linspace(0.0, 1.0, 101)).tolist(),
        logistic=(np.array([shift, 0.0, 0.0]) + max(stretch, LEAST) * np.asarray(known.logistic)).tolist(),
    )  # fmt: skip


def _plain(own: Doubles, others: Doubles) -> Calibration:
    """Two bell curves, in all conditions alike."""
    different, one = (Spread([float(some.mean())], [float(np.log(max(some.std(), LEAST)))]) for some in (others, own))
    quantiles = [NormalDist().inv_cdf(1.0 - rate) for rate in RATES]
    return Calibration(different, one, quantiles, [], [0.0, 1.0, 1.0])


def _moved(quantiles: Sequence[float], others: Doubles) -> list[float]:
    """Scores of strangers that RATES of `others` [n] exceed; beyond what so many can show, the quantiles go on as they did.

    Where these strangers spread wider than the ones before, the quantiles do, too.
    """
    rates, before = np.array(RATES), np.array(quantiles)
    shown = rates * len(others) >= SHOWN
    moved = np.quantile(others, 1.0 - rates)
    rarest = int(np.flatnonzero(shown)[0])
    wider = max((moved[rarest] - moved[-1]) / max(before[rarest] - before[-1], LEAST), 1.0)
    return [float(one) for one in np.where(shown, moved, moved[rarest] + wider * (before - before[rarest]))]

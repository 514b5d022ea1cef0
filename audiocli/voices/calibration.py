"""The meaning of a score, given how long and how noisy the recordings were.

A bare cosine threshold drifts: of two different speakers in the same noise, or in a second of speech, half can be accepted at the
threshold of clean, long recordings. So a cosine counts by how far it stands out from those of either side with the strangers of
a cohort that are most like it (the adaptive symmetric norm: Matejka et al. 2017). Then the scores of different speakers have a
mean and a spread that are linear in what is known of the pair, those of one speaker likewise; a threshold is a quantile of the
former, and the probability is a logistic regression on both standardised scores (Brummer & du Preez 2006; with conditions as in
Mandasari et al. 2013).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .voice import Floats, Voice

Doubles = NDArray[np.float64]
Labels = NDArray[np.intp]

SECONDS = (0.5, 20.0)  # beyond them nothing changes any more
SNR = (0.0, 30.0)  # dB
RATES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)  # false accepts whose thresholds are kept
SURE = 1e-4  # no probability is further out than what the trials can show
STEPS = 50
LEAST = 1e-3  # spread of a cosine
SOME = 8_192  # pairs whose embeddings are side by side in memory
NEAREST = 200  # strangers that are most like a voice
TAIL = 0.01  # of the scores of different speakers are the ones that thresholds are about


@dataclass(frozen=True)
class Pairs:
    """The known facts about n pairs: scores, seconds of speech and SNR in dB of either side, each [n].

    zero, unit: of the scale of the scores, as cosines [n]; without a cohort the scores are cosines.
    """

    scores: Doubles
    seconds: tuple[Doubles, Doubles]
    snr: tuple[Doubles, Doubles]
    zero: Doubles | float = 0.0
    unit: Doubles | float = 1.0

    def cosine(self, scores: Doubles) -> Doubles:
        """The cosines of the pairs [n] at which they would have these scores."""
        return np.asarray(self.zero + self.unit * scores)

    def conditions(self) -> Doubles:
        """[n, 5]: 1, the logarithms of the shorter and the longer, the noisier and the cleaner in steps of 10 dB."""
        lengths = [np.log(np.clip(side, *SECONDS)) for side in self.seconds]
        noise = [np.clip(side, *SNR) / 10.0 for side in self.snr]
        columns = (np.ones(len(self.scores)), *_sorted(*lengths), *_sorted(*noise))
        return np.stack(columns, axis=1)


def between(a: Sequence[Voice], b: Sequence[Voice], cohort: Floats | None = None) -> Pairs:
    """The Pairs of voices [n] that all have an embedding. cohort: embeddings of strangers [strangers, embedding].

    The score is the cosine, or with a cohort the mean of how many spreads it lies above the mean of either side's NEAREST.
    """
    distinct = list({id(voice): voice for voice in (*a, *b)}.values())
    place = {id(voice): n for n, voice in enumerate(distinct)}
    embeddings = np.stack([voice.embedding for voice in distinct if voice.embedding is not None])
    first, second = (np.array([place[id(voice)] for voice in side], np.intp) for side in (a, b))
    seconds, snr = np.array([(voice.seconds, voice.snr) for voice in distinct], np.float64).T
    return among(embeddings, seconds, snr, first, second, cohort)


def among(
    embeddings: Floats, seconds: Doubles, snr: Doubles, first: Labels, second: Labels, cohort: Floats | None = None
) -> Pairs:
    """The Pairs (first, second) of numbered voices: their embeddings [n, embedding], seconds [n], and SNR in dB [n]."""
    parts = (slice(at, at + SOME) for at in range(0, len(first), SOME))
    cosines = np.concatenate([np.einsum("nd,nd->n", embeddings[first[n]], embeddings[second[n]]) for n in parts])
    cosines = cosines.astype(np.float64)
    known = Pairs(cosines, (seconds[first], seconds[second]), (snr[first], snr[second]))
    if cohort is None:
        return known
    mean, spread = _nearest(embeddings, cohort)
    unit = 2.0 / (1.0 / spread[first] + 1.0 / spread[second])
    zero = unit * (mean[first] / spread[first] + mean[second] / spread[second]) / 2.0
    return replace(known, scores=(cosines - zero) / unit, zero=zero, unit=unit)


def _nearest(embeddings: Floats, cohort: Floats) -> tuple[Doubles, Doubles]:
    """Mean and spread [n] of the cosines of each of the embeddings [n, embedding] with the NEAREST of a cohort."""
    count = min(NEAREST, len(cohort))
    near = np.partition(embeddings @ cohort.T, -count, axis=1)[:, -count:].astype(np.float64)
    return near.mean(axis=1), np.maximum(near.std(axis=1), LEAST)


@dataclass(frozen=True)
class Spread:
    """Mean and logarithm of the spread of scores, each five weights of the conditions."""

    mean: Sequence[float]
    log_spread: Sequence[float]

    def standard(self, scores: Doubles, conditions: Doubles) -> Doubles:
        """Scores in spreads from their mean."""
        return np.asarray((scores - self._mean(conditions)) / self._spread(conditions))

    def score(self, standard: Doubles | float, conditions: Doubles) -> Doubles:
        """The inverse of standardising: scores from spreads."""
        return np.asarray(self._mean(conditions) + standard * self._spread(conditions))

    def _mean(self, conditions: Doubles) -> Doubles:
        return np.asarray(conditions @ np.asarray(self.mean))

    def _spread(self, conditions: Doubles) -> Doubles:
        return np.asarray(np.maximum(np.exp(conditions @ np.asarray(self.log_spread)), LEAST))


@dataclass(frozen=True)
class Judged:
    """The judgement of n pairs: the threshold, whether it is reached, the probability of one speaker, expected false rejections."""

    threshold: Doubles
    same: NDArray[np.bool_]
    log_odds: Doubles
    probability: Doubles
    false_rejects: Doubles


@dataclass(frozen=True)
class Calibration:
    """quantiles: standardised scores of different speakers that RATES of them exceed; own: those of one speaker, 101 of them.

    two_people: cosine below which the two speakers that are made of one recording, whoever speaks, are two (None: not known).
    """

    different: Spread
    one: Spread
    quantiles: Sequence[float]
    own: Sequence[float]
    logistic: Sequence[float]  # of 1 and both standardised scores
    trials: int = 0
    two_people: float | None = None

    def judge(self, pairs: Pairs, far: float) -> Judged:
        """The judgement of the pairs when a share `far` of different speakers may be accepted."""
        conditions, log_odds = pairs.conditions(), self.log_odds(pairs)
        standard = np.interp(np.log(far), np.log(RATES), self.quantiles)
        threshold = self.different.score(float(standard), conditions)
        probability = np.clip(_sigmoid(log_odds), SURE, 1.0 - SURE)
        missed = np.interp(self.one.standard(threshold, conditions), self.own, np.linspace(0.0, 1.0, len(self.own)))
        return Judged(pairs.cosine(threshold), pairs.scores >= threshold, log_odds, probability, missed)

    def log_odds(self, pairs: Pairs) -> Doubles:
        """Natural logarithm of the odds of one speaker against two, both being as likely beforehand [n]."""
        return np.asarray(
            _inputs(self.different, self.one, pairs.scores, pairs.conditions()) @ np.asarray(self.logistic)
        )

    def as_dict(self) -> dict[str, Any]:
        """The fields for config.json."""
        return asdict(self)


def from_dict(values: Mapping[str, Any]) -> Calibration:
    """The calibration from the result of `as_dict`."""
    spreads = {name: Spread(**values[name]) for name in ("different", "one")}
    return Calibration(**{**values, **spreads})


def fit(pairs: Pairs, same: ArrayLike) -> Calibration:
    """The calibration of a model by trials [n]; both kinds count alike, however many there are of each."""
    labels, conditions, scores = np.asarray(same, bool), pairs.conditions(), pairs.scores
    different, one = _tail(scores[~labels], conditions[~labels]), _spread(scores[labels], conditions[labels])
    others = different.standard(scores[~labels], conditions[~labels])
    own = one.standard(scores[labels], conditions[labels])
    weights = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    logistic = _logistic(_inputs(different, one, scores, conditions), labels, weights)
    return Calibration(
        different, one, [float(np.quantile(others, 1.0 - rate)) for rate in RATES],
        np.quantile(own, np.linspace(0.0, 1.0, 101)).tolist(), logistic.tolist(), len(labels),
    )  # fmt: skip


def _spread(scores: Doubles, conditions: Doubles) -> Spread:
    mean = np.linalg.lstsq(conditions, scores, rcond=None)[0]
    rest = np.abs(scores - conditions @ mean)
    # The mean logarithm of a normal variable's size lies 0.635 below that of its spread.
    log_spread = np.linalg.lstsq(conditions, np.log(np.maximum(rest, LEAST)), rcond=None)[0]
    log_spread[0] += 0.635
    return Spread(mean.tolist(), log_spread.tolist())


def _tail(scores: Doubles, conditions: Doubles) -> Spread:
    """The same as `_spread`, but by the highest scores: a share TAIL of normal ones lies beyond as many spreads in all conditions.

    Scores of different speakers are not normally distributed, least of all for long clips: men and women are far apart, and few
    pairs far out. By the spread of all of them the threshold of long clips would be one that hardly anybody reaches.
    """
    mean = np.linalg.lstsq(conditions, scores, rcond=None)[0]
    above = (conditions @ _quantile(scores, conditions, 1.0 - TAIL) - conditions @ mean) / NormalDist().inv_cdf(
        1.0 - TAIL
    )
    log_spread = np.linalg.lstsq(conditions, np.log(np.maximum(above, LEAST)), rcond=None)[0]
    return Spread(mean.tolist(), log_spread.tolist())


def _quantile(scores: Doubles, conditions: Doubles, share: float) -> Doubles:
    """Weights [5] of the conditions, below whose sum a share of the scores lies: quantile regression (Koenker & Bassett 1978).

    By least squares again and again, each score by the inverse of its distance.
    """
    fitted = np.linalg.lstsq(conditions, scores, rcond=None)[0]
    for _ in range(STEPS):
        rest = scores - conditions @ fitted
        weights = np.where(rest > 0.0, share, 1.0 - share) / np.maximum(np.abs(rest), LEAST)
        weighted = conditions * weights[:, None]
        fitted = np.linalg.solve(weighted.T @ conditions, weighted.T @ scores)
    return np.asarray(fitted)


def _inputs(different: Spread, one: Spread, scores: Doubles, conditions: Doubles) -> Doubles:
    """The inputs of the logistic regression [n, 3]."""
    columns = (np.ones(len(scores)), different.standard(scores, conditions), one.standard(scores, conditions))
    return np.stack(columns, axis=1)


def _logistic(inputs: Doubles, labels: NDArray[np.bool_], weights: Doubles) -> Doubles:
    """Weighted logistic regression by Newton's steps, with a little of a ridge."""
    solution = np.zeros(inputs.shape[1])
    for _ in range(STEPS):
        probability = _sigmoid(inputs @ solution)
        slope = inputs.T @ (weights * (probability - labels)) + 1e-6 * solution
        bend = (inputs * (weights * probability * (1.0 - probability))[:, None]).T @ inputs
        step = np.linalg.solve(bend + 1e-6 * np.eye(len(solution)), slope)
        solution -= np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-8:
            break
    return solution


def _sigmoid(values: Doubles) -> Doubles:
    return np.asarray(0.5 * (np.tanh(0.5 * values) + 1.0))  # exp would overflow


def _sorted(first: Doubles, second: Doubles) -> tuple[Doubles, Doubles]:
    return np.minimum(first, second), np.maximum(first, second)

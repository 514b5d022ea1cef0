"""Calibration: on scores whose law is known, rates come out as claimed, wherever the conditions are."""

import json

import numpy as np
import pytest

from audiocli.speakers import calibration
from audiocli.speakers.calibration import Pairs, between, fit, from_dict
from audiocli.speakers.voice import Voice


def trials(n, seed):
    """Scores that drift with length and noise, and whether each pair is the same."""
    random = np.random.default_rng(seed)
    same = random.random(n) < 0.5
    seconds = tuple(np.exp(random.uniform(-0.5, 3.0, n)) for _ in range(2))
    snr = tuple(random.uniform(0.0, 30.0, n) for _ in range(2))
    known = Pairs(np.zeros(n), seconds, snr).conditions()
    low = 0.1 - 0.01 * known[:, 1] + 0.1 * (3.0 - known[:, 3])
    high = 0.5 + 0.1 * known[:, 1] + 0.05 * known[:, 3]
    spread = np.exp(-2.2 + 0.1 * (3.0 - known[:, 3]))
    return Pairs(np.where(same, high, low) + spread * random.standard_normal(n), seconds, snr), same


@pytest.fixture(scope="module")
def fitted():
    return fit(*trials(40_000, 0))


@pytest.mark.parametrize("far", [0.002, 0.01, 0.1])
def test_rates_are_as_claimed(fitted, far):
    pairs, same = trials(40_000, 1)
    judged = fitted.judge(pairs, far)
    noisy = np.minimum(*pairs.snr) < 5.0
    for some in (noisy, ~noisy):
        assert far / 1.6 < judged.same[some & ~same].mean() < far * 1.6
        missed = (~judged.same)[some & same].mean()
        assert missed == pytest.approx(judged.false_rejects[some & same].mean(), rel=0.3, abs=0.01)


def test_a_bare_threshold_drifts_and_this_one_does_not(fitted):
    pairs, same = trials(40_000, 2)
    noisy, clean = np.minimum(*pairs.snr) < 5.0, np.minimum(*pairs.snr) > 15.0
    bare = np.quantile(pairs.scores[~same & clean], 0.99)
    assert (pairs.scores[noisy & ~same] >= bare).mean() > 0.1
    assert fitted.judge(pairs, 0.01).same[noisy & ~same].mean() < 0.02


def test_scores_of_strangers_need_be_no_bell_curve():
    """Two heaps with nothing between or beyond them in long clips, a bell curve in short ones, as men and women score."""
    random, n = np.random.default_rng(0), 40_000
    same = random.random(n) < 0.1
    seconds = tuple(np.exp(random.uniform(-0.5, 3.0, n)) for _ in range(2))
    length = np.log(np.minimum(*seconds)).clip(0.0, 3.0) / 3.0
    heaps = 0.25 * random.choice([-1.0, 1.0], n) * length
    strangers = 0.15 + heaps + (0.18 - 0.12 * length) * random.standard_normal(n)
    pairs = Pairs(np.where(same, 0.8, strangers), seconds, tuple(np.full(n, 20.0) + random.random(n) for _ in range(2)))
    judged = fit(pairs, same).judge(pairs, 0.01)
    for some in (length < 0.2, (length > 0.2) & (length < 0.5), length > 0.5):
        assert 0.005 < judged.same[some & ~same].mean() < 0.02


def test_probabilities_are_shares(fitted):
    pairs, same = trials(40_000, 3)
    probability = fitted.judge(pairs, 0.01).probability
    for low, high in ((0.05, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 0.95)):
        some = (probability >= low) & (probability < high)
        assert same[some].mean() == pytest.approx(probability[some].mean(), abs=0.07)


def test_survives_json(fitted):
    assert from_dict(json.loads(json.dumps(fitted.as_dict()))) == fitted


def test_order_of_a_pair_makes_no_difference(fitted):
    pairs, _ = trials(100, 4)
    turned = Pairs(pairs.scores, pairs.seconds[::-1], pairs.snr[::-1])
    np.testing.assert_allclose(fitted.judge(pairs, 0.01).threshold, fitted.judge(turned, 0.01).threshold)


def test_between_is_the_cosine():
    a, b = np.array([1.0, 0.0], np.float32), np.array([0.6, 0.8], np.float32)
    pairs = between([Voice(a, 2.0, 20.0)], [Voice(b, 3.0, 10.0)])
    assert pairs.scores[0] == pytest.approx(0.6)
    assert (pairs.seconds[1][0], pairs.snr[0][0]) == (3.0, 20.0)
    assert calibration.SECONDS[0] <= 2.0

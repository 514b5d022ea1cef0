"""Calibration: on scores whose law is known, rates come out as claimed, wherever the conditions are."""

import dataclasses
import json

import numpy as np
import pytest

from audiocli.voices import calibration
from audiocli.voices.calibration import Pairs, between, fit, from_dict, together
from audiocli.voices.refitting import refitted
from audiocli.voices.voice import Voice


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


def voices(random, n, around=0.0):
    """Voices that all lie the nearer to one direction the more `around` is."""
    vectors = random.standard_normal((n, 16)) + around * np.eye(16)[0]
    vectors = (vectors / np.linalg.norm(vectors, axis=1)[:, None]).astype(np.float32)
    return [Voice(one, *random.uniform((1.0, 0.0), (9.0, 30.0))) for one in vectors]


def test_a_cohort_takes_out_what_a_voice_is_to_everybody():
    """By the definition, the mean of both sides; and a threshold in cosines is where the scores say it is."""
    random = np.random.default_rng(0)
    strangers = np.stack([voice.embedding for voice in voices(random, 300, 1.0)])
    a, b = voices(random, 5, 2.0), voices(random, 5)
    pairs = between(a, [*b[:4], b[0]], strangers)
    for n, (one, other) in enumerate(zip(a, [*b[:4], b[0]], strict=True)):
        near = [np.sort(strangers @ side.embedding)[-calibration.NEAREST :] for side in (one, other)]
        cosine = one.embedding @ other.embedding
        assert pairs.scores[n] == pytest.approx(np.mean([(cosine - s.mean()) / s.std() for s in near]), rel=1e-4)
        assert pairs.cosine(pairs.scores)[n] == pytest.approx(cosine, abs=1e-6)
    few = between(a, b, strangers[:1])  # fewer than NEAREST, and without any spread
    assert np.isfinite(few.scores).all()


def test_decisions_with_a_cohort_are_those_of_the_scores():
    """Voices at places of their own, some of which are near to everybody: cosines drift, normed scores do not."""
    random = np.random.default_rng(1)
    strangers = np.stack([voice.embedding for voice in voices(random, 300, 2.0)])
    everybody = voices(random, 200, 2.0) + voices(random, 200)
    first, second = random.integers(0, 400, (2, 20_000))
    apart = first != second
    a, b = ([everybody[n] for n in side[apart]] for side in (first, second))
    pairs = between(a, b, strangers)
    same = random.random(len(a)) < 0.3
    scores = np.where(same, pairs.scores + 4.0, pairs.scores)
    raised = dataclasses.replace(pairs, scores=scores)
    judged = fit(raised, same).judge(raised, 0.01)
    np.testing.assert_array_equal(judged.same, raised.cosine(raised.scores) >= judged.threshold)
    assert judged.same[~same].mean() == pytest.approx(0.01, rel=0.2)
    np.testing.assert_allclose(judged.probability, np.clip(1 / (1 + np.exp(-judged.log_odds)), 1e-4, 1 - 1e-4))


def test_between_is_the_cosine():
    a, b = np.array([1.0, 0.0], np.float32), np.array([0.6, 0.8], np.float32)
    pairs = between([Voice(a, 2.0, 20.0)], [Voice(b, 3.0, 10.0)])
    assert pairs.scores[0] == pytest.approx(0.6)
    assert (pairs.seconds[1][0], pairs.snr[0][0]) == (3.0, 20.0)
    assert calibration.SECONDS[0] <= 2.0


def test_together_keeps_what_is_known():
    random = np.random.default_rng(0)
    strangers = np.stack([voice.embedding for voice in voices(random, 300, 1.0)])
    a, b = voices(random, 7), voices(random, 7)
    whole, parts = between(a, b, strangers), [between(a[n], b[n], strangers) for n in (slice(0, 3), slice(3, 7))]
    joined = together(parts)
    np.testing.assert_allclose(joined.conditions(), whole.conditions(), rtol=1e-5)
    np.testing.assert_allclose(joined.cosine(joined.scores), whole.cosine(whole.scores), rtol=1e-5)


def test_refitted_to_few_trials_of_another_kind(fitted):
    pairs, same = trials(3_000, 7)
    moved = dataclasses.replace(pairs, scores=0.8 * pairs.scores + 0.3)
    assert fitted.judge(moved, 0.01).same[~same].mean() > 0.1
    found = refitted(fitted, moved, same)
    more, labels = trials(40_000, 8)
    more = dataclasses.replace(more, scores=0.8 * more.scores + 0.3)
    judged = found.judge(more, 0.01)
    assert 0.005 < judged.same[~labels].mean() < 0.02
    assert 0.0003 < found.judge(more, 0.001).same[~labels].mean() < 0.003  # more than 1,500 strangers can show
    missed = (~judged.same)[labels].mean()
    assert missed == pytest.approx(judged.false_rejects[labels].mean(), rel=0.3, abs=0.01)
    some = (judged.probability > 0.25) & (judged.probability < 0.75)
    assert labels[some].mean() == pytest.approx(judged.probability[some].mean(), abs=0.1)


def test_refitted_from_nothing():
    pairs, same = trials(3_000, 9)
    found = refitted(None, pairs, same)
    assert from_dict(json.loads(json.dumps(found.as_dict()))) == found
    judged = found.judge(trials(40_000, 10)[0], 0.05)
    assert judged.same[~trials(40_000, 10)[1]].mean() == pytest.approx(0.05, rel=0.3)


def test_easy_trials_make_nobody_sure():
    """Seventy pairs that never overlap leave a doubt."""
    random = np.random.default_rng(0)
    same = np.arange(70) < 20
    sides = [tuple(random.uniform(low, high, 70) for _ in range(2)) for low, high in ((1.0, 9.0), (5.0, 30.0))]
    found = refitted(None, Pairs(np.where(same, 0.9, 0.1) + 0.01 * random.standard_normal(70), *sides), same)
    between_them = Pairs(np.array([0.45, 0.5, 0.55]), *((np.full(3, 5.0),) * 2 for _ in range(2)))
    probability = found.judge(between_them, 0.01).probability
    assert probability[0] < probability[1] < probability[2]
    assert 0.01 < probability[1] < 0.99


def test_refitted_keeps_the_order_of_log_odds(fitted):
    """However few trials there are, and however sure the calibration was of them before."""
    pairs = trials(2_000, 11)[0]
    order = np.argsort(fitted.log_odds(pairs))
    for seed in range(10):
        few, same = trials(80, 20 + seed)
        moved = dataclasses.replace(few, scores=few.scores + 1.5)
        assert (np.diff(refitted(fitted, moved, same).log_odds(pairs)[order]) >= 0.0).all()

"""Error rates by hand, by another implementation's definition, and of scores without any."""

import numpy as np
import pytest

from audiocli.voices.error_rates import curve


def test_separable_scores_have_no_errors():
    found = curve([0.9, 0.8, 0.1, 0.2], [1, 1, 0, 0])
    assert found.equal_error_rate() == 0.0
    assert found.min_dcf() == 0.0


def test_one_of_four_on_either_side():
    # Of four targets one lies below three of the four others; at 0.5 both rates are a quarter.
    scores = [0.9, 0.8, 0.7, 0.3, 0.6, 0.2, 0.1, 0.0]
    assert curve(scores, [1] * 4 + [0] * 4).equal_error_rate() == pytest.approx(0.25)


def test_scores_that_say_nothing():
    random = np.random.default_rng(0)
    found = curve(random.random(20_000), random.random(20_000) < 0.3)
    assert found.equal_error_rate() == pytest.approx(0.5, abs=0.02)
    assert found.min_dcf() == pytest.approx(1.0, abs=0.02)


def test_equal_error_rate_of_two_normal_laws():
    random = np.random.default_rng(1)
    same = random.random(200_000) < 0.5
    scores = random.standard_normal(200_000) + 2.0 * same
    assert curve(scores, same).equal_error_rate() == pytest.approx(0.1587, abs=0.003)  # Phi(-1)


def test_equal_scores():
    found = curve([0.5] * 6, [1, 1, 1, 0, 0, 0])
    assert found.equal_error_rate() == pytest.approx(0.5)


def test_rates_fall_and_rise():
    random = np.random.default_rng(2)
    found = curve(random.random(50), random.random(50) < 0.5)
    assert (np.diff(found.false_accepts) <= 0).all()
    assert (np.diff(found.false_rejects) >= 0).all()
    assert (found.false_accepts[-1], found.false_rejects[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("labels", [[1, 1], [0, 0]])
def test_pairs_of_one_kind_have_no_rates(labels):
    with pytest.raises(ValueError, match="both kinds"):
        curve([0.1, 0.2], labels)

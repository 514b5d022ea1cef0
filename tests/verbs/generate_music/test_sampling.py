"""The choice of a token: frequencies, top-k, top-p, temperature."""

import numpy as np
import pytest

from audiocli.verbs.generate_music.sampling import choose

LOGITS = np.log(np.array([0.5, 0.25, 0.15, 0.1]))


def drawn(count=4_000, logits=LOGITS, **options):
    random = np.random.default_rng(0)
    options = {"temperature": 1.0, "top_k": None, "top_p": None} | options
    return np.bincount([choose(logits, random, **options) for _ in range(count)], minlength=4) / count


def test_shares_are_the_probabilities():
    np.testing.assert_allclose(drawn(), [0.5, 0.25, 0.15, 0.1], atol=0.03)


def test_temperature_sharpens_and_flattens():
    np.testing.assert_allclose(drawn(temperature=0.5), np.square([0.5, 0.25, 0.15, 0.1]) / 0.345, atol=0.03)
    assert drawn(temperature=100.0).min() > 0.2
    assert drawn(temperature=0.0)[0] == 1.0


def test_top_k_and_top_p_leave_the_unlikely_out():
    np.testing.assert_allclose(drawn(top_k=2), [2 / 3, 1 / 3, 0, 0], atol=0.03)
    np.testing.assert_allclose(drawn(top_p=0.75), [2 / 3, 1 / 3, 0, 0], atol=0.03)
    np.testing.assert_allclose(drawn(top_p=0.76), np.array([0.5, 0.25, 0.15, 0]) / 0.9, atol=0.03)
    assert drawn(top_p=0.01)[0] == 1.0


@pytest.mark.parametrize("temperature", [0.0, 1.0, 50.0])
def test_what_is_forbidden_never_comes(temperature):
    found = drawn(logits=np.array([-np.inf, 0.0, -np.inf, 1.0]), temperature=temperature)
    assert found[0] == found[2] == 0.0


def test_every_choice_takes_one_number_from_the_lot():
    one, other = np.random.default_rng(3), np.random.default_rng(3)
    choose(LOGITS, one, temperature=0.0, top_k=None, top_p=None)
    choose(LOGITS, other, temperature=1.0, top_k=1, top_p=0.5)
    assert one.random() == other.random()

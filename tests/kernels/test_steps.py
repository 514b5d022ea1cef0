"""What samplers share: products, tanh, sigmoid, and a draw from a softmax."""

import numpy as np
import pytest
from audiocli.kernels import steps


@pytest.mark.parametrize("n", [1, 3, 4, 9])
@pytest.mark.parametrize("m", [1, 7, 64])
def test_product(n, m):
    random = np.random.default_rng(0)
    x, matrix = random.standard_normal(n, np.float32), random.standard_normal((n, m), np.float32)
    out = np.ones(m, np.float32)
    steps.product(x, matrix, out)
    np.testing.assert_allclose(out, 1.0 + x @ matrix, atol=1e-5)


def test_sigmoid():
    x = np.linspace(-20.0, 20.0, 2_001, dtype=np.float32)
    found = x.copy()
    steps.sigmoid(found)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-x.astype(np.float64))), atol=1e-6)


def test_the_draw_is_that_of_the_softmax():
    scores = np.array([0.0, 1.0, -2.0, 3.0], np.float32)
    chances = (np.arange(20_000) + 0.5) / 20_000
    for temperature in (1.0, 0.5):
        drawn = [steps.choice(scores.copy(), temperature, chance) for chance in chances]
        expected = np.exp(scores / temperature) / np.exp(scores / temperature).sum()
        np.testing.assert_allclose(np.bincount(drawn, minlength=4) / len(drawn), expected, atol=1e-4)
    assert steps.choice(scores.copy(), 1.0, np.nextafter(1.0, 0.0)) == 3


def test_tanh():
    x = np.linspace(-20.0, 20.0, 20_001, dtype=np.float32)
    found = x.copy()
    steps.tanh(found)
    np.testing.assert_allclose(found, np.tanh(x.astype(np.float64)), atol=1e-6)

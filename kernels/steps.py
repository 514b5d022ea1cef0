"""What nets that draw one sample after the other share: products with a vector, tanh on vectors, a draw from a softmax.

Matrices stand [inputs, outputs]: the loop over outputs has unit stride and runs on vectors.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ._jit import jit, jit_sums

Floats = NDArray[np.float32]
FAR = np.float32(9.0)  # from where on tanh is 1 in float32


@jit_sums
def product(x: Floats, matrix: Floats, out: Floats) -> None:
    """Add to out [m] the product of x [n] and matrix [n, m]; four inputs go into one pass over the outputs."""
    whole = x.size // 4 * 4
    for i in range(0, whole, 4):
        a, b, c, d = x[i], x[i + 1], x[i + 2], x[i + 3]
        one, two, three, four = matrix[i], matrix[i + 1], matrix[i + 2], matrix[i + 3]
        for j in range(out.size):
            out[j] += a * one[j] + b * two[j] + c * three[j] + d * four[j]
    for i in range(whole, x.size):
        for j in range(out.size):
            out[j] += x[i] * matrix[i, j]


@jit_sums
def tanh(x: Floats) -> None:
    """Hyperbolic tangents in place: a continued fraction (Lambert) for x / 4, then twice tanh 2u = 2 t / (1 + t^2).

    Only arithmetic, so that it runs on vectors; within 1e-6.
    """
    for i in range(x.size):
        u = np.float32(0.25) * min(max(x[i], -FAR), FAR)
        s = u * u
        above = u * (np.float32(135135.0) + s * (np.float32(17325.0) + s * (np.float32(378.0) + s)))
        below = np.float32(135135.0) + s * (np.float32(62370.0) + s * (np.float32(3150.0) + s * np.float32(28.0)))
        t = above / below
        t = (t + t) / (np.float32(1.0) + t * t)
        x[i] = (t + t) / (np.float32(1.0) + t * t)


@jit_sums
def sigmoid(x: Floats) -> None:
    """Logistic functions in place, from `tanh`."""
    half = np.float32(0.5)
    for i in range(x.size):
        x[i] *= half
    tanh(x)
    for i in range(x.size):
        x[i] = half + half * x[i]


@jit
def positive(x: Floats) -> None:
    """The larger of x [n] and 0, in place."""
    for i in range(x.size):
        x[i] = max(x[i], np.float32(0.0))


@jit
def choice(scores: Floats, temperature: float, chance: float) -> int:
    """The number drawn by softmax(scores / temperature) for a chance in [0, 1); the highest score's at temperature 0.

    The scores are overwritten.
    """
    best = np.argmax(scores)
    if temperature <= 0.0:
        return int(best)
    top = scores[best]
    total = 0.0
    for i in range(scores.size):
        total += math.exp((scores[i] - top) / temperature)
        scores[i] = total
    wanted = chance * total
    for i in range(scores.size):
        if scores[i] > wanted:
            return i
    return int(best)

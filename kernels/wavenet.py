"""WaveNet one sample after the other, each layer with its last `dilation` inputs in a ring.

So a sample costs one product a matrix, and nothing is computed twice (Le Paine et al., Fast WaveNet Generation Algorithm, 2016).

Matrices stand [inputs, outputs]: the loop over outputs has unit stride and runs on vectors.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._jit import jit, jit_sums

Floats = NDArray[np.float32]
FAR = 9.0  # from where on tanh is 1 in float32


class Weights(NamedTuple):
    """The matrices of a net of L layers with C channels and S skips."""

    dilations: NDArray[np.int64]  # [L]
    embed: Floats  # [codes, C]
    dilated: Floats  # [L, 2 C, 2 C], from the inputs before and now
    out: Floats  # [L, C, C + S], to the next layer and to the sum of the skips
    out_bias: Floats  # [L, C]
    skip_bias: Floats  # [S]
    head: Floats  # [S, S]
    head_bias: Floats  # [S]
    logits: Floats  # [S, codes]
    logits_bias: Floats  # [codes]


def weights(tensors: Mapping[str, NDArray[Any]], dilations: list[int]) -> Weights:
    """Those of nets.wavenet.WaveNet by the names of its parameters."""

    def one(name: str) -> Floats:
        return np.ascontiguousarray(tensors[name], np.float32)

    def turned(name: str) -> Floats:
        return np.ascontiguousarray(one(name).T)

    layers = [f"layers.{n}." for n in range(len(dilations))]
    skip = turned("skip.weight").reshape(len(layers), len(one("embed.weight")[0]), -1)
    on = np.stack([turned(f"{name}out.weight") for name in layers])
    return Weights(
        np.array(dilations, np.int64), one("embed.weight"), np.stack([turned(f"{name}dilated.weight") for name in layers]),
        np.concatenate([on, skip], axis=2), np.stack([one(f"{name}out.bias") for name in layers]), one("skip.bias"),
        turned("head.weight"), one("head.bias"), turned("logits.weight"), one("logits.bias"),
    )  # fmt: skip


class Sampler:
    """A net that makes sound from its beginning on, as many samples at a time as are asked for.

    first: the code before the first one. temperature: 1 draws as the net says, less prefers what is likely, 0 takes the
    likeliest.
    """

    def __init__(self, net: Weights, *, first: int, temperature: float, seed: int) -> None:
        self._net, self._code, self._temperature = net, first, temperature
        self._random = np.random.default_rng(seed)
        self._rings = np.zeros((int(net.dilations.sum()), net.embed.shape[1]), np.float32)
        self._time = 0

    def draw(self, given: Floats, count: int) -> NDArray[np.uint8]:
        """The next codes [count]; given: what is added inside each layer [steps, L, 2 C], each step for equally many of them."""
        codes = np.empty(count, np.uint8)
        chances, none = self._random.random(count), np.zeros((0, self._net.logits_bias.size), np.float32)
        before = np.array([self._code], np.int64)
        self._run(given, before, chances, codes, none)
        if count:
            self._code = int(codes[-1])
        return codes

    def teach(self, given: Floats, before: NDArray[np.integer[Any]]) -> Floats:
        """The logits [n, codes] of what follows each of the codes before [n], which are those of sound that is there."""
        found = np.empty((before.size, self._net.logits_bias.size), np.float32)
        self._run(given, before.astype(np.int64), np.zeros(0), np.zeros(0, np.uint8), found)
        return found

    def _run(
        self, given: Floats, before: NDArray[np.int64], chances: NDArray[np.float64], codes: NDArray[np.uint8], taught: Floats
    ) -> None:  # fmt: skip
        given = np.ascontiguousarray(given, np.float32)
        _run(self._net, self._rings, self._time, before, given, self._temperature, chances, codes, taught)
        self._time += len(codes) + len(taught)


@jit_sums
def _product(x: Floats, matrix: Floats, out: Floats) -> None:
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
def _tanh(x: Floats) -> None:
    """Hyperbolic tangents in place: a continued fraction (Lambert) for half of x, then tanh 2u = 2 t / (1 + t^2).

    Only arithmetic, so that it runs on vectors; within 1e-6.
    """
    for i in range(x.size):
        u = np.float32(0.25) * min(max(x[i], np.float32(-FAR)), np.float32(FAR))
        s = u * u
        above = u * (np.float32(135135.0) + s * (np.float32(17325.0) + s * (np.float32(378.0) + s)))
        below = np.float32(135135.0) + s * (np.float32(62370.0) + s * (np.float32(3150.0) + s * np.float32(28.0)))
        t = above / below
        t = (t + t) / (np.float32(1.0) + t * t)
        x[i] = (t + t) / (np.float32(1.0) + t * t)


@jit_sums
def _step(
    net: Weights, time: int, code: int, given: Floats, rings: Floats, starts: NDArray[np.int64], state: Floats,
    inside: Floats, passed: Floats, hidden: Floats, found: Floats,
) -> None:  # fmt: skip
    """The logits of the code after `code`. given: [L, 2 C]; the other arrays keep the state, or are room to work in.

    state: a layer's inputs before [C] and now [C], and the sum of the skips [S].
    """
    channels = net.embed.shape[1]
    half, zero = np.float32(0.5), np.float32(0.0)
    seen, rest, skips = state[: 2 * channels], state[channels:], state[2 * channels :]
    state[channels : 2 * channels] = net.embed[code]
    skips[:] = net.skip_bias
    for layer in range(net.dilations.size):
        ring = rings[starts[layer] + time % net.dilations[layer]]
        for i in range(channels):
            state[i] = ring[i]
            ring[i] = rest[i]
        inside[:] = given[layer]
        _product(seen, net.dilated[layer], inside)
        for i in range(channels, 2 * channels):
            inside[i] *= half
        _tanh(inside)
        for i in range(channels):
            passed[i] = inside[i] * (half + half * inside[channels + i])
            rest[i] += net.out_bias[layer, i]
        _product(passed, net.out[layer], rest)
    for i in range(skips.size):
        skips[i] = max(skips[i], zero)
    hidden[:] = net.head_bias
    _product(skips, net.head, hidden)
    for i in range(hidden.size):
        hidden[i] = max(hidden[i], zero)
    found[:] = net.logits_bias
    _product(hidden, net.logits, found)


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


@jit_sums
def _run(
    net: Weights, rings: Floats, begin: int, before: NDArray[np.int64], given: Floats, temperature: float,
    chances: NDArray[np.float64], codes: NDArray[np.uint8], taught: Floats,
) -> None:  # fmt: skip
    """Teach (before [n], taught [n, codes]) or draw (before [1], the first; codes [n]) from time `begin` on."""
    channels, skip_size = net.embed.shape[1], net.skip_bias.size
    starts = np.zeros(net.dilations.size, np.int64)
    starts[1:] = np.cumsum(net.dilations)[:-1]
    state, inside = np.empty(2 * channels + skip_size, np.float32), np.empty(2 * channels, np.float32)
    passed, hidden = np.empty(channels, np.float32), np.empty(skip_size, np.float32)
    found = np.empty(net.logits_bias.size, np.float32)
    teaching = taught.shape[0] > 0
    count = taught.shape[0] if teaching else codes.size
    steps = given.shape[0]
    code = before[0]
    for n in range(count):
        if teaching:
            code = before[n]
            found = taught[n]
        _step(net, begin + n, code, given[n * steps // count], rings, starts, state, inside, passed, hidden, found)
        if not teaching:
            code = choice(found, temperature, chances[n])
            codes[n] = code

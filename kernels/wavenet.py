"""WaveNet one sample after the other, each layer with its last `dilation` inputs in a ring.

So a sample costs one product a matrix, and nothing is computed twice (Le Paine et al., Fast WaveNet Generation Algorithm, 2016).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._jit import jit_sums
from .steps import choice, positive, product, sigmoid, tanh

Floats = NDArray[np.float32]


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
def _step(
    net: Weights, time: int, code: int, given: Floats, rings: Floats, starts: NDArray[np.int64], state: Floats,
    inside: Floats, passed: Floats, hidden: Floats, found: Floats,
) -> None:  # fmt: skip
    """The logits of the code after `code`. given: [L, 2 C]; the other arrays keep the state, or are room to work in.

    state: a layer's inputs before [C] and now [C], and the sum of the skips [S].
    """
    channels = net.embed.shape[1]
    seen, rest, skips = state[: 2 * channels], state[channels:], state[2 * channels :]
    state[channels : 2 * channels] = net.embed[code]
    skips[:] = net.skip_bias
    for layer in range(net.dilations.size):
        ring = rings[starts[layer] + time % net.dilations[layer]]
        for i in range(channels):
            state[i] = ring[i]
            ring[i] = rest[i]
        inside[:] = given[layer]
        product(seen, net.dilated[layer], inside)
        tanh(inside[:channels])
        sigmoid(inside[channels:])
        for i in range(channels):
            passed[i] = inside[i] * inside[channels + i]
            rest[i] += net.out_bias[layer, i]
        product(passed, net.out[layer], rest)
    positive(skips)
    hidden[:] = net.head_bias
    product(skips, net.head, hidden)
    positive(hidden)
    found[:] = net.logits_bias
    product(hidden, net.logits, found)


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

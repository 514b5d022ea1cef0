"""WaveRNN one sample after the other: the high byte is drawn, goes into the other half of the state, and the low byte is drawn."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._jit import jit_sums
from .steps import choice, positive, product, sigmoid, tanh

Floats = NDArray[np.float32]
BYTE = 256
HALF_BYTE = np.float32(127.5)
ONE = np.float32(1.0)


class Weights(NamedTuple):
    """The matrices of a net with a state of `width` W and layers of H before its logits; gates stand reset, update, new."""

    inputs: Floats  # [3, 3, W]: of the three bytes, for each gate
    state: Floats  # [W, 3 W]
    state_bias: Floats  # [3 W]
    hidden: Floats  # [2, W / 2, H], for the high and the low byte
    hidden_bias: Floats  # [2, H]
    logits: Floats  # [2, H, BYTE]
    logits_bias: Floats  # [2, BYTE]


def weights(tensors: Mapping[str, Any]) -> Weights:
    """Those of nets.wavernn.WaveRNN by the names of its parameters."""

    def both(name: str) -> Floats:
        return np.stack([np.asarray(tensors[f"{byte}.{name}"], np.float32) for byte in ("high", "low")])

    def turned(matrices: Floats) -> Floats:
        return np.ascontiguousarray(matrices.swapaxes(-1, -2))

    inputs = np.asarray(tensors["gru.weight_ih_l0"], np.float32)[:, :3].reshape(3, -1, 3)
    return Weights(
        np.ascontiguousarray(inputs.transpose(2, 0, 1)), turned(np.asarray(tensors["gru.weight_hh_l0"], np.float32)),
        np.asarray(tensors["gru.bias_hh_l0"], np.float32), turned(both("0.weight")), both("0.bias"),
        turned(both("2.weight")), both("2.bias"),
    )  # fmt: skip


class Sampler:
    """A net that makes sound from its beginning on, as many samples at a time as are asked for.

    first: the code before the first one. temperature: 1 draws as the net says, less prefers what is likely, 0 takes the
    likeliest.
    """

    def __init__(self, net: Weights, *, first: int, temperature: float, seed: int) -> None:
        self._net, self._code, self._temperature = net, first, temperature
        self._random = np.random.default_rng(seed)
        self._state = np.zeros(net.state.shape[0], np.float32)

    def draw(self, given: Floats, count: int) -> NDArray[np.uint16]:
        """The next codes [count]; given: what is added inside the gates [steps, 3 W], each step for equally many of them."""
        codes = np.empty(count, np.uint16)
        chances = self._random.random((count, 2))
        self._run(given, np.array([self._code], np.uint16), chances, codes, np.zeros((0, 2, BYTE), np.float32))
        if count:
            self._code = int(codes[-1])
        return codes

    def teach(self, given: Floats, before: NDArray[np.uint16], now: NDArray[np.uint16]) -> Floats:
        """The logits [n, 2, BYTE] of both bytes of the codes now [n], given those before."""
        found = np.empty((before.size, 2, BYTE), np.float32)
        self._run(given, before, np.zeros((0, 2)), now, found)
        return found

    def _run(
        self, given: Floats, before: NDArray[np.uint16], chances: NDArray[np.float64], codes: NDArray[np.uint16], taught: Floats
    ) -> None:  # fmt: skip
        given = np.ascontiguousarray(given, np.float32)
        _run(self._net, self._state, before, given, self._temperature, chances, codes, taught)


@jit_sums
def _half(
    net: Weights, byte: int, gates: Floats, added: Floats, state: Floats, update: Floats, hidden: Floats, found: Floats
) -> None:  # fmt: skip
    """Bring the half of the state that is for a byte (0 high, 1 low) forward, and give that byte's logits.

    gates: of the state before [3 W]; added: by inputs and conditioning [3, W]; update: room [3, W / 2].
    """
    width = state.size
    half = width // 2
    begin = byte * half
    for i in range(half):
        for gate in range(2):
            update[gate, i] = gates[gate * width + begin + i] + added[gate, begin + i]
    sigmoid(update[0])
    sigmoid(update[1])
    for i in range(half):
        update[2, i] = update[0, i] * gates[2 * width + begin + i] + added[2, begin + i]
    tanh(update[2])
    own = state[begin : begin + half]
    for i in range(half):
        own[i] = update[2, i] + update[1, i] * (own[i] - update[2, i])
    hidden[:] = net.hidden_bias[byte]
    product(own, net.hidden[byte], hidden)
    positive(hidden)
    found[:] = net.logits_bias[byte]
    product(hidden, net.logits[byte], found)


@jit_sums
def _run(
    net: Weights, state: Floats, before: NDArray[np.uint16], given: Floats, temperature: float,
    chances: NDArray[np.float64], codes: NDArray[np.uint16], taught: Floats,
) -> None:  # fmt: skip
    """Teach (before [n], codes [n], taught [n, 2, BYTE]) or draw (before [1], the first; codes [n] are filled)."""
    width, teaching, steps = state.size, taught.shape[0] > 0, given.shape[0]
    gates, added = np.empty(3 * width, np.float32), np.empty((3, width), np.float32)
    update, hidden = np.empty((3, width // 2), np.float32), np.empty(net.hidden_bias.shape[1], np.float32)
    high, low = np.empty(BYTE, np.float32), np.empty(BYTE, np.float32)
    last = before[0]
    for n in range(codes.size):
        if teaching:
            last, high, low = before[n], taught[n, 0], taught[n, 1]
        gates[:] = net.state_bias
        product(state, net.state, gates)
        coarse, fine = np.float32(last // BYTE) / HALF_BYTE - ONE, np.float32(last % BYTE) / HALF_BYTE - ONE
        row = given[n * steps // codes.size]
        for gate in range(3):
            for i in range(width):
                added[gate, i] = row[gate * width + i] + coarse * net.inputs[0, gate, i] + fine * net.inputs[1, gate, i]
        _half(net, 0, gates, added, state, update, hidden, high)
        top = codes[n] // BYTE if teaching else choice(high, temperature, chances[n, 0])
        now = np.float32(top) / HALF_BYTE - ONE
        for gate in range(3):
            for i in range(width // 2, width):
                added[gate, i] += now * net.inputs[2, gate, i]
        _half(net, 1, gates, added, state, update, hidden, low)
        if not teaching:
            codes[n] = top * BYTE + choice(low, temperature, chances[n, 1])
            last = codes[n]

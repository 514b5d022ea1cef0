"""DeepFilterNet3 (Schröter et al., 2023): gains of bands, then a filter over five frames for each of the low bins, at 48 kHz.

The nets are published as three ONNX files; what lies around them is here and in `kernels.deepfilter`. Their recurrent states go
in and out (`models.graph`), so that pieces of any size give what the whole gives. All channels get the same gains and filters,
found on their mean: what stands on the left stays there.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ...device import Place
from ...errors import ModelError
from ...kernels import deepfilter
from ...models import graph, onnx
from ...models.registry import ModelSpec
from ...options import DenoiseOptions
from .clean_already import Tracker
from .deepfilternet_files import Shape, contents, shape
from .work import Fifo

Floats = NDArray[np.float32]

FRAMES = 100  # that go through the nets at once, 1 s: more do not fit into the processor's cache
AHEAD = 100  # frames after the one in question that also say whether speech is clean already; none for live sound
WET = 1.0
# The loudest frame of late is raised to this level for the nets, which take quiet speech for noise (-25 dBFS), with the most gain
# (40 dB); a loud frame is forgotten slowly (dB/s), and so nothing is raised in the pauses of a recording of usual level.
QUIET, MOST, FORGET = -25.0, 40.0, 3.0
FEATURES, SEEN = ("feat_erb", "feat_spec"), ("e0", "e1", "e2", "e3", "emb", "c0", "lsnr")
EMBEDDED = ("emb", "e3", "e2", "e1", "e0")


def load(path: Path, spec: ModelSpec, place: Place, options: DenoiseOptions | None) -> "DeepFilterNet":
    """The denoiser of the nets in the folder `path`. Raises ModelError."""
    files = contents(path)
    nets = Nets(files, shape(files["config.ini"]))
    nets.check()
    return DeepFilterNet(nets, 0 if options and options.stream else AHEAD)


class Recurrent:
    """A net whose states are kept between calls by its user."""

    def __init__(self, files: dict[str, bytes], name: str, takes: tuple[str, ...], gives: tuple[str, ...]) -> None:
        content, self._sizes = graph.stateful(files[name], name)
        self._net = onnx.load(content, name=name, device="cpu", threads=1, takes=takes)
        if lacking := [one for one in gives if one not in self._net.outputs]:
            raise ModelError(f"{name} is an ONNX model of something else: it has no output {lacking[0]!r}")

    def begin(self) -> list[Floats]:
        """The states before the first frame."""
        return [np.zeros((1, 1, size), np.float32) for size in self._sizes]

    def __call__(self, states: list[Floats], **inputs: Floats) -> dict[str, Floats]:
        """The outputs by name; `states` are replaced by the next ones. Raises ModelError."""
        inputs |= {f"before{n}": state for n, state in enumerate(states)}
        found = dict(zip(self._net.outputs, self._net(**inputs), strict=True))
        states[:] = [found[f"after{n}"] for n in range(len(states))]
        return found


class Nets:
    """The encoder and the two decoders."""

    def __init__(self, files: dict[str, bytes], shape: Shape) -> None:
        self.shape = shape
        self.encoder = Recurrent(files, "enc.onnx", FEATURES, SEEN)
        self.gains = Recurrent(files, "erb_dec.onnx", EMBEDDED, ("m",))
        self.taps = Recurrent(files, "df_dec.onnx", ("emb", "c0"), ("coefs",))

    def check(self) -> None:
        """Raises ModelError when what the nets give for two frames has not the shape that the settings say."""
        of = self.shape
        gains, taps, snr = Run(self)(np.zeros((2, of.n_bands), np.float32), np.zeros((2, 2, of.n_low), np.float32))
        if (gains.shape, taps.shape, snr.shape) != ((2, of.n_bands), (2, of.n_low, 2 * of.order), (2,)):
            raise ModelError("the nets do not fit their config.ini: they are not those of one DeepFilterNet")


class Run:
    """The nets on their way through one input, with all that they must remember of it."""

    def __init__(self, nets: Nets) -> None:
        self._nets, of = nets, nets.shape
        self._states = nets.encoder.begin(), nets.gains.begin(), nets.taps.begin()
        self._bands = np.zeros((of.context, of.n_bands), np.float32)
        self._low = np.zeros((2, of.context, of.n_low), np.float32)
        self._deep: Floats | None = None

    def __call__(self, bands: Floats, low: Floats) -> tuple[Floats, Floats, Floats]:
        """Features to gains [frames, n_bands], taps [frames, n_low, 2 * order], and local SNR [frames] in dB."""
        nets, of = self._nets, self._nets.shape
        bands = np.concatenate([self._bands, bands])
        low = np.concatenate([self._low, low], axis=1)
        self._bands, self._low = bands[len(bands) - of.context :], low[:, low.shape[1] - of.context :]
        seen = nets.encoder(self._states[0], feat_erb=bands[None, None], feat_spec=low[None])
        gains = nets.gains(self._states[1], **{name: seen[name] for name in EMBEDDED})["m"][0, 0]
        if self._deep is None:
            self._deep = np.zeros_like(seen["c0"][:, :, :1]).repeat(of.deep_context, axis=2)
        deep = np.concatenate([self._deep, seen["c0"]], axis=2)
        self._deep = deep[:, :, deep.shape[2] - of.deep_context :]
        taps = nets.taps(self._states[2], emb=seen["emb"], c0=deep)["coefs"][0]
        return np.ascontiguousarray(gains), np.ascontiguousarray(taps), seen["lsnr"][0, :, 0]


class DeepFilterNet:
    """The denoiser. latency: the rest of a frame, the frames that the net looks ahead, and those that say what is clean."""

    wet = WET

    def __init__(self, nets: Nets, patience: int) -> None:
        self.nets, self._patience = nets, patience
        self.sample_rate = nets.shape.sample_rate
        self.latency = (nets.shape.look + 2 + patience) * nets.shape.hop_length - 1

    def begin(self, channels: int) -> "DeepFilterSession":
        return DeepFilterSession(self.nets, channels, self._patience)


class DeepFilterSession:
    """Frames of one input, the nets' states between them, and what overlaps of the last."""

    def __init__(self, nets: Nets, channels: int, patience: int) -> None:
        of = self._of = nets.shape
        self._run, self._tracker, self._front = Run(nets), Tracker(patience), Front(of)
        self._edges = self._front.edges
        self._later = (of.look + 2 + patience) * of.hop_length  # samples, whole hops
        self._before = np.zeros((channels, of.look + of.order - 1 - of.ahead, of.n_fft // 2 + 1), np.complex64)
        self._waiting = np.zeros((channels, of.hop_length), np.float32)  # silence before the first sample
        self._overlap = np.zeros((channels, of.hop_length), np.float32)
        self._dry, self._wet = Fifo(channels), Fifo(channels)
        self._early, self._taken, self._given = of.look, 0, 0  # frames that stand before the first sample, then samples

    def push(self, samples: Floats) -> Floats:
        self._taken += samples.shape[1]
        self._dry.put(samples)
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        hop = self._of.hop_length
        while (frames := min(self._waiting.shape[1] // hop - 1, FRAMES)) > 0:
            self._enhance(self._waiting[:, : (frames + 1) * hop])
            self._waiting = self._waiting[:, frames * hop :]
        return self._settled()

    def finish(self) -> Floats:
        missing = self._taken - self._given
        return self.push(np.zeros((self._waiting.shape[0], missing + self._later), np.float32))[:, :missing]

    def figures(self) -> dict[str, float | None]:
        """What the encoder heard: the local SNR of speech (dB), and the share of the time in which nothing was done."""
        return self._tracker.figures()

    def _enhance(self, samples: Floats) -> None:
        """Take [channels, (frames + 1) * hop_length], and put aside the sound that no later frame changes."""
        of = self._of
        frames = np.lib.stride_tricks.sliding_window_view(samples, of.n_fft, axis=1)[:, :: of.hop_length]
        spectra = self._front.spectra(frames)
        gains, taps, snr = self._run(*self._front.features(frames, spectra))
        around = np.concatenate([self._before, spectra], axis=1)
        self._before = around[:, spectra.shape[1] :]
        found = np.empty_like(spectra)
        for source, target in zip(around, found, strict=True):
            deepfilter.filtered(source, self._edges, gains, taps, of.ahead, target)
        pieces = self._front.pieces(found)
        first, second = pieces[..., : of.hop_length], pieces[..., of.hop_length :]
        clean = first + np.concatenate([self._overlap[:, None], second[:, :-1]], axis=1)
        self._overlap = second[:, -1]
        skip, self._early = min(self._early, len(snr)), max(self._early - len(snr), 0)
        begins = skip + (len(self._tracker) == 0 and skip < len(snr))  # the first half of the first frame is silence
        self._tracker.push(snr[skip:])
        self._wet.put(clean[:, begins:].reshape(len(clean), -1))

    def _settled(self) -> Floats:
        """Samples of which all is known: the sound as it was where speech is clean already, else what the nets made of it."""
        shares = self._tracker.settled(self._of.hop_length)
        wet, dry = self._wet.take(len(shares)), self._dry.take(len(shares))
        self._given += len(shares)
        return dry + shares * (wet - dry)


class Front:
    """Samples to spectra and features, and back."""

    def __init__(self, of: Shape) -> None:
        self._of, self._window = of, deepfilter.window(of.n_fft)
        self.edges = deepfilter.band_edges(of.sample_rate, of.n_fft, of.n_bands, of.least)
        self._keep = np.float32(round(float(np.exp(-of.hop_length / of.sample_rate / of.seconds)), 3))
        self._scale = np.float32(2 * of.hop_length / of.n_fft**2)
        self._averages = deepfilter.first_averages(of.n_bands, of.n_low)
        self._powers = np.zeros(2, np.float32)
        self._loudest = QUIET  # dBFS

    def spectra(self, frames: Floats) -> deepfilter.Spectra:
        """[channels, frames, n_fft] to [channels, frames, bins]."""
        return np.asarray(fft.rfft(frames * self._window), np.complex64) * self._scale

    def pieces(self, spectra: deepfilter.Spectra) -> Floats:
        """The way back, windowed: to be added where frames overlap."""
        return np.asarray(fft.irfft(spectra / self._scale, self._of.n_fft), np.float32) * self._window

    def features(self, frames: Floats, spectra: deepfilter.Spectra) -> tuple[Floats, Floats]:
        """Bands [frames, n_bands] and low bins [2, frames, n_low] of the mean of the channels."""
        mean, n = np.empty_like(spectra[0]), spectra.shape[1]
        deepfilter.middle(spectra, self._powers, self._keep, mean)
        bands = np.empty((n, self._of.n_bands), np.float32)
        low = np.empty((2, n, self._of.n_low), np.float32)
        deepfilter.features(mean, self._lifts(frames), self.edges, self._keep, *self._averages, bands, low)
        return bands, low

    def _lifts(self, frames: Floats) -> Floats:
        """The factor for each frame [frames] that makes quiet sound loud enough for the nets."""
        levels = 10 * np.log10(np.mean(np.square(frames, dtype=np.float64), axis=2).max(axis=0) + 1e-20)
        falls = FORGET * self._of.hop_length / self._of.sample_rate * np.arange(1, len(levels) + 1)
        loudest = np.maximum.accumulate(np.maximum(levels + falls, self._loudest)) - falls
        self._loudest = float(loudest[-1])
        return np.asarray(10 ** (np.clip(QUIET - loudest, 0.0, MOST) / 20), np.float32)

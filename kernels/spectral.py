"""Frames -> window -> power spectrum -> mel -> log, WIDTH frames at a time from their samples to the result.

A frame is a lane from the first load to the last store (see `lanes`), so that nothing between leaves the cache and no frame's
numbers depend on its neighbours. Sizes that `fft` has no plan for go through scipy.fft; all the rest is the same.
The output is [frames, ...], one frame after the other, because frames are what a long file adds.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ._jit import jit, part
from .framing import pieces
from .lanes import WIDTH, fft, load, scatter_tile, splat, store
from .lanes.frames import Cut, aligned, fill
from .mel import SparseBank

Floats = NDArray[np.float32]
Samples = NDArray[np.float32] | NDArray[np.int16]

# Below this many frames a second thread costs more than it saves.
FRAMES_PER_THREAD = 4_000

DECIBEL = 10.0 / np.log(10.0)


@dataclass(frozen=True)
class Framing:
    """Cutting and weighting of frames before the FFT.

    window: [length] float32, at most n_fft long. A shorter one stands in the middle of the n_fft samples (librosa, torch), or
    at their start when `speech` is set. speech: (gain, preemphasis) of Kaldi: each frame is multiplied by gain, its mean
    is taken out and x[i] -= preemphasis * x[i - 1] is applied, before the window.
    """

    n_fft: int
    hop_length: int
    window: Floats
    speech: tuple[float, float] | None = None

    @property
    def frame_length(self) -> int:
        """Samples that one frame reaches over."""
        return self.window.size if self.speech else self.n_fft

    @property
    def bins(self) -> int:
        """Frequencies of the real FFT."""
        return self.n_fft // 2 + 1


@dataclass(frozen=True)
class Log:
    """out = factor * ln(max(x, floor)); factor DECIBEL gives dB of a power."""

    factor: float
    floor: float


@dataclass
class Spectra:
    """The outputs of `analyse`; each [frames, ...] or None when it is not wanted."""

    power: Floats | None  # [frames, bins] |X|^exponent
    mel: Floats | None  # [frames, n_mels], a power, or its logarithm
    energy: Floats | None  # [frames] sum of squares before pre-emphasis and window (speech framing only)


class _Steps(NamedTuple):
    """What is made of a power spectrum, for kernels."""

    bank: SparseBank
    exponent: np.float32
    factor: np.float32  # of the logarithm; 0 for none
    floor: np.float32


class _Out(NamedTuple):
    """The arrays of Spectra, for kernels; empty where one is not wanted."""

    power: Floats
    mel: Floats
    energy: Floats


class _Room(NamedTuple):
    """The numbers of WIDTH frames, each row a value of all of them."""

    z: Floats  # [n_fft * WIDTH]
    spectrum: Floats  # [bins * WIDTH]
    mel: Floats  # [bands * WIDTH]
    starts: NDArray[np.int64]  # [WIDTH] of the rows of an output


_Work = Callable[[int, int], None]  # on frames first..last - 1


def analyse(
    samples: Samples,
    framing: Framing,
    *,
    bank: SparseBank,
    log: Log | None = None,
    exponent: float = 2.0,
    want_mel: bool = True,
    want_power: bool = False,
    threads: int = 1,
    padding: str = "none",
) -> Spectra:
    """Spectra of every whole frame in samples [n]: float32, or int16 of full scale 32768.

    bank: the mel filters. log: give the mel values as logarithms. exponent: 2 for power, 1 for magnitude (both for the spectrum
    and under the mel filters). padding: of the two ends, as a Framer pads them; "none" where samples are padded already.
    """
    samples = np.ascontiguousarray(samples, None if samples.dtype == np.int16 else np.float32)
    parts = list(pieces(samples, framing.frame_length, framing.hop_length, padding))
    n_frames = sum(n for _, n in parts)
    out = Spectra(
        power=np.empty((n_frames, framing.bins), np.float32) if want_power else None,
        mel=np.empty((n_frames, bank.n_bands), np.float32) if want_mel else None,
        energy=np.empty(n_frames, np.float32) if framing.speech else None,
    )
    log = log or Log(0.0, 0.0)
    steps = _Steps(bank, np.float32(exponent), np.float32(log.factor), np.float32(log.floor))
    at = 0
    for piece, n in parts:
        _spread(partial(_range, piece, framing, steps, _part(out, at, at + n)), n, threads)
        at += n
    return out


def _part(out: Spectra, first: int, last: int) -> _Out:
    """The room for frames first..last - 1."""
    nothing = np.zeros((0, 1), np.float32)
    power, mel = (nothing if values is None else values[first:last] for values in (out.power, out.mel))
    return _Out(power, mel, nothing[:, 0] if out.energy is None else out.energy[first:last])


def _spread(work: _Work, n_frames: int, threads: int) -> None:
    """Call work(first, last) over the frames, on as many threads as there is work for."""
    threads = max(1, min(threads, n_frames // FRAMES_PER_THREAD))
    if threads == 1:
        return work(0, n_frames)
    # Four parts a thread, so that one slow core does not hold up the others.
    edges = np.linspace(0, n_frames, 4 * threads + 1, dtype=int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, *zip(*pairwise(edges), strict=True)))
    return None


def _range(samples: Samples, framing: Framing, steps: _Steps, out: _Out, first: int, last: int) -> None:
    """Frames first..last - 1 of samples [n]."""
    rows = [aligned(n * WIDTH) for n in (framing.n_fft, framing.bins, steps.bank.n_bands)]
    room = _Room(rows[0], rows[1], rows[2], np.empty(WIDTH, np.int64))
    cut, plan = _cut(framing, samples.dtype == np.int16), fft.plan(framing.n_fft)
    if plan:
        _in_lanes(samples, cut, plan, steps, out, room, first, last)
        return
    for start in range(first, last, WIDTH):
        fill(samples, cut, start, last, room.z, out.energy)
        spectrum = scipy.fft.rfft(room.z.reshape(-1, WIDTH), axis=0)
        np.add(np.square(spectrum.real), np.square(spectrum.imag), out=room.spectrum.reshape(-1, WIDTH))
        _finish(steps, out, room, start, last)


def _cut(framing: Framing, scaled: bool) -> Cut:
    """The Framing for kernels; scaled: int16 come to [-1, 1) by what they are multiplied by anyway."""
    scale = np.float32(1 / 32768 if scaled else 1)
    if framing.speech is None:
        offset = (framing.n_fft - framing.window.size) // 2
        return Cut(framing.hop_length, offset, framing.window * scale, np.zeros(0, np.float32), np.float32(0))
    gain, preemphasis = framing.speech
    factors = np.full(framing.window.size, np.float32(gain) * scale)
    return Cut(framing.hop_length, 0, factors, framing.window, np.float32(preemphasis))


@jit
def _in_lanes(
    samples: Samples, cut: Cut, plan: fft.Plan, steps: _Steps, out: _Out, room: _Room, first: int, last: int
) -> None:
    for start in range(first, last, WIDTH):
        fill(samples, cut, start, last, room.z, out.energy)
        fft.transform(room.z, plan)
        fft.power(room.z, plan, room.spectrum)
        _finish(steps, out, room, start, last)


@jit
def _finish(steps: _Steps, out: _Out, room: _Room, start: int, last: int) -> None:
    """From the power in room.spectrum to the results of frames start..last - 1, WIDTH of them at most."""
    if steps.exponent != np.float32(2.0):
        _raise(room.spectrum, steps.exponent * np.float32(0.5))
    if out.power.size:
        _put(room.spectrum, out.power, room.starts, start, last)
    if out.mel.size:
        _filter(room.spectrum, steps.bank, room.mel)
        if steps.factor != np.float32(0.0):
            _log_row(room.mel, steps.factor, steps.floor)
        _put(room.mel, out.mel, room.starts, start, last)


@part
def _raise(values: Floats, exponent: np.float32) -> None:
    for i in range(values.shape[0]):
        values[i] = np.sqrt(values[i]) if exponent == np.float32(0.5) else values[i] ** exponent


@part
def _filter(spectrum: Floats, bank: SparseBank, mel: Floats) -> None:
    """Sums over the few bins that each band covers, from the lowest on."""
    at = 0
    for band in range(bank.starts.shape[0]):
        total = splat(np.float32(0.0))
        for k in range(bank.starts[band], bank.starts[band] + bank.counts[band]):
            total = total + splat(bank.weights[at]) * load(spectrum, k * WIDTH)
            at += 1
        store(mel, band * WIDTH, total)


@part
def _put(rows: Floats, out: Floats, starts: NDArray[np.int64], first: int, last: int) -> None:
    """The rows into out[first:last], [frames, rows]; lanes after the last frame hold it again, and so may be written, too."""
    flat, width = out.reshape(-1), out.shape[1]
    for lane in range(WIDTH):
        starts[lane] = min(first + lane, last - 1) * width
    whole = width // WIDTH * WIDTH
    for i in range(0, whole, WIDTH):
        scatter_tile(rows, i * WIDTH, flat, starts, i)
    for i in range(whole, width):
        for lane in range(WIDTH):
            flat[starts[lane] + i] = rows[i * WIDTH + lane]


def log_in_place(values: Floats, log: Log) -> None:
    """Values [rows, n] := log.factor * ln(max(values, log.floor)), within 2 units in the last place of a float32."""
    _log(values, np.float32(log.factor), np.float32(log.floor))


# Cephes' logf (Moshier 1989): ln(1 + r) on sqrt(1/2) <= 1 + r < sqrt(2). Unlike a library call, it vectorises.
_P0, _P1, _P2 = np.float32(7.0376836292e-2), np.float32(-1.1514610310e-1), np.float32(1.1676998740e-1)
_P3, _P4, _P5 = np.float32(-1.2420140846e-1), np.float32(1.4249322787e-1), np.float32(-1.6668057665e-1)
_P6, _P7, _P8 = np.float32(2.0000714765e-1), np.float32(-2.4999993993e-1), np.float32(3.3333331174e-1)
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_HALF, _ONE = np.float32(0.5), np.float32(1.0)
_SQRT_HALF_BITS, _MANTISSA_BITS = np.int32(0x3F3504F3), np.int32(23)
_INFINITY_BITS = np.int32(0x7F800000)


@jit
def _log(values: Floats, factor: np.float32, floor: np.float32) -> None:
    for row in range(values.shape[0]):
        _log_row(values[row], factor, floor)


@part
def _log_row(line: Floats, factor: np.float32, floor: np.float32) -> None:
    """The same for values [n]."""
    for f in range(line.shape[0]):
        value = floor if line[f] < floor else line[f]
        bits = np.float32(value).view(np.int32)
        exponent = np.int32((bits - _SQRT_HALF_BITS) >> _MANTISSA_BITS)
        mantissa = np.int32(bits - np.int32(exponent << _MANTISSA_BITS)).view(np.float32)
        r = mantissa - _ONE
        y = ((_P0 * r + _P1) * r + _P2) * r + _P3
        y = ((y * r + _P4) * r + _P5) * r + _P6
        y = ((y * r + _P7) * r + _P8) * r * (r * r)
        e = np.float32(exponent)
        y += _LN2_LOW * e - _HALF * (r * r)
        line[f] = factor * (r + y + _LN2_HIGH * e) if bits < _INFINITY_BITS else value

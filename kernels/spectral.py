"""Frames -> window -> power spectrum -> mel -> log, block by block so that everything between stays in the cache.

After the FFT the layout inside a block is [bins, frames]: every step there runs along the frames with unit stride, which
vectorises. The output is [frames, ...], one frame after the other, because frames are what a long file adds.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ._jit import jit
from .framing import frame_count
from .mel import SparseBank

Floats = NDArray[np.float32]

# Values in one block: 256 KiB of frames, so that they and their spectra share a 1 MiB second-level cache.
BLOCK_VALUES = 65_536
# The frames per block are a multiple of what one vector register holds, up to AVX-512.
LANES = 16
# Below this many frames a second thread costs more than it saves.
FRAMES_PER_THREAD = 2_000

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


def analyse(
    samples: Floats,
    framing: Framing,
    *,
    bank: SparseBank,
    log: Log | None = None,
    exponent: float = 2.0,
    want_mel: bool = True,
    want_power: bool = False,
    threads: int = 1,
) -> Spectra:
    """Spectra of every whole frame in samples [n] (float32, contiguous, already padded).

    bank: the mel filters. log: give the mel values as logarithms. exponent: 2 for power, 1 for magnitude (both for the spectrum
    and under the mel filters).
    """
    n_frames = frame_count(samples.size, framing.frame_length, framing.hop_length)
    out = Spectra(
        power=np.empty((n_frames, framing.bins), np.float32) if want_power else None,
        mel=np.empty((n_frames, bank.n_bands), np.float32) if want_mel else None,
        energy=np.empty(n_frames, np.float32) if framing.speech else None,
    )

    def work(first: int, last: int) -> None:
        _analyse_range(samples, framing, bank, log, exponent, out, first, last)

    _spread(work, n_frames, threads)
    return out


def _spread(work: Callable[[int, int], None], n_frames: int, threads: int) -> None:
    """Call work(first, last) over the frames, on as many threads as there is work for."""
    threads = max(1, min(threads, n_frames // FRAMES_PER_THREAD))
    if threads == 1:
        return work(0, n_frames)
    # Four parts a thread, so that one slow core does not hold up the others.
    edges = np.linspace(0, n_frames, 4 * threads + 1, dtype=int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, *zip(*pairwise(edges), strict=True)))
    return None


def _analyse_range(
    samples: Floats, framing: Framing, bank: SparseBank, log: Log | None, exponent: float, out: Spectra,
    first: int, last: int,
) -> None:  # fmt: skip
    """Frames first..last of analyse, in blocks that share their buffers."""
    width = max(LANES, BLOCK_VALUES // framing.n_fft // LANES * LANES)
    frames = np.zeros((width, framing.n_fft), np.float32)
    power = np.empty((framing.bins, width), np.float32)
    mel = np.empty((bank.n_bands, width), np.float32)
    for start in range(first, last, width):
        n = min(width, last - start)
        _fill(samples, framing, start, frames[:n], out.energy)
        spectrum = scipy.fft.rfft(frames[:n], axis=1).view(np.float32)
        _power(spectrum, power[:, :n])
        if exponent != 2.0:
            np.power(power[:, :n], exponent / 2.0, out=power[:, :n])
        if out.power is not None:
            out.power[start : start + n] = power[:, :n].T
        if out.mel is None:
            continue
        _filter(power[:, :n], bank.starts, bank.counts, bank.weights, mel[:, :n])
        if log is not None:
            log_in_place(mel[:, :n], log)
        out.mel[start : start + n] = mel[:, :n].T


def _fill(samples: Floats, framing: Framing, start: int, frames: Floats, energy: Floats | None) -> None:
    """Windowed frames from `start` on, as the rows of frames [n, n_fft]."""
    length = framing.window.size
    if framing.speech and energy is not None:
        gain, preemphasis = (np.float32(value) for value in framing.speech)
        window = framing.window
        _speech_frames(
            samples, start, framing.hop_length, window, gain, preemphasis, frames[:, :length], energy[start:]
        )
        return
    offset = (framing.n_fft - length) // 2
    _window_frames(samples[offset:], start, framing.hop_length, framing.window, frames[:, offset : offset + length])


# In all loops below the inner one walks a row taken out before: numba's test for negative indices, which two-dimensional
# indexing inside the loop brings along, would keep it from vectorising.


@jit
def _window_frames(samples: Floats, start: int, hop_length: int, window: Floats, frames: Floats) -> None:
    length = window.shape[0]
    for f in range(frames.shape[0]):
        first = (start + f) * hop_length
        source, frame = samples[first : first + length], frames[f]
        for i in range(length):
            frame[i] = source[i] * window[i]


@jit
def _speech_frames(
    samples: Floats, start: int, hop_length: int, window: Floats, gain: np.float32, preemphasis: np.float32, frames: Floats,
    energy: Floats,
) -> None:  # fmt: skip
    length = window.shape[0]
    for f in range(frames.shape[0]):
        first = (start + f) * hop_length
        source, frame = samples[first : first + length], frames[f]
        total = 0.0
        for i in range(length):
            total += source[i]
        mean = np.float32(total / length)
        square = 0.0
        before = source[0] - mean  # Kaldi repeats the first sample before the frame
        for i in range(length):
            value = source[i] - mean
            square += value * value
            frame[i] = gain * (value - preemphasis * before) * window[i]
            before = value
        energy[f] = gain * gain * square


@jit
def _power(spectrum: Floats, power: Floats) -> None:
    """|X|^2 [bins, n] of interleaved real and imaginary parts [n, 2 bins]."""
    for k in range(power.shape[0]):
        row = power[k]
        for f in range(row.shape[0]):
            row[f] = spectrum[f, 2 * k] * spectrum[f, 2 * k] + spectrum[f, 2 * k + 1] * spectrum[f, 2 * k + 1]


@jit
def _filter(power: Floats, starts: NDArray[np.int64], counts: NDArray[np.int64], weights: Floats, mel: Floats) -> None:
    """Sums over the few bins that each band covers: [bins, n] -> [bands, n]."""
    at = 0
    for band in range(starts.shape[0]):
        row = mel[band]
        row[:] = np.float32(0.0)
        for k in range(starts[band], starts[band] + counts[band]):
            weight, source = weights[at], power[k]
            at += 1
            for f in range(row.shape[0]):
                row[f] += weight * source[f]


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
        line = values[row]
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

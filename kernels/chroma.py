"""Chroma: the power of a spectrum folded onto the twelve pitch classes.

The filter bank, the scaling and the estimate of the tuning are those of librosa 0.11 (filters.chroma, feature.chroma_stft,
estimate_tuning). The product of spectra and bank is written out here, not given to BLAS: that sums in another order for
another number of frames, so that a file read in blocks would not give the same bits as the file at once, and it starts
threads of its own.

References: Fujishima (1999), "Realtime chord recognition of musical sound" (pitch class profile); Ellis (2007), "Chroma
feature analysis and synthesis" (the Gaussian filters over all octaves).
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._jit import jit, jit_sums

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

A4 = 440.0
# Octaves are counted from A0 = A4 / 16. The weight of the octaves is a Gaussian around A5, two octaves wide.
CENTRE_OCTAVE, OCTAVE_WIDTH = 5.0, 2.0
# Weights far below what float32 resolves beside the largest of their bin (0.7 or so): as 0 they make no slow denormals.
NEGLIGIBLE = 1e-12
# Frames and filters that share their loads: twelve running sums, which fit into the registers of AVX2.
FRAMES_AT_ONCE, FILTERS_AT_ONCE = 4, 3
# Pitches for the tuning: peaks in this range (Hz) that reach this share of the largest value of their frame.
LOWEST_PITCH, HIGHEST_PITCH, PEAK = 150.0, 4_000.0, np.float32(0.1)
TUNINGS = np.linspace(-0.5, 0.5, 101)  # edges of the histogram


def filterbank(sample_rate: float, n_fft: int, n_chroma: int = 12, tuning: float = 0.0) -> Floats:
    """The chroma filters [n_chroma, 1 + n_fft // 2], the first at C.

    sample_rate: Hz. tuning: of the recording against A4 = 440 Hz, in chroma bins.
    """
    if sample_rate <= 0 or n_fft < 2 or n_chroma < 1:
        raise ValueError(f"no chroma filters for {sample_rate} Hz, n_fft {n_fft} and {n_chroma} bins an octave")
    pitch = _pitches(sample_rate, n_fft, n_chroma, tuning)
    # Below some 300 Hz bins lie more than a chroma step apart, and each then reaches to its neighbour.
    width = np.maximum(np.diff(pitch), 1.0)
    pitch = pitch[:-1]
    half = round(n_chroma / 2)
    distance = np.mod(pitch - np.arange(n_chroma)[:, None] + half, n_chroma) - half
    weights = np.exp(-0.5 * (2.0 * distance / width) ** 2)
    weights /= np.sqrt(np.square(weights).sum(axis=0))
    weights *= np.exp(-0.5 * ((pitch / n_chroma - CENTRE_OCTAVE) / OCTAVE_WIDTH) ** 2)
    weights[weights < NEGLIGIBLE] = 0.0
    # Octaves start at A; C is a quarter of an octave higher.
    return np.roll(weights, -3 * (n_chroma // 12), axis=0).astype(np.float32)


def _pitches(sample_rate: float, n_fft: int, n_chroma: int, tuning: float) -> Doubles:
    """Chroma steps above A0 of the bins 0 to n_fft // 2 + 1; 0 Hz counts as one and a half octaves below bin 1."""
    frequencies = np.arange(1, n_fft // 2 + 2) * (sample_rate / n_fft)
    lowest = A4 / 16.0 * 2.0 ** (tuning / n_chroma)
    pitch = n_chroma * np.log2(frequencies / lowest)
    return np.concatenate([[pitch[0] - 1.5 * n_chroma], pitch])


def peaks(power: ArrayLike, sample_rate: float) -> Floats:
    """The pitches in power [frames, bins]: [n, 2], Hz and how strong, both between the bins by a parabola (librosa's piptrack)."""
    spectra = np.ascontiguousarray(power, np.float32)
    if spectra.ndim != 2 or spectra.shape[1] < 2 or sample_rate <= 0:
        raise ValueError(f"no peaks in power [frames, bins] of shape {spectra.shape} at {sample_rate} Hz")
    # As librosa has it, which does not know here whether n_fft was odd.
    n_fft = 2 * (spectra.shape[1] - 1)
    bins = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    first, last = np.searchsorted(bins, (LOWEST_PITCH, min(HIGHEST_PITCH, sample_rate / 2)))
    out = np.empty((spectra.shape[0] * (max(0, last - first) // 2 + 1), 2), np.float32)
    return out[: _peaks(spectra, max(1, first), last, float(sample_rate), n_fft, out)].copy()


def tuning(blocks: Callable[[], Iterator[Floats]]) -> float:
    """The most frequent deviation of pitches from the semitones of A4 = 440 Hz, -0.5 to 0.49 of a semitone; 0 without any.

    blocks: each call gives all peaks, [n, 2] at a time. Those stronger than the median count (librosa's estimate_tuning).
    """
    least = _median(lambda: (block[:, 1] for block in blocks()))
    counts = np.zeros(TUNINGS.size - 1, np.int64)
    for block in blocks():
        steps = np.mod(12 * np.log2(block[block[:, 1] >= least, 0] / (A4 / 16.0)), 1.0)
        counts += np.histogram(np.where(steps < 0.5, steps, steps - 1.0), TUNINGS)[0]
    return float(TUNINGS[counts.argmax()]) if counts.any() else 0.0


def _median(blocks: Callable[[], Iterator[Floats]]) -> np.float32:
    """The median of positive numbers; 0 without any."""
    n = sum(block.size for block in blocks())
    if not n:
        return np.float32(0.0)
    return np.mean([_ranked(blocks, (n - 1) // 2), _ranked(blocks, n // 2)], dtype=np.float32)


def _ranked(blocks: Callable[[], Iterator[Floats]], rank: int) -> np.float32:
    """The positive number with `rank` others before it, found by counting: the bits of floats sort as the floats do."""
    value = 0
    for shift in (16, 0):
        counts = np.zeros(1 << 16, np.int64)
        for block in blocks():
            bits = block.view(np.uint32) >> shift
            counts += np.bincount(bits[bits >> 16 == value] & 0xFFFF, minlength=counts.size)
        below = np.cumsum(counts)
        digit = int(np.searchsorted(below, rank, side="right"))
        rank -= int(below[digit] - counts[digit])
        value = value << 16 | digit
    return np.uint32(value).view(np.float32)


def chroma(power: ArrayLike, bank: ArrayLike) -> Floats:
    """Chroma [frames, n_chroma] of power [frames, bins] by filters [n_chroma, bins]; the largest of a frame is 1.

    A silent frame stays 0; one that holds a NaN is NaN.
    """
    spectra, filters = np.ascontiguousarray(power, np.float32), np.asarray(bank, np.float32)
    if spectra.ndim != 2 or filters.ndim != 2 or spectra.shape[1] != filters.shape[1]:
        raise ValueError(f"power [frames, bins] of shape {spectra.shape} does not fit a bank of shape {filters.shape}")
    out = np.empty((spectra.shape[0], filters.shape[0]), np.float32)
    if out.size:
        _chroma(spectra, _filled(filters), out)
    return out


def _filled(filters: Floats) -> Floats:
    """The filters with rows of 0 up to a multiple of FILTERS_AT_ONCE."""
    missing = -filters.shape[0] % FILTERS_AT_ONCE
    return np.ascontiguousarray(np.pad(filters, ((0, missing), (0, 0))))


@jit
def _peaks(power: Floats, first: int, last: int, sample_rate: float, n_fft: int, out: Floats) -> int:
    """Fill out with the peaks among bins first..last-1; how many there are. Single and double precision are librosa's."""
    count = 0
    for f in range(power.shape[0]):
        row = power[f]
        least = PEAK * row.max()  # NaN, where one is in the row: no peak is above it
        for k in range(first, last):
            before, here, after = row[k - 1], row[k], row[k + 1]
            if here > least and here > before and here >= after:
                bend, slope = after + before - 2 * here, (after - before) / 2
                shift = np.float32(-slope / bend if abs(slope) < abs(bend) else 0.0)
                out[count, 0] = (k + np.float64(shift)) * sample_rate / n_fft
                out[count, 1] = here + np.float32(0.5) * np.float32(slope) * shift
                count += 1
    return count


@jit
def _chroma(power: Floats, bank: Floats, out: Floats) -> None:
    n_frames, n_chroma = out.shape
    sums = np.empty((FRAMES_AT_ONCE, bank.shape[0]), np.float32)
    last = n_frames - 1
    for start in range(0, n_frames, FRAMES_AT_ONCE):
        # After the last frame it is taken again, so that every frame goes through the same sums.
        a, b, c, d = power[start], power[min(start + 1, last)], power[min(start + 2, last)], power[min(start + 3, last)]
        for i in range(0, bank.shape[0], FILTERS_AT_ONCE):
            _four_by_three(a, b, c, d, bank[i], bank[i + 1], bank[i + 2], sums[:, i : i + FILTERS_AT_ONCE])
        for f in range(min(FRAMES_AT_ONCE, n_frames - start)):
            _scale(sums[f, :n_chroma], out[start + f])


@jit_sums
def _four_by_three(a: Floats, b: Floats, c: Floats, d: Floats, x: Floats, y: Floats, z: Floats, sums: Floats) -> None:
    """The scalar products of four frames a..d and three filters x..z, each value loaded once."""
    ax = ay = az = bx = by = bz = cx = cy = cz = dx = dy = dz = np.float32(0.0)
    for k in range(a.shape[0]):
        ak, bk, ck, dk, xk, yk, zk = a[k], b[k], c[k], d[k], x[k], y[k], z[k]
        ax, ay, az = ax + ak * xk, ay + ak * yk, az + ak * zk
        bx, by, bz = bx + bk * xk, by + bk * yk, bz + bk * zk
        cx, cy, cz = cx + ck * xk, cy + ck * yk, cz + ck * zk
        dx, dy, dz = dx + dk * xk, dy + dk * yk, dz + dk * zk
    sums[0, 0], sums[0, 1], sums[0, 2] = ax, ay, az
    sums[1, 0], sums[1, 1], sums[1, 2] = bx, by, bz
    sums[2, 0], sums[2, 1], sums[2, 2] = cx, cy, cz
    sums[3, 0], sums[3, 1], sums[3, 2] = dx, dy, dz


@jit
def _scale(values: Floats, out: Floats) -> None:
    """Divide by the largest; a frame too quiet for float32 to divide stays as it is."""
    peak = np.float32(0.0)
    for value in values:
        peak = value if value > peak else peak
    factor = np.float32(1.0) if peak < np.finfo(np.float32).tiny else peak
    for i in range(values.shape[0]):
        out[i] = values[i] / factor

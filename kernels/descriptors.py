"""One number per frame of a spectrum: its centre, its width, its flatness, its rise.

Spectra are [frames, bins], float32. The numbers are those of librosa 0.11 when the spectra are magnitudes; `shape`
takes power spectra and computes them all while a frame is in the cache. Sums run in float64. A frame that holds a NaN
gives NaN, and no other frame is affected; silence gives centroid, bandwidth and rolloff 0, flatness 1, flux 0.

References: Klapuri & Davy (2007), "Signal Processing Methods for Music Transcription", chapter 5 (centroid, bandwidth,
rolloff); Dubnov (2004), "Generalization of spectral flatness measure for non-Gaussian linear processes" (flatness);
Dixon (2006), "Onset detection revisited" (flux).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._jit import jit, jit_sums

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Single = np.float32

# A frame that weighs less than the smallest normal float32 is silent: its weights are not divided by their sum.
SILENT = float(np.finfo(np.float32).tiny)
# Mantissas in [1, 2) whose product surely is a float64.
MANTISSAS = 1000
# The parts of a float32.
EXPONENT_SHIFT, MANTISSA_BITS, ONE_BITS = np.int32(23), np.int32(0x007FFFFF), np.int32(0x3F800000)
ZERO = np.float32(0.0)
LN2 = float(np.log(2.0))
# Bins whose sum is taken at once while looking for the rolloff: long enough to vectorise.
STRIDE = 32


class Shape(NamedTuple):
    """The descriptors of one block of spectra, each [frames] float32."""

    centroid: Floats  # Hz
    bandwidth: Floats  # Hz
    rolloff: Floats  # Hz
    flatness: Floats  # 0 (a tone) to 1 (white)
    flux: Floats  # mean rise of the magnitude per bin


def shape(
    power: ArrayLike,
    frequencies: ArrayLike,
    previous: ArrayLike | None = None,
    *,
    fraction: float = 0.85,
    floor: float = 1e-10,
) -> Shape:
    """Centroid, bandwidth, rolloff, flatness and flux of power spectra [frames, bins], in one pass.

    The first three and the flux weigh by magnitude (the square root of power), flatness by power, as librosa does.
    frequencies: [bins] in Hz, rising. previous: [bins], the power spectrum before the first frame; None starts at flux
    0.
    """
    rows, hertz, _ = _weighted(power, frequencies)
    _check_fraction(fraction)
    out = np.empty((5, rows.shape[0]), np.float32)
    if rows.size:
        _shape(rows, hertz, _previous(previous, rows), fraction, _floor(floor), out)
    return Shape(*out)


def centroid(spectra: ArrayLike, frequencies: ArrayLike) -> Floats:
    """Mean frequency in Hz [frames], weighted by the spectrum [frames, bins]; frequencies: [bins] in Hz."""
    rows, hertz, out = _weighted(spectra, frequencies)
    _centroid(rows, hertz, out)
    return out


def bandwidth(spectra: ArrayLike, frequencies: ArrayLike) -> Floats:
    """Standard deviation in Hz [frames] of the frequencies [bins] around the centroid of spectra [frames, bins]."""
    rows, hertz, out = _weighted(spectra, frequencies)
    _bandwidth(rows, hertz, out)
    return out


def rolloff(spectra: ArrayLike, frequencies: ArrayLike, fraction: float = 0.85) -> Floats:
    """Frequency in Hz [frames] of the bin at which the sum from below reaches `fraction` of the frame's.

    frequencies: [bins] in Hz, rising.
    """
    rows, hertz, out = _weighted(spectra, frequencies)
    _check_fraction(fraction)
    _rolloff(rows, hertz, fraction, out)
    return out


def flatness(spectra: ArrayLike, *, exponent: int = 2, floor: float = 1e-10) -> Floats:
    """Geometric over arithmetic mean of max(floor, spectra ** exponent), [frames] in (0, 1].

    exponent: 2 for magnitude spectra, 1 for power spectra. floor: at least 1.2e-38.
    """
    if exponent not in (1, 2):
        raise ValueError(f"exponent must be 1 or 2, not {exponent}")
    rows = _spectra(spectra)
    out = np.empty(rows.shape[0], np.float32)
    if rows.size:
        _flatness(rows, exponent == 2, _floor(floor), out)
    return out


def flux(spectra: ArrayLike, previous: ArrayLike | None = None) -> Floats:
    """Mean over the bins of the rise since the frame before (falls count 0): [frames].

    previous: [bins], the spectrum before the first frame (of the same kind); None starts at flux 0.
    """
    rows = _spectra(spectra)
    out = np.empty(rows.shape[0], np.float32)
    if rows.size:
        _flux(rows, _previous(previous, rows), out)
    return out


def _spectra(spectra: ArrayLike) -> Floats:
    rows = np.ascontiguousarray(spectra, np.float32)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ValueError(f"spectra must be [frames, bins], not of shape {rows.shape}")
    return rows


def _weighted(spectra: ArrayLike, frequencies: ArrayLike) -> tuple[Floats, Doubles, Floats]:
    """The checked spectra and frequencies, and room for one number per frame."""
    rows, hertz = _spectra(spectra), np.ascontiguousarray(frequencies, np.float64)
    if hertz.shape != rows.shape[1:]:
        raise ValueError(f"frequencies of shape {hertz.shape} do not fit spectra of shape {rows.shape}")
    return rows, hertz, np.empty(rows.shape[0], np.float32)


def _previous(previous: ArrayLike | None, spectra: Floats) -> Floats:
    row = spectra[0] if previous is None else np.ascontiguousarray(previous, np.float32)
    if row.shape != spectra.shape[1:]:
        raise ValueError(f"previous of shape {row.shape} does not fit spectra of shape {spectra.shape}")
    return row


def _check_fraction(fraction: float) -> None:
    if not 0.0 < fraction < 1.0:
        raise ValueError(f"fraction must lie between 0 and 1, not {fraction}")


def _floor(floor: float) -> Single:
    if not SILENT <= floor < np.inf:
        raise ValueError(f"floor must be {SILENT:.2g} or more, not {floor}")
    return np.float32(floor)


# The work on one frame; the compiler puts these into the loops below.


@jit_sums
def _moment(row: Floats, frequencies: Doubles) -> tuple[float, float]:
    """Sum of the weights, and their mean frequency."""
    total, moment = 0.0, 0.0
    for k in range(row.shape[0]):
        total += row[k]
        moment += row[k] * frequencies[k]
    return total, moment if total < SILENT else moment / total


@jit_sums
def _deviation(row: Floats, frequencies: Doubles, total: float, mean: float) -> float:
    square = 0.0
    for k in range(row.shape[0]):
        distance = frequencies[k] - mean
        square += row[k] * (distance * distance)
    return float(np.sqrt(square if total < SILENT else square / total))


@jit_sums
def _sum(row: Floats) -> float:
    total = 0.0
    for k in range(row.shape[0]):
        total += row[k]
    return total


@jit_sums
def _roll(row: Floats, frequencies: Doubles, share: float) -> float:
    """The frequency at which the running sum reaches `share`, by strides first and then bin by bin."""
    if np.isnan(share):
        return np.nan
    start, below = 0, 0.0
    while start + STRIDE < row.shape[0]:
        after = below + _sum(row[start : start + STRIDE])
        if after >= share:
            break
        start, below = start + STRIDE, after
    while start < row.shape[0] - 1:
        below += row[start]
        if below >= share:
            break
        start += 1
    return float(frequencies[start])


@jit_sums
def _flat(row: Floats, squared: bool, floor: Single) -> float:
    """The logarithm of a product is the sum of the exponents and one logarithm of the product of the mantissas.

    So it vectorises, where a logarithm of each bin would not. Values below the smallest normal float32 never get here.
    """
    logs, total, n = 0.0, 0.0, row.shape[0]
    for start in range(0, n, MANTISSAS):
        part = row[start : start + MANTISSAS]
        exponents, product = 0, 1.0
        for k in range(part.shape[0]):
            power = part[k] * part[k] if squared else part[k]
            value = np.float32(floor if power < floor else power)
            bits = value.view(np.int32)
            exponents += int(bits >> EXPONENT_SHIFT)
            product *= float(np.int32((bits & MANTISSA_BITS) | ONE_BITS).view(np.float32))
            total += float(value)
        logs += np.log(product) + (exponents - 127 * part.shape[0]) * LN2
    return float(np.exp(logs / n) * n / total)


@jit_sums
def _rise(row: Floats, before: Floats) -> float:
    total = 0.0
    for k in range(row.shape[0]):
        change = row[k] - before[k]
        total += float(ZERO if change < ZERO else change)
    return float(total / row.shape[0])


# The loops over frames.


@jit
def _shape(power: Floats, frequencies: Doubles, previous: Floats, fraction: float, floor: Single, out: Floats) -> None:
    before, now = np.sqrt(previous), np.empty_like(previous)
    for f in range(power.shape[0]):
        row = power[f]
        for k in range(row.shape[0]):
            now[k] = np.sqrt(row[k])
        total, mean = _moment(now, frequencies)
        out[0, f] = mean
        out[1, f] = _deviation(now, frequencies, total, mean)
        out[2, f] = _roll(now, frequencies, fraction * total)
        out[3, f] = _flat(row, False, floor)
        out[4, f] = _rise(now, before)
        before, now = now, before


@jit
def _centroid(spectra: Floats, frequencies: Doubles, out: Floats) -> None:
    for f in range(out.shape[0]):
        out[f] = _moment(spectra[f], frequencies)[1]


@jit
def _bandwidth(spectra: Floats, frequencies: Doubles, out: Floats) -> None:
    for f in range(out.shape[0]):
        total, mean = _moment(spectra[f], frequencies)
        out[f] = _deviation(spectra[f], frequencies, total, mean)


@jit
def _rolloff(spectra: Floats, frequencies: Doubles, fraction: float, out: Floats) -> None:
    for f in range(out.shape[0]):
        out[f] = _roll(spectra[f], frequencies, fraction * _sum(spectra[f]))


@jit
def _flatness(spectra: Floats, squared: bool, floor: Single, out: Floats) -> None:
    for f in range(out.shape[0]):
        out[f] = _flat(spectra[f], squared, floor)


@jit
def _flux(spectra: Floats, previous: Floats, out: Floats) -> None:
    for f in range(out.shape[0]):
        out[f] = _rise(spectra[f], previous if f == 0 else spectra[f - 1])

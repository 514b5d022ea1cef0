"""The signal processing around DeepFilterNet (Schröter et al., 2022 and 2023): its bands, its features, and what its filters do.

Spectra are complex64 [frames, bins] of the real FFT over windows that overlap by half; bands are whole bins.
"""

import numpy as np
from numpy.typing import NDArray

from ._jit import jit, jit_sums

Floats = NDArray[np.float32]
Spectra = NDArray[np.complex64]
Bins = NDArray[np.int64]

FLOOR = 1e-10  # of a power, before its logarithm
SPREAD = 40.0  # dB that stand for 1 in the features
OPPOSITE = 4.0  # times the power of the sum: then the difference is the sound
# Where the averages begin, from the lowest to the highest: dB of the bands, magnitudes of the bins.
FIRST_DECIBELS, FIRST_SIZES = (-60.0, -90.0), (0.001, 0.0001)


def window(n_fft: int) -> Floats:
    """Vorbis's window [n_fft]; its squares, half a window apart, sum to 1."""
    places = np.sin(np.pi * (np.arange(n_fft) + 0.5) / n_fft)
    return np.sin(0.5 * np.pi * places**2).astype(np.float32)


def band_edges(sample_rate: int, n_fft: int, n_bands: int, least: int) -> Bins:
    """The first bin of each band and the end of the last one [n_bands + 1], evenly on the scale of Glasberg and Moore (1990).

    least: bins that a band has; what it takes too many, the next ones lack.
    """
    quality = 24.7 * 9.265
    top = 9.265 * np.log1p(sample_rate / 2 / quality)
    widths, before, borrowed = [], 0, 0
    for n in range(1, n_bands + 1):
        edge = quality * np.expm1(n * top / n_bands / 9.265)
        bin_ = round(edge * n_fft / sample_rate)
        width = bin_ - before - borrowed
        borrowed, width, before = max(least - width, 0), max(width, least), bin_
        widths.append(width)
    widths[-1] += n_fft // 2 + 1 - sum(widths)
    return np.cumsum([0, *widths])


def first_averages(n_bands: int, n_low: int) -> tuple[Floats, Floats]:
    """The averages before the first frame: dB of the bands [n_bands], magnitudes of the low bins [n_low]."""
    return (
        np.linspace(*FIRST_DECIBELS, n_bands, dtype=np.float32),
        np.linspace(*FIRST_SIZES, n_low, dtype=np.float32),
    )


@jit
def middle(spectra: Spectra, powers: Floats, keep: np.float32, out: Spectra) -> None:
    """The mean of channels [channels, frames, bins], in place of `out` [frames, bins].

    Of two channels that are opposite to each other (one was plugged in the wrong way round) half the difference is taken, since
    they would cancel. powers [2]: the averages so far of the sum's and the difference's power, which go on.
    """
    channels, frames, bins = spectra.shape
    for f in range(frames):
        out[f] = spectra[0, f]
        if channels == 2:
            now = np.zeros(2, np.float32)
            for k in range(bins):
                total, apart = spectra[0, f, k] + spectra[1, f, k], spectra[0, f, k] - spectra[1, f, k]
                now[0] += total.real * total.real + total.imag * total.imag
                now[1] += apart.real * apart.real + apart.imag * apart.imag
            powers[:] = keep * powers + (np.float32(1.0) - keep) * now
        sign = np.float32(-1.0) if powers[1] > OPPOSITE * powers[0] else np.float32(1.0)
        for c in range(1, channels):
            for k in range(bins):
                out[f, k] += sign * spectra[c, f, k]
        for k in range(bins):
            out[f, k] /= np.float32(channels)


@jit_sums
def features(
    spectra: Spectra,
    lifts: Floats,
    edges: Bins,
    keep: np.float32,
    levels: Floats,
    sizes: Floats,
    bands: Floats,
    low: Floats,
) -> None:
    """The features of frames, in place: bands [frames, n_bands], and low [2, frames, n_low], real and imaginary part.

    lifts [frames]: factors by which the sound counts as louder. levels [n_bands], sizes [n_low]: the exponential averages so
    far, which go on; keep: of the average from frame to frame.
    """
    new = np.float32(1.0) - keep
    for f in range(spectra.shape[0]):
        # The averages are those of the sound as it is, so that a change of the factor is no change of the noise.
        frame, floor = spectra[f], np.float32(FLOOR) / (lifts[f] * lifts[f])
        for b in range(levels.size):
            power = np.float32(0.0)
            for k in range(edges[b], edges[b + 1]):
                power += frame[k].real * frame[k].real + frame[k].imag * frame[k].imag
            decibels = np.float32(10.0) * np.log10(power / np.float32(edges[b + 1] - edges[b]) + floor)
            levels[b] = new * decibels + keep * levels[b]
            bands[f, b] = (decibels - levels[b]) / np.float32(SPREAD)
        for k in range(sizes.size):
            real, imaginary = frame[k].real, frame[k].imag
            sizes[k] = new * np.sqrt(real * real + imaginary * imaginary) + keep * sizes[k]
            scale = np.sqrt(lifts[f] / sizes[k])
            low[0, f, k], low[1, f, k] = real * scale, imaginary * scale


@jit
def filtered(spectra: Spectra, edges: Bins, gains: Floats, taps: Floats, ahead: int, out: Spectra) -> None:
    """What the net makes of frames, in place of `out` [frames, bins]: the taps count in the low bins, the gains in the others.

    spectra: [frames + order - 1, bins], from order - 1 - ahead frames before the first one. gains: [frames, n_bands]. taps:
    [frames, n_low, 2 * order], complex factors of the frames around.
    """
    order, n_low = taps.shape[2] // 2, taps.shape[1]
    for f in range(out.shape[0]):
        frame = spectra[f + order - 1 - ahead]
        for b in range(gains.shape[1]):
            for k in range(max(edges[b], n_low), edges[b + 1]):
                out[f, k] = gains[f, b] * frame[k]
        for k in range(n_low):
            real, imaginary = np.float32(0.0), np.float32(0.0)
            for n in range(order):
                value, a, b_ = spectra[f + n, k], taps[f, k, 2 * n], taps[f, k, 2 * n + 1]
                real += value.real * a - value.imag * b_
                imaginary += value.real * b_ + value.imag * a
            out[f, k] = complex(real, imaginary)

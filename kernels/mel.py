"""Windows, mel filters and the cosine transform: small tables, made once a run.

The conventions of librosa (slaney), torchaudio (htk) and Kaldi differ in the scale, in where the triangles are straight
(in Hz or in mel) and in their height; all three are here because `--preset` promises their numbers.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

# Cosine sums: window(t) = sum_k c[k] cos(k t), t from 0 to 2 pi.
_COSINE_SUMS = {
    "hann": (0.5, -0.5),
    "hamming": (0.54, -0.46),
    "blackman": (0.42, -0.5, 0.08),
    "rectangular": (1.0,),
}
WINDOWS = (*_COSINE_SUMS, "povey", "bartlett")
MEL_SCALES = ("slaney", "htk", "kaldi")


def window(name: str, length: int, *, periodic: bool = True) -> Floats:
    """A window [length] by name; periodic for spectra (librosa, torch), symmetric for Kaldi's.

    povey is Kaldi's hann to the power 0.85.
    """
    if name not in WINDOWS:
        raise ValueError(f"window must be one of {', '.join(WINDOWS)}, not {name!r}")
    if length == 1:
        return np.ones(1, np.float32)
    last = length if periodic else length - 1
    t = 2.0 * np.pi * np.arange(length) / last
    if name == "bartlett":
        values = 1.0 - np.abs(t / np.pi - 1.0)
    else:
        terms = _COSINE_SUMS["hann" if name == "povey" else name]
        values = sum((c * np.cos(k * t) for k, c in enumerate(terms)), np.zeros(length))
    if name == "povey":
        values = np.maximum(values, 0.0) ** 0.85
    return values.astype(np.float32)


def hz_to_mel(hz: float | Doubles, scale: str) -> Doubles:
    """Mel of frequencies in Hz: slaney (Auditory Toolbox 1998: straight below 1 kHz) or htk and kaldi (O'Shaughnessy 1987)."""
    hz = np.asarray(hz, np.float64)
    if scale != "slaney":
        return np.asarray(1127.0 * np.log1p(hz / 700.0))
    bent = 15.0 + 27.0 * np.log(np.maximum(hz, 1000.0) / 1000.0) / np.log(6.4)
    return np.where(hz < 1000.0, 3.0 * hz / 200.0, bent)


def mel_to_hz(mel: Doubles, scale: str) -> Doubles:
    """The inverse of hz_to_mel."""
    if scale != "slaney":
        return np.asarray(700.0 * np.expm1(mel / 1127.0))
    bent = 1000.0 * np.exp(np.log(6.4) / 27.0 * (np.maximum(mel, 15.0) - 15.0))
    return np.where(mel < 15.0, 200.0 * mel / 3.0, bent)


def mel_frequencies(n_mels: int, fmin: float, fmax: float, scale: str) -> Doubles:
    """Edges and centres of n_mels triangles, [n_mels + 2] in Hz, equally far apart in mel."""
    low, high = hz_to_mel(fmin, scale), hz_to_mel(fmax, scale)
    return mel_to_hz(np.linspace(low, high, n_mels + 2), scale)


def fft_frequencies(sample_rate: float, n_fft: int) -> Doubles:
    """Hz of the bins of a real FFT, [n_fft // 2 + 1]; the last one is half the rate only where n_fft is even."""
    return np.arange(n_fft // 2 + 1, dtype=np.float64) * (sample_rate / n_fft)


def filterbank(
    sample_rate: int,
    n_fft: int,
    n_mels: int,
    fmin: float,
    fmax: float,
    *,
    scale: str = "slaney",
    norm: str | None = None,
    frequencies: Doubles | None = None,
) -> Floats:
    """Triangular mel filters [n_mels, n_fft // 2 + 1].

    norm "slaney" gives each triangle the area 1 (in Hz), None the height 1. With scale "kaldi" the sides are straight in mel
    and the last bin is left out, else they are straight in Hz. frequencies: Hz to take for those of the bins.
    """
    if scale not in MEL_SCALES:
        raise ValueError(f"mel scale must be one of {', '.join(MEL_SCALES)}, not {scale!r}")
    if not 0.0 <= fmin < fmax:
        raise ValueError(f"fmin must lie below fmax, not {fmin:g} and {fmax:g} Hz")
    bins = fft_frequencies(sample_rate, n_fft) if frequencies is None else frequencies
    edges = mel_frequencies(n_mels, fmin, fmax, scale)
    if scale == "kaldi":
        bins, edges = hz_to_mel(bins, scale), hz_to_mel(edges, scale)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    bank = np.maximum(0.0, np.minimum(rising, falling))
    if scale == "kaldi":
        bank[:, -1] = 0.0
    if norm == "slaney":
        bank *= 2.0 / (edges[2:] - edges[:-2])[:, None]
    return bank.astype(np.float32)


class SparseBank(NamedTuple):
    """A filter bank by its non-zero stretch in each band: weights of band b stand one after the other."""

    starts: NDArray[np.int64]  # [bands]
    counts: NDArray[np.int64]  # [bands]
    weights: Floats  # [sum of counts]

    @property
    def n_bands(self) -> int:
        """Rows of the bank."""
        return self.starts.size


def sparse(bank: Floats) -> SparseBank:
    """The SparseBank of a dense one [bands, bins]."""
    spans = [np.flatnonzero(row) for row in bank]
    starts = np.array([span[0] if span.size else 0 for span in spans], np.int64)
    counts = np.array([span[-1] + 1 - span[0] if span.size else 0 for span in spans], np.int64)
    weights = [row[start : start + count] for row, start, count in zip(bank, starts, counts, strict=True)]
    return SparseBank(starts, counts, np.concatenate([*weights, np.zeros(0, np.float32)]).astype(np.float32))


def dct(n_inputs: int, n_coefficients: int, *, lifter: float = 0.0) -> Floats:
    """The orthonormal DCT-II as a matrix [n_inputs, n_coefficients], to be multiplied from the right.

    lifter > 0 weighs coefficient n by 1 + lifter / 2 sin(pi n / lifter), as Kaldi and HTK do. A matrix product: with 13 to 40
    coefficients BLAS beats both a fast transform and a loop of ours.
    """
    n = np.arange(n_coefficients)
    matrix = np.cos(np.pi * (np.arange(n_inputs)[:, None] + 0.5) * n / n_inputs) * np.sqrt(2.0 / n_inputs)
    matrix[:, 0] /= np.sqrt(2.0)
    if lifter:
        matrix = matrix * (1.0 + lifter / 2.0 * np.sin(np.pi * n / lifter))
    return np.asarray(matrix, np.float32)

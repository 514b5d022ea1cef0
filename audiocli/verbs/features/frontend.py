"""The front end that the options describe, as the tables and settings that kernels take; checked before any file is read."""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError, check_choice
from ...kernels import mel
from ...kernels.spectral import DECIBEL, Framing, Log
from ...options import FrontEnd

LOGS = {"db": DECIBEL, "ln": 1.0, "log10": 1.0 / np.log(10.0)}
NORMS = ("slaney", "none")
# More has no known use, and takes minutes and gigabytes, or numbers that float32 does not hold: a magnitude of 2^30
# (Kaldi's samples, the longest window) to the power 4 is 2^120.
LIMITS: dict[str, tuple[float, float]] = {
    "sample_rate": (100, 768_000), "n_fft": (2, 65_536), "win_length": (1, 65_536), "hop_length": (1, 1 << 30),
    "n_mels": (1, 1_024), "n_mfcc": (1, 1_024), "power": (0.1, 4),
}  # fmt: skip
UNITS = {"db": "dB", "ln": "ln", "log10": "log10"}


@dataclass(frozen=True)
class Tables:
    """The tables that depend on the front end alone, made once a run."""

    framing: Framing
    bank: NDArray[np.float32]  # [n_mels, bins]
    sparse: mel.SparseBank
    log: Log
    dct: NDArray[np.float32]  # [n_mels, n_mfcc]
    centres: NDArray[np.float64]  # [n_mels] Hz
    frequencies: NDArray[np.float64]  # [bins] Hz

    @cached_property
    def bin_names(self) -> tuple[str, ...]:
        """The names of the columns of a spectrum."""
        return tuple(f"{hertz:.1f} Hz" for hertz in self.frequencies)

    @cached_property
    def band_names(self) -> tuple[str, ...]:
        """The names of the columns of a mel spectrum."""
        return tuple(f"{hertz:.1f} Hz" for hertz in self.centres)

    def lowest(self, peak: float, top_db: float | None) -> float:
        """The logarithm that lies top_db below peak, -inf without a limit."""
        return peak - top_db * self.log.factor / DECIBEL if top_db is not None else -math.inf


@lru_cache(maxsize=8)
def tables(front: FrontEnd) -> Tables:
    """The Tables of a front end. Raises UsageError when its values do not fit together."""
    _check(front)
    window = mel.window(front.window, front.win_length, periodic=front.periodic)
    speech = None if front.preemphasis is None else (front.gain, front.preemphasis)
    norm = None if front.norm == "none" else front.norm
    frequencies = _frequencies(front)
    shape = (front.sample_rate, front.n_fft, front.n_mels, front.fmin, front.top)
    bank = mel.filterbank(*shape, scale=front.mel_scale, norm=norm, frequencies=frequencies)
    return Tables(
        framing=Framing(front.n_fft, front.hop_length, window, speech),
        bank=bank,
        sparse=mel.sparse(bank),
        log=Log(LOGS[front.log], front.floor),
        dct=mel.dct(front.n_mels, front.n_mfcc, lifter=front.lifter),
        centres=mel.mel_frequencies(front.n_mels, front.fmin, front.top, front.mel_scale)[1:-1],
        frequencies=frequencies,
    )


def _frequencies(front: FrontEnd) -> NDArray[np.float64]:
    """Hz of the bins [bins], as the library that the front end follows has them."""
    if front.even_bins:
        return np.linspace(0.0, front.half_rate, front.n_fft // 2 + 1)
    return np.asarray(mel.fft_frequencies(front.sample_rate, front.n_fft))


def empty_bands(front: FrontEnd) -> int:
    """Mel bands so narrow that no bin of the FFT falls into them."""
    return int(np.sum(tables(front).sparse.counts == 0))


def _check(front: FrontEnd) -> None:
    for name, (least, most) in LIMITS.items():
        value = getattr(front, name)
        _require(least <= value <= most, f"--{name.replace('_', '-')} must be between {least} and {most}, not {value}")
    _require(front.win_length <= front.n_fft, f"--win-length {front.win_length} is longer than --n-fft {front.n_fft}")
    _require(front.n_mfcc <= front.n_mels, f"--n-mfcc {front.n_mfcc} is more than --n-mels {front.n_mels}")
    _require(front.top_db is None or front.top_db > 0, "--top-db must be above 0")
    edges, half = f"--fmin {front.fmin:g} and --fmax {front.top:g}", front.sample_rate / 2
    _require(0 <= front.fmin < front.top <= half, f"{edges} must lie in order between 0 and {half:g} Hz, half the rate")
    for name, known in (("window", mel.WINDOWS), ("mel_scale", mel.MEL_SCALES), ("norm", NORMS), ("log", tuple(LOGS))):
        check_choice(f"--{name.replace('_', '-')}", getattr(front, name), known)


def _require(good: bool, message: str) -> None:
    if not good:
        raise UsageError(message)

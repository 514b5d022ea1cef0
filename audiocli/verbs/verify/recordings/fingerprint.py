"""From samples to hashes of pairs of spectral peaks, block by block, so that hours need no memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ....kernels import constellation

Floats = NDArray[np.float32]

SAMPLE_RATE = 8_000  # Hz: what telephones and bad codecs keep
N_FFT, HOP = 512, 128
FRAMES, BINS = 8, 10  # around a peak that nothing exceeds it: 0.13 s and 156 Hz on either side
FAN_OUT = 5
FLOOR = 1e-12  # power of a cell that is silence: the noise of the last of 16 bits lies below
BLOCK = 4_096  # frames at once: 65 s


@dataclass(frozen=True)
class Fingerprint:
    """Hashes [n] in rising order, the frames [n] at which they occur, and seconds of audio."""

    hashes: NDArray[np.uint32]
    frames: NDArray[np.int32]
    duration: float


def fingerprint(blocks: Iterable[Floats], shift: int = 0, fan_out: int = FAN_OUT) -> Fingerprint:
    """The fingerprint of samples [n] in blocks at SAMPLE_RATE; the first `shift` of them are skipped. fan_out: pairs of a peak."""
    when, where, samples = _stars(blocks, shift)
    codes, anchors = constellation.hashes(when, where, fan_out)
    order = np.argsort(codes, kind="stable")
    return Fingerprint(codes[order], anchors[order], samples / SAMPLE_RATE)


def _stars(blocks: Iterable[Floats], shift: int) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """Frames and bins of all peaks, and how many samples there were."""
    parts_found: list[tuple[NDArray[np.int32], NDArray[np.int32]]] = []
    samples = 0
    for first, power, keep, until in _spectra(blocks, shift):
        frames, bins = constellation.peaks(power, FRAMES, BINS, FLOOR)
        own = (frames >= keep) & (frames < until)
        parts_found.append((frames[own] + first, bins[own]))
        samples = (first + len(power) - 1) * HOP + N_FFT + shift
    if not parts_found:
        return np.zeros(0, np.int32), np.zeros(0, np.int32), 0
    frames, bins = (np.concatenate(parts).astype(np.int32) for parts in zip(*parts_found, strict=True))
    return frames, bins, samples


def _spectra(blocks: Iterable[Floats], shift: int) -> Iterator[tuple[int, Floats, int, int]]:
    """(number of the first frame, power [frames, bins], the frames from `keep` to `until` that are this block's own).

    Neighbours share frames, so that each peak sees all that is around it.
    """
    rest, first, keep = np.zeros(0, np.float32), 0, 0
    least = (BLOCK + 2 * FRAMES - 1) * HOP + N_FFT
    skip = shift
    for block in blocks:
        skip, block = max(skip - len(block), 0), block[skip:]  # noqa: PLW2901
        rest = np.concatenate([rest, block])
        while len(rest) >= least:
            power = _power(rest[:least])
            yield first, power, keep, len(power) - FRAMES
            taken = len(power) - 2 * FRAMES
            rest, first, keep = rest[taken * HOP :], first + taken, FRAMES
    if len(rest) >= N_FFT:
        power = _power(rest)
        yield first, power, keep, len(power)


_WINDOW = np.hanning(N_FFT + 1)[:-1].astype(np.float32) * np.float32(2.0 / N_FFT)


def _power(samples: Floats) -> Floats:
    """Power [frames, BINS of the constellation] of samples [n]; the highest bin, half the rate, is left out."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP]
    spectra = scipy.fft.rfft(frames * _WINDOW, axis=1)[:, : constellation.BINS]
    return np.asarray(np.square(spectra.real) + np.square(spectra.imag), np.float32)

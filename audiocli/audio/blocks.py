"""What is done to sound while it streams: block after block [samples, channels], each as it comes from a decoder.

Hours of audio pass through here in constant memory; the result does not depend on where the blocks are cut.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

from ..errors import InputError

Samples = NDArray[np.float32]

_LENGTH = 2**18  # samples per channel in one block: 16 s at 16 kHz
_VALUES = 2**20  # samples of all channels: 4 MiB


def block_length(channels: int) -> int:
    """Samples per channel that a block of so many channels has at most."""
    return max(1, min(_LENGTH, _VALUES // channels))


def finite(blocks: Iterable[Samples], warnings: list[str]) -> Iterator[Samples]:
    """The blocks, changed in place: zero for NaN and infinity; at the end their number is told in `warnings`."""
    bad = 0
    for block in blocks:
        good = np.isfinite(block)
        if not good.all():
            bad += block.size - int(np.count_nonzero(good))
            block[~good] = 0.0
        yield block
    if bad:
        warnings.append(f"{bad} {'sample was' if bad == 1 else 'samples were'} NaN or infinite: read as 0")


def mono(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """The mean of the channels, as blocks [n, 1]; one and the same sum whatever the length of a block."""
    for block in blocks:
        total = block[:, :1].copy()
        for channel in range(1, block.shape[1]):
            total += block[:, channel : channel + 1]
        total *= np.float32(1 / block.shape[1])
        yield total


def resampled(blocks: Iterable[Samples], old: int, new: int, channels: int) -> Iterator[Samples]:
    """The blocks at `new` instead of `old` Hz, by soxr (HQ: aliases below -120 dB); n samples become round(n * new / old)."""
    if old == new:
        yield from blocks
        return
    try:
        stream = soxr.ResampleStream(old, new, channels, dtype="float32", quality="HQ")
    except (ValueError, RuntimeError) as error:
        raise InputError(f"cannot be resampled from {old} to {new} Hz") from error
    step = max(1, block_length(channels) * old // new)  # from 1 Hz to 48 kHz one block would become 48,000
    for block in blocks:
        for i in range(0, len(block), step):
            yield stream.resample_chunk(np.ascontiguousarray(block[i : i + step]))
    yield stream.resample_chunk(np.empty((0, channels), np.float32), last=True)

"""Processing of sound as it streams: block after block [samples, channels], each as it comes from a decoder.

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
_ABSURD = 100.0  # times full scale: float files go beyond it, but not so far
# 24 bits in the low bytes of 32: below 2^-8 of full scale, in steps that no 24-bit sample in the high bytes has; else the file is
# only quiet. Below _NOTHING it is the noise of silence.
_LOW, _STEP_24, _NOTHING = 2.0**-8, np.float32(2.0**-23), 2.0**-20


def block_length(channels: int) -> int:
    """Samples per channel that a block of so many channels has at most."""
    return max(1, min(_LENGTH, _VALUES // channels))


def finite(blocks: Iterable[Samples], warnings: list[str]) -> Iterator[Samples]:
    """The blocks, changed in place: zero for NaN and infinity; `warnings` gets their number at the end."""
    bad = 0
    for block in blocks:
        good = np.isfinite(block)
        if not good.all():
            bad += block.size - int(np.count_nonzero(good))
            block[~good] = 0.0
        yield block
    if bad:
        warnings.append(f"{bad} {'sample was' if bad == 1 else 'samples were'} NaN or infinite: read as 0")


def plausible(blocks: Iterable[Samples], subtype: str | None, warnings: list[str]) -> Iterator[Samples]:
    """The blocks as they are; at the end `warnings` gets levels that no recording has, a sign of a file that was made wrongly.

    subtype: how the samples are stored, in libsndfile's words.
    """
    peak, fine = 0.0, False
    for block in blocks:
        peak = max(peak, float(block.max(initial=0.0)), -float(block.min(initial=0.0)))
        if subtype == "PCM_32" and peak < _LOW:
            fine = fine or bool(np.any(np.remainder(block, _STEP_24)))
        yield block
    if peak > _ABSURD:
        warnings.append(
            f"the samples go up to {peak:.5g} times full scale: are they floats in the scale of 16 bits, to be divided by 32768?"
        )
    elif fine and _NOTHING < peak < _LOW:
        warnings.append(
            f"the 32-bit samples go up to {20 * np.log10(peak):.0f} dB only: were 24 bits put into their low bytes, 48 dB too low?"
        )


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

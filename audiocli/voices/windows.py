"""The speech of an input as windows for a speaker encoder; streamed, so that hours need no memory."""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..options import DiarizeOptions
from ..vad.cutter import Cut, Cutter, pieces
from ..vad.silero import SAMPLE_RATE
from .clusters import Window

Floats = NDArray[np.float32]

LENGTH = 1.6  # s that the encoder hears at once: shorter and voices are uncertain, longer and two speakers share one
HOP = 0.4  # s from one window to the next
# Speech for turns begins and ends where it is heard; the low threshold was tuned on AMI's trn pieces.
SPEECH = Cut(
    threshold=DiarizeOptions.vad_threshold, silence=0.5, lead=0.1, trail=0.1, comfortable=math.inf, longest=60.0
)


def windows(work: Cutter, blocks: Iterable[Floats], length: float = LENGTH) -> Iterator[tuple[Window, Floats]]:
    """Windows of the speech in blocks [n] at 16 kHz, each with `length` seconds of samples; regions are numbered from 0."""
    size = int(length * SAMPLE_RATE)
    for region, (start, padded) in enumerate(pieces(work, blocks)):
        samples = padded[: round(work.seconds * SAMPLE_RATE) - start]  # without the zeros that fill the last frame
        for first, last in _places(len(samples), size):
            window = Window(region, (start + first) / SAMPLE_RATE, (start + last) / SAMPLE_RATE)
            yield window, np.resize(samples[first:last], size)  # a short one is said again and again


def _places(size: int, length: int) -> Iterator[tuple[int, int]]:
    """First and last sample of each window of a region [size]; the last ends where the region ends."""
    yield from ((first, first + length) for first in range(0, size - length, int(HOP * SAMPLE_RATE)))
    yield max(size - length, 0), size


def in_batches(stream: Iterable[tuple[Window, Floats]], size: int) -> Iterator[tuple[Sequence[Window], Floats]]:
    """Up to `size` windows, and their samples [windows, samples]."""
    held: list[tuple[Window, Floats]] = []
    for one in stream:
        held.append(one)
        if len(held) == size:
            yield [window for window, _ in held], np.stack([samples for _, samples in held])
            held = []
    if held:
        yield [window for window, _ in held], np.stack([samples for _, samples in held])

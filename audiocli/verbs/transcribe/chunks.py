"""Cut long audio into overlapping chunks, and join a model's results for them by time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Chunk:
    """Samples [start, stop) of a clip, of which [keep, until) are this chunk's own; the rest is context."""

    start: int
    stop: int
    keep: int
    until: int


def cut(samples: int, *, length: int, context: int, step: int = 1) -> Iterator[Chunk]:
    """Chunks of at most `length` samples whose own parts tile [0, samples), with up to `context` samples on either side.

    Every chunk starts, and every own part begins and ends, on a multiple of `step` (the samples per frame of the model), so
    that frames of neighbours coincide; only the clip's end may lie between. Raises ValueError when nothing of a
    chunk would be its own.
    """
    length, context = length // step * step, -(-context // step) * step
    if length <= 2 * context:
        raise ValueError(f"chunks of {length} samples have no room for {context} samples of context on both sides")
    if samples <= length:
        yield Chunk(0, samples, 0, samples)
        return
    keep = 0
    while keep < samples:
        start = max(keep - context, 0)
        stop = min(start + length, samples)
        until = samples if stop == samples else stop - context
        yield Chunk(start, stop, keep, until)
        keep = until


def join(parts: Sequence[NDArray[Any]], chunks: Sequence[Chunk], step: int) -> NDArray[Any]:
    """The frames [frames, ...] of the whole clip out of those of its chunks, one frame per `step` samples.

    Frame f of a chunk stands for the samples from start + f * step on; the last chunk keeps all that it has, because a model
    may give a frame more or less than samples / step at the end of a clip.
    """
    frames = []
    for part, chunk in zip(parts, chunks, strict=True):
        first = (chunk.keep - chunk.start) // step
        last = None if chunk is chunks[-1] else (chunk.until - chunk.start) // step
        frames.append(part[first:last])
    return np.concatenate(frames)

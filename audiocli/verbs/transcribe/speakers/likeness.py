"""How alike the sound around words is to the voices of speakers: for words during which several speak."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ....inputs.sources import Streamed
from ....records import Diarization
from ....voices.embeddings import SpeakerEncoder
from ...diarize.naming import voices
from .attribution import Doubles, Part, names

Floats = NDArray[np.float32]

ENCODER = "siamese-speakers"
AROUND = 1.2  # s that are heard of each word; 0.8 and 1.6 were no better
BATCH = 64  # words that are heard at once


def alike(
    encoder: SpeakerEncoder, item: Streamed, found: Diarization, some: Sequence[Part], numbers: Sequence[int]
) -> Doubles:
    """The cosine of the parts of these numbers with each speaker's voice, above their mean [parts, speakers]; else zeros.

    Times of parts and turns are from the beginning of what is read. Raises InputError.
    """
    known = voices(encoder, item, found)
    result = np.zeros((len(some), len(names(found.turns))))
    columns = [n for n, speaker in enumerate(names(found.turns)) if speaker in known]
    if len(columns) < 2:
        return result
    there = np.stack([known[name].embedding for name in names(found.turns) if name in known])  # type: ignore[misc]  # all have one
    rate, order = encoder.sample_rate, sorted(numbers, key=lambda n: some[n].start + some[n].end)
    firsts = [round(((some[n].start + some[n].end) / 2 - AROUND / 2) * rate) for n in order]
    with item.open(rate) as stream:
        clips = around((block[0] for block in stream.blocks), firsts, round(AROUND * rate))
        rows = np.concatenate([encoder.embed(batch) for batch in _batches(clips)]) @ there.T
    result[np.ix_(order, columns)] = rows - rows.mean(axis=1, keepdims=True)
    return result


def around(blocks: Iterable[Floats], firsts: Sequence[int], length: int) -> Iterator[Floats]:
    """Clips [length] of samples in blocks [n], which begin at the samples `firsts`, in order; zeros outside the input."""
    held, start = np.zeros(max(-min(firsts, default=0), 0), np.float32), min(0, *firsts, 0)
    waiting = iter([*firsts, None])
    first = next(waiting)
    for block in blocks:
        held = np.concatenate([held, block])
        while first is not None and first + length <= start + len(held):
            yield held[first - start :][:length].copy()
            first = next(waiting)
        if first is None:
            return
        done = min(max(first - start, 0), len(held))
        held, start = held[done:], start + done
    while first is not None:
        rest = held[max(first - start, 0) :][:length]
        yield np.pad(rest, (0, length - len(rest)))
        first = next(waiting)


def _batches(clips: Iterator[Floats]) -> Iterator[list[Floats]]:
    while batch := list(islice(clips, BATCH)):
        yield batch

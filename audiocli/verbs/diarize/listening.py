"""An input heard in overlapping windows: who speaks in each, and with what voice. Streamed, so that hours need little memory.

Of an hour remain about 3,500 windows: a byte for each frame and person (3 MB), and a voice for each person (11 MB).
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ...audio.level import silent
from ...run.prefetch import prefetch
from ...voices.embeddings import SpeakerEncoder, normalised
from .net import SAMPLE_RATE, SPEAKERS, WINDOW, Floats, Net

Active = NDArray[np.bool_]

HOP = 60  # frames from one window to the next, about a second
BATCH = 8  # windows in one forward pass
AHEAD = 2  # batches that wait
PIECE, STEP = 1.6, 0.8  # s that the encoder hears at once, and from one piece to the next, about
SHORTEST = 0.25  # s of one person alone, from which a voice is made of that alone
SURE = 255  # a probability of 1 as it is kept


@dataclass(frozen=True)
class Heard:
    """What is kept of an input's windows, each of which begins HOP frames after the one before.

    scores: the probability that each person speaks, in 255ths [windows, frames, SPEAKERS]. voices: [windows, SPEAKERS, embedding]
    of length 1, zeros for those who do not speak. step: s from frame to frame. begin: s, where the first frame begins. on: the
    probability from which somebody speaks.
    """

    scores: NDArray[np.uint8]
    voices: Floats
    step: float
    begin: float
    on: float

    @property
    def active(self) -> Active:
        """Whether each person speaks [windows, frames, SPEAKERS]."""
        return speaking(self.scores, self.on)

    @property
    def length(self) -> int:
        """Frames of the whole input."""
        return (len(self.scores) - 1) * HOP + int(self.scores.shape[1])


def speaking(scores: NDArray[np.uint8], on: float) -> Active:
    """Whether somebody speaks, by probabilities in 255ths, and the one from which it is so."""
    return scores >= round(on * SURE)


def alone(active: Active) -> Active:
    """Whether each person speaks and nobody else does [windows, frames, SPEAKERS]."""
    return np.asarray(active & (active.sum(axis=2, keepdims=True) == 1))


def listen(blocks: Iterable[Floats], net: Net, encoder: SpeakerEncoder) -> Heard:
    """Hear blocks [n] of samples; while the voices in some windows are made, the net hears the next ones."""

    def segmented(windows: Sequence[Floats]) -> tuple[Floats, NDArray[np.uint8]]:
        some = np.stack(windows)
        scores = np.rint(SURE * net(some)).astype(np.uint8)
        scores[[silent(one, SAMPLE_RATE) for one in some]] = 0
        return some, scores

    scores, voices = list[NDArray[np.uint8]](), list[Floats]()
    first = round(net.centre - net.step / 2)
    with ThreadPoolExecutor(1) as pool:
        for one in prefetch(segmented, _batches(windows(blocks, HOP * net.step)), pool, AHEAD):
            if one is not None:
                scores.append(one[1])
                voices.append(_voices(one[0], speaking(one[1], net.on), first, net.step, encoder))
    if not scores:
        empty = np.zeros((0, net.frames, SPEAKERS), np.uint8)
        return Heard(empty, np.zeros((0, SPEAKERS, 1), np.float32), net.step / SAMPLE_RATE, first / SAMPLE_RATE, net.on)
    width = max(some.shape[2] for some in voices)  # where nobody speaks, it is not known
    whole = [some if some.shape[2] == width else np.zeros((*some.shape[:2], width), np.float32) for some in voices]
    return Heard(np.concatenate(scores), np.concatenate(whole), net.step / SAMPLE_RATE, first / SAMPLE_RATE, net.on)


def windows(blocks: Iterable[Floats], hop: int) -> Iterator[Floats]:
    """Windows [WINDOW] of the samples in blocks [n], each `hop` samples after the one before; zeros fill the last."""
    held = np.zeros(0, np.float32)
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) > WINDOW:  # the last one has the end of the input in it
            yield held[:WINDOW].copy()
            held = held[hop:]
    if len(held):
        yield np.pad(held, (0, WINDOW - len(held)))


def _batches(windows: Iterator[Floats]) -> Iterator[Sequence[Floats]]:
    """Up to BATCH windows at once."""
    while batch := list(islice(windows, BATCH)):
        yield batch


def _voices(windows: Floats, active: Active, first: int, step: int, encoder: SpeakerEncoder) -> Floats:
    """The voice of each person in windows [batch, WINDOW]: [batch, SPEAKERS, embedding]. first: sample where frames begin.

    Where others speak, too, it is left out; but if that leaves too little, the voice is of all that the person says.
    """
    single = alone(active)
    used = np.where(single.sum(axis=1, keepdims=True) * step >= SHORTEST * SAMPLE_RATE, single, active)
    owners, pieces = list[int](), list[Floats]()
    for n, speaker in np.argwhere(used.any(axis=1)):
        mask = np.zeros(WINDOW, bool)
        spans = np.repeat(used[n, :, speaker], step)
        mask[first : first + len(spans)] = spans[: WINDOW - first]
        for piece in _pieces(windows[n][mask]):
            owners.append(n * SPEAKERS + speaker)
            pieces.append(piece)
    if not pieces:
        return np.zeros((len(windows), SPEAKERS, 1), np.float32)
    embedded = encoder.embed(pieces)
    sums = np.zeros((len(windows) * SPEAKERS, embedded.shape[1]), np.float32)
    np.add.at(sums, owners, embedded)
    return normalised(sums).reshape(len(windows), SPEAKERS, -1)


def _pieces(samples: Floats) -> list[Floats]:
    """Pieces of one length, PIECE, that reach from end to end of what a person says; less than that is said again and again."""
    length = round(PIECE * SAMPLE_RATE)
    if len(samples) < length:
        return [np.resize(samples, length)]
    rest = len(samples) - length
    starts = np.linspace(0, rest, 1 + round(rest / (STEP * SAMPLE_RATE))).astype(int)
    return [samples[start : start + length] for start in starts]

"""The pitch of one voice by YIN (de Cheveigne & Kawahara 2002), which is always there."""

import math
from pathlib import Path

from ..device import Place
from ..kernels import pitch
from ..kernels.framing import Framer, frame_count
from ..models.spec import ModelSpec
from .hearing import Floats

FRAME_LENGTH = 1_024  # samples, at least


def load(path: Path | None, spec: ModelSpec, place: Place, options: object) -> "Yin":
    """The tracker; there is nothing to load."""
    return Yin()


class Yin:
    """Frames of 10 ms."""

    sample_rate = 16_000
    hop_length = 160

    def begin(self, fmin: float, fmax: float) -> "YinStream":
        """A new sound, in which the pitch lies between two frequencies in Hz."""
        return YinStream(fmin, fmax)


class YinStream:
    """One sound in pieces."""

    def __init__(self, fmin: float, fmax: float) -> None:
        length = max(FRAME_LENGTH, 2 * math.ceil(2 * Yin.sample_rate / fmin))
        self._framer = Framer(length, Yin.hop_length)
        self._range = fmin, fmax

    def push(self, samples: Floats) -> Floats:
        """The pitches in Hz [frames] that are known after the next samples [n]."""
        return self._pitches(self._framer.push(samples))

    def finish(self) -> Floats:
        """The pitches of the frames that are left."""
        return self._pitches(self._framer.finish())

    def _pitches(self, chunk: Floats) -> Floats:
        length, hop = self._framer.frame_length, self._framer.hop_length
        if not frame_count(chunk.size, length, hop):
            return chunk[:0]
        return pitch.yin(chunk, Yin.sample_rate, *self._range, length, hop).f0

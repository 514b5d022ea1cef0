"""The engines that hear tones, as those who use them see them: samples go in as they come, pitches and notes come out."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

SEMITONES = 12  # an octave
A4, CONCERT = 69, 440.0  # a MIDI pitch and its frequency in Hz


class Tone(NamedTuple):
    """A note that is heard: seconds, MIDI pitch, and how sure it is (0 to 1)."""

    start: float
    end: float
    pitch: int
    strength: float = 1.0


class PitchStream(Protocol):
    """One sound in pieces."""

    def push(self, samples: Floats) -> Floats:
        """The pitches (Hz, NaN where there is none) of the frames that are known after the next samples [n]."""

    def finish(self) -> Floats:
        """The pitches of the frames that are left."""


@runtime_checkable
class PitchTracker(Protocol):
    """Hears the pitch of one voice: frame f stands at f * hop_length / sample_rate seconds."""

    sample_rate: int  # Hz that it takes
    hop_length: int  # samples from frame to frame

    def begin(self, fmin: float, fmax: float) -> PitchStream:
        """A new sound, in which the pitch lies between two frequencies in Hz."""


class NoteStream(Protocol):
    """One sound in pieces."""

    def push(self, samples: Floats) -> list[Tone]:
        """The notes that have ended with the next samples [n]."""

    def finish(self) -> list[Tone]:
        """The notes that are left."""


@runtime_checkable
class NoteFinder(Protocol):
    """Hears the notes of a sound."""

    sample_rate: int  # Hz that it takes

    def begin(self) -> NoteStream:
        """A new sound."""


def whole(finder: NoteFinder, samples: Floats) -> list[Tone]:
    """All notes in samples [n] at the finder's rate, in the order of their starts."""
    stream = finder.begin()
    return sorted([*stream.push(samples), *stream.finish()])


def semitones(hertz: Doubles) -> Doubles:
    """Frequencies as MIDI pitches with their fractions; NaN stays NaN."""
    return A4 + SEMITONES * np.log2(hertz / CONCERT)


def at(hertz: Sequence[float] | Floats, step: float, times: Doubles) -> Floats:
    """Pitches of frames `step` seconds apart at other times: between two voiced frames in between, else as the nearest frame."""
    values = np.asarray(hertz, np.float64)
    if not values.size:
        return np.full(len(times), np.nan, np.float32)
    place = np.clip(times / step, 0.0, len(values) - 1.0)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, len(values) - 1)
    part = place - below
    between = values[below] ** (1 - part) * values[above] ** part
    nearest = values[np.where(part < 0.5, below, above)]
    # A step of more than a semitone is a leap, through which nobody glides.
    near = np.abs(semitones(values[below]) - semitones(values[above])) < 1.0
    return np.where(near, between, nearest).astype(np.float32)

"""The engines that hear tones, as those who use them see them: samples go in as they come, pitches and notes come out."""

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Ears:
    """The engines for the kinds that are asked for. pitch: None where YIN hears it, in the frames of the front end."""

    pitch: PitchTracker | None = None
    notes: NoteFinder | None = None
    names: str | None = None


DEAF = Ears()
# Semitones of the second to the twelfth overtone; of the strength of a note below, what is weaker and begins with it is one.
# Chosen on four chorales: on a piano a false note in ten goes, of four voices of a choir one note in a hundred is lost.
OVERTONES = frozenset({12, 19, 24, 28, 31, 34, 36, 38, 40, 43})
SHARE, TOGETHER = 0.6, 0.05  # s


def distinct(tones: Sequence[Tone], share: float = SHARE) -> list[Tone]:
    """Notes in the order of their starts, without the overtones that a finder takes for notes."""
    found, sounding = list[Tone](), list[Tone]()
    ordered = sorted(tones)
    ahead = 0
    for tone in ordered:
        while ahead < len(ordered) and ordered[ahead].start < tone.start + TOGETHER:
            sounding.append(ordered[ahead])
            ahead += 1
        sounding = [one for one in sounding if one.end > tone.start + TOGETHER]
        if not any(tone.pitch - one.pitch in OVERTONES and tone.strength < share * one.strength for one in sounding):
            found.append(tone)
    return found


def whole(finder: NoteFinder, samples: Floats) -> list[Tone]:
    """All notes in samples [n] at the finder's rate, in the order of their starts."""
    stream = finder.begin()
    return distinct([*stream.push(samples), *stream.finish()])


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

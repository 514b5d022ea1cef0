"""A chorale as a grid: int8 [steps, 4], the MIDI pitch of soprano, alto, tenor and bass at each sixteenth, REST for silence.

It is the grid of the Music Transformer's chorales (Huang et al. 2018): read step by step, soprano first, it is a list of tokens,
one a voice a sixteenth, and the unit of its figures is nats a token. A note that goes on is written again at every step.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.int8]

VOICES = ("soprano", "alto", "tenor", "bass")
REST = -1
STEPS_PER_QUARTER = 4
STEPS_PER_BAR = 16
# Lowest and highest MIDI pitch of each voice in the chorales of the train split.
RANGES = ((60, 81), (52, 74), (46, 69), (36, 66))
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

# How much each degree of the scale belongs to a key (Krumhansl & Kessler 1982).
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_PROFILES = np.array([np.roll(profile, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)])


def grid(steps: Sequence[Sequence[float]]) -> Grid:
    """The grid of lists of pitches, the highest voice first; a step with fewer than four gives each to the voice nearest to it."""
    result = np.full((len(steps), 4), REST, np.int8)
    last = [(low + high) // 2 for low, high in RANGES]
    for row, pitches in zip(result, steps, strict=True):
        sung = list(pitches) if len(pitches) == 4 else sorted(pitches, reverse=True)  # four may cross
        for voice, pitch in zip(_nearest(sung, last), sung, strict=True):
            row[voice] = last[voice] = int(pitch)
    return result


def _nearest(pitches: Sequence[float], last: Sequence[int]) -> tuple[int, ...]:
    """The voices that sing falling pitches, fewer than four of them: those that have the least way to go."""

    def way(voices: tuple[int, ...]) -> float:
        return sum(abs(last[voice] - pitch) for voice, pitch in zip(voices, pitches, strict=True))

    return min(combinations(range(4), len(pitches)), key=way)


def shifts(piece: Grid) -> range:
    """The semitones by which a grid can be moved so that every voice stays in its range; 0 is always among them."""
    lowest, highest = -12, 12
    for voice, (low, high) in enumerate(RANGES):
        sung = piece[:, voice][piece[:, voice] != REST]
        if sung.size:
            lowest, highest = max(lowest, low - int(sung.min())), min(highest, high - int(sung.max()))
    return range(min(lowest, 0), max(highest, 0) + 1)


def moved(piece: Grid, semitones: int) -> Grid:
    """The grid in another key."""
    return np.where(piece == REST, REST, piece + semitones).astype(np.int8)


def key_of(piece: Grid) -> int:
    """The key that the pitches fit best: 0 to 11 are C major to B major, 12 to 23 C minor to B minor (Krumhansl 1990)."""
    sung = piece[piece != REST].astype(int)
    counts = np.bincount(sung % 12, minlength=12).astype(float)
    return int(np.argmax(_centred(_PROFILES) @ _centred(counts)))


def _centred(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows with mean 0 and length 1, so that their products are correlations."""
    centred = rows - rows.mean(axis=-1, keepdims=True)
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    return np.asarray(centred / np.maximum(length, 1e-12))


def key_name(key: int) -> str:
    """The name of a key, as in "D minor"."""
    return f"{NAMES[key % 12]} {'major' if key < 12 else 'minor'}"

"""From the options of `audiocli generate-music` to what is given to a net: tokens, key, length, tempo."""

import os
import re
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, UsageError
from ..options import MUSIC_SECONDS, MusicOptions
from . import melody, midi, tokens
from .grid import REST, STEPS_PER_QUARTER, VOICES, key_of

TEMPO = 80.0  # quarters a minute
TAIL = 1.0  # s, in which the last chord dies away
MIDI_SUFFIXES = (".mid", ".midi")
FREE = -1  # in what is given: to be composed
_LETTERS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_KEY = re.compile(r"\s*([a-gA-G])\s*(#|b|♯|♭|-?sharp|-?flat)?\s*[- ]?\s*(major|maj|minor|min|m)?\s*")


@dataclass(frozen=True)
class Plan:
    """What is to be composed: tokens [steps, 4] that are given (FREE elsewhere), the context [steps, 3], and the seed."""

    given: tokens.Ints
    context: tokens.Ints
    seed: int
    tempo: float
    key: int


@dataclass(frozen=True)
class Given:
    """What a primer or a melody fixes: tokens [steps, 4], whether more shall follow, its key and tempo, and what to tell."""

    tokens: tokens.Ints
    goes_on: bool
    key: int | None
    tempo: float | None
    note: str | None = None


NOTHING = Given(np.empty((0, 4), np.int64), True, None, None)


def key_number(text: str) -> int:
    """0 to 11 for C major to B major, 12 to 23 for C minor to B minor. Raises UsageError."""
    found = _KEY.fullmatch(text)
    if not found:
        raise UsageError(f'--key {text!r}: give a tonic and major or minor, as in "D minor" or "Bb major"')
    letter, accidental, mode = found.groups()
    change = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}.get(accidental or "", 1 if "sharp" in (accidental or "") else -1)
    minor = (mode or "major").startswith("min") or mode == "m"
    return (_LETTERS[letter.lower()] + change) % 12 + (12 if minor else 0)


def given(options: MusicOptions) -> Given:
    """What the files of the options fix. Raises InputError, UsageError."""
    try:
        if options.primer is not None:
            return _primer(options.primer)
        if options.melody is not None:
            return _melody(options.melody, options.tempo)
    except InputError as error:
        raise InputError(f"{options.primer or options.melody}: {error}") from error
    return NOTHING


def _primer(path: str) -> Given:
    piece = midi.read(path)
    return Given(tokens.tokens(piece.grid), True, key_of(piece.grid), piece.tempo)


def _melody(path: str, tempo: float | None) -> Given:
    if os.path.splitext(path)[1].lower() in MIDI_SUFFIXES:
        voice, own = midi.melody(path)
    else:
        own = tempo or TEMPO
        voice = melody.heard(path, own)
    voice, octaves = melody.into_range(voice)
    grid = np.full((len(voice), len(VOICES)), REST, np.int8)
    grid[:, 0] = voice
    fixed = tokens.tokens(grid)
    fixed[:, 1:] = FREE
    note = f"the melody was moved by {octaves:+d} octaves to where a soprano sings" if octaves else None
    return Given(fixed, False, key_of(grid), own, note)


def plan(options: MusicOptions, fixed: Given, seed: int) -> Plan:
    """The plan of one piece. Raises UsageError when nothing is left to compose."""
    tempo = options.tempo or fixed.tempo or TEMPO
    length = steps_in(options.seconds or MUSIC_SECONDS, tempo)
    if not fixed.goes_on:
        length = len(fixed.tokens) if options.seconds is None else min(length, len(fixed.tokens))
    elif len(fixed.tokens) >= length:
        has = seconds_of(len(fixed.tokens), tempo) + TAIL
        raise UsageError(f"--primer: plays for {has:.1f} s, and nothing is left to compose: give more --seconds")
    rows = np.full((length, len(VOICES)), FREE, np.int64)
    rows[: len(fixed.tokens)] = fixed.tokens[:length]
    key = _key(options, fixed, seed)
    return Plan(rows, tokens.context(length, key), seed, tempo, key)


def _key(options: MusicOptions, fixed: Given, seed: int) -> int:
    """The key that was asked for, else the one of what is given, else one by lot."""
    if options.key is not None:
        return key_number(options.key)
    return int(np.random.default_rng([seed, 1]).integers(24)) if fixed.key is None else fixed.key


def steps_in(seconds: float, tempo: float) -> int:
    """Sixteenths that fit, the tail of the last chord taken off."""
    return max(int((seconds - min(TAIL, seconds / 4)) * tempo / 60 * STEPS_PER_QUARTER + 1e-9), 1)


def seconds_of(steps: int, tempo: float) -> float:
    """Seconds that so many sixteenths take."""
    return steps / STEPS_PER_QUARTER * 60 / tempo

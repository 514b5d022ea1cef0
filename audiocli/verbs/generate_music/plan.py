"""From the options of `audiocli generate-music` to the inputs of a net: tokens, key, length, tempo."""

import re
from dataclasses import dataclass, replace

import numpy as np

from ...errors import InputError, UsageError
from ...music import midi, tokens
from ...music.grid import REST, VOICES, Grid, key_of
from ...music.piece import Piece, begun, piece_of, steady
from ...options import LONGEST_MUSIC, MUSIC_SECONDS, MusicOptions
from . import melody

TEMPO = 80.0  # quarters a minute
TAIL = 1.0  # s, in which the last chord dies away
FREE = -1  # in given tokens: to be composed
_LETTERS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_KEY = re.compile(r"\s*([a-gA-G])\s*(#|b|♯|♭|-?sharp|-?flat)?\s*[- ]?\s*(major|maj|minor|min|m)?\s*")


@dataclass(frozen=True)
class Plan:
    """The plan of a piece: tokens [steps, 4] that are given (FREE elsewhere), the context [steps, 3], the key, and the seed.

    start: the piece before its first step, whose tempo, meter and silence it keeps. seconds: how long it sounds, to the end of the
    last chord. held: steps that the last chord is held for when it has been composed.
    """

    given: tokens.Ints
    context: tokens.Ints
    seed: int
    key: int
    start: Piece
    seconds: float
    held: int = 0

    def piece(self, pitches: Grid) -> Piece:
        """The composed piece: notes begin where they do in the given part; elsewhere a pitch that stays is one note."""
        onsets = begun(pitches)
        known = self.start.onsets[: len(pitches)]
        onsets[: len(known), : known.shape[1]] |= known
        return replace(self.start, grid=pitches, onsets=onsets)


@dataclass(frozen=True)
class Given:
    """The part that a primer or a melody fixes: tokens [steps, 4], whether more should follow, its key, and its piece."""

    tokens: tokens.Ints
    goes_on: bool
    key: int | None
    piece: Piece | None
    warnings: tuple[str, ...] = ()


NOTHING = Given(np.empty((0, 4), np.int64), True, None, None)


def key_number(text: str) -> int:
    """0 to 11 for C major to B major, 12 to 23 for C minor to B minor. Raises UsageError."""
    match = _KEY.fullmatch(text)
    if not match:
        raise UsageError(f'--key {text!r}: give a tonic and major or minor, as in "D minor" or "Bb major"')
    letter, accidental, mode = match.groups()
    change = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}.get(accidental or "", 1 if "sharp" in (accidental or "") else -1)
    minor = (mode or "major").startswith("min") or mode == "m"
    return (_LETTERS[letter.lower()] + change) % 12 + (12 if minor else 0)


def given(options: MusicOptions) -> Given:
    """The part that the files of the options fix. Raises InputError, UsageError."""
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
    return Given(tokens.tokens(piece.grid), True, key_of(piece.grid), piece, piece.warnings)


def _melody(path: str, tempo: float | None) -> Given:
    piece = midi.melody(path) if midi.is_midi(path) else melody.heard(path, tempo, TEMPO)
    voice, octaves = melody.into_range(piece.grid)
    grid = np.full((len(voice), len(VOICES)), REST, np.int8)
    grid[:, :1] = voice
    fixed = tokens.tokens(grid)
    fixed[:, 1:] = FREE
    moved = (f"the melody was moved by {octaves:+d} octaves into the range of a soprano",) if octaves else ()
    return Given(fixed, False, key_of(grid), piece, (*piece.warnings, *moved))


def plan(options: MusicOptions, fixed: Given, seed: int) -> Plan:
    """The plan of one piece. Raises UsageError when nothing is left to compose."""
    start = fixed.piece or piece_of(np.empty((0, len(VOICES)), np.int8), TEMPO)
    if options.tempo:
        start = replace(start, tempo=steady(options.tempo))
    if fixed.goes_on:
        length, held, seconds = _free(options, fixed, start)
    else:
        length, held, seconds = _as_long_as(options, start)
    rows = np.full((length, len(VOICES)), FREE, np.int64)
    rows[: len(fixed.tokens)] = fixed.tokens[:length]
    key = _key(options, fixed, seed)
    return Plan(rows, tokens.context(length, key), seed, key, start, seconds, held)


def _free(options: MusicOptions, fixed: Given, start: Piece) -> tuple[int, int, float]:
    """Steps to compose, steps that the last chord is held for, and seconds. Raises UsageError when a primer leaves nothing."""
    seconds = options.seconds or MUSIC_SECONDS
    length = max(steps_in(seconds - min(TAIL, seconds / 4), start), 1)
    if len(fixed.tokens) >= length:
        raise UsageError(
            f"--primer: plays for {start.seconds + TAIL:.1f} s, and nothing is left to compose: give more --seconds"
        )
    return length, max(steps_in(seconds, start) - length, 0), seconds


def _as_long_as(options: MusicOptions, start: Piece) -> tuple[int, int, float]:
    """The same for a melody, which may be cut but is not continued. Raises UsageError when it begins too late or is too long."""
    whole = start.seconds + TAIL
    if options.seconds is None and whole > LONGEST_MUSIC:
        raise UsageError(f"--melody: plays for {whole:.0f} s: give --seconds, up to {LONGEST_MUSIC:g}")
    seconds = min(options.seconds or whole, whole)
    length = min(steps_in(seconds, start), len(start.grid))
    if length < 1:
        begins = start.tempo.seconds(start.lead)
        raise UsageError(f"--melody: begins after {begins:.1f} s: give more --seconds than that")
    return length, 0, seconds


def _key(options: MusicOptions, fixed: Given, seed: int) -> int:
    """The key that was asked for, else that of the given part, else a random one."""
    if options.key is not None:
        return key_number(options.key)
    return int(np.random.default_rng([seed, 1]).integers(24)) if fixed.key is None else fixed.key


def steps_in(seconds: float, start: Piece) -> int:
    """Whole sixteenths of a piece that are over by then."""
    return int(start.tempo.step(seconds) - start.lead + 1e-6)

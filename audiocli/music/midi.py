"""MIDI files to grids (mido reads them: symusic reads beyond the end of damaged ones) and from grids (symusic writes them)."""

import io
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .grid import RANGES, REST, STEPS_PER_QUARTER, VOICES, Grid, grid

TICKS = 480  # a quarter, in files that are written
TICKS_PER_STEP = TICKS // STEPS_PER_QUARTER
VELOCITY = 80
HEAD = b"MThd"
MOST_STEPS = 30_000  # of a file that is read: an hour and more
MOST_BYTES = 2**22
DRUMS = 9  # channel, from 0
DEFAULT_TEMPO = 120.0  # quarters a minute, of a file that does not say


class Note(NamedTuple):
    """A note: steps from the start, steps long, MIDI pitch."""

    start: int
    length: int
    pitch: int


@dataclass(frozen=True)
class Piece:
    """What a MIDI file holds: the grid, and its tempo in quarters a minute."""

    grid: Grid
    tempo: float


def read(path: str) -> Piece:
    """Four-part music from a file: four tracks with one voice each, else the notes that sound at each sixteenth.

    Raises InputError for what is no MIDI, has no notes, more than four at once, or pitches that no voice reaches.
    """
    named, tempo = _tracks(path)
    tracks = _highest_first(named)
    steps = [_sounding(track) for track in tracks]
    alone = all((sounding > 0).sum(axis=1).max() == 1 for sounding in steps)
    if len(tracks) == len(VOICES) and alone:
        found = _voices(steps)
    else:
        together = _together(steps)
        if (most := int(together.sum(axis=1).max())) > len(VOICES):
            raise InputError(f"has {most} notes at once, and chorales have {len(VOICES)} voices")
        found = grid([np.flatnonzero(row)[::-1].tolist() for row in together])
    _check(found)
    return Piece(found, tempo)


def melody(path: str) -> tuple[NDArray[np.int8], float]:
    """The highest note at each sixteenth [steps], REST where there is none, and the tempo. Raises InputError."""
    tracks, tempo = _tracks(path)
    together = _together([_sounding(track) for _, track in tracks])
    highest = together.shape[1] - 1 - together[:, ::-1].argmax(axis=1)
    return np.where(together.any(axis=1), highest, REST).astype(np.int8), tempo


def _highest_first(tracks: list[tuple[str, list[Note]]]) -> list[list[Note]]:
    """Tracks in the order of the voices: by their names, where they have those, else by their pitch on average."""
    if {name for name, _ in tracks} == set(VOICES):
        return [notes for _, notes in sorted(tracks, key=lambda track: VOICES.index(track[0]))]
    return sorted((notes for _, notes in tracks), key=lambda notes: -float(np.mean([note.pitch for note in notes])))


def _tracks(path: str) -> tuple[list[tuple[str, list[Note]]], float]:
    """The name and the notes of each track that has some, percussion left out, from the first note on; and the tempo."""
    score = _parsed(path)
    tracks = [
        (track.name.strip().lower(), notes)
        for track in score.tracks
        for notes in _notes(track, score.ticks_per_beat / STEPS_PER_QUARTER)
    ]
    every = [note for _, notes in tracks for note in notes]
    if not every:
        raise InputError("holds no notes")
    first = min(note.start for note in every)
    if max(note.start + note.length for note in every) - first > MOST_STEPS:
        raise InputError(f"is longer than {MOST_STEPS} sixteenths")
    moved = [(name, [note._replace(start=note.start - first) for note in notes]) for name, notes in tracks]
    tempos = (message.tempo for track in score.tracks for message in track if message.type == "set_tempo")
    return moved, 60e6 / max(next(tempos, 60e6 / DEFAULT_TEMPO), 1)


def _parsed(path: str) -> Any:
    """The file as mido has it. Raises InputError."""
    import mido

    try:
        if os.path.getsize(path) > MOST_BYTES:
            raise InputError(f"is larger than {MOST_BYTES >> 20} MiB, which no MIDI of this kind is")
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise InputError((error.strerror or str(error)).lower()) from error
    if not data.startswith(HEAD):
        raise InputError("is no MIDI file" if data else "is empty")
    try:
        score = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except Exception as error:  # of many types, whatever part of it finds something that cannot be
        raise InputError(f"is a damaged MIDI file: {_first_line(error)}") from error
    if score.ticks_per_beat <= 0:
        raise InputError("counts time in frames of a film, not in quarters")
    return score


def _first_line(error: Exception) -> str:
    """What an error says; those that say nothing mean that the file ends too soon."""
    return (str(error).splitlines() or ["it ends too soon"])[0]


def _notes(track: Any, per_step: float) -> list[list[Note]]:
    """The notes of each channel of a track on the grid; those shorter than half a sixteenth get one."""
    found, sounding, now = defaultdict[int, list[Note]](list), defaultdict[tuple[int, int], list[int]](list), 0
    for message in track:
        now += message.time
        if message.type not in ("note_on", "note_off") or message.channel == DRUMS:
            continue
        begun = sounding[message.channel, message.note]
        if message.type == "note_on" and message.velocity:
            begun.append(now)
        elif begun:
            start = round(begun.pop(0) / per_step)
            found[message.channel].append(Note(start, max(round(now / per_step) - start, 1), message.note))
    return [sorted(notes) for notes in found.values()]


def _sounding(track: list[Note]) -> NDArray[np.bool_]:
    """[steps, 128]: which pitches sound; where one voice has two notes that overlap, the later one cuts the earlier."""
    length = max(note.start + note.length for note in track)
    result = np.zeros((length, 128), np.bool_)
    for note in track:
        result[note.start : note.start + note.length, note.pitch] = True
    return result


def _together(steps: list[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    result = np.zeros((max(map(len, steps)), 128), np.bool_)
    for sounding in steps:
        result[: len(sounding)] |= sounding
    return result


def _voices(steps: list[NDArray[np.bool_]]) -> Grid:
    """Four tracks of one voice each, the highest first."""
    result = np.full((max(map(len, steps)), len(VOICES)), REST, np.int8)
    for voice, sounding in enumerate(steps):
        result[: len(sounding), voice] = np.where(sounding.any(axis=1), sounding.argmax(axis=1), REST)
    return result


def _check(found: Grid) -> None:
    """Raises InputError for pitches that the voices do not have."""
    for name, (low, high), voice in zip(VOICES, RANGES, found.T, strict=True):
        sung = voice[voice != REST]
        if sung.size and not (low <= sung.min() and sung.max() <= high):
            raise InputError(
                f"has pitches outside the voices: the {name} goes from {sung.min()} to {sung.max()}, and may from {low} to {high}"
            )


def notes(voice: NDArray[np.int8]) -> list[Note]:
    """The notes of one voice [steps]: a pitch that stays is one note."""
    if not voice.size:
        return []
    starts = np.flatnonzero(np.diff(voice, prepend=np.int8(-2)))
    ends = np.append(starts[1:], len(voice))
    return [Note(int(a), int(b - a), int(voice[a])) for a, b in zip(starts, ends, strict=True) if voice[a] != REST]


def score(piece: Grid, tempo: float, program: int, voices: Sequence[str] = VOICES) -> Any:
    """A grid as a score of symusic: a track for each of the voices that are wanted."""
    import symusic

    result: Any = symusic.Score(TICKS)  # its types leave open whether times are ticks
    result.tempos.append(symusic.Tempo(0, qpm=tempo))
    for name, voice in zip(VOICES, piece.T, strict=True):
        if name in voices:
            track: Any = symusic.Track(name, program, False)
            for note in notes(voice):
                start, length = note.start * TICKS_PER_STEP, note.length * TICKS_PER_STEP
                track.notes.append(symusic.Note(start, length, note.pitch, VELOCITY))
            result.tracks.append(track)
    return result


def file(
    piece: Grid, tempo: float, program: int, remarks: Sequence[str] = (), voices: Sequence[str] | None = None
) -> bytes:
    """A MIDI file; remarks stand at its start as markers."""
    import symusic

    result = score(piece, tempo, program, voices or VOICES)
    for remark in remarks:
        result.markers.append(symusic.TextMeta(0, remark))
    return bytes(result.dumps_midi())

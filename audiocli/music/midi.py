"""MIDI files to pieces and back (symusic writes them)."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from . import smf
from .grid import RANGES, REST, STEPS_PER_QUARTER, VOICES, Grid, grid
from .piece import Meter, Note, Onsets, Piece, Tempo, begun

TICKS = 480  # a quarter, in files that are written
TICKS_PER_STEP = TICKS // STEPS_PER_QUARTER
VELOCITY = 80
MOST_STEPS = 30_000  # of a file that is read: an hour and more
MOST_BYTES = 2**22
DRUMS = 9  # channel, from 0
DEFAULT_TEMPO = 120.0  # quarters a minute, where a file does not say
SUFFIXES = (".mid", ".midi", ".rmi", ".kar")


@dataclass(frozen=True)
class Track:
    """The notes of one channel of a track, on the grid."""

    name: str
    notes: list[Note]


@dataclass(frozen=True)
class Score:
    """The music in a MIDI file: tracks that have notes, the first of them at step `lead` of the file."""

    tracks: list[Track]
    lead: int
    tempo: Tempo
    meter: tuple[Meter, ...]
    warnings: tuple[str, ...]

    def piece(self, pitches: Grid, struck: Onsets) -> Piece:
        """A grid with the times of the file; struck: bool [steps, 128], where a pitch begins in it."""
        again = np.take_along_axis(struck[: len(pitches)], np.maximum(pitches, 0).astype(np.intp), axis=1)
        onsets = begun(pitches) | (again & (pitches != REST))
        return Piece(pitches, onsets, self.tempo, self.meter, self.lead, self.warnings)


def read(path: str) -> Piece:
    """Four-part music from a file: four tracks with one voice each, else the notes that sound at each sixteenth.

    Raises InputError for a file that is not MIDI, has no notes, more than four at once, or pitches that no voice reaches.
    """
    score = _score(path)
    tracks = _highest_first(score.tracks)
    steps = [_sounding(track.notes) for track in tracks]
    alone = all((sounding > 0).sum(axis=1).max() == 1 for sounding in steps)
    if len(tracks) == len(VOICES) and alone:
        pitches = _voices(steps)
    else:
        together = _together(steps)
        if (most := int(together.sum(axis=1).max())) > len(VOICES):
            raise InputError(f"has {most} notes at once, and chorales have {len(VOICES)} voices")
        pitches = grid([np.flatnonzero(row)[::-1].tolist() for row in together])
    _check(pitches)
    return score.piece(pitches, _struck(tracks, len(pitches)))


def melody(path: str) -> Piece:
    """The highest note at each sixteenth, as one voice [steps, 1], REST where there is none. Raises InputError."""
    score = _score(path)
    together = _together([_sounding(track.notes) for track in score.tracks])
    highest = together.shape[1] - 1 - together[:, ::-1].argmax(axis=1)
    line = np.where(together.any(axis=1), highest, REST).astype(np.int8)[:, None]
    return score.piece(line, _struck(score.tracks, len(line)))


def is_midi(path: str) -> bool:
    """Whether a file is MIDI, by its name or its first bytes."""
    if os.path.splitext(path)[1].lower() in SUFFIXES:
        return True
    try:
        with open(path, "rb") as file:
            return smf.is_midi(file.read(12))
    except OSError:
        return False


def _highest_first(tracks: list[Track]) -> list[Track]:
    """Tracks in the order of the voices: by their names, where they have those, else by their pitch on average."""
    if {track.name for track in tracks} == set(VOICES):
        return sorted(tracks, key=lambda track: VOICES.index(track.name))
    return sorted(tracks, key=lambda track: -float(np.mean([note.pitch for note in track.notes])))


def _score(path: str) -> Score:
    """A file, percussion left out. Raises InputError."""
    parsed = smf.parse(_data(path))
    per_step = parsed.ticks / STEPS_PER_QUARTER
    tracks, lost = list[Track](), 0
    for events in parsed.tracks:
        name = next((event.data.decode("latin-1") for event in events if event.kind == smf.NAME), "")
        for played in _notes(events):
            notes = _on_grid(played, per_step)
            lost += len(played) - len(notes)
            tracks.append(Track(name.strip().lower(), notes))
    if not tracks:
        raise InputError("holds no notes")
    lead = min(note.start for track in tracks for note in track.notes)
    if max(note.start + note.length for track in tracks for note in track.notes) > MOST_STEPS:
        raise InputError(f"is longer than {MOST_STEPS} sixteenths")
    moved = [Track(one.name, [note._replace(start=note.start - lead) for note in one.notes]) for one in tracks]
    warnings = (f"{lost} notes that are shorter than a sixteenth were left out",) if lost else ()
    return Score(moved, lead, _tempo(parsed, per_step), _meter(parsed, per_step), warnings)


def _data(path: str) -> bytes:
    try:
        if os.path.getsize(path) > MOST_BYTES:
            raise InputError(f"is larger than {MOST_BYTES >> 20} MiB, which no MIDI of this kind is")
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise InputError((error.strerror or str(error)).lower()) from error


def _meta(parsed: smf.File, kind: int, least: int) -> Iterator[smf.Event]:
    """The events of a kind in all tracks, in order; those with less data than they need are ignored."""
    every = (event for events in parsed.tracks for event in events if event.kind == kind and len(event.data) >= least)
    return iter(sorted(every, key=lambda event: event.time))


def _tempo(parsed: smf.File, per_step: float) -> Tempo:
    changes = {0.0: DEFAULT_TEMPO}
    for event in _meta(parsed, smf.TEMPO, 3):
        changes[event.time / per_step] = 60e6 / max(int.from_bytes(event.data[:3], "big"), 1)
    return Tempo(tuple(changes.items()))


def _meter(parsed: smf.File, per_step: float) -> tuple[Meter, ...]:
    meters = {
        event.time / per_step: Meter(event.time / per_step, event.data[0], 1 << event.data[1])
        for event in _meta(parsed, smf.METER, 2)
        if event.data[0] and event.data[1] < 8
    }
    return tuple(meters.values())


def _notes(events: Sequence[smf.Event]) -> list[list[Note]]:
    """The notes of each channel of a track, in ticks."""
    channels, sounding = defaultdict[int, list[Note]](list), defaultdict[tuple[int, int], list[int]](list)
    for event in events:
        if event.kind not in (smf.NOTE_ON, smf.NOTE_OFF) or event.channel == DRUMS:
            continue
        pitch, velocity = (value & 0x7F for value in event.data)
        starts = sounding[event.channel, pitch]
        if event.kind == smf.NOTE_ON and velocity:
            starts.append(event.time)
        elif starts:
            start = starts.pop(0)
            channels[event.channel].append(Note(start, event.time - start, pitch))
    for (channel, pitch), starts in sounding.items():  # that were never ended
        channels[channel] += [Note(start, events[-1].time - start, pitch) for start in starts]
    return [sorted(notes) for notes in channels.values() if notes]


def _on_grid(played: list[Note], per_step: float) -> list[Note]:
    """Notes from ticks to steps; those shorter than half a sixteenth get one."""
    if _one_line(played):
        return on_grid([(note.start / per_step, (note.start + note.length) / per_step, note.pitch) for note in played])
    rounded = [(round(note.start / per_step), round((note.start + note.length) / per_step), note) for note in played]
    return [Note(start, max(end - start, 1), note.pitch) for start, end, note in rounded]


def _one_line(played: list[Note]) -> bool:
    """Whether notes are a melody played legato or not: each overlaps the next, if at all, by half of the shorter one at most."""
    return all(
        a.start < b.start and 2 * (a.start + a.length - b.start) <= min(a.length, b.length)
        for a, b in pairwise(played)
    )  # fmt: skip


def on_grid(line: Sequence[tuple[float, float, int]]) -> list[Note]:
    """Notes of one voice, (start and end in steps, pitch), each up to the next; one that finds no step of its own is left out."""
    notes: list[Note] = []
    for start, end, pitch in line:
        at = max(round(start), notes[-1].start + 1 if notes else 0)
        if at - start < 1.0:
            notes.append(Note(at, max(round(end) - at, 1), pitch))
    ends = [*(note.start for note in notes[1:]), MOST_STEPS + 1]
    return [note._replace(length=min(note.length, end - note.start)) for note, end in zip(notes, ends, strict=True)]


def _sounding(notes: Sequence[Note]) -> NDArray[np.bool_]:
    """[steps, 128]: which pitches sound."""
    length = max(note.start + note.length for note in notes)
    result = np.zeros((length, 128), np.bool_)
    for note in notes:
        result[note.start : note.start + note.length, note.pitch] = True
    return result


def _struck(tracks: Sequence[Track], steps: int) -> NDArray[np.bool_]:
    """[steps, 128]: which pitches begin."""
    result = np.zeros((steps, 128), np.bool_)
    for track in tracks:
        for note in track.notes:
            result[note.start, note.pitch] = True
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


def _check(pitches: Grid) -> None:
    """Raises InputError for pitches that the voices do not have."""
    for name, (low, high), voice in zip(VOICES, RANGES, pitches.T, strict=True):
        sung = voice[voice != REST]
        if sung.size and not (low <= sung.min() and sung.max() <= high):
            raise InputError(
                f"has pitches outside the voices: the {name} goes from {sung.min()} to {sung.max()}, and may from {low} to {high}"
            )


def score(piece: Piece, program: int, voices: Sequence[str] = VOICES) -> Any:
    """A piece as a score of symusic: a track for each of the voices that are wanted."""
    import symusic

    result: Any = symusic.Score(TICKS)  # its types leave open whether times are ticks
    for step, value in piece.tempo.changes:
        result.tempos.append(symusic.Tempo(ticks(step), qpm=value))
    for meter in piece.meter:
        result.time_signatures.append(symusic.TimeSignature(ticks(meter.step), meter.beats, meter.unit))
    for n, name in enumerate(VOICES):
        if name in voices:
            track: Any = symusic.Track(name, program, False)
            for note in piece.notes(n):
                start, end = ticks(piece.lead + note.start), ticks(piece.lead + note.start + note.length)
                track.notes.append(symusic.Note(start, end - start, note.pitch, VELOCITY))
            result.tracks.append(track)
    return result


def ticks(step: float) -> int:
    """The tick at which a step begins, in files that are written."""
    return round(step * TICKS_PER_STEP)


def file(piece: Piece, program: int, remarks: Sequence[str] = (), voices: Sequence[str] | None = None) -> bytes:
    """A MIDI file; remarks stand at its start as markers."""
    import symusic

    result = score(piece, program, voices or VOICES)
    for remark in remarks:
        result.markers.append(symusic.TextMeta(0, remark))
    return bytes(result.dumps_midi())


def tones_file(tones: NDArray[np.float64]) -> bytes:
    """A MIDI file of notes [n, (start and end in seconds, pitch, strength from 0 to 1)], at 120 quarters a minute."""
    import symusic

    second = TICKS * DEFAULT_TEMPO / 60
    result: Any = symusic.Score(TICKS)
    result.tempos.append(symusic.Tempo(0, qpm=DEFAULT_TEMPO))
    track: Any = symusic.Track("", 0, False)
    for start, end, pitch, strength in tones.tolist():
        at, until = round(start * second), round(end * second)
        track.notes.append(symusic.Note(at, max(until - at, 1), int(pitch), min(max(round(127 * strength), 1), 127)))
    result.tracks.append(track)
    return bytes(result.dumps_midi())

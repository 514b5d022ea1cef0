"""A melody from sound: the times and pitches of its notes, on the grid of a tempo."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...music.grid import RANGES, REST, STEPS_PER_QUARTER
from ...music.midi import on_grid
from ...music.piece import Piece, begun, steady
from ...tones import nearby
from ...tones.hearing import Tone, distinct, whole
from ...tones.voice import OneVoice

LONGEST = 600.0  # s
OCTAVE = 12
FRAME = 0.02  # s
TOGETHER = 0.5  # of the time in which anything sounds, in which two notes must, so that there are several voices
CLEARLY = 0.7  # of the strength of a note below: what is weaker may be its overtone, and is no sign of another voice
CHORD = 0.05  # s within which notes begin together

TEMPOS = (50.0, 160.0)  # quarters a minute that are looked for
USUAL, SPREAD = 90.0, 1.0  # the likeliest of them, and the octaves by which others differ
FIT = 0.5  # of the strikes' accord with a tempo, 0 to 1; below, the music has none
FEWEST = 4  # notes that a tempo is heard in


def heard(path: str, tempo: float | None, usual: float) -> Piece:
    """The melody of a recording, [steps, 1]; without a tempo, the one that it is played in, or else the usual one.

    Raises InputError.
    """
    sung_notes = _melody(path)
    if not sung_notes:
        raise InputError("no melody is heard in it")
    tempo = tempo or tempo_of([note.start for note in sung_notes]) or usual
    step = 60 / tempo / STEPS_PER_QUARTER
    lead = _phase(np.array([note.start for note in sung_notes]), step)
    notes = on_grid([(note.start / step - lead, note.end / step - lead, note.pitch) for note in sung_notes])
    grid = np.full((notes[-1].start + notes[-1].length, 1), REST, np.int8)
    onsets = np.zeros(grid.shape, np.bool_)
    for note in notes:
        grid[note.start : note.start + note.length] = note.pitch
        onsets[note.start] = True
    lost = len(sung_notes) - len(notes)
    warnings = (f"{lost} notes that are shorter than a sixteenth at {tempo:.4g} BPM were left out",) if lost else ()
    return Piece(grid, onsets | begun(grid), steady(tempo), lead=lead, warnings=warnings)


def _melody(path: str) -> list[Tone]:
    """The notes of the one voice of a recording, or of the highest of several where something here hears them apart."""
    finder = nearby.best_finder()
    if finder is not None:
        tones = whole(finder, _sound(path, finder.sample_rate))
        if several(distinct(tones, CLEARLY)):
            return highest(tones)
    voice = OneVoice(nearby.best_tracker())
    return whole(voice, _sound(path, voice.sample_rate))


def _sound(path: str, sample_rate: int) -> NDArray[np.float32]:
    """The samples [n] of a recording. Raises InputError."""
    from ... import audio

    return audio.read(path, sample_rate=sample_rate, mono=True, duration=LONGEST).samples[0]


def several(tones: Sequence[Tone]) -> bool:
    """Whether more than one voice is heard: notes that sound together, and not as overtones of each other."""
    steps = round(max((tone.end for tone in tones), default=0.0) / FRAME) + 1
    sounding = np.zeros((steps, OCTAVE), np.bool_)
    for tone in tones:
        sounding[round(tone.start / FRAME) + 1 : round(tone.end / FRAME), tone.pitch % OCTAVE] = True
    voices = sounding.sum(axis=1)
    return bool((voices > 1).sum() > TOGETHER * (voices > 0).sum())


def highest(tones: Sequence[Tone]) -> list[Tone]:
    """The upper voice of notes in the order of their starts: those that begin when no higher one sounds, each up to the next."""
    melody = list[Tone]()
    for tone in sorted(tones, key=lambda one: (round(one.start / CHORD), -one.pitch)):
        last = melody[-1] if melody else None
        if last is None or tone.pitch >= last.pitch or tone.start >= last.end - CHORD:
            if last is not None and last.end > tone.start:
                melody[-1] = last._replace(end=tone.start)
            melody.append(tone)
    return [tone for tone in melody if tone.end - tone.start >= CHORD]


def _phase(starts: NDArray[np.float64], step: float) -> float:
    """The time, in steps, at which the grid begins so that notes lie on it: near the first one."""
    fraction = float(np.angle(np.exp(2j * np.pi * starts / step).mean())) / (2 * np.pi)
    first = float(starts[0]) / step
    return max(fraction + round(first - fraction), 0.0)


def tempo_of(starts: Sequence[float]) -> float | None:
    """Quarters a minute whose sixteenths, eighths and quarters fit best to where notes begin (s); None when nothing fits."""
    if len(starts) < FEWEST:
        return None
    low, high = TEMPOS
    tempos = low * (high / low) ** np.linspace(0.0, 1.0, 4_000)
    times = np.array(starts) - starts[0]
    accord = np.stack([_accord(times, 60 / tempos / part) for part in (1, 2, 4)])
    score = accord.mean(axis=0) * np.exp(-0.5 * (np.log2(tempos / USUAL) / SPREAD) ** 2)
    best = int(score.argmax())
    return float(tempos[best]) if accord[2, best] >= FIT else None


def _accord(times: NDArray[np.float64], periods: NDArray[np.float64]) -> NDArray[np.float64]:
    """The agreement of times on their place in each of the periods: 0, spread evenly, to 1."""
    return np.asarray(np.abs(np.exp(2j * np.pi * times / periods[:, None]).mean(axis=1)))


def into_range(voice: NDArray[np.int8]) -> tuple[NDArray[np.int8], int]:
    """The melody where the soprano can sing it, and by how many octaves it was moved. Raises InputError."""
    low, high = RANGES[0]
    pitches = voice[voice != REST].astype(int)
    for octaves in sorted(range(-5, 6), key=abs):
        if low <= pitches.min() + OCTAVE * octaves and pitches.max() + OCTAVE * octaves <= high:
            return np.where(voice == REST, REST, voice + OCTAVE * octaves).astype(np.int8), octaves
    raise InputError(
        f"goes from MIDI pitch {pitches.min()} to {pitches.max()}: in no octave does it fit the soprano ({low} to {high})"
    )

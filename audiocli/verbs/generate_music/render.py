"""From a grid to sound: symusic plays a soundfont, each voice has a place in the room, the level is even."""

import functools
import importlib.util
import math
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError
from ...music import midi
from ...music.grid import REST, VOICES
from ...music.piece import Piece
from .plan import TAIL
from .soundfont import corrected

Floats = NDArray[np.float32]

SAMPLE_RATE = 44_100  # Hz
PROGRAMS = {"choir": 52, "organ": 19, "strings": 48, "piano": 0}  # General MIDI, from 0
PLACES = (-0.45, -0.15, 0.15, 0.45)  # of the voices, from left (-1) to right (1)
LOUDNESS = -18.0  # LUFS
PEAK = 10 ** (-1 / 20)  # -1 dBFS
MEASURED = 600  # s that the loudness is taken from, at most
BLOCK = 0.4  # s, in which loudness is measured
WET, DECAY = 0.25, 1.3  # of the room: its share, and the seconds in which it falls by 60 dB
FADE = 0.05  # s at the very end
PARTED = 0.06  # s of silence between a note and the same one again


def soundfont(given: str | None) -> Path:
    """The file of the instruments: the user's, else the one in the pretty_midi wheel. Raises UsageError."""
    if given is not None:
        path = Path(given).expanduser()
        if not path.is_file():
            raise UsageError(f"--soundfont {given}: {'is a folder' if path.is_dir() else 'no such file'}")
        return path
    spec = importlib.util.find_spec("pretty_midi")  # found, not imported: it takes a second
    for folder in spec.submodule_search_locations or () if spec else ():
        if (path := Path(folder, "TimGM6mb.sf2")).is_file():
            return path
    raise UsageError("no soundfont: pip install pretty_midi brings one, or give --soundfont FILE.sf2")


@functools.lru_cache(maxsize=1)
def player(font: Path) -> Any:
    """The synthesiser of a soundfont. Raises UsageError for any other file."""
    import symusic

    try:
        data = corrected(font.read_bytes())
        with _copy(data) as path:
            return symusic.Synthesizer(sf_path=path, sample_rate=SAMPLE_RATE, quality=4)
    except (ValueError, RuntimeError, OSError) as error:
        raise UsageError(f"{font} is not a readable soundfont: {str(error).splitlines()[0]}") from error


@contextmanager
def _copy(data: bytes) -> Iterator[str]:
    """A file with these bytes, for as long as it is read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "corrected.sf2")
        path.write_bytes(data)
        yield str(path)


@dataclass(frozen=True)
class Performance:
    """A piece that is to be heard, a program of General MIDI, a soundfont, and its samples."""

    piece: Piece
    program: int
    font: Path
    length: int

    @functools.cached_property
    def _loud(self) -> tuple[Floats, np.float32]:
        """All voices together [2, length], and the gain; one after the other: an hour of one takes 1.2 GiB."""
        total = np.zeros((2, self.length), np.float32)
        for n in range(len(VOICES)):
            total += self._heard(n)
        if not total.any():
            raise InputError(f"{self.font.name} has no sound for program {self.program}")
        gain = np.float32(level(total))
        total *= gain
        return total, gain

    @property
    def mix(self) -> Floats:
        """All voices together [2, length] at SAMPLE_RATE. Raises InputError."""
        return self._loud[0]

    def stem(self, n: int) -> Floats:
        """One voice by itself, as loud as it is in the mix. Raises InputError."""
        return self._heard(n) * self._loud[1]

    def _heard(self, n: int) -> Floats:
        """One voice in its place in the room."""
        return _faded(_in_room(_placed(self._voice(VOICES[n]), PLACES[n])))

    def _voice(self, name: str) -> Floats:
        """One voice as the soundfont has it."""
        score = midi.score(self.piece, self.program, (name,))
        for track in score.tracks:
            _part(track, self.piece)
        # symusic stops with the last note: one behind the end keeps it going.
        _keep_sounding(score, math.ceil(midi.ticks(self.piece.tempo.step(self.length / SAMPLE_RATE))) + 1)
        played: Floats = player(self.font).render(score, stereo=True)
        result = np.zeros((2, self.length), np.float32)
        result[:, : played.shape[1]] = played[:, : self.length]
        return result


def melody(piece: Piece, sample_rate: int) -> Floats:
    """The highest voice of a piece on a piano, one channel [samples] at another rate."""
    import soxr

    grid = np.full((len(piece.grid), len(VOICES)), REST, np.int8)
    onsets = np.zeros(grid.shape, np.bool_)
    grid[:, 0], onsets[:, 0] = piece.grid[:, 0], piece.onsets[:, 0]
    length = round((piece.seconds + TAIL) * SAMPLE_RATE)
    alone = replace(piece, grid=grid, onsets=onsets)
    mix = Performance(alone, PROGRAMS["piano"], soundfont(None), length).mix
    return np.asarray(soxr.resample(mix.mean(axis=0), SAMPLE_RATE, sample_rate), np.float32)


def _part(track: Any, piece: Piece) -> None:
    """Release a note a moment before it is struck again, as organists do: else the two are heard as one."""
    for note, following in pairwise(track.notes):
        if note.pitch == following.pitch and note.time + note.duration == following.time:
            moment = PARTED / 60 * piece.tempo.at(note.time / midi.TICKS_PER_STEP) * midi.TICKS
            note.duration -= min(round(moment), note.duration // 2)


def _keep_sounding(score: Any, until: int) -> None:
    import symusic

    track: Any = symusic.Track("", 0, False)
    track.notes.append(symusic.Note(until, midi.TICKS, 0, 1))
    score.tracks.append(track)


def _placed(stem: Floats, place: float) -> Floats:
    """The sound moved to a place between left and right, equal in power."""
    angle = (place + 1) * np.pi / 4
    gains = np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]], np.float32)
    return np.asarray(stem.mean(axis=0) * 0.5 * gains + stem * 0.5 * gains, np.float32)


def _in_room(sound: Floats) -> Floats:
    """The sound with the echo of a room: noise that dies away (Moorer 1979)."""
    from scipy.signal import oaconvolve

    wet = np.stack([oaconvolve(channel, echo)[: sound.shape[1]] for channel, echo in zip(sound, _echo(), strict=True)])
    return np.asarray((1 - WET) * sound + WET * wet, np.float32)


@functools.lru_cache(maxsize=1)
def _echo() -> Floats:
    """The room's answer to a click [2, n]; the same room every time."""
    n = int(DECAY * SAMPLE_RATE)
    noise = np.random.default_rng(1).standard_normal((2, n))
    noise = _dull(noise) * 10 ** (-3 * np.arange(n) / n)
    return np.asarray(noise / np.linalg.norm(noise, axis=1, keepdims=True), np.float32)


def _dull(noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Walls take the high tones first."""
    from scipy.signal import lfilter

    return np.asarray(lfilter([0.3], [1.0, -0.7], noise, axis=1))


def level(mix: Floats) -> float:
    """The factor that brings a sound [channels, samples] to LOUDNESS, or as near as it may come without a peak above PEAK."""
    import pyloudnorm

    peak = float(np.abs(mix).max(initial=0.0))
    if not peak:
        return 1.0
    part = mix[:, : MEASURED * SAMPLE_RATE].T.astype(np.float64)
    block = min(BLOCK, 0.9 * len(part) / SAMPLE_RATE)  # the meter wants a whole block
    with np.errstate(divide="ignore"), warnings.catch_warnings(action="ignore"):
        loudness = pyloudnorm.Meter(SAMPLE_RATE, block_size=block).integrated_loudness(part)
    wanted = 10 ** ((LOUDNESS - loudness) / 20) if np.isfinite(loudness) else np.inf
    return float(min(wanted, PEAK / peak))


def _faded(sound: Floats) -> Floats:
    """The sound with its last moments faded out."""
    n = min(int(FADE * SAMPLE_RATE), sound.shape[1])
    result = sound.copy()
    result[:, sound.shape[1] - n :] *= np.linspace(1.0, 0.0, n, dtype=np.float32)
    return result

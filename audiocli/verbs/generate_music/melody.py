"""A melody from sound: the times and pitches of its notes, on the grid of a tempo."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...music.grid import RANGES, REST, STEPS_PER_QUARTER
from ...music.midi import on_grid
from ...music.piece import Piece, begun, steady

SAMPLE_RATE = 16_000  # Hz
HOP = 160  # samples, 10 ms: a frame
FRAME_LENGTH = 1_024  # samples; two periods of FMIN fit
FMIN, FMAX = 65.0, 1_400.0  # Hz: from a bass's low C to above a soprano
LONGEST = 600.0  # s
OCTAVE = 12
QUIET = 45.0  # dB below the loudest frame, where nothing counts as sung any more

# The thresholds for a strike were chosen on six tunes with many repeated notes, at two tempos, on nine instruments of a
# soundfont, dry and in a room, legato and not. Of 4,428 notes 4,227 were found, and 320 false ones: most of both of an oboe, a
# violin, and an organ that repeats without a gap. On a piano all were found.
STRIKE, SURE = (
    2.0,
    5.0,
)  # dB that the bands of the spectrum rise by on average, within LAG frames; whatever the level does
RISE, ECHO = (
    3.0,
    3.0,
)  # dB that a note which is struck again is louder than it was; that it may be softer by where it is sure
LAG, APART, AROUND = (
    3,
    6,
    7,
)  # frames: between the two that are compared, between two strikes, and where the level is looked at
BANDS, LOWEST = 68, 110.0  # of the spectrum, and the lower edge of the first in Hz
FLOOR = 60.0  # dB below the loudest band, where bands end

SHORTEST, GLIDE = 6, 12  # frames of one pitch that are a note after a strike, and without one
OVERTONES = (
    12,
    19,
    24,
    28,
    31,
    36,
)  # semitones: a voice that is not struck again does not leap so, but a pitch detector does
SHARE = 0.3  # of the longest pitch after the same strike; less is its overtone in the echo of the note before
JOINED = 10  # frames of a gap that is not yet a rest

TEMPOS = (50.0, 160.0)  # quarters a minute that are looked for
USUAL, SPREAD = 90.0, 1.0  # the likeliest of them, and the octaves by which others differ
FIT = 0.5  # of the strikes' accord with a tempo, 0 to 1; below, the music has none
FEWEST = 4  # notes that a tempo is heard in


class Frames(NamedTuple):
    """A stretch of one pitch: its first frame, the one behind its last, and a MIDI number."""

    start: int
    end: int
    pitch: int


class Sung(NamedTuple):
    """A note that is heard: seconds, and its MIDI pitch."""

    start: float
    end: float
    pitch: int


def heard(path: str, tempo: float | None, usual: float) -> Piece:
    """The notes of a recording of one voice, [steps, 1]; without a tempo, the one that it is played in, or else the usual one.

    Raises InputError.
    """
    from ... import audio

    sound = audio.read(path, sample_rate=SAMPLE_RATE, mono=True, duration=LONGEST).samples[0]
    sung_notes = sung(sound)
    if not sung_notes:
        raise InputError("no melody is heard in it: one voice or instrument alone is needed")
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


def sung(sound: NDArray[np.float32]) -> list[Sung]:
    """The notes of one voice in samples [n] at SAMPLE_RATE, in order."""
    semitones, level = _semitones(sound)
    pitches = np.where(np.isnan(semitones), REST, np.rint(np.nan_to_num(semitones) - _tuning(semitones))).astype(int)
    rises = _rises(sound, len(pitches))
    strikes = [0, *_peaks(rises).tolist(), len(pitches)]
    stretches: list[Frames] = []
    for note in (note for first, last in pairwise(strikes) for note in _between(pitches, first, last)):
        same = stretches and abs(stretches[-1].pitch - note.pitch) in (0, *OVERTONES)
        if same and not _again(level, rises, note.start, note.end):
            stretches[-1] = stretches[-1]._replace(end=note.end)
        else:
            stretches.append(note)
    return [
        Sung(start * HOP / SAMPLE_RATE, end * HOP / SAMPLE_RATE, pitch)
        for (start, end, pitch), (following, _, _) in pairwise([*stretches, (len(pitches) + JOINED, 0, 0)])
        for end in [following if following - end < JOINED else end]
    ]


def _again(level: NDArray[np.float64], rises: NDArray[np.float32], start: int, end: int) -> bool:
    """Whether a pitch that is sung already is struck again at a frame, and not let go and left to the echo of a room."""
    before, after = level[max(start - AROUND, 0) : start + 1], level[start + LAG : min(start + 2 * AROUND, end - LAG)]
    if not after.size:
        return False
    louder = after.max() - before.min() >= RISE
    return bool(louder or (rises[start] >= SURE and after.max() >= before.max() - ECHO))


def _semitones(sound: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The pitch of each frame as a MIDI number with its fraction, NaN where none is heard; and the level of its middle in dB."""
    from ...kernels import pitch

    padded = np.pad(sound, (FRAME_LENGTH // 2, FRAME_LENGTH))
    hertz = pitch.yin(padded, SAMPLE_RATE, FMIN, FMAX, FRAME_LENGTH, HOP).f0.astype(np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_LENGTH)[::HOP][: len(hertz)]
    power = np.einsum("fn,fn->f", frames, frames)
    hertz[power < power.max(initial=0.0) * 10 ** (-QUIET / 10)] = np.nan
    middle = frames[:, FRAME_LENGTH // 3 : -FRAME_LENGTH // 3]
    level = 10 * np.log10(np.einsum("fn,fn->f", middle, middle) + 1e-9)
    return 69 + 12 * np.log2(hertz / 440), level


def _tuning(semitones: NDArray[np.float64]) -> float:
    """The tuning of the recording above 440 Hz, in semitones from -0.5 to 0.5: the mean direction of the fractions."""
    known = semitones[~np.isnan(semitones)]
    return float(np.angle(np.exp(2j * np.pi * known).mean()) / (2 * np.pi)) if known.size else 0.0


def _peaks(rises: NDArray[np.float32]) -> NDArray[np.intp]:
    """The frames in which a note is struck."""
    from scipy.signal import find_peaks

    return find_peaks(rises, height=STRIKE, distance=APART)[0]


def _rises(sound: NDArray[np.float32], n_frames: int) -> NDArray[np.float32]:
    """The rise of the spectrum in each frame, moves to a neighbouring band left out, in dB (Bock & Widmer 2013)."""
    from scipy.ndimage import maximum_filter1d

    from ...kernels import mel, spectral

    framing = spectral.Framing(FRAME_LENGTH, HOP, mel.window("hann", FRAME_LENGTH))
    padded = np.pad(sound, (FRAME_LENGTH // 2 + LAG * HOP, FRAME_LENGTH))
    log = spectral.Log(2 * spectral.DECIBEL, 1e-5)
    levels = spectral.analyse(padded, framing, bank=mel.sparse(_bank()), log=log, exponent=1.0).mel
    assert levels is not None
    bands = np.maximum(levels, levels.max() - FLOOR)
    rises = np.maximum(bands[LAG:] - maximum_filter1d(bands, 3, axis=1)[:-LAG], 0.0).mean(axis=1)
    return np.asarray(rises[:n_frames], np.float32)


def _bank() -> NDArray[np.float32]:
    """Triangles a semitone apart [bands, bins], the low ones widened, so that none is empty; the weights of each sum up to 1."""
    hertz = np.fft.rfftfreq(FRAME_LENGTH, 1 / SAMPLE_RATE)
    edges = LOWEST * 2 ** (np.arange(BANDS + 2) / OCTAVE)
    reach = (edges[2:] - edges[:-2]) / 2 + hertz[1]
    weights = np.maximum(1 - np.abs(hertz - edges[1:-1, None]) / reach[:, None], 0.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def _between(pitches: NDArray[np.int_], first: int, last: int) -> Iterator[Frames]:
    """The notes between two strikes: one, or more where the voice glides on."""
    own = _runs(pitches, first, last)
    start = first
    for pitch, group in groupby(own, key=lambda run: run.pitch):
        same = list(group)
        if same[-1].end - same[0].start >= SHORTEST:
            yield Frames(start if start == first else same[0].start, same[-1].end, pitch)
        start = same[-1].end


def _runs(pitches: NDArray[np.int_], first: int, last: int) -> list[Frames]:
    """Stretches of one pitch, long enough to be sung; an overtone of the longest is that pitch, heard wrong."""
    runs, at = list[Frames](), first
    for pitch, group in groupby(pitches[first:last].tolist()):
        length = len(list(group))
        if pitch != REST:
            runs.append(Frames(at, at + length, pitch))
        at += length
    longest = max(runs, key=lambda run: run.end - run.start, default=Frames(0, 0, REST))
    length = longest.end - longest.start
    runs = [run._replace(pitch=longest.pitch) if abs(run.pitch - longest.pitch) in OVERTONES else run for run in runs]
    return [run for run in runs if run.end - run.start >= min(length, max(GLIDE, SHARE * length))]


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

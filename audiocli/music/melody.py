"""A melody from sound: the pitch kernel, on the grid of a tempo."""

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .grid import RANGES, REST, STEPS_PER_QUARTER

SAMPLE_RATE = 16_000  # Hz
FRAMES = 4  # a sixteenth
FRAME_LENGTH = 1_024  # samples; two periods of FMIN fit
FMIN, FMAX = 65.0, 1_400.0  # Hz: from a bass's low C to above a soprano
LONGEST = 600.0  # s
OCTAVE = 12

Voice = NDArray[np.int8]


def heard(path: str, tempo: float) -> Voice:
    """The pitch at each sixteenth [steps] of a recording of one voice, REST in pauses. Raises InputError."""
    from .. import audio
    from ..kernels import pitch

    sound = audio.read(path, sample_rate=SAMPLE_RATE, mono=True, duration=LONGEST).samples[0]
    hop = round(60 / tempo / STEPS_PER_QUARTER / FRAMES * SAMPLE_RATE)
    padded = np.pad(sound, (FRAME_LENGTH // 2, FRAME_LENGTH))
    hertz = pitch.yin(padded, SAMPLE_RATE, FMIN, FMAX, FRAME_LENGTH, hop).f0.astype(np.float64)
    semitones = 69 + 12 * np.log2(hertz / 440)
    found = trimmed(_on_grid(semitones - _tuning(semitones)))
    if not found.size:
        raise InputError("no melody is heard in it: one voice or instrument alone is needed")
    return found


def _tuning(semitones: NDArray[np.float64]) -> float:
    """How far the recording lies above 440 Hz, in semitones from -0.5 to 0.5: the mean direction of the fractions."""
    known = semitones[~np.isnan(semitones)]
    return float(np.angle(np.exp(2j * np.pi * known).mean()) / (2 * np.pi)) if known.size else 0.0


def _on_grid(semitones: NDArray[np.float64]) -> Voice:
    """The median of each sixteenth that is voiced for at least half of it; what lasts one sixteenth only is no note."""
    rows = semitones[: len(semitones) // FRAMES * FRAMES].reshape(-1, FRAMES)
    voiced = (~np.isnan(rows)).sum(axis=1) * 2 >= FRAMES
    steps = np.full(len(rows), REST, np.int8)
    steps[voiced] = np.rint(np.nanmedian(rows[voiced], axis=1))
    for i in range(1, len(steps) - 1):
        if steps[i] not in (steps[i - 1], steps[i + 1]):
            steps[i] = steps[i - 1]
    return steps


def trimmed(voice: Voice) -> Voice:
    """Without the silence before and after."""
    sung = np.flatnonzero(voice != REST)
    return voice[sung[0] : sung[-1] + 1] if sung.size else voice[:0]


def into_range(voice: Voice) -> tuple[Voice, int]:
    """The melody where the soprano can sing it, and by how many octaves it was moved. Raises InputError."""
    low, high = RANGES[0]
    sung = voice[voice != REST].astype(int)
    for octaves in sorted(range(-5, 6), key=abs):
        if low <= sung.min() + OCTAVE * octaves and sung.max() + OCTAVE * octaves <= high:
            return np.where(voice == REST, REST, voice + OCTAVE * octaves).astype(np.int8), octaves
    raise InputError(
        f"goes from MIDI pitch {sung.min()} to {sung.max()}: in no octave does it fit the soprano ({low} to {high})"
    )

"""The notes of one voice, from its pitch and its strikes; hours of it in pieces."""

from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .hearing import Doubles, Floats, PitchTracker, Tone, at, semitones

SAMPLE_RATE = 16_000  # Hz
HOP = 160  # samples, 10 ms: a frame
FRAME_LENGTH = 1_024  # samples
FMIN, FMAX = 65.0, 1_400.0  # Hz: from a bass's low C to above a soprano
LONGEST, CALM = 60.0, 10.0  # s that are heard at once, which end at the calmest moment of the last of them
REST = -1  # a pitch that is none
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
OCTAVE = 12
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


class Frames(NamedTuple):
    """A stretch of one pitch: its first frame, the one behind its last, and a MIDI number."""

    start: int
    end: int
    pitch: int


class OneVoice:
    """A finder of notes from what a tracker hears."""

    sample_rate = SAMPLE_RATE

    def __init__(self, tracker: PitchTracker) -> None:
        self.tracker = tracker

    def begin(self) -> "VoiceStream":
        """A new sound."""
        return VoiceStream(self.tracker)


class VoiceStream:
    """One sound in pieces, which is heard a minute at a time."""

    def __init__(self, tracker: PitchTracker) -> None:
        self._tracker = tracker
        self._kept = list[Floats]()
        self._start = 0  # the place of what is kept, in samples

    def push(self, samples: Floats) -> list[Tone]:
        """The notes of the minutes that are over with the next samples [n]."""
        self._kept.append(samples)
        found = list[Tone]()
        while sum(map(len, self._kept)) >= LONGEST * SAMPLE_RATE:
            found += self._next(_calm(np.concatenate(self._kept)[: int(LONGEST * SAMPLE_RATE)]))
        return found

    def finish(self) -> list[Tone]:
        """The notes that are left."""
        return self._next(sum(map(len, self._kept)))

    def _next(self, length: int) -> list[Tone]:
        if not length:
            return []
        kept = np.concatenate(self._kept)
        later = self._start / SAMPLE_RATE
        self._kept, self._start = [kept[length:]], self._start + length
        notes = sung(kept[:length], self._tracker)
        return [note._replace(start=note.start + later, end=note.end + later) for note in notes]


def _calm(sound: Floats) -> int:
    """The sample of the last CALM seconds at which it is softest."""
    first = len(sound) - int(CALM * SAMPLE_RATE)
    frames = sound[first:].reshape(-1, HOP)
    return first + int(np.einsum("fn,fn->f", frames, frames).argmin()) * HOP


def sung(sound: Floats, tracker: PitchTracker) -> list[Tone]:
    """The notes of one voice in samples [n] at SAMPLE_RATE, in order."""
    heard, level = _heard(sound, tracker)
    pitches = np.where(np.isnan(heard), REST, np.rint(np.nan_to_num(heard) - _tuning(heard))).astype(int)
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
        Tone(start * HOP / SAMPLE_RATE, end * HOP / SAMPLE_RATE, pitch, float((pitches[start:end] == pitch).mean()))
        for (start, end, pitch), (following, _, _) in pairwise([*stretches, (len(pitches) + JOINED, 0, 0)])
        for end in [following if following - end < JOINED else end]
    ]


def _again(level: Doubles, rises: Floats, start: int, end: int) -> bool:
    """Whether a pitch that is sung already is struck again at a frame, and not let go and left to the echo of a room."""
    before, after = level[max(start - AROUND, 0) : start + 1], level[start + LAG : min(start + 2 * AROUND, end - LAG)]
    if not after.size:
        return False
    louder = after.max() - before.min() >= RISE
    return bool(louder or (rises[start] >= SURE and after.max() >= before.max() - ECHO))


def _heard(sound: Floats, tracker: PitchTracker) -> tuple[Doubles, Doubles]:
    """The pitch of each frame as a MIDI number with its fraction, NaN where none is heard; and the level of its middle in dB."""
    stream = tracker.begin(FMIN, FMAX)
    hertz = np.concatenate([stream.push(sound), stream.finish()])
    padded = np.pad(sound, (FRAME_LENGTH // 2, FRAME_LENGTH))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_LENGTH)[: len(sound) + 1 : HOP]
    times = np.arange(len(frames)) * HOP / SAMPLE_RATE
    known = at(hertz, tracker.hop_length / tracker.sample_rate, times).astype(np.float64)
    power = np.einsum("fn,fn->f", frames, frames)
    known[power < power.max(initial=0.0) * 10 ** (-QUIET / 10)] = np.nan
    middle = frames[:, FRAME_LENGTH // 3 : -FRAME_LENGTH // 3]
    level = 10 * np.log10(np.einsum("fn,fn->f", middle, middle) + 1e-9)
    return semitones(known), level


def _tuning(heard: Doubles) -> float:
    """The tuning of the recording above 440 Hz, in semitones from -0.5 to 0.5: the mean direction of the fractions."""
    known = heard[~np.isnan(heard)]
    return float(np.angle(np.exp(2j * np.pi * known).mean()) / (2 * np.pi)) if known.size else 0.0


def _peaks(rises: Floats) -> NDArray[np.intp]:
    """The frames in which a note is struck."""
    from scipy.signal import find_peaks

    return find_peaks(rises, height=STRIKE, distance=APART)[0]


def _rises(sound: Floats, n_frames: int) -> Floats:
    """The rise of the spectrum in each frame, moves to a neighbouring band left out, in dB (Bock & Widmer 2013)."""
    from scipy.ndimage import maximum_filter1d

    from ..kernels import mel, spectral

    framing = spectral.Framing(FRAME_LENGTH, HOP, mel.window("hann", FRAME_LENGTH))
    padded = np.pad(sound, (FRAME_LENGTH // 2 + LAG * HOP, FRAME_LENGTH))
    log = spectral.Log(2 * spectral.DECIBEL, 1e-5)
    levels = spectral.analyse(padded, framing, bank=mel.sparse(_bank()), log=log, exponent=1.0).mel
    assert levels is not None
    bands = np.maximum(levels, levels.max() - FLOOR)
    rises = np.maximum(bands[LAG:] - maximum_filter1d(bands, 3, axis=1)[:-LAG], 0.0).mean(axis=1)
    return np.asarray(rises[:n_frames], np.float32)


def _bank() -> Floats:
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

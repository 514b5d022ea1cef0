"""Pitch and notes by engines that have rates and frames of their own, from the samples that the front end takes."""

import numpy as np
import soxr
from numpy.typing import NDArray

from ...kernels.framing import frame_count
from ...tones.hearing import Floats, NoteFinder, PitchTracker, Tone, at, distinct


class Resampler:
    """Samples [n] from one rate to another, block after block."""

    def __init__(self, old: int, new: int) -> None:
        self._stream = None if old == new else soxr.ResampleStream(old, new, 1, dtype="float32", quality="HQ")

    def push(self, samples: Floats) -> Floats:
        """The next samples."""
        return samples if self._stream is None else self._stream.resample_chunk(np.ascontiguousarray(samples))

    def finish(self) -> Floats:
        """The last ones."""
        empty = np.zeros(0, np.float32)
        return empty if self._stream is None else self._stream.resample_chunk(empty, last=True)


class PitchTable:
    """The pitch of one input, in the frames of a front end."""

    def __init__(self, tracker: PitchTracker, sample_rate: int, fmin: float, fmax: float) -> None:
        self._resampler = Resampler(sample_rate, tracker.sample_rate)
        self._stream = tracker.begin(fmin, fmax)
        self._step = tracker.hop_length / tracker.sample_rate
        self._rate, self._samples = sample_rate, 0
        self._hertz = [np.zeros(0, np.float32)]  # an hour of it is a megabyte

    def push(self, samples: Floats) -> None:
        """Take the next samples [n]."""
        self._samples += len(samples)
        self._hertz.append(self._stream.push(self._resampler.push(samples)))

    def finish(self, frame_length: int, hop_length: int, padding: str) -> Floats:
        """Hz [frames], NaN where unvoiced, in frames that are centred on their times, or start at them (padding "none")."""
        self._hertz += [self._stream.push(self._resampler.finish()), self._stream.finish()]
        centred = padding != "none"
        padded = self._samples + (2 * (frame_length // 2) if centred and self._samples else 0)
        middle = 0.0 if centred else frame_length / 2
        times = (np.arange(frame_count(padded, frame_length, hop_length)) * hop_length + middle) / self._rate
        return at(np.concatenate(self._hertz), self._step, times)


class NoteTable:
    """The notes of one input."""

    columns = ("start", "end", "pitch", "strength")

    def __init__(self, finder: NoteFinder, sample_rate: int) -> None:
        self._resampler = Resampler(sample_rate, finder.sample_rate)
        self._stream = finder.begin()
        self._rate, self._samples = sample_rate, 0
        self._tones = list[Tone]()

    def push(self, samples: Floats) -> None:
        """Take the next samples [n]."""
        self._samples += len(samples)
        self._tones += self._stream.push(self._resampler.push(samples))

    def finish(self) -> None:
        """No more samples will come."""
        self._tones += [*self._stream.push(self._resampler.finish()), *self._stream.finish()]

    def values(self, later: float) -> NDArray[np.float64]:
        """Rows of seconds from the start of the input, `later` than heard here, MIDI pitches and strengths, in order."""
        rows = np.array(distinct(self._tones), np.float64).reshape(-1, len(self.columns))
        rows[:, :2] = (
            np.minimum(rows[:, :2], self._samples / self._rate) + later
        )  # a last frame may reach beyond the end
        return rows

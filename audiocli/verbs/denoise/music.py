"""Whether a sound is music, by notes that hold still: a denoiser of speech takes much of music for noise.

The harmonics of speech glide; those of an instrument stay on one frequency while a note lasts, many at a time. Tones that last
as long as the recording are hum, and do not count. Music of drums alone is not found, nor are voices without
accompaniment, whose tones tremble.
"""

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE = 8_000  # Hz
N_FFT, HOP_LENGTH = 2_048, 512
LOWEST, HIGHEST = 80.0, 3_000.0  # Hz
BINS = slice(int(LOWEST * N_FFT / RATE), int(HIGHEST * N_FFT / RATE))
AROUND = 17  # bins, above whose mean a peak stands out
ABOVE = 6.0  # times
HELD = 9  # frames that a tone holds still: 0.58 s and a window
QUIET = 1e-7  # power of a frame below which it says nothing (-70 dBFS)
HUM = 0.5  # share of the frames above which a tone is hum
# Share of the power in tones that hold still: 810 clips of speech had 0.05 at most, organ, piano and strings 0.14 to 0.4.
LIKELY = 0.09
LEAST = 3.0  # s of sound before anything is said
LONGEST = 600.0  # s that are listened to


class Notes:
    """Sound in pieces, then the share of its power that lies in notes."""

    def __init__(self, sample_rate: int) -> None:
        self._rate, self._stream = sample_rate, soxr.ResampleStream(sample_rate, RATE, 1, dtype="float32", quality="LQ")
        self._window = np.hanning(N_FFT).astype(np.float32)
        self._waiting = np.zeros(0, np.float32)
        width = BINS.stop - BINS.start
        self._peaks, self._powers = np.zeros((0, width), bool), np.zeros((0, width), np.float32)
        self._held, self._times = np.zeros(width), np.zeros(width, np.int64)
        self._power, self._frames, self._seconds = 0.0, 0, 0.0

    def push(self, samples: Floats) -> None:
        """The next samples of one channel [n]."""
        if self._seconds < LONGEST:
            self._seconds += len(samples) / self._rate
            found = self._stream.resample_chunk(np.ascontiguousarray(samples))
            self._waiting = np.concatenate([self._waiting, found])
            frames = (len(self._waiting) - N_FFT) // HOP_LENGTH + 1
            if frames >= HELD:
                self._take(frames)

    @property
    def share(self) -> float:
        """The share of the power in tones that hold still for a while, in [0, 1]."""
        hum = self._times > HUM * self._frames
        return float(self._held[~hum].sum() / self._power) if self._power > 0 else 0.0

    @property
    def music(self) -> bool:
        """Whether it looks like music."""
        return self._frames * HOP_LENGTH / RATE >= LEAST and self.share > LIKELY

    def _take(self, frames: int) -> None:
        cut = np.lib.stride_tricks.sliding_window_view(self._waiting, N_FFT)[::HOP_LENGTH][:frames]
        powers = np.abs(np.fft.rfft(cut * self._window)[:, BINS]) ** 2 / N_FFT**2
        self._waiting = self._waiting[frames * HOP_LENGTH :]
        peaks = (powers == _around(powers, 3).max(axis=-1)) & (powers > ABOVE * _around(powers, AROUND).mean(axis=-1))
        self._peaks = np.concatenate([self._peaks, _around(peaks, 3).any(axis=-1)])
        self._powers = np.concatenate([self._powers, powers])
        ready = len(self._peaks) - HELD + 1
        held = np.asarray(np.lib.stride_tricks.sliding_window_view(self._peaks, HELD, axis=0).all(axis=-1))
        power = self._powers[HELD // 2 : HELD // 2 + ready]
        loud = power.sum(axis=1) > QUIET
        self._held += (power * held)[loud].sum(axis=0)
        self._times += held[loud].sum(axis=0)
        self._power, self._frames = self._power + float(power[loud].sum()), self._frames + int(loud.sum())
        self._peaks, self._powers = self._peaks[ready:], self._powers[ready:]


def _around(values: NDArray[Any], width: int) -> NDArray[Any]:
    """Each value [frames, bins] with its neighbours [frames, bins, width], mirrored at the ends (scipy.ndimage takes .2 s)."""
    padded = np.pad(values, ((0, 0), (width // 2, width // 2)), mode="symmetric")
    return np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)

"""How loud clips are: whether there is anything to hear in them, and where it begins and ends."""

import numpy as np
from numpy.typing import NDArray

from . import Audio

SILENCE = -65.0  # dBFS; far-field speech (AMI) lies around -50, 16-bit dither below -90
FRAME = 0.02  # s
BELOW = 35.0  # dB below the loudest frame of a clip, sound begins and ends
EDGE = 2  # frames that are kept around it: soft consonants


def mono(audio: Audio) -> NDArray[np.float32]:
    """The samples [samples] of a clip that has one channel."""
    samples: NDArray[np.float32] = audio.samples[0]
    return samples


def silent(samples: NDArray[np.float32], sample_rate: int) -> bool:
    """Whether no 20 ms of the samples [samples] are louder than SILENCE; so is a clip without samples."""
    size = max(int(FRAME * sample_rate), 1)
    whole = len(samples) // size * size
    frames = [samples[:whole].reshape(-1, size), samples[whole:].reshape(1, -1)]
    loudest = max((float(np.mean(np.square(part), axis=1).max()) for part in frames if part.size), default=0.0)
    return loudest < 10 ** (SILENCE / 10)


def loud_part(samples: NDArray[np.float32], sample_rate: int) -> tuple[float, float]:
    """When the sound of a clip [samples] begins and ends, in seconds: where it comes within BELOW of its loudest 20 ms."""
    size = max(int(FRAME * sample_rate), 1)
    power = np.mean(np.square(samples[: len(samples) // size * size].reshape(-1, size)), axis=1)
    loud = np.flatnonzero(power > power.max(initial=0.0) * 10 ** (-BELOW / 10))
    if not len(loud):
        return 0.0, len(samples) / sample_rate
    return max(float(loud[0]) - EDGE, 0.0) * FRAME, min(float(loud[-1]) + 1 + EDGE, float(len(power))) * FRAME

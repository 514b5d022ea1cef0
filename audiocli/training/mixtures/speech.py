"""Where the speech is in clips of speech, found when it is first asked for."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...vad.silero import FRAME as STEP
from ...vad.silero import Silero
from .conversations import FRAME, SPEECH_LEVEL, Active
from .distortions import SAMPLE_RATE
from .speaker_batches import Samples

LIKELY, UNLIKELY = 0.5, 0.35  # speech begins above the first, and goes on above the second
BRIDGED = 0.25  # s: shorter pauses belong to the speech, as in the marks of meetings


class Heard:
    """The frames of each speaker's clips that have speech; each clip is judged once."""

    def __init__(self, clips: Sequence[Sequence[Samples]]) -> None:
        self._clips = clips
        self._known: dict[tuple[int, int], Active] = {}

    def __call__(self, speaker: int, number: int) -> Active:
        """Which frames [samples // FRAME] of a clip have speech."""
        key = speaker, number
        if key not in self._known:
            self._known[key] = speech(self._clips[speaker][number])
        return self._known[key]


def speech(clip: Samples) -> Active:
    """Which frames [samples // FRAME] have speech."""
    samples = clip.astype(np.float32)
    samples *= np.float32(SPEECH_LEVEL) / (np.sqrt(np.mean(np.square(samples))) + 1e-3)
    whole = np.pad(samples, (0, -len(samples) % STEP)).reshape(-1, STEP)
    frames = bridged(lasting(Silero()(whole)), round(BRIDGED * SAMPLE_RATE / STEP))
    centres = (np.arange(len(clip) // FRAME) * FRAME + FRAME // 2) // STEP
    return frames[centres]


def lasting(likely: NDArray[np.float32]) -> Active:
    """Which frames have speech: from one that is LIKELY on, and before it, as long as they are not UNLIKELY."""
    possible = likely > UNLIKELY
    stretches = np.cumsum(np.diff(possible, prepend=False))
    certain = np.zeros(int(stretches[-1]) + 1 if len(stretches) else 1, np.bool_)
    certain[stretches[likely > LIKELY]] = True
    return np.asarray(certain[stretches] & possible)


def bridged(frames: Active, longest: int) -> Active:
    """Frames with the pauses of up to `longest` frames between speech filled."""
    filled = frames.copy()
    places = np.flatnonzero(frames)
    for before, after in pairwise(places.tolist()):
        if 1 < after - before <= longest + 1:
            filled[before:after] = True
    return filled

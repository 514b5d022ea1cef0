"""Notes of any number of voices and instruments by Basic Pitch (Bittner et al. 2022).

The net hears windows of two seconds at 22,050 Hz, and says for each of 172 frames and 88 keys of a piano how likely one begins
there and how likely one sounds. The notes are made of that by `kernels.notes`.
"""

from pathlib import Path

import numpy as np

from ..device import Place
from ..errors import ModelError
from ..kernels.notes import Follower, Rules
from ..models import onnx
from ..models.spec import ModelSpec
from .hearing import Doubles, Floats, Tone

FILE = "nmp.onnx"
INPUT = "serving_default_input_2:0"
ONSETS, SOUNDING = 0, 1  # its outputs; the third are the contours of pitches between the keys
LENGTH = 43_844  # samples in a window
HOP, LOWEST, KEYS = 256, 21, 88  # samples from frame to frame; the MIDI pitch of the first key
EDGE, FRAMES = 15, 142  # frames at both ends of a window that are heard worse, and those in between, which are used
AT_ONCE = 4  # windows

# Chosen on four chorales of the train split, soprano alone and all voices, on a choir, a piano, an organ and strings.
RULES = Rules(
    onset=0.5, again=0.85, rest=0.13, sounding=0.15, gap=8, shortest=5, weakest=0.3, unstruck=60, sure=0.7
)  # fmt: skip


def load(path: Path, spec: ModelSpec, place: Place, options: object) -> "BasicPitch":
    """The finder in the folder `path`. Raises ModelError."""
    net = onnx.load(path / FILE, name=spec.name, device="cpu", takes=(INPUT,))
    if len(net.outputs) <= SOUNDING:
        raise ModelError(f"{spec.name} is an ONNX model of something else: it has {len(net.outputs)} output")
    return BasicPitch(net)


class BasicPitch:
    """Frames of 11.6 ms."""

    sample_rate = 22_050

    def __init__(self, net: onnx.Net) -> None:
        self.net = net

    def begin(self) -> "NetStream":
        """A new sound."""
        return NetStream(self.net)


class NetStream:
    """One sound in pieces; what comes out does not depend on where they are cut."""

    def __init__(self, net: onnx.Net) -> None:
        self._net, self._follower = net, Follower(KEYS, RULES)
        self._kept = np.zeros(EDGE * HOP, np.float32)
        self._samples = 0  # that came in
        self._heard = 0  # frames that the net has heard

    def push(self, samples: Floats) -> list[Tone]:
        """The notes that have ended with the next samples [n]."""
        self._kept = np.concatenate([self._kept, samples])
        self._samples += len(samples)
        found = list[Tone]()
        while len(self._kept) >= LENGTH + (AT_ONCE - 1) * FRAMES * HOP:
            found += self._next(AT_ONCE, AT_ONCE * FRAMES)
        return found

    def finish(self) -> list[Tone]:
        """The notes that are left."""
        found = list[Tone]()
        while (frames := -(-self._samples // HOP) - self._heard) > 0:
            windows = min(AT_ONCE, -(-frames // FRAMES))
            lacking = LENGTH + (windows - 1) * FRAMES * HOP - len(self._kept)
            self._kept = np.concatenate([self._kept, np.zeros(max(lacking, 0), np.float32)])
            found += self._next(windows, min(frames, windows * FRAMES))
        return found + _tones(self._follower.finish())

    def _next(self, windows: int, frames: int) -> list[Tone]:
        """The notes that end in the next windows, of which so many frames are in the sound."""
        starts = FRAMES * HOP * np.arange(windows)
        heard = np.stack([self._kept[start : start + LENGTH] for start in starts])
        both = self._net(**{INPUT: heard[:, :, None]})
        onset, sounding = (
            np.ascontiguousarray(both[n][:, EDGE : EDGE + FRAMES].reshape(-1, KEYS)[:frames])
            for n in (ONSETS, SOUNDING)
        )
        self._kept = self._kept[windows * FRAMES * HOP :]
        self._heard += frames
        return _tones(self._follower.push(sounding, onset))


def _tones(notes: Doubles) -> list[Tone]:
    """Notes [n, first, behind the last, key, strength] in seconds."""
    step = HOP / BasicPitch.sample_rate
    return [Tone(first * step, end * step, LOWEST + int(key), strength) for first, end, key, strength in notes.tolist()]

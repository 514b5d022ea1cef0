"""The pitch of one voice by SwiftF0 (Nieradzik 2025), a small net that noise disturbs less than it does YIN.

The net takes samples at 16 kHz and says of each 16 ms what the pitch is, and how sure it is that there is one.
"""

from pathlib import Path

import numpy as np

from ..device import Place
from ..models import onnx
from ..models.spec import ModelSpec
from .hearing import Floats

FILE = "model.onnx"
FMIN, FMAX = 46.875, 2_093.75  # Hz: what it was trained on
NARROWEST = (FMAX / FMIN) ** (1 / 94)  # its own steps, one of which must lie between --pitch-fmin and --pitch-fmax
BEFORE, AFTER = 11, 10  # frames that a frame depends on
PIECE = 1_875  # frames: 30 s
VOICED = 0.5
SILENT = 1e-3  # the peak of a frame below which there is no pitch: the net never heard digital silence and finds pitches in it


def load(path: Path, spec: ModelSpec, place: Place, options: object) -> "SwiftF0":
    """The tracker in the folder `path`. Raises ModelError."""
    return SwiftF0(onnx.load(path / FILE, name=spec.name, device="cpu", threads=1, takes=("audio", "fmin", "fmax")))


class SwiftF0:
    """Frames of 16 ms."""

    sample_rate = 16_000
    hop_length = 256

    def __init__(self, net: onnx.Net) -> None:
        self.net = net

    def begin(self, fmin: float, fmax: float) -> "SwiftStream":
        """A new sound, in which the pitch lies between two frequencies in Hz."""
        low, high = min(max(FMIN, fmin), FMAX / NARROWEST), min(FMAX, fmax)
        return SwiftStream(self.net, low, max(high, low * NARROWEST))


class SwiftStream:
    """One sound in pieces; what comes out does not depend on where they are cut."""

    def __init__(self, net: onnx.Net, fmin: float, fmax: float) -> None:
        self._net = net
        self._range = {"fmin": np.array(fmin, np.float32), "fmax": np.array(fmax, np.float32)}
        self._kept = np.zeros(0, np.float32)
        self._known = 0  # frames of what is kept that have come out

    def push(self, samples: Floats) -> Floats:
        """The pitches in Hz [frames] that are known after the next samples [n]: 30 s of them, or none."""
        self._kept = np.concatenate([self._kept, samples])
        found = [self._kept[:0]]
        while len(self._kept) >= (self._known + PIECE + AFTER) * SwiftF0.hop_length:
            found.append(self._next(PIECE))
        return np.concatenate(found)

    def finish(self) -> Floats:
        """The pitches of the frames that are left; a sound of any length has one."""
        left = len(self._kept) // SwiftF0.hop_length - self._known
        if not self._known and self._kept.size:
            left = max(left, 1)
        return self._next(left) if left else self._kept[:0]

    def _next(self, count: int) -> Floats:
        hop, until = SwiftF0.hop_length, self._known + count
        heard = self._kept[: (until + AFTER) * hop]
        hertz, sure = (values[0, self._known : until] for values in self._net(audio=heard[None], **self._range))
        peaks = _peaks(self._kept, hop, self._known, until)
        dropped = max(0, until - BEFORE)
        self._kept, self._known = self._kept[dropped * hop :], until - dropped
        return np.where((sure >= VOICED) & (peaks >= SILENT), hertz, np.nan).astype(np.float32)


def _peaks(samples: Floats, hop: int, first: int, last: int) -> Floats:
    """The largest magnitude of each of these hops [last - first]; the last one may be cut off."""
    part = np.zeros((last - first) * hop, np.float32)
    there = samples[first * hop : last * hop]
    part[: len(there)] = np.abs(there)
    return np.asarray(part.reshape(-1, hop).max(axis=1))

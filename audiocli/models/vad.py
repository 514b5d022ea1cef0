"""Where somebody speaks: silero-vad's network (weights in its wheel) in numpy, and a cutter that makes pieces of what it says.

torch would take longer to import than most files take to transcribe, and the network is small: four convolutions over all frames
at once, then an LSTM cell frame by frame, 0.3 % of real time on one core. Everything streams: block after block goes in, chunks of
speech come out, and where the blocks are cut makes no difference.
"""

import importlib.util
import json
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import AudiocliError

Floats = NDArray[np.float32]
# Frames [n, FRAME] to the probability of speech in each [n]; remembers the frames before.
Detector = Callable[[Floats], Floats]

SAMPLE_RATE = 16_000  # Hz
FRAME = 512  # samples that the network judges at once
CONTEXT = 64  # samples before them that it sees as well
N_FFT, STRIDE, BINS = 256, 128, 129
HIDDEN = 128
FRAMES_AT_ONCE = 512  # 16 s: what the convolutions hold in memory
# The gate before the network: the peak of a frame that is called silence unheard (-66 dBFS, 16 steps of 16 bits).
GATE = 5e-4
# --no-vad: a frame this much below the loudest of late is a pause to cut at (-20 dB); the loudest fades by half in 7 s.
PAUSE, FADING = 0.1, 0.997


@dataclass(frozen=True)
class Cut:
    """How speech is cut into pieces; seconds, but for the probabilities."""

    threshold: float = 0.5  # a piece begins with frames above it
    hysteresis: float = 0.15  # and goes on while they are not further than this below
    onset: float = 0.1  # speech that a piece begins with
    silence: float = 0.8  # that ends a piece
    lead: float = 0.3  # kept before
    trail: float = 0.3  # kept after
    comfortable: float = 15.0  # a piece this long ends at the next short pause
    short: float = 0.1
    longest: float = 30.0  # and one this long wherever it is


# Keeps everything but silence at the start, and cuts long pieces at pauses.
EVERYTHING = Cut(onset=0.0, silence=math.inf, trail=math.inf)


@dataclass(frozen=True)
class Chunk:
    """Speech as it comes: `samples` from sample `start` of the input; `begins` and `ends` a piece (none may be in the last)."""

    start: int
    samples: Floats
    begins: bool = False
    ends: bool = False


@dataclass(frozen=True)
class Span:
    """A stretch of the input in seconds."""

    start: float
    end: float


class Cutter:
    """Samples in, chunks of speech out, one a frame and one without samples where a piece ends."""

    def __init__(self, detect: Detector, cut: Cut = Cut()) -> None:
        self._detect, self._cut = detect, cut
        self._rest = np.zeros(0, np.float32)  # less than a frame
        self._position = 0  # samples before the frame at hand
        self._open = False
        # Frames that wait: before a piece for it to begin, within it for speech after a pause.
        self._held: deque[Floats] = deque()
        self._run = self._silent = self._length = 0  # frames: speech before a piece, silence within it, all of it
        self.seconds = 0.0  # taken in
        self.kept = 0.0  # s given out

    def push(self, samples: Floats) -> Iterator[Chunk]:
        """Take the next samples [n]."""
        self.seconds += samples.size / SAMPLE_RATE
        self._rest = np.concatenate([self._rest, samples])
        whole = self._rest.size // FRAME * FRAME
        frames, self._rest = self._rest[:whole].reshape(-1, FRAME), self._rest[whole:]
        yield from self._take(frames)

    def finish(self) -> Iterator[Chunk]:
        """No more samples will come; the last frame is filled with zeros."""
        if self._rest.size:
            yield from self._take(np.pad(self._rest, (0, FRAME - self._rest.size))[None])
            self._rest = self._rest[:0]
        if self._open:
            yield self._end()

    def _take(self, frames: Floats) -> Iterator[Chunk]:
        for first in range(0, len(frames), FRAMES_AT_ONCE):
            some = frames[first : first + FRAMES_AT_ONCE]
            for frame, probability in zip(some, self._detect(some).tolist(), strict=True):
                yield from self._inside(frame, probability) if self._open else self._outside(frame, probability)
                self._position += FRAME

    def _outside(self, frame: Floats, probability: float) -> Iterator[Chunk]:
        """A frame between pieces."""
        cut = self._cut
        self._held.append(frame)
        self._run = self._run + 1 if probability >= cut.threshold else 0
        if self._run and self._run >= _frames(cut.onset):
            self._open, self._silent, self._length = True, 0, 0
            yield from self._give(begins=True)
        elif len(self._held) > _frames(cut.lead) + _frames(cut.onset):
            self._held.popleft()

    def _inside(self, frame: Floats, probability: float) -> Iterator[Chunk]:
        """A frame of a piece, or of the silence after it."""
        cut = self._cut
        self._held.append(frame)
        speech = probability >= cut.threshold - cut.hysteresis
        self._silent = 0 if speech else self._silent + 1
        if speech or self._silent * FRAME <= cut.trail * SAMPLE_RATE:
            yield from self._give()
        patience = cut.silence if self._length * FRAME < cut.comfortable * SAMPLE_RATE else cut.short
        if self._silent * FRAME >= patience * SAMPLE_RATE or self._length >= _frames(cut.longest):
            yield self._end()
            # What was cut in the middle of speech goes on at once.
            self._run = _frames(cut.onset) if speech else 0

    def _give(self, begins: bool = False) -> Iterator[Chunk]:
        """All frames that wait, the last of which is the one at hand."""
        start = self._position - (len(self._held) - 1) * FRAME
        for number, frame in enumerate(self._held):
            self._length += 1
            self.kept += FRAME / SAMPLE_RATE
            yield Chunk(start + number * FRAME, frame, begins=begins and number == 0)
        self._held.clear()

    def _end(self) -> Chunk:
        self._open, self._run = False, 0
        while len(self._held) > _frames(self._cut.lead):
            self._held.popleft()
        return Chunk(self._position, np.zeros(0, np.float32), ends=True)


def _frames(seconds: float) -> int:
    """Whole frames that are nearest to so many seconds."""
    return round(seconds * SAMPLE_RATE / FRAME)


def cutter(vad: bool, cut: Cut | None = None) -> Cutter:
    """The cutter of --vad or --no-vad."""
    return Cutter(Silero(), cut or Cut()) if vad else Cutter(Loudness(), cut or EVERYTHING)


def spans(samples: Floats, cut: Cut | None = None, *, vad: bool = True) -> list[Span]:
    """Where there is speech in samples [n] at 16 kHz, in order, none longer than cut.longest."""
    work, found, start, end = cutter(vad, cut), [], 0, 0
    for chunk in (*work.push(samples), *work.finish()):
        if chunk.begins:
            start = chunk.start
        if chunk.ends:
            found.append(Span(start / SAMPLE_RATE, min(end, samples.size) / SAMPLE_RATE))
        end = chunk.start + chunk.samples.size
    return found


def merged(pieces: Iterable[Span], longest: float) -> list[Span]:
    """Neighbours put together, the pauses between them too, up to `longest` seconds: full batches for models with a window."""
    result: list[Span] = []
    for piece in pieces:
        if result and piece.end - result[-1].start <= longest:
            result[-1] = Span(result[-1].start, piece.end)
        else:
            result.append(piece)
    return result


class Loudness:
    """A detector without a network for --no-vad: everything is speech but silence and the pauses to cut at."""

    def __init__(self) -> None:
        self._loudest = 0.0

    def __call__(self, frames: Floats) -> Floats:
        """Frames [n, FRAME] to 0 or 1 [n]."""
        result = np.zeros(len(frames), np.float32)
        for n, rms in enumerate(np.sqrt(np.mean(frames**2, axis=1)).tolist()):
            self._loudest = max(rms, self._loudest * FADING)
            result[n] = rms > PAUSE * self._loudest
        return np.where(np.abs(frames).max(axis=1) < GATE, np.float32(0.0), result)


class Silero:
    """silero-vad 6 for 16 kHz (Silero Team, 2024-26, MIT), one stream of frames."""

    def __init__(self) -> None:
        self._net = _network()
        self._context = np.zeros(CONTEXT, np.float32)
        self._hidden, self._cell = np.zeros((2, HIDDEN), np.float32)

    def __call__(self, frames: Floats) -> Floats:
        """Frames [n, FRAME] to probabilities of speech [n]."""
        if not len(frames):
            return np.zeros(0, np.float32)
        before = np.concatenate([self._context[None], frames[:-1, -CONTEXT:]])
        self._context = frames[-1, -CONTEXT:].copy()
        hidden = self._remember(self._net.encode(np.concatenate([before, frames], axis=1)))
        logits = np.maximum(hidden, 0.0) @ self._net.head + self._net.head_bias
        return np.where(np.abs(frames).max(axis=1) < GATE, np.float32(0.0), _sigmoid(logits))

    def _remember(self, inputs: Floats) -> Floats:
        """The LSTM cell over inputs [n, 4 * HIDDEN] (gates in, forget, new, out; biases added) to its outputs [n, HIDDEN]."""
        result = np.empty((len(inputs), HIDDEN), np.float32)
        for n, given in enumerate(inputs):
            gates = given + self._hidden @ self._net.recurrent
            opened = _sigmoid(gates)
            new = np.tanh(gates[2 * HIDDEN : 3 * HIDDEN])
            self._cell = opened[HIDDEN : 2 * HIDDEN] * self._cell + opened[:HIDDEN] * new
            self._hidden = opened[3 * HIDDEN :] * np.tanh(self._cell)
            result[n] = self._hidden
        return result


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(0.5 * (np.tanh(0.5 * values) + 1.0), np.float32)  # exp would overflow


@dataclass(frozen=True)
class _Network:
    """The weights, laid out for products from the right."""

    stft: Floats  # [N_FFT, 2 * BINS]
    convolutions: tuple[tuple[Floats, Floats, int], ...]  # [taps * channels in, channels out], bias, stride
    inputs: Floats  # [HIDDEN, 4 * HIDDEN]
    recurrent: Floats  # [HIDDEN, 4 * HIDDEN]
    bias: Floats
    head: Floats  # [HIDDEN]
    head_bias: Floats

    def encode(self, frames: Floats) -> Floats:
        """Frames with their context [n, CONTEXT + FRAME] to what goes into the LSTM's gates [n, 4 * HIDDEN]."""
        padded = np.pad(frames, ((0, 0), (0, CONTEXT)), mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=1)[:, ::STRIDE]
        spectrum = windows @ self.stft
        values = np.sqrt(spectrum[..., :BINS] ** 2 + spectrum[..., BINS:] ** 2)
        for weight, bias, stride in self.convolutions:
            values = _convolved(values, weight, bias, stride)
        return np.asarray(values[:, 0] @ self.inputs + self.bias)


def _convolved(values: Floats, weight: Floats, bias: Floats, stride: int) -> Floats:
    """Three taps over values [n, time, channels], zeros beyond the ends, then what is above zero."""
    padded = np.pad(values, ((0, 0), (1, 1), (0, 0)))
    columns = np.concatenate([padded[:, tap : tap + values.shape[1] : stride] for tap in range(3)], axis=2)
    return np.asarray(np.maximum(columns @ weight + bias, 0.0))


@lru_cache(maxsize=1)
def _network() -> _Network:
    tensors = read_safetensors(weights())
    convolutions = tuple(
        (_taps(tensors[f"conv{n}.weight"]), tensors[f"conv{n}.bias"], stride)
        for n, stride in ((1, 1), (2, 2), (3, 2), (4, 1))
    )
    return _Network(
        np.ascontiguousarray(tensors["stft_conv.weight"][:, 0].T), convolutions,
        np.ascontiguousarray(tensors["lstm_cell.weight_ih"].T), np.ascontiguousarray(tensors["lstm_cell.weight_hh"].T),
        tensors["lstm_cell.bias_ih"] + tensors["lstm_cell.bias_hh"],
        tensors["final_conv.weight"][0, :, 0], tensors["final_conv.bias"],
    )  # fmt: skip


def _taps(weight: Floats) -> Floats:
    """A convolution's weight [out, in, taps] as [taps * in, out]."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, len(weight)))


def weights() -> Path:
    """The file in silero-vad's wheel; the package itself, which imports torch, is not imported. Raises AudiocliError."""
    spec = importlib.util.find_spec("silero_vad")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = Path(folder, "data", "silero_vad_16k.safetensors")
        if path.is_file():
            return path
    raise AudiocliError("the weights of silero-vad are not here: pip install 'silero-vad>=6.2', or use --no-vad")


def read_safetensors(path: Path) -> dict[str, Floats]:
    """The float32 tensors of a safetensors file: a header's length, the header as JSON, then the numbers."""
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    result = {}
    for name, about in json.loads(data[8:begin]).items():
        if name != "__metadata__":
            first, last = about["data_offsets"]
            values = np.frombuffer(data[begin + first : begin + last], "<f4")
            result[name] = values.reshape(about["shape"])
    return result

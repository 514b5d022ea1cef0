"""A cutter that makes pieces of speech from silero-vad's probability for each frame.

Everything streams: block after block goes in, chunks of speech come out, and where the blocks are cut makes no difference.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..options import TranscribeOptions
from .silero import FRAME, GATE, SAMPLE_RATE, Silero

Floats = NDArray[np.float32]
# Frames [n, FRAME] to the probability of speech in each [n]; remembers the frames before.
Detector = Callable[[Floats], Floats]

FRAMES_AT_ONCE = 512  # 16 s: what the convolutions hold in memory
# --no-vad: a frame this much below the loudest recent one is a pause to cut at (-20 dB); the loudest fades by half in 7 s.
PAUSE, FADING = 0.1, 0.997
# The level to which the loudest frame of a quiet recording is raised, root mean square (-30 dBFS), and the most gain (40 dB).
TARGET, MOST = 10**-1.5, 100.0


@dataclass(frozen=True)
class Cut:
    """Settings for cutting speech into pieces; seconds, but for the probabilities."""

    threshold: float = TranscribeOptions.vad_threshold  # a piece begins with frames above it
    hysteresis: float = 0.15  # and goes on while they are not further than this below, or than half of it
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
        speech = probability >= max(cut.threshold - cut.hysteresis, cut.threshold / 2)
        self._silent = 0 if speech else self._silent + 1
        if speech or self._silent * FRAME <= cut.trail * SAMPLE_RATE:
            yield from self._give()
        patience = cut.silence if self._length * FRAME < cut.comfortable * SAMPLE_RATE else cut.short
        if self._silent * FRAME >= patience * SAMPLE_RATE or self._length * FRAME >= cut.longest * SAMPLE_RATE:
            yield self._end()
            # A piece that was cut in the middle of speech goes on at once.
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


def cutter_of(options: TranscribeOptions) -> Cutter:
    """The cutter that the options ask for."""
    return cutter(options.vad, Cut(options.vad_threshold) if options.vad else None)


def cutter(vad: bool, cut: Cut | None = None) -> Cutter:
    """The cutter of --vad or --no-vad."""
    return Cutter(Attentive(), cut or Cut()) if vad else Cutter(Loudness(), cut or EVERYTHING)


def spans(samples: Floats, cut: Cut | None = None, *, vad: bool = True) -> list[Span]:
    """Spans of speech in samples [n] at 16 kHz, in order, none longer than cut.longest."""
    work, stretches, start, end = cutter(vad, cut), [], 0, 0
    for chunk in (*work.push(samples), *work.finish()):
        if chunk.begins:
            start = chunk.start
        if chunk.ends:
            stretches.append(Span(start / SAMPLE_RATE, min(end, samples.size) / SAMPLE_RATE))
        end = chunk.start + chunk.samples.size
    return stretches


def pieces(work: Cutter, blocks: Iterable[Floats]) -> Iterator[tuple[int, Floats]]:
    """The pieces of speech in blocks [n]: the first sample's place in the input, and the samples."""

    def chunks() -> Iterator[Chunk]:
        for block in blocks:
            yield from work.push(block)
        yield from work.finish()

    start, parts = 0, list[Floats]()
    for chunk in chunks():
        if chunk.begins:
            start, parts = chunk.start, []
        parts.append(chunk.samples)
        if chunk.ends:
            yield start, np.concatenate(parts)


def merged(pieces: Iterable[Span], longest: float) -> list[Span]:
    """Neighbours put together, the pauses between them too, up to `longest` seconds: full batches for models with a window."""
    result: list[Span] = []
    for piece in pieces:
        if result and piece.end - result[-1].start <= longest:
            result[-1] = Span(result[-1].start, piece.end)
        else:
            result.append(piece)
    return result


class Attentive:
    """silero-vad that hears quiet recordings as well: 40 dB down it misses a tenth of read speech, 50 dB down more than half.

    As long as nothing louder than TARGET has come, a second network hears the sound raised to it, and the greater of both
    probabilities counts. The first one always hears the sound as it is: noise that was raised makes the network miss speech that
    follows it.
    """

    def __init__(self) -> None:
        self._plain, self._lifted, self._loudest = Silero(), Silero(), 0.0

    def __call__(self, frames: Floats) -> Floats:
        """Frames [n, FRAME] to probabilities of speech [n]."""
        probabilities = self._plain(frames)
        levels = np.sqrt(np.mean(frames**2, axis=1, dtype=np.float64))
        loudest = np.maximum.accumulate(np.concatenate([[self._loudest], levels]))[1:]
        quiet = int(np.count_nonzero(loudest < TARGET))  # which are the first
        if quiet:
            gains = TARGET / np.maximum(loudest[:quiet], TARGET / MOST)
            lifted = self._lifted(frames[:quiet] * gains[:, None].astype(np.float32))
            probabilities[:quiet] = np.maximum(probabilities[:quiet], lifted)
        self._loudest = float(loudest[-1]) if len(loudest) else self._loudest
        return probabilities


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

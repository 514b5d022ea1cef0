"""PocketSphinx (CMU, BSD): US English right after install, its model in its wheel; weak, but in constant memory.

Each piece of speech that the cutter finds is decoded as one utterance with its own cepstral mean, at 0.14 times real time. A live
session has a second, lighter decoder for the words so far; what it settles on is decoded like a file's, so both say the same.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...inputs.sources import Streamed
from ...models.languages import is_near
from ...models.registry import ModelSpec
from ...options import TranscribeOptions
from ...records import NO_SPEECH, Segment, Transcript, Word, joined
from ...vad.cutter import Chunk, Cutter, cutter_of, pieces
from .loops import spoken
from .models import POCKETSPHINX
from .recogniser import TRAITS, Partial, Traits
from .results import tidy
from .work import left_out, mean_probability
from .workers import Workers

SAMPLE_RATE = 16_000  # Hz
FRAME_RATE = 100  # of the decoder, per second
LEVEL = 0.9  # every piece's peak
# <s>, <sil>, [NOISE], ++UM++: entries of the dictionary that nobody said; and "to(2)", a second pronunciation of "to".
FILLER, VARIANT = re.compile(r"^(<.*>|\[.*\]|\+\+.*\+\+)$"), re.compile(r"\(\d+\)$")
# Bytes that the live decoder is given at once: 128 ms.
LIVE_SAMPLES = 2_048

Floats = NDArray[np.float32]


def load(path: Path | None, spec: ModelSpec, place: Any, options: TranscribeOptions | None) -> "Runner":
    """The runner. Raises UsageError for options that PocketSphinx does not have."""
    wanted = options or TranscribeOptions()
    _check(wanted)
    return Runner(spec, wanted, _decoder())


def _check(options: TranscribeOptions) -> None:
    if not is_near(options.language, "en"):
        raise UsageError(f"pocketsphinx knows English only, not {options.language!r}: give --model whisper-base")


def _decoder(**config: Any) -> Any:
    from pocketsphinx import Decoder, set_loglevel

    set_loglevel("FATAL")
    return Decoder(samprate=SAMPLE_RATE, **config)


@dataclass(frozen=True)
class Runner:
    """Reads its inputs itself, one after the other; one decoder, so that calls may not overlap: `spread` is for more."""

    spec: ModelSpec
    options: TranscribeOptions
    decoder: Any
    sample_rate: int = SAMPLE_RATE
    traits: Traits = TRAITS[POCKETSPHINX]

    def __call__(self, batch: Sequence[Streamed]) -> list[Transcript]:
        """A record for each input. Raises InputError."""
        return [self._one(item) for item in batch]

    def _one(self, item: Streamed) -> Transcript:
        work = cutter_of(self.options)
        self.decoder.reinit_feat()  # forget the noise of the input before
        with item.open(SAMPLE_RATE) as stream:
            blocks = (block[0] for block in stream.blocks)
            segments = tuple(segment for piece in pieces(work, blocks) for segment in self.hear(*piece))
        return Transcript(
            path=item.path, duration=work.seconds, sample_rate=stream.source_rate, task="transcribe",
            model=self.spec.name, revision=self.spec.revision, status="ok" if segments else NO_SPEECH,
            warnings=tuple(stream.warnings), text=joined((segment.text for segment in segments), "en"), language="en",
            segments=segments, dropped=left_out(work.seconds, work.kept),
        )  # fmt: skip

    def hear(self, start: int, samples: Floats) -> tuple[Segment, ...]:
        """The speech in samples [n] from sample `start` of the input on: one segment or none."""
        words = tuple(_words(self.decoder, start / SAMPLE_RATE, samples))
        if not words:
            return ()
        return (tidy(Segment(words[0].start, words[-1].end, spoken(words), words, mean_probability(words))),)

    def spread(self, jobs: int) -> Workers:
        """The same, for `jobs` files at once."""
        return Workers(self, jobs, load, None, self.spec, None, self.options)

    def listen(self) -> "Session":
        """A live session."""
        self.decoder.reinit_feat()
        return Session(self, cutter_of(self.options), _decoder(fwdflat=False, bestpath=False))


def _words(decoder: Any, start: float, samples: Floats) -> Iterator[Word]:
    """The words of one utterance, times in seconds of the input."""
    peak = float(np.abs(samples).max(initial=0.0))
    decoder.start_utt()
    decoder.process_raw(_pcm(samples * np.float32(LEVEL / max(peak, 1e-6))), full_utt=True)
    decoder.end_utt()
    end = start + samples.size / SAMPLE_RATE
    for part in decoder.seg() or ():
        if not FILLER.match(part.word):
            first, last = (min(start + frame / FRAME_RATE, end) for frame in (part.start_frame, part.end_frame + 1))
            yield Word(" " + VARIANT.sub("", part.word), first, last, min(max(part.prob, 0.0), 1.0))


def _pcm(samples: Floats) -> bytes:
    """Samples as 16-bit integers."""
    return (np.clip(samples, -1.0, 1.0) * 32_767.0).astype(np.int16).tobytes()


class Session:
    """Speech as it comes: `push` gives the words so far, and each piece that has ended."""

    sample_rate = SAMPLE_RATE

    def __init__(self, runner: Runner, work: Cutter, decoder: Any) -> None:
        self._runner, self.cutter, self._decoder = runner, work, decoder
        self._start = 0
        self._parts: list[Floats] = []
        self._unheard: list[Floats] = []  # of the piece, by the live decoder
        self._said = ""
        self.dropped: list[str] = []

    def push(self, samples: Floats) -> Iterator[Partial | Segment]:
        """Take the next samples [n]."""
        for chunk in self.cutter.push(samples):
            yield from self._take(chunk)

    def finish(self) -> Iterator[Partial | Segment]:
        """No more samples will come."""
        for chunk in self.cutter.finish():
            yield from self._take(chunk)

    def _take(self, chunk: Chunk) -> Iterator[Partial | Segment]:
        if chunk.begins:
            self._start, self._parts, self._unheard, self._said = chunk.start, [], [], ""
            self._decoder.start_utt()
        self._parts.append(chunk.samples)
        self._unheard.append(chunk.samples)
        if chunk.ends:
            self._decoder.end_utt()
            yield from self._runner.hear(self._start, np.concatenate(self._parts))
        elif sum(map(len, self._unheard)) >= LIVE_SAMPLES:
            yield from self._so_far()

    def _so_far(self) -> Iterator[Partial]:
        self._decoder.process_raw(_pcm(np.concatenate(self._unheard)))
        self._unheard = []
        hypothesis = self._decoder.hyp()
        if hypothesis and hypothesis.hypstr != self._said:
            self._said = hypothesis.hypstr
            yield Partial(self._start / SAMPLE_RATE, self._said)

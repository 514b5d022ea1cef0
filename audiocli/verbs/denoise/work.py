"""What stands around a denoiser, whichever it is: sound at any rate in, as much sound at the same places out, and the record.

A denoiser works at one rate on sound that comes piece by piece; a `Session` is what it keeps of one input. Hours, live sound
and short clips all go through it, so the result does not depend on how the sound was cut.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import soxr
from numpy.typing import NDArray

from ...audio import blocks, parse_raw
from ...console import Console
from ...inputs import live
from ...inputs.sources import Source, open_audio
from ...inputs.stop import Stop
from ...options import DenoiseOptions, InputOptions
from ...records import Recording, Sound
from ...run import batch
from ...spool import Spool
from .loudness import Report, Scorer
from .music import Notes

Floats = NDArray[np.float32]

EDGE = 0.010  # s, over which the level of the highest band is taken
TINY = 1e-12
MUSIC = "looks like music: a denoiser of speech takes much of that for noise (--strength leaves more of it)"


class Session(Protocol):
    """One input on its way through a denoiser, [channels, n] at the denoiser's rate, each sample at its own place."""

    def push(self, samples: Floats) -> Floats:
        """Take the next samples; what is ready of the result."""

    def finish(self) -> Floats:
        """No more samples will come; the rest: as many samples have come out as went in."""


@runtime_checkable
class Denoiser(Protocol):
    """A loaded model.

    latency: samples that it must have heard beyond the one that it gives out. wet: how much of what it gives measured best, the
    rest being the sound as it was.
    """

    sample_rate: int
    latency: int
    wet: float

    def begin(self, channels: int) -> Session: ...


@runtime_checkable
class Telling(Protocol):
    """A session that can say something about its input, once it is at its end."""

    def figures(self) -> dict[str, Any]: ...


class Fifo:
    """Samples [channels, n] that wait."""

    def __init__(self, channels: int) -> None:
        self._held = np.zeros((channels, 0), np.float32)

    def put(self, samples: Floats) -> None:
        self._held = np.concatenate([self._held, samples], axis=1)

    def take(self, n: int) -> Floats:
        """The first n, or all when there are fewer."""
        taken, self._held = self._held[:, :n], self._held[:, n:]
        return taken

    def __len__(self) -> int:
        return int(self._held.shape[1])


class Cleaning:
    """An input at its own rate through a denoiser: `push` blocks [channels, n], then `finish`; each gives what is ready.

    Above the denoiser's highest frequency nothing is known, so what lies there goes down with what was taken off the denoiser's
    own highest band, in steps of EDGE seconds.
    """

    def __init__(self, denoiser: Denoiser, sample_rate: int, channels: int, strength: float) -> None:
        self._session, self._strength, self._channels = denoiser.begin(channels), strength, channels
        self._waiting, self._heard = Fifo(channels), Fifo(channels)
        self._high = _High(channels, denoiser.sample_rate) if sample_rate > denoiser.sample_rate else None
        self._down = _resampler(sample_rate, denoiser.sample_rate, channels)
        self._up = _resampler(denoiser.sample_rate, sample_rate, channels * 3 if self._high else channels)

    def push(self, block: Floats) -> Floats:
        """The next samples."""
        self._waiting.put(block)
        return self._mixed(self._cleaned(self._down(block, False), False))

    def finish(self) -> Floats:
        """The rest; as many samples have come out as went in."""
        rest = self._cleaned(self._down(np.zeros((self._channels, 0), np.float32), True), True)
        missing = len(self._waiting) - rest.shape[1]
        return self._mixed(np.pad(rest, ((0, 0), (0, max(missing, 0)))))

    def figures(self) -> dict[str, Any]:
        """What the denoiser says about the input, for the record."""
        return self._session.figures() if isinstance(self._session, Telling) else {}

    def _cleaned(self, samples: Floats, last: bool) -> Floats:
        """What the denoiser makes of samples at its rate, back at the input's rate; with _High's channels if there are."""
        clean = self._session.push(samples)
        if last:
            clean = np.concatenate([clean, self._session.finish()], axis=1)
        if self._high:
            self._heard.put(samples)
            clean = self._high.beside(clean, self._heard.take(clean.shape[1]))
        return self._up(clean, last)

    def _mixed(self, clean: Floats) -> Floats:
        """The clean sound over the sound as it was."""
        original = self._waiting.take(clean.shape[1])
        clean = clean[:, : original.shape[1]]
        if self._high:
            clean, low, gain = np.split(clean, 3)
            clean = clean + np.clip(gain, 0.0, 1.0) * (original - low)
        return original + np.float32(self._strength) * (clean - original)


class _High:
    """What the band above a denoiser needs: beside its result [channels, n] what it heard, and the gain of its highest band."""

    def __init__(self, channels: int, sample_rate: int) -> None:
        self._keep = float(np.exp(-1 / (EDGE * sample_rate)))
        self._last = np.zeros((2 * channels, 1), np.float32)
        self._levels = np.zeros((2 * channels, 1))

    def beside(self, clean: Floats, heard: Floats) -> Floats:
        """[3 * channels, n]."""
        from scipy.signal import lfilter

        both = np.concatenate([clean, heard])
        if not both.shape[1]:  # of no samples scipy's filter returns a state of no meaning
            return np.zeros((len(both) * 3 // 2, 0), np.float32)
        # Twice the difference of neighbours: what is left is the upper half of the band.
        steps = np.diff(both, axis=1, prepend=self._last)
        self._last = both[:, -1:]
        levels, self._levels = lfilter([1 - self._keep], [1, -self._keep], steps**2, axis=1, zi=self._levels)
        after, before = np.split(levels, 2)
        gain = np.sqrt((after + TINY) / (before + TINY))
        return np.concatenate([both, np.minimum(gain, 1.0)]).astype(np.float32)


def _resampler(old: int, new: int, channels: int) -> Callable[[Floats, bool], Floats]:
    """A function of the next samples [channels, n], and whether they are the last, to what there is at the new rate."""
    if old == new:
        return lambda samples, last: samples
    stream = soxr.ResampleStream(old, new, channels, dtype="float32", quality="HQ")

    def resample(samples: Floats, last: bool) -> Floats:
        changed: Floats = stream.resample_chunk(np.ascontiguousarray(samples.T), last=last)
        return changed.T

    return resample


@dataclass(frozen=True)
class Work(batch.Work[Source, Recording]):
    """The runner of `audiocli denoise`: inputs in, complete records out; each streams through, so that hours fit."""

    denoiser: Denoiser
    reading: InputOptions
    options: DenoiseOptions
    recorded: dict[str, Any]  # the options as the record tells them
    model: str
    revision: str | None = None
    scorer: Scorer | None = None  # DNSMOS

    def __call__(self, batch: list[Source]) -> list[Recording]:
        """A record for each input. Raises InputError."""
        return [self._one(source) for source in batch]

    def _one(self, source: Source) -> Recording:
        with open_audio(source, self.reading, None, mono=False) as stream:
            spool, rate = Spool(stream.channels), stream.sample_rate
            report = Report(rate, self.scorer) if self.options.report else None
            cleaning = Cleaning(self.denoiser, rate, stream.channels, strength(self.options, self.denoiser))
            notes = Notes(rate)
            for original, clean in _pairs(stream.blocks, cleaning, stream.channels):
                spool.append(np.ascontiguousarray(clean.T))
                notes.push(original.mean(axis=0, dtype=np.float32))
                if report:
                    report.push(original, clean)
        figures = {**cleaning.figures(), **({"report": report.figures()} if report else {})}
        warnings = (*stream.warnings, *([MUSIC] if notes.music else ()), *(report.missing if report else ()))
        sound = Sound(rate, stream.channels, spool.n_rows, lambda: (b.T for b in spool.blocks()), stream.source_subtype)
        return Recording(
            path=source.path, duration=sound.duration, sample_rate=rate, task="denoise", model=self.model,
            revision=self.revision, options=self.recorded, status="ok" if spool.n_rows else "empty",
            warnings=warnings, sound=sound, details=figures,
        )  # fmt: skip


def _pairs(found: Iterator[Floats], cleaning: Cleaning, channels: int) -> Iterator[tuple[Floats, Floats]]:
    """Blocks of the sound as it was and as it is now; each pair has one length."""
    originals = Fifo(channels)
    for block in found:
        originals.put(block)
        clean = cleaning.push(block)
        yield originals.take(clean.shape[1]), clean
    clean = cleaning.finish()
    yield originals.take(clean.shape[1]), clean


def strength(options: DenoiseOptions, denoiser: Denoiser) -> float:
    """How much of the result is the denoiser's: what the user says, else what measured best."""
    return denoiser.wet if options.strength is None else options.strength


def pass_through(denoiser: Denoiser, options: DenoiseOptions, raw: str | None, console: Console) -> int:
    """Standard input to standard output, in its own format, until it ends or Ctrl-C; the exit code."""
    stop, warnings = Stop(Console(quiet=True)), list[str]()
    with stop.listening():
        chunks = stop.until_asked(live.chunks())
        start = live.opened(chunks, None if raw is None else parse_raw(raw), warnings)
        live.write_out(start.header)  # the sizes in it stay right: as many samples come out as go in
        cleaning = Cleaning(denoiser, start.raw.sample_rate, start.raw.channels, strength(options, denoiser))
        notes = Notes(start.raw.sample_rate)
        for block in blocks.finite(start.frames, warnings):
            live.write_out(live.encoded(cleaning.push(np.ascontiguousarray(block.T)).T, start.raw))
            notes.push(block.mean(axis=1, dtype=np.float32))
        live.write_out(live.encoded(cleaning.finish().T, start.raw))
        warnings += [MUSIC] if notes.music else []
    live.report(warnings, stop, console)
    return 130 if stop.interrupted else 0

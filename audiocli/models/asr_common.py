"""What the recognisers share: the silence gate, loops taken out of a text, and the record."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..audio import Audio
from ..errors import UsageError
from ..options import TranscribeOptions
from ..records import Segment, Transcript, Word
from .registry import ModelSpec

Spoken = TypeVar("Spoken", Segment, Word)
SILENCE = -65.0  # dBFS; far-field speech (AMI) lies around -50, 16-bit dither below -90
FRAME = 0.02  # s
BELOW = 35.0  # dB below the loudest frame of a clip, sound begins and ends
EDGE = 2  # frames that are kept around it: soft consonants
REPEATS = 3  # a phrase that follows itself so often is a loop of the decoder
PHRASE = 12  # words; longer loops are rare, and the compression ratio finds them


@dataclass(frozen=True)
class Found:
    """What a recogniser made of one clip. Segment texts keep their leading blank, so that joined they are the text."""

    segments: tuple[Segment, ...] = ()
    language: str | None = None
    dropped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


SILENT = Found(dropped=(f"silence: nothing louder than {SILENCE:g} dBFS",))


def refuse(name: str, options: TranscribeOptions, *fields: str, instead: str) -> None:
    """Raises UsageError when one of the options, which the model has not, was given."""
    default = TranscribeOptions()
    for field in fields:
        if getattr(options, field) != getattr(default, field):
            raise UsageError(f"{name} has no --{field.replace('_', '-')}: leave it out, or {instead}")


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


def checkpoint(kind: Any, path: Path, place: Any, **more: Any) -> Any:
    """A model of a transformers class from a local folder, on its device in its precision; never code, never a pickle."""
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")  # WavLM's own doing, and harmless
    dtype = getattr(torch, place.dtype)
    return kind.from_pretrained(path, local_files_only=True, dtype=dtype, **more).to(place.device).eval()


def extractor(path: Path) -> Any:
    """What makes a model's inputs of samples, as the folder says."""
    from transformers import AutoFeatureExtractor

    return AutoFeatureExtractor.from_pretrained(path, local_files_only=True)  # type: ignore[no-untyped-call]


def generation(**settings: Any) -> Any:
    """How to generate: these settings and transformers' defaults."""
    from transformers import GenerationConfig

    return GenerationConfig(**settings)  # type: ignore[no-untyped-call]


@contextmanager
def own_settings(model: Any) -> Iterator[None]:
    """Let generate() take nothing of the checkpoint's meanwhile: it fills with that what `generation` leaves open."""
    kept, model.generation_config = model.generation_config, generation()
    try:
        yield
    finally:
        model.generation_config = kept


def record(audio: Audio, spec: ModelSpec, found: Found) -> Transcript:
    """The record of one clip; no segments make it "no_speech"."""
    segments = tuple(_tidy(replace(s, words=tuple(_tidy(w) for w in s.words))) for s in found.segments)
    return Transcript(
        path=audio.name, duration=audio.duration, sample_rate=audio.sample_rate, task="transcribe", model=spec.name,
        revision=spec.revision, status="ok" if segments else "no_speech", warnings=found.warnings,
        text="".join(segment.text for segment in found.segments).strip(), language=found.language, segments=segments,
        dropped=found.dropped,
    )  # fmt: skip


def _tidy(part: Spoken) -> Spoken:
    """Without blanks around the text, times to the millisecond, probabilities to a thousandth."""
    sure = None if part.probability is None else round(part.probability, 3)
    return replace(part, text=part.text.strip(), start=round(part.start, 3), end=round(part.end, 3), probability=sure)


def without_loops(found: Found) -> Found:
    """Phrases that follow themselves at least REPEATS times are said once; what went is told in `dropped`."""
    units = [unit for segment in found.segments for unit in _units(segment)]
    keep, dropped = [True] * len(units), []
    for start, size, times in _loops([unit.casefold() for unit in units]):
        keep[start + size : start + size * times] = [False] * (size * (times - 1))
        dropped.append(f"repetition: {' '.join(units[start : start + size])!r} {times - 1} more times")
    if not dropped:
        return found
    left = iter(keep)
    shorter = [_kept(segment, [next(left) for _ in _units(segment)]) for segment in found.segments]
    return replace(found, segments=tuple(s for s in shorter if s.text.strip()), dropped=(*found.dropped, *dropped))


def _units(segment: Segment) -> list[str]:
    return [word.text.strip() for word in segment.words] or segment.text.split()


def _loops(units: Sequence[str]) -> list[tuple[int, int, int]]:
    """(start, length, times said) of the phrases that repeat at once, from the left, the shortest phrase first."""
    loops, at = [], 0
    while at < len(units):
        size, times = next(((n, _times(units, at, n)) for n in range(1, PHRASE + 1) if _times(units, at, n)), (1, 1))
        if times > 1:
            loops.append((at, size, times))
        at += size * times
    return loops


def _times(units: Sequence[str], at: int, size: int) -> int:
    """How often the phrase units[at : at + size] is said in a row, 0 when that is no loop."""
    phrase, times = units[at : at + size], 1
    while len(phrase) == size and units[at + times * size : at + (times + 1) * size] == phrase:
        times += 1
    return times if times > REPEATS else 0


def _kept(segment: Segment, keep: Sequence[bool]) -> Segment:
    """The segment with only the units that are kept."""
    if all(keep):
        return segment
    if not segment.words:
        return replace(segment, text="".join(f" {unit}" for unit in compress(segment.text.split(), keep)))
    words = tuple(compress(segment.words, keep))
    end = words[-1].end if words else segment.end
    return replace(segment, text="".join(word.text for word in words), words=words, end=end)

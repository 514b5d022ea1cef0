"""What the recognisers share: the silence gate, checkpoints, and the record."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..audio import Audio
from ..records import Segment, Transcript, Word
from .registry import ModelSpec

Spoken = TypeVar("Spoken", Segment, Word)
SILENCE = -65.0  # dBFS; far-field speech (AMI) lies around -50, 16-bit dither below -90
FRAME = 0.02  # s
BELOW = 35.0  # dB below the loudest frame of a clip, sound begins and ends
EDGE = 2  # frames that are kept around it: soft consonants


@dataclass(frozen=True)
class Found:
    """What a recogniser made of one clip. Segments and words keep the blank before them, so that joined they are the text."""

    segments: tuple[Segment, ...] = ()
    language: str | None = None
    dropped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


SILENT = Found(dropped=(f"silence: nothing louder than {SILENCE:g} dBFS",))


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
    segments = tuple(map(tidy, found.segments))
    return Transcript(
        path=audio.name, duration=audio.duration, sample_rate=audio.sample_rate, task="transcribe", model=spec.name,
        revision=spec.revision, status="ok" if segments else "no_speech", warnings=found.warnings,
        text="".join(segment.text for segment in found.segments).strip(), language=found.language, segments=segments,
        dropped=found.dropped,
    )  # fmt: skip


def tidy(segment: Segment) -> Segment:
    """A segment as records have it, with its words."""
    return replace(_tidy(segment), words=tuple(map(_tidy, segment.words)))


def _tidy(part: Spoken) -> Spoken:
    """Without blanks around the text, times to the millisecond, probabilities to a thousandth."""
    sure = None if part.probability is None else round(part.probability, 3)
    return replace(part, text=part.text.strip(), start=round(part.start, 3), end=round(part.end, 3), probability=sure)

"""Checkpoints of transformers, read from folders on this machine: weights, front ends, how to generate."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


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

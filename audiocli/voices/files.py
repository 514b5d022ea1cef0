"""Voices in files: what `audiocli clone --save-voice` writes and --voice reads; plain arrays, nothing that can run.

A .npy file is one vector. A .safetensors file holds several tensors by name (the speech itself, the embedding that judges by it,
statistics of pitch and spectrum, a speaker vector if one was made), and their origin in its metadata.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import OutputError, UsageError
from .timbre import Timbre

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Target:
    """A voice to imitate, as each model wants it.

    embedding [embedding]: by the encoder that judges. speech [n]: at timbre.SAMPLE_RATE, at one level, without its pauses.
    vectors: "xvector" [size] for SpeechT5, if one was made.
    """

    name: str
    embedding: Floats
    timbre: Timbre
    speech: Floats
    vectors: Mapping[str, Floats] = field(default_factory=dict)

    def write(self, path: Path, about: Mapping[str, str]) -> None:
        """Write a voice file. Raises OutputError."""
        own = {"embedding": self.embedding, "speech": self.speech}
        write(path, {**own, **self.timbre.arrays(), **self.vectors}, about)


def read(path: Path) -> tuple[dict[str, Floats], dict[str, str]]:
    """The arrays of a voice, and its metadata. Raises UsageError for any other file."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise UsageError(f"--voice {path}: no such file")
    try:
        if path.suffix == ".npy":
            return {"": np.asarray(np.load(path, allow_pickle=False), np.float32).reshape(-1)}, {}
        with safe_open(path, framework="numpy") as file:
            return {name: np.asarray(file.get_tensor(name), np.float32) for name in list(file.keys())}, dict(
                file.metadata() or {}
            )
    except (OSError, ValueError, SafetensorError) as error:
        raise UsageError(
            f"--voice {path} is not a voice: it must be .npy, or what audiocli clone --save-voice wrote"
        ) from error


def xvector(arrays: Mapping[str, Floats], size: int, name: str) -> Floats:
    """The speaker vector [size] for SpeechT5 among the arrays of a voice; a .npy file holds nothing else. Raises UsageError."""
    vector = arrays.get("xvector", arrays.get(""))
    if vector is None:
        raise UsageError(
            f"SpeechT5 needs a speaker vector of its own kind: give audiocli clone --speaker-model, an encoder with {size} values"
        )
    if vector.shape != (size,):
        raise UsageError(f"{name} holds {vector.size} numbers, and this model wants {size}")
    if not np.isfinite(vector).all():
        raise UsageError(f"{name} holds numbers that are NaN or infinite")
    return vector


def write(path: Path, arrays: Mapping[str, Floats], about: Mapping[str, str]) -> None:
    """Write a voice, whole or not at all. Raises OutputError where that cannot be."""
    from safetensors.numpy import save

    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, dict(about)))
        part.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from error

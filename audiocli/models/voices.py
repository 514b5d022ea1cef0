"""Voices in files: what `audiocli clone --save-voice` writes and --voice reads; plain arrays, nothing that can run.

A .npy file is one vector. A .safetensors file holds several tensors by name (a speaker vector of each kind that somebody made,
statistics of pitch and spectrum), and in its metadata where they come from.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import OutputError, UsageError

Floats = NDArray[np.float32]


def read(path: Path) -> tuple[dict[str, Floats], dict[str, str]]:
    """The arrays of a voice, and what its metadata say. Raises UsageError for a file that is none."""
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
            f"--voice {path} is no voice: it must be .npy, or what audiocli clone --save-voice wrote"
        ) from error


def vector(path: Path, kind: str) -> Floats:
    """The speaker vector [n] of a kind; a .npy file holds one only. Raises UsageError."""
    arrays, _ = read(path)
    found = arrays.get(kind, arrays.get(""))
    if found is None:
        raise UsageError(f"--voice {path} holds no {kind}, only {', '.join(sorted(arrays))}")
    if not np.isfinite(found).all():
        raise UsageError(f"--voice {path} holds numbers that are NaN or infinite")
    return found


def write(path: Path, arrays: Mapping[str, Floats], about: Mapping[str, str]) -> None:
    """Write a voice, whole or not at all. Raises OutputError where that cannot be."""
    from safetensors.numpy import save

    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, dict(about)))
        part.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from error

"""Rows for models that the registry does not have, by what lies in their folders."""

import fnmatch
import json
from pathlib import Path
from typing import Any

from ..errors import DownloadError, ModelError
from . import cache, registry
from .registry import ModelSpec, fits, installed
from .spec import EMBEDDING_FILE, SPEECHBRAIN_FILE


def _by_files(name: str, folder: Path, task: str, source: str) -> ModelSpec:
    """A row for a folder or an ONNX file of a library that writes no config.json. Raises ModelError.

    The models of a pipeline lie in folders below its own. Of ONNX files in a folder one is loaded.
    """
    beside = folder.with_name(f"{folder.name}.json")
    if folder.is_file() and not beside.is_file():
        raise DownloadError(f"there is no {beside.name} beside {folder}, which would say what it is")
    names = [beside.name] if folder.is_file() else [file.name for file in folder.iterdir() if file.is_file()]
    found = [mark for mark in registry.MARKS if fnmatch.filter(names, mark)]
    if not found or (found == [EMBEDDING_FILE] and task != "verify"):
        raise ModelError(f"{folder} has no config.json: a model's folder is what save_pretrained() writes")
    kind, adapter = registry.MARKS[found[0]]
    fits(name, kind, task)
    installed(name, adapter)
    size = sum(path.stat().st_size for end in ("bin", "ckpt") for path in folder.rglob(f"*.{end}"))
    size += max((path.stat().st_size for path in (folder, *folder.glob("*")) if path.suffix == ".onnx"), default=0)
    memory = 1.2 * size / 2**30
    return ModelSpec(name, kind, adapter, source, "not known", 16_000, memory)


def described(name: str, folder: Path, task: str, source: str) -> ModelSpec:
    """A row for a model that the registry does not have, by its config.json and its weights."""
    if not (folder / "config.json").exists() or (folder / SPEECHBRAIN_FILE).exists():
        return _by_files(name, folder, task, source)
    try:
        parsed = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind, adapter = row(name, parsed, task)
        memory = cache.memory(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise cache.damaged(name, folder) or error from error
    return ModelSpec(name, kind, adapter, source, "not known", _rate(folder), memory)


def row(name: str, parsed: dict[str, Any], task: str | None) -> tuple[str, str]:
    """The task and the adapter that a config.json stands for. Raises ModelError."""
    family = registry.family(parsed)
    kind = parsed.get("model_type")
    if family is None and kind in registry.FAMILIES:
        raise ModelError(
            f"{name} is an encoder ({kind}) that was trained for no task yet: take one that was fine-tuned"
        )
    if family is None:
        raise ModelError(f"{name} is of a family that no verb takes: {kind!r}")
    if task is not None:
        fits(name, family[0], task)
        installed(name, family[1])
    return family


def _rate(folder: Path) -> int:
    """Hz that the model's front end wants."""
    try:
        return int(json.loads((folder / "preprocessor_config.json").read_text())["sampling_rate"])
    except (OSError, ValueError, KeyError, TypeError):
        return 16_000

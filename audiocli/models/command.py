"""`audiocli models`: which models there are, which are on this machine, and which one each verb takes."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DownloadError, ModelError, UsageError, hint
from ..options import ModelOptions
from ..options.common import QUIET
from ..run import job as common

if TYPE_CHECKING:
    from .cache import Repo
    from .registry import ModelSpec

app = typer.Typer(
    name="models",
    help="Models: what there is, what is on this machine, and which one each verb takes.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="A short name, or org/name[@revision] of the hub.", metavar="NAME")]
Task = Annotated[str | None, typer.Option(help="Only models for this verb, as transcribe.", metavar="TASK")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]
COLUMNS = ("name", "task", "here", "memory", "licence", "source")


@app.command("list")
def list_(task: Task = None, as_json: Json = False) -> None:
    """List the models; * marks a verb's default."""
    common.start(lambda: _list(task, as_json))


@app.command()
def show(name: Name, as_json: Json = False) -> None:
    """Tell all that is known of a model."""
    common.start(lambda: _show(name, as_json))


@app.command()
def pull(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Fetch again what is here already.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never download.")] = ModelOptions.offline,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help=QUIET)] = False,
) -> None:
    """Fetch a model and print its folder.

    Goes on where an earlier try was cut off.
    """
    common.start(lambda: _pull(name, force, offline, quiet))


@app.command()
def where(name: Name) -> None:
    """Print the folder that a model is in."""
    common.start(lambda: _where(name))


@app.command()
def rm(name: Name) -> None:
    """Remove a model from this machine."""
    common.start(lambda: _rm(name))


@app.command()
def verify(name: Name) -> None:
    """Hash the files of a model; 1 when one is wrong."""
    common.start(lambda: _verify(name))


@app.command()
def use(
    task: Annotated[str, typer.Argument(help="The verb, as transcribe.", metavar="TASK")],
    name: Annotated[
        str | None,
        typer.Argument(help="A short name, a hub id, or a folder; without it, the built-in model.", metavar="[NAME]"),
    ] = None,
) -> None:
    """Choose the model that a verb takes.

    AUDIOCLI_<TASK>_MODEL comes before it, and --model before both.
    """
    common.start(lambda: _use(task, name))


def _list(task: str | None, as_json: bool) -> int:
    from . import registry

    if task is not None and task not in registry.VERBS:
        raise UsageError(f"no task {task!r}: {hint(task, registry.VERBS)}")
    rows = [row for row in (*_known(), *_others()) if task in (None, row["task"])]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        for line in _lines(rows):
            typer.echo(line)
    return 0


def _known() -> Iterator[dict[str, Any]]:
    """The rows of the registry."""
    from . import registry

    for spec in registry.MODELS.values():
        yield _described(spec)


def _others() -> Iterator[dict[str, Any]]:
    """Models in the cache that the registry does not have and a verb takes."""
    from . import cache, registry

    for repo in cache.present():
        folder = cache.cached(repo)
        if folder is None or registry.by_source(repo.id):
            continue
        family = registry.family(_config(folder))
        if family:
            yield {
                "name": repo.id, "task": family[0], "default": _is_default(repo.id, family[0]), "here": True,
                "memory_gib": round(cache.memory(folder), 1), "licence": "not known", "source": repo.id,
                "sample_rate": None, "revision": folder.name,
            }  # fmt: skip


def _config(folder: Path) -> dict[str, Any]:
    try:
        parsed = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _described(spec: "ModelSpec") -> dict[str, Any]:
    """A row of the registry, and whether it is on this machine."""
    from . import cache

    folder = None if spec.built_in else cache.cached(_repo(spec), spec.files)
    return {
        "name": spec.name, "task": spec.task, "default": _is_default(spec.name, spec.task),
        "here": cache.here(spec), "memory_gib": spec.memory_gib, "licence": spec.licence,
        "source": spec.source, "sample_rate": spec.sample_rate, "revision": folder.name if folder else spec.revision,
    }  # fmt: skip


def _is_default(name: str, task: str) -> bool:
    from . import config, registry

    try:
        chosen = config.default(task)
    except UsageError:
        return False
    spec = registry.by_name(chosen) or registry.by_source(chosen)
    return name in (chosen, spec and spec.name)


def _repo(spec: "ModelSpec") -> "Repo":
    from .cache import Repo

    return Repo(spec.source, spec.revision or "main")


def _lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A table with columns as wide as they need to be."""
    cells = [COLUMNS]
    for row in rows:
        here, memory = "yes" if row["here"] else "-", f"{row['memory_gib']:g} GiB"
        name = row["name"] + ("*" if row["default"] else "")
        cells.append((name, row["task"], here, memory, row["licence"], row["source"]))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _show(name: str, as_json: bool) -> int:
    from . import cache, registry

    spec, folder, repo = _resolved(name)
    row = _described(spec) if spec else {"name": name}
    if folder is not None:
        family = registry.family(_config(folder))
        row |= {"task": family[0] if family else None, "here": True, "folder": str(folder)}
        row |= {"size": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())}
    elif repo is not None:
        row |= {"here": False, "get it with": f"audiocli models pull {name}"}
    if repo is not None:
        row |= {"source": repo.id, "cache": str(cache.cache())}
    for line in [json.dumps(row, indent=2)] if as_json else (f"{key}: {value}" for key, value in row.items()):
        typer.echo(line)
    return 0


def _resolved(name: str) -> "tuple[ModelSpec | None, Path | None, Repo | None]":
    """The row, the folder on this machine, and the repository of a name."""
    from . import cache
    from .locate import resolve

    spec, folder, repo = resolve(name)
    if repo is not None:
        folder = cache.cached(repo, spec.files if spec else ())
    return spec, folder, repo


def _pull(name: str, force: bool, offline: bool, quiet: bool) -> int:
    from ..console import Console
    from . import locate as models

    console = Console(quiet)
    spec, folder, repo = _resolved(name)
    if repo is None:
        console.note(f"{name} is on this machine already: there is nothing to fetch")
        return 0
    if folder is not None and not force:
        console.note(f"{name} is here already; --force fetches it again")
    else:
        folder = models.fetch(name, force=force, offline=offline, tell=models.silent if quiet else console.note)
    if spec is not None and "-NC" in spec.licence:
        console.note(f"{name} is licensed {spec.licence}: not for commercial use")
    typer.echo(str(folder))
    return 0


def _here(name: str) -> Path:
    """The folder of a model that is on this machine. Raises ModelError."""
    spec, folder, _ = _resolved(name)
    if folder is not None:
        return folder
    if spec is not None and spec.built_in:
        if spec.weights is not None:
            return spec.weights
        raise ModelError(f"{spec.name} came with its package and has no folder of its own")
    raise DownloadError(f"{name} is not on this machine: 'audiocli models pull {name}' fetches it")


def _where(name: str) -> int:
    typer.echo(str(_here(name)))
    return 0


def _rm(name: str) -> int:
    from . import cache
    from .sources import hub

    spec, folder, repo = _resolved(name)
    if repo is None:
        what = "it is built in, and there is nothing to remove" if spec else f"it is a folder of yours: {folder}"
        raise ModelError(f"{name} is not in the cache: {what}")
    if not repo.folder.is_dir():
        raise DownloadError(f"{name} is not on this machine")
    common.say(f"removed {repo.id}, {hub.size(cache.remove(repo))}")
    return 0


def _verify(name: str) -> int:
    from . import cache

    _, folder, repo = _resolved(name)
    if folder is None and repo is not None:
        folder = repo.snapshot  # part of it is here: say what is wrong with that
    wrong = 0
    for file, problem in cache.problems(folder or _here(name), thorough=True):
        wrong += problem is not None
        typer.echo(f"{file}: {problem or 'ok'}")
    if not wrong and repo is not None and _resolved(name)[1] is None:
        wrong += 1
        common.say(f"some files of {name} are missing")
    if wrong and repo is not None:
        common.say(f"run 'audiocli models pull --force {name}'")
    return 1 if wrong else 0


def _use(task: str, name: str | None) -> int:
    from . import config, registry

    if name is not None:
        spec, folder, _ = _resolved(name)
        family = registry.family(_config(folder)) if folder else None
        if spec or family:
            registry.fits(name, spec.task if spec else family[0] if family else None, task)
        # A folder is meant from wherever the verb will run.
        name = os.path.abspath(os.path.expanduser(name)) if folder and _is_folder(name) else name
    config.use(task, name)
    chosen = config.choice(task)
    if chosen.origin == config.variable(task):
        common.say(f"{chosen.origin} is set and comes before it: {task} takes {chosen.name}")
    else:
        common.say(f"{task} takes {chosen.name} from now on ({config.path()})")
    return 0


def _is_folder(name: str) -> bool:
    from . import registry

    return registry.by_name(name) is None and os.path.isdir(os.path.expanduser(name))

"""`audiocli models`: which models there are, which are on this machine, and which one each verb takes."""

import json
from typing import Annotated

import typer

from ..console import Console
from ..errors import UsageError
from ..options import ModelOptions
from ..options.common import QUIET
from ..run import job as common

app = typer.Typer(
    name="models",
    help="Models: what there is, what is on this machine, and which one each verb takes.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="A short name, or org/name[@revision] of the hub.", metavar="NAME")]
Task = Annotated[str | None, typer.Option(help="Only models for this verb, as transcribe.", metavar="TASK")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]


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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With recommended: only say what would be fetched.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help=QUIET)] = False,
) -> None:
    """Fetch a model and print its folder.

    Goes on where an earlier try was cut off. NAME recommended: the best for each verb, which becomes its default.
    """
    common.start(lambda: _pull(name, force, offline, dry_run, quiet))


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
    from . import listing

    rows = listing.rows(task)
    for line in [json.dumps(rows, indent=2)] if as_json else listing.lines(rows):
        typer.echo(line)
    return 0


def _show(name: str, as_json: bool) -> int:
    from . import listing

    row = listing.known(name)
    for line in [json.dumps(row, indent=2)] if as_json else listing.details(row):
        typer.echo(line)
    return 0


def _pull(name: str, force: bool, offline: bool, dry_run: bool, quiet: bool) -> int:
    from . import recommended, upkeep

    if dry_run:
        if name != recommended.NAME:
            raise UsageError(f"--dry-run goes with 'audiocli models pull {recommended.NAME}'")
        for line in recommended.plan():
            typer.echo(line)
        return 0
    console, well = Console(quiet), True
    if name == recommended.NAME:
        folders, well = recommended.pull(force, offline, console)
    else:
        folder = upkeep.pull(name, force, offline, console)
        folders = [folder] if folder else []
    for folder in folders:
        typer.echo(str(folder))
    return 0 if well else 1


def _where(name: str) -> int:
    from . import upkeep

    typer.echo(str(upkeep.where(name)))
    return 0


def _rm(name: str) -> int:
    from . import upkeep

    upkeep.rm(name, Console())
    return 0


def _verify(name: str) -> int:
    from . import upkeep

    found, remedy = upkeep.verify(name)
    for file, problem in found:
        typer.echo(f"{file}: {problem or 'ok'}")
    if remedy:
        common.say(remedy)
    return 1 if remedy else 0


def _use(task: str, name: str | None) -> int:
    from . import upkeep

    common.say(upkeep.use(task, name))
    return 0

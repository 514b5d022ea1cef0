"""The app, and main(): everything that a process ends with."""

import os
import sys
from typing import Annotated

import typer

from . import __version__
from .commands import _common as common
from .commands import models
from .commands.features import features
from .commands.transcribe import transcribe
from .native import contain_native_stderr

app = typer.Typer(
    name="audiocli",
    help="One command line for audio files: whole folders, long files, pipes; right after install, offline.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help starts in half the time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(features)
app.command()(transcribe)
app.add_typer(models.app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"audiocli {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """One command line for audio files: whole folders, long files, pipes; right after install, offline."""


def main() -> None:
    """Run the command line; never a traceback unless AUDIOCLI_DEBUG is set."""
    _occupy_closed_descriptors()
    contain_native_stderr()
    try:
        app()
    except OSError as error:
        common.say(str(error))  # help that cannot be printed, a working folder that is gone
        sys.exit(1)
    except Exception as error:
        sys.exit(common.report_bug(error))


def _occupy_closed_descriptors() -> None:
    """Started as in `audiocli >&-`, the next file that is opened would become standard output."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free


if __name__ == "__main__":
    main()

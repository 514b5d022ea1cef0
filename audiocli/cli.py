"""The app, and main(), with every way in which the process can end."""

import gc
import logging
import os
import sys
import warnings
from typing import Annotated, NoReturn

import typer

from . import __version__
from .console import debugging
from .console.native import contain_native_stderr
from .errors import UsageError
from .models import command as models
from .run import job as common
from .training.command import train
from .verbs.classify.command import classify
from .verbs.clone.command import clone
from .verbs.denoise.command import denoise
from .verbs.diarize.command import diarize
from .verbs.doctor.command import doctor
from .verbs.features.command import features
from .verbs.generate_music.command import generate_music
from .verbs.speak.command import dashes, speak
from .verbs.transcribe.command import transcribe
from .verbs.verify.command import verify

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
app.command()(speak)
app.command()(clone)
app.command()(verify)
app.command()(diarize)
app.command()(classify)
app.command()(denoise)
app.command("generate-music")(generate_music)
app.command()(train)
app.command()(doctor)
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
    """Run the command line and end the process; never a traceback unless AUDIOCLI_DEBUG is set."""
    _occupy_closed_descriptors()
    contain_native_stderr()
    if not debugging():
        _hush_libraries()
    # Imports make many objects and no garbage: at the default threshold, looking for it takes a fifth of a short run.
    gc.set_threshold(100_000, 50, 100)
    _end(_exit_code())


def _hush_libraries() -> None:
    """Silence the warnings and logs of libraries: they are meant for programmers."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())  # without any, Python prints warnings on stderr
    for name in ("TRANSFORMERS_VERBOSITY", "HF_HUB_VERBOSITY"):  # these two have handlers of their own
        os.environ.setdefault(name, "error")


def _exit_code() -> int:
    """Run the app."""
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if code == UsageError.exit_code and (hint := dashes(sys.argv[1:])):
            common.say(hint)
        return code
    except OSError as error:
        common.say(str(error))  # help that cannot be printed, a working folder that is gone
        return 1
    except Exception as error:
        from .errors import libraries

        if libraries.is_broken(error):
            common.say(str(libraries.broken(error)))
            return 1
        return common.report_bug(error)
    return 0


def _end(code: int) -> NoReturn:
    """End at once: outputs are closed by now, and taking numba's and SciPy's modules down would take 0.1 to 0.2 s."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except BrokenPipeError:
        code = code or 1
    except (OSError, ValueError) as error:
        common.say(str(error))
        code = code or 1
    os._exit(code)


def _occupy_closed_descriptors() -> None:
    """Open closed standard streams: started as in `audiocli >&-`, the next file to be opened would become standard output."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free


if __name__ == "__main__":
    main()

"""`audiocli train`: the nets that are built in, and your own."""

import math
import shlex
import sys
from dataclasses import replace
from typing import Annotated

import typer

from ..console import Console
from ..errors import UsageError
from ..options import TrainOptions
from ..run import job as common
from . import recipes

DEFAULT = TrainOptions()
SUMMARY = "; ".join(f"{row.name} ({row.summary})" for row in recipes.RECIPES.values())


def train(
    recipe: Annotated[str, typer.Argument(help=f"What to train: {SUMMARY}.", metavar="RECIPE")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="A folder (the folders in it are labels), a TSV, CSV or JSONL with path and label, text or speaker, or "
            "LABEL=either (repeatable).",
            metavar="DATA",
        ),
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="The folder that the model is written to.", metavar="FOLDER")
    ] = DEFAULT.output,
    base: Annotated[
        str | None, typer.Option("--from", help="A model's folder to go on from (fine-tuning).", metavar="FOLDER")
    ] = DEFAULT.base,
    valid: Annotated[
        str | None,
        typer.Option(
            help="What is held out to choose the best epoch by: COLUMN=VALUE,VALUE, a share, or none (a tenth, by lot).",
            metavar="WHICH",
        ),
    ] = DEFAULT.valid,
    test: Annotated[
        str | None,
        typer.Option(help="What is held out to score once at the end: the same words (none).", metavar="WHICH"),
    ] = DEFAULT.test,
    epochs: Annotated[int | None, typer.Option(help="Times through the data, at most.", metavar="N")] = DEFAULT.epochs,
    minutes: Annotated[
        float | None, typer.Option(help="Time for training, at most; the rate falls to 0 within it.", metavar="N")
    ] = DEFAULT.minutes,
    batch_size: Annotated[int | None, typer.Option(help="Examples in a step.", metavar="N")] = DEFAULT.batch_size,
    rate: Annotated[float | None, typer.Option(help="The highest learning rate.", metavar="RATE")] = DEFAULT.rate,
    patience: Annotated[
        int | None, typer.Option(help="End after so many epochs without a better score, 0 for never.", metavar="N")
    ] = DEFAULT.patience,
    seed: Annotated[int, typer.Option(help="Of everything that is left to chance.", metavar="N")] = DEFAULT.seed,
    set: Annotated[
        list[str] | None, typer.Option(help="An option of the recipe's own (repeatable).", metavar="NAME=VALUE")
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="The data's licence and source, for the card.", metavar="TEXT")
    ] = DEFAULT.licence,
    device: common.Device = DEFAULT.device,
    precision: common.Precision = DEFAULT.precision,
    jobs: common.Jobs = DEFAULT.jobs,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last epoch of a run that was stopped.")
    ] = DEFAULT.resume,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that has something in it.")
    ] = DEFAULT.force,
    quiet: common.Quiet = DEFAULT.quiet,
) -> None:
    """Train a net on your own sounds; the built-in ones were made by this command, as their cards say.

    The folder that it writes (weights, config.json, a card, a log and its curves) loads with --model in the verb it is for.
    A run that is killed goes on with --resume.
    """
    own = TrainOptions(
        tuple(data or ()), output, base, valid, test, epochs, minutes, batch_size, rate, patience, seed, tuple(set or ()),
        licence, device, precision, jobs, resume, force, quiet,
    )  # fmt: skip
    common.start(lambda: run(recipe, own))


def check(options: TrainOptions) -> None:
    """Raises UsageError for numbers that mean nothing."""
    least = (
        ("--epochs", options.epochs, 1),
        ("--batch-size", options.batch_size, 1),
        ("--patience", options.patience, 0),
    )
    for name, value, smallest in least:
        if value is not None and value < smallest:
            raise UsageError(f"{name} must be {smallest} or more, not {value}")
    for name, number in (("--minutes", options.minutes), ("--rate", options.rate)):
        if number is not None and not 0.0 < number < math.inf:
            raise UsageError(f"{name} must be above 0, not {number:g}")


def run(recipe: str, options: TrainOptions) -> int:
    """Check and train; the exit code."""
    check(options)
    recipes.by_name(recipe)
    options = replace(options, jobs=common.cores(options.jobs))
    from .train import train

    return train(recipe, options, Console(options.quiet), shlex.join(["audiocli", *sys.argv[1:]]))

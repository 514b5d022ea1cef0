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
from ..run.verb import verb
from . import recipes

SUMMARY = "; ".join(f"{row.name} ({row.summary})" for row in recipes.RECIPES.values())
Recipe = Annotated[str, typer.Argument(help=f"What to train: {SUMMARY}.", metavar="RECIPE")]


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


@verb()
def train(recipe: Recipe, options: TrainOptions) -> int:
    """Train a net on your own sounds; the built-in ones were made by this command, as their cards say.

    The folder that it writes (weights, config.json, a card, a log and its curves) loads with --model in the verb it is for.
    A run that is killed goes on with --resume.
    """
    check(options)
    recipes.by_name(recipe)
    options = replace(options, jobs=common.cores(options.jobs))
    from .train import train as learn

    return learn(recipe, options, Console(options.quiet), shlex.join(["audiocli", *sys.argv[1:]]))

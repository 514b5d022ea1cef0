"""`audiocli train`: data, one loop and a recipe for each net; what it writes loads with --model."""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path

from ..console import Console
from ..errors import OutputError, TrainingError, UsageError
from ..options import TrainOptions
from . import recipes

# Options that may change between a kill and --resume without making it another run.
_FREE = ("output", "minutes", "resume", "force", "quiet", "jobs", "device", "precision", "licence")


def train(name: str, options: TrainOptions, console: Console, command: str) -> int:
    """Train a recipe's net and write its folder; the exit code. Raises UsageError, InputError, OutputError, TrainingError."""
    row = recipes.by_name(name)
    folder = _folder(options)
    key = _key(name, options)
    if options.resume and (folder / "model.safetensors").exists():
        _check_same(folder, key)
        console.note(f"{folder} is finished already")
        return 0
    recipe = recipes.make(row, options, console)

    from .. import device
    from . import loop, result

    where = device.place(options.device, options.precision, half="bfloat16")
    if where.dtype == "float16":
        raise UsageError("training in float16 overflows: --precision bfloat16 or float32")
    folder.mkdir(parents=True, exist_ok=True)
    limits = loop.Limits(options.minutes, options.resume)
    outcome = loop.fit(recipe, folder, key, where, console, seed=options.seed, jobs=options.jobs or 1, limits=limits)
    if outcome.reason == "interrupted":
        console.error(f"interrupted after {outcome.progress.epoch} epochs: --resume goes on from there")
        return 130
    if outcome.reason == "diverged" and not outcome.progress.epoch:
        raise TrainingError("the loss is not a number in the first epoch: give a lower --rate")
    scores = result.save_model(recipe, outcome, folder, row, options, where, command, key)
    console.note(", ".join([f"{folder} is ready", *(f"{name} {value:.4g}" for name, value in scores.items())]))
    if outcome.reason == "diverged":
        raise TrainingError(
            f"the loss became not a number in epoch {outcome.progress.epoch + 1}: {folder} holds the best before that"
        )
    return 0


def _folder(options: TrainOptions) -> Path:
    """The output folder. Raises UsageError, OutputError."""
    if not options.output:
        raise UsageError("give -o FOLDER for the model")
    if options.resume and options.force:
        raise UsageError("--resume goes on and --force begins anew: give one of them")
    folder = Path(options.output)
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is not a folder")
    if folder.is_dir() and os.listdir(folder) and not (options.resume or options.force):
        raise OutputError(f"{folder} is not empty: --resume goes on with a run, --force writes it again")
    return folder


def _check_same(folder: Path, key: str) -> None:
    """Raises UsageError when a finished run was one of other data or options: its learning rate has fallen to 0."""
    try:
        known = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("run", key)
    except (OSError, ValueError, AttributeError):
        return
    if known != key:
        raise UsageError(
            f"--resume: {folder} was finished with other data or options: --from {folder} -o FOLDER trains on from its weights, "
            "--force begins anew"
        )


def _key(name: str, options: TrainOptions) -> str:
    """A digest of all that shapes the run."""
    shaping = {key: value for key, value in asdict(options).items() if key not in _FREE}
    shaping["data"] = [os.path.normpath(entry) for entry in options.data]  # a folder is the same with a / behind it
    return hashlib.sha256(json.dumps([name, shaping], sort_keys=True).encode()).hexdigest()[:16]

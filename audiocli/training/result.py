"""The result of a training: a folder with weights, config.json, a card, a log and its curves."""

import csv
import datetime
import io
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from .. import __version__
from ..device import Place
from ..options import TrainOptions
from ..outputs.figures import tables as plots
from .loop import CHECKPOINT, Outcome, score
from .recipes import Row
from .settings import Recipe

ENDS = {
    "finished": "all epochs were done",
    "minutes": "the time was up",
    "patience": "no better score came",
    "diverged": "the loss was not a number; the best weights before that were kept",
}


def save_whole(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)


def save_model(
    recipe: Recipe,
    outcome: Outcome,
    folder: Path,
    row: Row,
    options: TrainOptions,
    where: Place,
    command: str,
    key: str,
) -> dict[str, float]:
    """Write the folder; the scores of the weights as they are stored."""
    net = recipe.net
    if recipe.half:
        net.half().float()  # so that scores are those of the stored weights
    held = {f"held-out {name}": value for name, value in _tested(recipe).items()}
    scores = {**score(recipe, net), **held}
    tensors = {name: _stored(value, recipe.half) for name, value in net.state_dict().items()}
    config = {**recipe.config(), "recipe": row.name, "run": key, "scores": scores, "audiocli": __version__}
    for name, data in recipe.files().items():
        save_whole(folder / name, data)
    save_whole(folder / "config.json", (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode())
    text = card(recipe, outcome, folder.resolve().name, row, options, where, command, scores)
    save_whole(folder / "README.md", text.encode())
    history = outcome.progress.history
    save_whole(folder / "log.csv", _log(history))
    save_whole(folder / "curves.png", plots.curves(history, folder.resolve().name))
    # The weights come last: where they are, the folder is complete.
    save_whole(folder / "model.safetensors", save(tensors, {"format": "pt"}))
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return scores


def _tested(recipe: Recipe) -> dict[str, float]:
    recipe.net.eval()
    with torch.inference_mode():
        return recipe.test(recipe.net)


def _stored(value: torch.Tensor, half: bool) -> torch.Tensor:
    stored = value.half() if half and value.is_floating_point() else value
    return stored.detach().cpu().contiguous()


def _log(history: list[dict[str, float]]) -> bytes:
    """A row an epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in history for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue().encode()


def card(
    recipe: Recipe, outcome: Outcome, name: str, row: Row, options: TrainOptions, where: Place, command: str,
    scores: Mapping[str, float],
) -> str:  # fmt: skip
    """The model's README: its purpose, training data and scores."""
    about, progress = recipe.about(), outcome.progress
    count = sum(parameter.numel() for parameter in recipe.net.parameters())
    spent = f"{progress.epoch} epochs, {progress.step:,} steps, {progress.seconds / 60:.1f} minutes"
    facts = {
        "for": f"`audiocli {row.task} {row.option} {name}`",
        "architecture": about.architecture,
        "weights": f"{count:,}, stored in {16 if recipe.half else 32} bits",
        "data": about.data,
        "licence of the data": options.licence or "not said",
        "recipe": f"`{command}`",
        "training": f"{spent}; the weights are of epoch {progress.best_epoch}; it ended because: {ENDS[outcome.reason]}",
        "machine": _machine(where),
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    }
    lines = [f"# {name}", "", about.what, "", "| | |", "| --- | --- |"]
    lines += [f"| {key} | {value} |" for key, value in facts.items()]
    lines += ["", "## Scores", "", about.scores, "", "| score | value |", "| --- | --- |"]
    lines += [f"| {key} | {value:.4g} |" for key, value in scores.items()]
    return "\n".join(lines) + "\n"


def _machine(where: Place) -> str:
    device: Any = where.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{platform.machine()} processor"
    return f"{name}, {torch.get_num_threads()} threads, {where.dtype}, torch {torch.__version__}"

"""One loop for every recipe: batches made ahead on threads, a schedule, the best weights kept, whole after a kill.

No trainer framework: a recipe says what its batches, its loss and its score are, `fit` does the rest.
"""

import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from ..console import Console, Steps
from ..device import Place
from ..errors import UsageError
from ..inputs.stop import Stop
from ..run.prefetch import prefetch
from .settings import Batch, Recipe

CHECKPOINT = "checkpoint.pt"
AHEAD = 4  # batches that are made before they are needed


@dataclass
class Progress:
    """How far a run is: all that --resume needs besides the weights."""

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """How a run ended: "finished", "minutes", "patience", "interrupted" or "diverged"; the net has its best weights."""

    reason: str
    progress: Progress


@dataclass(frozen=True)
class Limits:
    """Where a run ends besides its epochs."""

    minutes: float | None = None
    resume: bool = False


def fit(
    recipe: Recipe, folder: Path, key: str, where: Place, console: Console, *, seed: int, jobs: int, limits: Limits
) -> Outcome:  # fmt: skip
    """Train the recipe's net; checkpoints go into the folder. Raises UsageError for a checkpoint of another run."""
    torch.manual_seed(seed)
    run = _Run(recipe, folder, key, where, seed, limits)
    if limits.resume:
        run.restore()
    stop = Stop(console, "stopping after the step in hand; finished epochs are kept")
    total = recipe.settings.epochs * recipe.steps
    with stop.listening(), ThreadPoolExecutor(jobs) as pool, console.bar(total, "training") as bar:
        bar.step(run.progress.step)
        reason = _epochs(run, pool, stop, console, bar)
    run.best_into_net()
    return Outcome(reason, run.progress)


def _epochs(run: "_Run", pool: ThreadPoolExecutor, stop: Stop, console: Console, bar: Steps) -> str:
    while run.progress.epoch < run.recipe.settings.epochs:
        reason, loss = run.train_epoch(pool, stop, bar)
        if reason in ("interrupted", "diverged"):
            return reason
        scores = run.finish_epoch(loss)
        told = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
        console.note(f"epoch {run.progress.epoch} of {run.recipe.settings.epochs}: {told}")
        if reason or run.out_of_patience:
            return reason or "patience"
    return "finished"


class _Run:
    """The state of a training: net, mean of its weights, optimiser, progress."""

    def __init__(self, recipe: Recipe, folder: Path, key: str, where: Place, seed: int, limits: Limits) -> None:
        self.recipe, self.folder, self.key, self.seed, self.limits = recipe, folder, key, seed, limits
        self.device, self.dtype = where.device, getattr(torch, where.dtype)
        self.net = recipe.net.to(self.device)
        chosen = recipe.settings
        mean = running_mean(chosen.average)
        self.mean = AveragedModel(self.net, multi_avg_fn=mean, use_buffers=True) if chosen.average else None
        self.optimiser = torch.optim.AdamW(_groups(self.net, chosen.weight_decay), lr=chosen.rate)
        self.progress = Progress()
        self.first = (
            {name: value.detach().clone() for name, value in self.net.state_dict().items()} if chosen.kept else {}
        )
        self.best: dict[str, Tensor] | None = None

    @property
    def scored(self) -> nn.Module:
        """The weights that are scored and kept."""
        return self.net if self.mean is None else self.mean.module

    @property
    def out_of_patience(self) -> bool:
        patience, progress = self.recipe.settings.patience, self.progress
        return bool(patience) and progress.epoch - progress.best_epoch >= patience

    def train_epoch(self, pool: ThreadPoolExecutor, stop: Stop, bar: Steps) -> tuple[str, float]:
        """(why the run ends here or "", mean loss)."""
        torch.manual_seed(self.seed + 1_000_003 * (self.progress.epoch + 1))  # dropout, too, is as it was before a kill
        self.net.train()
        total, start = torch.zeros((), device=self.device), time.monotonic()
        thunks = self.recipe.batches(self.progress.epoch)
        count, reason = 0, ""
        for batch in prefetch(lambda make: make(), thunks, pool, AHEAD):
            assert batch is not None
            loss = self._step(batch, self._share(count, time.monotonic() - start))
            count += 1
            total += loss
            bar.step(remark=f"loss {float(loss):.4f}")
            if reason := self._ends(loss, stop, time.monotonic() - start):
                break
        self.progress.seconds += time.monotonic() - start
        self.progress.step += count
        return reason, float(total) / max(count, 1)

    def _step(self, batch: Batch, share: float) -> Tensor:
        """One batch; its loss."""
        chosen = self.recipe.settings
        for group in self.optimiser.param_groups:
            group["lr"] = chosen.rate * factor(share, chosen.warmup)
        moved = {name: value.to(self.device, non_blocking=True) for name, value in batch.items()}
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            loss = self.recipe.loss(self.net, moved)
        self.optimiser.zero_grad(set_to_none=True)
        if not torch.isfinite(loss):
            return loss.detach()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), chosen.clip)
        self.optimiser.step()
        if self.mean is not None:
            self.mean.update_parameters(self.net)
        return loss.detach()

    def _share(self, count: int, seconds: float) -> float:
        """How much of the run is over, by steps or by minutes, whichever is further."""
        by_steps = (self.progress.step + count) / (self.recipe.settings.epochs * self.recipe.steps)
        if self.limits.minutes is None:
            return by_steps
        return max(by_steps, (self.progress.seconds + seconds) / (60 * self.limits.minutes))

    def _ends(self, loss: Tensor, stop: Stop, seconds: float) -> str:
        if not torch.isfinite(loss):
            return "diverged"
        if stop.asked:
            return "interrupted"
        over = self.limits.minutes is not None and self.progress.seconds + seconds >= 60 * self.limits.minutes
        return "minutes" if over else ""

    def finish_epoch(self, loss: float) -> dict[str, float]:
        """Score, remember the best, write the checkpoint; the scores."""
        progress, recipe = self.progress, self.recipe
        progress.epoch += 1
        scores = {"loss": loss, **score(recipe, self.scored)}
        now = scores.get(recipe.metric or "")
        if now is None or better(now, progress.best, recipe.higher):
            progress.best, progress.best_epoch = now, progress.epoch
            self.best = {name: value.detach().clone() for name, value in self.scored.state_dict().items()}
        row = {"epoch": progress.epoch, "step": progress.step, "seconds": round(progress.seconds, 1), **scores}
        progress.history.append(row)
        self.save()
        return scores

    def best_into_net(self) -> None:
        """Put the weights that are kept into the net, between those that it began from and the best."""
        if self.best is not None:
            self.net.load_state_dict(self.best)
        elif self.mean is not None:
            self.net.load_state_dict(self.mean.module.state_dict())
        for name, value in self.net.state_dict().items():
            if name in self.first and value.is_floating_point():
                value.lerp_(self.first[name], self.recipe.settings.kept)
        self.net.eval()

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        state = {
            "key": self.key, "net": self.net.state_dict(), "mean": self.mean and self.mean.state_dict(),
            "optimiser": self.optimiser.state_dict(), "best": self.best, "progress": vars(self.progress),
        }  # fmt: skip
        part = self.folder / f".{CHECKPOINT}.part"
        torch.save(state, part)
        os.replace(part, self.folder / CHECKPOINT)

    def restore(self) -> None:
        """Go on from the checkpoint. Raises UsageError when there is none of this run."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            raise UsageError(f"--resume: there is no {path}")
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["key"] != self.key:
            raise UsageError(f"{path} is of a run with other data or options: --force begins anew")
        self.net.load_state_dict(state["net"])
        if self.mean is not None:
            self.mean.load_state_dict(state["mean"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.best, self.progress = state["best"], Progress(**state["progress"])


def score(recipe: Recipe, net: nn.Module) -> dict[str, float]:
    """The recipe's scores of a net."""
    net.eval()
    with torch.inference_mode():
        return recipe.validate(net)


def better(now: float, best: float | None, higher: bool) -> bool:
    """Whether a score is the best so far; NaN never is."""
    if math.isnan(now):
        return False
    return best is None or (now > best if higher else now < best)


def factor(share: float, warmup: float) -> float:
    """Of the highest rate, when `share` of the run is over: a line up, then a cosine down to 0."""
    if share < warmup:
        return (share + 1e-3) / (warmup + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * min((share - warmup) / (1 - warmup), 1.0)))


def running_mean(decay: float) -> Callable[[Any, Any, Any], None]:
    """Exponential mean for AveragedModel whose decay grows with the steps: the first weights are nothing to remember."""

    def update(means: Any, values: Any, count: Any) -> None:
        steps = float(count)
        share = 1.0 - min(decay, (1.0 + steps) / (10.0 + steps))
        if torch.is_floating_point(means[0]):
            torch._foreach_lerp_(means, values, share)
        else:
            for mean, value in zip(means, values, strict=True):
                mean.copy_(value)

    return update


def _groups(net: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weights decay; biases and the gains of norms do not."""
    wide = [p for p in net.parameters() if p.requires_grad and p.ndim > 1]
    narrow = [p for p in net.parameters() if p.requires_grad and p.ndim <= 1]
    return [{"params": wide, "weight_decay": weight_decay}, {"params": narrow, "weight_decay": 0.0}]

"""What a recipe is, how a net is trained, and what a user's options change of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, TypeVar

from torch import Tensor, nn

from ..errors import UsageError, hint
from ..options import TrainOptions

Batch = dict[str, Tensor]
Own = TypeVar("Own")


@dataclass(frozen=True)
class Settings:
    """How a net is trained.

    average: decay of the running mean of the weights, which is what is scored and kept (0: none). kept: share of the weights begun
    from in the result, so that a net that is trained on forgets less (Wortsman et al. 2022); epochs are scored without.
    """

    epochs: int = 50
    batch_size: int = 32
    rate: float = 1e-3  # the highest, after the warm-up; it falls to 0 along a cosine
    weight_decay: float = 1e-2
    warmup: float = 0.05  # of the run
    clip: float = 1.0  # the gradient's norm
    average: float = 0.0
    kept: float = 0.0
    patience: int = 0  # epochs without a better score end the run (0: never)


@dataclass(frozen=True)
class About:
    """What a model's card says besides its figures."""

    what: str  # what it is for
    architecture: str  # and its paper
    data: str  # what it was trained on, what was held out
    scores: str  # what the figures mean


class Recipe(Protocol):
    """What is trained, on what, for what. Its metric decides which epoch is kept; without one, or no scores, the last is."""

    net: nn.Module
    settings: Settings
    steps: int  # batches an epoch
    metric: str | None
    higher: bool  # more of the metric is better
    half: bool  # weights are stored in 16 bits

    def batches(self, epoch: int) -> Iterator[Callable[[], Batch]]:
        """An epoch's batches, to be made on threads: always the same ones for the same epoch."""

    def loss(self, net: nn.Module, batch: Batch) -> Tensor:
        """What is to become small."""

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Scores on what is held out to choose by; {} when nothing is."""

    def test(self, net: nn.Module) -> dict[str, float]:
        """Scores on what nothing was chosen by, asked for once at the end; {} when there is no such data."""

    def config(self) -> dict[str, Any]:
        """What config.json holds: `model_type`, and all that makes the same net again."""

    def files(self) -> dict[str, bytes]:
        """What else the folder holds, by name."""

    def about(self) -> About:
        """For the card."""


def configured(default: Own, options: TrainOptions) -> Own:
    """A recipe's own frozen dataclass of options with the NAME=VALUE of --set over it. Raises UsageError."""
    known = {field.name: getattr(default, field.name) for field in fields(default)}  # type: ignore[arg-type]
    given: dict[str, Any] = {}
    for entry in options.set:
        name, equals, value = entry.partition("=")
        if not equals or name not in known:
            raise UsageError(f"--set {entry}: give NAME=VALUE; {hint(name, known)}")
        try:
            given[name] = _like(known[name], value)
        except ValueError as error:
            raise UsageError(f"--set {entry}: {name} is like {known[name]!r}") from error
    return replace(default, **given)  # type: ignore[type-var]


def _like(example: Any, value: str) -> Any:
    """A value of the type of the example. Raises ValueError."""
    if isinstance(example, tuple):
        return tuple(_like(example[0], part) for part in value.split(","))
    if isinstance(example, bool):
        if value.lower() not in ("true", "false"):
            raise ValueError(value)
        return value.lower() == "true"
    return type(example)(value)


def settled(default: Own, options: TrainOptions) -> Own:
    """A recipe's Settings with what the user gave over them."""
    given = {name: getattr(options, name, None) for name in ("epochs", "batch_size", "rate", "patience")}
    return replace(default, **{name: value for name, value in given.items() if value is not None})  # type: ignore[type-var]

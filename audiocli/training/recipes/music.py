"""The recipes of the nets for four-part music: chorales from a grid in JSON or from MIDI files, in all keys that fit the voices."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ...console import Console
from ...errors import AudiocliError, InputError, UsageError
from ...music import tokens
from ...music.grid import RANGES, Grid, grid, moved, shifts
from ...music.tokens import N_TOKENS, Steps
from ...nets.music_lstm import MusicLSTM
from ...nets.music_transformer import MusicTransformer
from ...options import TrainOptions
from ..base import begin_from
from ..data import shuffled, split
from ..examples import Example, examples
from ..settings import About, Batch, Settings, configured, settled

KIND = "audiocli-music"
MIDI = frozenset({".mid", ".midi"})
SPLITS = ("train", "valid", "test")
PADDING = -1  # as a target: ignored


@dataclass(frozen=True)
class Own:
    """The settings that --set changes."""

    width: int = 128
    layers: int = 4
    heads: int = 4
    reach: int = 192  # steps that a layer of the transformer looks back
    dropout: float = 0.1
    crop: int = 192  # steps of a piece that are seen at once, and less, down to a third
    repeats: int = 4  # times that each piece comes in an epoch, each time in a random key
    starts: float = 0.25  # share of the crops that begin as their piece does: only there the key cannot be heard yet
    hidden: float = 0.3  # share of the crops whose key is hidden, and of those whose end is
    mean: float = 0.998  # decay of the running mean of the weights


def lstm(options: TrainOptions, console: Console) -> "MusicRecipe":
    """Two layers of LSTM. Raises UsageError, InputError."""
    own = configured(Own(width=256, layers=2, dropout=0.3), options)
    shape = {"width": own.width, "layers": own.layers, "dropout": own.dropout}
    return _recipe("lstm", shape, own, options, console)


def transformer(options: TrainOptions, console: Console) -> "MusicRecipe":
    """The transformer with relative attention. Raises UsageError, InputError."""
    own = configured(Own(), options)
    shape = {name: getattr(own, name) for name in ("width", "heads", "layers", "reach", "dropout")}
    return _recipe("transformer", shape, own, options, console)


NETS: dict[str, Callable[..., nn.Module]] = {"lstm": MusicLSTM, "transformer": MusicTransformer}
PAPERS = {
    "lstm": "two layers of LSTM (Hochreiter & Schmidhuber 1997)",
    "transformer": "decoder-only transformer with relative attention (Huang et al., Music Transformer, 2018)",
}


def _recipe(kind: str, shape: dict[str, Any], own: Own, options: TrainOptions, console: Console) -> "MusicRecipe":
    parts = pieces(options, console)
    torch.manual_seed(options.seed)
    net = NETS[kind](N_TOKENS, **shape)
    begin_from(options.base, net, KIND)
    return MusicRecipe(kind, net, shape, own, options, parts)


def pieces(options: TrainOptions, console: Console) -> dict[str, list[Grid]]:
    """The pieces of each split. Raises UsageError, InputError."""
    if len(options.data) == 1 and options.data[0].endswith(".json"):
        return from_json(Path(options.data[0]))
    rows, how = examples(options.data, MIDI), (options.valid, options.test, options.seed)
    split(rows, *how)  # a choice that cannot be made is reported first
    read = _readable(rows, console)
    if not read:
        raise InputError("no MIDI file to train on can be read")
    parts = split([row for row, _ in read], *how)
    pieces_of = {id(row): piece for row, piece in read}
    return {name: [pieces_of[id(row)] for row in getattr(parts, name)] for name in SPLITS}


def from_json(path: Path) -> dict[str, list[Grid]]:
    """A file of the form {"train": [[[pitch, ...] a sixteenth] a piece], "valid": ..., "test": ...}. Raises UsageError."""
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
        grids = {name: [grid(piece) for piece in parsed.get(name, ())] for name in SPLITS}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"--data {path}: not JSON of train, valid and test pieces: {error}") from error
    if not grids["train"]:
        raise UsageError(f"--data {path}: holds nothing to train on")
    return grids


def _readable(rows: Sequence[Example], console: Console) -> list[tuple[Example, Grid]]:
    """The files that hold four-part music, with the music; the others are reported, counted and left out."""
    from ...music import midi

    readable: list[tuple[Example, Grid]] = []
    for row in rows:
        try:
            readable.append((row, midi.read(row.path).grid))
        except AudiocliError as error:
            console.error(f"{row.path}: {error}")
    if len(readable) < len(rows):
        console.error(f"{len(rows) - len(readable)} of {len(rows)} files cannot be used and are left out")
    return readable


class MusicRecipe:
    """Trains nets.music_lstm or nets.music_transformer."""

    metric, higher, half = "nll", False, True

    def __init__(
        self, kind: str, net: nn.Module, shape: dict[str, Any], own: Own, options: TrainOptions,
        parts: dict[str, list[Grid]],
    ) -> None:  # fmt: skip
        self.kind, self.net, self.shape, self.own, self.options = kind, net, shape, own, options
        self.settings = settled(
            Settings(epochs=120, batch_size=8, rate=3e-3, weight_decay=1e-2, average=own.mean), options
        )
        self._parts = parts
        self._train = [[tokens.steps(moved(piece, by)) for by in shifts(piece)] for piece in parts["train"]]
        self.steps = sum(1 for _ in self._order(0))

    def _order(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        count = self.own.repeats * len(self._train)
        yield from shuffled(count, self.settings.batch_size, [self.options.seed, epoch])

    def batches(self, epoch: int) -> Iterator[Callable[[], Batch]]:
        """Crops in random keys."""
        for number, some in enumerate(self._order(epoch)):
            yield partial(self._batch, some % len(self._train), [self.options.seed, epoch, number, 1])

    def _batch(self, numbers: NDArray[np.int64], seed: Sequence[int]) -> Batch:
        random = np.random.default_rng(seed)
        length = int(random.integers(self.own.crop // 3, self.own.crop + 1))
        return padded([self._crop(self._train[int(number)], length, random) for number in numbers])

    def _crop(self, keys: Sequence[Steps], length: int, random: np.random.Generator) -> Steps:
        """Steps of a piece in one of its keys."""
        whole = keys[int(random.integers(len(keys)))]
        begins = random.random() < self.own.starts
        start = 0 if begins else int(random.integers(0, max(len(whole.now) - length, 0) + 1))
        no_key, no_end = random.random(2) < self.own.hidden
        context = tokens.without_hints(whole.context, key=bool(no_key), end=bool(no_end))
        return Steps(*(part[start : start + length] for part in whole._replace(context=context)))

    def loss(self, net: nn.Module, batch: Batch) -> Tensor:
        """Cross-entropy, nats a token."""
        logits = net(batch["before"], batch["held"], batch["context"], batch["now"].clamp(min=0))
        return functional.cross_entropy(logits.float().flatten(0, -2), batch["now"].flatten(), ignore_index=PADDING)

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Nats a token of the pieces that are held out to choose by, their keys and ends hidden."""
        grids = self._parts["valid"]
        return {"nll": nll(net, grids)} if grids else {}

    def test(self, net: nn.Module) -> dict[str, float]:
        """The same of the test pieces, and with their keys and ends given."""
        grids = self._parts["test"]
        if not grids:
            return {}
        return {"nll": nll(net, grids), "nll with key and end told": nll(net, grids, hints=True)}

    def config(self) -> dict[str, Any]:
        """The fields of config.json."""
        return {
            "model_type": KIND, "net": self.kind, "n_tokens": N_TOKENS, "ranges": RANGES, "shape": self.shape,
            "settings": asdict(self.settings), "own": asdict(self.own),
        }  # fmt: skip

    def files(self) -> dict[str, bytes]:
        """No files besides the net's."""
        return {}

    def about(self) -> About:
        """The texts of the card."""
        counts = ", ".join(f"{len(self._parts[name])} pieces {name}" for name in SPLITS)
        return About(
            "Composes and goes on with four-part chorales, and harmonises melodies.",
            f"{PAPERS[self.kind]} over sixteenths; within one the voices come one after the other, each given those above it",
            f"{counts}; from {', '.join(self.options.data)}; the train pieces in all keys that fit the voices",
            "nll is in nats a token, one token a voice a sixteenth (the unit of the Music Transformer's chorales; four times it "
            "is nats a frame); `held-out` scores are on the test pieces, by which nothing was chosen. Pieces are scored whole, "
            "with their keys and ends hidden unless it says so.",
        )


def padded(parts: Sequence[Steps]) -> Batch:
    """Pieces of any lengths as one batch."""
    longest = max(len(part.now) for part in parts)

    def stacked(name: str, fill: int) -> Tensor:
        rows = [getattr(part, name) for part in parts]
        result = np.full((len(rows), longest, rows[0].shape[1]), fill, np.int64)
        for place, row in zip(result, rows, strict=True):
            place[: len(row)] = row
        return torch.from_numpy(result)

    return {name: stacked(name, PADDING if name == "now" else 0) for name in Steps._fields}


def nll(net: nn.Module, grids: Sequence[Grid], *, hints: bool = False, at_once: int = 4) -> float:
    """Mean nats a token over whole pieces; hints: their keys and ends are given."""
    device = next(net.parameters()).device
    every = [tokens.steps(piece) for piece in sorted(grids, key=len)]
    if not hints:
        every = [one._replace(context=tokens.without_hints(one.context, key=True, end=True)) for one in every]
    total, count = 0.0, 0
    for first in range(0, len(every), at_once):
        batch = {name: value.to(device) for name, value in padded(every[first : first + at_once]).items()}
        now = batch.pop("now")
        logits = net(**batch, now=now.clamp(min=0)).float()
        loss = functional.cross_entropy(logits.flatten(0, -2), now.flatten(), ignore_index=PADDING, reduction="sum")
        total, count = total + float(loss), count + int((now != PADDING).sum())
    return total / count

"""The recipe of a sound classifier: random crops, gain, mixed examples, masked spectra."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ...console import Console
from ...errors import UsageError
from ...nets.classifier import Classifier, mask
from ...options import TrainOptions
from ..data import Clips, crop, labels, load_parts, shuffled
from ..examples import examples
from ..settings import About, Batch, Settings, configured, settled

SILENCE = "silence"
CUTOFFS = (3_400.0, 4_000.0, 5_500.0, 8_000.0, 11_000.0)  # Hz: telephones and usual sample rates


@dataclass(frozen=True)
class Own:
    """What --set changes."""

    sample_rate: int = 32_000
    n_fft: int = 1_024
    hop_length: int = 800
    n_mels: int = 64
    widths: tuple[int, ...] = (24, 48, 96, 192)
    dropout: float = 0.3
    window: float = 5.0  # s that are seen at once; trained on this much and less
    shortest: float = 1.0  # s
    background: float = 0.5  # share of the examples with noise behind them
    limited: float = 0.3  # share whose band is cut off, so that a label is not known by its recorder
    mixup: float = 0.5  # share of the examples that are mixed with another
    bands: int = 12  # masked at most
    frames: float = 0.2  # of a window, masked at most
    per_label: int = 0  # examples of a label an epoch, at most (0: all)
    silence: bool = False  # a label of silence and faint noise, made as it goes
    mean: float = 0.995  # decay of the running mean of the weights


@dataclass(frozen=True)
class Data:
    """Clips and their labels' numbers [clips]."""

    clips: Clips
    targets: NDArray[np.int64]


def make(options: TrainOptions, console: Console) -> "ClassifierRecipe":
    """Read the data and make the net. Raises UsageError, InputError."""
    return recipe(ClassifierRecipe, options, console)


def recipe(kind: "type[ClassifierRecipe]", options: TrainOptions, console: Console) -> "ClassifierRecipe":
    """The recipe of that kind with its data. Raises UsageError, InputError, ModelError."""
    own = configured(kind.own_options(options.base), options)
    rows = examples(options.data)
    names = labels(rows)
    parts = load_parts(rows, own.sample_rate, options, console)
    missing = sorted(set(names) - {row.label for row in parts[0].rows})
    if missing:
        raise UsageError(f"no example of {', '.join(missing)} is left to train on")
    every = [Data(clips, np.array([names.index(row.label) for row in clips.rows], np.int64)) for clips in parts]
    for name, count in zip(names, np.bincount(every[0].targets, minlength=len(names)), strict=True):
        if count < 2:
            console.error(f"{name}: {count} example to train on; that is hardly enough to know it again")
    if own.silence:
        names = [*names, SILENCE]
    return kind(options, own, names, *every)


class ClassifierRecipe:
    """Trains nets.classifier."""

    metric, higher, half = "accuracy", True, True
    architecture = "residual 3x3 convolutions over log-mel, pooled over time (He et al. 2016; Kong et al. 2020)"
    default = Settings(epochs=150, batch_size=32, rate=2e-3, weight_decay=5e-2)

    def __init__(self, options: TrainOptions, own: Own, names: list[str], train: Data, valid: Data, test: Data) -> None:
        self.options, self.own, self.names = options, own, names
        self._train, self._valid, self._test = train, valid, test
        self.settings = settled(replace(self.default, average=own.mean), options)
        torch.manual_seed(options.seed)
        self.net = self.new_net()
        self._length = int(own.window * own.sample_rate)
        self.steps = sum(1 for _ in self._order(0))

    @staticmethod
    def own_options(base: str | None) -> Own:
        """What holds where --set says nothing."""
        return Own()

    def new_net(self) -> nn.Module:
        """The net before its training."""
        return Classifier(len(self.names), **self._shape())

    def spectra(self, net: Any, samples: Tensor) -> Tensor:
        """[batch, samples] to what the net judges, [batch, bands, frames]."""
        found: Tensor = net.spectra(samples)
        return found

    def logits(self, net: Any, spectra: Tensor) -> Tensor:
        """Spectra to [batch, labels]."""
        found: Tensor = net.classify(spectra)
        return found.float()

    def _shape(self) -> dict[str, Any]:
        named = ("sample_rate", "n_fft", "hop_length", "n_mels", "widths", "dropout")
        return {name: getattr(self.own, name) for name in named}

    def _order(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        """The numbers of the clips of each batch; at most own.per_label of a label, other ones each epoch; -1 is silence."""
        random = np.random.default_rng([self.options.seed, epoch])
        targets, most = self._train.targets, self.own.per_label
        by_label = [np.flatnonzero(targets == label) for label in range(len(self.names))]
        chosen = [random.permutation(some)[: most or len(some)] for some in by_label]
        if self.own.silence:
            chosen[-1] = np.full(most or -(-len(targets) // len(self.names)), -1)
        numbers = np.concatenate(chosen)
        for some in shuffled(len(numbers), self.settings.batch_size, [self.options.seed, epoch, 1]):
            yield numbers[some]

    def batches(self, epoch: int) -> Iterator[Callable[[], Batch]]:
        """Crops, a part of them mixed two by two."""
        for number, some in enumerate(self._order(epoch)):
            yield partial(self._batch, some, [self.options.seed, epoch, number, 2])

    def _batch(self, numbers: NDArray[np.int64], seed: Sequence[int]) -> Batch:
        random = np.random.default_rng(seed)
        length = int(random.uniform(self.own.shortest, self.own.window) * self.own.sample_rate)
        sounds = np.stack([self._sound(number, length, random) for number in numbers])
        targets = np.zeros((len(numbers), len(self.names)), np.float32)
        targets[np.arange(len(numbers)), self._train.targets[numbers]] = 1.0
        targets[numbers < 0] = np.eye(len(self.names), dtype=np.float32)[-1]
        mixed = random.random(len(numbers)) < self.own.mixup
        other = random.permutation(len(numbers))
        share = np.where(mixed, random.beta(1.0, 1.0, len(numbers)), 1.0).astype(np.float32)[:, None]
        sounds = share * sounds + (1 - share) * sounds[other]
        targets = share * targets + (1 - share) * targets[other]
        return {"samples": torch.from_numpy(sounds.astype(np.float32)), "targets": torch.from_numpy(targets)}

    def _sound(self, number: int, length: int, random: np.random.Generator) -> NDArray[np.float32]:
        """A crop of a clip, at another speed and level, some over noise; or silence."""
        if number < 0:
            return coloured(length, random, random.uniform(-100, -55))
        speed = 1.0 + 0.1 * random.uniform(-1, 1)
        piece = loud_crop(self._train.clips[number], int(length * speed), random)
        places = np.linspace(0, len(piece) - 1, length, dtype=np.float32)
        sound = np.interp(places, np.arange(len(piece), dtype=np.float32), piece)
        rms = 10 * np.log10(np.mean(sound**2) + 1e-12)
        if random.random() < self.own.background:
            sound = sound + coloured(length, random, rms - random.uniform(5, 40))
        if random.random() < self.own.limited:
            sound = band_limited(sound, random.choice(CUTOFFS) / self.own.sample_rate)
        level = min(10 ** (random.uniform(-15, 10) / 20), 1.0 / np.abs(sound).max(initial=1e-4))
        return np.asarray(random.choice((-1.0, 1.0)) * level * sound, np.float32)

    def loss(self, net: nn.Module, batch: Batch) -> Tensor:
        """Cross-entropy with the mixed targets."""
        spectra = self.spectra(net, batch["samples"])
        spectra = mask(spectra, self.own.bands, int(self.own.frames * spectra.shape[2]))
        return functional.cross_entropy(self.logits(net, spectra), batch["targets"], label_smoothing=0.05)

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Accuracy on what is held out to choose by."""
        return self._scored(net, self._valid)

    def test(self, net: nn.Module) -> dict[str, float]:
        """Accuracy on what nothing was chosen by."""
        return self._scored(net, self._test)

    def _scored(self, net: nn.Module, data: Data) -> dict[str, float]:
        if not len(data.clips):
            return {}
        device = next(net.parameters()).device
        right, loss = 0, 0.0
        for first in range(0, len(data.clips), 64):
            numbers = range(first, min(first + 64, len(data.clips)))
            sounds = torch.from_numpy(np.stack([crop(data.clips[n], self._length) for n in numbers])).to(device)
            targets = torch.from_numpy(data.targets[list(numbers)]).to(device)
            logits = self.logits(net, self.spectra(net, sounds))
            right += int((logits.argmax(1) == targets).sum())
            loss += float(functional.cross_entropy(logits, targets, reduction="sum"))
        return {"accuracy": right / len(data.clips), "entropy": loss / len(data.clips)}

    def config(self) -> dict[str, Any]:
        """For config.json."""
        return {
            "model_type": "audiocli-classifier", "labels": self.names, "window": self.own.window, **self._shape(),
            "settings": asdict(self.settings), "own": asdict(self.own),
        }  # fmt: skip

    def files(self) -> dict[str, bytes]:
        """config.json says all."""
        return {}

    def about(self) -> About:
        """For the card."""
        counts = ", ".join(
            f"{len(part.clips)} to {what}"
            for part, what in ((self._train, "train on"), (self._valid, "choose by"), (self._test, "test on"))
        )
        return About(
            f"Classifies sounds into {len(self.names)}: {', '.join(self.names)}.",
            self.architecture,
            f"{counts}; from {', '.join(self.options.data)}; held out to choose by: {self.options.valid or 'a tenth, by lot'}; "
            f"to test on: {self.options.test or 'none'}",
            "Accuracy is the share of clips whose likeliest label is the right one; entropy is in nats. `held-out` scores are "
            "on the test data, by which nothing was chosen.",
        )


def loud_crop(
    samples: NDArray[np.float32], length: int, random: np.random.Generator, tries: int = 3
) -> NDArray[np.float32]:
    """A crop of `length` samples, the loudest of a few: many clips are a short sound and a long silence."""
    if len(samples) <= length:
        found: NDArray[np.float32] = crop(samples, length, random)
        return found
    starts = random.integers(0, len(samples) - length + 1, tries)
    return max((samples[start : start + length] for start in starts), key=lambda some: float(np.mean(some**2)))


def band_limited(samples: NDArray[Any], cutoff: float) -> NDArray[Any]:
    """Samples [samples] without what is above a frequency, given as a share of the sample rate."""
    spectrum = np.fft.rfft(samples)
    spectrum[int(2 * cutoff * len(spectrum)) :] = 0.0
    return np.fft.irfft(spectrum, len(samples))


def coloured(length: int, random: np.random.Generator, level: float) -> NDArray[np.float32]:
    """Noise between white and brown [length] at an RMS level in dBFS, as rooms and recorders have it; sometimes nothing at all."""
    if random.random() < 0.05:
        return np.zeros(length, np.float32)
    spectrum = np.fft.rfft(random.standard_normal(length))
    spectrum *= (20.0 + np.arange(len(spectrum))) ** -random.uniform(0.0, 1.0)
    noise = np.fft.irfft(spectrum, length)
    return np.asarray(noise * (10 ** (level / 20) / max(float(noise.std()), 1e-12)), np.float32)

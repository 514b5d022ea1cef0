"""The recipes of the vocoders: random crops of speech with their mel, and the likelihood of the sound given it.

What is held out is held out by the sentence: of one that is read twice, no reading is trained on. Of the 1,620 recordings of
`kathleen`, `--test 0.025 --valid 0.0255` hold out 40 and 40 at random, and 55 more that say the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...audio import mels
from ...console import Console
from ...errors import UsageError
from ...kernels import mulaw
from ...kernels.emphasis import emphasise
from ...nets.conditioner import MARGIN
from ...nets.waveglow import WaveGlow
from ...nets.wavenet import CODES, WaveNet
from ...nets.wavernn import BYTE, WaveRNN
from ...options import TrainOptions
from ..base import begin_from
from ..data import Clips, chosen, crop, load_parts, shuffled
from ..examples import Example, examples
from ..settings import About, Batch, Settings, configured, settled

Floats = NDArray[np.float32]
WIDE = BYTE * BYTE  # codes of 16 bits
HELD_SECONDS = 1.0  # of each held-out clip, from its middle, are scored


@dataclass(frozen=True)
class Own:
    """The settings that --set changes."""

    samples: int = 8_000  # of a crop
    steps: int = 250  # batches an epoch
    level: float = 6.0  # dB, at most, by which a crop is louder or quieter than it was
    mean: float = 0.998  # decay of the running mean of the weights
    emphasis: float = 0.85  # pre-emphasis of the sound that is coded (Valin & Skoglund, LPCNet, 2019)
    gain: float = 2.0  # of that sound, which lies lower than speech does
    temperature: float = 1.0  # of what is drawn, where the user says nothing


@dataclass(frozen=True)
class WaveNetOwn(Own):
    """Those of WaveNet, with its size. mel: whether it is conditioned on one."""

    mel: bool = True
    stacks: int = 4
    layers: int = 10
    channels: int = 32
    skips: int = 64


@dataclass(frozen=True)
class WaveRNNOwn(Own):
    """Those of WaveRNN, with its size: crops are short and many, because they are gone through sample by sample."""

    samples: int = 1_000
    steps: int = 150
    gain: float = 4.0
    width: int = 256
    hidden: int = 128


@dataclass(frozen=True)
class WaveGlowOwn(Own):
    """Those of WaveGlow, with its size. Its sound is not coded: the gain brings it near the spread of its noise."""

    gain: float = 20.0
    temperature: float = 0.6  # spread of the noise that sound is made of
    flows: int = 12
    width: int = 48
    layers: int = 6


@dataclass(frozen=True)
class Kind:
    """What differs between the vocoders. coded: sound [n] as the net takes and gives it; silence: the value before the first."""

    name: str
    coded: Callable[[Floats], NDArray[Any]]
    silence: float
    architecture: str


def wavenet(options: TrainOptions, console: Console) -> "VocoderRecipe":
    """Mu-law codes by dilated convolutions. Raises UsageError, InputError."""
    own = configured(WaveNetOwn(), options)
    shape = {name: getattr(own, name) for name in ("stacks", "layers", "channels", "skips")}
    shape["n_mels"] = mels.N_MELS if own.mel else 0
    paper = "WaveNet (van den Oord et al. 2016): gated dilated convolutions, a softmax over mu-law codes"
    kind = Kind("wavenet", partial(_mu_law, own), CODES // 2, paper)
    return _recipe(kind, WaveNet, shape, own, Settings(epochs=200, batch_size=2, rate=3e-3), options, console)


def wavernn(options: TrainOptions, console: Console) -> "VocoderRecipe":
    """16-bit codes by a gated recurrent layer. Raises UsageError, InputError."""
    own = configured(WaveRNNOwn(), options)
    shape = {"width": own.width, "hidden": own.hidden, "n_mels": mels.N_MELS}
    paper = "WaveRNN (Kalchbrenner et al. 2018): a gated recurrent layer, two softmaxes over the bytes of 16-bit mu-law codes"
    kind = Kind("wavernn", partial(_wide_mu_law, own), WIDE // 2, paper)
    return _recipe(kind, WaveRNN, shape, own, Settings(epochs=400, batch_size=32, rate=2e-3), options, console)


def _wide_mu_law(own: Own, samples: Floats) -> NDArray[Any]:
    codes: NDArray[Any] = mulaw.encode(_raised(own, samples), WIDE - 1).astype(np.int32)
    return codes


def waveglow(options: TrainOptions, console: Console) -> "VocoderRecipe":
    """Sound as invertibly transformed noise. Raises UsageError, InputError."""
    own = configured(WaveGlowOwn(), options)
    shape = {"flows": own.flows, "width": own.width, "layers": own.layers, "n_mels": mels.N_MELS}
    paper = (
        "WaveGlow (Prenger, Valle, Catanzaro 2018): affine couplings, invertible mixtures of channels, early outputs"
    )
    kind = Kind("waveglow", partial(_raised, own), 0.0, paper)
    return _recipe(kind, WaveGlow, shape, own, Settings(epochs=200, batch_size=2, rate=1e-3), options, console)


def _raised(own: Own, samples: Floats) -> Floats:
    """Sound as it is coded: high frequencies and all of it raised."""
    raised: Floats = np.float32(own.gain) * emphasise(samples, own.emphasis)
    return raised


def _mu_law(own: Own, samples: Floats) -> NDArray[Any]:
    codes: NDArray[Any] = mulaw.encode(_raised(own, samples), CODES - 1)
    return codes


def _recipe(
    kind: Kind, make: Callable[..., nn.Module], shape: dict[str, Any], own: Own, settings: Settings, options: TrainOptions,
    console: Console,
) -> "VocoderRecipe":  # fmt: skip
    if own.samples < mels.HOP or own.samples % mels.HOP:
        raise UsageError(f"--set samples={own.samples}: give a multiple of {mels.HOP}, the hop of the mel")
    train, valid, test = load_parts(examples(options.data), mels.SAMPLE_RATE, options, console)
    train = without_sentences(train, [*valid.rows, *test.rows], console)
    torch.manual_seed(options.seed)
    net = make(**shape)
    begin_from(options.base, net, f"audiocli-{kind.name}")
    return VocoderRecipe(kind, net, shape, own, settled(settings, options), options, (train, valid, test))


def without_sentences(clips: Clips, held: Sequence[Example], console: Console) -> Clips:
    """The clips whose text is not one of those that are held out: of a sentence that is read twice, no reading is learned.

    Raises UsageError when none is left.
    """
    texts = {row.fields["text"] for row in held if row.fields.get("text")}
    rest = chosen(clips, lambda row: row.fields.get("text") not in texts)
    if len(rest) < len(clips):
        console.note(f"{len(clips) - len(rest)} recordings of the sentences that are held out are not trained on")
    if not len(rest):
        raise UsageError("all sentences are held out: hold out fewer")
    return rest


class VocoderRecipe:
    """Trains a net with `nll(before, now, mel)`."""

    metric, higher, half = "nll", False, True

    def __init__(
        self, kind: Kind, net: nn.Module, shape: dict[str, Any], own: Own, settings: Settings, options: TrainOptions,
        parts: tuple[Clips, Clips, Clips],
    ) -> None:  # fmt: skip
        self.kind, self.net, self.shape, self.own, self.options = kind, net, shape, own, options
        self.settings = settings
        self._train, self._valid, self._test = parts
        self.steps = own.steps

    def batches(self, epoch: int) -> Iterator[Callable[[], Batch]]:
        """own.steps batches of crops, of clips in a new order each time."""
        some = self._numbers(epoch)
        for step in range(self.steps):
            yield partial(self._batch, next(some), [self.options.seed, epoch, step])

    def _numbers(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Numbers of clips without end."""
        size, turn = self.settings.batch_size, 0
        while True:
            for some in shuffled(len(self._train), size, [self.options.seed, epoch, turn, 7]):
                yield np.resize(some, size)
            turn += 1

    def _batch(self, numbers: NDArray[np.int64], seed: Sequence[int]) -> Batch:
        random = np.random.default_rng(seed)
        rows = []
        for number in numbers:
            level = np.float32(10 ** (random.uniform(-self.own.level, self.own.level) / 20))
            rows.append(self._crop(self._train[int(number)] * level, self.own.samples, random))
        return stacked(rows)

    def _crop(self, samples: Floats, length: int, random: np.random.Generator | None = None) -> dict[str, NDArray[Any]]:
        """A stretch of whole hops of a clip, with its mel, from anywhere in it (from its middle without `random`)."""
        whole = -(-len(samples) // mels.HOP) * mels.HOP
        samples = (
            crop(samples, max(length, whole)) if len(samples) < length else np.pad(samples, (0, whole - len(samples)))
        )
        coded = self.kind.coded(samples)
        before = np.concatenate([np.full(1, self.kind.silence, coded.dtype), coded[:-1]])
        spectrum = np.pad(mels.log_mel(samples), ((MARGIN, MARGIN), (0, 0)), mode="edge")
        spare = (len(samples) - length) // mels.HOP
        frame = spare // 2 if random is None else int(random.integers(0, spare + 1))
        part = slice(frame * mels.HOP, frame * mels.HOP + length)
        seen = spectrum[frame : frame + length // mels.HOP + 1 + 2 * MARGIN]
        return {"before": before[part], "now": coded[part], "mel": seen.T}

    def loss(self, net: nn.Module, batch: Batch) -> Tensor:
        """Nats a sample."""
        found: Tensor = net.nll(**batch)  # type: ignore[operator]
        return found

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Nats a sample of the clips that are held out to choose by."""
        return self._scored(net, self._valid)

    def test(self, net: nn.Module) -> dict[str, float]:
        """The same of the test clips."""
        return self._scored(net, self._test)

    def _scored(self, net: nn.Module, clips: Clips, at_once: int = 4) -> dict[str, float]:
        if not len(clips):
            return {}
        device = next(net.parameters()).device
        length = int(HELD_SECONDS * mels.SAMPLE_RATE)
        total = 0.0
        for first in range(0, len(clips), at_once):
            rows = [self._crop(clips[n], length) for n in range(first, min(first + at_once, len(clips)))]
            batch = {name: value.to(device) for name, value in stacked(rows).items()}
            total += len(rows) * float(self.loss(net, batch))
        return {"nll": total / len(clips)}

    def config(self) -> dict[str, Any]:
        """The fields of config.json."""
        return {
            "model_type": f"audiocli-{self.kind.name}", "sample_rate": mels.SAMPLE_RATE, "shape": self.shape,
            "emphasis": self.own.emphasis, "gain": self.own.gain, "temperature": self.own.temperature,
            "front_end": asdict(mels.FRONT),
            "settings": asdict(self.settings),
            "own": asdict(self.own),
        }  # fmt: skip

    def files(self) -> dict[str, bytes]:
        """Nothing besides."""
        return {}

    def about(self) -> About:
        """The texts of the card."""
        parts = ((self._train, "to train on"), (self._valid, "to choose by"), (self._test, "to test on"))
        counts = ", ".join(f"{len(clips)} recordings {what}" for clips, what in parts)
        return About(
            f"Makes sound ({mels.SAMPLE_RATE // 1000} kHz) of mel spectrograms: `audiocli features --preset {mels.PRESET}`, "
            "`audiocli speak --from-mel`.",
            self.kind.architecture,
            f"{counts}; from {', '.join(self.options.data)}; held out to choose by: {self.options.valid or 'a tenth, at random'}; "
            f"to test on: {self.options.test or 'none'}; no reading of a sentence that is held out is trained on",
            f"nll is in nats a sample, teacher-forced, over the middle {HELD_SECONDS:g} s of each recording; `held-out` scores "
            "are on the test recordings, by which nothing was chosen.",
        )


def stacked(rows: Sequence[dict[str, NDArray[Any]]]) -> Batch:
    """Crops as a batch."""
    return {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}

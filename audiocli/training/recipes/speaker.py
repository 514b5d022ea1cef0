"""The recipe of the speaker encoder: crops of many voices on bad lines, an angular margin, equal error rates."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn

from ...console import Console
from ...errors import UsageError
from ...models.registry import MODELS
from ...nets.classifier import mask
from ...nets.siamese import Siamese, Sizes, margin_loss
from ...options import TrainOptions
from ...voices import siamese
from ...voices.embeddings import SpeakerEncoder
from ...voices.error_rates import curve
from ..base import begin_from
from ..data import Clips, chosen, load_parts
from ..examples import Example, examples
from ..mixtures.distortions import SAMPLE_RATE, Floats, mixed
from ..mixtures.speaker_batches import Voices, batch, joined, piece, rooms
from ..settings import About, Batch, Settings, configured, settled
from . import speaker_teacher, speaker_trials

KIND = "audiocli-siamese"
CHOSEN = 120  # utterances that each epoch is scored by
CROP = 3 * SAMPLE_RATE
SHORTEST = 2 * SAMPLE_RATE  # samples; shorter clips are not used as trials
LISTENED = 30 * SAMPLE_RATE  # of a clip is enough
STRANGER = 12 * SAMPLE_RATE  # samples of a training speaker that the cohort is made of
SNR = 10.0  # dB
SPEC = MODELS["siamese-speakers"]

Embed = Callable[[Sequence[Floats]], Floats]  # clips [samples] to embeddings [clips, embedding]


@dataclass(frozen=True)
class Own:
    """The settings that --set changes."""

    front: int = 16
    width: int = 256
    squeeze: int = 64
    blocks: int = 5
    pooled: int = 384
    embedding: int = 192
    steps: int = 100  # an epoch
    crops: tuple[float, ...] = (0.8, 1.0, 1.2, 1.6, 2.0)  # s; a batch has one
    bands: int = 12  # masked at most
    frames: int = 24
    margin: float = 0.2  # radians
    margin_first: int = 7  # epochs without it: it hinders a net that has learned nothing yet
    margin_epochs: int = 4  # until it is there
    mean: float = 0.995  # decay of the running mean of the weights
    folds: tuple[str, ...] = ("1", "2", "3")  # of sounds that have a fold, the ones to train with
    teacher: str = ""  # a model of verify that hears the voices as they are
    taught: str = ""  # a file that keeps what it heard, for another run
    lesson: float = 15.0  # weight of the distance from where the teacher hears a crop


@dataclass(frozen=True)
class Utterances:
    """Clips to score by, who speaks, and the corpora that they are of."""

    samples: tuple[Floats, ...]
    speakers: tuple[str, ...]
    corpora: tuple[str, ...]

    def every(self, step: int) -> "Utterances":
        """One of `step` of them."""
        return Utterances(self.samples[::step], self.speakers[::step], self.corpora[::step])


def make(options: TrainOptions, console: Console) -> "SpeakerRecipe":
    """Read the data and make the net. Examples without a speaker are sounds to be heard behind the voices.

    Raises UsageError, InputError.
    """
    own = configured(Own(), options)
    train, valid, test = load_parts(in_corpora(options.data), SAMPLE_RATE, options, console)
    spoken = chosen(train, lambda row: bool(row.speaker))
    sounds = chosen(train, lambda row: not row.speaker and row.fields.get("fold", own.folds[0]) in own.folds)
    if len({person(row) for row in spoken.rows}) < 2:
        raise UsageError("no two speakers to train on: the manifests need a column `speaker`")
    voices = voices_of(spoken, sounds, options.seed)
    recipe = SpeakerRecipe(options, own, voices, utterances(valid), utterances(test))
    if own.teacher:
        recipe.learn_from(*speaker_teacher.heard(voices, own.teacher, own.taught, console))
    return recipe


def voices_of(spoken: Clips, sounds: Clips, seed: int) -> Voices:
    """The speakers of the clips, and sounds behind them."""
    clips = defaultdict(list)
    for n, row in enumerate(spoken.rows):
        clips[person(row)].append(as_16_bits(spoken[n]))
    names = sorted(clips)
    return Voices(
        tuple(names), tuple(joined(clips.pop(name)) for name in names),
        tuple(as_16_bits(sounds[n]) for n in range(len(sounds))), rooms(seed),
    )  # fmt: skip


def as_16_bits(samples: Floats) -> NDArray[np.int16]:
    """Samples in [-1, 1] in half the memory."""
    return np.asarray(np.clip(samples * 32_767.0, -32_768, 32_767), np.int16)


def utterances(clips: Clips, shortest: int = SHORTEST) -> Utterances:
    """The clips that are long enough for trials."""
    numbers = [n for n in range(len(clips)) if clips.rows[n].speaker and len(clips[n]) >= shortest]
    rows = [clips.rows[n] for n in numbers]
    return Utterances(
        tuple(clips[n][:LISTENED] for n in numbers),
        tuple(person(row) for row in rows),
        tuple(corpus(row) for row in rows),
    )


def corpus(row: Example) -> str:
    """The corpus that an example is of."""
    return row.fields.get("corpus", "")


def person(row: Example) -> str:
    """Who speaks in an example: the same number is somebody else in another corpus."""
    return f"{corpus(row)}:{row.speaker}" if corpus(row) else row.speaker


def in_corpora(data: Sequence[str]) -> list[Example]:
    """The examples of each --data, with a corpus: the first of them that has most of the same speakers, or itself."""
    rows = {entry: examples([entry]) for entry in data} or {"": examples(data)}
    speakers = {entry: {row.speaker for row in some if row.speaker} for entry, some in rows.items()}

    def first(entry: str) -> str:
        mine = speakers[entry]
        return next(
            (one for one in rows if mine and 2 * len(speakers[one] & mine) > min(len(speakers[one]), len(mine))), entry
        )

    corpora = {entry: first(entry) for entry in rows}
    return [Example(row.path, {"corpus": corpora[entry], **row.fields}) for entry, some in rows.items() for row in some]


class SpeakerRecipe:
    """Trains nets.siamese."""

    metric, higher, half = "EER", False, True
    speech = True  # whether it is trained on speech
    lessons: speaker_teacher.Lessons | None = None

    def __init__(self, options: TrainOptions, own: Own, voices: Voices, valid: Utterances, test: Utterances) -> None:
        self.options, self.own, self.voices, self._valid, self._test = options, own, voices, valid, test
        self.settings = settled(
            Settings(epochs=60, batch_size=96, rate=2e-3, weight_decay=5e-2, clip=5.0, average=own.mean), options
        )
        torch.manual_seed(options.seed)
        shape = {name: getattr(own, name) for name in ("front", "width", "squeeze", "blocks", "pooled", "embedding")}
        self.net = Siamese(Sizes(**shape), int(voices.first_class[-1]))
        begin_from(options.base, self.net, KIND, classes="directions")
        self.steps = own.steps

    def learn_from(self, pieces: Floats, counts: NDArray[np.int64]) -> None:
        """Take lessons of what a teacher heard: pieces [pieces, embedding], counts of them [classes]."""
        with torch.inference_mode():
            own = self.encoder(self.net.eval()).embed([clips[0]() for clips in speaker_teacher.pieces_of(self.voices)])
        self.lessons = speaker_teacher.lessons(self.voices, pieces, counts, own)
        with torch.no_grad():
            self.net.directions.copy_(torch.from_numpy(self.lessons.classes))

    def batches(self, epoch: int) -> Iterator[Callable[[], Batch]]:
        """Random crops of speakers, and the margin of this epoch."""
        since = max(epoch - self.own.margin_first, 0)
        margin = self.own.margin * min(since / max(self.own.margin_epochs, 1), 1.0)
        for number in range(self.steps):
            yield partial(self._batch, [self.options.seed, epoch, number], margin)

    def _batch(self, seed: Sequence[int], margin: float) -> Batch:
        crops = batch(self.voices, self.settings.batch_size, self.own.crops, np.random.default_rng(seed))
        made = {"samples": crops.samples, "classes": crops.classes, "margin": np.float32(margin)}
        if self.lessons is not None:
            made["lessons"] = self.lessons.of(crops.classes, crops.middle)
        return {name: torch.as_tensor(value) for name, value in made.items()}

    def loss(self, net: nn.Module, batch: Batch) -> Tensor:
        """The angular margin, on bands of which some are masked; and the distance from the teacher's lessons."""
        directions: Any = net.directions
        bands = net.bands(batch["samples"])  # type: ignore[operator]
        embeddings = net.encode(mask(bands, self.own.bands, self.own.frames))  # type: ignore[operator]
        with torch.autocast(batch["samples"].device.type, enabled=False):
            loss = margin_loss(embeddings.float(), directions, batch["classes"], batch["margin"])
            if "lessons" in batch:
                loss = loss + self.own.lesson * (1.0 - (embeddings.float() * batch["lessons"]).sum(1).mean())
            return loss

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Equal error rates of some of the speakers that are held out to choose by; EER is their mean."""
        step = max(len(self._valid.samples) // CHOSEN, 1)
        return self._scored(partial(embedded, net), self._valid.every(step))

    def test(self, net: nn.Module) -> dict[str, float]:
        """The same on all of the speakers by whom nothing was chosen, heard as `audiocli verify` hears them."""
        return self._scored(self.encoder(net).embed, self._test)

    def encoder(self, net: Any) -> SpeakerEncoder:
        """The encoder that `audiocli verify` makes of a net."""
        return siamese.of(net, SPEC, speech=self.speech)

    def _scored(self, embed: Embed, some: Utterances) -> dict[str, float]:
        if len(set(some.speakers)) < 2:
            return {}
        random = np.random.default_rng(self.options.seed)
        crops = [piece_of(samples, random) for samples in some.samples]
        sounds = self.voices.sounds
        noisy = [
            mixed(samples, piece(sounds[random.integers(len(sounds))], len(samples), random), SNR)
            if sounds
            else samples
            for samples in some.samples
        ]
        rates = {
            name: equal_error_rate(embed(clips), some.speakers)
            for name, clips in (("whole", some.samples), ("3 s", crops), ("10 dB", noisy))
        }
        return {"EER": sum(rates.values()) / len(rates), **{f"EER {name}": rate for name, rate in rates.items()}}

    def config(self) -> dict[str, Any]:
        """The fields of config.json; the calibration is fitted to the net as it is, on the speakers that epochs are chosen by."""
        encoder = replace(self.encoder(self.net), cohort=self._cohort)
        fitted = speaker_trials.fitted(
            encoder, self._valid.samples, self._valid.speakers, self.voices.sounds, self.options.seed,
            corpora=self._valid.corpora,
        )  # fmt: skip
        return {
            "calibration": fitted,
            "model_type": KIND, "sizes": asdict(self.net.sizes), "classes": len(self.net.directions),
            "settings": asdict(self.settings), "own": asdict(self.own),
        }  # fmt: skip

    @cached_property
    def _cohort(self) -> Floats | None:
        """Embeddings [speakers, embedding] of the training speakers, by the net as it is in the end; None for too few."""
        if len(self.voices.names) < speaker_trials.STRANGERS:
            return None
        clips = [one[:STRANGER].astype(np.float32) / np.float32(32_768.0) for one in self.voices.samples]
        return self.encoder(self.net).embed(clips).astype(np.float16).astype(np.float32)

    def files(self) -> dict[str, bytes]:
        """The cohort, as it was when the calibration was fitted."""
        if self._cohort is None:
            return {}
        return {siamese.COHORT: save({"embeddings": torch.from_numpy(self._cohort).half()})}

    def about(self) -> About:
        """The texts of the card."""
        seconds = self.voices.seconds.sum()
        return About(
            "Turns speech into a vector that says who speaks: the cosine of two vectors is high for one voice.",
            "a two-dimensional convolutional front, a squeezed time-delay net and attentive statistics (Desplanques et al. 2020; "
            "Wang et al. 2023), trained with an additive angular margin (Deng et al. 2019)",
            f"{len(self.voices.names)} speakers, {seconds / 3600:.1f} h, from {', '.join(self.options.data)}; held out to choose "
            f"by: {self.options.valid or 'a tenth'}; to test on: {self.options.test or 'none'}",
            "EER: equal error rate over all trials of the speakers, in percent: `whole` utterances, crops of 3 seconds, and whole "
            "utterances in noise of 10 dB. `held-out` scores are on the test speakers, by whom nothing was chosen.",
        )


def piece_of(samples: Floats, random: np.random.Generator) -> Floats:
    """Three seconds from anywhere in a clip."""
    begin = int(random.integers(max(len(samples) - CROP, 0) + 1))
    return samples[begin : begin + CROP]


def embedded(net: nn.Module, clips: Sequence[Floats]) -> Floats:
    """Embeddings [clips, embedding]."""
    device = next(net.parameters()).device
    rows = [net(torch.from_numpy(np.ascontiguousarray(clip)).to(device)[None]).cpu() for clip in clips]
    return np.asarray(torch.cat(rows).numpy())


def equal_error_rate(embeddings: Floats, speakers: Sequence[str]) -> float:
    """Percent, over all pairs."""
    first, second = np.triu_indices(len(speakers), 1)
    scores = (embeddings @ embeddings.T)[first, second]
    numbers = np.unique(np.array(speakers), return_inverse=True)[1]
    same = numbers[first] == numbers[second]
    return 100.0 * curve(scores, same).equal_error_rate()

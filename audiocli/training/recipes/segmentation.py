"""The recipe of the segmentation net: made-up conversations, recordings in which others have marked who speaks, windows of both.

Of the data, rows with a speaker are what conversations are made of; rows with a path in the column `rttm` are marked recordings, of
which `start` and `end` (s) may say what part was marked; all others are sounds behind the speech. To be taught by another diarizer,
let it mark recordings: `audiocli diarize --model pyannote-segmentation -f rttm`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ...console import Console
from ...errors import UsageError, check_choice
from ...models import own as stored
from ...models import pickles
from ...models.registry import MODELS
from ...nets import sinc_segmenter
from ...nets.classifier import mask
from ...nets.segmenter import BELOW, Segmenter, Sizes, invariant_loss
from ...nets.sinc_segmenter import SincSegmenter
from ...options import TrainOptions
from ..base import begin_from
from ..data import Clips, chosen, load_parts
from ..mixtures.annotated import Recording, pauses, recordings
from ..mixtures.annotated import window as annotated_window
from ..mixtures.conversations import FRAME, People, Talk, window
from ..mixtures.distortions import SAMPLE_RATE, Floats
from ..mixtures.speaker_batches import Samples
from ..mixtures.speech import Heard
from ..settings import About, Batch, Settings, configured, settled
from .segmentation_scores import at_frames, scored, threshold
from .speaker import KIND as SIAMESE
from .speaker import as_16_bits, in_corpora, person

KIND, SINC = "audiocli-segmenter", "audiocli-sinc-segmenter"
PUBLISHED = MODELS["pyannote-segmentation"].carriers[0].files[0].name  # the file in its folder
SCORED = 120  # windows that each epoch is scored by
BELOW_OF: dict[type, str] = {
    Segmenter: "the layers of the Siamese encoder of voices (a two-dimensional front, a squeezed time-delay net)",
    SincSegmenter: "band-pass filters of the samples and two convolutions (PyanNet's form; Ravanelli and Bengio 2018)",
}
FORMS = ("bands", "samples")
HELD = 2_147_483_647  # the seed of those
AT_ONCE = 40  # of them


@dataclass(frozen=True)
class Own(Talk):
    """The settings that --set changes."""

    form: str = "bands"  # that the net hears; or "samples"
    front: int = 16
    width: int = 256
    squeeze: int = 64
    blocks: int = 5
    hidden: int = 128
    layers: int = 2
    speakers: int = 3  # in a window at most
    steps: int = 100  # an epoch
    seconds: tuple[float, ...] = (
        5.0,
        10.0,
    )  # of a window; a batch has one length, and as many windows as make one amount
    annotated: float = 0.3  # of the windows are of recordings with marks, where there are any
    bands: int = 8  # masked at most
    frames: int = 16
    mean: float = 0.995  # decay of the running mean of the weights
    kept: float = 0.0  # share of the weights begun from
    folds: tuple[str, ...] = ("1", "2", "3")  # of sounds that have a fold, the ones to train with


def make(options: TrainOptions, console: Console) -> "SegmentationRecipe":
    """Read the data and make the net. Examples have a speaker, or marks (a column `rttm`), or are sounds behind the others.

    Raises UsageError, InputError.
    """
    own = configured(Own(), options)
    check_choice("--set form", own.form, FORMS)
    train, valid, test = load_parts(in_corpora(options.data), SAMPLE_RATE, options, console)
    people = people_of(train, own.folds)
    if len(people.names) < max(own.people):
        raise UsageError(f"too few speakers to train on, {len(people.names)}: the manifests need a column `speaker`")
    marked = recordings(train)
    held = [people_of(clips, own.folds, people.sounds) for clips in (valid, test)]
    behind = tuple(stretch for one in marked for stretch in pauses(one))
    people = replace(people, sounds=evenly(people.sounds, behind))
    return SegmentationRecipe(options, own, people, marked, held[0], held[1])


def evenly(some: tuple[Samples, ...], others: tuple[Samples, ...]) -> tuple[Samples, ...]:
    """Sounds of two kinds, those of the second so often that as many are of one kind as of the other."""
    return some + others * max(round(len(some) / max(len(others), 1)), 1)


def people_of(clips: Clips, folds: Sequence[str], sounds: Sequence[Any] = ()) -> People:
    """The speakers of the clips, and the sounds among them, or those given."""
    own = defaultdict(list)
    spoken = chosen(clips, lambda row: bool(row.speaker))
    for n, row in enumerate(spoken.rows):
        own[person(row)].append(as_16_bits(spoken[n]))
    behind = chosen(clips, lambda row: _behind(row.fields, folds))
    names = sorted(own)
    people = tuple(tuple(own[name]) for name in names)
    return People(
        tuple(names), people, tuple(sounds) or tuple(as_16_bits(behind[n]) for n in range(len(behind))), Heard(people)
    )


def _behind(fields: Any, folds: Sequence[str]) -> bool:
    return not fields.get("speaker") and not fields.get("rttm") and fields.get("fold", folds[0]) in folds


class SegmentationRecipe:
    """Trains nets.segmenter."""

    metric, higher, half = "DER", False, True

    def __init__(
        self, options: TrainOptions, own: Own, people: People, marked: Sequence[Recording], valid: People, test: People
    ) -> None:
        self.options, self.own, self.people, self.marked = options, own, people, tuple(marked)
        self._valid, self._test = valid, test
        self.settings = settled(
            Settings(epochs=60, batch_size=32, rate=1e-3, weight_decay=1e-2, clip=1.0, average=own.mean, kept=own.kept),
            options,
        )
        torch.manual_seed(options.seed)
        self.net = begun(own, options.base)
        self.steps = own.steps

    def batches(self, epoch: int) -> Iterator[Callable[[], Batch]]:
        """Windows, most of them made up."""
        for number in range(self.steps):
            yield partial(self._batch, [self.options.seed, epoch, number])

    def _batch(self, seed: Sequence[int]) -> Batch:
        random = np.random.default_rng(seed)
        seconds = float(random.choice(self.own.seconds))
        size = max(round(self.settings.batch_size * min(self.own.seconds) / seconds), 1)
        pairs = [self._window(seconds, random) for _ in range(size)]
        return batch(pairs)

    def _window(self, seconds: float, random: np.random.Generator) -> tuple[Floats, Floats]:
        if self.marked and random.random() < self.own.annotated:
            return annotated_window(self.marked, self.own, seconds, self.own.speakers, random)
        return window(self.people, self.own, seconds, self.own.speakers, random)

    def loss(self, net: nn.Module, batch: Batch) -> Tensor:
        """Cross-entropy of the sets of speakers in the best order; of bands, some are masked."""
        samples = batch["samples"]
        if isinstance(net, Segmenter):
            bands = mask(net.bands(samples), self.own.bands, self.own.frames)
            logits = net.decide(bands, samples.shape[1] // FRAME)
        else:
            logits = net(samples)
        return invariant_loss(logits, at_frames(batch["speaking"], net, logits.shape[1]))

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Errors on conversations of the speakers that are held out to choose by."""
        return scored(net, self._choosing)

    def test(self, net: nn.Module) -> dict[str, float]:
        """The same on conversations of the speakers by whom nothing was chosen."""
        return scored(net, self._conversations(self._test))

    @cached_property
    def _choosing(self) -> list[Batch]:
        return self._conversations(self._valid)

    def _conversations(self, people: People) -> list[Batch]:
        """What nets are scored by, always the same; nothing for too few people."""
        if len(people.names) < max(self.own.people):
            return []
        random, longest = np.random.default_rng(HELD), max(self.own.seconds)
        pairs = [window(people, self.own, longest, self.own.speakers, random) for _ in range(SCORED)]
        return [batch(pairs[first : first + AT_ONCE]) for first in range(0, SCORED, AT_ONCE)]

    def config(self) -> dict[str, Any]:
        """The fields of config.json."""
        return {
            "model_type": KIND if isinstance(self.net, Segmenter) else SINC, "sizes": asdict(self.net.sizes),
            "threshold": threshold(self.net, self._choosing), "settings": asdict(self.settings), "own": asdict(self.own),
        }  # fmt: skip

    def files(self) -> dict[str, bytes]:
        """Nothing besides."""
        return {}

    @property
    def _base(self) -> str:
        folder = self.options.base
        return (
            f"pyannote's published {PUBLISHED}"
            if folder and (Path(folder) / PUBLISHED).is_file()
            else folder or "nothing"
        )

    def about(self) -> About:
        """The texts of the card."""
        hours = sum(len(clip) for own in self.people.clips for clip in own) / SAMPLE_RATE / 3600
        marked = sum(len(one.samples) for one in self.marked) / SAMPLE_RATE / 60
        return About(
            f"Says who of up to {self.net.sizes.speakers} people speaks when, within some seconds of sound, also when several do.",
            f"below, {BELOW_OF[type(self.net)]}; above, a bidirectional LSTM and a class for each set of speakers (Bredin and "
            "Laurent 2021; Plaquet and Bredin 2023), trained whatever the order of the speakers",
            f"conversations made up of {len(self.people.names)} speakers, {hours:.1f} h, and {marked:.1f} minutes of marked "
            f"recordings, from {', '.join(self.options.data)}; begun from {self._base}; held out to choose "
            f"by: {self.options.valid or 'a tenth'}; to test on: {self.options.test or 'none'}",
            f"Percent of the time of speech, on {SCORED} made-up windows of {max(self.own.seconds):g} s in rooms and noise, each "
            "by itself, its speakers in the best order, without a collar: DER is the sum of miss, false alarm and confusion. "
            "`held-out` scores are on the test speakers, by whom nothing was chosen.",
        )


def begun(own: Own, folder: str | None) -> Segmenter | SincSegmenter:
    """A new net, or the one in a folder of --from: of this recipe, of `train speaker-encoder` (lower layers), or pyannote's.

    Raises UsageError, ModelError, DownloadError.
    """
    config = _config(folder)
    kind = config.get("model_type")
    if folder and (Path(folder) / PUBLISHED).is_file():
        return published(folder)
    if own.form == "samples" or kind == SINC:
        sizes = config["sizes"] if kind == SINC else {"hidden": own.hidden, "speakers": own.speakers}
        sinc = SincSegmenter(sinc_segmenter.Sizes(**sizes))
        begin_from(folder, sinc, SINC)
        return sinc
    names = ("front", "width", "squeeze", "blocks", "hidden", "layers", "speakers")
    net = Segmenter(Sizes(**{name: getattr(own, name) for name in names}))
    if folder and kind == SIAMESE:
        begin_below(folder, net)
    else:
        begin_from(folder, net, KIND)
    return net


def published(folder: str) -> SincSegmenter:
    """The net of pyannote-segmentation, whose filters stay as they are: learning them takes more than learning all above them.

    Raises ModelError, DownloadError.
    """
    net = sinc_segmenter.published(pickles.weights(Path(folder) / PUBLISHED))
    net.filters.requires_grad_(False)
    return net


def begin_below(folder: str, net: Segmenter) -> None:
    """Begin with the lower layers of a folder of `train speaker-encoder`. Raises UsageError."""
    weights = load_file(Path(folder) / "model.safetensors")
    below = {name: value.float() for name, value in weights.items() if name.split(".")[0] in BELOW}
    try:
        missing, unknown = net.load_state_dict(below, strict=False)
    except RuntimeError as error:
        raise UsageError(f"--from {folder}: is a net of another size") from error
    if unknown or any(name.split(".")[0] in BELOW for name in missing):
        raise UsageError(f"--from {folder}: is a net of another size")


def _config(folder: str | None) -> dict[str, Any]:
    """The config.json of a folder of --from; {} without a good one."""
    try:
        return dict(stored.config(Path(folder))) if folder else {}
    except (OSError, ValueError, TypeError):
        return {}


def batch(pairs: Sequence[tuple[Floats, Floats]]) -> Batch:
    """`samples` [batch, samples] and `speaking` [batch, frames, speakers]."""
    samples, speaking = (torch.from_numpy(np.stack(side)) for side in zip(*pairs, strict=True))
    return {"samples": samples, "speaking": speaking}

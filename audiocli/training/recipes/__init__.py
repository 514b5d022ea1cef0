"""The recipes by name (stdlib only: read before torch is)."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from ...errors import UsageError, hint
from ...options import TrainOptions

if TYPE_CHECKING:
    from ...console import Console
    from ..settings import Recipe


@dataclass(frozen=True)
class Row:
    """A recipe by name. make: "module:function", called with the options and the console; task: the verb that takes the model.

    make_from: what is called instead where --from names a model to go on from, if that is another one.
    option: of the verb, which names the folder.
    """

    name: str
    task: str
    make: str
    summary: str
    make_from: str | None = None
    option: str = "--model"


RECIPES = {
    row.name: row
    for row in (
        Row(
            "classifier", "classify", "audiocli.training.recipes.classifier:make",
            "a sound classifier over log-mel: a folder a class, or a manifest with labels",
            make_from="audiocli.training.recipes.finetuning:make",
        ),
        Row(
            "speaker-encoder", "verify", "audiocli.training.recipes.speaker:make",
            "a Siamese encoder of voices: manifests with speakers; examples without one are sounds behind them",
        ),
        Row(
            "sound-encoder", "verify", "audiocli.training.recipes.sounds:make",
            "the same net for near-duplicates of sounds: a folder of recordings, each of them a class of its own copies",
        ),
        Row(
            "segmentation", "diarize", "audiocli.training.recipes.segmentation:make",
            "who of three people speaks in each frame: manifests with speakers, and recordings with marks (a column rttm)",
        ),
        Row(
            "music-lstm", "generate-music", "audiocli.training.recipes.music:lstm",
            "four-part chorales by an LSTM: a folder of MIDI files, or a JSON of grids",
        ),
        Row(
            "music-transformer", "generate-music", "audiocli.training.recipes.music:transformer",
            "four-part chorales by a transformer with relative attention: the same data",
        ),
        Row(
            "enhancer", "denoise", "audiocli.training.recipes.enhancer:make",
            "a causal speech enhancer: speech, and noise as noise=FOLDER",
        ),
        Row(
            "conv-enhancer", "denoise", "audiocli.training.recipes.enhancer:make_conv",
            "the plain convolutional enhancer that others are measured against",
        ),
        *(
            Row(name, "speak", f"audiocli.training.recipes.vocoders:{name}", summary, option="--vocoder")
            for name, summary in (
                ("wavenet", "a vocoder, sample by sample from a mel: speech of one voice or several"),
                ("wavernn", "a smaller one: two bytes a sample from a recurrent layer"),
                ("waveglow", "one that makes all samples at once, out of noise"),
            )
        ),
    )
}  # fmt: skip


def by_name(name: str) -> Row:
    """The row of a recipe. Raises UsageError."""
    if name not in RECIPES:
        raise UsageError(f"no recipe {name!r}: {hint(name, RECIPES)}")
    return RECIPES[name]


def make(row: Row, options: TrainOptions, console: "Console") -> "Recipe":
    """Read the data and make the net. Raises UsageError, InputError."""
    maker = row.make if options.base is None else row.make_from or row.make
    module, _, function = maker.partition(":")
    recipe: Recipe = getattr(import_module(module), function)(options, console)
    return recipe

"""pyannote.audio's diarization pipelines (Bredin, 2023): a folder with config.yaml and the checkpoints that it names.

The pipeline is assembled here, so that nothing in it is code or a pickle: its class is one we know, and a checkpoint may hold
tensors, numbers and pyannote's own descriptions only. It gets waveforms, because its way to files needs torchcodec.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...audio.level import silent
from ...errors import ModelError, UsageError
from ...inputs.sources import Streamed
from ...models import cache
from ...models.registry import ModelSpec
from ...options import DiarizeOptions
from ...records import NO_SPEECH, Diarization, Turn
from ...voices.pyannote import FILE, checkpoint

SAMPLE_RATE = 16_000  # Hz
PIPELINES = (
    "pyannote.audio.pipelines.SpeakerDiarization",
    "pyannote.audio.pipelines.speaker_diarization.SpeakerDiarization",
)
PLDA = ("xvec_transform.npz", "plda.npz")
# The parameters of a pipeline, but for its models; other entries of older versions no longer mean anything.
SETTINGS = (
    "segmentation_step", "embedding_exclude_overlap", "clustering", "embedding_batch_size", "segmentation_batch_size",
)  # fmt: skip


def load(path: Path, spec: ModelSpec, place: Any, options: DiarizeOptions) -> "Pipeline":
    """The pipeline in the folder `path`; `place` has the device. Raises ModelError, UsageError."""
    if place.precision not in ("auto", "float32"):
        raise UsageError(f"{spec.name} runs in float32: leave out --precision {place.precision}")
    if options.vad_threshold != DiarizeOptions.vad_threshold:
        raise UsageError(f"{spec.name} finds speech by itself: leave --vad-threshold out")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchcodec is not needed
        pipeline = _assembled(path, spec.name)
        pipeline.to(place.device)
    return Pipeline(spec, pipeline, options)


def _assembled(path: Path, name: str) -> Any:
    """The pipeline of pyannote, made as config.yaml says."""
    from pyannote.audio.core.plda import PLDA as Plda  # noqa: N811 - the class is an acronym of its own
    from pyannote.audio.pipelines import SpeakerDiarization

    config = read(path, name)
    params = config["pipeline"].get("params") or {}
    settings = {key: params[key] for key in SETTINGS if key in params}
    models = {part: model(_folder(params, part, path, name), name) for part in ("segmentation", "embedding")}
    if "plda" in params:
        folder = _folder(params, "plda", path, name)
        files = [str(folder / file) for file in PLDA]
        plda = Plda(*files)  # type: ignore[arg-type]
    elif settings.get("clustering", "VBxClustering") == "VBxClustering":
        raise ModelError(f"{name} clusters by VBx, and its config.yaml names no plda")
    else:
        plda = Plda.__new__(Plda)  # never used; without one, pyannote would look for its own on the hub
    pipeline = SpeakerDiarization(**settings, **models, plda=plda)
    if "freeze" in config:
        pipeline.freeze(config["freeze"])
    defaults: Any = pipeline.default_parameters
    return pipeline.instantiate(config.get("params") or defaults())


def read(path: Path, name: str) -> dict[str, Any]:
    """The folder's config.yaml. Raises ModelError for anything but a diarization pipeline."""
    import yaml

    try:
        config: dict[str, Any] = yaml.safe_load((path / "config.yaml").read_text(encoding="utf-8"))
        kind = config["pipeline"]["name"]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ModelError(f"{name}: config.yaml does not describe a pyannote pipeline") from error
    if kind not in PIPELINES:
        raise ModelError(f"{name} is a pipeline of another kind: {kind}")
    return config


def _folder(params: dict[str, Any], part: str, path: Path, name: str) -> Path:
    """The folder of a model of the pipeline: below its own, elsewhere on this machine, or in the hub's cache."""
    value = params.get(part)
    if isinstance(value, dict):
        value = "/".join(filter(None, (str(value.get("checkpoint")), value.get("subfolder"))))
    if not isinstance(value, str):
        raise ModelError(f"{name}: config.yaml names no {part} model")
    below = path / value.removeprefix("$model/").partition("@")[0]
    for place in (below, Path(value).expanduser()):
        if place.exists():
            return place.parent if place.is_file() else place
    repo = cache.parse(value)
    folder = cache.cached(repo) if repo else None
    if folder is None:
        hint = f"run 'audiocli models pull {value}'" if repo else "it is not in the pipeline's folder"
        raise ModelError(f"{name} needs {value}: {hint}")
    return folder


def model(folder: Path, name: str) -> Any:
    """A pyannote model from its folder. Raises ModelError for a checkpoint that holds more than weights and descriptions."""
    from pyannote.audio import Model

    file = folder / FILE
    checkpoint(file, name)
    loaded: Any = Model.from_pretrained(file, strict=False)
    return loaded.eval()


@dataclass(frozen=True)
class Pipeline:
    """One input after the other, all of it in memory; the pipeline batches by itself."""

    spec: ModelSpec
    pipeline: Any
    options: DiarizeOptions

    def __call__(self, batch: Sequence[Streamed]) -> list[Diarization]:
        """A record for each input. Raises InputError."""
        return [self._one(item) for item in batch]

    def _one(self, item: Streamed) -> Diarization:
        with item.open(SAMPLE_RATE) as stream:
            blocks = list(stream.blocks)
        samples = np.concatenate(blocks, axis=1) if blocks else np.zeros((1, 0), np.float32)
        turns = () if silent(samples[0], SAMPLE_RATE) else tuple(self._turns(samples))
        return Diarization(
            path=item.path, duration=samples.shape[1] / SAMPLE_RATE, sample_rate=stream.source_rate, task="diarize",
            model=self.spec.name, revision=self.spec.revision, status="ok" if turns else NO_SPEECH,
            warnings=tuple(stream.warnings), turns=turns, exclusive=self.options.exclusive,
        )  # fmt: skip

    def _turns(self, samples: Any) -> list[Turn]:
        import torch

        own = self.options
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            output = self.pipeline(
                {"waveform": torch.from_numpy(samples), "sample_rate": SAMPLE_RATE, "uri": "input"},
                num_speakers=own.speakers, min_speakers=own.min_speakers, max_speakers=own.max_speakers,
            )  # fmt: skip
        chosen = output.exclusive_speaker_diarization if own.exclusive else output.speaker_diarization
        end = samples.shape[1] / SAMPLE_RATE  # the last window is padded
        turns = [
            Turn(max(part.start, 0.0), min(part.end, end), str(speaker))
            for part, _, speaker in chosen.itertracks(yield_label=True)
        ]
        return [turn for turn in turns if turn.start < turn.end]

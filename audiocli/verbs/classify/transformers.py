"""Sound classifiers through transformers: AST, wav2vec2 and its kin, Whisper's encoder, and CLAP for labels of one's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...device import Place
from ...errors import UsageError
from ...models.checkpoints import checkpoint, extractor
from ...models.registry import ModelSpec
from ...options import ClassifyOptions
from .tagger import Traits

WINDOW = 10.0  # s; AST's and CLAP's own, and enough for what the others were made for
AT_ONCE = 16  # windows in one forward pass


def load(path: Path, spec: ModelSpec, place: Place, options: ClassifyOptions | None) -> "Tagger":
    """The runner of a classifier that was trained for labels of its own."""
    from transformers import AutoModelForAudioClassification

    model = checkpoint(AutoModelForAudioClassification, path, place)
    names = model.config.id2label
    return Tagger(model, extractor(path), tuple(names[n] for n in range(len(names))))


class Tagger:
    """Windows of sound in, probabilities out; padded as the model's front end does it, whatever else is in the batch."""

    window = WINDOW

    def __init__(self, model: Any, inputs: Any, labels: tuple[str, ...]) -> None:
        self.labels, self.sample_rate = labels, int(inputs.sampling_rate)
        self._model, self._inputs = model, inputs
        # Several of AudioSet's labels can hold at once; the others exclude each other.
        independent = model.config.model_type == "audio-spectrogram-transformer" and len(labels) > 400
        self.traits = Traits(independent=independent)

    def __call__(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Windows [samples] each to probabilities [windows, labels]."""
        result = np.empty((len(windows), len(self.labels)), np.float32)
        for some in self._alike(windows):
            result[some] = self._probabilities([windows[n] for n in some])
        return result

    def _alike(self, windows: Sequence[NDArray[np.float32]]) -> Sequence[list[int]]:
        """Indices of the windows that may share a batch: of one length, since padding is heard."""
        by_length: dict[int, list[int]] = {}
        for n, window in enumerate(windows):
            by_length.setdefault(len(window), []).append(n)
        return [some[n : n + AT_ONCE] for some in by_length.values() for n in range(0, len(some), AT_ONCE)]

    @torch.inference_mode()
    def _probabilities(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        least = self.sample_rate // 10
        sounds = [np.pad(window, (0, max(least - len(window), 0))) for window in windows]
        made = self._inputs(sounds, sampling_rate=self.sample_rate, return_tensors="pt")
        name = self._model.main_input_name
        logits = self._model(**{name: made[name].to(self._model.device, self._model.dtype)}).logits.float()
        scores: NDArray[np.float32] = (
            (logits.sigmoid() if self.traits.independent else logits.softmax(-1)).cpu().numpy()
        )
        return scores


def load_zero_shot(path: Path, spec: ModelSpec, place: Place, options: ClassifyOptions | None) -> "ZeroShot":
    """The runner of a CLAP checkpoint. Raises UsageError without labels to choose from."""
    from transformers import ClapModel, ClapProcessor

    chosen = options or ClassifyOptions()
    if not chosen.labels:
        raise UsageError(
            f"{spec.name} has no labels of its own: give --labels 'dog,rain,...' or a file with one a line"
        )
    from .work import named

    processor = ClapProcessor.from_pretrained(path, local_files_only=True)
    return ZeroShot(checkpoint(ClapModel, path, place), processor, named(chosen.labels), chosen.prompt_template)


class ZeroShot:
    """CLAP (Wu et al. 2023): windows of sound in, probabilities of the user's own labels out."""

    window, traits = WINDOW, Traits()

    def __init__(self, model: Any, processor: Any, labels: tuple[str, ...], template: str) -> None:
        if "{}" not in template:
            raise UsageError("--prompt-template needs {} where the label goes")
        self.labels, self._model = labels, model
        self._inputs = processor.feature_extractor
        self.sample_rate = int(self._inputs.sampling_rate)
        made = processor.tokenizer([template.format(label) for label in labels], padding=True, return_tensors="pt")
        with torch.inference_mode():
            vectors = _pooled(model.get_text_features(**made.to(model.device)))
        self._label_vectors = torch.nn.functional.normalize(vectors, dim=-1)

    @torch.inference_mode()
    def __call__(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Windows [samples] each to probabilities [windows, labels]; each by itself, so that its neighbours are not heard."""
        result = np.empty((len(windows), len(self.labels)), np.float32)
        for first in range(0, len(windows), AT_ONCE):
            some = list(windows[first : first + AT_ONCE])
            made = self._inputs(some, sampling_rate=self.sample_rate, return_tensors="pt")
            made["input_features"] = made["input_features"].to(self._model.dtype)
            sounds = torch.nn.functional.normalize(
                _pooled(self._model.get_audio_features(**made.to(self._model.device))), dim=-1
            )
            logits = self._model.logit_scale_a.exp() * sounds @ self._label_vectors.T
            result[first : first + len(some)] = logits.float().softmax(-1).cpu().numpy()
        return result


def _pooled(output: Any) -> torch.Tensor:
    """The vectors, which newer transformers wraps."""
    vectors: torch.Tensor = getattr(output, "pooler_output", output)
    return vectors

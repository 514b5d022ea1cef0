"""The recipe of a sound classifier that goes on from a local AST checkpoint, with a head for other labels."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn
from transformers import ASTFeatureExtractor, ASTForAudioClassification, AutoConfig

from ...console import Console
from ...errors import ModelError
from ...options import TrainOptions
from ..settings import Settings
from .classifier import ClassifierRecipe, Own, recipe

FRAMES_PER_SECOND = 100


def make(options: TrainOptions, console: Console) -> ClassifierRecipe:
    """Read the data and the checkpoint. Raises UsageError, InputError, ModelError."""
    return recipe(AstRecipe, options, console)


class AstRecipe(ClassifierRecipe):
    """Fine-tunes the Audio Spectrogram Transformer (Gong et al. 2021); the result loads with transformers, too."""

    architecture = "Audio Spectrogram Transformer (Gong et al. 2021), fine-tuned"
    default = Settings(epochs=10, batch_size=16, rate=5e-5, weight_decay=1e-2)

    @staticmethod
    def own_options(base: str | None) -> Own:
        """The checkpoint's sample rate and window. Raises ModelError for a folder that holds none."""
        inputs = _extractor(base)
        window = inputs.max_length / FRAMES_PER_SECOND
        return Own(
            sample_rate=inputs.sampling_rate,
            window=window,
            shortest=window / 2,
            bands=inputs.num_mel_bins // 4,
            mean=0.99,
        )

    def new_net(self) -> nn.Module:
        """The checkpoint with a new head."""
        self._inputs = _extractor(self.options.base)
        told: dict[str, Any] = {
            "id2label": dict(enumerate(self.names)),
            "label2id": {name: n for n, name in enumerate(self.names)},
        }
        try:
            return ASTForAudioClassification.from_pretrained(
                str(self.options.base), local_files_only=True, ignore_mismatched_sizes=True, **told
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"--from {self.options.base}: cannot be loaded as an AST checkpoint") from error

    def spectra(self, net: Any, samples: Tensor) -> Tensor:
        """[batch, samples] to Kaldi's log-mel as AST has it, [batch, bands, frames]."""
        every = list(samples.cpu().numpy().astype(np.float32))
        made = self._inputs(every, sampling_rate=self._inputs.sampling_rate, return_tensors="pt")
        values: Tensor = made["input_values"]
        return values.transpose(1, 2).to(samples.device)

    def logits(self, net: Any, spectra: Tensor) -> Tensor:
        """[batch, bands, frames] to [batch, labels]."""
        found: Tensor = net(spectra.transpose(1, 2)).logits
        return found.float()

    def config(self) -> dict[str, Any]:
        """Transformers' own."""
        net: Any = self.net
        return {**net.config.to_dict(), "architectures": ["ASTForAudioClassification"]}

    def files(self) -> dict[str, bytes]:
        """And that of its front end."""
        with tempfile.TemporaryDirectory() as folder:
            self._inputs.save_pretrained(folder)
            return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def _extractor(base: str | None) -> Any:
    """The checkpoint's front end. Raises ModelError."""
    try:
        found = ASTFeatureExtractor.from_pretrained(str(base), local_files_only=True)
        config = AutoConfig.from_pretrained(str(base), local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"--from {base}: no folder with a checkpoint of AST") from error
    if config.model_type != "audio-spectrogram-transformer":
        raise ModelError(f"--from {base}: holds no AST, which is what can be fine-tuned")
    return found

"""Whisper through transformers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ....audio import Audio
from ....models.batches import Batches
from ....models.checkpoints import checkpoint, extractor
from ....models.registry import ModelSpec
from ....options import TranscribeOptions
from ....records import Transcript
from ..models import WHISPER
from ..recogniser import TRAITS
from .decode import Decoder
from .reading import Reading
from .timed import Timed
from .tokens import TICK, Tokens
from .windows import Windows
from .words import Aligner

ENGLISH = 51_864  # tokens of all English-only models of OpenAI
SECONDS = 480.0  # in one forward pass: 16 windows


def load(path: Path, spec: ModelSpec, place: Any, options: TranscribeOptions) -> "WhisperRunner":
    """The runner of a Whisper checkpoint in the folder `path`; `place` has the device and the precision."""
    from transformers import AutoTokenizer, WhisperForConditionalGeneration

    model = checkpoint(WhisperForConditionalGeneration, path, place)
    tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    tokens = Tokens.of(tokenizer, multilingual=_multilingual(model))
    return WhisperRunner(model, extractor(path), tokens, spec, options)


def _multilingual(model: Any) -> bool:
    """Whether a checkpoint knows more than English: as it says, or by its size."""
    said = getattr(model.generation_config, "is_multilingual", None)
    return bool(model.config.vocab_size != ENGLISH if said is None else said)


class TorchNet:
    """A Whisper of transformers: each window is filled up to the model's full length, as in training."""

    def __init__(self, model: Any, inputs: Any, tokens: Tokens, options: TranscribeOptions) -> None:
        self.sample_rate = int(inputs.sampling_rate)
        self.window = int(model.config.max_source_positions * TICK * self.sample_rate)
        self.room = int(model.config.max_target_positions)
        self.batches = Batches(options.batch_size, SECONDS, model.device)
        self._model, self._inputs = model, inputs
        self.decoder, self._aligner = Decoder(model, tokens, options.beam, options.temperature), Aligner(model, tokens)

    def length(self, samples: int) -> float:
        return self.window / self.sample_rate

    @torch.inference_mode()
    def encode(self, windows: Sequence[NDArray[np.float32]]) -> torch.Tensor:
        """The encoder's output for the windows: [windows, positions, width]."""
        full = [np.pad(window, (0, self.window - len(window))) for window in windows]
        features = self._inputs(full, sampling_rate=self.sample_rate, return_tensors="pt", padding=False).input_features
        made = self._model.model.encoder(features.to(self._model.device, self._model.dtype))
        return made.last_hidden_state  # type: ignore[no-any-return]

    def languages(self, encoded: torch.Tensor) -> list[str]:
        return self.decoder.languages(encoded)

    def read(self, encoded: torch.Tensor, given: Sequence[list[int]]) -> list[Reading]:
        return self.decoder.read(encoded, given)

    def once(self, encoded: torch.Tensor, given: list[int], most: int) -> Reading:
        return self.decoder.once(encoded, given, most)

    def words(
        self, encoded: torch.Tensor, wanted: Sequence[int], asked: Sequence[list[int]], texts: Sequence[list[int]],
        loud: Sequence[tuple[float, float]], languages: Sequence[str],
    ) -> list[Timed]:  # fmt: skip
        return self._aligner.words(encoded[list(wanted)], asked, texts, loud, languages)


class WhisperRunner(Windows):
    """Clips in, transcripts out."""

    traits = TRAITS[WHISPER]

    def __init__(self, model: Any, inputs: Any, tokens: Tokens, spec: ModelSpec, options: TranscribeOptions) -> None:
        net = TorchNet(model, inputs, tokens, options)
        super().__init__(net, tokens, spec, options)
        self._decoder = net.decoder

    def __call__(self, batch: list[Audio]) -> list[Transcript]:
        """The transcripts of the clips [1, samples], in their order."""
        return self.alone(batch)

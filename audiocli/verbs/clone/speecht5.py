"""SpeechT5 for voice conversion (Ao et al. 2022) through transformers: speech and a speaker vector to mel, then a vocoder.

Piece by piece: its convolutions are normalised over the time of a whole batch, so that pieces padded to one length would come out
different from those alone.
"""

from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch

from ...models.checkpoints import checkpoint, extractor
from ...models.registry import ModelSpec
from ...options import CloneOptions
from ...vad.cutter import Cut
from ...voices import files as voices
from ...voices.timbre import SAMPLE_RATE, Floats
from ..speak import vocoders
from ..speak.speecht5 import MEL
from .converter import Move, as_loud, in_pieces

# It was trained on sentences of CMU ARCTIC, of three to four seconds: on much longer ones it goes astray.
CUT = Cut(silence=0.3, lead=0.1, trail=0.1, comfortable=5.0, longest=12.0)
LONGER = 1.5  # times the length of the piece that the result may have; then the model has not found its end


def load(path: Path, spec: ModelSpec, place: Any, options: CloneOptions | None) -> "Converter":
    """The converter of a checkpoint in a folder. Raises ModelError without a vocoder."""
    from transformers import SpeechT5ForSpeechToSpeech

    wanted = options or CloneOptions()
    vocoder = vocoders.load(wanted.vocoder, place, MEL, beside=path)
    return Converter(checkpoint(SpeechT5ForSpeechToSpeech, path, place), extractor(path), vocoder, wanted.seed)


@dataclass(frozen=True)
class Converter:
    """SpeechT5 as a converter. Its decoder uses dropout; with the same seed a piece sounds the same every time."""

    model: Any
    inputs: Any
    vocoder: vocoders.Vocoder
    seed: int

    def towards(self, target: voices.Target) -> Move:
        """The way to one voice. Raises UsageError without a speaker vector of the model's size."""
        vector = voices.xvector(target.vectors, int(self.model.config.speaker_embedding_dim), target.name)
        speaker = torch.from_numpy(vector)[None].to(self.model.device, self.model.dtype)
        return in_pieces(partial(self._converted, speaker), CUT)

    def _converted(self, speaker: torch.Tensor, samples: Floats) -> Floats:
        """A piece of speech [n] at SAMPLE_RATE in another voice, as loud."""
        made = self.vocoder(self._spectrogram(speaker, samples))
        if self.vocoder.sample_rate != SAMPLE_RATE:
            made = soxr.resample(made, self.vocoder.sample_rate, SAMPLE_RATE).astype(np.float32)
        return as_loud(made, samples)

    def _spectrogram(self, speaker: torch.Tensor, samples: Floats) -> torch.Tensor:
        """Log-mel [frames, 80] of a piece in another voice."""
        given = self.inputs(audio=samples, sampling_rate=SAMPLE_RATE, return_tensors="pt").input_values
        # Frames of mel for a frame of the encoder, when nothing is said faster or slower.
        even = prod(self.model.config.conv_stride) / MEL.hop_length
        torch.manual_seed(self.seed)
        with torch.inference_mode():
            mel: torch.Tensor = self.model.generate_speech(
                given.to(self.model.device, self.model.dtype), speaker, torch.ones_like(given, dtype=torch.long),
                maxlenratio=LONGER * even,
            )  # fmt: skip
        return mel

"""x-vector heads on wav2vec2, WavLM, UniSpeech-SAT and Data2Vec through transformers (`ForXVector`)."""

from pathlib import Path
from typing import Any

import numpy as np

from ..models.checkpoints import checkpoint, extractor
from ..models.registry import ModelSpec
from .embeddings import Floats, SpeakerEncoder

# The cosines that the models' cards give (microsoft/wavlm-base-plus-sv) and transformers' own example (wav2vec2): both say
# that the best one depends on the recordings.
THRESHOLDS = {"wavlm": 0.86, "unispeech-sat": 0.86}
THRESHOLD = 0.7


def load(path: Path, spec: ModelSpec, place: Any, options: Any = None) -> SpeakerEncoder:
    """The encoder of a checkpoint in the folder `path`; `place` has the device and the precision."""
    import torch
    from transformers import AutoModelForAudioXVector

    model = checkpoint(AutoModelForAudioXVector, path, place)
    inputs = extractor(path)
    sample_rate = int(inputs.sampling_rate)

    def forward(clips: Floats) -> Floats:
        made = inputs(list(clips), sampling_rate=sample_rate, return_tensors="pt")
        with torch.inference_mode():
            output = model(input_values=made.input_values.to(model.device, model.dtype))
        return np.asarray(output.embeddings.float().cpu().numpy())

    return SpeakerEncoder(spec, sample_rate, forward, threshold=THRESHOLDS.get(model.config.model_type, THRESHOLD))

"""The embeddings of pyannote.audio: WeSpeaker's ResNets and x-vectors, from the checkpoint file, never through its own loader.

That one opens pickles without asking; here a checkpoint may hold tensors and a handful of pyannote's own plain classes.
"""

import os
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from .embeddings import Floats, SpeakerEncoder
from .registry import ModelSpec

FILE = "pytorch_model.bin"
ARCHITECTURES = "pyannote.audio.models.embedding"
THRESHOLD = 0.3  # cosine; pyannote's own pipelines cluster these embeddings at a distance of 0.7


def load(path: Path, spec: ModelSpec, place: Any, options: Any = None) -> SpeakerEncoder:
    """The encoder in the folder `path`; `place` has the device and the precision. Raises ModelError."""
    import torch

    model = _model(path / FILE, spec).to(place.device).eval()
    sample_rate = int(model.hparams.sample_rate)

    def forward(clips: Floats) -> Floats:
        with torch.inference_mode():
            return np.asarray(model(torch.from_numpy(clips)[:, None].to(place.device)).float().cpu().numpy())

    return SpeakerEncoder(spec, sample_rate, forward, threshold=THRESHOLD)


def _model(file: Path, spec: ModelSpec) -> Any:
    """The net of a checkpoint, with its weights. Raises ModelError."""
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torchcodec, which is not asked to open anything
        checkpoint = _tensors(file, spec)
        about = checkpoint["pyannote.audio"]["architecture"]
        if not about["module"].startswith(ARCHITECTURES):
            raise ModelError(f"{spec.name} is no pyannote embedding, but {about['module']}.{about['class']}")
        model = getattr(import_module(about["module"]), about["class"])(**checkpoint.get("hyper_parameters", {}))
    # The head of its training has no place here.
    model.load_state_dict({k: v for k, v in checkpoint["state_dict"].items() if not k.startswith("loss_func")})
    return model


def _tensors(file: Path, spec: ModelSpec) -> Any:
    import pickle

    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from torch.torch_version import TorchVersion

    try:
        with torch.serialization.safe_globals([Problem, Resolution, Specifications, TorchVersion]):
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(f"{spec.name}: {file.name} holds more than weights, and is not opened") from error

"""The embeddings of pyannote.audio: WeSpeaker's ResNets and x-vectors, from the checkpoint file, never through its own loader.

That one opens pickles without asking; here a checkpoint may hold tensors and a handful of pyannote's own plain classes.
"""

import os
import warnings
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..models.registry import ModelSpec
from .embeddings import Floats, SpeakerEncoder

FILE = "pytorch_model.bin"
NETS = "pyannote.audio.models."
ARCHITECTURES = f"{NETS}embedding"
THRESHOLD = 0.3  # cosine; pyannote's own pipelines cluster these embeddings at a distance of 0.7

os.environ["PYANNOTE_METRICS_ENABLED"] = "0"  # read when it is imported, and at every call


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from torchcodec, which is not used to open anything
        held = checkpoint(file, spec.name)
        about = held["pyannote.audio"]["architecture"]
        if not about["module"].startswith(ARCHITECTURES):
            raise ModelError(f"{spec.name} is not a pyannote embedding but {about['module']}.{about['class']}")
        architecture = getattr(import_module(about["module"]), about["class"])
        own = signature(architecture).parameters  # a checkpoint has settings of what lies below the net, too
        model = architecture(**{key: value for key, value in held.get("hyper_parameters", {}).items() if key in own})
    # The head of its training is not needed here.
    model.load_state_dict({k: v for k, v in held["state_dict"].items() if not k.startswith("loss_func")})
    return model


def checkpoint(file: Path, name: str) -> dict[str, Any]:
    """The contents of a pyannote checkpoint. Raises ModelError when they are more than weights and descriptions, or incomplete."""
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications

    try:
        with torch.serialization.safe_globals([Problem, Resolution, Specifications, torch.torch_version.TorchVersion]):
            held: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        about = held["pyannote.audio"]["architecture"]
    except FileNotFoundError as error:
        raise ModelError(f"{name}: there is no {file}") from error
    except Exception as error:  # whatever a damaged or malicious pickle leads to
        raise ModelError(f"{file} is damaged, or holds more than weights: it is not loaded") from error
    if not about["module"].startswith(NETS):
        raise ModelError(f"{file} is for a net that is not pyannote's: {about['module']}")
    return held

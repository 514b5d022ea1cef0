"""The encoders of our own: `audiocli train speaker-encoder` or `sound-encoder` wrote their folders."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from ..nets.siamese import Siamese, Sizes
from . import own
from .embeddings import Floats, SpeakerEncoder
from .registry import ModelSpec


def load(path: Path, spec: ModelSpec, place: Any, options: Any = None) -> SpeakerEncoder:
    """The encoder in the folder `path`; `place` has the device and the precision."""
    config = own.config(path)
    sizes = Sizes(**config["sizes"])
    net = Siamese(sizes, int(config["classes"]))
    net.load_state_dict({name: value.float() for name, value in load_file(path / "model.safetensors").items()})
    net.to(place.device).eval()
    dtype = getattr(torch, place.dtype)

    def forward(clips: Floats) -> Floats:
        with (
            torch.inference_mode(),
            torch.autocast(place.device.type, dtype=dtype, enabled=dtype != torch.float32),
        ):
            return np.asarray(net(torch.from_numpy(clips).to(place.device)).float().cpu().numpy())

    told = {name: config[name] for name in ("calibration", "threshold", "speech") if name in config}
    return SpeakerEncoder(spec, sizes.sample_rate, forward, **told)

"""The encoders of our own: `audiocli train speaker-encoder` or `sound-encoder` wrote their folders."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from ..models import own
from ..models.registry import ModelSpec
from ..nets.siamese import Siamese, Sizes
from .embeddings import Floats, SpeakerEncoder

# s, as long as the crops that it was trained with: on speakers that it was chosen by, equal error rates are 2.3 % with them and
# 2.5 % with pieces of 1.6 s; of crops of 3 s, 9.0 % and 9.4 %.
PIECES = 1.2
COHORT = "cohort.safetensors"


def load(path: Path, spec: ModelSpec, place: Any, options: Any = None) -> SpeakerEncoder:
    """The encoder in the folder `path`; `place` has the device and the precision."""
    config = own.config(path)
    sizes = Sizes(**config["sizes"])
    net = Siamese(sizes, int(config["classes"]))
    net.load_state_dict({name: value.float() for name, value in load_file(path / "model.safetensors").items()})
    net.to(place.device).eval()
    settings = {name: config[name] for name in ("calibration", "threshold", "speech") if name in config}
    return of(net, spec, getattr(torch, place.dtype), cohort=_cohort(path), **settings)


def _cohort(path: Path) -> Floats | None:
    """The strangers in a folder, if there are any."""
    file = path / COHORT
    return load_file(file)["embeddings"].float().numpy() if file.is_file() else None


def of(
    net: Siamese, spec: ModelSpec, dtype: torch.dtype = torch.float32, *, speech: bool = True, **settings: Any
) -> SpeakerEncoder:
    """The encoder that a net is, in its evaluation mode on its device."""
    device = next(net.parameters()).device

    def forward(clips: Floats) -> Floats:
        with torch.inference_mode(), torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
            return np.asarray(net(torch.from_numpy(clips).to(device)).float().cpu().numpy())

    pieces = PIECES if speech else None
    return SpeakerEncoder(spec, net.sizes.sample_rate, forward, pieces=pieces, speech=speech, **settings)

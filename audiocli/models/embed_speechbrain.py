"""SpeechBrain's ECAPA-TDNN (Desplanques et al., 2020), from the checkpoint of its weights; needs the extra `speechbrain`.

Its hyperparams.yaml is a program (it names classes to be made) and is not read: what differs between these nets, their widths, is
in the shapes of their weights.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from .embeddings import Floats, SpeakerEncoder
from .registry import ECAPA_FILE, ModelSpec

THRESHOLD = 0.25  # cosine; what SpeakerRecognition.verify_batch of speechbrain takes


def load(path: Path, spec: ModelSpec, place: Any, options: Any = None) -> SpeakerEncoder:
    """The encoder in the folder `path`; `place` has the device. Raises ModelError."""
    import torch
    from speechbrain.lobes.features import Fbank
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN

    try:
        weights = torch.load(path / ECAPA_FILE, map_location="cpu", weights_only=True)
        net = ECAPA_TDNN(**_shape(weights))
        net.load_state_dict(weights)
    except (pickle.UnpicklingError, EOFError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path / ECAPA_FILE} is damaged, or holds something else than an ECAPA-TDNN") from error
    net.to(place.device).eval()
    bands = Fbank(n_mels=weights["blocks.0.conv.conv.weight"].shape[1]).to(place.device)

    def forward(clips: Floats) -> Floats:
        with torch.inference_mode():
            features = bands(torch.from_numpy(clips).to(place.device))
            found = net(features - features.mean(1, keepdim=True))
            return np.asarray(found[:, 0].float().cpu().numpy())

    return SpeakerEncoder(spec, spec.sample_rate, forward, threshold=THRESHOLD)


def _shape(weights: Any) -> dict[str, Any]:
    """The arguments of ECAPA_TDNN that its weights tell; kernels, dilations and the scale are the ones of the paper."""
    first, attention, squeezed = (
        weights[f"{name}.conv.weight"].shape for name in ("blocks.0.conv", "asp.tdnn.conv", "blocks.1.se_block.conv1")
    )
    pooled, embedding = weights["mfa.conv.conv.weight"].shape[0], weights["fc.conv.weight"].shape[0]
    return {
        "input_size": first[1], "channels": [*[first[0]] * 4, pooled], "lin_neurons": embedding,
        "attention_channels": attention[0], "se_channels": squeezed[0],
    }  # fmt: skip

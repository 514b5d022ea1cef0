"""SpeechBrain's ECAPA-TDNN (Desplanques et al., 2020) and x-vector net (Snyder et al., 2018); needs the extra `speechbrain`.

From the checkpoint of their weights: hyperparams.yaml is a program (it names classes to be made) and is not read. What differs
between these nets, their kinds and widths, is in the names and shapes of their weights.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..models.spec import SPEECHBRAIN_FILE, ModelSpec
from .embeddings import Floats, SpeakerEncoder

XVECTOR_FIRST = "blocks.0.conv.weight"  # a weight that only an x-vector net has
THRESHOLD = 0.25  # cosine; what SpeakerRecognition.verify_batch of speechbrain takes


def load(path: Path, spec: ModelSpec, place: Any, options: Any = None) -> SpeakerEncoder:
    """The encoder in the folder `path`; `place` has the device. Raises ModelError."""
    import torch
    from speechbrain.lobes.features import Fbank

    try:
        weights = torch.load(path / SPEECHBRAIN_FILE, map_location="cpu", weights_only=True)
        net, n_mels = _xvector(weights) if XVECTOR_FIRST in weights else _ecapa(weights)
        net.load_state_dict(weights)
    except (pickle.UnpicklingError, EOFError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path / SPEECHBRAIN_FILE} is damaged, or holds something other than an ECAPA-TDNN or an x-vector net"
        ) from error
    net.to(place.device).eval()
    bands = Fbank(n_mels=n_mels).to(place.device)

    def forward(clips: Floats) -> Floats:
        with torch.inference_mode():
            features = bands(torch.from_numpy(clips).to(place.device))
            embeddings = net(features - features.mean(1, keepdim=True))
            return np.asarray(embeddings[:, 0].float().cpu().numpy())

    return SpeakerEncoder(spec, spec.sample_rate, forward, threshold=THRESHOLD)


def _ecapa(weights: Any) -> tuple[Any, int]:
    """An ECAPA-TDNN that such weights fit, and its bands; kernels, dilations and the scale are the ones of the paper."""
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN

    first, attention, squeezed = (
        weights[f"{name}.conv.weight"].shape for name in ("blocks.0.conv", "asp.tdnn.conv", "blocks.1.se_block.conv1")
    )
    pooled, embedding = weights["mfa.conv.conv.weight"].shape[0], weights["fc.conv.weight"].shape[0]
    net = ECAPA_TDNN(
        first[1], channels=[*[first[0]] * 4, pooled], lin_neurons=embedding, attention_channels=attention[0],
        se_channels=squeezed[0],
    )  # fmt: skip
    return net, first[1]


def _xvector(weights: Any) -> tuple[Any, int]:
    """An x-vector net that such weights fit, and its bands; dilations are the ones of the paper."""
    from speechbrain.lobes.models.Xvector import Xvector

    layers = [weights[f"blocks.{3 * n}.conv.weight"].shape for n in range(5)]
    net = Xvector(
        tdnn_channels=[layer[0] for layer in layers], tdnn_kernel_sizes=[layer[2] for layer in layers],
        lin_neurons=weights["blocks.16.w.weight"].shape[0], in_channels=layers[0][1],
    )  # fmt: skip
    return net, layers[0][1]

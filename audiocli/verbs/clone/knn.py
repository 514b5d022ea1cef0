"""kNN-VC (Baas, van Niekerk & Kamper 2023, "Voice conversion with just nearest neighbors"): each frame by those of the reference.

A frame of layer 6 of WavLM encodes what is said and who says it. Each one of the source becomes the mean of the four frames of the
reference that are most like it, and a HiFi-GAN that was trained with such frames makes sound of them: more of the reference helps.
"""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, takewhile
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import normalize

from ...errors import ModelError
from ...models.checkpoints import checkpoint
from ...models.registry import ModelSpec
from ...options import CloneOptions
from ...voices.files import Target
from ...voices.timbre import SAMPLE_RATE, Floats, Timbre
from ..speak import vocoders
from .converter import Move, as_loud, in_windows

LAYER = 6
NEIGHBOURS = 4
STEP, FIELD = 320, 400  # samples from one frame to the next, and under one
AT_ONCE = 20 * SAMPLE_RATE  # samples of the reference in one pass
BLOCK = 8_192  # frames of the reference that are compared at once: an hour has 180,000
SLOPE, DILATIONS = 0.1, [1, 3, 5]  # of the published vocoder; its other sizes are seen in its weights


def load(path: Path, spec: ModelSpec, place: Any, options: CloneOptions | None) -> "Converter":
    """The converter with the WavLM in a folder. Raises ModelError."""
    from transformers import WavLMModel

    model = checkpoint(WavLMModel, path, place)
    if len(model.encoder.layers) < LAYER:
        raise ModelError(f"{path} has {len(model.encoder.layers)} layers, and kNN-VC hears layer {LAYER} of a WavLM")
    model.encoder.layers = model.encoder.layers[:LAYER]
    if model.config.do_stable_layer_norm:
        model.encoder.layer_norm = torch.nn.Identity()  # it stands behind the last layer, which the sixth is not
    return Converter(model, vocoder(options.vocoder if options else None, path, place, model.config.hidden_size))


@dataclass(frozen=True)
class Converter:
    """WavLM up to the layer, and the vocoder for its frames."""

    model: Any
    vocoder: vocoders.Vocoder

    def towards(self, target: Target) -> Move:
        """The way to one voice."""
        speech = target.speech
        pieces = np.array_split(speech, -(-len(speech) // AT_ONCE))
        pool = torch.cat([self.frames(piece) for piece in pieces])

        def convert(samples: Floats, own: Timbre) -> Floats:
            made = self.vocoder(matched(self.frames(samples), pool, NEIGHBOURS))
            return as_loud(made[: len(samples)], samples)

        return in_windows(convert)

    def frames(self, samples: Floats) -> torch.Tensor:
        """Samples [n] to frames [ceil(n / STEP), size], each centred on its STEP samples."""
        around = (FIELD - STEP) // 2
        padded = np.pad(samples, (around, around + -len(samples) % STEP))
        with torch.inference_mode():
            given = torch.from_numpy(padded)[None].to(self.model.device, self.model.dtype)
            features: torch.Tensor = self.model(given).last_hidden_state[0]
        return features


def matched(frames: torch.Tensor, pool: torch.Tensor, neighbours: int) -> torch.Tensor:
    """Frames [n, size], each as the mean of those in the pool [m, size] that have the largest cosine with it."""
    wanted = normalize(frames.float(), dim=1)
    most = min(neighbours, len(pool))
    best = torch.full((len(frames), most), -2.0, device=frames.device)
    places = torch.zeros((len(frames), most), dtype=torch.long, device=frames.device)
    for first in range(0, len(pool), BLOCK):
        cosines = wanted @ normalize(pool[first : first + BLOCK].float(), dim=1).T
        numbers = torch.arange(first, first + cosines.shape[1], device=frames.device).expand_as(cosines)
        best, order = torch.cat([best, cosines], dim=1).topk(most, dim=1)
        places = torch.cat([places, numbers], dim=1).gather(1, order)
    return pool[places].float().mean(dim=1)


def vocoder(wanted: str | None, path: Path, place: Any, size: int) -> vocoders.Vocoder:
    """The vocoder for frames [n, size]: that of --vocoder, else the one in the model's folder. Raises ModelError."""
    where = Path(wanted) if wanted else next(_beside(path), None)
    if where is None:
        raise ModelError(
            "kNN-VC needs a HiFi-GAN for frames of WavLM: --vocoder with the file prematch_g_02500000.pt that its authors publish "
            "(bshall/knn-vc, releases), or a folder"
        )
    narrow, gan = published(where) if where.is_file() else (None, vocoders.hifigan(where, place).net)
    takes = narrow.in_features if narrow else gan.config.model_in_dim
    if takes != size or prod(gan.config.upsample_rates) != STEP:
        raise ModelError(f"--vocoder {where} was not made for this WavLM: it takes {takes} numbers a frame, not {size}")
    return Vocoder(narrow and narrow.to(place.device), vocoders.of(gan.to(place.device).eval()))


def _beside(path: Path) -> Iterator[Path]:
    yield from (file for file in (path / "vocoder", *sorted(path.glob("*.pt"))) if file.exists())


@dataclass(frozen=True)
class Vocoder:
    """HiFi-GAN, in the published form behind a layer that makes its frames smaller."""

    narrow: torch.nn.Linear | None
    gan: vocoders.HifiGan

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.gan.sample_rate

    def __call__(self, mel: torch.Tensor) -> Floats:
        """Frames [n, size] to samples [n * STEP]."""
        with torch.inference_mode():
            return self.gan(self.narrow(mel.to(self.narrow.weight)) if self.narrow else mel)


def published(file: Path) -> tuple[torch.nn.Linear, Any]:
    """The layer and the HiFi-GAN in a file of the authors'. Raises ModelError."""
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    try:
        tensors = _plain(torch.load(file, map_location="cpu", weights_only=True)["generator"])
        ups, blocks = _kernels(tensors, "ups.{}.weight"), _kernels(tensors, "resblocks.{}.convs1.0.weight")
        channels, inside, _ = tensors["conv_pre.weight"].shape
        each = len(blocks) // len(ups)
        config = SpeechT5HifiGanConfig(
            model_in_dim=inside, sampling_rate=SAMPLE_RATE, upsample_initial_channel=channels, normalize_before=False,
            upsample_rates=[kernel // 2 for kernel in ups], upsample_kernel_sizes=ups, leaky_relu_slope=SLOPE,
            resblock_kernel_sizes=blocks[:each], resblock_dilation_sizes=[DILATIONS] * each,
        )  # fmt: skip
        size, wide = tensors["lin_pre.weight"].shape
        narrow = torch.nn.Linear(wide, size)
        narrow.load_state_dict({"weight": tensors.pop("lin_pre.weight"), "bias": tensors.pop("lin_pre.bias")})
        gan = SpeechT5HifiGan(config)
        own = {name.replace("ups.", "upsampler."): tensor for name, tensor in tensors.items()}
        gan.load_state_dict({**own, "mean": gan.mean, "scale": gan.scale})
    except (pickle.UnpicklingError, KeyError, TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise ModelError(f"--vocoder {file} is not a HiFi-GAN of kNN-VC") from error
    return narrow, gan


def _plain(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights out of their directions and lengths (Salimans & Kingma 2016)."""
    weights = {name: tensor.float() for name, tensor in tensors.items() if not name.endswith(("_g", "_v"))}
    for name in (name for name in tensors if name.endswith(".weight_v")):
        length = tensors[f"{name[:-1]}g"].float()
        weights[name[:-2]] = normalize(tensors[name].float().flatten(1), dim=1).view_as(tensors[name]) * length
    return weights


def _kernels(tensors: dict[str, torch.Tensor], pattern: str) -> list[int]:
    """The kernel sizes of layers that are numbered from 0."""
    names = takewhile(tensors.__contains__, (pattern.format(n) for n in count()))
    return [tensors[name].shape[-1] for name in names]

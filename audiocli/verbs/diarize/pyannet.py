"""pyannote's segmentation net: who of up to three people speaks in each frame of five seconds (Bredin & Laurent 2021).

The net is pyannote.audio's own class, PyanNet; its sizes are those of the numbers in the checkpoint, which is read without
running anything in it: the file is a checkpoint of Lightning that names classes of pyannote and omegaconf.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ...models import pickles
from .models import SEGMENTATION_FILE

Floats = NDArray[np.float32]

SAMPLE_RATE = 16_000  # Hz
WINDOW = 5 * SAMPLE_RATE  # samples that the net was trained to hear at once
SPEAKERS = 3  # people in a window at most
STRIDE = 10  # samples from one sinc filter's output to the next, which no number in the checkpoint shows


@dataclass(frozen=True)
class Net:
    """Windows in, probabilities out."""

    module: Any
    device: Any
    step: int  # samples from frame to frame
    centre: float  # samples from the beginning of a window to the middle of its first frame
    frames: int  # in a window

    def __call__(self, windows: Floats) -> Floats:
        """Windows [batch, WINDOW] to the probability that each person speaks [batch, frames, SPEAKERS]."""
        import torch

        with torch.inference_mode():
            scores = self.module(torch.from_numpy(windows)[:, None].to(self.device))
        return np.asarray(scores.float().cpu().numpy())


def load(path: Path, device: Any) -> Net:
    """The net in the folder `path`. Raises ModelError, DownloadError."""
    file = path / SEGMENTATION_FILE
    weights = _weights(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchcodec is not needed
        module = _module(weights, file)
    field = module.receptive_field
    step = round(field.step * SAMPLE_RATE)
    centre = float(module.receptive_field_center(frame=0))
    return Net(module.to(device).eval(), device, step, centre, module.num_frames(WINDOW))


def _weights(file: Path) -> dict[str, NDArray[Any]]:
    """The numbers in a checkpoint, without those that belong to its training. Raises ModelError, DownloadError."""
    held = pickles.read(file)
    state = held.get("state_dict") if isinstance(held, dict) else None
    if not isinstance(state, Mapping):
        raise ModelError(f"{file} holds something other than a segmentation net: there is no state_dict in it")
    return {str(name): value for name, value in state.items() if isinstance(value, np.ndarray)}


def _module(weights: Mapping[str, NDArray[Any]], file: Path) -> Any:
    """The net of pyannote.audio with these numbers. Raises ModelError for those of another net."""
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet

    other = f"{file} holds something other than pyannote's segmentation net of {SPEAKERS} speakers"
    try:
        hidden, width = weights["lstm.weight_hh_l0"].shape[1], weights["linear.0.weight"].shape[0]
        speakers = weights["classifier.weight"].shape[0]
    except (KeyError, IndexError) as error:
        raise ModelError(f"{other}: it has no {error}") from error
    if speakers != SPEAKERS:
        raise ModelError(f"{other}: it has {speakers} outputs")
    layers, linear = _count(weights, "lstm.weight_hh_l{}"), _count(weights, "linear.{}.weight")
    module = PyanNet(
        sincnet={"stride": STRIDE},
        lstm={"hidden_size": hidden, "num_layers": layers, "bidirectional": True, "monolithic": True, "dropout": 0.0},
        linear={"hidden_size": width, "num_layers": linear},
    )
    module.specifications = Specifications(
        problem=Problem.MULTI_LABEL_CLASSIFICATION, resolution=Resolution.FRAME, duration=WINDOW / SAMPLE_RATE,
        classes=[f"speaker#{n + 1}" for n in range(SPEAKERS)], permutation_invariant=True,
    )  # fmt: skip
    module.build()  # type: ignore[no-untyped-call]  # pyannote.audio has no types there
    own = module.state_dict()
    try:
        module.load_state_dict({name: torch.from_numpy(np.array(weights[name])) for name in own})
    except (KeyError, RuntimeError, TypeError) as error:
        raise ModelError(f"{other}: {str(error).splitlines()[0]}") from error
    return module


def _count(weights: Mapping[str, NDArray[Any]], pattern: str) -> int:
    """Layers of a kind, which are numbered from 0."""
    return next(n for n in range(len(weights) + 1) if pattern.format(n) not in weights)

"""The vocoders of our own: a log-mel of audio.mels in, samples out, from the folder that `audiocli train` writes."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ....audio import mels
from ....device import Place
from ....errors import ModelError
from ....kernels import mulaw, wavenet
from ....kernels.emphasis import deemphasise
from ....models.own import config, with_weights
from ....models.registry import ModelSpec
from ....nets.conditioner import MARGIN, with_margin
from ....nets.wavenet import CODES, WaveNet
from ....options import SpeakOptions

Floats = NDArray[np.float32]
AT_ONCE = 800  # frames (10 s) whose conditioning is in memory
ON_PROCESSOR = Place("cpu", "float32")  # where the kernels are, wherever nets run that need none
KINDS = ("audiocli-wavenet",)


@dataclass(frozen=True)
class SampleBySample:
    """A vocoder that draws each sample given those before it, on the processor.

    begin: makes what draws one sound from its beginning on, as `draw(part, count)`; parts: the conditioning of a log-mel with
    its margins [1, n_mels, frames + 2 MARGIN] as draw takes it; decoded: from all that was drawn to samples.
    """

    sample_rate: int
    begin: Callable[[], Callable[[Floats, int], NDArray[Any]]]
    parts: Callable[[torch.Tensor], Floats]
    decoded: Callable[[NDArray[Any]], Floats]

    def __call__(self, mel: torch.Tensor) -> Floats:
        """Samples [(frames - 1) * hop] of a log-mel [frames, n_mels]."""
        if len(mel) < 2:
            return np.zeros(0, np.float32)
        draw = self.begin()
        return self.decoded(np.concatenate([draw(part, count) for part, count in self._stretches(mel)]))

    def _stretches(self, mel: torch.Tensor) -> Iterator[tuple[Floats, int]]:
        """(conditioning, samples) of one stretch of the mel after the other."""
        whole = with_margin(mel.detach().float().cpu().T[None])
        hops = len(mel) - 1
        for first in range(0, hops, AT_ONCE):
            count = min(AT_ONCE, hops - first)
            with torch.inference_mode():
                yield self.parts(whole[..., first : first + count + 1 + 2 * MARGIN]), count * mels.HOP


def load(path: Path, spec: ModelSpec | None, place: Place, options: SpeakOptions | None) -> SampleBySample:
    """The vocoder in a folder. Raises ModelError."""
    found = config(path)
    kind = str(found.get("model_type"))
    if kind not in KINDS:
        raise ModelError(f"{path} is a {kind}, not a vocoder of audiocli's")
    if not found.get("own", {}).get("mel", True):
        raise ModelError(f"{path} was trained without a mel: it makes no sound of one")
    _check_mel(path, found)
    wanted = options or SpeakOptions()
    return _wavenet(path, found, wanted)


def _check_mel(path: Path, found: dict[str, Any]) -> None:
    """Raises ModelError for a net that was trained on other spectrograms than audio.mels makes."""
    theirs = found.get("front_end")
    if theirs != asdict(mels.FRONT):
        raise ModelError(f"{path} was trained on another mel than that of 'features --preset {mels.PRESET}'")


def _wavenet(path: Path, found: dict[str, Any], wanted: SpeakOptions) -> SampleBySample:
    net = with_weights(WaveNet(**found["shape"]), path, ON_PROCESSOR)
    weights = wavenet.weights(net.state_dict(), net.dilations)

    def begin() -> Callable[[Floats, int], NDArray[Any]]:
        sampler = wavenet.Sampler(weights, first=CODES // 2, temperature=wanted.temperature, seed=wanted.seed)
        return sampler.draw

    def decoded(codes: NDArray[Any]) -> Floats:
        return deemphasise(mulaw.decode(codes, CODES - 1), found["emphasis"]) / np.float32(found["gain"])

    return SampleBySample(
        found["sample_rate"], begin, lambda mel: net.given(mel)[:, :, 0].permute(2, 0, 1).numpy(), decoded
    )

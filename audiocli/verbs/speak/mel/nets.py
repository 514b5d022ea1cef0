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
from ....kernels import mulaw, wavenet, wavernn
from ....kernels.emphasis import deemphasise
from ....models.own import config, with_weights
from ....models.registry import ModelSpec
from ....nets.conditioner import MARGIN, with_margin
from ....nets.waveglow import GROUP, WaveGlow
from ....nets.wavenet import CODES, WaveNet
from ....nets.wavernn import BYTE, WaveRNN
from ....options import SpeakOptions

Floats = NDArray[np.float32]
AT_ONCE = 800  # hops (10 s) that are made at a time
GROUPS = mels.HOP // GROUP  # of WaveGlow, in a hop
ON_PROCESSOR = Place("cpu", "float32")  # where the kernels are, wherever nets run that need none
KINDS = ("audiocli-wavenet", "audiocli-wavernn", "audiocli-waveglow")


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


@dataclass(frozen=True)
class AllAtOnce:
    """WaveGlow: sound out of noise with a spread, in stretches that overlap by as much as its net reaches."""

    net: WaveGlow
    found: dict[str, Any]
    seed: int
    spread: float

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return int(self.found["sample_rate"])

    def __call__(self, mel: torch.Tensor) -> Floats:
        """Samples [(frames - 1) * hop] of a log-mel [frames, n_mels]."""
        if len(mel) < 2:
            return np.zeros(0, np.float32)
        weight = self.net.mix[0]
        whole = with_margin(mel.detach().float().T[None]).to(weight.device)
        random = torch.Generator().manual_seed(self.seed)
        noise = self.spread * torch.randn((len(mel) - 1) * GROUPS, GROUP, generator=random).T[None].to(weight.device)
        with torch.inference_mode():
            made = torch.cat([self._stretch(whole, noise, first) for first in range(0, len(mel) - 1, AT_ONCE)])
        return decoded(made.float().cpu().numpy(), self.found)

    def _stretch(self, mel: torch.Tensor, noise: torch.Tensor, first: int) -> torch.Tensor:
        """The sound of AT_ONCE hops, or of what is left of them."""
        side, hops = -(-self.net.reach // GROUPS), noise.shape[-1] // GROUPS
        begin, end = max(first - side, 0), min(first + AT_ONCE + side, hops)
        sound = self.net.inverse(
            noise[..., begin * GROUPS : end * GROUPS], mel[..., begin : end + 1 + 2 * MARGIN]
        )[0]  # fmt: skip
        return sound[(first - begin) * mels.HOP :][: AT_ONCE * mels.HOP]


def load(path: Path, spec: ModelSpec | None, place: Place, options: SpeakOptions | None) -> SampleBySample | AllAtOnce:
    """The vocoder in a folder. Raises ModelError."""
    found = config(path)
    kind = str(found.get("model_type"))
    if kind not in KINDS:
        raise ModelError(f"{path} is a {kind}, not a vocoder of audiocli's")
    if not found.get("own", {}).get("mel", True):
        raise ModelError(f"{path} was trained without a mel: it makes no sound of one")
    _check_mel(path, found)
    wanted = options or SpeakOptions()
    temperature = found.get("temperature", 1.0) if wanted.temperature is None else wanted.temperature
    if kind == "audiocli-waveglow":
        return AllAtOnce(with_weights(WaveGlow(**found["shape"]), path, place).float(), found, wanted.seed, temperature)
    make = _wavenet if kind == "audiocli-wavenet" else _wavernn
    return make(path, found, temperature, wanted.seed)


def _check_mel(path: Path, found: dict[str, Any]) -> None:
    """Raises ModelError for a net that was trained on other spectrograms than audio.mels makes."""
    theirs = found.get("front_end")
    if theirs != asdict(mels.FRONT):
        raise ModelError(f"{path} was trained on another mel than that of 'features --preset {mels.PRESET}'")


def decoded(raised: Floats, found: dict[str, Any]) -> Floats:
    """Samples of sound as the net gives it: its emphasis and gain undone."""
    samples: Floats = np.clip(deemphasise(raised, found["emphasis"]) / np.float32(found["gain"]), -1.0, 1.0)
    return samples


def _wavenet(path: Path, found: dict[str, Any], temperature: float, seed: int) -> SampleBySample:
    net = with_weights(WaveNet(**found["shape"]), path, ON_PROCESSOR)
    weights = wavenet.weights(net.state_dict(), net.dilations)
    return SampleBySample(
        found["sample_rate"],
        lambda: wavenet.Sampler(weights, first=CODES // 2, temperature=temperature, seed=seed).draw,
        lambda mel: net.given(mel)[:, :, 0].permute(2, 0, 1).numpy(),
        lambda codes: decoded(mulaw.decode(codes, CODES - 1), found),
    )


def _wavernn(path: Path, found: dict[str, Any], temperature: float, seed: int) -> SampleBySample:
    net = with_weights(WaveRNN(**found["shape"]), path, ON_PROCESSOR)
    weights = wavernn.weights(net.state_dict())
    codes = BYTE * BYTE
    return SampleBySample(
        found["sample_rate"],
        lambda: wavernn.Sampler(weights, first=codes // 2, temperature=temperature, seed=seed).draw,
        lambda mel: net.given(mel)[0].numpy(),
        lambda drawn: decoded(mulaw.decode(drawn, codes - 1), found),
    )

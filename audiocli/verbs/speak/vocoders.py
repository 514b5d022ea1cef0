"""Vocoders: a log-mel spectrogram in, samples out; by a net that was trained for it, or by Griffin and Lim's iteration."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from ...audio import mels as audio_mels
from ...errors import ModelError, libraries
from ...kernels import mel as mels
from ...models.checkpoints import checkpoint
from ...options import SpeakOptions
from .mel import nets
from .models import GRIFFIN_LIM

Floats = NDArray[np.float32]
FASTSPEECH2_RATE = 22_050  # Hz, of LJSpeech
WAVERNN_FLOOR = -100.0  # dB, of its input
ROUNDS = 60  # of Griffin-Lim: more make no audible difference


@dataclass(frozen=True)
class MelScale:
    """The scale of a model's spectrograms: magnitudes in mel bands, under a logarithm with this base."""

    sample_rate: int
    n_fft: int
    hop_length: int
    n_mels: int
    fmin: float
    fmax: float
    scale: str = "slaney"
    norm: str = "slaney"
    base: float = 10.0
    win_length: int | None = None  # n_fft


# The mel of our own nets.
OURS = MelScale(
    audio_mels.SAMPLE_RATE, audio_mels.FRONT.n_fft, audio_mels.HOP, audio_mels.N_MELS, audio_mels.FRONT.fmin,
    audio_mels.FRONT.top, base=float(np.e), win_length=audio_mels.FRONT.win_length,
)  # fmt: skip


@runtime_checkable
class Vocoder(Protocol):
    """Log-mel [frames, n_mels] to samples [n]; sample_rate in Hz."""

    @property
    def sample_rate(self) -> int: ...

    def __call__(self, mel: torch.Tensor) -> Floats: ...


@dataclass(frozen=True)
class HifiGan:
    """HiFi-GAN (Kong, Kim, Bae 2020): a convolutional net; a folder with `mel in, waveform out` of transformers."""

    net: Any
    sample_rate: int

    def __call__(self, mel: torch.Tensor) -> Floats:
        with torch.inference_mode():
            samples: Floats = self.net(mel.to(self.net.conv_pre.weight)).float().cpu().numpy()
        return samples.reshape(-1)


@dataclass(frozen=True)
class GriffinLim:
    """Griffin & Lim (1984): the phase that agrees best with the magnitudes; no weights, and a metallic sound."""

    mel: MelScale
    rounds: int = ROUNDS

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.mel.sample_rate

    def __call__(self, mel: torch.Tensor) -> Floats:
        griffinlim = libraries.torchaudio("functional", "griffinlim")
        scale = self.mel
        magnitude = torch.clamp(self._inverse() @ (scale.base ** mel.detach().float().cpu().T), min=0.0)
        length = scale.win_length or scale.n_fft
        window = torch.hann_window(length)
        with torch.inference_mode():
            samples = griffinlim(
                magnitude, window, scale.n_fft, scale.hop_length, length, 1.0, self.rounds, 0.99, None, False
            )  # fmt: skip
        made: Floats = samples.numpy().astype(np.float32)
        return made

    def _inverse(self) -> torch.Tensor:
        """Bands to bins, [bins, n_mels], the least squares of it."""
        scale = self.mel
        bank = mels.filterbank(
            scale.sample_rate, scale.n_fft, scale.n_mels, fmin=scale.fmin, fmax=scale.fmax, scale=scale.scale, norm=scale.norm
        )  # fmt: skip
        return torch.from_numpy(np.linalg.pinv(bank.astype(np.float64)).astype(np.float32))


@dataclass(frozen=True)
class WaveRnn:
    """WaveRNN (Kalchbrenner et al. 2018) as torchaudio trained it: mu-law values one by one, of mel under the natural log."""

    net: Any
    sample_rate: int

    def __call__(self, mel: torch.Tensor) -> Floats:
        mu_law_decoding = libraries.torchaudio("functional", "mu_law_decoding")
        decibels = 20 * torch.log10(torch.clamp(torch.exp(mel.float()), min=1e-5))
        given = torch.clamp((WAVERNN_FLOOR - decibels) / WAVERNN_FLOOR, 0.0, 1.0).T[None]
        with torch.inference_mode():
            codes, _ = self.net.infer(given.to(next(self.net.parameters()).device))
            codes = ((codes + 1.0) / 2.0 * (self.net.n_classes - 1)).int()
            samples: Floats = mu_law_decoding(codes, self.net.n_classes).reshape(-1).float().cpu().numpy()
        return samples


def wavernn(tensors: dict[str, torch.Tensor], sizes: dict[str, Any], place: Any, sample_rate: int) -> WaveRnn:
    """The WaveRNN of these weights; sizes that differ from torchaudio's published one."""
    WaveRNN = libraries.torchaudio("models", "WaveRNN")
    published = {
        "upsample_scales": [5, 5, 11], "n_classes": 256, "hop_length": 275, "n_res_block": 10, "n_rnn": 512, "n_fc": 512,
        "kernel_size": 5, "n_freq": 80, "n_hidden": 128, "n_output": 128,
    }  # fmt: skip
    net = WaveRNN(**{**published, **sizes})
    net.load_state_dict(tensors)
    return WaveRnn(net.to(place.device).eval(), sample_rate)


def load(
    wanted: str | None, place: Any, mel: MelScale | None, *, beside: Path | None = None, options: SpeakOptions | None = None
) -> Vocoder:  # fmt: skip
    """The vocoder for a model: griffin-lim, or the net in a folder. Raises ModelError.

    options: seed and temperature of one that draws. mel: the scale of the model's spectrograms; None: only its own vocoder
    knows. beside: the model's folder, whose subfolder "vocoder" is taken when no other is wanted.
    """
    if wanted is None and beside is not None and (beside / "vocoder" / "config.json").is_file():
        wanted = str(beside / "vocoder")
    if wanted is None:
        raise ModelError(f"this model makes spectrograms: give --vocoder {GRIFFIN_LIM}, or the folder of a HiFi-GAN")
    if wanted == GRIFFIN_LIM:
        if mel is None:
            raise ModelError(f"--vocoder {GRIFFIN_LIM} does not know what this model's spectrograms mean: leave it out")
        return GriffinLim(mel)
    if _kind(Path(wanted)) in nets.KINDS:
        if mel != OURS:
            raise ModelError(f"--vocoder {wanted} takes another mel than this model makes")
        return nets.load(Path(wanted), None, place, options)
    return hifigan(Path(wanted), place)


def _kind(path: Path) -> str | None:
    """The `model_type` of a folder, None where it says none."""
    try:
        found: str | None = json.loads((path / "config.json").read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError):
        return None
    return found


_NETS = {"hifigan": "SpeechT5HifiGan", "fastspeech2_conformer_hifigan": "FastSpeech2ConformerHifiGan"}


def hifigan(path: Path, place: Any) -> HifiGan:
    """The HiFi-GAN in a folder, on a device. Raises ModelError."""
    import transformers

    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"--vocoder {path}: no folder with a config.json") from error
    architecture = (config.get("architectures") or [_NETS.get(config.get("model_type"))])[0]
    if architecture not in _NETS.values():
        raise ModelError(f"--vocoder {path} is not a HiFi-GAN that transformers knows")
    make: Callable[..., Any] = getattr(transformers, architecture)
    return of(checkpoint(make, path, place))


def of(net: Any) -> HifiGan:
    """A loaded net; the one of FastSpeech2 does not say its rate, and knows one only."""
    return HifiGan(net, int(getattr(net.config, "sampling_rate", FASTSPEECH2_RATE)))

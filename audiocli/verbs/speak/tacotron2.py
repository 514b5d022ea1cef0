"""Tacotron 2 (Shen et al. 2018) through torchaudio, from a folder: characters to mel, then Griffin-Lim or WaveRNN.

The folder has a config.json with "model_type": "tacotron2", and the files that torchaudio publishes with its pipelines: one
tacotron2*.pth (or .safetensors) of the character models, and for --vocoder wavernn one wavernn*.pth. "tacotron2" and "wavernn" in
the config are sizes that differ from the published ones.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...errors import ModelError, UsageError, libraries
from ...models.languages import is_near
from ...models.registry import ModelSpec
from ...options import SpeakOptions
from . import vocoders
from .models import GRIFFIN_LIM, WAVERNN
from .synthesiser import Spoken, Traits, Voice

SAMPLE_RATE = 22_050  # Hz
SYMBOLS = "_-!'(),.:;? abcdefghijklmnopqrstuvwxyz"  # of torchaudio's character models, by number
MEL = vocoders.MelScale(SAMPLE_RATE, 1_024, 256, 80, 0.0, 8_000.0, base=float(np.e))
LONGEST = 150  # characters; it stammers and stops early on longer ones
FILL = 30


def load(path: Path, spec: ModelSpec, place: Any, options: SpeakOptions | None) -> "Synthesiser":
    """The synthesiser of a folder. Raises UsageError and ModelError."""
    Tacotron2 = libraries.torchaudio("models", "Tacotron2")
    wanted = options or SpeakOptions()
    if wanted.voice is not None or not is_near(wanted.language, "en"):
        raise UsageError("Tacotron 2 has one voice, which speaks English: leave --voice and --language out")
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    net = Tacotron2(**{"n_symbol": len(SYMBOLS), **config.get("tacotron2", {})})
    net.load_state_dict(weights(path, "tacotron2"))
    return Synthesiser(net.to(place.device).eval(), _vocoder(path, config, wanted, place), wanted.seed)


def _vocoder(path: Path, config: dict[str, Any], wanted: SpeakOptions, place: Any) -> vocoders.Vocoder:
    if wanted.vocoder in (None, GRIFFIN_LIM):
        return vocoders.GriffinLim(MEL)
    if wanted.vocoder != WAVERNN:
        raise UsageError(f"Tacotron 2 takes --vocoder {GRIFFIN_LIM} or {WAVERNN}, not {wanted.vocoder!r}")
    return vocoders.wavernn(weights(path, "wavernn"), config.get("wavernn", {}), place, SAMPLE_RATE)


def weights(path: Path, name: str) -> dict[str, torch.Tensor]:
    """The tensors in the one file whose name begins so; never a pickle of anything else. Raises ModelError."""
    from safetensors.torch import load_file

    for file in sorted(path.glob(f"{name}*")):
        if file.suffix == ".safetensors":
            return dict(load_file(file))
        if file.suffix in (".pth", ".pt"):
            return dict(torch.load(file, map_location="cpu", weights_only=True))
    raise ModelError(f"{path} has no {name}*.pth or {name}*.safetensors")


class Synthesiser:
    """Texts one by one, drawn from the same seed: its prenet uses dropout."""

    def __init__(self, net: Any, vocoder: vocoders.Vocoder, seed: int) -> None:
        self._net, self._vocoder, self._seed = net, vocoder, seed
        self.traits = Traits(vocoder.sample_rate, None, "en", LONGEST, FILL, knows=lambda c: c.lower() in SYMBOLS)

    def voices(self) -> Iterator[Voice]:
        """The voices: one, without a name."""
        return iter(())

    def in_voice(self, voice: str) -> "Synthesiser":
        """Raises UsageError: it has one voice only."""
        raise UsageError(f"Tacotron 2 has one voice only, not {voice!r}")

    def __call__(self, texts: Sequence[str]) -> list[Spoken]:
        return [self._speak(text) for text in texts]

    def _speak(self, text: str) -> Spoken:
        ids = [SYMBOLS.index(c) for c in text.lower() if c in SYMBOLS]
        if not ids:
            return Spoken(np.zeros(0, np.float32))
        torch.manual_seed(self._seed)
        device = next(self._net.parameters()).device
        with torch.inference_mode():
            mel, sizes, _ = self._net.infer(torch.tensor([ids], device=device))
        return Spoken(self._vocoder(mel[0, :, : int(sizes[0])].T))

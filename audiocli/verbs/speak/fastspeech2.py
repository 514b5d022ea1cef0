"""FastSpeech2 with Conformer blocks (Ren et al. 2021, Guo et al. 2021) through transformers: phones to mel, then HiFi-GAN."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...errors import ModelError, UsageError
from ...models.checkpoints import checkpoint
from ...models.languages import is_near
from ...models.registry import ModelSpec
from ...options import SpeakOptions
from . import phonemes, vocoders
from .synthesiser import Spoken, Traits, Voice, closest
from .text.letters import latin

LONGEST = 500  # characters
UNKNOWN, END, BLANK = "<unk>", "<sos/eos>", " "


def load(path: Path, spec: ModelSpec, place: Any, options: SpeakOptions | None) -> "Synthesiser":
    """The synthesiser of a checkpoint in a folder, with a vocoder inside it or beside it. Raises ModelError and UsageError."""
    from transformers import FastSpeech2ConformerModel, FastSpeech2ConformerWithHifiGan

    wanted = options or SpeakOptions()
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    if "vocoder_config" in config and wanted.vocoder is None:
        both = checkpoint(FastSpeech2ConformerWithHifiGan, path, place)
        vocoder: vocoders.Vocoder = vocoders.of(both.vocoder)
        return Synthesiser(both.model, vocoder, _phones(path), wanted)
    if "vocoder_config" in config:
        raise UsageError("--vocoder: this model has one inside it")
    vocoder = vocoders.load(wanted.vocoder, place, None, beside=path, options=wanted)
    return Synthesiser(checkpoint(FastSpeech2ConformerModel, path, place), vocoder, _phones(path), wanted)


def _phones(path: Path) -> dict[str, int]:
    """The model's phones by name. Raises ModelError."""
    try:
        vocabulary = json.loads((path / "vocab.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path / 'vocab.json'} cannot be read: it holds the model's phones") from error
    return {str(name): int(number) for name, number in vocabulary.items()}


class Synthesiser:
    """Texts one by one: the padding of a batch would be audible at the ends."""

    def __init__(self, model: Any, vocoder: vocoders.Vocoder, phones: dict[str, int], options: SpeakOptions) -> None:
        self._model, self._vocoder, self._known, self._options = model, vocoder, phones, options
        speakers = model.config.num_speakers or 0
        self._names = [str(n) for n in range(speakers)] if speakers > 1 else []
        if options.voice is not None and options.voice not in self._names:
            has = closest(options.voice, self._names) if self._names else "it has one voice only"
            raise UsageError(f"this model has no voice {options.voice!r}: {has}")
        if not is_near(options.language, "en"):
            raise UsageError(f"this model speaks English, not {options.language!r}")
        self._speaker = int(options.voice or 0) if self._names else None
        self._model.config.speaking_speed = self._model.speaking_speed = 1.0 / options.rate
        self.traits = Traits(vocoder.sample_rate, options.voice, "en", LONGEST, knows=latin, paced=True)

    def voices(self) -> Iterator[Voice]:
        """The speakers, by number."""
        for name in self._names:
            yield Voice(name, "en")

    def in_voice(self, voice: str) -> "Synthesiser":
        """The same net, another speaker."""
        return Synthesiser(self._model, self._vocoder, self._known, replace(self._options, voice=voice))

    def __call__(self, texts: Sequence[str]) -> list[Spoken]:
        return [Spoken(self._vocoder(mel) if len(mel) else np.zeros(0, np.float32)) for mel in self.spectrograms(texts)]

    def spectrograms(self, texts: Sequence[str]) -> list[torch.Tensor]:
        """Log-mel [frames, n_mels] of each text."""
        return [self._spectrogram(text) for text in texts]

    def _spectrogram(self, text: str) -> torch.Tensor:
        ids = [self._known[phone] for phone in phonemes.arpabet(text) if phone in self._known]
        if not ids:
            return torch.zeros(0, int(self._model.config.num_mel_bins))
        given = torch.tensor([[*ids, self._known[END]]], device=self._model.device)
        speaker = None if self._speaker is None else torch.tensor([[self._speaker]], device=given.device)
        with torch.inference_mode():
            made = self._model(given, speaker_ids=speaker, return_dict=True)
        spectrogram: torch.Tensor = made.spectrogram[0]
        return spectrogram

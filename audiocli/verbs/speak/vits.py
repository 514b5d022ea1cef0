"""VITS (Kim, Kong, Son 2021) and MMS-TTS through transformers: text to samples in one net, with one or many speakers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...errors import UsageError
from ...models import languages
from ...models.checkpoints import checkpoint
from ...models.registry import ModelSpec
from ...options import SpeakOptions
from . import phonemes
from .synthesiser import Spoken, Traits, Voice, closest
from .text.letters import latin

LONGEST = 400  # characters; attention costs the square of them
# ISO 639-3, as MMS names its models, where the names of sources with two letters exist.
TWO_LETTERS = {
    "eng": "en",
    "deu": "de",
    "fra": "fr",
    "spa": "es",
    "por": "pt",
    "rus": "ru",
    "nld": "nl",
    "pol": "pl",
    "tur": "tr",
}


def load(path: Path, spec: ModelSpec, place: Any, options: SpeakOptions | None) -> "Synthesiser":
    """The synthesiser of a checkpoint in a folder. Raises UsageError for a voice or a language that it lacks."""
    from transformers import VitsModel, VitsTokenizer

    wanted = options or SpeakOptions()
    tokenizer = VitsTokenizer.from_pretrained(path, local_files_only=True)
    language = _language(tokenizer, wanted.language)
    reads_phonemes, tokenizer.phonemize = tokenizer.phonemize, False  # it would want another package for them
    model = checkpoint(VitsModel, path, place)
    return Synthesiser(model, tokenizer, language, reads_phonemes, wanted)


def _language(tokenizer: Any, wanted: str | None) -> str | None:
    """The language that it speaks, which its tokenizer may say. Raises UsageError where another one is wanted."""
    own: Any = getattr(tokenizer, "language", None) or ("en" if tokenizer.phonemize else None)
    own = TWO_LETTERS.get(own, own)
    if own is not None and wanted is not None and not languages.is_near(wanted, own):
        raise UsageError(f"this model speaks {own!r}, not {wanted!r}")
    return own or (wanted and languages.code(wanted))


def speakers(config: Any) -> list[str]:
    """The names of the speakers: those that the config has, else numbers."""
    if config.num_speakers <= 1:
        return []
    names = getattr(config, "speakers", None) or {}
    return list(names) if len(names) == config.num_speakers else [str(n) for n in range(config.num_speakers)]


class Synthesiser:
    """Texts one by one: its noise depends on the shape of a batch, and a text should always sound the same."""

    def __init__(
        self, model: Any, tokenizer: Any, language: str | None, reads_phonemes: bool, options: SpeakOptions
    ) -> None:
        self._model, self._tokenizer, self._options = model, tokenizer, options
        self._phonemes = reads_phonemes
        self._names = speakers(model.config)
        self._speaker = self._chosen(options.voice)
        voice = self._names[self._speaker] if self._speaker is not None else None
        alphabet = frozenset(tokenizer.get_vocab())
        knows = latin if reads_phonemes else lambda c: c in alphabet or c.lower() in alphabet or not c.isalnum()
        self.traits = Traits(int(model.config.sampling_rate), voice, language, LONGEST, knows=knows, paced=True)

    def _chosen(self, voice: str | None) -> int | None:
        if voice is None:
            return 0 if self._names else None
        if voice not in self._names:
            has = closest(voice, self._names) if self._names else "it has one voice only"
            raise UsageError(f"this model has no voice {voice!r}: {has}")
        return self._names.index(voice)

    def voices(self) -> Iterator[Voice]:
        """The speakers."""
        for name in self._names:
            yield Voice(name, self.traits.language or "")

    def in_voice(self, voice: str) -> "Synthesiser":
        """The same net, another speaker."""
        return Synthesiser(
            self._model, self._tokenizer, self.traits.language, self._phonemes, replace(self._options, voice=voice)
        )

    def __call__(self, texts: Sequence[str]) -> list[Spoken]:
        return [self._speak(text) for text in texts]

    def _speak(self, text: str) -> Spoken:
        ids = self._ids(text)
        if not len(ids):
            return Spoken(np.zeros(0, np.float32))
        torch.manual_seed(self._options.seed)
        with torch.inference_mode():
            made = self._model(
                ids[None].to(self._model.device), speaker_id=self._speaker, speaking_rate=self._options.rate
            )
        samples = made.waveform[0, : int(made.sequence_lengths[0])].float().cpu().numpy()
        return Spoken(np.ascontiguousarray(samples, np.float32))

    def _ids(self, text: str) -> torch.Tensor:
        """Numbers of the characters [n], none when the model knows none of them."""
        known = self._tokenizer.get_vocab()
        if self._phonemes:
            text = "".join(c for c in phonemes.ipa(text) if c in known)
            ids = self._tokenizer(text, normalize=False, return_tensors="pt").input_ids[0]
        else:
            ids = self._tokenizer(text, return_tensors="pt").input_ids[0]
        numbers: torch.Tensor = ids if (ids != self._tokenizer.pad_token_id).any() else ids[:0]
        return numbers

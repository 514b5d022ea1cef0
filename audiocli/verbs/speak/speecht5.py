"""SpeechT5 (Ao et al. 2022) through transformers: characters and a 512-value speaker vector to mel, then a vocoder."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ...errors import ModelError, UsageError
from ...models import languages
from ...models.checkpoints import checkpoint
from ...models.registry import ModelSpec
from ...options import SpeakOptions
from ...voices import files as voices
from . import vocoders
from .synthesiser import Spoken, Traits, Voice

# SpeechT5FeatureExtractor, with which its spectrograms were made.
MEL = vocoders.MelScale(16_000, 1_024, 256, 80, 80.0, 7_600.0)
LONGEST = 400  # characters; it knows 600 positions, and goes astray before
FILL = 40  # a word by itself is often swallowed or followed by babble
AT_ONCE = 8
FRAMES_PER_TOKEN = 20  # at most


def load(path: Path, spec: ModelSpec, place: Any, options: SpeakOptions | None) -> "Synthesiser":
    """The synthesiser of a checkpoint in a folder. Raises UsageError without a voice, and ModelError without a vocoder."""
    from transformers import SpeechT5ForTextToSpeech, SpeechT5Tokenizer

    wanted = options or SpeakOptions()
    vocoder = vocoders.load(wanted.vocoder, place, MEL, beside=path, options=wanted)
    model = checkpoint(SpeechT5ForTextToSpeech, path, place)
    size = int(model.config.speaker_embedding_dim)
    speaker = None if wanted.list_voices else _speaker(wanted.voice, path, size)
    tokenizer = SpeechT5Tokenizer.from_pretrained(path, local_files_only=True)
    return Synthesiser(model, tokenizer, vocoder, speaker, path, wanted)


def _speaker(voice: str | None, path: Path, size: int) -> torch.Tensor:
    """The speaker vector [1, size] of a file, or of a name in the model's folder "voices"."""
    inside = path / "voices" / f"{voice}.npy"
    if voice is None:
        raise UsageError(
            f"this model needs a voice: --voice FILE with {size} numbers (.npy), or one of audiocli clone --save-voice"
        )
    arrays, _ = voices.read(inside if inside.is_file() else Path(voice))
    return torch.from_numpy(voices.xvector(arrays, size, f"--voice {voice}"))[None]


class Synthesiser:
    """Texts in one voice. Its decoder uses dropout; with the same seed a text sounds the same in every batch."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        vocoder: vocoders.Vocoder,
        speaker: torch.Tensor | None,
        path: Path,
        options: SpeakOptions,
    ) -> None:
        self._model, self._tokenizer, self._vocoder, self._path = model, tokenizer, vocoder, path
        self._speaker = None if speaker is None else speaker.to(model.device, model.dtype)
        self._options = options
        language = languages.code(options.language or "en")
        self.traits = Traits(
            vocoder.sample_rate, options.voice, language, LONGEST, FILL, AT_ONCE, knows=self._knows,
        )  # fmt: skip

    def _knows(self, character: str) -> bool:
        """Whether its alphabet has a character; a blank is another sign there."""
        return character == " " or self._tokenizer.convert_tokens_to_ids(character) != self._tokenizer.unk_token_id

    def voices(self) -> Iterator[Voice]:
        """The speaker vectors in the model's folder."""
        for file in sorted((self._path / "voices").glob("*.npy")):
            yield Voice(file.stem)

    def in_voice(self, voice: str) -> "Synthesiser":
        """The same net, another speaker vector."""
        speaker = _speaker(voice, self._path, int(self._model.config.speaker_embedding_dim))
        return Synthesiser(
            self._model, self._tokenizer, self._vocoder, speaker, self._path, replace(self._options, voice=voice)
        )

    def __call__(self, texts: Sequence[str]) -> list[Spoken]:
        """All texts in one padded batch, each through the vocoder by itself."""
        return [Spoken(self._vocoder(mel)) for mel in self.spectrograms(texts)]

    def spectrograms(self, texts: Sequence[str]) -> list[torch.Tensor]:
        """Log-mel [frames, 80] of each text. Raises ModelError without a voice."""
        given = self._tokenizer(list(texts), padding=True, return_tensors="pt").to(self._model.device)
        if self._speaker is None:
            raise ModelError("no voice is given to speak in")
        torch.manual_seed(self._options.seed)
        with torch.inference_mode():
            mels, sizes = self._model.generate_speech(
                given.input_ids, self._speaker.expand(len(texts), -1), attention_mask=given.attention_mask,
                maxlenratio=float(FRAMES_PER_TOKEN), return_output_lengths=True,
            )  # fmt: skip
        # A text whose end the model does not find is cut where it would be by itself, not where the longest of the batch is.
        longest = (given.attention_mask.sum(dim=1) * FRAMES_PER_TOKEN).tolist()
        return [mel[: min(size, most)] for mel, size, most in zip(mels, sizes, longest, strict=True)]

"""Bark (Suno 2023) through transformers: text to semantic, coarse and fine tokens, those to samples.

Its voices are presets: its own by name, .npz files, and those that are made of a voice file's speech.
"""

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
from ...voices import files as voices
from . import bark_presets
from .synthesiser import Spoken, Traits, Voice, Wanted, closest

LONGEST = 200  # characters: about 13 s, which is all that it was trained for
FILL = 60
PARTS = ("semantic_prompt", "coarse_prompt", "fine_prompt")


def load(path: Path, spec: ModelSpec, place: Any, options: SpeakOptions | None) -> "Synthesiser":
    """The synthesiser of a checkpoint in a folder. Raises UsageError for a voice that it has not."""
    from transformers import BarkModel, BarkProcessor

    wanted = options or SpeakOptions()
    presets = "speaker_embeddings_path.json"
    processor = BarkProcessor.from_pretrained(  # type: ignore[no-untyped-call]
        path, local_files_only=True, speaker_embeddings_dict_path=presets if (path / presets).is_file() else None
    )
    _known(processor, wanted.voice)
    model = checkpoint(BarkModel, path, place)
    return Synthesiser(model, processor, _preset(model, processor, wanted.voice, wanted), wanted)


def _known(processor: Any, voice: str | None) -> bool:
    """Whether a voice is one of Bark's own, or None. Raises UsageError when it is not a file either."""
    known = voice is None or voice in processor.available_voice_presets
    if not known and not Path(str(voice)).is_file():
        raise UsageError(f"bark has no voice {voice!r}: {closest(str(voice), processor.available_voice_presets)}")
    return known


def _preset(model: Any, processor: Any, voice: str | None, options: SpeakOptions) -> Any:
    """The preset of a name, or the arrays of a file; None: whoever comes. Raises UsageError, InputError."""
    if _known(processor, voice):
        return voice
    file = Path(str(voice))
    if file.suffix != ".npz":
        speech = voices.read(file)[0].get("speech")
        if speech is None:
            raise UsageError(f"--voice {voice} holds no speech, of which bark makes its voice")
        if not isinstance(options, Wanted) or options.words_of is None:
            raise UsageError(f"--voice {voice}: bark needs a recogniser for the words of a voice file")
        return bark_presets.preset(model, processor, speech, options.words_of, options.seed)
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return {part: arrays[part] for part in PARTS}
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"--voice {voice} is not a preset of Bark: it must be .npz with {', '.join(PARTS)}") from error


class Synthesiser:
    """Texts one by one, drawn anew from the same seed, so that a text sounds the same in every batch."""

    def __init__(self, model: Any, processor: Any, preset: Any, options: SpeakOptions) -> None:
        self._model, self._processor, self._preset, self._options = model, processor, preset, options
        language = languages.code(options.language or _language(options.voice) or "en")
        rate = int(getattr(model.generation_config, "sample_rate", None) or model.codec_model.config.sampling_rate)
        self.traits = Traits(rate, options.voice, language, LONGEST, FILL)

    def voices(self) -> Iterator[Voice]:
        """The presets in the model's folder."""
        for name in sorted(self._processor.available_voice_presets):
            yield Voice(name, _language(name) or "")

    def in_voice(self, voice: str) -> "Synthesiser":
        """The same net, another preset."""
        preset = _preset(self._model, self._processor, voice, self._options)
        return Synthesiser(self._model, self._processor, preset, replace(self._options, voice=voice))

    def __call__(self, texts: Sequence[str]) -> list[Spoken]:
        return [self._speak(text) for text in texts]

    def _speak(self, text: str) -> Spoken:
        given = self._processor(text, voice_preset=self._preset).to(self._model.device)
        torch.manual_seed(self._options.seed)
        made = self._model.generate(**given)
        samples = made.reshape(-1).float().cpu().numpy()
        return Spoken(np.ascontiguousarray(samples, np.float32))


def _language(voice: str | None) -> str | None:
    """The language in the name of a preset: v2/en_speaker_6 speaks en."""
    name = (voice or "").rpartition("/")[2]
    return name[:2] if len(name) > 3 and name[2] == "_" else None

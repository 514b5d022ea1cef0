"""Bark (Suno 2023) through transformers: text to semantic, coarse and fine tokens, those to samples; voices by presets."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import UsageError
from ..options import SpeakOptions
from .asr_common import checkpoint
from .registry import ModelSpec
from .speech import Spoken, Traits, Voice, closest

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
    preset = _preset(processor, wanted.voice)
    return Synthesiser(checkpoint(BarkModel, path, place), processor, preset, wanted)


def _preset(processor: Any, voice: str | None) -> Any:
    """The preset of a name, or the arrays of a .npz file; None: whoever comes. Raises UsageError."""
    if voice is None or voice in processor.available_voice_presets:
        return voice
    if not Path(voice).is_file():
        raise UsageError(f"bark has no voice {voice!r}: {closest(voice, processor.available_voice_presets)}")
    try:
        with np.load(voice, allow_pickle=False) as arrays:
            return {part: arrays[part] for part in PARTS}
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"--voice {voice} is no preset of Bark: it must be .npz with {', '.join(PARTS)}") from error


class Synthesiser:
    """Texts one by one, drawn anew from the same seed, so that a text sounds the same in every batch."""

    def __init__(self, model: Any, processor: Any, preset: Any, options: SpeakOptions) -> None:
        self._model, self._processor, self._preset, self._options = model, processor, preset, options
        language = options.language or _language(options.voice) or "en"
        rate = int(getattr(model.generation_config, "sample_rate", None) or model.codec_model.config.sampling_rate)
        self.traits = Traits(rate, options.voice, language, LONGEST, FILL)

    def voices(self) -> Iterator[Voice]:
        """The presets in the model's folder."""
        for name in sorted(self._processor.available_voice_presets):
            yield Voice(name, _language(name) or "")

    def in_voice(self, voice: str) -> "Synthesiser":
        """The same net, another preset."""
        preset = _preset(self._processor, voice)
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

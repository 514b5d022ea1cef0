"""MusicGen and MusicGen Melody through transformers (Copet et al. 2023): a prompt, a melody, and more than the window holds."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ... import audio
from ...device import Place
from ...errors import InputError, UsageError
from ...models.checkpoints import checkpoint, extractor
from ...models.registry import ModelSpec
from ...music import midi
from ...options import MUSIC_SECONDS, MusicOptions
from ...records import Music, sound_of
from . import render
from .work import Wish

OVERLAP = 1 / 3  # of a window, that the next one goes on from
TOP_K = 250  # as the authors sample
PEAK = 0.98  # louder sound is turned down, not clipped
Floats = NDArray[np.float32]


def load(path: Path, spec: ModelSpec, place: Place, options: MusicOptions) -> "MusicGen":
    """The runner of a checkpoint in the folder `path`. Raises UsageError for options that it cannot follow."""
    from transformers import (
        AutoConfig,
        AutoTokenizer,
        MusicgenForConditionalGeneration,
        MusicgenMelodyForConditionalGeneration,
    )

    melodic = AutoConfig.from_pretrained(path, local_files_only=True).model_type == "musicgen_melody"
    _check(spec.name, options, melodic)
    model = checkpoint(
        MusicgenMelodyForConditionalGeneration if melodic else MusicgenForConditionalGeneration, path, place
    )
    tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    return MusicGen(model, tokenizer, extractor(path) if options.melody else None, options)


def _check(name: str, options: MusicOptions, melodic: bool) -> None:
    """Raises UsageError."""
    grid = {
        "--primer": options.primer, "--key": options.key, "--tempo": options.tempo, "--stems": options.stems or None,
        "--soundfont": options.soundfont,
    }  # fmt: skip
    for option, value in grid.items():
        if value is not None:
            raise UsageError(f"{name} makes sound, not notes: {option} is for chorale-transformer and chorale-lstm")
    if options.melody is not None and not melodic:
        raise UsageError(f"{name} does not take --melody: musicgen-melody and musicgen-stereo-melody do")


class MusicGen:
    """Prompts in, sound out; music that is longer than a window is continued from its end."""

    def __init__(self, model: Any, tokenizer: Any, extract: Any, options: MusicOptions) -> None:
        self.model, self.tokenizer, self.extract, self.options = model, tokenizer, extract, options
        codec = model.config.audio_encoder
        self.sample_rate: int = codec.sampling_rate
        self._frame_rate: float = codec.sampling_rate / math.prod(codec.upsampling_ratios)
        decoder = model.config.decoder
        self._books: int = decoder.num_codebooks
        self._stereo = decoder.audio_channels == 2
        longest = model.generation_config.max_length or decoder.max_position_embeddings
        # The codebooks come one after the other, each a frame later.
        self._window = min(int(longest), decoder.max_position_embeddings) - self._books
        self._melody = None if options.melody is None else _played(options.melody, self.sample_rate)

    @torch.inference_mode()
    def __call__(self, batch: list[Wish]) -> Sequence[Music]:
        """A record for each wish; sampling uses the seed of the first one."""
        torch.manual_seed(batch[0].seed)
        seconds = self.options.seconds or MUSIC_SECONDS
        wanted = max(math.ceil(seconds * self._frame_rate), 1)
        prompts = [wish.prompt or "" for wish in batch]
        made = self._generated(prompts, min(wanted, self._window), 0, {})
        while made.shape[-1] < self._samples(wanted):
            made = self._gone_on(prompts, made, wanted)
        length = round(seconds * self.sample_rate)
        return [self._record(sound[:, :length]) for sound in made.float().cpu().numpy()]

    def _record(self, sound: Floats) -> Music:
        peak = float(np.abs(sound).max(initial=0.0))
        level = np.float32(min(1.0, PEAK / peak)) if peak else np.float32(1.0)
        return Music(
            path="", duration=sound.shape[1] / self.sample_rate, sample_rate=self.sample_rate, task="",
            sound=sound_of(np.ascontiguousarray(sound * level), self.sample_rate),
        )  # fmt: skip

    def _samples(self, frames: int) -> int:
        samples: int = round(frames / self._frame_rate * self.sample_rate)
        return samples

    def _gone_on(self, prompts: list[str], made: torch.Tensor, wanted: int) -> torch.Tensor:
        """The sound so far, and the window that continues it."""
        known = max(int(self._window * OVERLAP), 1)
        start = made.shape[-1] - self._samples(known)
        codes = self._codes(made[..., start:])[..., :known]
        missing = wanted - round(made.shape[-1] / self.sample_rate * self._frame_rate)
        window = self._generated(prompts, min(missing, self._window - known), start, {"decoder_input_ids": codes})
        return torch.cat([made, window[..., self._samples(known) :]], dim=-1)

    def _codes(self, sound: torch.Tensor) -> torch.Tensor:
        """[batch * codebooks, frames] of sound [batch, channels, samples]; stereo: the channels' codebooks in turn."""
        codec = self.model.audio_encoder
        parts = [codec.encode(channel).audio_codes[0] for channel in sound.chunk(sound.shape[1], dim=1)]
        return torch.stack(parts, dim=2).flatten(0, 2)

    def _generated(self, prompts: list[str], frames: int, start: int, more: dict[str, Any]) -> torch.Tensor:
        """[batch, channels, samples]: `more` given, then so many new frames; the window begins at sample `start`."""
        text = self.tokenizer(prompts, padding=True, return_tensors="pt").to(self.model.device)
        inputs = {"input_ids": text["input_ids"], "attention_mask": text["attention_mask"], **more}
        if self._melody is not None:
            inputs["input_features"] = self._chroma(start).expand(len(prompts), -1, -1)
        # The codebooks end one after the other.
        sound: torch.Tensor = self.model.generate(**inputs, **self._sampling(), max_new_tokens=frames + self._books - 1)
        return sound

    def _sampling(self) -> dict[str, Any]:
        own = self.options
        sampled = own.temperature != 0.0
        chosen: dict[str, Any] = {"guidance_scale": own.guidance, "do_sample": sampled}
        if sampled:
            chosen |= {"temperature": own.temperature or 1.0, "top_k": own.top_k or TOP_K, "top_p": own.top_p or 1.0}
        return chosen

    def _chroma(self, start: int) -> torch.Tensor:
        """The pitch classes of the melody from a sample on, [1, frames, classes]; at its end it begins again."""
        assert self._melody is not None
        sound = np.roll(self._melody, -start)
        inputs = self.extract(sound, sampling_rate=self.sample_rate, return_tensors="pt")
        features: torch.Tensor = inputs["input_features"].to(self.model.device, self.model.dtype)
        return features


def _played(path: str, sample_rate: int) -> Floats:
    """The sound of a melody [samples]: a recording, or a MIDI file on a piano. Raises InputError."""
    if not midi.is_midi(path):
        try:
            return np.asarray(audio.read(path, sample_rate=sample_rate, mono=True).samples[0])
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    try:
        return render.melody(midi.melody(path), sample_rate)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error

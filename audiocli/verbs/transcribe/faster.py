"""Whisper through faster-whisper (CTranslate2): the fastest on a processor; an extra, `pip install 'audiocli[fast]'`.

Windows, failures and word times are the library's own, after OpenAI's; it takes clip after clip, and says nothing about windows in
which it heard no speech.
"""

import math
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...audio import Audio
from ...audio.level import mono, silent
from ...errors import UsageError
from ...models.languages import nearest
from ...models.registry import ModelSpec
from ...options import TranscribeOptions
from ...records import Segment, Transcript, Word
from .glimpse import glimpse
from .growing import Growing
from .loops import without_loops
from .models import FASTER
from .recogniser import TRAITS
from .results import SILENT, Found, record

Floats = NDArray[np.float32]

HOTTER = 0.2  # the rise of the temperature after a failure, up to 1
QUICK = "int8"  # the type that a processor computes in, unless --precision says otherwise


def load(path: Path, spec: ModelSpec, place: Any, options: TranscribeOptions) -> "FasterRunner":
    """The runner of a model that ctranslate2 has converted, in the folder `path`. Raises UsageError."""
    from faster_whisper import WhisperModel

    model = WhisperModel(
        str(path), place.device.type, place.device.index or 0, _compute_type(place), local_files_only=True
    )
    return FasterRunner(model, spec, options)


def _compute_type(place: Any) -> str:
    """The type that the model computes in. Raises UsageError for one that the device does not support."""
    from ctranslate2 import get_supported_compute_types

    known = get_supported_compute_types(place.device.type)
    if place.precision == "auto" and place.device.type == "cpu":
        return QUICK if QUICK in known else "float32"
    if place.dtype not in known:
        raise UsageError(f"faster-whisper has no --precision {place.dtype} on this {place.device.type}")
    return str(place.dtype)


class FasterRunner:
    """Clips in, transcripts out, one after the other."""

    traits = TRAITS[FASTER]

    def __init__(self, model: Any, spec: ModelSpec, options: TranscribeOptions) -> None:
        self.spec, self.options = spec, options
        self.sample_rate = int(model.feature_extractor.sampling_rate)
        self._model = model
        self._task = "translate" if options.translate else "transcribe"
        self._language = self._known(options.language)
        if options.translate and not model.model.is_multilingual:
            raise UsageError(f"{spec.name} knows English only and cannot translate; take one whose name has no .en")

    def __call__(self, batch: list[Audio]) -> list[Transcript]:
        """The transcripts of the clips [1, samples], in their order."""
        return [
            record(clip, self.spec, SILENT if silent(mono(clip), self.sample_rate) else self._found(clip))
            for clip in batch
        ]

    def _known(self, language: str | None) -> str | None:
        """The code of a language by tag or English name. Raises UsageError for one that the model does not know."""
        if language is None:
            return None
        known = self._model.supported_languages
        code = nearest(language, known)
        if code is None:
            raise UsageError(f"--language {language}: this model knows {', '.join(sorted(known))}")
        return code

    def listen(self) -> Growing:
        """A live session."""
        return Growing(self, self.options)

    def language(self, samples: Floats) -> str | None:
        """The code of the language that is spoken in samples [n], or that was asked for."""
        if self._language or not self._model.model.is_multilingual:
            return self._language
        return str(self._model.detect_language(samples)[0])

    def glimpse(self, samples: Floats, *, prompt: str | None, language: str | None) -> list[str]:
        """The words in samples [n], roughly and soon."""
        hints = ", ".join(filter(None, [*self.options.hotwords, self.options.prompt, prompt])) or None
        return glimpse(self._model, samples, prompt=hints, language=language or self._language, task=self._task)

    def _found(self, clip: Audio) -> Found:
        return self.hear(mono(clip))

    def hear(
        self, samples: Floats, *, prompt: str | None = None, language: str | None = None, words: bool | None = None
    ) -> Found:
        """What is said in samples [n].

        prompt: the text before it, behind that of the user. language: its code, detected by default. words: whether they have
        times, by default as the options say.
        """
        timed = self.options.timestamps == "word" if words is None else words
        before = " ".join(filter(None, [self.options.prompt, prompt])) or None
        parts, about = self._model.transcribe(
            samples, language=language or self._language, task=self._task, beam_size=self.options.beam,
            temperature=_heats(self.options.temperature), initial_prompt=before,
            hotwords=", ".join(self.options.hotwords) or None, word_timestamps=timed, condition_on_previous_text=False,
        )  # fmt: skip
        language = "en" if self.options.translate else about.language
        segments_so_far: list[Segment] = []
        dropped: list[str] = []
        for _, window in groupby(parts, key=lambda part: part.seek):
            segments, lines = without_loops(list(_segments(window)))
            segments_so_far, dropped = segments_so_far + segments, dropped + lines
        return Found(tuple(segments_so_far), language, tuple(dropped))


def _heats(first: float) -> list[float]:
    """The temperatures to try one after the other."""
    heats = [first]
    while heats[-1] < 1.0:
        heats.append(min(round(heats[-1] + HOTTER, 6), 1.0))
    return heats


def _segments(parts: Iterable[Any]) -> Iterator[Segment]:
    for part in parts:
        if part.text.strip():
            words = tuple(
                Word(word.word, float(word.start), float(word.end), float(word.probability))
                for word in part.words or ()
            )
            yield Segment(float(part.start), float(part.end), part.text, words, math.exp(part.avg_logprob))

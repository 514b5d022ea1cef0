"""Whisper through faster-whisper (CTranslate2): the fastest on a processor; an extra, `pip install 'audiocli[fast]'`.

Windows, failures and word times are the library's own, after OpenAI's; it takes clip after clip, and says nothing about windows in
which it heard no speech.
"""

import math
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from ...audio import Audio
from ...audio.level import mono, silent
from ...errors import UsageError
from ...models.languages import nearest
from ...models.registry import ModelSpec
from ...options import TranscribeOptions
from ...records import Segment, Transcript, Word
from .loops import without_loops
from .models import FASTER
from .recogniser import TRAITS
from .results import SILENT, Found, record

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

    def _found(self, clip: Audio) -> Found:
        parts, about = self._model.transcribe(
            mono(clip), language=self._language, task="translate" if self.options.translate else "transcribe",
            beam_size=self.options.beam, temperature=_heats(self.options.temperature), initial_prompt=self.options.prompt,
            hotwords=", ".join(self.options.hotwords) or None, word_timestamps=self.options.timestamps == "word",
            condition_on_previous_text=False,
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

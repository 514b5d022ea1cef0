"""Whisper through transformers: any length, by windows that the model's own timestamps move on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ....audio import Audio
from ....audio.level import loud_part, mono, silent
from ....errors import UsageError
from ....models.batches import Batches
from ....models.checkpoints import checkpoint, extractor
from ....models.registry import ModelSpec
from ....options import TranscribeOptions
from ....records import Segment, Transcript, later
from ..loops import without_loops
from ..models import WHISPER
from ..recogniser import TRAITS
from ..results import SILENT, Found, record
from .decode import Decoder, Reading
from .tokens import TICK, Span, Tokens, spans
from .words import Aligner, Timed, bounded, by_span

SECONDS = 480.0  # in one forward pass: 16 windows
LEAST = 0.1  # s; nobody says a word in less at the end of a clip


def load(path: Path, spec: ModelSpec, place: Any, options: TranscribeOptions) -> "WhisperRunner":
    """The runner of a Whisper checkpoint in the folder `path`; `place` has the device and the precision."""
    from transformers import AutoTokenizer, WhisperForConditionalGeneration

    model = checkpoint(WhisperForConditionalGeneration, path, place)
    tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    tokens = Tokens.of(tokenizer, model.config, model.generation_config)
    return WhisperRunner(model, extractor(path), tokens, spec, options)


@dataclass
class _Progress:
    """A clip on its way through the model."""

    samples: NDArray[np.float32]
    language: str | None
    seek: int = 0  # samples that are done
    segments: list[Segment] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.seek >= len(self.samples)


@dataclass(frozen=True)
class _WindowResult:
    """The result of a window of `size` samples; `on`: the second of it where the next one begins, None: behind it."""

    size: int
    reading: Reading
    spoken: list[Span]
    timed: Timed
    on: float | None


class WhisperRunner:
    """Clips in, transcripts out; each round takes the next window of every clip that is not done.

    No text goes from one window to the next, so that one failure stays one: only the user's prompt stands before each.
    """

    traits = TRAITS[WHISPER]

    def __init__(self, model: Any, inputs: Any, tokens: Tokens, spec: ModelSpec, options: TranscribeOptions) -> None:
        if options.translate and not tokens.languages:
            raise UsageError(f"{spec.name} knows English only and cannot translate; take one whose name has no .en")
        self.spec, self.options, self.sample_rate = spec, options, int(inputs.sampling_rate)
        self._model, self._inputs, self._tokens = model, inputs, tokens
        self._language = tokens.language(options.language)
        self._task = "translate" if options.translate else "transcribe"
        self._prompt = self._prompted()
        self._window = int(model.config.max_source_positions * TICK * self.sample_rate)  # samples
        self._decoder = Decoder(model, tokens, options.beam, options.temperature)
        self._aligner = Aligner(model, tokens) if options.timestamps == "word" else None
        self.batches = Batches(options.batch_size, SECONDS, model.device)

    def __call__(self, batch: list[Audio]) -> list[Transcript]:
        """The transcripts of the clips [1, samples], in their order."""
        clips = [_Progress(mono(audio), self._language) for audio in batch]
        loud = [clip for clip in clips if not silent(clip.samples, self.sample_rate)]
        while waiting := [clip for clip in loud if not clip.done]:
            audible = [clip for clip in waiting if not self._passed_over(clip)]
            results = self.batches.run(audible, lambda clip: self._window / self.sample_rate, self._read)
            for clip, window in zip(audible, results, strict=True):
                self._take(clip, window)
        not_silent = {id(clip) for clip in loud}
        return [
            record(audio, self.spec, self._found(clip) if id(clip) in not_silent else SILENT)
            for audio, clip in zip(batch, clips, strict=True)
        ]

    def _prompted(self) -> list[int]:
        """The prompt and the hot words as tokens that were said before; the last ones, where they are too many."""
        prompt = ", ".join(filter(None, [self.options.prompt, *self.options.hotwords]))
        if not prompt:
            return []
        room = self._model.config.max_target_positions // 2 - 1
        words = self._tokens.tokenizer.encode(f" {prompt.strip()}", add_special_tokens=False)
        return [self._tokens.previous, *words[-room:]]

    def _found(self, clip: _Progress) -> Found:
        language = "en" if self._task == "translate" else clip.language
        return Found(tuple(clip.segments), language, tuple(clip.dropped))

    def _passed_over(self, clip: _Progress) -> bool:
        """Whether the next window of a clip is silent; it is done then."""
        window = self._next(clip)
        if not silent(window, self.sample_rate):
            return False
        clip.dropped.append(f"silence: {self._span(clip, len(window))}")
        clip.seek += len(window)
        return True

    def _next(self, clip: _Progress) -> NDArray[np.float32]:
        return clip.samples[clip.seek : clip.seek + self._window]

    def _read(self, clips: Sequence[_Progress]) -> list[_WindowResult]:
        """The speech in the next window of each clip."""
        windows = [self._next(clip) for clip in clips]
        encoded = self._encoded(windows)
        self._detect(clips, encoded)
        asked = [self._tokens.asked(clip.language or "en", self._task) for clip in clips]
        readings = self._decoder.read(encoded, [[*self._prompt, *before] for before in asked])
        parts = [
            ([], None) if reading.empty else spans(reading.tokens, self._tokens, len(window) / self.sample_rate)
            for reading, window in zip(readings, windows, strict=True)
        ]
        words = self._words(clips, encoded, asked, [spoken for spoken, _ in parts], windows)
        return [
            _WindowResult(len(window), reading, spoken, timed, on)
            for window, reading, (spoken, on), timed in zip(windows, readings, parts, words, strict=True)
        ]

    @torch.inference_mode()
    def _encoded(self, windows: Sequence[NDArray[np.float32]]) -> torch.Tensor:
        """The encoder's output for the windows, each padded to its full length, as in training: [windows, positions, width]."""
        full = [np.pad(window, (0, self._window - len(window))) for window in windows]
        features = self._inputs(full, sampling_rate=self.sample_rate, return_tensors="pt", padding=False).input_features
        made = self._model.model.encoder(features.to(self._model.device, self._model.dtype))
        return made.last_hidden_state  # type: ignore[no-any-return]

    def _detect(self, clips: Sequence[_Progress], encoded: torch.Tensor) -> None:
        """Give clips without a language that of their first window with sound."""
        unknown = [n for n, clip in enumerate(clips) if clip.language is None]
        if unknown:
            for n, language in zip(unknown, self._decoder.languages(encoded[unknown]), strict=True):
                clips[n].language = language

    def _words(
        self, clips: Sequence[_Progress], encoded: torch.Tensor, asked: Sequence[list[int]], parts: Sequence[list[Span]],
        windows: Sequence[NDArray[np.float32]],
    ) -> list[Timed]:  # fmt: skip
        """The words of each window, where they are asked for."""
        texts = [[token for part in spoken for token in part.tokens] for spoken in parts]
        wanted = [n for n, text in enumerate(texts) if text]
        if self._aligner is None or not wanted:
            return [[] for _ in clips]
        timed = self._aligner.words(
            encoded[wanted], [asked[n] for n in wanted], [texts[n] for n in wanted],
            [loud_part(windows[n], self.sample_rate) for n in wanted], [clips[n].language or "en" for n in wanted],
        )  # fmt: skip
        by_window = dict(zip(wanted, timed, strict=True))
        return [by_window.get(n, []) for n in range(len(clips))]

    def _take(self, clip: _Progress, result: _WindowResult) -> None:
        """Add a window's result to its clip and move on: to the last time said, or past the window."""
        if result.reading.empty:
            silence = f"(probability {result.reading.no_speech:.2f})"
            clip.dropped.append(f"no speech: {self._span(clip, result.size)} {silence}")
        offset, sure = clip.seek / self.sample_rate, float(np.exp(result.reading.log_probability))
        spoken = zip(result.spoken, by_span(result.spoken, result.timed), strict=True)
        segments, dropped = without_loops(
            [Segment(span.start, span.end, self._tokens.text(span.tokens), words, sure) for span, words in spoken]
        )
        clip.segments += later(list(map(bounded, segments)), offset)
        clip.dropped += dropped
        clip.seek += result.size if result.on is None else max(int(result.on * self.sample_rate), 1)
        if len(clip.samples) - clip.seek < LEAST * self.sample_rate:
            clip.seek = len(clip.samples)

    def _span(self, clip: _Progress, size: int) -> str:
        return f"{clip.seek / self.sample_rate:.1f}-{(clip.seek + size) / self.sample_rate:.1f} s"

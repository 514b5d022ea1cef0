"""Whisper through CTranslate2: the fastest on a processor, on which neither torch nor transformers is imported.

Most pieces of speech are far shorter than the 30 s that Whisper was trained on, and its encoder costs more than its decoder. So a
window is filled up with silence only to the next of a few lengths, and heard once more in full where that went wrong: where the
reading fails, or puts words behind the end of the sound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...audio import Audio
from ...errors import ModelError, UsageError
from ...models.batches import Batches
from ...models.registry import ModelSpec
from ...options import TranscribeOptions
from ...records import Transcript
from .loops import compression
from .models import FASTER
from .recogniser import TRAITS
from .whisper.features import HOP, SAMPLE_RATE, log_mel
from .whisper.reading import Reading, best, hotter
from .whisper.timed import Timed, timed_words
from .whisper.tokens import TICK, Tokens
from .whisper.windows import Windows

Floats = NDArray[np.float32]
QUICK = "int8"  # the type that a processor computes in, unless --precision says otherwise
# In one forward pass: 4 full windows, 8 or more short ones; more of them need memory, and are no faster on a processor.
SECONDS, SECONDS_ON_CUDA = 120.0, 480.0
WINDOW = 30.0  # s that Whisper hears at once
# Silence behind the sound that a window has at least, and the step of its lengths: without any, every fifth word is wrong.
MARGIN, STEP = 1.0, 2.0  # s
ROOM = 448  # tokens that the decoder takes, its prompt among them
# Tokens that a window may have: people say fewer, but for loops, which end sooner so; some alphabets take three a letter.
TOKENS_A_SECOND, TOKENS_MORE = 24, 24
BEHIND = 0.3  # s; a span that begins so much behind the end of the sound is invented


def load(path: Path, spec: ModelSpec, place: Any, options: TranscribeOptions) -> "FasterRunner":
    """The runner of a Whisper that ctranslate2 has converted, in the folder `path`. Raises UsageError, ModelError."""
    from ctranslate2.models import Whisper

    vocabulary = _vocabulary(path, spec)
    device, threads = place.device, place.threads
    model = Whisper(
        str(path), device.type, device_index=device.index or 0, compute_type=_compute_type(place), intra_threads=threads
    )
    # config.json of an English-only model may list languages all the same; the size of its vocabulary does not lie.
    tokens = Tokens.of(vocabulary, multilingual=model.is_multilingual)
    return FasterRunner(CTranslate2Net(model, tokens, options, device), tokens, spec, options)


def _compute_type(place: Any) -> str:
    """The type that the model computes in. Raises UsageError for one that the device does not support."""
    from ctranslate2 import get_supported_compute_types

    known = get_supported_compute_types(place.device.type, place.device.index or 0)
    if place.precision == "auto" and place.device.type == "cpu":
        return QUICK if QUICK in known else "float32"
    if place.dtype not in known:
        raise UsageError(f"ctranslate2 has no --precision {place.dtype} on this {place.device.type}")
    return str(place.dtype)


class Vocabulary:
    """A tokenizer.json, read without transformers."""

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(path))

    def get_vocab(self) -> dict[str, int]:
        return dict(self._tokenizer.get_vocab())

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=add_special_tokens).ids)

    def decode(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens))


def _vocabulary(path: Path, spec: ModelSpec) -> Vocabulary:
    """The tokenizer of a model. Raises ModelError."""
    file = path / "tokenizer.json"
    if not file.is_file():
        raise ModelError(
            f"{spec.name}: {file} is missing; it is the same as in the model that this one was converted from"
        )
    return Vocabulary(file)


@dataclass(frozen=True)
class _Encoded:
    """Windows and what the encoder made of them."""

    windows: Sequence[Floats]
    values: Any  # ctranslate2.StorageView [windows, positions, width]


class CTranslate2Net:
    """A Whisper of CTranslate2, which has its own threads."""

    sample_rate = SAMPLE_RATE
    room = ROOM

    def __init__(self, model: Any, tokens: Tokens, options: TranscribeOptions, device: Any) -> None:
        self.window = round(WINDOW * SAMPLE_RATE)
        seconds = SECONDS_ON_CUDA if device.type == "cuda" else SECONDS
        self.batches = Batches(options.batch_size, seconds, device)
        self._model, self._tokens = model, tokens
        self._beam, self._temperature = options.beam, options.temperature

    def length(self, samples: int) -> float:
        """The seconds of the window that so many samples are heard in."""
        return min(float(np.ceil((samples / SAMPLE_RATE + MARGIN) / STEP)) * STEP, WINDOW)

    def encode(self, windows: Sequence[Floats]) -> _Encoded:
        """Windows of one length, encoded."""
        return self._encoded(windows, max(self.length(len(window)) for window in windows))

    def _encoded(self, windows: Sequence[Floats], seconds: float) -> _Encoded:
        from ctranslate2 import StorageView

        frames = round(seconds * SAMPLE_RATE / HOP)
        features = np.stack([log_mel(window, frames, self._model.n_mels) for window in windows])
        return _Encoded(windows, self._model.encode(StorageView.from_array(features)))

    def languages(self, encoded: _Encoded) -> list[str]:
        """The likeliest language of each window."""
        found = self._model.detect_language(encoded.values)
        return [next(code[2:-2] for code, _ in row if code[2:-2] in self._tokens.languages) for row in found]

    def read(self, encoded: _Encoded, given: Sequence[list[int]]) -> list[Reading]:
        """Readings of windows, asked with the tokens `given` (as many for each)."""
        readings = self._read(encoded, given, self._temperature)
        failed = [
            n
            for n, (reading, window) in enumerate(zip(readings, encoded.windows, strict=True))
            if reading.failed or self._beyond(reading, len(window) / SAMPLE_RATE)
        ]
        if failed:
            again = self._in_full([encoded.windows[n] for n in failed], [given[n] for n in failed])
            for n, reading in zip(failed, again, strict=True):
                readings[n] = best([reading, readings[n]]) if reading.failed else reading
        return readings

    def once(self, encoded: _Encoded, given: list[int], most: int) -> Reading:
        """A reading of one window, greedy and not tried again where it fails, of `most` tokens."""
        made = self._model.generate(
            encoded.values, [given], max_length=min(len(given) + most, ROOM), beam_size=1, return_scores=True,
            return_no_speech_prob=True,
        )  # fmt: skip
        return self._judged(made[0])

    def _beyond(self, reading: Reading, seconds: float) -> bool:
        """Whether a reading has words behind the end of the sound."""
        last = next((n for n in reversed(reading.tokens) if n < self._tokens.end), None)
        times = [n for n in reading.tokens if n >= self._tokens.zero]
        if last is None or len(times) < 2:
            return False
        start = times[-2] if reading.tokens[-1] >= self._tokens.zero else times[-1]
        return (start - self._tokens.zero) * TICK > seconds + BEHIND

    def _in_full(self, windows: Sequence[Floats], given: Sequence[list[int]]) -> list[Reading]:
        """Readings of windows as long as those of the training; what fails even so is read again, hotter, one by one."""
        encoded = self._encoded(windows, WINDOW)
        readings = self._read(encoded, given, self._temperature)
        return [
            hotter(reading, self._temperature, lambda heat, n=n: self._alone(windows[n], given[n], heat))  # type: ignore[misc]
            for n, reading in enumerate(readings)
        ]

    def _alone(self, window: Floats, given: list[int], temperature: float) -> Reading:
        return self._read(self._encoded([window], WINDOW), [given], temperature)[0]

    def _read(self, encoded: _Encoded, given: Sequence[list[int]], temperature: float) -> list[Reading]:
        """Draws are from a fixed seed, so that they come again."""
        from ctranslate2 import set_random_seed

        ways: dict[str, Any] = {"beam_size": self._beam}
        if temperature > 0:
            set_random_seed(0)
            ways = {"beam_size": 1, "sampling_topk": 0, "sampling_temperature": temperature}
        longest = max(map(len, encoded.windows)) / SAMPLE_RATE
        new = min(round(longest * TOKENS_A_SECOND) + TOKENS_MORE, self.room // 2)
        made = self._model.generate(
            # The library gives half of this to new tokens, or what the prompt leaves.
            encoded.values, list(given), max_length=min(max(2 * new, len(given[0]) + new), self.room),
            return_scores=True, return_no_speech_prob=True, **ways,
        )  # fmt: skip
        return [self._judged(one) for one in made]

    def _judged(self, made: Any) -> Reading:
        tokens = [int(token) for token in made.sequences_ids[0]]
        # The score is the mean over the tokens without the one that ends them.
        mean = float(made.scores[0]) * len(tokens) / (len(tokens) + 1)
        return Reading(tokens, mean, float(made.no_speech_prob), compression(self._tokens.text(tokens).strip()))

    def words(
        self, encoded: _Encoded, wanted: Sequence[int], asked: Sequence[list[int]], texts: Sequence[list[int]],
        loud: Sequence[tuple[float, float]], languages: Sequence[str],
    ) -> list[Timed]:  # fmt: skip
        """The words of the windows `wanted`, each with its number of tokens; times from the start of the window."""
        made: dict[int, Any] = {}
        for before in {tuple(one) for one in asked}:  # the library takes one beginning for all rows
            rows = {n: text for n, one, text in zip(wanted, asked, texts, strict=True) if tuple(one) == before}
            # A row that is not asked about has to have a token, too.
            given = [rows.get(n, [self._tokens.end]) for n in range(len(encoded.windows))]
            frames = [max(len(window) // HOP, 2) for window in encoded.windows]
            found = self._model.align(encoded.values, list(before), given, frames)
            made |= {n: found[n] for n in rows}
        return [
            timed_words(
                self._tokens, text, made[n].text_token_probs, _begins(made[n].alignments, len(text), sound), tongue
            )
            for n, text, sound, tongue in zip(wanted, texts, loud, languages, strict=True)
        ]


def _begins(path: Sequence[tuple[int, int]], tokens: int, loud: tuple[float, float]) -> list[float]:
    """The second at which each of the tokens begins on a path of (token, position), and where the last ends; within `loud`."""
    firsts: dict[int, int] = {}
    for token, position in path:
        firsts.setdefault(token, position)
    last = path[-1][1] if path else 0
    times = [firsts.get(n, last) * TICK for n in range(tokens + 1)]
    return [min(max(time, loud[0]), max(loud)) for time in times]


class FasterRunner(Windows):
    """Clips in, transcripts out."""

    traits = TRAITS[FASTER]

    def __call__(self, batch: list[Audio]) -> list[Transcript]:
        """The transcripts of the clips [1, samples], in their order."""
        return self.alone(batch)

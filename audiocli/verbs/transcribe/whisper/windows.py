"""Clips of any length through Whisper, by windows that the model's own timestamps move on, whatever library computes it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ....audio import Audio
from ....audio.level import loud_part, mono, silent
from ....errors import UsageError
from ....models.batches import Batches
from ....models.registry import ModelSpec
from ....options import TranscribeOptions
from ....records import Segment, Transcript, later
from ..growing import Growing
from ..loops import RATIO, without_loops
from ..results import SILENT, Found, record
from .reading import Reading
from .timed import Timed, bounded, by_span
from .tokens import Span, Tokens, spans

Floats = NDArray[np.float32]
LEAST = 0.1  # s; nobody says a word in less at the end of a clip
FEW, RATE = 8, 8  # tokens of a rough reading, and those a second: what goes on longer is a loop
CANDIDATES = 3  # pieces of an input, of which the longest shows its language


class Net(Protocol):
    """A loaded Whisper: windows [samples] in, encoded all at once; then what is asked about them."""

    sample_rate: int
    window: int  # samples that it hears at once
    room: int  # tokens that its decoder takes
    batches: Batches

    def length(self, samples: int) -> float:
        """The seconds that a window of so many samples costs, with what it is filled up with: those of one batch are alike."""
        ...

    def encode(self, windows: Sequence[Floats]) -> Any: ...

    def languages(self, encoded: Any) -> list[str]:
        """The likeliest language of each window."""
        ...

    def read(self, encoded: Any, given: Sequence[list[int]]) -> list[Reading]:
        """Readings of windows, asked with the tokens `given` (as many for each)."""
        ...

    def once(self, encoded: Any, given: list[int], most: int) -> Reading:
        """A reading of one window, greedy and not tried again where it fails, of `most` tokens."""
        ...

    def words(
        self, encoded: Any, wanted: Sequence[int], asked: Sequence[list[int]], texts: Sequence[list[int]],
        loud: Sequence[tuple[float, float]], languages: Sequence[str],
    ) -> list[Timed]:  # fmt: skip
        """The words of the windows `wanted`, each with its number of tokens; times from the start of the window.

        For each of these: `asked`, the tokens before its answer without prompts; `texts` without times; `loud`: seconds
        where its sound begins and ends.
        """
        ...


@dataclass
class _Progress:
    """A clip on its way through the model."""

    samples: Floats
    of: int  # the number of the input that it is a piece of
    language: str | None = None
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
    language: str


class Windows:
    """Clips in, transcripts out; each round takes the next window of every clip that is not done.

    No text goes from one window to the next, so that one failure stays one: only the user's prompt stands before each.
    """

    def __init__(self, net: Net, tokens: Tokens, spec: ModelSpec, options: TranscribeOptions) -> None:
        if options.translate and not tokens.languages:
            raise UsageError(f"{spec.name} knows English only and cannot translate; take one whose name has no .en")
        self.spec, self.options, self.sample_rate, self.batches = spec, options, net.sample_rate, net.batches
        self._net, self._tokens = net, tokens
        self._language = tokens.language(options.language)
        self._task = "translate" if options.translate else "transcribe"
        self._prompt = self._prompted(options.prompt)
        self._timed = options.timestamps == "word"

    def pieces(self, pieces: Sequence[Audio], of: Sequence[int], known: dict[int, str]) -> list[Transcript]:
        """The transcripts of pieces [1, samples], in their order.

        of: the number of the input that each is a piece of. known: languages by these numbers; that of an input which is not
        there is detected, and put there.
        """
        clips = [_Progress(mono(audio), number) for audio, number in zip(pieces, of, strict=True)]
        loud = [clip for clip in clips if not silent(clip.samples, self.sample_rate)]
        self._through(loud, known, self._prompt)
        not_silent = {id(clip) for clip in loud}
        return [
            record(audio, self.spec, self._found(clip) if id(clip) in not_silent else SILENT)
            for audio, clip in zip(pieces, clips, strict=True)
        ]

    def alone(self, batch: Sequence[Audio]) -> list[Transcript]:
        """The transcripts of clips [1, samples], each an input of its own."""
        return self.pieces(batch, range(len(batch)), {})

    def hear(
        self, samples: Floats, *, prompt: str | None = None, language: str | None = None, words: bool | None = None
    ) -> Found:
        """What is said in samples [n]: of speech as it comes.

        prompt: the text before it, behind that of the user. language: its code, detected by default. words: whether they have
        times, by default as the options say.
        """
        if silent(samples, self.sample_rate):
            return SILENT
        before = " ".join(filter(None, [self.options.prompt, prompt]))
        clip, asked = _Progress(samples, 0), self._timed
        self._timed = asked if words is None else words
        try:
            self._through([clip], {0: language} if language else {}, self._prompted(before))
        finally:
            self._timed = asked
        return self._found(clip)

    def language(self, samples: Floats) -> str | None:
        """The code of the language that is spoken at the start of samples [n], or that was asked for."""
        return self._language or self._net.languages(self._net.encode([samples[: self._net.window]]))[0]

    def glimpse(self, samples: Floats, *, prompt: str | None, language: str | None) -> list[str]:
        """The words at the start of samples [n], roughly and soon: for `Growing`."""
        if silent(samples, self.sample_rate):
            return []
        encoded = self._net.encode([samples[: self._net.window]])
        code = language or self._language or self._net.languages(encoded)[0]
        before = self._prompted(" ".join(filter(None, [self.options.prompt, prompt])))
        most = FEW + round(RATE * samples.size / self.sample_rate)
        reading = self._net.once(encoded, [*before, *self._tokens.asked(code, self._task)], most)
        looped = reading.empty or reading.ratio > RATIO
        return [] if looped else self._tokens.text(reading.tokens).split()

    def listen(self) -> Growing:
        """A live session. Raises UsageError."""
        return Growing(self, self.options)

    def _through(self, clips: Sequence[_Progress], known: dict[int, str], prompt: list[int]) -> None:
        """Take the clips to their ends."""
        if self._language is not None:
            known |= {clip.of: self._language for clip in clips}
        while waiting := [clip for clip in clips if not clip.done]:
            ready = [clip for clip in _ready(waiting, known) if not self._passed_over(clip)]
            results = self.batches.run(
                ready, lambda clip: self._net.length(len(self._next(clip))),
                lambda batch: self._read(batch, known, prompt), alike=True,
            )  # fmt: skip
            for clip, window in zip(ready, results, strict=True):
                self._take(clip, window)
                if not window.reading.empty:
                    known.setdefault(clip.of, window.language)

    def _prompted(self, prompt: str | None) -> list[int]:
        """The prompt and the hot words as tokens that were said before; the last ones, where they are too many."""
        before = ", ".join(filter(None, [prompt, *self.options.hotwords]))
        if not before:
            return []
        words = self._tokens.tokenizer.encode(f" {before.strip()}", add_special_tokens=False)
        return [self._tokens.previous, *words[-(self._net.room // 2 - 1) :]]

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

    def _next(self, clip: _Progress) -> Floats:
        return clip.samples[clip.seek : clip.seek + self._net.window]

    def _read(self, clips: Sequence[_Progress], known: dict[int, str], prompt: list[int]) -> list[_WindowResult]:
        """The speech in the next window of each clip."""
        windows = [self._next(clip) for clip in clips]
        encoded = self._net.encode(windows)
        languages = self._languages(clips, known, encoded)
        asked = [self._tokens.asked(language, self._task) for language in languages]
        readings = self._net.read(encoded, [[*prompt, *before] for before in asked])
        parts = [
            ([], None) if reading.empty else spans(reading.tokens, self._tokens, len(window) / self.sample_rate)
            for reading, window in zip(readings, windows, strict=True)
        ]
        words = self._words(encoded, asked, [spoken for spoken, _ in parts], windows, languages)
        return [
            _WindowResult(len(window), reading, spoken, timed, on, language)
            for window, reading, (spoken, on), timed, language in zip(
                windows, readings, parts, words, languages, strict=True
            )
        ]

    def _languages(self, clips: Sequence[_Progress], known: dict[int, str], encoded: Any) -> list[str]:
        """The language of each window: its input's, or its own."""
        if all(clip.of in known for clip in clips):
            return [known[clip.of] for clip in clips]
        own = self._net.languages(encoded)
        return [known.get(clip.of, language) for clip, language in zip(clips, own, strict=True)]

    def _words(
        self, encoded: Any, asked: Sequence[list[int]], parts: Sequence[list[Span]], windows: Sequence[Floats],
        languages: Sequence[str],
    ) -> list[Timed]:  # fmt: skip
        """The words of each window, where they are asked for."""
        texts = [[token for part in spoken for token in part.tokens] for spoken in parts]
        wanted = [n for n, text in enumerate(texts) if text]
        if not self._timed or not wanted:
            return [[] for _ in windows]
        timed = self._net.words(
            encoded, wanted, [asked[n] for n in wanted], [texts[n] for n in wanted],
            [loud_part(windows[n], self.sample_rate) for n in wanted], [languages[n] for n in wanted],
        )  # fmt: skip
        by_window = dict(zip(wanted, timed, strict=True))
        return [by_window.get(n, []) for n in range(len(windows))]

    def _take(self, clip: _Progress, result: _WindowResult) -> None:
        """Add a window's result to its clip and move on: to the last time said, or past the window."""
        clip.language = result.language
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


def _ready(waiting: Sequence[_Progress], known: dict[int, str]) -> Iterator[_Progress]:
    """The clips that may go on: all of an input whose language is known, else the longest of its first CANDIDATES."""
    unknown: dict[int, list[_Progress]] = {}
    for clip in waiting:
        if clip.of in known:
            yield clip
        else:
            unknown.setdefault(clip.of, []).append(clip)
    for clips in unknown.values():
        yield max(islice(clips, CANDIDATES), key=lambda clip: len(clip.samples) - clip.seek)

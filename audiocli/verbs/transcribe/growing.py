"""A live session of a model that hears windows of speech: each window grows until it is full, and what was said settles in it.

Two kinds of hearing. The quick one shows the words so far, which may change: those that two in a row agree on (local agreement:
Liu, Spanakis and Niehues, 2020). The thorough one is at the end of each piece of speech. It hears the whole window, as a file's
window is heard, and what it says after the words that are settled is settled too. So the final text does not depend on how
fast the machine is, nor on the blocks that the sound comes in.

A window ends where a file's would: it begins anew with the first piece that does not fit. Speech that never pauses settles
up to a boundary that two thorough hearings agree on (as in Machacek, Dabre and Bojar, 2023), and the window goes on from there.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from time import monotonic
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...options import TranscribeOptions
from ...records import Segment, Word, later
from ...vad.cutter import EVERYTHING, Chunk, Cut, cutter
from ...vad.silero import SAMPLE_RATE
from .loops import spoken
from .recogniser import Partial
from .results import Found, tidy
from .work import WINDOW

Floats = NDArray[np.float32]

FIRST, STEP = 0.7, 0.4  # s of sound in a piece before its first quick hearing; s of new sound before the next
PATIENCE = 2.0  # or as long as it took, so many times over: half of the time is for the rest
LONG, AGAIN = 20.0, 4.0  # s of speech without a pause that is heard thoroughly for the first time; until the next time
MARGIN = 3.0  # s before the end of a window in which words may still change
SURE = 4.0  # s of speech from which the language is known for good
PROMPT = 200  # characters of settled text before a window
KEPT = 1.0  # s of sound behind the cutter, which begins pieces a little before their speech
SENTENCE = tuple(".?!。\uff1f\uff01")  # the last two are full-width
NEAR = 1  # words by which the times of two hearings may differ at a seam


class Ear(Protocol):
    """A model of windows of speech at SAMPLE_RATE; prompt: what was said before (the user's is not in it)."""

    def language(self, samples: Floats) -> str | None:
        """The code of the language in samples [n]; None where nobody needs to know."""
        ...

    def hear(self, samples: Floats, *, prompt: str | None, language: str | None, words: bool) -> Found:
        """All that is said in samples [n], thoroughly; times in seconds of them, words that have times."""
        ...

    def glimpse(self, samples: Floats, *, prompt: str | None, language: str | None) -> list[str]:
        """The words in samples [n], roughly and soon; the last one may be cut off."""
        ...


class Growing:
    """A session: `push` gives the words so far, and each segment that has settled."""

    sample_rate = SAMPLE_RATE

    def __init__(self, ear: Ear, options: TranscribeOptions) -> None:
        cut = Cut(options.vad_threshold) if options.vad else EVERYTHING
        self.cutter = cutter(options.vad, replace(cut, longest=math.inf))  # long pieces are trimmed here
        self.dropped: list[str] = []  # loops that were left out
        self._ear, self._options = ear, options
        self._language: str | None = None
        self._sound = Recent()
        self._said, self._last = "", ""  # the settled text, as much as a prompt holds; the last word of the window's
        self._prompt: str | None = None  # before the window
        self._first: int | None = None  # samples of the input: where the window begins,
        self._start = self._end = 0  # what is not settled of the piece in hand, and where that ends so far
        self._seam = 0.0  # s: what is before is settled
        self._open = False
        self._due, self._long = 0, list[Word]()  # when a long piece is heard (sample), and its words if it was before
        self._quick = _Quick()
        self._resume = 0.0  # the sample before which no quick hearing is to delay the rest

    def push(self, samples: Floats) -> Iterator[Partial | Segment]:
        """Take the next samples [n]."""
        self._sound.append(samples)
        yield from self._take(self.cutter.push(samples))
        if self._open and self._end >= max(self._resume, self._quick.next or self._start + FIRST * SAMPLE_RATE):
            yield from self._glimpse()
        self._forget()

    def finish(self) -> Iterator[Partial | Segment]:
        """No more samples will come."""
        yield from self._take(self.cutter.finish())

    def _forget(self) -> None:
        """Drop the sound that is not going to be heard again."""
        now = round(self.cutter.seconds * SAMPLE_RATE)
        if self._first is not None and not self._open and now - self._first > WINDOW * SAMPLE_RATE:
            self._first = None  # no other piece fits
        self._sound.forget(now - round(KEPT * SAMPLE_RATE) if self._first is None else self._first)

    def _take(self, chunks: Iterator[Chunk]) -> Iterator[Segment]:
        for chunk in chunks:
            if chunk.begins:
                self._begin(chunk.start)
            if chunk.ends:
                self._open = False
                yield from self._settled(self._thoroughly(), self._end)
                continue
            self._end = chunk.start + chunk.samples.size
            if self._end >= self._due:
                yield from self._trim()

    def _begin(self, start: int) -> None:
        """A piece of speech begins at a sample."""
        self._open, self._start, self._quick = True, start, _Quick()
        self._due, self._long = start + round(LONG * SAMPLE_RATE), []
        self._seam = (self._seam + start / SAMPLE_RATE) / 2  # the middle of the pause
        if self._first is None:
            self._renew()

    def _renew(self) -> None:
        """Begin a window with what is not settled."""
        self._first, self._prompt, self._last = self._start, self._before(), ""
        self._seam = self._start / SAMPLE_RATE

    def _before(self) -> str | None:
        """The text before now, as a model gets it for context."""
        return self._said.strip() or None

    def _thoroughly(self) -> list[Segment]:
        """What is said in the window and not settled, times of the input; words keep the blanks before them."""
        if self._first is None or self._end - self._first > WINDOW * SAMPLE_RATE:
            self._renew()
        began, first = monotonic(), self._first or 0
        samples = self._sound.between(first, self._end)
        language = self._language or self._ear.language(samples)
        if samples.size >= SURE * SAMPLE_RATE:
            self._language = language
        found = self._ear.hear(samples, prompt=self._prompt, language=language, words=True)
        self._busy(monotonic() - began)
        self.dropped += found.dropped
        segments = later(found.segments, first / SAMPLE_RATE)
        words = [word for segment in segments for word in segment.words]
        return parted(segments, settled(words, self._seam, self._last))[1]

    def _settled(self, segments: Sequence[Segment], end: int) -> Iterator[Segment]:
        """These segments will not change, and all up to sample `end` is said in them."""
        self._seam, self._start, self._long = end / SAMPLE_RATE, end, []
        for segment in segments:
            self._said = tail(self._said + segment.text)
            self._last = segment.words[-1].text if segment.words else ""
            yield tidy(segment if self._options.timestamps == "word" else replace(segment, words=()))

    def _trim(self) -> Iterator[Segment]:
        """Settle the first part of speech that does not pause, as two hearings agree on it; at last as one heard it."""
        segments = self._thoroughly()
        words = [word for segment in segments for word in segment.words]
        last = self._end + (AGAIN - WINDOW) * SAMPLE_RATE >= self._start  # the next hearing would be too late
        alike = agreed(texts(self._long), texts(words)) or last * len(words)
        limit = self._end / SAMPLE_RATE - MARGIN
        count = boundary(words, alike, limit)
        if not count and not last:
            self._long, self._due = words, self._end + round(AGAIN * SAMPLE_RATE)
            return
        after = words[count].start if count < len(words) else limit
        seam = min((words[count - 1].end + after) / 2, limit) if count else limit
        yield from self._settled(parted(segments, count)[0], round(seam * SAMPLE_RATE))
        self._go_on(words[count - 1] if count else None)

    def _go_on(self, last: Word | None) -> None:
        """Begin a window in the middle of speech with the last settled word, which is not cut so by a time that is not exact."""
        start, seam = self._start, self._seam
        self._renew()
        self._quick, self._due = _Quick(), start + round(LONG * SAMPLE_RATE)
        if last:
            self._first, self._seam, self._last = round(last.start * SAMPLE_RATE), seam, last.text
            self._prompt = self._said.removesuffix(last.text).strip() or None

    def _glimpse(self) -> Iterator[Partial]:
        """The words of the piece so far, if they are others: those agreed on; before there are any, all but the last one."""
        began, quick = monotonic(), self._quick
        samples = self._sound.between(self._start, self._end)
        words = self._ear.glimpse(samples, prompt=self._before(), language=self._language)
        count = agreed(quick.words, words) or (0 if quick.text else once(words[:-1]))
        text = " ".join(words[:count])
        if text and text != quick.text:
            yield Partial(self._start / SAMPLE_RATE, text)
        self._quick = _Quick(self._end + STEP * SAMPLE_RATE, words, text or quick.text)
        self._busy(PATIENCE * (monotonic() - began))

    def _busy(self, seconds: float) -> None:
        """No quick hearing before so much more sound has been taken in: at least what came in while a hearing went on."""
        self._resume = max(self._resume, (self.cutter.seconds + seconds) * SAMPLE_RATE)


@dataclass(frozen=True)
class _Quick:
    """The last quick hearing of a piece: the sample at which the next one is due, its words, the text that is shown."""

    next: float | None = None
    words: Sequence[str] = ()
    text: str = ""


class Recent:
    """The last samples of a stream, by their place in it."""

    def __init__(self) -> None:
        self._samples, self._first = np.zeros(0, np.float32), 0

    def append(self, samples: Floats) -> None:
        """Take the next samples [n]."""
        self._samples = np.concatenate([self._samples, samples])

    def forget(self, before: int) -> None:
        """Drop the samples before a place."""
        drop = min(max(before - self._first, 0), self._samples.size)
        self._samples, self._first = self._samples[drop:], self._first + drop

    def between(self, start: int, end: int) -> Floats:
        """The samples [n] from one place to another."""
        return self._samples[max(start - self._first, 0) : max(end - self._first, 0)]


def plain(word: str) -> str:
    """A word as two hearings may write it differently: without its case and marks."""
    return "".join(filter(str.isalnum, word.casefold())) or word.strip()


def texts(words: Sequence[Word]) -> list[str]:
    """What each of the words says."""
    return [word.text for word in words]


def agreed(before: Sequence[str], words: Sequence[str]) -> int:
    """The number of words at the start that both have."""
    return sum(1 for _ in takewhile(lambda pair: plain(pair[0]) == plain(pair[1]), zip(before, words, strict=False)))


def once(words: Sequence[str]) -> int:
    """The number of words at the start before one comes again: of a short sound, models like to say the same twice."""
    said: set[str] = set()
    for number, word in enumerate(map(plain, words)):
        if word in said:
            return number
        said.add(word)
    return len(words)


def settled(words: Sequence[Word], seam: float, last: str) -> int:
    """The number of words at the start of a window that are settled already: those whose middle is before the seam (s).

    Times of two hearings differ a little: a place nearby that stands behind the last settled word is the better one.
    """
    count = sum(1 for _ in takewhile(lambda word: word.start + word.end < 2 * seam, words))
    near = sorted(range(max(count - NEAR, 1), min(count + NEAR, len(words)) + 1), key=lambda n: abs(n - count))
    return next((n for n in near if last and plain(words[n - 1].text) == plain(last)), count)


def parted(segments: Sequence[Segment], count: int) -> tuple[list[Segment], list[Segment]]:
    """The first `count` words of segments, and the others."""
    before, after = list[Segment](), list[Segment]()
    for segment in segments:
        first, rest = segment.words[: max(count, 0)], segment.words[max(count, 0) :]
        before += [_of(segment, first)] if first else []
        after += [_of(segment, rest)] if rest else []
        count -= len(segment.words)
    return before, after


def _of(segment: Segment, words: tuple[Word, ...]) -> Segment:
    if len(words) == len(segment.words):
        return segment
    return replace(segment, start=words[0].start, end=words[-1].end, text=spoken(words), words=words)


def boundary(words: Sequence[Word], count: int, limit: float) -> int:
    """How many of the first `count` words to settle: none that ends after `limit` (s); to a sentence's end, or the longest pause.

    A boundary in the first half would leave the window long.
    """
    ends = [n for n in range(1, count + 1) if words[n - 1].end <= limit]
    late = [n for n in ends if words[n - 1].end >= (words[0].start + limit) / 2]
    sentences = [n for n in late if words[n - 1].text.rstrip().endswith(SENTENCE)]
    if sentences:
        return sentences[-1]
    pauses = {n: (words[n].start if n < len(words) else limit) - words[n - 1].end for n in late or ends}
    return max(pauses, key=lambda n: (round(pauses[n], 1), n), default=0)


def tail(text: str) -> str:
    """The last PROMPT characters of a text, from the start of a word."""
    return text if len(text) <= PROMPT else text[-PROMPT:].partition(" ")[2] or text[-PROMPT:]

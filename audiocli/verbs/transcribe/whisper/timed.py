"""Words with their times, whatever found them, and the spans of a window that they belong to."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from ....records import Segment, Word
from .tokens import Span, Tokens

DOUBT = 0.5  # s; a word that begins or ends further from its span's timestamp is believed less than that
Timed = list[tuple[Word, int]]  # words with their numbers of tokens


def timed_words(tokens: Tokens, text: list[int], sure: Sequence[float], times: Sequence[float], language: str) -> Timed:
    """The words of the tokens [n], of which each has a probability [n] and a time where it begins [n + 1, the last: an end]."""
    words: Timed = []
    at = 0
    for name, group in tokens.words(text, language):
        until = at + len(group)
        probability = sum(sure[at:until]) / len(group)
        words.append((Word(name, times[at], times[until], probability), len(group)))
        at = until
    return words


def by_span(spans: Sequence[Span], timed: Timed) -> list[tuple[Word, ...]]:
    """The words of each span; one that reaches into the next span belongs to that where it begins."""
    usual = median([word.end - word.start for word, _ in timed]) if timed else 0.0
    words, taken, until = iter(timed), 0, 0
    result = []
    for span in spans:
        until += len(span.tokens)
        mine = []
        while taken < until and (following := next(words, None)):
            mine.append(following[0])
            taken += following[1]
        result.append(tuple(_trusted(mine, span, min(usual, 0.7))))
    return result


def _trusted(words: list[Word], span: Span, usual: float) -> list[Word]:
    """The words of a span without the silence that attention gives to its first and last one (whisper/timing.py)."""
    if words and words[0].start + DOUBT < span.start < words[0].end:
        words[0] = replace(words[0], start=max(0.0, min(words[0].end - usual, span.start)))
    if words and words[-1].start < span.end < words[-1].end - DOUBT:
        words[-1] = replace(words[-1], end=max(words[-1].start + usual, span.end))
    return words


def bounded(segment: Segment) -> Segment:
    """The segment from its first word to its last: they know better than the timestamps."""
    return replace(segment, start=segment.words[0].start, end=segment.words[-1].end) if segment.words else segment

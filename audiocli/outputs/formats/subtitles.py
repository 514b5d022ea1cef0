"""Subtitles: a transcript as cues of a few short lines, in SubRip and WebVTT.

The record's options say how they are broken (`max_line_width`, `max_lines`, `timestamps`), because that belongs to the run.
Times and speeds are those of Netflix's style guide.
"""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import BinaryIO

from ...records import UNSPACED, Segment, Transcript, Word
from .lines import as_bytes, clock, one_line
from .objects import Place

WIDTH, LINES = 42, 2  # of a subtitle, where the record does not say
PAUSE = 1.0  # s between two words that a subtitle does not span
SHORTEST, LONGEST = 5 / 6, 7.0  # s that a subtitle stands
READING = 20.0  # columns a second
WORD = 0.1  # s that a word by itself stands
FLASH = 0.04  # s; one frame, the least that can be seen
INSIDE = 0.1  # the cost of a subtitle that ends within a clause, where an empty one costs 1


@dataclass(frozen=True)
class Cue:
    """Lines that stand on the screen from start to end, in seconds."""

    start: float
    end: float
    lines: tuple[str, ...]
    speaker: str | None = None


@dataclass(frozen=True)
class _Frame:
    """The room in a subtitle: columns in a line, and lines; the gap between words; whether it names the speaker."""

    width: int
    lines: int
    gap: str
    named: bool

    def texts(self, words: Sequence[Word], speaker: str | None) -> list[str]:
        """The texts to wrap: the speaker's name and the words."""
        label = [f"{one_line(speaker)}:{'' if self.gap else ' '}"] if self.named and speaker else []
        return [*label, *(word.text.strip() for word in words)]

    def wrapped(self, texts: Sequence[str]) -> list[str]:
        """The lines of a subtitle, as few as can be and about equally long."""
        count = len(wrapped(texts, self.width, self.gap))
        longest = columns(self.gap.join(texts))
        widths = range(longest // count, min(self.width, longest) + 1)
        width = next((width for width in widths if len(wrapped(texts, width, self.gap)) == count), self.width)
        return [line.rstrip() for line in wrapped(texts, width, self.gap)]

    def fits(self, sizes: Sequence[int], seconds: float) -> bool:
        """Whether texts of so many columns each can stand in one subtitle."""
        lines, used = 1, -len(self.gap)
        for size in sizes:
            used += len(self.gap) + size
            if used > self.width and used > size:
                lines, used = lines + 1, size
        return lines <= self.lines and seconds <= LONGEST

    def cost(self, sizes: Sequence[int], seconds: float) -> float:
        """The cost of these words as a subtitle: the emptier the worse, so that few and equally full ones are best."""
        used = sum(sizes) + (len(sizes) - 1) * len(self.gap)
        return (1.0 - min(max(used / (self.width * self.lines), seconds / LONGEST), 1.0)) ** 2


def _ends_clause(word: str) -> bool:
    """Whether a comma, a full stop or the like comes last, in any script."""
    return bool(word) and unicodedata.category(word[-1]) == "Po"


def srt(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """SubRip: no byte order mark (Premiere stumbles over it); an arrow in a text is not a time."""
    for record in records:
        for number, cue in enumerate(cues(record, named=True), 1):
            times = f"{clock(cue.start, ',')} --> {clock(cue.end, ',')}"
            text = "\n".join(cue.lines).replace("-->", "→")
            stream.write(as_bytes(f"{number}\n{times}\n{text}\n\n"))


def vtt(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """WebVTT (W3C)."""
    for record in records:
        stream.write(b"WEBVTT\n\n")
        for cue in cues(record):
            voice = f"<v {_escaped(one_line(cue.speaker))}>" if cue.speaker else ""
            text = _escaped("\n".join(cue.lines))
            stream.write(as_bytes(f"{clock(cue.start, '.')} --> {clock(cue.end, '.')}\n{voice}{text}\n\n"))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cues(record: Transcript, *, named: bool = False) -> Iterator[Cue]:
    """The subtitles of a transcript: a word each with --timestamps word, else as many words as their lines hold.

    named: the speaker's name stands in the first line of each.
    """
    by_word, frame = record.options.get("timestamps") == "word", _frame(record, named)
    return _seen([cue for segment in record.segments for cue in _of(segment, frame, by_word)], by_word)


def _frame(record: Transcript, named: bool) -> _Frame:
    width, lines = (int(record.options.get(name) or 0) for name in ("max_line_width", "max_lines"))
    if "max_line_width" not in record.options:
        width, lines = WIDTH, LINES
    return _Frame(width or 1 << 30, lines or 1 << 30, "" if record.language in UNSPACED else " ", named)


def _of(segment: Segment, frame: _Frame, by_word: bool) -> Iterator[Cue]:
    """The subtitles of one segment, times as they were spoken."""
    if by_word and segment.words:
        for word in segment.words:
            yield _cue([word], word.speaker or segment.speaker, frame)
        return
    words = segment.words or tuple(_evenly(segment, frame.gap))
    for part in _balanced(words, segment.speaker, frame):
        yield _cue(part, segment.speaker, frame)


def _cue(words: Sequence[Word], speaker: str | None, frame: _Frame) -> Cue:
    return Cue(words[0].start, words[-1].end, tuple(frame.wrapped(frame.texts(words, speaker))), speaker)


def _balanced(words: Sequence[Word], speaker: str | None, frame: _Frame) -> list[Sequence[Word]]:
    """The words as subtitles that fit, of the least cost together: no word is left over, and clauses stay together."""
    name = list(map(columns, frame.texts((), speaker)))
    sizes = [columns(word.text.strip()) for word in words]
    costs, breaks = [0.0], [0]  # of the best subtitles for the first n words, and where the last of them begins
    for end, last in enumerate(words, 1):
        inside = 0.0 if _ends_clause(last.text.strip()) else INSIDE
        costs.append(math.inf)
        breaks.append(end - 1)
        for start in range(end - 1, -1, -1):
            seconds, more = last.end - words[start].start, start < end - 1
            late = more and words[start + 1].start - words[start].end > PAUSE
            if late or (more and not frame.fits(name + sizes[start:end], seconds)):
                break
            cost = costs[start] + frame.cost(sizes[start:end], seconds) + inside
            if cost <= costs[end]:
                costs[end], breaks[end] = cost, start
    return list(_between(words, breaks))


def _between(words: Sequence[Word], breaks: Sequence[int]) -> Iterator[Sequence[Word]]:
    """The words cut where the best last subtitle begins, and so on to the front; in their order."""
    ends = [len(words)] if words else []
    while ends and breaks[ends[-1]]:
        ends.append(breaks[ends[-1]])
    return (words[start:end] for start, end in pairwise([0, *reversed(ends)]))


def _seen(subtitles: Sequence[Cue], by_word: bool) -> Iterator[Cue]:
    """The subtitles, each shown for as long as it takes to read where the next one leaves that time, and none for no time."""
    taken = 0.0  # up to here a subtitle stands that had no time of its own
    for cue, after in zip(subtitles, [*(cue.start for cue in subtitles[1:]), math.inf], strict=False):
        start = max(cue.start, taken)
        wanted = WORD if by_word else min(max(SHORTEST, sum(map(columns, cue.lines)) / READING), LONGEST)
        end = max(cue.end, min(start + wanted, after))
        taken = max(start + FLASH, taken) if end < start + FLASH else 0.0
        yield replace(cue, start=start, end=max(end, taken))


def wrapped(words: Sequence[str], width: int, gap: str = " ") -> list[str]:
    """Words in lines of at most `width` columns; one that is longer has a line to itself."""
    lines: list[str] = []
    used = 0
    for word in words:
        size = columns(word)
        if lines and used + len(gap) + size <= width:
            lines[-1] += gap + word
            used += len(gap) + size
        else:
            lines.append(word)
            used = size
    return lines


def columns(text: str) -> int:
    """The columns that a text takes in a terminal or a subtitle: Chinese characters take two, accents on their own none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def _evenly(segment: Segment, gap: str) -> Iterator[Word]:
    """The words of a segment that has no word times, each with its share of the time by its length."""
    texts = segment.text.split() if gap else [c for c in segment.text if not c.isspace()]
    total = sum(len(text) + 1 for text in texts)
    before = 0
    for text in texts:
        first, last = before, before + len(text) + 1
        span = (segment.end - segment.start) / total
        yield Word(text, segment.start + first * span, segment.start + last * span)
        before = last

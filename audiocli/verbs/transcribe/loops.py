"""Loops of a decoder: phrases that it repeats though nobody did, distinguished from real repetitions by its own signs.

Only for decoders that write on from their own words (Whisper, Moonshine): one that aligns (CTC, PocketSphinx) cannot loop.
"""

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from statistics import fmean, median

from ...records import Segment, Word

REPEATS = 3  # a phrase that follows itself more often may be a loop
PHRASE = 12  # words; longer loops are rare
HURRIED = 0.06  # s a word; the fastest rappers need as much, and a loop has its words where no time is left
LOG_PROBABILITY = -1.0  # a mean below this is a guess (Radford et al. 2022, 4.5)
RATIO = 2.4  # a text that zlib shrinks further than this is a loop, or a chorus (ditto)
# A loop goes on to the end of the window, with 224 tokens: 14 times for the longest phrase. A chorus or a row of digits is shorter.
MANY = 8
REPETITION = "repetition"  # the first word of a line in `dropped` about one


@dataclass(frozen=True)
class _Unit:
    """A word, or its share of a segment that has no words."""

    text: str
    seconds: float
    probability: float | None  # of its segment


def without_loops(segments: Sequence[Segment]) -> tuple[list[Segment], list[str]]:
    """The segments of one pass of a decoder, with its loops said once; and the parts that were left out, a line each."""
    units = [unit for segment in segments for unit in _units(segment)]
    squeezed = compression("".join(segment.text for segment in segments)) > RATIO
    keep, dropped = [True] * len(units), []
    for start, size, times in _repeated([unit.text.casefold() for unit in units]):
        again = slice(start + size, start + size * times)
        if _hurried(units[again]) or _guessed(units[again]) or (squeezed and times >= MANY):
            keep[again] = [False] * (size * (times - 1))
            phrase = " ".join(unit.text for unit in units[start : start + size])
            dropped.append(f"{REPETITION}: {phrase!r} {times - 1} more times")
    left = iter(keep)
    shorter = [_kept(segment, [next(left) for _ in _units(segment)]) for segment in segments]
    return [segment for segment in shorter if segment.text.strip()], dropped


def compression(text: str) -> float:
    """The ratio by which zlib compresses a text."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def spoken(words: Sequence[Word]) -> str:
    """The text of a recogniser's words, which begin with the blank that stands before them: the one place that joins them."""
    return "".join(word.text for word in words)


def _units(segment: Segment) -> list[_Unit]:
    if segment.words:
        return [_Unit(word.text.strip(), word.end - word.start, segment.probability) for word in segment.words]
    texts = segment.text.split()
    return [_Unit(text, (segment.end - segment.start) / len(texts), segment.probability) for text in texts]


def _hurried(units: Sequence[_Unit]) -> bool:
    """Whether most of them leave no time to be said."""
    return median(unit.seconds for unit in units) < HURRIED


def _guessed(units: Sequence[_Unit]) -> bool:
    """Whether the decoder itself finds them unlikely."""
    known = [unit.probability for unit in units if unit.probability is not None]
    return bool(known) and fmean(known) < math.exp(LOG_PROBABILITY)


def _repeated(texts: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """(start, length, times said) of the phrases that repeat at once, from the left, the shortest phrase first."""
    at = 0
    while at < len(texts):
        size, times = next(((n, _times(texts, at, n)) for n in range(1, PHRASE + 1) if _times(texts, at, n)), (1, 1))
        if times > 1:
            yield at, size, times
        at += size * times


def _times(texts: Sequence[str], at: int, size: int) -> int:
    """The number of times that texts[at : at + size] is said in a row, 0 when people may repeat it as often."""
    phrase, times = texts[at : at + size], 1
    while len(phrase) == size and texts[at + times * size : at + (times + 1) * size] == phrase:
        times += 1
    return times if times > REPEATS else 0


def _kept(segment: Segment, keep: Sequence[bool]) -> Segment:
    """The segment with only the units that are kept."""
    if all(keep):
        return segment
    if not segment.words:
        return replace(segment, text="".join(f" {text}" for text in compress(segment.text.split(), keep)))
    words = tuple(compress(segment.words, keep))
    end = words[-1].end if words else segment.end
    return replace(segment, text=spoken(words), words=words, end=end)

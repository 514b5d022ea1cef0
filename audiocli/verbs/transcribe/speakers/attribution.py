"""Who says each word: by the turns of a diarization, where several speak by the voice, and seldom two people in a sentence.

The words are a chain: what speaks for a speaker at each word, and what speaks against another one from word to word. The most
likely speakers of all words together are found (Viterbi), so that an edge that is heard 100 ms late does not cost a word.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from ....records import Segment, Transcript, Turn, Word, joined
from ..work import mean_probability

Doubles = NDArray[np.float64]
Part = Word | Segment  # a word, or a segment without words

# The four weights were chosen on conversations of training speakers with overlap, in rooms and noise (cpWER .577 -> .568 there).
# Half and double of VOICE, and of CHANGE nothing at all, made less than a point; the others were not varied.
BESIDE = 0.1  # weight of a speaker who is not heard during a word, where one who is heard all the time has 1.1
FURTHER = 1.0  # log-odds that a second between a word and a turn takes from it
CHANGE = 1.0  # log-odds against another speaker within a sentence
VOICE = 5.0  # log-odds for a cosine of 1 more
PAUSE = 0.3  # s between two words that may as well be of two people
NEAR = 2.0  # s from every turn, beyond which a word has no speaker: nobody was heard there
SHORTEST = 0.05  # s that a word is taken to last
# Recognisers give the pause after a word to the word; more than this for its letters is none of it, and may be another's turn.
LONGEST, LETTER = 0.3, 0.08  # s
STOPS = ".?!…。？！"  # noqa: RUF001 - the last ones are Chinese


def assigned(record: Transcript, turns: Sequence[Turn], alike: Doubles | None = None) -> tuple[Segment, ...]:
    """The segments of a transcript with speakers, cut where another speaker goes on.

    alike: as `speakers` takes it.
    """
    who = iter(speakers(parts(record.segments), turns, alike))
    found = list[Segment]()
    for segment in record.segments:
        if segment.words:
            found += _cut([replace(word, speaker=next(who)) for word in segment.words], segment, record.language)
        else:
            found.append(replace(segment, speaker=next(who)))
    return tuple(found)


def parts(segments: Sequence[Segment]) -> list[Part]:
    """What has a speaker: all words, and the segments without words."""
    return [part for segment in segments for part in (segment.words or (segment,))]


def _cut(words: Sequence[Word], segment: Segment, language: str | None) -> Iterator[Segment]:
    runs = [(speaker, tuple(run)) for speaker, run in groupby(words, key=lambda word: word.speaker)]
    if len(runs) == 1:
        yield replace(segment, words=tuple(words), speaker=runs[0][0])
        return
    for speaker, run in runs:
        text = joined((word.text for word in run), language)
        yield Segment(run[0].start, run[-1].end, text, run, mean_probability(run), speaker)


def names(turns: Sequence[Turn]) -> list[str]:
    """The speakers, in the order in which they are columns here."""
    return sorted({turn.speaker for turn in turns})


def contested(some: Sequence[Part], turns: Sequence[Turn]) -> NDArray[np.intp]:
    """The numbers of the parts during which several speakers are heard."""
    shared, _ = heard(some, turns)
    return np.flatnonzero((shared > 0.0).sum(axis=1) > 1)


def speakers(some: Sequence[Part], turns: Sequence[Turn], alike: Doubles | None = None) -> list[str | None]:
    """The speaker of each part, None where nobody is near. alike: cosines with the voices of names(turns) [parts, speakers]."""
    columns = names(turns)
    if not some or not columns:
        return [None] * len(some)
    shared, distances = heard(some, turns)
    odds = np.log(shared + BESIDE) - FURTHER * distances
    if alike is not None:
        odds += VOICE * alike
    path = likeliest(odds, [CHANGE * _bound(one, other) for one, other in pairwise(some)])
    known = distances.min(axis=1) <= NEAR
    return [columns[n] if near else None for n, near in zip(path, known, strict=True)]


def _bound(one: Part, after: Part) -> bool:
    """Whether two parts that follow each other are of one sentence."""
    return one.text.strip()[-1:] not in STOPS and after.start - _span(one)[1] <= PAUSE


def _span(part: Part) -> tuple[float, float]:
    """From when to when a part is spoken."""
    most = LONGEST + LETTER * len(part.text.strip()) if isinstance(part, Word) else np.inf
    return part.start, part.start + min(max(part.end - part.start, SHORTEST), most)


def heard(some: Sequence[Part], turns: Sequence[Turn]) -> tuple[Doubles, Doubles]:
    """The share of each part during which each speaker is heard, and the seconds to the nearest turn [parts, speakers]."""
    columns = names(turns)
    starts, ends = np.array([_span(part) for part in some]).reshape(-1, 2).T
    shared, distances = np.zeros((2, len(some), len(columns)))
    for n, speaker in enumerate(columns):
        begins, stops = _merged([turn for turn in turns if turn.speaker == speaker])
        edges = np.stack([begins, stops], axis=1).ravel()
        spoken = (
            np.repeat(np.cumsum(stops - begins), 2) - np.stack([stops - begins, np.zeros(len(stops))], axis=1).ravel()
        )
        shared[:, n] = (np.interp(ends, edges, spoken) - np.interp(starts, edges, spoken)) / (ends - starts)
        after = (
            np.append(begins, np.inf)[np.searchsorted(stops, starts)] - ends
        )  # to the first turn that ends after the beginning
        before = starts - np.insert(stops, 0, -np.inf)[np.searchsorted(stops, starts)]  # and to the one before it
        distances[:, n] = np.maximum(np.minimum(after, before), 0.0)
    return shared, distances


def _merged(turns: Sequence[Turn]) -> tuple[Doubles, Doubles]:
    """The beginnings and ends of one speaker's turns, in order; those that meet are one."""
    spans = list[list[float]]()
    for turn in sorted(turns, key=lambda turn: turn.start):
        if spans and turn.start <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], turn.end)
        else:
            spans.append([turn.start, turn.end])
    begins, stops = np.array(spans).T
    return begins, stops


def likeliest(odds: Doubles, changes: Sequence[float]) -> list[int]:
    """The columns that are best together. odds: log-odds [parts, speakers]; changes: the cost of another one after each part."""
    total, origins = odds[0], list[NDArray[np.intp]]()
    others = 1.0 - np.eye(odds.shape[1])
    for row, cost in zip(odds[1:], changes, strict=True):
        ways = total[:, None] - cost * others
        origins.append(ways.argmax(axis=0))
        total = ways.max(axis=0) + row
    path = [int(total.argmax())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return path[::-1]

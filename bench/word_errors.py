"""Errors in words and in who says them: WER, and with speakers cpWER and WDER."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein
from scipy.optimize import linear_sum_assignment

Words = Sequence[str]


@dataclass(frozen=True)
class Rate:
    """Errors among so many words; rates of several recordings add up to that of all."""

    errors: int
    words: int

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.errors + other.errors, self.words + other.words)

    @property
    def rate(self) -> float:
        """The share of errors; nan where there is no word."""
        return self.errors / self.words if self.words else float("nan")


@dataclass(frozen=True)
class Said:
    """A word and who says it."""

    text: str
    speaker: str | None


def wer(reference: Words, found: Words) -> Rate:
    """Word error rate: the least substitutions, deletions and insertions, of the words of the reference."""
    return Rate(Levenshtein.distance(reference, found), len(reference))


def cpwer(reference: Mapping[str, Words], found: Mapping[str, Words]) -> Rate:
    """Concatenated minimum-permutation word error rate (Watanabe et al. 2020), as meeteval counts it.

    All that one speaker says is one text. Each speaker of the reference is paired with one found or with nobody, so that there
    are fewest errors: whoever is paired with nobody is deleted, a found one left over is inserted, whole.
    """
    size = max(len(reference), len(found))
    there, heard = ([*some.values(), *[()] * (size - len(some))] for some in (reference, found))
    cost = np.array([[Levenshtein.distance(one, other) for other in heard] for one in there]).reshape(size, size)
    return Rate(int(cost[linear_sum_assignment(cost)].sum()), sum(map(len, reference.values())))


def wder(reference: Sequence[Said], found: Sequence[Said]) -> Rate:
    """Word diarization error rate (Shafey et al. 2019): of the words that are found, right or not, those with a wrong speaker.

    Words in order of time, aligned by the fewest errors without regard to speakers. The names found are those for which fewest
    are wrong, each for one speaker; a word without a speaker is wrong.
    """
    pairs = [
        (reference[step.src_start + n].speaker, found[step.dest_start + n].speaker)
        for step in Levenshtein.opcodes([word.text for word in reference], [word.text for word in found])
        if step.tag in ("equal", "replace")
        for n in range(step.src_end - step.src_start)
    ]
    counts = Counter[tuple[str | None, str]]((one, other) for one, other in pairs if other is not None)
    rows, columns = dict.fromkeys(one for one, _ in counts), dict.fromkeys(other for _, other in counts)
    both = np.array([[counts[one, other] for other in columns] for one in rows]).reshape(len(rows), len(columns))
    return Rate(len(pairs) - int(both[linear_sum_assignment(-both)].sum()), len(pairs))

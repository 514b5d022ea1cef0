"""Word n-grams in the ARPA format, with back-off (Katz 1987): the probability of a word after the ones before it."""

import gzip
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import UsageError
from ...inputs import lists

START, END, UNKNOWN = "<s>", "</s>", "<unk>"
STRANGE = -7.0  # log10 of the probability of an unknown word in a model without <unk>
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class NGrams:
    """n-grams of folded words with log10 of (probability, back-off weight)."""

    order: int
    known: dict[tuple[str, ...], tuple[float, float]]

    def score(self, history: Sequence[str], word: str) -> float:
        """The natural logarithm of a word's probability after a history, of which the last order - 1 words count."""
        word = self.named(word)
        context = tuple(history)[max(len(history) - self.order + 1, 0) :]
        backed_off = 0.0
        for first in range(len(context) + 1):
            ngram = (*context[first:], word)
            if ngram in self.known:
                return (backed_off + self.known[ngram][0]) * math.log(10)
            backed_off += self.known.get(ngram[:-1], (0.0, 0.0))[1]
        return (backed_off + STRANGE) * math.log(10)

    def named(self, word: str) -> str:
        """A word as the n-grams have it: folded, <unk> for one that they do not know."""
        folded = word.casefold()
        return folded if (folded,) in self.known or (UNKNOWN,) not in self.known else UNKNOWN


def read(path: str) -> NGrams:
    """The n-grams of a file, which may be compressed by gzip. Raises UsageError."""
    try:
        with Path(path).open("rb") as file:
            packed = file.read(2) == GZIP
        with gzip.open(path) if packed else Path(path).open("rb") as stream:
            known: dict[tuple[str, ...], tuple[float, float]] = {}
            for ngram, values in _ngrams(lists.lines(stream)):
                if ngram not in known or known[ngram] < values:  # two spellings of one word when folded
                    known[ngram] = values
    except (OSError, EOFError) as error:
        raise UsageError(f"--lm {path}: {getattr(error, 'strerror', None) or error}") from error
    except ValueError as error:
        raise UsageError(f"--lm {path} is not an ARPA file: {error}") from error
    return NGrams(max(map(len, known)), known)


def _ngrams(lines: Iterator[str]) -> Iterator[tuple[tuple[str, ...], tuple[float, float]]]:
    """(words, (probability, back-off)) of each entry. Raises ValueError."""
    size = 0
    for line in lines:
        parts = line.split()
        if not parts:
            continue
        if parts[0] == "\\end\\":
            if size:
                return
            break
        if parts[0].startswith("\\") and parts[0].endswith("-grams:"):
            size = int(parts[0][1 : -len("-grams:")])
        elif size and len(parts) in (size + 1, size + 2):
            backed_off = float(parts[size + 1]) if len(parts) > size + 1 else 0.0
            yield tuple(word.casefold() for word in parts[1 : size + 1]), (float(parts[0]), backed_off)
        elif size:
            raise ValueError(f"a line among the {size}-grams reads {line.strip()[:40]!r}")
    raise ValueError("it ends too early" if size else "it has no n-grams")

"""Connectionist temporal classification (Graves et al. 2006): from log probabilities per frame to words with times."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import libraries
from ...records import Word
from .arpa import END, START, NGrams

LogProbs = NDArray[np.float32]  # [frames, symbols]
SPECIAL = frozenset({"<s>", "</s>", "<pad>", "<unk>", "[PAD]", "[UNK]", "[CLS]", "[SEP]", "<blank>"})
SYMBOLS = 20  # per frame that a beam may go on with
LEAST = math.log(1e-5)  # symbols less likely than that in a frame are skipped
WORD = 1.5  # the bonus of each word where n-grams, which make every word more expensive, are used
HOT = 8.0  # the bonus of a whole hot word in log probability, of its beginnings in proportion


@dataclass(frozen=True)
class Alphabet:
    """The text of each symbol (a word starts after a blank), None for those without any; and CTC's blank."""

    texts: tuple[str | None, ...]
    blank: int

    @classmethod
    def of(cls, tokenizer: Any, config: Any) -> "Alphabet":
        """The alphabet of a checkpoint: letters with a word delimiter ("|"), or SentencePiece pieces ("▁the")."""
        blank = int(config.pad_token_id)
        names = {number: name for name, number in tokenizer.get_vocab().items()}
        mute = SPECIAL | set(tokenizer.all_special_tokens)
        delimiter = getattr(tokenizer, "word_delimiter_token", None) or "|"
        size = max(int(config.vocab_size), max(names) + 1, blank + 1)
        texts = [names.get(number) for number in range(size)]
        return cls(tuple(_text(name, delimiter, mute) if n != blank else None for n, name in enumerate(texts)), blank)


def _text(name: str | None, delimiter: str, mute: set[str] | frozenset[str]) -> str | None:
    if name == delimiter:  # first: some tokenizers call it special
        return " "
    return None if name is None or name in mute else name.replace("▁", " ")


@dataclass(frozen=True, slots=True)
class Token:
    """A symbol of the text, the frames [first, last) that say it, and how sure they are."""

    symbol: int
    first: int
    last: int
    probability: float


def greedy(log_probs: LogProbs, alphabet: Alphabet) -> list[Token]:
    """The likeliest path, repeats merged and blanks taken out."""
    return _merged(log_probs, log_probs.argmax(axis=1), alphabet)


def aligned(log_probs: LogProbs, symbols: Sequence[int], alphabet: Alphabet) -> list[Token]:
    """The likeliest path that says exactly these symbols."""
    if not symbols:
        return []
    forced_align = libraries.torchaudio("functional", "forced_align")
    targets = torch.tensor([symbols], dtype=torch.int32)
    path, _ = forced_align(torch.from_numpy(log_probs)[None], targets, blank=alphabet.blank)
    return _merged(log_probs, path[0].numpy(), alphabet)


def _merged(log_probs: LogProbs, path: NDArray[np.integer[Any]], alphabet: Alphabet) -> list[Token]:
    edges = np.flatnonzero(np.diff(path)) + 1
    tokens = []
    for first, last in zip([0, *edges], [*edges, len(path)], strict=True):
        if last > first and alphabet.texts[symbol := int(path[first])] is not None:
            sure = float(np.exp(log_probs[first:last, symbol]).mean())
            tokens.append(Token(symbol, int(first), int(last), sure))
    return tokens


def words(tokens: Sequence[Token], alphabet: Alphabet, seconds: float) -> tuple[Word, ...]:
    """The words of the tokens; `seconds` is what a frame lasts."""
    return tuple(
        Word(
            "".join(alphabet.texts[token.symbol] or "" for token in group).strip(), group[0].first * seconds,
            group[-1].last * seconds, sum(token.probability for token in group) / len(group),
        )
        for group in _by_word(tokens, alphabet)
    )  # fmt: skip


def _by_word(tokens: Sequence[Token], alphabet: Alphabet) -> Iterator[list[Token]]:
    group: list[Token] = []
    for token in tokens:
        text = alphabet.texts[token.symbol] or ""
        if text.startswith(" ") and group:
            yield group
            group = []
        if text.strip():  # a delimiter alone belongs to no word
            group.append(token)
    if group:
        yield group


@dataclass(slots=True)
class _Prefix:
    """Log probabilities of the paths that say this and end in a blank, or in its last symbol."""

    blank: float = -math.inf
    symbol: float = -math.inf

    @property
    def total(self) -> float:
        return float(np.logaddexp(self.blank, self.symbol))


def beam(
    log_probs: LogProbs, alphabet: Alphabet, width: int, hotwords: Sequence[str] = (), ngrams: NGrams | None = None,
    weight: float = 1.0,
) -> list[Token]:  # fmt: skip
    """The likeliest text, all its paths together (prefix search, Graves 2006 as Hannun et al. 2014 have it), aligned.

    `hotwords` add HOT to the log probability of texts that have them, in any case of letters. `ngrams` add `weight` times
    their own logarithm of each whole word, and WORD (shallow fusion).
    """
    hot = _Words(alphabet, tuple(word.casefold() for word in hotwords), ngrams, weight)
    prefixes: dict[tuple[int, ...], _Prefix] = {(): _Prefix(blank=0.0)}
    for frame in log_probs:
        longer = _extended(prefixes, frame, alphabet)
        best = sorted(longer, key=lambda text: longer[text].total + hot.bonus(text), reverse=True)[:width]
        prefixes = {text: longer[text] for text in best}
    winner = max(prefixes, key=lambda text: prefixes[text].total + hot.bonus((*text, -1)))
    return aligned(log_probs, winner, alphabet)


def _extended(
    prefixes: dict[tuple[int, ...], _Prefix], frame: NDArray[np.float32], alphabet: Alphabet
) -> dict[tuple[int, ...], _Prefix]:
    """The prefixes one frame later."""
    extended: dict[tuple[int, ...], _Prefix] = defaultdict(_Prefix)
    likely = [int(n) for n in np.argsort(frame)[::-1][:SYMBOLS] if frame[n] > LEAST]
    for text, before in prefixes.items():
        stay = extended[text]
        stay.blank = _either(stay.blank, before.total + float(frame[alphabet.blank]))
        if text:
            stay.symbol = _either(stay.symbol, before.symbol + float(frame[text[-1]]))
        for symbol in likely:
            if alphabet.texts[symbol] is None:
                continue
            longer = extended[(*text, symbol)]
            enough = before.blank if text and symbol == text[-1] else before.total
            longer.symbol = _either(longer.symbol, enough + float(frame[symbol]))
    return extended


def _either(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    if a == -math.inf or b == -math.inf:
        return max(a, b)
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


class _Words:
    """The bonus of words for a text that has them; that of each text is made from that of the text one symbol shorter."""

    def __init__(
        self, alphabet: Alphabet, hotwords: Sequence[str], ngrams: NGrams | None = None, weight: float = 1.0
    ) -> None:
        self._texts, self._hot = alphabet.texts, frozenset(hotwords)
        self._ngrams, self._weight = ngrams, weight
        self._known: dict[tuple[int, ...], _State] = {(): _State(0.0, "", (START,))}

    def bonus(self, text: tuple[int, ...]) -> float:
        """The bonus of whole words, and in proportion that of a hot one's beginning; -1 at the end of `text` ends the last word."""
        if not self._hot and self._ngrams is None:
            return 0.0
        state = self._state(text)
        begun = HOT * max((len(state.word) / len(hot) for hot in self._hot if hot.startswith(state.word)), default=0.0)
        return state.done + begun + (self._end(state) if text[-1:] == (-1,) else 0.0)

    def _end(self, state: "_State") -> float:
        return self._weight * self._ngrams.score(state.history, END) if self._ngrams else 0.0

    def _state(self, text: tuple[int, ...]) -> "_State":
        if text not in self._known:
            state = self._state(text[:-1])
            piece = " " if text[-1] < 0 else (self._texts[text[-1]] or "").casefold()
            for n, part in enumerate(piece.split(" ")):
                state = self._whole(state) if n else state
                state = _State(state.done, state.word + part, state.history)
            self._known[text] = state
        return self._known[text]

    def _whole(self, state: "_State") -> "_State":
        """The state once its last word is over."""
        if not state.word:
            return state
        done = state.done + HOT * (state.word in self._hot)
        if self._ngrams is None:
            return _State(done, "", state.history)
        done += WORD + self._weight * self._ngrams.score(state.history, state.word)
        history = (*state.history, self._ngrams.named(state.word))
        return _State(done, "", history[max(len(history) - self._ngrams.order + 1, 0) :])


@dataclass(frozen=True, slots=True)
class _State:
    """The bonus of the words that are over, the word that is not, and the words before it that n-grams look at."""

    done: float
    word: str
    history: tuple[str, ...]

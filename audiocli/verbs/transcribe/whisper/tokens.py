"""Whisper's special tokens: the prompt of a decoder, and the text and the times in its answer."""

import re
from dataclasses import dataclass
from typing import Any

from ....errors import UsageError
from ....models.languages import nearest
from ....records import UNSPACED

TICK = 0.02  # s from one timestamp token to the next
_LANGUAGE = re.compile(r"<\|[a-z]{2,3}\|>")
OPENING = frozenset(" \"'\u201c\u2018«¿¡([{-")


@dataclass(frozen=True)
class Tokens:
    """Numbers of the tokens, from the tokenizer: checkpoints disagree on what their configurations say."""

    tokenizer: Any
    end: int
    start: int
    previous: int
    no_speech: int
    no_times: int
    tasks: dict[str, int]
    languages: dict[str, int]  # empty: an English-only model

    @classmethod
    def of(cls, tokenizer: Any, *, multilingual: bool) -> "Tokens":
        """The tokens of a checkpoint. multilingual: whether it knows more than English, whatever its tokens are."""
        known = tokenizer.get_vocab()
        return cls(
            tokenizer, known["<|endoftext|>"], known["<|startoftranscript|>"], known["<|startofprev|>"],
            known.get("<|nospeech|>", known.get("<|nocaptions|>", -1)), known["<|notimestamps|>"],
            {task: known[f"<|{task}|>"] for task in ("transcribe", "translate")}, _languages(known) if multilingual else {},
        )  # fmt: skip

    @property
    def zero(self) -> int:
        """The timestamp token of 0 s; those of later times follow it."""
        return self.no_times + 1

    def language(self, name: str | None) -> str | None:
        """The code of a language by tag or English name. Raises UsageError for one that the model does not know."""
        if name is None:
            return None if self.languages else "en"
        code = nearest(name, self.languages or ("en",))
        if self.languages and code is None:
            raise UsageError(f"--language {name}: this model knows {', '.join(sorted(self.languages))}")
        if code is None:
            raise UsageError(f"--language {name}: this model knows English only; take one whose name has no .en")
        return code

    def asked(self, language: str, task: str) -> list[int]:
        """The tokens that the decoder is given before its answer."""
        return [self.start, self.languages[language], self.tasks[task]] if self.languages else [self.start]

    def text(self, tokens: list[int]) -> str:
        """The text of the tokens, without times and other special tokens."""
        return str(self.tokenizer.decode([token for token in tokens if token < self.end]))

    def words(self, tokens: list[int], language: str) -> list[tuple[str, list[int]]]:
        """The text tokens in words: (text with its leading blank, tokens)."""
        words: list[tuple[str, list[int]]] = []
        for text, group in self._whole(tokens):
            starts = language in UNSPACED or text.startswith(" ")
            if words and (not starts or _opens(words[-1][0]) or _clings(text)):
                words[-1] = (words[-1][0] + text, words[-1][1] + group)
            else:
                words.append((text, group))
        return words

    def _whole(self, tokens: list[int]) -> list[tuple[str, list[int]]]:
        """The tokens in the smallest groups that are whole characters."""
        groups: list[tuple[str, list[int]]] = []
        open_tokens: list[int] = []
        for token in tokens:
            open_tokens.append(token)
            text = str(self.tokenizer.decode(open_tokens))
            if "\ufffd" not in text:
                groups.append((text, open_tokens))
                open_tokens = []
        return [*groups, (str(self.tokenizer.decode(open_tokens)), open_tokens)] if open_tokens else groups


def _clings(text: str) -> bool:
    """Whether this belongs to the word before it: punctuation that opens nothing. A blank alone begins a word of letters."""
    return bool(text.strip()) and not any(letter.isalnum() for letter in text) and not _opens(text)


def _opens(word: str) -> bool:
    """Whether the word so far is only what stands before one: a blank, an opening quote or bracket."""
    return all(letter in OPENING for letter in word)


def _languages(known: dict[str, int]) -> dict[str, int]:
    """The languages among the tokens: of all that stand in <| |>, only their codes have two or three letters."""
    return {token[2:-2]: number for token, number in known.items() if _LANGUAGE.fullmatch(token)}


@dataclass(frozen=True)
class Span:
    """Text tokens between two timestamps; seconds from the start of the window."""

    start: float
    end: float
    tokens: list[int]


def spans(answer: list[int], tokens: Tokens, seconds: float) -> tuple[list[Span], float | None]:
    """The spans of an answer about a window of so many seconds, and where the next window begins; None: behind this one.

    Where a span ends, the next one begins with the same time said again; an answer that ends in the middle of a span is taken
    up again from that span's start, because the window may have cut it (whisper/transcribe.py).
    """
    is_time = [token >= tokens.zero for token in answer]
    borders = [n for n in range(1, len(answer)) if is_time[n - 1] and is_time[n]]
    whole = is_time[-2:] == [False, True] or not borders
    pieces = [answer[a:b] for a, b in zip([0, *borders], [*borders, len(answer)], strict=True)]
    if not whole:
        pieces.pop()
    parts = [_span(piece, tokens, seconds) for piece in pieces]
    return parts, None if whole or not parts else parts[-1].end


def _span(piece: list[int], tokens: Tokens, seconds: float) -> Span:
    times = [min((token - tokens.zero) * TICK, seconds) for token in piece if token >= tokens.zero]
    start = times[0] if piece and piece[0] >= tokens.zero else 0.0
    end = times[-1] if len(times) > 1 else seconds
    return Span(start, max(start, end), [token for token in piece if token < tokens.end])

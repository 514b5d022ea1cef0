"""Sentences of a text as it streams by; and pieces of them that a model can take at once."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

LONGEST = 2_000  # characters of one sentence; what has no end by then is cut at a comma or a blank
CLOSING = "\"'”’»)\\]"
# A full stop with what closes behind it, or an end of another script, or an empty line.
_END = re.compile(rf"[.!?…]+[{CLOSING}]*(?=\s)|[。！？｡؟।॥]+[{CLOSING}」』]*|\n[ \t]*(?=\n)")
_BLANKS = re.compile(r"\s*")
_SPACE = re.compile(r"[ \t\r\n\f\v]+")  # but no blank that holds a number together: "1\u00a0000"
# A stop after these never ends a sentence ...
_TITLES = frozenset(
    "mr mrs ms dr prof rev hon gen col capt lt sgt maj gov sen rep pres st mt ft fr sr jr messrs mme mlle vs cf eg ie e.g i.e viz "
    "approx fig figs no nos vol pp p ed eds ch sec art al ca bzw z.b d.h u.a nr str hr usw".split()
)
# ... and after these only before a capital letter.
_ENDINGS = frozenset(
    "etc inc ltd co corp jr sr bros dept est ave blvd rd a.m p.m am pm u.s u.k u.n d.c ph.d b.c a.d".split()
)
_MONTHS = frozenset("jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun".split())
_BEFORE = re.compile(r"(?:^|[\s(\[\"'“‘—–-])([^\s(\[\"'“‘—–]+)$")
# Where a long sentence is cut, the best place first.
_PLACES = (re.compile(r"[;:—–،；：]\s*|[.!?…]\s"), re.compile(r",\s|[、，]"), re.compile(r"\s"))


@dataclass(frozen=True)
class Sentence:
    """A sentence on one line; `last`: of its paragraph."""

    text: str
    last: bool = False


def sentences(blocks: Iterable[str], longest: int = LONGEST) -> Iterator[Sentence]:
    """The sentences of a text that comes in blocks, each as soon as its end is certain; none longer than `longest`."""
    rest = ""
    for block in blocks:
        rest += block
        parts, rest = _cut(rest)
        yield from _on_one_line(parts, longest)
        while len(rest) > longest:
            first, rest = split(rest, longest)
            yield from _on_one_line([(first, False)], longest)
    parts, rest = _cut(rest + "\n\n\n")
    yield from _on_one_line([*parts, (rest, True)], longest)


def _on_one_line(parts: Iterable[tuple[str, bool]], longest: int) -> Iterator[Sentence]:
    """Sentences on one line each, none of them empty."""
    for text, last in parts:
        rest = _SPACE.sub(" ", text).strip()
        while len(rest) > longest:
            first, rest = split(rest, longest)
            yield Sentence(first.strip())
        if rest:
            yield Sentence(rest, last)


def _cut(text: str) -> tuple[list[tuple[str, bool]], str]:
    """The sentences whose end is certain, each with whether a paragraph ends there, and what is left."""
    parts, begin = [], 0
    for match in _END.finditer(text):
        end, empty_line = match.end(), match.group()[0] == "\n"
        following = _BLANKS.match(text, end).end()  # type: ignore[union-attr]
        if not empty_line and following == len(text) and "\n" not in text[end:]:
            break  # the next character decides
        if empty_line or _ends(text[max(begin, end - 40) : end], text[following : following + 1]):
            last = empty_line or text.count("\n", end, following) > 1
            parts.append((text[begin:end], last))
            begin = end
    return parts, text[begin:]


def _ends(before: str, following: str) -> bool:
    """Whether a stop at the end of `before` ends a sentence, when `following` is the character that comes next ("": none yet)."""
    if not before.rstrip(CLOSING.replace("\\", "")).endswith(".") or before.endswith(".."):
        # After "What?" and three dots a sentence goes on only in small letters.
        return not following.islower()
    word = _BEFORE.search(before.rstrip(CLOSING.replace("\\", "")).rstrip("."))
    if word is None:
        return not following.islower()
    name = word.group(1).lower()
    if name in _TITLES or (len(name) == 1 and name.isalpha() and word.group(1).isupper() and name != "i"):
        return False
    if name in _MONTHS:
        return not (following.isdigit() or following.islower())
    return following.isupper() if name in _ENDINGS else not following.islower()


def split(text: str, limit: int) -> tuple[str, str]:
    """A text longer than `limit` in two, at the last good place within it: a clause, a comma, a blank, else anywhere."""
    for place in _PLACES:
        ends = [match.end() for match in place.finditer(text, 0, limit) if match.end() > limit // 3]
        if ends:
            return text[: ends[-1]], text[ends[-1] :]
    return text[:limit], text[limit:]


@dataclass(frozen=True)
class Piece:
    """The text that a model speaks in one go, as it was written and as it is spoken, and whether a paragraph ends with it."""

    text: str
    spoken: str
    last: bool = False


def pieces(
    whole: Iterable[Sentence], *, limit: int, fill: int = 1, spell: Callable[[str], str] = str
) -> Iterator[Piece]:
    """Sentences as pieces: none whose spoken text is longer than `limit`; those shorter than `fill` go on with the next one."""
    waiting: list[str] = []
    for sentence in chain(whole, [None]):
        if sentence is not None:
            waiting.append(sentence.text)
        text = " ".join(waiting)
        if text and (sentence is None or sentence.last or len(text) >= fill):
            yield from _fitting(text, limit, spell, last=sentence is None or sentence.last)
            waiting = []


def _fitting(text: str, limit: int, spell: Callable[[str], str], *, last: bool) -> Iterator[Piece]:
    """A text as one piece, or as several where it is too long when it is spoken."""
    spoken = spell(text)
    if len(spoken) <= limit or len(text) == 1:
        yield Piece(text, spoken[:limit], last)
        return
    # Spelt out it grows: so many characters as written are about `limit` as spoken.
    first, rest = split(text, max(1, min(len(text) - 1, limit * len(text) // len(spoken))))
    yield from _fitting(first.strip() or first, limit, spell, last=last and not rest.strip())
    if rest.strip():
        yield from _fitting(rest.strip(), limit, spell, last=last)

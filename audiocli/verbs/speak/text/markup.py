"""Marked-up text as it is read out: without the marks of HTML, SSML and Markdown, and words cut at a line's end whole again.

Text comes in blocks that may end anywhere: what may still become a mark is held back until the next block.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator

from ....inputs.reading import cleaned

# Tags are known by name, so that "a <b and c> d" stays as it is.
_BREAKS = (
    "p|div|br|hr|h[1-6]|li|td|th|ul|ol|tr|table|blockquote|pre|section|article|header|footer|nav|main|title|head|body|html|"
    "dd|dt|dl"
)
_INLINE = (
    "a|abbr|b|big|cite|code|del|em|font|i|img|ins|kbd|label|link|mark|meta|q|s|samp|small|span|strike|strong|sub|sup|tbody|"
    "thead|u|var|speak|break|emphasis|lang|phoneme|prosody|say-as|voice|w"
)
_ATTRIBUTES = r"(?:\s+[\w:-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'|[^\s\"'<>]+))*\s*/?"
_UNSEEN = re.compile(
    r"<(script|style)\b[^>]*>.{0,4000}?</\1\s*>|<![a-zA-Z][^<>]*>|<\?[^<>]*\?>", re.DOTALL | re.IGNORECASE
)
_COMMENT = re.compile(r"<!--.{0,4000}?-->", re.DOTALL)
_BREAK = re.compile(rf"</?(?:{_BREAKS}){_ATTRIBUTES}>", re.IGNORECASE)
_TAG = re.compile(rf"</?(?:{_INLINE}){_ATTRIBUTES}>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(\S.*?)[ \t]*#*[ \t]*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]\n]{1,300})\]\((?:[^()\s]{1,2000})(?: \"[^\"\n]*\")?\)")
_STRESSED = re.compile(r"(?<![\w*])(\*{1,3}|__)(?=\S)([^*\n]{1,300}?\S|\S)\1(?![\w*])|(?<!`)`([^`\n]{1,300})`(?!`)")
_CODE_FENCE = re.compile(r"^ {0,3}(?:```|~~~)[\w+-]*[ \t]*$", re.MULTILINE)
# A hyphen at a line's end belongs to the word after these, and stands for a part that follows before those.
_COMPOUND = (
    r"(?<!\bwell-)(?<!\bself-)(?<!\bnon-)(?<!\bex-)(?<!\bhalf-)(?<!\bhigh-)(?<!\blow-)(?<!\blong-)(?<!\bshort-)(?<!ty-)"
)
_PARTED = re.compile(rf"-(?<=[^\W\d_]-){_COMPOUND}[ \t]*\n[ \t]*(?=[^\W\d_A-Z])(?!(?:and|or|to|und|oder)\b)")
_HYPHEN = re.compile(r"-(?<=\w-)[ \t]*\n[ \t]*(?=\w)(?!(?:and|or|to|und|oder)\b)")
LONGEST = 4_000  # characters that are held back at most
# What may go on in the next block: a comment, a script, a tag, a link, a heading, a fence, the last word or both halves of it.
_OPEN = re.compile(
    r"(?:<(?:!--(?:(?!-->).)*|(?:script|style)\b(?:(?!</(?:script|style)\s*>).)*|[a-z/!?][^<>]*)?|!?\[[^\[\]\n]*(?:\](?:\([^()\s]*)?)?"
    r"|(?:(?<=\n)|\A) {0,3}(?:#[^\n]*|[`~]{1,3}[^\n]*)|(?:\S*-[ \t]*\n[ \t]*)?[^\s<>()\[\]]*)\Z",
    re.DOTALL | re.IGNORECASE,
)
# Each rule with a mark without which there is nothing to do.
_RULES: tuple[tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    ("-->", _COMMENT, " "), ("<", _UNSEEN, " "), ("<", _BREAK, "\n\n"), ("<", _TAG, ""),
    ("`", _CODE_FENCE, ""), ("#", _HEADING, r"\n\1\n"), ("](", _LINK, r"\1"),
    ("**", _STRESSED, r"\2\3"), ("`", _STRESSED, r"\2\3"), ("-", _PARTED, ""), ("-", _HYPHEN, "-"),
    ("&", _ENTITY, lambda m: cleaned(html.unescape(m[0]))),
)  # fmt: skip


def plain(blocks: Iterable[str]) -> Iterator[str]:
    """The text of blocks without its marks, in blocks again."""
    rest, before = "", "\n"
    for block in blocks:
        rest += block
        unfinished = _OPEN.search(rest, max(0, len(rest) - LONGEST))
        end = unfinished.start() if unfinished else len(rest)
        if end:
            yield _unmarked(rest[:end], before)
            before, rest = rest[end - 1], rest[end:]
    if rest:
        yield _unmarked(rest, before)


def _unmarked(text: str, before: str) -> str:
    """A text without its marks; `before` is the character that it follows, which shows whether a line begins with it."""
    text = before + text
    for mark, pattern, instead in _RULES:
        if mark in text:
            text = pattern.sub(instead, text)
    return text[1:]

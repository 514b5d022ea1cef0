"""Text from a file, a pipe or an argument, as clean blocks: hours of it need no memory, and a live pipe is read as it comes."""

import io
import os
import re
from collections.abc import Iterable, Iterator

from ..errors import InputError
from .lists import Decoder

CHUNK = 65_536  # bytes at once
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_PAGES = re.compile(r"[\x0b\x0c\x1c\x1d\x1e\u2029]")
# Soft hyphens, marks without width and of direction, but not the joiners that Persian and Hindi words need.
_NOTHING = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\u20e3\U000e0000-\U000e01ef]"
)
# Control characters, halves of pairs, private characters; arrows, boxes, pictures, and all that is called emoji.
_BLANK = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ue000-\uf8ff\ufff0-\ufffd"
    "\u2190-\u21ff\u2300-\u23ff\u2500-\u27bf\u2900-\u297f\u2b00-\u2bff\U0001f000-\U0001faff\U000f0000-\U0010ffff]"
)


def cleaned(text: str) -> str:
    """Text without what nobody pronounces: control characters, colours of a terminal, emoji. Line ends stay."""
    text = _PAGES.sub("\n\n", _COLOURS.sub("", text)).replace("\x85", "\n").replace("\u2028", "\n")
    return _BLANK.sub(" ", _NOTHING.sub("", text))


def speakable(text: str) -> bool:
    """Whether there is a letter or a digit to say."""
    return any(c.isalnum() for c in text)


def blocks(descriptor: int) -> Iterator[str]:
    """The clean text of an open file or pipe, UTF-8 unless its first bytes mark another Unicode encoding; each read at once.

    Raises InputError for anything but text.
    """
    return decoded(iter(lambda: os.read(descriptor, CHUNK), b""))


def decoded(chunks: Iterable[bytes]) -> Iterator[str]:
    """The clean text of bytes, with the line ends of Unix."""
    decoder, ends = Decoder("replace"), io.IncrementalNewlineDecoder(None, translate=True)
    for chunk in chunks:
        text = decoder.decode(chunk)
        if decoder.encoding.startswith("utf-8") and "\0" in text:
            raise InputError("is not text: it has zero bytes")
        yield cleaned(ends.decode(text))
    yield cleaned(ends.decode(decoder.decode(b"", final=True), final=True))

"""Letters that a voice does not know, in those that it knows: "café" as "cafe", "Анна" as "Anna"; losses are reported."""

import unicodedata
from collections.abc import Callable

Knows = Callable[[str], bool]
_SCRIPTS = {"Cjk": "Chinese", "Hiragana": "Japanese", "Katakana": "Japanese", "Hangul": "Korean"}


def latin(character: str) -> bool:
    """Whether a character is not a letter, or is one of the Latin script with whatever accents."""
    return character.isascii() or not character.isalpha() or _script(character) in ("Latin", "Feminine", "Masculine")


def reader(knows: Knows, tell: Callable[[str], None]) -> Callable[[str], str]:
    """A function that makes texts readable for a voice that knows only some characters; `tell` gets each script and loss once."""
    reported: set[str] = set()

    def once(message: str) -> None:
        if message not in reported:
            reported.add(message)
            tell(message)

    def read(text: str) -> str:
        if all(map(knows, text)):
            return text
        return "".join(c if knows(c) else _instead(c, knows, once) for c in unicodedata.normalize("NFC", text))

    return read


def _instead(character: str, knows: Knows, once: Callable[[str], None]) -> str:
    """The replacement for an unknown character."""
    from anyascii import anyascii

    category = unicodedata.category(character)
    if category[0] not in "LNP":
        return "" if category[0] == "M" else " "
    read = "".join(c if knows(c) else c.lower() for c in anyascii(character) if knows(c) or knows(c.lower()))
    if character.isalnum() and not any(map(str.isalnum, read)):
        once("some letters are left out, because this model does not know them")
    elif character.isalpha() and not latin(character):
        script = _script(character)
        once(f"{script} letters are read as Latin ones: give --language to have them in a voice of their own")
        read += " " if script == "Chinese" else ""
    return read


def _script(character: str) -> str:
    """The script of a letter, by the first word of its name."""
    name = unicodedata.name(character, "Other").split()[0].capitalize()
    return _SCRIPTS.get(name, name)

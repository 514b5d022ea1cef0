"""Numbers as words: num2words (LGPL, fifty languages), with its commas and hyphens taken out for models that know few signs."""

import re
from functools import lru_cache

LONGEST = 15  # digits; longer numbers are not amounts but names, and read digit by digit
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMBER = re.compile(r"(?<![\w.,])-?[0-9]+(?:[.,][0-9]+)?(?![.,]?\w)")


def digits(text: str) -> str:
    """English names of the digits in a text, one by one: "30-5" is "three zero five"."""
    return " ".join(_DIGITS[int(c)] for c in text if c in "0123456789")


@lru_cache(maxsize=4_096)
def _words(number: int, kind: str) -> str:
    from num2words import num2words

    return re.sub(r",| and\b", "", str(num2words(number, lang="en", to=kind))).replace("-", " ")


def cardinal(text: str) -> str:
    """The reading of "1,234.50": "one thousand two hundred thirty four point five zero"; of ".5": "point five"."""
    whole, point, rest = text.replace(",", "").partition(".")
    if not whole:
        return f"point {digits(rest)}"
    named = len(whole) > LONGEST or (len(whole) > 1 and whole[0] == "0")
    words = digits(whole) if named else _words(int(whole), "cardinal")
    return f"{words} point {digits(rest)}" if point else words


def ordinal(number: int) -> str:
    """21 is "twenty first"."""
    return _words(number, "ordinal")


def year(number: int) -> str:
    """1905 is "nineteen oh five", 2005 "two thousand five", 2026 "twenty twenty six"."""
    return _words(number, "year")


def plural(words: str) -> str:
    """The reading of "nineteen eighty": "nineteen eighties"; of "six": "sixes"."""
    if words.endswith("y"):
        return words[:-1] + "ies"
    return words + ("es" if words.endswith(("x", "s")) else "s")


def spelled(text: str, language: str) -> str:
    """A text with its plain numbers in words of a language other than English; as it is where num2words knows no such language."""
    from num2words import CONVERTER_CLASSES, num2words

    code = next((one for one in (language.replace("-", "_"), language[:2]) if one in CONVERTER_CLASSES), None)
    if code is None:
        return text

    def words(match: re.Match[str]) -> str:
        try:
            number = match.group().replace(",", ".")
            return str(num2words(float(number) if "." in number else int(number), lang=code))
        except (NotImplementedError, OverflowError, ValueError, TypeError):
            return match.group()

    return _NUMBER.sub(words, text)

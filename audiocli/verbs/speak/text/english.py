"""English as it is spoken: abbreviations, dates, times, money, units and numbers in words.

A chain of rules, the special ones first; each takes what it knows and leaves the rest to the next. What a text means can only
be guessed at ("1500" is fifteen hundred, "3/4/2020" is March): where readings differ, the American one is taken. Of 273 things
that people write (english_cases.tsv of its tests) NeMo's grammars read 105 as it says there, wetext 92, the rules in hibari-tts 87.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial

from . import english_readers as read
from . import english_words as words
from .numbers import cardinal, ordinal

Rule = Callable[[str], str]
_QUOTES = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "′": "'", "″": '"', "\u2009": " "}
)


def _any(names: Iterable[str]) -> str:
    """A pattern of alternatives, the longest first."""
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


def _rule(pattern: str, reading: Callable[[re.Match[str]], str] | str, flags: int = 0) -> Rule:
    return partial(re.compile(pattern, flags).sub, reading)


N = r"(?<![\w.,])(?P<n>(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)(?!\.?[0-9])"
_MONTH = "|".join((*words.MONTHS, *(rf"{name[:3]}\b\.?" for name in words.MONTHS), r"Sept\b\.?"))
_DAYS = _any(words.DAYS)
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[12][0-9]{3})"
_HALF = r"(?P<half>[ap]\.?m\b\.?)"
_CLOCK = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]+)?)?"
_ZONE = r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?(?![:\w])"
_SIGN = rf"(?:(?P<country>{_any(words.DOLLARS)})(?=\$))?(?P<sign>{_any(words.CURRENCIES)})"
_SIGN_BEHIND = rf"(?P<sign>{_any(sign for sign in words.CURRENCIES if sign != '$')})(?!\w)"
_SCALE = rf"(?: ?(?P<scale>{_any(words.SCALES)})\b)?"
_UNIT = rf"(?P<unit>{_any(words.UNITS)})(?:\^?(?P<power>[23]))?"
_PER = rf"(?:/(?P<per>{_any(words.UNITS)})(?:\^?(?P<per_power>[23]))?)?(?![\w/])"
_FRACTION = r"(?<![\w/.])(?:(?P<whole>[0-9]+) )?(?P<top>[0-9]{1,2})/(?P<bottom>[0-9]{1,3})"
_ROMAN = r"(?=[IVX]{2})X{0,3}(?:I[VX]|VI{0,3}|I{1,3})?"
_DOTTED = r"(?<=[fnrsbztlcd])\.(?= [a-z]|[,;)]|$)"  # the stop of a short unit: "6 ft.,"

ADDRESSES = (
    _rule(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+", read.address),
    _rule(
        r"\bhttps?://[\w./?=&%#~@:+-]*[\w/]|\bwww\.[\w./?=&%#~-]*\w|\blocalhost(?::[0-9]+)?(?:/[\w./]*\w)?",
        read.address,
    ),
    _rule(
        rf"(?<![\w@.-])[A-Za-z][\w-]*(?:\.[\w-]+)*\.(?:{_any(words.DOMAINS)})(?![\w-])(?:/[\w./?=&%#~-]*\w)?",
        read.address,
    ),
    _rule(rf"\b[A-Za-z_][\w-]*(?:\.[\w-]+)*\.(?:{_any(words.SUFFIXES)})(?![\w-])", read.address),
    _rule(r"~(?:/[\w.-]*\w)+|(?<![\w/.])(?:/[\w.-]*\w){2,}", read.address),
)
DATES = (
    _rule(rf"(?<![\w-]){_YEAR}-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})(?:[T ]{_CLOCK}{_ZONE})?(?![\w-])", read.date),
    _rule(rf"(?<![\w/])(?P<month>[0-9]{{1,2}})/(?P<day>[0-9]{{1,2}})/{_YEAR}\b", read.date),
    _rule(rf"\b(?P<month>{_MONTH}) {_DAY}(?:[-–](?P<last>[0-9]{{1,2}}))?(?:,? {_YEAR})?\b(?![,.]?[0-9:]|-[0-9])", read.date),
    _rule(rf"\b{_DAY} (?:of )?(?P<month>{_MONTH})(?!\w)(?:,? {_YEAR}\b)?", read.date),
    _rule(rf"\b(?P<month>{'|'.join(name[:3] for name in words.MONTHS if name != 'May')}|Sept)\.", read.month),
    _rule(rf"\b(?P<a>{_DAYS})[-–](?P<b>{_DAYS})\b", lambda m: f"{words.DAYS[m['a']]} to {words.DAYS[m['b']]}"),
    _rule(rf"\b(?P<a>{_DAYS})\.?(?=,? (?:{_MONTH}|[0-9]))", lambda m: words.DAYS[m["a"]]),
)  # fmt: skip
ABBREVIATIONS = (
    _rule(rf"(?<![\w/])(?:{_any(words.PHRASES)})(?![/0-9])", lambda m: words.PHRASES[m[0]]),
    _rule(r"(?:\b(?P<before>\w+) )?\b(?P<short>St|Dr)\.(?P<after>(?= [A-Z]))?", read.saint_or_street),
    _rule(rf"\b(?P<s>{_any(words.BEFORE_NUMBER)})\. ?(?=[0-9])", lambda m: f"{words.BEFORE_NUMBER[m['s']]} "),
    _rule(rf"(?<!\.)\b(?P<s>{_any(words.SHORT)})\.(?=(?P<end>$)?)", lambda m: words.SHORT[m["s"]] + "." * (m["end"] is not None)),
    _rule(r"\be\.g\.,?", "for example,"), _rule(r"\bi\.e\.,?", "that is,"),
    _rule(r"\b(?:[A-Z][a-z]?\.){2,}", read.initials),
    _rule(r"(?<=[0-9]) ?(?:AD|BCE?|CE)\b|(?<=[0-9] )(?:ET|PT|CET|UTC)\b", lambda m: " " + read.initials(m)),
)  # fmt: skip
TIMES = (
    _rule(r"(?<=[0-9m])[-–](?=[0-9]{1,2}(?::[0-9]{2}| ?[ap]\.?m\b))", " to "),
    _rule(rf"(?<![\w:.]){_CLOCK}(?: ?{_HALF}|(?![:\w]))", read.time, re.I),
    _rule(rf"(?<![\w:.])(?P<hour>[0-9]{{1,2}})(?P<minute>) ?{_HALF}", read.time, re.I),
    _rule(r"(?<![\w.])(?P<hours>[0-9]+)h ?(?P<minutes>[0-9]{1,2})(?:m|min)?\b", read.duration),
    _rule(r"(?<![\w.:])(?P<a>[0-9]+):(?=[0-9]+(?![\w:]))", r"\g<a> to "),
)  # fmt: skip
SIGNED = (
    _rule(
        r"(?<![\w.])(?P<degrees>[0-9]+(?:\.[0-9]+)?)° ?(?:(?P<minutes>[0-9]+)' ?)?"
        r"(?:(?P<seconds>[0-9]+(?:\.[0-9]+)?)\" ?)?(?P<side>[NSEW])\b",
        read.coordinate,
    ),
    _rule(r"(?<![\w.+])(?:\+[0-9]{1,3}[ .-]?)?\([0-9]{2,4}\) ?[0-9]{3,4}[ .-][0-9]{3,4}(?![\w-])", read.telephone),
    _rule(r"(?<![\w.])\+[0-9]{1,3}(?:[ .-][0-9]{1,4}){2,5}(?![\w-])", read.telephone),
    _rule(r"(?<![\w.-])[0-9]{3}\.[0-9]{3}\.[0-9]{4}(?![\w.]\w)", read.telephone),
    _rule(r"(?<![\w-])[0-9]{1,7}(?:-[0-9]{1,7}){2,}(?![\w-])", read.telephone),
    _rule(r"(?<![\w-])[0-9]{3}-[0-9]{4}(?![\w-])", read.local_number),
    _rule(r"(?<![\w.,])[0-9]{1,3}(?:[\u00a0\u202f][0-9]{3}|(?: 000))+(?!\w)|(?<![\w.,])[0-9]{1,2}(?: [0-9]{3}){2,}(?![\w ]*[0-9])",
          lambda m: re.sub(r"\D", "", m[0])),
    _rule(rf"{N}[eE](?P<exponent>[+-]?[0-9]{{1,3}})(?!\w)", read.scientific),
    _rule(r"(?<![\w\"])(?P<feet>[0-9]+)' ?(?P<inches>[0-9]{1,2})\"", read.feet), _rule(rf'{N}"(?!\w)', read.inches),
    _rule(r"(?<=[\w)])( - | ?− ?)(?=[\w(])", read.take_away),
    _rule(r"(?<=[0-9%KMBk])[-–](?=[$£€][0-9])|(?<=[%°])[-–](?=[0-9])", " to "),
    _rule(r"(?<![\w)^])[-−](?=[$£€]?\.?[0-9])", "minus "),
    _rule(r"(?<=[0-9)]) ?\* ?(?=[0-9(])|(?<=[\w)]) × (?=[\w(])", " times "),
    _rule(r"(?<=[0-9]) ?[x×] ?(?=[0-9])", " by "), _rule(r"(?<=[0-9]) / (?=[0-9])", " divided by "),
    _rule(r"(?P<subject>\b\w+ ?|\) ?)?(?P<sign>[<>]=?|[≤≥])", read.comparison),
)  # fmt: skip
AMOUNTS = (
    _rule(r"(?<!\w)'?(?P<n>[0-9]{0,3}0)'?s\b", read.decade),
    _rule(r"(?<=[0-9])/(?=(?:month|year|week|day|hour|minute|second|person|unit|kg|lb|gallon)\b)", " per "),
    _rule(rf"(?<![A-Za-z]){_SIGN} ?{N}(?:[-–](?P<to>[0-9]+(?:\.[0-9]+)?)(?![\w%])|{_SCALE})", read.money, re.I),
    _rule(rf"(?<![\w.,])(?P<n>[0-9]+[.,][0-9]{{2}}|[0-9]+|[0-9]{{1,3}}(?:,[0-9]{{3}})+) ?{_SIGN_BEHIND}", read.money),
    _rule(rf"{N}¢", read.cents),
    _rule(rf"{N}(?P<sign>-|–| [-–] )(?P<m>[0-9]+(?:,[0-9]{{3}})*(?:\.[0-9]+)?)(?!/|-[0-9]|\.?[0-9])", read.span),
    _rule(rf"{N}(?P<scale>[KMBT]|k|bn|mn|tn)\b(?<!\b[48]K)", lambda m: f"{cardinal(m['n'])} {words.SCALES[m['scale'].lower()]}"),
    _rule(rf"{N}x\b", lambda m: f"{cardinal(m['n'])} times"),
    _rule(rf"{_FRACTION} ?(?P<unit>{_any(words.UNITS)})(?:{_DOTTED})?(?![\w/])", read.measured_part),
    _rule(rf"{N} ?{_UNIT}{_PER}(?:{_DOTTED})?", read.measure),
    _rule(r"\b(?P<n>[0-9]{1,3}(?:,[0-9]{3})*)(?:st|nd|rd|th)\b", lambda m: ordinal(int(m["n"].replace(",", "")))),
    _rule(rf"{_FRACTION}(?![\w/])", read.fraction),
    _rule(r"\^(?P<power>[+-]?[0-9]+|\w\b)", read.power),
    _rule(r"\bv[0-9]+(?:\.[0-9]+)+(?!\w)|(?<![\w.])[0-9]+(?:\.[0-9]+){2,}(?!\w)", read.version),
)  # fmt: skip
REST = (
    _rule(r"(?<![\w&])#(?P<tag>(?=\w*[A-Za-z])\w+)", read.hashtag),
    _rule(r"#(?=[0-9])", "number "), _rule(r"(?<=\b[A-G])#", " sharp"),
    _rule(r"\b[A-Z]{1,4}(?=[0-9])", lambda m: " ".join(m[0])),
    _rule(rf"{N}(?!\w)", read.number),
    _rule(r"[0-9]+(?:\.[0-9]+)?", lambda m: f" {cardinal(m[0])} "),
    _rule(rf"\b(?P<before>{_any(words.NUMBERED)}|{_any(words.KINGS)}) (?P<roman>[IVXLC]+)\b(?!')", read.roman),
    _rule(rf"\b(?!The |An? |This |That )(?P<before>[A-Z][a-z]+) (?P<roman>{_ROMAN})\b", read.roman),
    _rule(r"\b[A-Z]{1,2}&[A-Z]{1,2}\b", lambda m: " and ".join(map(" ".join, m[0].split("&")))),
    _rule(r"\b(?P<letters>[A-Z]{2,5})(?P<many>s)?\b", read.acronym),
    _rule(r"(?<![\u0370-\u03ff])[\u0391-\u03c9](?![\u0370-\u03ff])", read.greek),
    _rule(f"[{''.join(map(re.escape, words.SIGNS))}]", lambda m: f" {words.SIGNS[m[0]]} "),
)  # fmt: skip
RULES: tuple[Rule, ...] = (
    *ADDRESSES,
    _rule("[\u00bc-\u00be\u2150-\u215e]", read.vulgar),
    _rule(r"(?<=[\w)])[⁰¹²³⁴-⁹⁻⁺]+", lambda m: "^" + m[0].translate(words.SUPERSCRIPTS)),
    *DATES, *ABBREVIATIONS, *TIMES, *SIGNED, *AMOUNTS, *REST,
)  # fmt: skip


def spelled(text: str) -> str:
    """A sentence as it is spoken."""
    text = text.translate(_QUOTES)
    for rule in RULES:
        text = rule(text)
    return re.sub(r"\s+([,.;:!?])", r"\1", " ".join(text.split()))

"""English as it is said: abbreviations, dates, times, money, units and numbers in words.

A chain of rules, the special ones first; each takes what it knows and leaves the rest to the next. What a text means can only
be guessed at ("1500" is fifteen hundred, "3/4/2020" is March): where readings differ, the American one is taken.
"""

import re
from collections.abc import Callable
from functools import partial

from .numbers import cardinal, digits, ordinal, plural, year

Match = re.Match[str]
N = r"(?<![\w.,])(?P<n>(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?)"
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MONTH = "|".join((*MONTHS, *(rf"{name[:3]}\b\.?" for name in MONTHS), r"Sept\b\.?"))
_SIGNS = {
    "$": ("dollar", "cent"),
    "£": ("pound", "penny"),
    "€": ("euro", "cent"),
    "¥": ("yen", "sen"),
    "₹": ("rupee", "paisa"),
}
_MANY = {"pound": "pounds", "penny": "pence", "yen": "yen", "sen": "sen", "paisa": "paise"}
_SCALES = {
    "k": "thousand", "m": "million", "mn": "million", "bn": "billion", "b": "billion", "tn": "trillion",
    **{name: name for name in ("thousand", "million", "billion", "trillion")},
}  # fmt: skip
UNITS = {
    "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "m": "meter", "mi": "mile", "ft": "foot", "yd": "yard",
    "kg": "kilogram", "g": "gram", "mg": "milligram", "lb": "pound", "lbs": "pound", "oz": "ounce", "l": "liter",
    "ml": "milliliter", "h": "hour", "hr": "hour", "hrs": "hour", "min": "minute", "s": "second", "sec": "second",
    "ms": "millisecond",
    "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "dB": "decibel", "W": "watt", "kW": "kilowatt",
    "V": "volt", "J": "joule", "KB": "kilobyte", "kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte",
    "TB": "terabyte", "km/h": "kilometer per hour", "kph": "kilometer per hour", "mph": "mile per hour",
    "m/s": "meter per second", "°C": "degree Celsius", "°F": "degree Fahrenheit", "°": "degree", "%": "percent",
    "m²": "square meter", "km²": "square kilometer", "m³": "cubic meter",
}  # fmt: skip
_UNCOUNTED = ("hertz", "kilohertz", "megahertz", "gigahertz", "percent")
_SHORT = {
    "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Dr": "Doctor", "Prof": "Professor", "Rev": "Reverend", "Gen": "General",
    "Col": "Colonel", "Capt": "Captain", "Lt": "Lieutenant", "Sgt": "Sergeant", "Gov": "Governor", "Sen": "Senator",
    "Hon": "Honorable", "Jr": "Junior", "Sr": "Senior", "Mt": "Mount", "vs": "versus", "etc": "et cetera",
    "approx": "approximately", "dept": "department", "Dept": "Department", "Inc": "Incorporated", "Ltd": "Limited",
    "Co": "Company", "Corp": "Corporation",
    "Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Bros": "Brothers", "cf": "compare",
}  # fmt: skip
_BEFORE_NUMBER = {
    "No": "number", "no": "number", "Nos": "numbers", "Fig": "figure", "fig": "figure", "Vol": "volume", "vol": "volume",
    "Ch": "chapter", "ch": "chapter", "p": "page", "pp": "pages", "Sec": "section", "Art": "article", "c": "circa",
}  # fmt: skip
_FRACTIONS = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅛": "1/8"}
_SIGNS_SAID = {
    "&": "and", "@": "at", "%": "percent", "+": "plus", "=": "equals", "#": "sharp", "/": " ", "*": "", "_": " ",
    "~": "about", "<": "less than", ">": "greater than", "|": "", "\\": "", "^": "", "{": ",", "}": ",", "[": ",", "]": ",",
    "©": "copyright", "®": "", "™": "",
    "°": "degrees", "×": "times", "÷": "divided by", "±": "plus or minus", "§": "section", "–": ",", "—": ",", "…": "...", "•": ",",
    "$": "dollar", "£": "pound", "€": "euro",
}  # fmt: skip
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_QUOTES = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "\u00a0": " ", "\u202f": " "}
)


def _counted(number: str, unit: str) -> str:
    """Of "1" and "mile per hour": "one mile per hour", with "2" "two miles per hour"."""
    if number == "1" or unit in _UNCOUNTED:
        return f"{cardinal(number)} {unit}"
    first, *rest = unit.split(" ")
    if first in ("square", "cubic"):
        return f"{cardinal(number)} {first} {rest[0]}s"
    many = {"foot": "feet", "inch": "inches"}.get(first, _MANY.get(first, first + "s"))
    return " ".join([cardinal(number), many, *rest])


def _money(match: Match) -> str:
    unit, part = _SIGNS[match["sign"]]
    number, scale = match["n"], match["scale"]
    if scale:
        return f"{cardinal(number)} {_SCALES[scale.lower()]} {_MANY.get(unit, unit + 's')}"
    whole, _, rest = number.partition(".")
    if len(rest) != 2:
        return _counted(number, unit)
    parts = [_counted(whole, unit)] if int(whole.replace(",", "")) or not int(rest) else []
    if int(rest):
        parts.append(_counted(str(int(rest)), part))
    return " and ".join(parts)


def _month(match: Match) -> str:
    return next(name for name in MONTHS if name[:3] == match["month"][:3])


def _date(match: Match) -> str:
    """A month by name or number, a day, perhaps a year."""
    found = match.groupdict()
    name = found["month"]
    number = int(name) if name.isdigit() else MONTHS.index(_month(match)) + 1
    day = int(found["day"])
    if not (1 <= number <= 12 and 1 <= day <= 31):
        return match[0]
    of = " of " in match[0]
    said = f"{ordinal(day)} of {MONTHS[number - 1]}" if of else f"{MONTHS[number - 1]} {ordinal(day)}"
    return f"{said}, {year(int(found['year']))}" if found.get("year") else said


def _time(match: Match) -> str:
    hour, minute, half = int(match["hour"]), match["minute"], (match["half"] or "").lower().replace(".", "")
    if hour > 24 or int(minute or 0) > 59:
        return match[0]
    end = " " + " ".join(half) if half else ""
    stop = "." if match[0].endswith(".") and match.end() == len(match.string) else ""
    if not int(minute or 0):
        return cardinal(str(hour)) + (end or " o'clock") + stop
    low = f"oh {cardinal(minute[1])}" if minute[0] == "0" else cardinal(minute)
    return f"{cardinal(str(hour))} {low}{end}{stop}"


def _fraction(match: Match) -> str:
    whole, top, bottom = match["whole"], int(match["top"]), int(match["bottom"])
    if not (0 < top < bottom <= 100):
        return match[0]
    name = {2: "half", 4: "quarter"}.get(bottom, ordinal(bottom))
    many = {"half": "halves"}.get(name, name + "s")
    said = f"{'a' if whole and top == 1 else cardinal(str(top))} {name if top == 1 else many}"
    return f"{cardinal(whole)} and {said}" if whole else said


def _number(match: Match) -> str:
    number = match["n"]
    return year(int(number)) if re.fullmatch(r"1[1-9][0-9]{2}|20[0-9]{2}", number) else cardinal(number)


def _range(match: Match) -> str:
    """Of "10-20": "10 to 20"; a hyphen that is none (555-1234, 3-0) stays."""
    first, second = match["n"], match["m"]
    sure = "–" in match["to"] or (len(first) == len(second) and float(first.replace(",", "")) < float(second))
    return f"{first} to {second}" if sure and not (len(first) == 3 and len(second) == 4) else match[0]


def _decade(match: Match) -> str:
    return plural(year(int(match["n"]))) if len(match["n"]) == 4 else plural(cardinal(match["n"]))


def _roman(match: Match) -> str:
    values = [_ROMAN[letter] for letter in match["roman"]]
    number = sum(-v if v < max(values[n:]) else v for n, v in enumerate(values))
    return f"{match['before']} {cardinal(str(number))}"


def _address(match: Match) -> str:
    """A web or mail address: its signs by their names."""
    text = re.sub(r"^https?://(www\.)?", "", match[0])
    for sign, name in ((".", "dot"), ("/", "slash"), ("@", "at"), ("-", "dash"), ("_", "underscore"), (":", "colon")):
        text = text.replace(sign, f" {name} ")
    return " ".join(text.split())


def _table(words: dict[str, str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def _rule(pattern: str, said: Callable[[Match], str] | str, flags: int = 0) -> Callable[[str], str]:
    return partial(re.compile(pattern, flags).sub, said)


_HALF = r"(?P<half>[ap]\.?m\b\.?)"
RULES = (
    _rule(
        r"\bhttps?://[\w./@:-]*\w|\bwww\.[\w./-]*\w|\b[\w.+-]+@[\w-]+(?:\.\w+)+|\b\w[\w-]*\.(?:com|org|net|edu|gov|io)\b",
        _address,
    ),
    _rule(f"[{''.join(_FRACTIONS)}]", lambda m: f" {_FRACTIONS[m[0]]}"),
    # 2026-11-24; 11/24/2026; Nov. 24th, 2026; 24 November 2026
    _rule(r"\b(?P<year>[12][0-9]{3})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})\b", _date),
    _rule(r"(?<![\w/])(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[12][0-9]{3})\b", _date),
    _rule(rf"\b(?P<month>{_MONTH}) (?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<year>[12][0-9]{{3}}))?\b(?![,.]?[0-9:])", _date),
    _rule(rf"\b(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month>{_MONTH})(?!\w)(?:,? (?P<year>[12][0-9]{{3}})\b)?", _date),
    # Months and abbreviations by themselves
    _rule(rf"\b(?P<month>{'|'.join(name[:3] for name in MONTHS if name != 'May')}|Sept)\.", _month),
    _rule(r"\bSt\. (?=[A-Z])", "Saint "), _rule(r"\bSt\.", "Street"),
    _rule(rf"\b(?P<s>{_table(_BEFORE_NUMBER)})\. ?(?=[0-9])", lambda m: f"{_BEFORE_NUMBER[m['s']]} "),
    _rule(rf"\b(?P<s>{_table(_SHORT)})\.(?=(?P<end>$)?)", lambda m: _SHORT[m["s"]] + ("." if m["end"] is not None else "")),
    _rule(r"\be\.g\.,?", "for example,"), _rule(r"\bi\.e\.,?", "that is,"),
    # 3:30 p.m.; 15:05; 5pm
    _rule(rf"(?<![\w:.])(?P<hour>[0-9]{{1,2}}):(?P<minute>[0-9]{{2}})(?::[0-9]{{2}})?(?![:\w])(?: ?{_HALF})?", _time, re.I),
    _rule(rf"(?<![\w:.])(?P<hour>[0-9]{{1,2}})(?P<minute>) ?{_HALF}", _time, re.I),
    _rule(r"(?<![\w)])[-−](?=[$£€]?[0-9])", "minus "),
    # 1980s; $3.5 million; 20 °C; 21st; 1 3/4
    _rule(r"(?<!\w)'?(?P<n>[0-9]{0,3}0)'?s\b", _decade),
    _rule(rf"(?P<sign>[{''.join(map(re.escape, _SIGNS))}]) ?{N}(?: ?(?P<scale>{_table(_SCALES)})\b)?", _money, re.I),
    _rule(rf"{N}(?P<to> ?[–-] ?)(?P<m>[0-9]+(?:\.[0-9]+)?)(?![\w/-])(?!\.[0-9])", _range),
    _rule(rf"{N} ?(?P<unit>{_table(UNITS)})(?![\w/])", lambda m: _counted(m["n"], UNITS[m["unit"]])),
    _rule(r"\b(?P<n>[0-9]{1,3}(?:,[0-9]{3})*)(?:st|nd|rd|th)\b", lambda m: ordinal(int(m["n"].replace(",", "")))),
    _rule(r"(?<![\w/.])(?:(?P<whole>[0-9]+) )?(?P<top>[0-9]{1,2})/(?P<bottom>[0-9]{1,3})(?![\w/])", _fraction),
    # Telephones and versions, then what is left of numbers
    _rule(
        r"(?<![\w-])\+?[0-9]{1,3}(?:[- ][0-9]{3})?-[0-9]{3,4}(?:-[0-9]{4})?(?![\w-])",
        lambda m: ", ".join(map(digits, m[0].split("-"))),
    ),
    _rule(r"(?<![\w.])[0-9]+(?:\.[0-9]+){2,}(?!\w)", lambda m: " point ".join(map(cardinal, m[0].split(".")))),
    _rule(r"#(?=[0-9])", "number "),
    _rule(rf"{N}(?!\w)", _number),
    _rule(r"[0-9]+", lambda m: f" {cardinal(m[0])} "),
    _rule(r"\b(?P<before>Chapter|Part|Book|Act|Scene|Volume|War|Section|Appendix|Title|Phase|Type) (?P<roman>[IVXL]+)\b", _roman),
    _rule(r"\b(?=[^aeiouyAEIOUY\W]+\b)[A-Z]{2,5}\b", lambda m: " ".join(m[0])),
    _rule(f"[{''.join(map(re.escape, _SIGNS_SAID))}]", lambda m: f" {_SIGNS_SAID[m[0]]} "),
)  # fmt: skip


def spelled(text: str) -> str:
    """A sentence as it is said."""
    text = text.translate(_QUOTES)
    for rule in RULES:
        text = rule(text)
    return re.sub(r"\s+([,.;:!?])", r"\1", " ".join(text.split()))

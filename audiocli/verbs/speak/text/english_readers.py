"""Readings of the matches of the rules for English: each takes a match and returns its words, or the match unchanged."""

import re
import unicodedata

from . import english_words as words
from .numbers import cardinal, digits, ordinal, plural, year

Match = re.Match[str]
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_PARTS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 32, 64, 100)  # denominators that are read as parts, not as a date


def plural_unit(unit: str) -> str:
    """The plural of a unit: "miles per hour", "square feet", "kilowatt hours", "U S dollars"."""
    head, per, rest = unit.partition(" per ")
    *before, noun = head.split(" ") if not head.startswith("degree ") else [head]
    noun = noun.replace("degree ", "degrees ") if " " in noun else words.IRREGULAR.get(noun, noun + "s")
    return " ".join([*before, noun]) + per + rest


def counted(number: str, unit: str, *, one: bool = False) -> str:
    """A counted unit: "1" and "mile per hour" give "one mile per hour", "2" "two miles per hour"; `one`: whatever the number."""
    one = one or number == "1" or unit in words.UNCOUNTED
    return f"{cardinal(number)} {unit if one else plural_unit(unit)}"


def _describes(match: Match) -> bool:
    """Whether an amount says what something is like, so that its unit has no plural: "a $20 bill", "a 500 GB disk"."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    return bool(re.search(r"\b(?:[Aa]n?|[Tt]he) $", before) and re.match(" [a-z]", after))


def _powered(unit: str, power: str | None, *, below: bool = False) -> str:
    """A unit with its power: "square meter", and below a fraction line "second squared"."""
    if power is None:
        return unit
    if below and unit == "second":
        return f"{unit} {'squared' if power == '2' else 'cubed'}"
    return f"{'square' if power == '2' else 'cubic'} {unit}"


def measure(match: Match) -> str:
    """A number with a unit, perhaps squared or per another one: "9.8 m/s^2"."""
    unit = _powered(words.UNITS[match["unit"]], match["power"])
    if match["per"]:
        unit += f" per {_powered(words.UNITS[match['per']], match['per_power'], below=True)}"
    stop = "." if match[0].endswith(".") and match.end() == len(match.string) else ""
    return counted(match["n"], unit, one=_describes(match)) + stop


def measured_part(match: Match) -> str:
    """The reading of "5 1/2 in.": "five and a half inches"; of "1/2 mile": "one half mile"."""
    unit = words.UNITS[match["unit"]]
    return f"{fraction(match)} {plural_unit(unit) if match['whole'] else unit}"


def feet(match: Match) -> str:
    """The reading of 5'10": "five feet ten inches"."""
    return f"{counted(match['feet'], 'foot')} {counted(match['inches'], 'inch')}"


def inches(match: Match) -> str:
    """The reading of 27": "twenty seven inch", unless a quotation ends there."""
    quoted = match.string.count('"', 0, match.start()) % 2
    return match[0] if quoted else f"{cardinal(match['n'])} inch"


def _unit_of(match: Match) -> tuple[str, str]:
    """The unit of money and its hundredth."""
    unit, part = words.CURRENCIES[match["sign"]]
    country = match.groupdict().get("country")
    return (f"{words.DOLLARS[country]} {unit}" if country else unit), part


def money(match: Match) -> str:
    """An amount before or behind its sign: "$3.50", "20 €", "$10-20", "US$3bn"."""
    unit, part = _unit_of(match)
    groups, one = match.groupdict(), _describes(match)
    number = re.sub(r",(?=[0-9]{2}$)", ".", match["n"])
    if groups.get("scale"):
        coins = unit if one or unit in words.UNCOUNTED else plural_unit(unit)
        return f"{cardinal(number)} {words.SCALES[groups['scale'].lower()]} {coins}"
    if groups.get("to"):
        return f"{cardinal(number)} to {counted(groups['to'], unit)}"
    whole, _, rest = number.partition(".")
    if len(rest) != 2:
        return counted(number, unit, one=one)
    amounts = [counted(whole, unit)] if int(whole.replace(",", "") or 0) or not int(rest) else []
    if int(rest):
        amounts.append(counted(str(int(rest)), part))
    return " and ".join(amounts)


def cents(match: Match) -> str:
    """The reading of "50¢": "fifty cents"."""
    return counted(match["n"], "cent", one=_describes(match))


def month(match: Match) -> str:
    """The whole name of a month."""
    return next(name for name in words.MONTHS if name[:3] == match["month"][:3])


def date(match: Match) -> str:
    """A month by name or number, a day or days, perhaps a year and a time."""
    groups = match.groupdict()
    name, day, last = groups["month"], int(groups["day"]), groups.get("last")
    number = int(name) if name.isdigit() else words.MONTHS.index(month(match)) + 1
    if not (1 <= number <= 12 and 1 <= day <= 31 and int(last or 1) <= 31):
        return match[0]
    of = " of " in match[0]
    reading = f"{ordinal(day)} of {words.MONTHS[number - 1]}" if of else f"{words.MONTHS[number - 1]} {ordinal(day)}"
    reading += f" to {ordinal(int(last))}" if last else ""
    reading += f", {year(int(groups['year']))}" if groups.get("year") else ""
    return f"{reading}, {time(match)}" if groups.get("hour") else reading


def time(match: Match) -> str:
    """A time of day: "15:05", "3:30 p.m.", "10:00:30Z"."""
    groups: dict[str, str | None] = match.groupdict()
    hour, minute, second = int(match["hour"]), match["minute"], int(groups.get("second") or 0)
    half = (groups.get("half") or "").lower().replace(".", "")
    if hour > 24 or int(minute or 0) > 59:
        return match[0]
    stop = "." if groups.get("half") and match[0].endswith(".") and match.end() == len(match.string) else ""
    reading = cardinal(str(hour))
    if int(minute or 0):
        reading += f" oh {cardinal(minute[1])}" if minute[0] == "0" else f" {cardinal(minute)}"
    elif not half:
        reading += " o'clock"
    if second:
        reading += f" and {counted(str(second), 'second')}"
    return reading + (" " + " ".join(half) if half else "") + _zone(groups.get("zone")) + stop


def _zone(zone: str | None) -> str:
    """The reading of "Z": "U T C"; of "+02:00": "U T C plus two"."""
    if not zone:
        return ""
    if zone in "Zz":
        return " U T C"
    hours, minutes = zone[1:3], zone[3:].strip(":")
    half = f" {cardinal(minutes)}" if int(minutes or 0) else ""
    return f" U T C {'plus' if zone[0] == '+' else 'minus'} {cardinal(str(int(hours)))}{half}"


def duration(match: Match) -> str:
    """The reading of "1h30m": "one hour thirty minutes"."""
    return f"{counted(match['hours'], 'hour')} {counted(str(int(match['minutes'])), 'minute')}"


def fraction(match: Match) -> str:
    """The reading of "1 3/4": "one and three quarters"."""
    whole, top, bottom = match["whole"], int(match["top"]), int(match["bottom"])
    if not 0 < top < bottom or bottom not in _PARTS:
        return match[0]
    name = {2: "half", 4: "quarter"}.get(bottom, ordinal(bottom))
    many = {"half": "halves"}.get(name, name + "s")
    reading = f"{'a' if whole and top == 1 else cardinal(str(top))} {name if top == 1 else many}"
    return f"{cardinal(whole)} and {reading}" if whole else reading


def vulgar(match: Match) -> str:
    """The reading of "½": " 1/2", for the rule of fractions."""
    return " " + unicodedata.normalize("NFKC", match[0]).replace("\u2044", "/")


def coordinate(match: Match) -> str:
    """The reading of 40°42'46"N: "forty degrees, forty two minutes, forty six seconds north"."""
    parts = [counted(match["degrees"], "degree")]
    parts += [counted(match[name], name[:-1]) for name in ("minutes", "seconds") if match[name]]
    return f"{', '.join(parts)} { {'N': 'north', 'S': 'south', 'E': 'east', 'W': 'west'}[match['side']] }"


def telephone(match: Match) -> str:
    """Digits one by one, its groups apart."""
    plus = "plus " if match[0].startswith("+") else ""
    return plus + ", ".join(digits(group) for group in re.findall("[0-9]+", match[0]))


def local_number(match: Match) -> str:
    """The reading of "555-1234": digits; "500-1000" has round numbers and is a range."""
    first, second = match[0].split("-")
    round_ones = second[0] != "0" and int(second) % 50 == 0 and int(first) % 10 == 0
    return match[0] if round_ones else telephone(match)


def version(match: Match) -> str:
    """The reading of "v1.2.3": "version one point two point three"."""
    first = "version " if match[0][0] == "v" else ""
    return first + " point ".join(map(cardinal, match[0].lstrip("v").split(".")))


def power(match: Match) -> str:
    """The reading of "^2": "squared"; of "^10": "to the power of ten"."""
    wanted = match["power"]
    short = {"2": "squared", "3": "cubed"}.get(wanted)
    return f" {short or 'to the power of ' + signed(wanted)}"


def scientific(match: Match) -> str:
    """The reading of "1.5e6": "one point five times ten to the sixth"."""
    exponent = int(match["exponent"])
    exponential = f"the {ordinal(exponent)}" if exponent > 0 else f"the {signed(str(exponent))}"
    return f"{cardinal(match['n'])} times ten to {exponential}"


def signed(number: str) -> str:
    """The reading of "-6": "minus six"; letters stay."""
    plain = number.lstrip("+-")
    return ("minus " if number.startswith("-") else "") + (cardinal(plain) if plain.isdigit() else plain)


def span(match: Match) -> str:
    """The reading of "10-20": "10 to 20"; a hyphen that means something else (3-0) stays, and with blanks around it is a minus."""
    first, second = match["n"], match["m"]
    years = len(first) == 4 and len(second) == 2
    rises = float(second.replace(",", "")) > float(first[-2:] if years else first.replace(",", ""))
    if rises or ("–" in match["sign"] and first != second):
        return f"{first} to {second}"
    return f"{first} minus {second}" if " - " in match["sign"] else match[0]


def take_away(match: Match) -> str:
    """A hyphen between blanks is a minus in a line that has an equals sign."""
    return " minus " if "=" in match.string or "−" in match[0] else match[0]


def comparison(match: Match) -> str:
    """The reading of "x < 5": "x is less than 5", and of "<5" "less than 5"."""
    subject = (match["subject"] or "").strip()
    verb = "is " if subject and subject.lower() not in words.VERBS else ""
    return f"{subject} {verb}{words.COMPARISONS[match['sign']]} "


def number(match: Match) -> str:
    """An amount, or a year."""
    text = match["n"]
    return year(int(text)) if re.fullmatch(r"1[1-9][0-9]{2}|20[0-9]{2}", text) else cardinal(text)


def decade(match: Match) -> str:
    """The reading of "1990s": "nineteen nineties"."""
    return plural(year(int(match["n"]))) if len(match["n"]) == 4 else plural(cardinal(match["n"]))


def roman(match: Match) -> str:
    """The reading of "Chapter IV": "Chapter four"; kings and popes are the fourth."""
    values = [_ROMAN[letter] for letter in match["roman"]]
    value = sum(-v if v < max(values[n:]) else v for n, v in enumerate(values))
    name = match["before"]
    return f"{name} the {ordinal(value)}" if name in words.KINGS else f"{name} {cardinal(str(value))}"


def saint_or_street(match: Match) -> str:
    """The reading of "St. Louis": "Saint"; of "Elm St.": "Street"; and so with "Dr."."""
    before, name = match["before"] or "", match["after"] is not None
    place = before[:1].isupper() and match.start() > 0 and before not in ("East", "West", "North", "South", "Mount")
    place = place or before[:1].isdigit() or (not name and match["short"] == "St")
    full = {"St": ("Saint", "Street"), "Dr": ("Doctor", "Drive")}[match["short"]][place]
    stop = "." if match.end() == len(match.string) else ""
    return f"{before} {full}{stop}".strip()


def address(match: Match) -> str:
    """A web or mail address, a path or a file's name: its signs by their names."""
    text = re.sub(r"^https?://(www\.)?", "", match[0]).replace("www.", "w w w.")
    text = re.sub(r"(?<=\.)[a-z]+$", lambda m: m[0] if re.search("[aeiouy]", m[0]) else " ".join(m[0]), text)
    text = re.sub(r"(?<=\.)(html?|pdf|cpp|hpp|exe|mpeg)$", lambda m: " ".join(m[0]), text)
    for sign, name in words.WEB_SIGNS.items():
        text = text.replace(sign, f" {name} ")
    return " ".join(text.split())


def hashtag(match: Match) -> str:
    """The reading of "#HappyNewYear": "hashtag Happy New Year"."""
    return "hashtag " + re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=[0-9])", " ", match["tag"])


def initials(match: Match) -> str:
    """Letters one by one: "U.S." and "FBI"."""
    letters = [c.upper() for c in match[0] if c.isalpha()]
    stop = "." if match[0].endswith(".") and match.end() == len(match.string) else ""
    return " ".join(letters) + stop


def acronym(match: Match) -> str:
    """Letters one by one where nobody can say it as a word: "HTML", "FBI", "TVs"; all of a text in capitals stays."""
    letters, many = match["letters"], match["many"]
    nation = letters == "US" and not match.string.isupper()
    if nation or letters in words.INITIALS or not re.search("[AEIOUY]", letters):
        return " ".join(letters) + ("'s" if many else "")
    return match[0]


def greek(match: Match) -> str:
    """The name of a letter by itself: "alpha"."""
    return f" {unicodedata.name(match[0]).rsplit(' ', 1)[-1].lower()} "

"""What the formats of lines have in common: bytes, cells, times, and Praat's tiers."""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath

Interval = tuple[float, float, str]  # start and end in seconds, text


def as_bytes(text: str) -> bytes:
    """UTF-8; names that are not UTF-8 on disk come out as they are there."""
    return text.encode("utf-8", "surrogateescape")


def one_line(text: str) -> str:
    """Text for a place where a line end or a tab would mean something else."""
    return " ".join(text.split())


def quoted(text: str) -> str:
    """A cell of a csv table."""
    plain = not any(c in text for c in ',"\n\r')
    return text if plain else '"' + text.replace('"', '""') + '"'


def token(text: str) -> str:
    """Text as one word, for formats that have blanks between columns."""
    return "_".join(text.split()) or "_"


def recording(path: str) -> str:
    """What NIST's formats call an input: its name without the suffix."""
    return "stdin" if path == "-" else token(PurePath(path).stem)


def audacity(intervals: Iterable[Interval]) -> bytes:
    """A label track of Audacity: start, end and text between tabs."""
    return as_bytes("".join(f"{start:.6f}\t{end:.6f}\t{one_line(text)}\n" for start, end, text in intervals))


def clock(seconds: float, point: str) -> str:
    """HH:MM:SS and milliseconds."""
    total = max(0, math.floor(seconds * 1000 + 0.5))
    rest, milliseconds = divmod(total, 1000)
    return f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}{point}{milliseconds:03}"


def praat(tiers: Sequence[tuple[str, Sequence[Interval]]], duration: float) -> bytes:
    """A TextGrid of interval tiers by name; gaps become intervals without text."""
    # Praat wants time to pass, even in a file without samples.
    end = max([duration, *(stop for _, tier in tiers for _, stop, _ in tier)]) or 0.001
    lines = [
        'File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end:.6f}",
        "tiers? <exists>", f"size = {len(tiers)}", "item []:",
    ]  # fmt: skip
    for number, (name, tier) in enumerate(tiers, 1):
        lines += _tier(number, name, list(_filled(tier, end)), end)
    return as_bytes("\n".join(lines) + "\n")


def _tier(number: int, name: str, intervals: Sequence[Interval], end: float) -> Iterator[str]:
    yield f"    item [{number}]:"
    yield '        class = "IntervalTier"'
    yield f'        name = "{_doubled(name)}"'
    yield "        xmin = 0"
    yield f"        xmax = {end:.6f}"
    yield f"        intervals: size = {len(intervals)}"
    for n, (start, stop, text) in enumerate(intervals, 1):
        yield f"        intervals [{n}]:"
        yield f"            xmin = {start:.6f}"
        yield f"            xmax = {stop:.6f}"
        yield f'            text = "{_doubled(text)}"'


def _doubled(text: str) -> str:
    return one_line(text).replace('"', '""')


def _filled(parts: Sequence[Interval], end: float) -> Iterator[Interval]:
    """Intervals that fill 0 to end without gap or overlap, as Praat insists."""
    position = 0.0
    for first, last, text in parts:
        start, stop = round(max(first, position), 6), round(min(last, end), 6)
        if stop <= start:
            continue
        if start > position:
            yield position, start, ""
        yield start, stop, text
        position = stop
    if position < end:
        yield position, end, ""

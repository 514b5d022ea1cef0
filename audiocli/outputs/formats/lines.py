"""Common parts of the line-based formats: bytes, cells, times, and Praat's tiers."""

import csv
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import PurePath

from ...console import plain
from .objects import Place

Interval = tuple[float, float, str]  # start and end in seconds, text
NARROW = 0.01  # s; Praat wants time to pass in an interval
MOVED = 0.1  # s that an interval may begin later than it should, to stand behind the one before


def as_bytes(text: str) -> bytes:
    """UTF-8; names that are not UTF-8 on disk come out as they are there."""
    return text.encode("utf-8", "surrogateescape")


def one_line(text: str) -> str:
    """Text for a place where a line end or a tab would mean something else."""
    return " ".join(text.split())


class _Lines(list[str]):
    """A file for the csv module: the lines that it writes."""

    write = list.append


def csv_rows(rows: Iterable[Iterable[str]]) -> bytes:
    """Rows of cells as csv."""
    lines = _Lines()
    # With these line ends csv quotes cells with either character; the other formats of lines have \n alone.
    csv.writer(lines, lineterminator="\r\n").writerows(rows)
    return as_bytes("".join(line.removesuffix("\r\n") + "\n" for line in lines))


def token(text: str) -> str:
    """Text as one word, for formats that have blanks between columns."""
    return "_".join(text.split()) or "_"


def recording(path: str, place: Place) -> str:
    """The name of an input in NIST's formats: without the suffix, or with what distinguishes it from others in the output."""
    return place.recording or next(_names(path))


def named(path: str, taken: dict[str, str]) -> str:
    """The name of one of several inputs: x, or b/x where an x came before; x.wav beside an x.flac.

    taken: names, those with more folders too, and whose they are; this one's join them.
    """
    me = path if path == "-" else os.path.abspath(path)
    free = next(name for name in _names(path) if taken.setdefault(name, me) == me)
    for name in _tails(path, PurePath(path).stem):
        taken.setdefault(name, me)
    return free


def _names(path: str) -> Iterator[str]:
    """Names that an input may have, the best first."""
    if path == "-":
        yield "stdin"
    yield from _tails(path, PurePath(path).stem)
    yield from _tails(path, PurePath(path).name)
    yield from (f"{token(path)}-{n}" for n in count(2))


def _tails(path: str, name: str) -> Iterator[str]:
    """A name, and with more and more of the path's folders before it."""
    folders = PurePath(os.path.abspath(path)).parts[1:-1]
    return (token("/".join([*folders[len(folders) - n :], name])) for n in range(len(folders) + 1))


def heading(path: str, place: Place) -> str:
    """The line above the text of one of several inputs, as head and tail have it."""
    blank = "" if place.first else "\n"
    return "" if place.recording is None else f"{blank}==> {plain(path)} <==\n"


def audacity(intervals: Iterable[Interval]) -> bytes:
    """A label track of Audacity: start, end and text between tabs."""
    return as_bytes("".join(f"{start:.6f}\t{end:.6f}\t{one_line(text)}\n" for start, end, text in intervals))


def clock(seconds: float, point: str) -> str:
    """HH:MM:SS and milliseconds."""
    total = max(0, math.floor(seconds * 1000 + 0.5))
    rest, milliseconds = divmod(total, 1000)
    return f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}{point}{milliseconds:03}"


def praat(tiers: Sequence[tuple[str, Sequence[Interval]]], duration: float) -> bytes:
    """A TextGrid of interval tiers by name; gaps become intervals without text.

    Intervals of no length get NARROW; one inside another, or mostly, stands in a tier of its own: NAME (2).
    """
    layers = [
        (name if number == 1 else f"{name} ({number})", layer)
        for name, tier in tiers
        for number, layer in enumerate(_layers(tier), 1)
    ]
    # Praat wants time to pass, even in a file without samples.
    end = max([duration, *(layer[-1][1] for _, layer in layers if layer)]) or 0.001
    lines = [
        'File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end:.6f}",
        "tiers? <exists>", f"size = {len(layers)}", "item []:",
    ]  # fmt: skip
    for number, (name, layer) in enumerate(layers, 1):
        lines += _tier(number, name, list(_filled(layer, end)), end)
    return as_bytes("\n".join(lines) + "\n")


def _layers(tier: Sequence[Interval]) -> list[list[Interval]]:
    """The intervals in as few rows as they fit into: in each they follow each other and none is empty."""
    layers: list[list[Interval]] = [[]]
    for first, last, text in sorted(tier, key=lambda part: part[0]):
        for layer in layers:
            start = round(max(first, layer[-1][1] if layer else 0.0), 6)
            if start - first <= max(MOVED, (last - first) / 2):
                break
        else:
            start = round(max(first, 0.0), 6)
            layers.append(layer := [])
        layer.append((start, round(max(last, start + NARROW), 6), text))
    return layers


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


def _filled(layer: Sequence[Interval], end: float) -> Iterator[Interval]:
    """Intervals that fill 0 to end without a gap, as Praat insists."""
    position = 0.0
    for start, stop, text in layer:
        if start > position:
            yield position, start, ""
        yield start, stop, text
        position = stop
    if position < end:
        yield position, end, ""

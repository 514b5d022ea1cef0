"""A picture of a result in the terminal, for --show."""

import os
import shutil
import sys

import numpy as np
from numpy.typing import NDArray

from ..console import plain
from ..records import Features, Record, Table
from .figures.tables import POWERS, RANGE, reduced
from .sinks import Claim, Sink

Floats = NDArray[np.float64]

RAMP = " .:-=+*#%@"


def in_terminal(record: Features, *, colour: bool) -> str:
    """The first kind that has a time axis as lines of text, as wide as the terminal."""
    tables = [(kind, table) for kind, table in record.tables.items() if table.step is not None and table.n_frames]
    if not tables:
        return ""
    kind, table = tables[0]
    size = shutil.get_terminal_size((80, 24))
    pixels = _pixels(kind, table, width=max(20, size.columns - 2), height=2 * max(8, min(20, size.lines - 4)))
    lines = _coloured(pixels) if colour else _shaded(pixels)
    return "\n".join([f"{plain(record.path)}: {kind}, {record.duration:.2f} s", *lines]) + "\n"


def _pixels(kind: str, table: Table, *, width: int, height: int) -> Floats:
    """Brightness 0..1 [height, width], the top row first."""
    high, _ = reduced(table, np.fmax, width)
    if len(table.columns) == 1:
        low, _ = reduced(table, np.fmin, width)
        bottom, top = np.nanmin(low), np.nanmax(high)
        levels = np.linspace(top, bottom, height)[:, None]
        half = (top - bottom) / height
        return ((levels <= high[:, 0] + half) & (levels >= low[:, 0] - half)).astype(np.float64)
    if kind in POWERS:
        high = 10.0 * np.log10(np.maximum(high, 1e-10))
    if kind in POWERS or table.unit == "dB":
        high = np.maximum(high, high.max() - RANGE)
    rows = np.linspace(high.shape[1] - 1, 0, height).round().astype(int)
    image = high[:, rows].T
    spread = image.max() - image.min()
    return (image - image.min()) / spread if spread > 0 else np.zeros_like(image)


def _shaded(pixels: Floats) -> list[str]:
    pairs = (pixels[0::2] + pixels[1::2]) / 2
    return ["".join(RAMP[round(value * (len(RAMP) - 1))] for value in row) for row in pairs]


def _coloured(pixels: Floats) -> list[str]:
    """Two pixels a character: the upper half block in one colour on the other."""
    lines = []
    for upper, lower in zip(pixels[0::2], pixels[1::2], strict=True):
        cells = (f"\x1b[38;2;{_magma(a)}m\x1b[48;2;{_magma(b)}m▀" for a, b in zip(upper, lower, strict=True))
        lines.append("".join(cells) + "\x1b[0m")
    return lines


def _magma(value: float) -> str:
    """A colour "r;g;b" near matplotlib's magma, which need not be imported for it."""
    stops = np.array([(0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191)])
    place = np.arange(5) / 4
    return ";".join(str(round(np.interp(value, place, stops[:, c]))) for c in range(3))


class Shown:
    """A sink whose results are also drawn in the terminal, on standard error."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.claim, self.prepare = sink.claim, sink.prepare
        self.fail, self.close = sink.fail, sink.close

    def commit(self, claim: Claim, record: Record) -> None:
        """Pass the result on, then draw it."""
        self._sink.commit(claim, record)
        if isinstance(record, Features):
            colour = sys.stderr.isatty() and "NO_COLOR" not in os.environ
            sys.stderr.write(in_terminal(record, colour=colour))
            sys.stderr.flush()

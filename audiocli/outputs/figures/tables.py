"""Figures for papers; matplotlib is imported only when one is drawn."""

import io
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ... import __version__
from ...records import Diarization, Features, Labels, Table
from . import turns

Floats = NDArray[np.float64]

IMAGES = frozenset({"spectrogram", "mel", "log-mel", "mfcc", "chroma", "probability"})
POWERS = frozenset({"spectrogram", "mel"})  # drawn in decibels
RANGE = 80.0  # dB below the loudest that a picture shows
COLUMNS = 2_000  # more points than that no page shows: longer tables are drawn by their extremes
DPI = 150
LABELS = {
    "rms": "RMS",
    "zcr": "crossings",
    "mu-law": "code",
    "waveform": "amplitude",
    "onset": "strength",
    "notes": "MIDI pitch",
}

# Figures of their own are independent, but fonts and mathematical text share caches that no lock guards.
_drawing = threading.Lock()


def save(record: Any, stream: BinaryIO, form: str, draw: Callable[[Any], Any] | None = None) -> None:
    """Draw a record as png, svg or pdf, with the parameters in its metadata; draw: the maker of its Figure, else `figure`."""
    import matplotlib

    # The salt makes the names of clip paths in an svg the same every time; fonts stay text that can be edited.
    with _drawing, matplotlib.rc_context({"svg.hashsalt": "audiocli", "svg.fonttype": "none"}):
        picture = (draw or figure)(record)
        about = json.dumps({"path": record.path.encode("utf-8", "replace").decode(), **record.options})
        # A date would make every file differ from the last.
        metadata = {
            "png": {"Software": f"audiocli {__version__}", "Description": about},
            "svg": {"Creator": f"audiocli {__version__}", "Description": about, "Date": None},
            "pdf": {"Creator": f"audiocli {__version__}", "Subject": about, "CreationDate": None},
        }
        picture.savefig(stream, format=form, dpi=DPI, metadata=metadata[form])


def curves(history: Sequence[Mapping[str, float]], title: str) -> bytes:
    """A png of a training: a panel for the loss and each score over the epochs."""
    from matplotlib.figure import Figure

    epochs = [row["epoch"] for row in history]
    names = [name for name in (history[-1] if history else ()) if name not in ("epoch", "step", "seconds")]
    with _drawing:
        picture = Figure(figsize=(7.0, 0.6 + 2.0 * max(len(names), 1)), layout="constrained")
        axes = picture.subplots(max(len(names), 1), 1, sharex=True, squeeze=False)[:, 0]
        for axis, name in zip(axes, names, strict=False):
            axis.plot(epochs, [row.get(name, np.nan) for row in history], linewidth=1.2)
            axis.set_ylabel(name)
            axis.grid(alpha=0.3)
        axes[0].set_title(title)
        axes[-1].set_xlabel("epoch")
        stream = io.BytesIO()
        picture.savefig(stream, format="png", dpi=100, metadata={"Software": f"audiocli {__version__}"})
    return stream.getvalue()


def tradeoff(rates: tuple[Floats, Floats], equal: float, decided: tuple[float, float], form: str) -> bytes:
    """A detection error tradeoff (Martin et al. 1997): false rejects over false accepts, both axes by the normal quantile.

    rates: false accepts and false rejects [points]; equal: the rate where they meet; decided: both at the thresholds used.
    """
    from matplotlib.figure import Figure
    from scipy.special import ndtri

    ticks = np.array([0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4])
    low, high = 5e-5, 0.6
    stream = io.BytesIO()
    with _drawing:
        picture = Figure(figsize=(5.0, 5.0), layout="constrained")
        axis = picture.subplots()
        x, y = (ndtri(np.clip(side, low, high)) for side in rates)
        axis.plot(x, y, linewidth=1.5)
        axis.plot(ndtri([low, high]), ndtri([low, high]), color="0.7", linewidth=0.8, linestyle="--")
        point = ndtri(np.clip(decided, low, high))
        axis.plot(*point, "o", label=f"as decided: {100 * decided[0]:.1f} % / {100 * decided[1]:.1f} %")
        labels = [f"{100 * tick:g}" for tick in ticks]
        axis.set_xticks(ndtri(ticks), labels)
        axis.set_yticks(ndtri(ticks), labels)
        axis.set(
            xlim=ndtri([low, high]), ylim=ndtri([low, high]), xlabel="false accepts (%)", ylabel="false rejects (%)"
        )
        axis.set_title(f"equal error rate {100 * equal:.2f} %")
        axis.grid(alpha=0.3)
        axis.legend(loc="upper right")
        picture.savefig(stream, format=form, dpi=DPI)
    return stream.getvalue()


def figure(record: Features | Labels | Diarization) -> Any:
    """A matplotlib Figure: a panel a kind, one above the other, over one time axis; beats and tempo are drawn into the others."""
    if isinstance(record, Diarization):
        return turns.figure(record, _title(record))
    from matplotlib.figure import Figure

    tables = {kind: table for kind, table in record.tables.items() if table.step is not None or kind == "notes"}
    kinds = list(tables) or ["beats"]
    heights = [1.6 if kind in IMAGES or kind == "notes" else 1.0 for kind in kinds]
    picture = Figure(figsize=(9.0, 0.8 + 1.7 * sum(heights)), layout="constrained")
    axes = picture.subplots(len(kinds), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axis, kind in zip(axes, kinds, strict=True):
        if kind in tables:
            _panel(picture, axis, kind, tables[kind])
        _mark_beats(axis, record, first=axis is axes[0], alone=kind not in tables)
    axes[-1].set_xlabel("time (s)")
    start = min((table.start for table in tables.values()), default=0.0)
    axes[-1].set_xlim(start, start + max(record.duration, 1e-3))
    axes[0].set_title(_title(record), fontsize="medium")
    return picture


def _title(record: Features | Labels | Diarization) -> str:
    name = "standard input" if record.path == "-" else record.path.rsplit("/", 1)[-1]
    name = name.encode("utf-8", "replace").decode().replace("$", r"\$")
    title = f"{name}: {record.duration:.2f} s at {record.sample_rate} Hz"
    if not isinstance(record, Diarization) and "tempo" in record.tables:
        title += f", {record.tables['tempo'].values()[0, 0]:.1f} BPM"
    return title


def _panel(picture: Any, axis: Any, kind: str, table: Table) -> None:
    if not table.n_frames:
        axis.text(
            0.5, 0.5, "no notes" if kind == "notes" else "no frames", transform=axis.transAxes, ha="center", va="center"
        )
    elif kind in IMAGES:
        _image(picture, axis, kind, table)
    elif kind == "notes":
        _notes(axis, table)
    else:
        _curve(axis, kind, table)
    if kind not in IMAGES:
        axis.set_ylabel(f"{LABELS.get(kind, kind)}{f' ({table.unit})' if table.unit in ('Hz', 's') else ''}")
        axis.margins(x=0)


def _image(picture: Any, axis: Any, kind: str, table: Table) -> None:
    values, step = reduced(table, np.fmax)
    if kind in POWERS:
        values = 10.0 * np.log10(np.maximum(values, 1e-10))
    decibels = kind in POWERS or table.unit == "dB"
    top = float(np.nanmax(values))
    lowest = top - RANGE if decibels else None
    if kind == "mfcc" and values.shape[1] > 1:
        # Coefficient 0 is the level and would drown the others; it may run out of the colours.
        lowest, top = np.nanpercentile(values[:, 1:], (1, 99))
    if kind == "probability":
        lowest, top = 0.0, 1.0
    half = step / 2
    # A row a band; each pixel column is centred on its frame.
    extent = (table.start - half, table.start + len(values) * step - half, -0.5, values.shape[1] - 0.5)
    image = axis.imshow(
        values.T, origin="lower", aspect="auto", extent=extent, cmap="magma", interpolation="nearest",
        rasterized=True, vmin=lowest, vmax=top,
    )  # fmt: skip
    label = "dB" if decibels else {"chroma": "relative", "mfcc": "value"}.get(kind, table.unit or kind)
    picture.colorbar(image, ax=axis, pad=0.01, label=label)
    _rows(axis, kind, table.columns)


def _rows(axis: Any, kind: str, columns: tuple[str, ...]) -> None:
    """Tick labels for the rows of an image."""
    if kind == "mfcc":
        axis.set_ylabel("MFCC")
        return
    if kind in ("chroma", "probability"):
        axis.set_ylabel("pitch class" if kind == "chroma" else "label")
        axis.set_yticks(range(len(columns)), columns, fontsize="small")
        return
    hertz = np.array([float(name.removesuffix(" Hz")) for name in columns])
    axis.set_ylabel("frequency (Hz)" if kind == "spectrogram" else "mel band (Hz)")
    ticks = _round_steps(hertz[-1]) if kind == "spectrogram" else _octaves(hertz)
    axis.set_yticks(np.interp(ticks, hertz, np.arange(len(hertz))), [f"{tick:g}" for tick in ticks])


def _octaves(hertz: Floats) -> Floats:
    """Round frequencies inside rising ones, those left out that would stand too close to the next."""
    ticks: list[float] = []
    for tick in (32_000, 16_000, 8_000, 4_000, 2_000, 1_000, 500, 250, 125):
        row = np.interp(tick, hertz, np.arange(len(hertz)))
        near = ticks and np.interp(ticks[-1], hertz, np.arange(len(hertz))) - row < 0.05 * len(hertz)
        if hertz[0] <= tick <= hertz[-1] and not near:
            ticks.append(tick)
    return np.array(ticks[::-1], np.float64)


def _round_steps(top: float) -> Floats:
    """Round numbers from 0 to top, four to nine of them."""
    raw = top / 5
    power = 10.0 ** np.floor(np.log10(raw))
    step = power * min((1, 2, 5, 10), key=lambda n: abs(n * power - raw))
    return np.arange(0.0, top + step / 1000, step)


def _curve(axis: Any, kind: str, table: Table) -> None:
    low, step = reduced(table, np.fmin)
    high, _ = reduced(table, np.fmax)
    times = table.start + np.arange(len(low)) * step
    if table.n_frames > COLUMNS:
        axis.fill_between(times, low[:, 0], high[:, 0], linewidth=0.3, color="C0")
    else:
        axis.plot(times, high[:, 0], linewidth=0.9, color="C0", marker="." if kind == "pitch" else None, markersize=2)


def _notes(axis: Any, table: Table) -> None:
    """A piano roll, the surer the darker."""
    for start, end, pitch, strength in table.values().tolist():
        axis.barh(pitch, end - start, 0.8, start, color="C0", alpha=0.3 + 0.7 * min(max(strength, 0.0), 1.0))


def _mark_beats(axis: Any, record: Features | Labels, *, first: bool, alone: bool) -> None:
    if "beats" not in record.tables or not (first or alone):
        return
    for time in record.tables["beats"].values()[:, 0]:
        axis.axvline(time, color="C3", linewidth=0.8, alpha=0.8)
    if alone:
        axis.set_yticks([])
        axis.set_ylabel("beats")


def reduced(table: Table, extreme: Callable[..., Any], columns: int = COLUMNS) -> tuple[Floats, float]:
    """A table [frames, c] as at most `columns` rows, each the extreme (np.fmin, np.fmax) of a stretch; and their step in s."""
    stretch = max(1, -(-table.n_frames // columns))
    out = np.full((-(-table.n_frames // stretch), len(table.columns)), np.nan)
    position = 0
    for block in table.blocks():
        rows = np.arange(position, position + len(block)) // stretch
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        out[rows[starts]] = extreme(out[rows[starts]], extreme.reduceat(block, starts, axis=0))  # type: ignore[attr-defined]
        position += len(block)
    return out, (table.step or 0.0) * stretch

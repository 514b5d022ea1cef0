"""A piano roll of four-part music, for --plot."""

from typing import Any

from ...music.grid import NAMES, VOICES
from ...records import Music

COLOURS = ("#c0392b", "#d68910", "#1e8449", "#1f4e8c")  # of the voices, the highest first
WIDTH = 0.18  # inches a second, between the least and the most
LEAST, MOST = 8.0, 40.0
OCTAVE = 12


def figure(record: Music) -> Any:
    """A matplotlib Figure: time from left to right, pitch from low to high, a colour a voice."""
    from matplotlib.figure import Figure

    assert record.piece is not None
    piece = record.piece
    picture = Figure(figsize=(min(max(WIDTH * record.duration, LEAST), MOST), 4.0), layout="constrained")
    axis = picture.subplots()
    for n, (name, colour) in enumerate(zip(VOICES, COLOURS, strict=True)):
        notes = piece.notes(n)
        starts = [piece.time(note.start) for note in notes]
        ends = [piece.time(note.start + note.length) for note in notes]
        axis.barh(
            [note.pitch for note in notes], [end - at for at, end in zip(starts, ends, strict=True)], left=starts,
            height=0.8, color=colour, edgecolor="white", linewidth=0.4, label=name,
        )  # fmt: skip
    sung = piece.grid[piece.grid >= 0]
    low, high = (int(sung.min()), int(sung.max())) if sung.size else (48, 72)
    ticks = range(low // OCTAVE * OCTAVE, high + OCTAVE, OCTAVE)
    axis.set_yticks(list(ticks), [f"{NAMES[0]}{tick // OCTAVE - 1}" for tick in ticks])
    axis.set(xlabel="time (s)", ylabel="pitch", xlim=(0, record.duration), ylim=(low - 1.5, high + 1.5))
    axis.grid(axis="y", color="#dddddd", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=len(VOICES), frameon=False, fontsize="small")
    axis.set_title(_title(record), fontsize="medium")
    return picture


def _title(record: Music) -> str:
    parts = [record.path.replace("$", r"\$"), f"{record.duration:.1f} s", f"{record.details['tempo']:.4g} BPM"]
    return ", ".join([*parts, *([str(record.details["key"])] if record.details.get("key") else [])])

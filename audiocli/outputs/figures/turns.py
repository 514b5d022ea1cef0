"""A figure of who speaks when: a row for each speaker over one time axis."""

from typing import Any

from ...records import Diarization

COLOURS = 10  # of matplotlib's cycle, after which they come again


def figure(record: Diarization, title: str) -> Any:
    """A matplotlib Figure of the turns, the one who is heard first on top, with the seconds of each."""
    from matplotlib.figure import Figure

    speakers = record.seconds
    picture = Figure(figsize=(9.0, 1.0 + 0.4 * max(len(speakers), 1)), layout="constrained")
    axis = picture.subplots()
    for row, speaker in enumerate(speakers):
        bars = [(turn.start, turn.end - turn.start) for turn in record.turns if turn.speaker == speaker]
        axis.broken_barh(bars, (row - 0.35, 0.7), facecolors=f"C{row % COLOURS}", linewidth=0)
    names = [f"{speaker.replace('$', chr(92) + '$')}  {seconds:.0f} s" for speaker, seconds in speakers.items()]
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(max(len(speakers), 1) - 0.5, -0.5)
    start = float(record.options.get("start") or 0.0)
    axis.set_xlim(start, start + max(record.duration, 1e-3))
    axis.grid(axis="x", alpha=0.3)
    axis.set_axisbelow(True)
    axis.set_xlabel("time (s)")
    axis.set_title(title, fontsize="medium")
    if not speakers:
        axis.text(0.5, 0.5, "nobody speaks", transform=axis.transAxes, ha="center", va="center")
    return picture

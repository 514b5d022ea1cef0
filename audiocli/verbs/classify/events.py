"""Beginnings and ends of sounds: from probabilities over time to events, and from windows to the sound's own edges."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...options import ClassifyOptions
from ...records import Segment
from .levels import LEVEL_STEP

Floats = NDArray[np.float32]

SILENCE = "silence"  # the label that is no event, in whatever case
HYSTERESIS = 0.2  # an event goes on while it is not further than this below what it began at, nor below half of it
# An event's edges lie where the power comes to so many times that of the quiet parts, and to so much of its own highest.
FLOOR, BELOW = 3.0, 3e-4
# s that an event goes on for on either side without being recognised, if its sound does: a net knows many sounds by some of their
# parts only. Like those above chosen on scenes of folds 1 to 3 of ESC-10, for YAMNet and a net of our own alike.
GROW = 4.0


def events(
    curves: Iterable[tuple[str, Floats]], step: float, duration: float, options: ClassifyOptions, threshold: float
) -> tuple[Segment, ...]:  # fmt: skip
    """The events of each label: its smoothed curve of probabilities [frames] above a threshold, with hysteresis.

    Values below the `floor` may be zero, which moves no median that reaches it. Frame n stands for the window that is centred on
    n * step seconds, half of which an event fills when it begins there.
    """
    from scipy.ndimage import median_filter

    width = max(round(options.smooth / step), 1) | 1
    segments = []
    for label, curve in curves:
        if label.casefold() == SILENCE:
            continue
        smooth = median_filter(curve, width, mode="nearest")
        for first, last in bridged(spans(smooth, threshold, floor(threshold)), options.gap / step):
            start, end = max(first * step - step / 2, 0.0), min(last * step + step / 2, duration)
            if end - start >= options.shortest:
                sure = float(smooth[first : last + 1].max())
                segments.append(Segment(round(start, 3), round(end, 3), label, probability=round(sure, 4)))
    return tuple(sorted(segments, key=lambda one: (one.start, one.end, one.text)))


def floor(threshold: float) -> float:
    """The probability below which no event goes on that begins at a threshold."""
    return max(threshold - HYSTERESIS, threshold / 2)


def spans(curve: Floats, high: float, low: float) -> Iterator[tuple[int, int]]:
    """First and last frame of each stretch above `low` that comes above `high`."""
    above = np.flatnonzero(np.diff(np.concatenate([[0], (curve >= low).astype(np.int8), [0]])))
    for first, after in zip(above[::2].tolist(), above[1::2].tolist(), strict=True):
        if curve[first:after].max() >= high:
            yield first, after - 1


def bridged(stretches: Iterable[tuple[int, int]], gap: float) -> Iterator[tuple[int, int]]:
    """Stretches of frames, those with at most `gap` frames between them made one."""
    now: tuple[int, int] | None = None
    for first, last in stretches:
        if now is not None and first - now[1] - 1 <= gap:
            now = (now[0], last)
            continue
        if now is not None:
            yield now
        now = (first, last)
    if now is not None:
        yield now


def with_edges(
    segments: Sequence[Segment], power: Floats, reach: float, options: ClassifyOptions
) -> tuple[Segment, ...]:
    """Events that begin and end where the sound does, power [frames of LEVEL_STEP], not where a window began to hear it.

    reach: s; a window hears what lies so far from its centre. An event goes on with its sound over pauses shorter than the option
    `gap`, as far as GROW or the next event. One that does not stand out stays as it is.
    """
    quiet = float(np.quantile(power, 0.1)) if len(power) else 0.0
    edged = [_edged(one, power, quiet, reach, options.shortest) for one in segments]
    grown = _joined(_grown(edged, power, FLOOR * quiet, options.gap), options.gap)
    return tuple(sorted(grown, key=lambda one: (one.start, one.end, one.text)))


def _edged(one: Segment, power: Floats, quiet: float, reach: float, shortest: float) -> Segment:
    begin = max(round((one.start - reach / 2) / LEVEL_STEP), 0)
    own = power[begin : round((one.end + reach / 2) / LEVEL_STEP)]
    loud = np.flatnonzero(own > max(FLOOR * quiet, BELOW * float(own.max(initial=0.0))))
    if not len(loud):
        return one
    start, end = ((begin + int(frame)) * LEVEL_STEP for frame in (loud[0], loud[-1] + 1))
    return replace(one, start=round(start, 3), end=round(end, 3)) if end - start >= shortest else one


def _grown(segments: Sequence[Segment], power: Floats, floor: float, gap: float) -> Iterator[Segment]:
    """Events as long as their sound, pauses shorter than `gap` s in it, up to their neighbours."""
    if not segments:
        return
    starts, ends = (np.sort([getattr(one, name) for one in segments]) for name in ("start", "end"))
    # Events that overlap are no neighbours: often a sound and its kind, as Dog and Animal.
    before, after = np.append(0.0, ends), np.append(starts, np.inf)
    for one in segments:
        first, last = round(one.start / LEVEL_STEP), round(one.end / LEVEL_STEP)
        level = max(floor, BELOW * float(power[first:last].max(initial=0.0)))
        left = max(one.start - GROW, float(before[np.searchsorted(ends, one.start, "right")]))
        right = min(one.end + GROW, float(after[np.searchsorted(starts, one.end)]), len(power) * LEVEL_STEP)
        back = _steps(power[round(left / LEVEL_STEP) : first][::-1] > level, gap)
        on = _steps(power[last : round(right / LEVEL_STEP)] > level, gap)
        start = (first - back) * LEVEL_STEP if back else one.start
        end = (last + on) * LEVEL_STEP if on else one.end
        yield replace(one, start=round(start, 3), end=round(end, 3))


def _steps(loud: NDArray[np.bool_], gap: float) -> int:
    """Frames to the last loud one before the first pause of `gap` s."""
    places = np.flatnonzero(np.concatenate([[True], loud]))
    pauses = np.flatnonzero(np.diff(places) > max(round(gap / LEVEL_STEP), 1))
    return int(places[pauses[0]] if len(pauses) else places[-1])


def _joined(segments: Iterable[Segment], gap: float) -> list[Segment]:
    """Events of one label as one that overlap, or between which the pause is shorter than `gap` s."""
    found: dict[str, list[Segment]] = {}
    for one in sorted(segments, key=lambda one: (one.start, one.end)):
        same = found.setdefault(one.text, [])
        if same and one.start - same[-1].end < max(gap, LEVEL_STEP):
            sure = max(same[-1].probability or 0.0, one.probability or 0.0)
            same[-1] = replace(same[-1], end=max(same[-1].end, one.end), probability=sure)
        else:
            same.append(one)
    return [one for some in found.values() for one in some]

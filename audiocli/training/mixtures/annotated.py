"""Recordings in which others have marked who speaks (RTTM), and windows of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..data import Clips
from ..examples import Example
from . import distortions
from .conversations import FRAME, Active, Talk, at_level
from .distortions import SAMPLE_RATE, Floats
from .speaker_batches import Samples

RTTM = "rttm"  # the column with the path of the marks


@dataclass(frozen=True)
class Recording:
    """Samples [n], and who speaks in their frames [frames, people]."""

    samples: Samples
    speaking: Active


def recordings(clips: Clips) -> list[Recording]:
    """The clips that have marks; columns `start` and `end` say which part of one was marked. Raises InputError."""
    found = []
    for n, row in enumerate(clips.rows):
        if row.fields.get(RTTM):
            found.append(recording(row, clips[n]))
    return found


def recording(row: Example, samples: Floats) -> Recording:
    """A recording with its marks, both cut to the part that was marked. Raises InputError."""
    speaking = marks(path_of(row), Path(row.path).stem, len(samples) // FRAME)
    first, last = span(row, len(speaking))
    kept = np.asarray(np.clip(samples[first * FRAME : last * FRAME] * 32_767.0, -32_768, 32_767), np.int16)
    return Recording(kept, speaking[first:last])


def span(row: Example, frames: int) -> tuple[int, int]:
    """First and last frame of the part of a recording that was marked. Raises InputError."""
    start, end = (row.fields.get(name) for name in ("start", "end"))
    try:
        first, last = (round(float(time) * SAMPLE_RATE / FRAME) if time else None for time in (start, end))
    except (ValueError, OverflowError) as error:
        raise InputError(f"{row.path}: start and end are times in seconds, not {start!r} and {end!r}") from error
    first, last = first or 0, frames if last is None else min(last, frames)
    if not 0 <= first < last:
        raise InputError(f"{row.path}: there is nothing between start {start!r} and end {end!r}")
    return first, last


def pauses(one: Recording, shortest: float = 1.0, edge: float = 0.2) -> list[Samples]:
    """The stretches of at least so many seconds in which nobody speaks: the noise of a meeting, with breath, paper and keys.

    edge: s that are left out after speech and before it.
    """
    silent = np.concatenate([[False], ~one.speaking.any(axis=1), [False]])
    edges = np.flatnonzero(np.diff(silent.astype(np.int8))).reshape(-1, 2)
    kept, least = round(edge * SAMPLE_RATE), round(shortest * SAMPLE_RATE)
    stretches = (one.samples[first * FRAME + kept : last * FRAME - kept] for first, last in edges.tolist())
    return [stretch for stretch in stretches if len(stretch) >= least]


def path_of(row: Example) -> Path:
    """The file of marks, as seen from the recording's folder or from here."""
    beside = Path(row.path).parent / row.fields[RTTM]
    return beside if beside.exists() else Path(row.fields[RTTM])


def marks(path: Path, name: str, frames: int) -> Active:
    """Who speaks in each frame [frames, people] by an RTTM file: its lines for `name`, or all of them if there are none.

    Raises InputError.
    """
    try:
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("SPEAKER ")]
        turns = [(line[1], float(line[3]), float(line[4]), line[7]) for line in lines]
        if not np.isfinite([turn[1:3] for turn in turns]).all():
            raise ValueError("nan")
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"{path}: is not an RTTM file that can be read") from error
    own = [turn for turn in turns if turn[0] == name] or turns
    people = sorted({turn[3] for turn in own})
    speaking = np.zeros((frames, max(len(people), 1)), np.bool_)
    for _, start, length, who in own:
        first, last = (max(round(time * SAMPLE_RATE / FRAME), 0) for time in (start, start + length))
        speaking[first:last, people.index(who)] = True
    return speaking


def window(
    marked: Sequence[Recording], talk: Talk, seconds: float, speakers: int, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """A piece of a recording [samples], at another speed, colour and level, and who speaks in it [frames, speakers], 1 or 0."""
    frames = round(seconds * SAMPLE_RATE / FRAME)
    one = marked[int(random.integers(len(marked)))]
    taken = round(frames * random.uniform(1.0 - talk.speed, 1.0 + talk.speed))
    first = int(random.integers(max(len(one.speaking) - taken, 0) + 1))
    inside = one.speaking[first : first + taken]
    inside = np.pad(inside, ((0, taken - len(inside)), (0, 0)))
    samples = one.samples[first * FRAME : (first + taken) * FRAME].astype(np.float32) / np.float32(32_768.0)
    samples = np.pad(samples, (0, taken * FRAME - len(samples)))
    most = np.argsort(-inside.sum(0), kind="stable")[:speakers]
    speaking = np.zeros((frames, speakers), np.float32)
    speaking[:, : len(most)] = inside[(np.arange(frames) * taken / frames).astype(int)][:, most]
    return at_level(coloured(samples, frames * FRAME, talk, random), random.uniform(*talk.level)), speaking


def coloured(samples: Floats, n: int, talk: Talk, random: np.random.Generator) -> Floats:
    """Samples as n samples, so faster or slower, by another microphone."""
    gain: NDArray[np.complex64] = np.ones(n // 2 + 1, np.complex64)
    if random.random() < talk.colour:
        frequencies = np.linspace(0.0, SAMPLE_RATE / 2, n // 2 + 1, dtype=np.float32)
        gain = gain * distortions.colour(random, frequencies)
    return distortions.filtered(samples, gain, n)

"""Rhythmic signals to track beats in, for the tests and for bench/rhythm.py: synthesised, seeded, mono float32."""

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

SAMPLE_RATE = 22050
# Real recordings and scores lie beside the project, when they are there.
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
CHORALES = DATA / "jsb-chorales" / "jsb-chorales-16th.json"


def _mix(length: float, events: Sequence[tuple[float, Samples]], noise: float, seed: int) -> Samples:
    """Sounds added at their times (seconds) into `length` seconds of noise."""
    rng = np.random.default_rng(seed)
    out = (noise * rng.standard_normal(round(length * SAMPLE_RATE))).astype(np.float32)
    for time, sound in events:
        part = out[round(time * SAMPLE_RATE) :][: sound.size]
        part += sound[: part.size]
    return out


def _tone(hertz: float, seconds: float, decay: float, partials: int = 1) -> Samples:
    """A struck tone: partials 1/k, falling by 1/e in `decay` seconds."""
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    waves = sum((np.sin(2 * np.pi * hertz * k * t) / k for k in range(1, partials + 1)), np.zeros(t.size))
    return (waves * np.exp(-t / decay)).astype(np.float32)


def beat_times(bpm: float, seconds: float, drift: float = 0.0, start: float = 0.3) -> list[float]:
    """Times of beats whose tempo rises by the part `drift` over the whole signal."""
    times = [start]
    while (last := times[-1] + 60.0 / (bpm * (1.0 + drift * times[-1] / seconds))) < seconds - 0.2:
        times.append(last)
    return times


def clicks(bpm: float, seconds: float = 30.0, noise: float = 0.01) -> Samples:
    """A metronome."""
    click = _tone(1000.0, 0.09, 0.009)
    return _mix(seconds, [(time, click) for time in beat_times(bpm, seconds)], noise, seed=1)


def drums(bpm: float, seconds: float = 30.0, swing: float = 0.0, drift: float = 0.0) -> Samples:
    """Bass drum on 1 and 3, snare on 2 and 4, hi-hat on eighths; swing delays every second one by that part of a beat."""
    rng = np.random.default_rng(2)
    t = np.arange(4000) / SAMPLE_RATE
    snare = (0.5 * rng.standard_normal(4000) * np.exp(-t / 0.04)).astype(np.float32)
    hat = (0.1 * np.diff(rng.standard_normal(2001)) * np.exp(-t[:2000] / 0.01)).astype(np.float32)
    beats = beat_times(bpm, seconds, drift)
    events = [(time, snare if i % 2 else _tone(60.0, 0.3, 0.08)) for i, time in enumerate(beats)]
    events += [(time, hat) for time in beats]
    events += [(a + (0.5 + swing) * (b - a), hat) for a, b in itertools.pairwise(beats)]
    return _mix(seconds, events, 0.002, seed=3)


def plucked(chords: Sequence[Sequence[int]], bpm: float, seconds: float = 30.0) -> Samples:
    """Chords of MIDI pitches, one a sixteenth, as plucked strings; a pitch that stays is not struck again."""
    step = 15.0 / bpm
    events: list[tuple[float, Samples]] = []
    before: set[int] = set()
    for i, chord in enumerate(chords[: int((seconds - 0.5) / step)]):
        struck = [440.0 * 2 ** ((pitch - 69) / 12) for pitch in set(chord) - before]
        events += [(0.2 + i * step, 0.1 * _tone(hertz, 1.5, 0.4, partials=6)) for hertz in struck]
        before = set(chord)
    return _mix(min(seconds, 0.7 + len(chords) * step), events, 0.001, seed=4)


def synthesised(seconds: float = 30.0) -> Iterator[tuple[str, Samples]]:
    """Name and samples of click tracks and drum patterns at several tempi."""
    for bpm in (60.0, 72.0, 83.0, 97.0, 120.0, 133.7, 160.0, 180.0):
        yield f"clicks {bpm:g}", clicks(bpm, seconds)
    yield "clicks 110 in noise", clicks(110.0, seconds, noise=0.1)
    for bpm, swing, drift in ((90.0, 0.0, 0.0), (105.0, 0.17, 0.0), (125.0, 0.0, 0.06), (140.0, 0.17, -0.05)):
        yield f"drums {bpm:g}, swing {swing:g}, drift {drift:g}", drums(bpm, seconds, swing, drift)


def chorales(n: int, seconds: float = 30.0) -> Iterator[tuple[str, Samples]]:
    """Name and samples of the first n test chorales, at 70 to 110 bpm; none where the scores are absent."""
    if CHORALES.exists():
        for i, chords in enumerate(json.loads(CHORALES.read_text())["test"][:n]):
            yield f"chorale {i}", plucked(chords, 70.0 + 40.0 * i / n, seconds)

"""Voice conversion by WORLD (Morise, Yokomori & Ozawa 2016) through pyworld, an extra since it compiles."""

from pathlib import Path
from typing import Any

import numpy as np

from ...models.registry import ModelSpec
from ...voices.timbre import N_FFT, SAMPLE_RATE, Floats, Timbre
from .converter import Windowed, as_loud
from .envelope import OCTAVE, moved


def load(path: Path | None, spec: ModelSpec, place: Any, options: Any = None) -> Windowed:
    """The converter."""
    import pyworld  # noqa: F401

    return Windowed(converted)


def converted(samples: Floats, source: Timbre, target: Timbre) -> Floats:
    """Speech [n] of one voice at SAMPLE_RATE in another: as many samples, as loud."""
    import pyworld

    doubles = samples.astype(np.float64)
    rough, times = pyworld.dio(doubles, SAMPLE_RATE)
    pitch = pyworld.stonemask(doubles, rough, times, SAMPLE_RATE)
    power = pyworld.cheaptrick(doubles, pitch, times, SAMPLE_RATE, fft_size=N_FFT)
    noise = pyworld.d4c(doubles, pitch, times, SAMPLE_RATE, fft_size=N_FFT)
    change = float(np.clip(target.pitch - source.pitch, -OCTAVE, OCTAVE))
    envelopes = moved((np.log(power) / 2).astype(np.float32), source, target)
    moved_power = np.ascontiguousarray(np.exp(2.0 * envelopes.astype(np.float64)))
    made = pyworld.synthesize(pitch * np.exp(change), moved_power, noise, SAMPLE_RATE)
    made = np.pad(made.astype(np.float32), (0, max(len(samples) - len(made), 0)))[: len(samples)]
    return as_loud(made, samples)

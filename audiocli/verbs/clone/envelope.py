"""Voice conversion without weights: the pitch and the spectral envelopes of speech are moved to those of another voice.

The voice is raised or lowered by stretching and resampling (WSOLA); then every short-time spectrum gets the envelope that it had,
moved: formants along the frequency axis by a little of the change of pitch, and each bin to the mean and the spread of the target.
Sounds without pitch, and what lies above the band that a lowered voice has left, come from the source itself. Source: the classic
recipe of Stylianou, Cappe & Moulines (1998) with one Gaussian.
"""

from pathlib import Path
from typing import Any

import numpy as np
import soxr

from ...kernels.stretch import stretch
from ...models.registry import ModelSpec
from ...voices import timbre
from ...voices.timbre import N_BINS, SAMPLE_RATE, Floats, Timbre
from .converter import Windowed, as_loud

# How much of a change of pitch the formants take part in: throats differ less than voices.
FORMANTS, FORMANT_REACH = 0.2, 0.17  # share of the change in log Hz; log of the largest factor
FURTHEST = 3.0  # nepers that the mean of a bin may be moved
GAIN = 4.0  # nepers, of a bin in a frame
OCTAVE = float(np.log(2.0))  # and pitch is moved no further
SAME_PITCH = 0.02  # log Hz; smaller differences are left alone
LEFT = 0.92  # of the band of a lowered voice: the edge of it is the resampler's


def load(path: Path | None, spec: ModelSpec, place: Any, options: Any = None) -> Windowed:
    """The converter; it has no weights."""
    return Windowed(converted)


def moved(envelopes: Floats, source: Timbre, target: Timbre) -> Floats:
    """Log magnitude envelopes [frames, N_BINS] of the source as the target would have them, on the whole as loud."""
    factor = float(np.exp(np.clip(FORMANTS * (target.pitch - source.pitch), -FORMANT_REACH, FORMANT_REACH)))
    mean, spread = timbre.warped(source.mean, factor), timbre.warped(source.spread, factor)
    scale = np.clip(target.spread / spread, *timbre.HALVES)
    shift = np.clip(target.mean - mean, -FURTHEST, FURTHEST)
    return np.asarray(
        (timbre.warped(envelopes, factor) - mean) * scale + mean + shift - shift.mean(), np.float32
    )  # fmt: skip


def converted(samples: Floats, source: Timbre, target: Timbre) -> Floats:
    """Speech [n] of one voice at SAMPLE_RATE in another: as many samples, as loud."""
    change = float(np.clip(target.pitch - source.pitch, -OCTAVE, OCTAVE))
    plain = timbre.transform(samples)
    own = timbre.envelope(plain)
    excitation, present = plain, own
    if abs(change) > SAME_PITCH:
        raised = timbre.transform(_raised(samples, float(np.exp(change))))
        voiced = np.isfinite(timbre.pitch(samples, timbre.loudness(plain)))[:, None]
        band = np.arange(N_BINS) < min(1.0, float(np.exp(change))) * N_BINS * LEFT
        take = voiced & (band if change < 0 else True)
        excitation = np.where(take, raised, plain)
        present = np.where(take, timbre.envelope(raised), own)
    gain = np.clip(moved(own, source, target) - present, -GAIN, GAIN)
    return as_loud(timbre.inverse(excitation * np.exp(gain), len(samples)), samples)


def _raised(samples: Floats, factor: float) -> Floats:
    """Samples [n] with all frequencies times a factor, as many."""
    longer = stretch(samples, 1.0 / factor, SAMPLE_RATE)
    raised = soxr.resample(longer, SAMPLE_RATE * factor, SAMPLE_RATE).astype(np.float32)
    return np.pad(raised, (0, max(len(samples) - len(raised), 0)))[: len(samples)]

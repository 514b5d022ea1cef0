"""One pass over the samples of an input, in blocks: the kinds that are asked for go to spools, frame by frame.

Hours of audio need no memory here. Values of the whole file (the loudest value, the tempo) are made from the spools later,
in `tables`. torch is not imported.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kernels import descriptors, mulaw, pitch, waveform
from ...kernels.framing import Framer, frame_count
from ...kernels.spectral import Spectra, analyse, log_in_place
from ...options import FeaturesOptions, front_end
from ...spool import Spool
from ...tones.hearing import DEAF, Ears
from . import frontend
from .ears import NoteTable, PitchTable

Floats = NDArray[np.float32]

SHAPE = ("centroid", "bandwidth", "rolloff", "flatness", "flux")
# Chroma depend on the tuning, which is known only at the end: the whole spectrogram waits for it.
FROM_ALL_POWER = frozenset({"spectrogram", "chroma"})
FROM_POWER = FROM_ALL_POWER | {*SHAPE}
FROM_LOG_MEL = frozenset({"log-mel", "mfcc", "onset", "tempo", "beats"})
FROM_MEL = FROM_LOG_MEL | {"mel"}
BY_SAMPLE = frozenset({"waveform", "mu-law"})

Analyse = Callable[..., Spectra]


class Pass:
    """Takes the samples of one input, block after block, and spools the kinds that are asked for."""

    def __init__(
        self, options: FeaturesOptions, threads: int = 1, analyse: Analyse = analyse, ears: Ears = DEAF
    ) -> None:
        self.options, self.front = options, front_end(options)
        self.tables = frontend.tables(self.front)
        self.kinds = frozenset(options.kind)
        self.spools: dict[str, Spool] = {}
        self.peak = -math.inf  # the largest log-mel value
        self.padding = self.front.padding if self.front.center else "none"
        self._analyse, self._threads = analyse, threads
        self._framer = self._new_framer(self.tables.framing.frame_length, self.padding)
        self._pitch_framer = self._new_framer(pitch_frame_length(options), self.padding)
        # Padded with zeros, a signal that begins or ends below them would cross them there.
        self._zcr_framer = self._new_framer(
            self.tables.framing.frame_length, "edge" if self.front.center else self.padding
        )
        self._before: Floats | None = None  # the power spectrum before this chunk's first
        rate = self.front.sample_rate
        limits = options.pitch_fmin, options.pitch_fmax
        self.pitch = PitchTable(ears.pitch, rate, *limits) if ears.pitch and "pitch" in self.kinds else None
        self.notes = NoteTable(ears.notes, rate) if ears.notes and "notes" in self.kinds else None

    def _new_framer(self, frame_length: int, padding: str) -> Framer:
        return Framer(frame_length, self.front.hop_length, padding)

    def push(self, samples: Floats) -> None:
        """Take the next samples [n]."""
        if "waveform" in self.kinds:
            self._spool("waveform", samples)
        if "mu-law" in self.kinds:
            self._spool("mu-law", mulaw.encode(samples, self.options.mu))
        self._frames(self._framer.push(samples))
        if "zcr" in self.kinds:
            self._zcr(self._zcr_framer.push(samples))
        if self.pitch:
            self.pitch.push(samples)
        elif "pitch" in self.kinds:
            self._pitch(self._pitch_framer.push(samples))
        if self.notes:
            self.notes.push(samples)

    def finish(self) -> None:
        """No more samples will come."""
        self._frames(self._framer.finish())
        if "zcr" in self.kinds:
            self._zcr(self._zcr_framer.finish())
        if self.pitch:
            self._spool(
                "pitch", self.pitch.finish(self.tables.framing.frame_length, self._framer.hop_length, self.padding)
            )
        elif "pitch" in self.kinds:
            self._pitch(self._pitch_framer.finish())
        if self.notes:
            self.notes.finish()
        self.end_frames()

    def end_frames(self) -> None:
        """The last frame has been seen."""
        if self.front.drop_last:
            for kind in self.spools.keys() - BY_SAMPLE:
                self.spools[kind].drop_last()

    def _spool(self, kind: str, values: NDArray[Any]) -> None:
        if kind not in self.spools:
            self.spools[kind] = Spool(1 if values.ndim == 1 else values.shape[1], values.dtype)
        self.spools[kind].append(values)

    def _frames(self, chunk: Floats) -> None:
        frame_length, hop_length = self.tables.framing.frame_length, self.front.hop_length
        if not frame_count(chunk.size, frame_length, hop_length):
            return
        if "rms" in self.kinds:
            self._spool("rms", waveform.rms(chunk, frame_length, hop_length))
        if self.kinds & (FROM_POWER | FROM_MEL):
            framing, bank = self.tables.framing, self.tables.sparse
            self.take(self._analyse(chunk, framing, bank=bank, threads=self._threads, **self.wanted()))

    def wanted(self) -> dict[str, Any]:
        """The outputs wanted from `analyse`: mel values as logarithms when nothing needs them as they are."""
        linear = "mel" in self.kinds
        return {
            "log": None if linear else self.tables.log,
            "exponent": self.front.power,
            "want_mel": bool(self.kinds & FROM_MEL),
            "want_power": bool(self.kinds & FROM_POWER),
        }

    def take(self, spectra: Spectra) -> None:
        """Take the next frames, analysed as `wanted` says."""
        if spectra.mel is not None:
            self._mel(spectra.mel)
        if spectra.energy is not None and "mfcc" in self.kinds:
            self._spool("energy", spectra.energy)
        if spectra.power is not None:
            self._power(spectra.power)

    def _mel(self, values: Floats) -> None:
        if "mel" in self.kinds:
            self._spool("mel", values)
            if not self.kinds & FROM_LOG_MEL:
                return
            values = values.copy()
            log_in_place(values, self.tables.log)
        self.peak = max(self.peak, float(values.max(initial=-math.inf)))
        self._spool("log-mel", values)

    def _power(self, values: Floats) -> None:
        if self.kinds & FROM_ALL_POWER:
            self._spool("spectrogram", values)
        if self.kinds.intersection(SHAPE):
            values = self.squared(values)
            shape = descriptors.shape(values, self.tables.frequencies, self._before)
            for kind in self.kinds.intersection(SHAPE):
                self._spool(kind, getattr(shape, kind))
            self._before = values[-1].copy()

    def squared(self, spectra: Floats) -> Floats:
        """Power [frames, bins] of a spectrogram, whatever its exponent."""
        return spectra if self.front.power == 2.0 else spectra ** np.float32(2.0 / self.front.power)

    def _zcr(self, chunk: Floats) -> None:
        crossings = waveform.zero_crossings(chunk, self._zcr_framer.frame_length, self.front.hop_length)
        self._spool("zcr", crossings)

    def _pitch(self, chunk: Floats) -> None:
        options, length = self.options, self._pitch_framer.frame_length
        if not frame_count(chunk.size, length, self.front.hop_length):
            return
        f0, _ = pitch.yin(
            chunk, self.front.sample_rate, options.pitch_fmin, options.pitch_fmax, length, self.front.hop_length
        )
        self._spool("pitch", f0)


def pitch_frame_length(options: FeaturesOptions) -> int:
    """Samples for YIN: the longest period twice over and as much again to compare it on."""
    return 2 * math.ceil(2 * front_end(options).sample_rate / options.pitch_fmin)

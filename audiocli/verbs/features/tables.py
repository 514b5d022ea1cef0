"""The results of a finished pass: a table for each kind, read block by block from the spools."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kernels import chroma, rhythm
from ...kernels.spectral import DECIBEL
from ...records import Table
from ...spool import Spool, in_blocks, reblocked
from . import frontend
from .analysis import BY_SAMPLE, Pass

Floats = NDArray[np.float32]

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
UNITS = {
    "pitch": "Hz", "centroid": "Hz", "bandwidth": "Hz", "rolloff": "Hz", "tempo": "BPM", "beats": "s",
    "mel": "power", "spectrogram": "power", "mu-law": "code",
}  # fmt: skip
# Onsets look at what is within 80 dB of the loudest band, as librosa's do.
ONSET_RANGE = 80.0  # dB
# A slope over nine frames, as librosa.feature.delta takes it.
DELTA_WIDTH = 9


class Finish:
    """Tables from a finished Pass; parts that several kinds share are made once."""

    def __init__(self, done: Pass, start: float) -> None:
        self._done, self._start = done, start
        self._front = done.front

    def tables(self) -> dict[str, Table]:
        """A table a kind, in the order asked for."""
        makers = {
            "log-mel": self._log_mel, "mfcc": self._mfcc, "chroma": self._chroma, "onset": self._onset, "tempo": self._tempo,
            "beats": self._beats, "notes": self._notes, **dict.fromkeys(BY_SAMPLE, self._samples),
        }  # fmt: skip
        return {kind: makers.get(kind, self._framed)(kind) for kind in self._done.options.kind}

    def _spool(self, kind: str, columns: int = 1, dtype: type = np.float32) -> Spool:
        return self._done.spools.get(kind) or Spool(columns, dtype)

    def _table(self, kind: str, columns: tuple[str, ...], n_frames: int, blocks: Callable[[], Iterator[Any]]) -> Table:
        """A table with a row a frame; frames that are not centred on their time stand at their middle."""
        front = self._front
        middle = 0.0 if front.center else self._done.tables.framing.frame_length / 2 / front.sample_rate
        step, start = front.hop_length / front.sample_rate, self._start + middle
        unit = UNITS.get(kind, "")
        return Table(columns, n_frames, step, blocks, np.dtype(np.float32), start, unit)

    def _framed(self, kind: str) -> Table:
        tables = self._done.tables
        columns: tuple[str, ...] = (kind,)
        if kind == "spectrogram":
            columns = tables.bin_names
        elif kind == "mel":
            columns = tables.band_names
        spool = self._spool(kind, len(columns))
        return self._table(kind, columns, spool.n_rows, spool.blocks)

    def _power(self) -> Iterator[Floats]:
        for block in self._spectrogram.blocks():
            yield self._done.squared(block)

    @property
    def _spectrogram(self) -> Spool:
        return self._spool("spectrogram", self._done.tables.framing.bins)

    @cached_property
    def _tuning(self) -> float:
        """The tuning of the input above A4 = 440 Hz, in semitones."""
        if (given := self._done.options.tuning) is not None:
            return given
        peaks = Spool(2)
        for block in self._power():
            peaks.append(chroma.peaks(block, self._front.sample_rate))
        return float(chroma.tuning(peaks.blocks))

    def _chroma(self, kind: str) -> Table:
        bank = chroma.filterbank(self._front.sample_rate, self._front.n_fft, tuning=self._tuning)

        def blocks() -> Iterator[Floats]:
            return (chroma.chroma(block, bank) for block in self._power())

        return self._table(kind, PITCH_CLASSES, self._spectrogram.n_rows, blocks)

    def _samples(self, kind: str) -> Table:
        spool = self._spool(kind, dtype=np.float32 if kind == "waveform" else np.uint8)
        step = 1.0 / self._front.sample_rate
        return Table((kind,), spool.n_rows, step, spool.blocks, spool.dtype, self._start, UNITS.get(kind, ""))

    def _clamped(self, top_db: float | None) -> Iterator[Floats]:
        lowest = np.float32(self._done.tables.lowest(self._done.peak, top_db))
        for block in self._spool("log-mel", self._front.n_mels).blocks():
            yield block if top_db is None else np.maximum(block, lowest)

    def _log_mel(self, kind: str) -> Table:
        shift, scale = np.float32(self._front.shift), np.float32(self._front.scale)

        def blocks() -> Iterator[Floats]:
            for block in self._clamped(self._front.top_db):
                yield block if shift == 0.0 and scale == 1.0 else (block + shift) * scale

        spool = self._spool("log-mel", self._front.n_mels)
        table = self._table(kind, self._done.tables.band_names, spool.n_rows, blocks)
        unit = frontend.UNITS[self._front.log] if shift == 0.0 and scale == 1.0 else "scaled"
        return Table(table.columns, table.n_frames, table.step, blocks, table.dtype, table.start, unit)

    def _cepstra(self) -> Iterator[Floats]:
        energies = self._spool("energy").blocks() if self._front.energy else None
        log = self._done.tables.log
        for block in self._clamped(self._front.mfcc_top_db):
            values = block @ self._done.tables.dct
            if energies is not None:
                values[:, 0] = log.factor * np.log(np.maximum(next(energies)[:, 0], log.floor))
            yield values

    def _mfcc(self, kind: str) -> Table:
        names = tuple(str(n) for n in range(self._front.n_mfcc))
        n_frames = self._spool("log-mel", self._front.n_mels).n_rows
        if not self._done.options.deltas:
            return self._table(kind, names, n_frames, self._cepstra)
        names += tuple(f"delta {n}" for n in names) + tuple(f"delta-delta {n}" for n in names)
        return self._table(kind, names, n_frames, lambda: reblocked(with_deltas(self._cepstra(), n_frames)))

    def _onsets(self, median: bool) -> Floats:
        tables = self._done.tables
        lowest = (tables.lowest(self._done.peak, ONSET_RANGE)) * DECIBEL / tables.log.factor
        parts: list[Floats] = [np.zeros(0, np.float32)]
        before: Floats | None = None
        for block in self._spool("log-mel", self._front.n_mels).blocks():
            in_db = block * np.float32(DECIBEL / tables.log.factor)
            parts.append(rhythm.onset_strength(in_db, before, median=median, lowest_db=lowest))
            before = in_db[-1]
        onsets = np.concatenate(parts)
        return rhythm.centred(onsets, self._front.n_fft, self._front.hop_length) if self._front.center else onsets

    @cached_property
    def _rhythm(self) -> tuple[float, NDArray[np.int64]]:
        """Tempo in beats per minute, and the frames of the beats."""
        rate = self._front.sample_rate / self._front.hop_length
        onsets = self._onsets(median=True)
        bpm = rhythm.tempo(onsets, rate)
        return bpm, rhythm.beats(onsets, bpm, rate)

    def _onset(self, kind: str) -> Table:
        values = self._onsets(median=False)[:, None]
        return self._table(kind, (kind,), len(values), lambda: in_blocks(values))

    def _tempo(self, kind: str) -> Table:
        values = np.array([[self._rhythm[0]]], np.float32)
        return Table((kind,), 1, None, lambda: in_blocks(values), values.dtype, unit=UNITS[kind])

    def _beats(self, kind: str) -> Table:
        times = self._start + self._rhythm[1] * (self._front.hop_length / self._front.sample_rate)
        values = times.astype(np.float64)[:, None]
        return Table((kind,), len(values), None, lambda: in_blocks(values), values.dtype, unit=UNITS[kind])

    def _notes(self, kind: str) -> Table:
        assert self._done.notes is not None, "a pass that is to find notes has what finds them"
        values = self._done.notes.values(self._start)
        return Table(self._done.notes.columns, len(values), None, lambda: in_blocks(values), values.dtype, self._start)


def with_deltas(blocks: Iterator[Floats], n_frames: int) -> Iterator[Floats]:
    """Blocks [n, c] with the first and second derivative over time beside them, [n, 3 c].

    Savitzky-Golay of order 1 and 2 over DELTA_WIDTH frames, or as many as there are; at the ends the nearest whole window's.
    """
    width = min(DELTA_WIDTH, n_frames - (n_frames + 1) % 2)
    if width < 3:
        for block in blocks:
            yield np.concatenate([block, np.zeros_like(block), np.zeros_like(block)], axis=1)
        return
    reach = width // 2
    offsets = np.arange(-reach, reach + 1)
    slope = offsets / np.sum(offsets**2)
    bend = 2.0 * np.linalg.pinv(np.vander(offsets, 3))[0]
    rows, position = np.zeros((0, 0), np.float32), 0  # frames from position - reach on that windows still need
    slopes = bends = rows
    for block in blocks:
        rows = np.concatenate([rows, block]) if rows.size else block
        if len(rows) < width:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(rows, width, axis=0)
        slopes, bends = (windows @ weights.astype(np.float32) for weights in (slope, bend))
        if position == 0:
            yield np.concatenate(
                [rows[:reach], np.repeat(slopes[:1], reach, 0), np.repeat(bends[:1], reach, 0)], axis=1
            )
        yield np.concatenate([rows[reach : len(rows) - reach], slopes, bends], axis=1)
        position, rows = 1, rows[len(rows) - 2 * reach :]
    yield np.concatenate([rows[-reach:], np.repeat(slopes[-1:], reach, 0), np.repeat(bends[-1:], reach, 0)], axis=1)


def feature_tables(done: Pass, start: float = 0.0) -> dict[str, Table]:
    """The tables of a finished pass, in the order of its kinds; start: seconds of the input before its first sample."""
    return Finish(done, start).tables()

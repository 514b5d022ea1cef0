"""Spectra in padded batches through torch, for --device cuda; the same numbers as the kernels within 1e-4.

Clips go through in groups; what is longer than LONG is streamed chunk by chunk, as on the processor.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import UsageError
from ...inputs.sources import Source
from ...kernels.framing import frame_count, pad_ends
from ...kernels.mel import SparseBank
from ...kernels.spectral import Framing, Log, Spectra
from ...options import FeaturesOptions, FrontEnd, InputOptions, front_end
from ...records import Record
from ...run import batch
from . import frontend
from .analysis import Pass
from .work import Runner, record

Floats = NDArray[np.float32]

KINDS = frozenset({"spectrogram", "mel", "log-mel", "mfcc"})
LONG = 600.0  # s
# Frames that are on the device at once: 512 samples each and their spectra are half a gigabyte.
FRAMES = 1 << 16


@dataclass(frozen=True)
class FeatureInput:
    """A short input in memory, or (samples None) a long one that is streamed."""

    source: Source
    samples: Floats | None
    sample_rate: int  # Hz of the input
    duration: float  # s
    warnings: tuple[str, ...]


class Analyser:
    """`kernels.spectral.analyse` for a batch of chunks, on a device."""

    def __init__(self, front: FrontEnd, device: torch.device) -> None:
        tables = frontend.tables(front)
        self._framing, self._device = tables.framing, device
        self._window = torch.from_numpy(_placed(tables.framing)).to(device)
        self._bank = torch.from_numpy(tables.bank.T.copy()).to(device)

    def batch(
        self, chunks: Sequence[Floats], *, log: Log | None, exponent: float, want_mel: bool, want_power: bool
    ) -> list[Spectra]:
        """Spectra of each chunk [n]."""
        length, hop = self._framing.frame_length, self._framing.hop_length
        padded = np.zeros((len(chunks), max([length, *(chunk.size for chunk in chunks)])), np.float32)
        for row, chunk in zip(padded, chunks, strict=True):
            row[: chunk.size] = chunk
        frames = torch.from_numpy(padded).to(self._device).unfold(1, length, hop)
        count = max(1, FRAMES // len(chunks))
        parts = [self._spectra(part, log, exponent, want_mel, want_power) for part in torch.split(frames, count, dim=1)]
        power, mel, energy = (_joined(values) for values in zip(*parts, strict=True))
        counts = [frame_count(chunk.size, length, hop) for chunk in chunks]
        return [
            Spectra(*(None if values is None else values[i, :n] for values in (power, mel, energy)))
            for i, n in enumerate(counts)
        ]

    def __call__(
        self, samples: Floats, framing: Framing, *, bank: SparseBank, log: Log | None = None, exponent: float = 2.0,
        want_mel: bool = True, want_power: bool = False, threads: int = 1,
    ) -> Spectra:  # fmt: skip
        """One chunk, with the interface of `kernels.spectral.analyse`; framing and bank are those of the front end."""
        return self.batch([samples], log=log, exponent=exponent, want_mel=want_mel, want_power=want_power)[0]

    def _spectra(
        self, frames: torch.Tensor, log: Log | None, exponent: float, want_mel: bool, want_power: bool
    ) -> tuple[torch.Tensor | None, ...]:
        """Power [batch, frames, bins], mel and energy of frames [batch, frames, length]."""
        energy = None
        if self._framing.speech:
            frames, energy = _speech(frames, *self._framing.speech)
            frames = torch.nn.functional.pad(frames, (0, self._framing.n_fft - frames.shape[-1]))
        power = torch.fft.rfft(frames * self._window).abs() ** exponent
        mel = power @ self._bank if want_mel else None
        if mel is not None and log is not None:
            mel = log.factor * torch.log(torch.clamp(mel, min=log.floor))
        return power if want_power else None, mel, energy


def _cost(clip: FeatureInput) -> float:
    return clip.duration


def _placed(framing: Framing) -> Floats:
    """The window [n_fft], in the middle, or at the start for speech framing."""
    window = np.zeros(framing.n_fft, np.float32)
    first = 0 if framing.speech else (framing.n_fft - framing.window.size) // 2
    window[first : first + framing.window.size] = framing.window
    return window


def _speech(frames: torch.Tensor, gain: float, preemphasis: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Kaldi's frames and their energies."""
    frames = (frames - frames.mean(-1, keepdim=True)) * gain
    before = torch.cat([frames[..., :1], frames[..., :-1]], dim=-1)
    return frames - preemphasis * before, (frames**2).sum(-1)


def _joined(parts: Sequence[torch.Tensor | None]) -> Floats | None:
    there = [part for part in parts if part is not None]
    return torch.cat(there, dim=1).cpu().numpy() if there else None


class BatchRunner(batch.Work[FeatureInput, Record]):
    """The features runner for a device; raises UsageError for kinds that it lacks."""

    def __init__(self, options: FeaturesOptions, reading: InputOptions, device: torch.device) -> None:
        if other := [kind for kind in options.kind if kind not in KINDS]:
            raise UsageError(f"--device {device} computes {', '.join(sorted(KINDS))}, not {other[0]}")
        self.options, self.reading = options, reading
        self._front = front_end(options)
        self._analyser = Analyser(self._front, device)
        self._streamed = Runner(options, reading, analyse=self._analyser)

    @property
    def grouping(self) -> batch.Grouping[FeatureInput]:
        """Inputs of similar length together."""
        return batch.Grouping(cost=_cost, seconds=LONG)

    def read(self, source: Source) -> FeatureInput:
        """Decode a short input; a long one is only looked at, unless it is a pipe, which can be read only once."""
        with self._streamed.open(source) as stream:
            if source.size and (stream.length is None or stream.length > LONG):
                return FeatureInput(source, None, stream.source_rate, LONG, ())
            blocks = [block[0] for block in stream.blocks]
        samples = np.concatenate([np.zeros(0, np.float32), *blocks])
        duration = samples.size / self._front.sample_rate
        return FeatureInput(source, samples, stream.source_rate, duration, tuple(stream.warnings))

    def __call__(self, clips: list[FeatureInput]) -> list[Record]:
        """A record for each clip."""
        short = [clip for clip in clips if clip.samples is not None and clip.samples.size]
        done = dict(zip(map(id, short), self._batch(short), strict=True))
        return [done.get(id(clip)) or self._streamed([clip.source])[0] for clip in clips]

    def _batch(self, clips: list[FeatureInput]) -> list[Record]:
        if not clips:
            return []
        work = [Pass(self.options, analyse=self._analyser) for _ in clips]
        length, padding = frontend.tables(self._front).framing.frame_length, work[0].padding
        chunks = [pad_ends(clip.samples, length, padding) for clip in clips if clip.samples is not None]
        spectra = self._analyser.batch(chunks, **work[0].wanted())
        records = []
        for clip, one, values in zip(clips, work, spectra, strict=True):
            one.take(values)
            one.end_frames()
            records.append(record(clip.source, one, clip.duration, clip.sample_rate, self.reading, clip.warnings))
        return records

"""A speaker per channel, as telephone calls are recorded: speech is found in each by itself, and may overlap."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...inputs.sources import Streamed, open_audio
from ...records import NO_SPEECH, Diarization, Turn
from ...vad.cutter import Chunk, Cut, Cutter, cutter
from ...vad.silero import FRAME, SAMPLE_RATE
from ...voices.windows import SPEECH, Floats

CROSSTALK = 12.0  # dB below the loudest channel: then a channel only has another one's speaker
TWINS = 1e-3  # of the power, -30 dB: channels that differ by less are one and the same
FADING = 0.9  # of the levels from frame to frame: by half in 0.2 s, so that the gate does not chop words


@dataclass
class Channel:
    """The speech in one channel so far."""

    number: int  # from 1
    work: Cutter
    turns: list[Turn] = field(default_factory=list)
    _start: int = 0
    _end: int = 0

    def take(self, chunks: Iterable[Chunk]) -> None:
        """Note the stretches of speech."""
        for chunk in chunks:
            if chunk.begins:
                self._start = chunk.start
            if chunk.ends:
                end = min(self._end / SAMPLE_RATE, self.work.seconds)
                self.turns.append(Turn(self._start / SAMPLE_RATE, end, str(self.number), self.number))
            self._end = chunk.start + len(chunk.samples)


@dataclass
class Twins:
    """Whether all channels hold the same sound, so that they cannot be a speaker each."""

    power: float = 0.0  # of the first channel, so far
    difference: float = 0.0  # of the one that differs most from it, or from its opposite

    def watched(self, blocks: Iterable[Floats]) -> Iterator[Floats]:
        """Blocks [channels, n] as they are."""
        for block in blocks:
            first, others = block[0], block[1:]
            self.power += _power(first)
            self.difference += max((min(_power(one - first), _power(one + first)) for one in others), default=0.0)
            yield block

    def notes(self, channels: int) -> list[str]:
        """Warnings about the channels."""
        if channels == 1:
            return ["there is one channel, so everybody in it is one speaker: leave --channels out"]
        if self.power and self.difference < TWINS * self.power:
            return ["the channels hold the same sound, so every speaker is found in each: leave --channels out"]
        return []


def _power(samples: Floats) -> float:
    return float(np.square(samples).sum())


@dataclass(frozen=True)
class Channels:
    """A diarizer without a model."""

    cut: Cut = SPEECH

    def __call__(self, batch: Sequence[Streamed]) -> list[Diarization]:
        """A record for each input. Raises InputError."""
        return [self._one(item) for item in batch]

    def _one(self, item: Streamed) -> Diarization:
        with open_audio(item.source, item.reading, SAMPLE_RATE, mono=False) as stream:
            every, twins = [Channel(n, cutter(True, self.cut)) for n in range(1, stream.channels + 1)], Twins()
            for block in own(twins.watched(stream.blocks)):
                for channel, samples in zip(every, block, strict=True):
                    channel.take(channel.work.push(samples))
        for channel in every:
            channel.take(channel.work.finish())
        turns = tuple(turn for channel in every for turn in channel.turns)
        warnings = (*stream.warnings, *twins.notes(len(every)))
        return Diarization(
            path=item.path, duration=every[0].work.seconds, sample_rate=stream.source_rate, task="diarize",
            status="ok" if turns else NO_SPEECH, warnings=warnings, turns=turns, exclusive=False,
        )  # fmt: skip


def own(blocks: Iterable[Floats]) -> Iterator[Floats]:
    """Blocks [channels, n] with silence where a channel only picks up another one, which is CROSSTALK dB louder."""
    rest: Floats | None = None
    levels = np.zeros(0, np.float32)
    for block in blocks:
        rest = block if rest is None else np.concatenate([rest, block], axis=1)
        whole = rest.shape[1] // FRAME * FRAME
        frames, rest = rest[:, :whole].reshape(len(rest), -1, FRAME).copy(), rest[:, whole:]
        levels = levels if len(levels) else np.zeros(len(rest), np.float32)
        for n, rms in enumerate(np.sqrt(np.mean(frames**2, axis=2)).T):
            levels = np.maximum(rms, levels * FADING)
            frames[levels < levels.max() * 10 ** (-CROSSTALK / 20), n] = 0.0
        yield frames.reshape(len(rest), whole)
    if rest is not None and rest.shape[1]:
        yield rest

"""Many recordings through an encoder: each is read and heard once, and its voice is kept."""

from dataclasses import dataclass

import numpy as np

from ...errors import UsageError
from ...inputs.sources import Source, open_audio
from ...options import InputOptions
from ...records import Record
from ...run import batch
from ...vad.silero import SAMPLE_RATE
from ...voices import alone
from ...voices.embeddings import SpeakerEncoder
from ...voices.voice import Floats, Voice, hear, speech


@dataclass(frozen=True, kw_only=True)
class InputVoice(Record):
    """The voice of one input."""

    voice: Voice


@dataclass(frozen=True)
class VoiceInput:
    """An input in memory, samples [n] at the encoder's rate."""

    source: Source
    samples: Floats
    source_rate: int  # Hz
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Work(batch.Work[VoiceInput, InputVoice]):
    """The runner: inputs in, their voices out, one at a time on as many threads as there are jobs."""

    encoder: SpeakerEncoder
    reading: InputOptions
    single: bool = False  # whether only one person should speak in each input: more give a warning

    def __post_init__(self) -> None:
        if self.encoder.sample_rate != SAMPLE_RATE:
            raise UsageError(f"{self.encoder.spec.name} hears {self.encoder.sample_rate} Hz, not {SAMPLE_RATE}")

    def read(self, source: Source) -> VoiceInput:
        """All of an input. Raises InputError."""
        with open_audio(source, self.reading, self.encoder.sample_rate) as stream:
            blocks = [block[0] for block in stream.blocks]
        samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
        return VoiceInput(source, samples, stream.source_rate, tuple(stream.warnings))

    def __call__(self, batch: list[VoiceInput]) -> list[InputVoice]:
        """The voices of the clips."""
        return [
            InputVoice(
                path=clip.source.path, duration=len(clip.samples) / self.encoder.sample_rate, sample_rate=clip.source_rate,
                task="verify", voice=hear(self.encoder, clip.samples), warnings=(*clip.warnings, *self._several(clip)),
            )
            for clip in batch
        ]  # fmt: skip

    def _several(self, clip: VoiceInput) -> tuple[str, ...]:
        if not (self.single and self.encoder.speech):
            return ()
        most = int(alone.LONGEST * self.encoder.sample_rate)
        return (alone.SEVERAL,) if alone.several(speech(clip.samples)[:most], self.encoder) else ()

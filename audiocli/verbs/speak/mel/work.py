"""The runner of `audiocli speak --from-mel`: mel spectrograms from files become sound."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .... import __version__
from ....audio import mels
from ....inputs.sources import Source
from ....records import Segment, Speaking, Speech
from ....run import batch
from ..vocoders import Vocoder


@dataclass(frozen=True)
class FromMel(batch.Work[Source, Speech]):
    """Files of mels in, records out."""

    vocoder: Vocoder
    name: str
    recorded: dict[str, Any]  # the options, as the record tells them

    def __call__(self, batch: list[Source]) -> list[Speech]:
        """A record for each file. Raises InputError."""
        return [self._record(source) for source in batch]

    def _record(self, source: Source) -> Speech:
        mel = torch.from_numpy(mels.read(source.open()))
        sound = Speaking(self._sound(mel), self.vocoder.sample_rate, keep=False)
        tags = {
            "title": source.relative.stem,
            "software": f"audiocli {__version__}",
            "comment": f"AI-generated speech (synthetic), from a mel spectrogram, vocoder {self.name}",
        }
        return Speech(
            path=source.path, duration=0.0, sample_rate=self.vocoder.sample_rate, task="speak", model=self.name,
            revision=None, options=self.recorded, status="ok" if len(mel) > 1 else "empty", voice=None, language=None,
            sound=sound, tags=tags,
        )  # fmt: skip

    def _sound(self, mel: torch.Tensor) -> Iterator[tuple[Segment, NDArray[np.float32]]]:
        if len(mel) > 1:
            samples = self.vocoder(mel)
            yield Segment(0.0, len(samples) / self.vocoder.sample_rate, ""), samples

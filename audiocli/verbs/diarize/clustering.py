"""The built-in diarizer: speech by silero-vad, voices by the Siamese encoder, speakers by clustering. Overlap is not detected.

An hour is about 9,000 windows, which are heard in batches while the next ones are cut; only their voices are kept.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...inputs.sources import Streamed
from ...models.registry import MODELS, ModelSpec
from ...options import DiarizeOptions
from ...records import NO_SPEECH, Diarization, Turn
from ...run.prefetch import prefetch
from ...vad.cutter import Cut, cutter
from ...voices import calibration
from ...voices.clusters import Bounds, Labels, Odds, Window, diarize
from ...voices.embeddings import SpeakerEncoder
from ...voices.windows import SPEECH, Floats, in_batches, windows

ENCODER = "siamese-speakers"
BATCH = 32  # windows in one forward pass
AHEAD = 2  # batches that wait for the encoder
SNR = 20.0  # dB that voices are taken to have: those of one input have all the same


def load(path: Path, spec: ModelSpec, place: Any, options: DiarizeOptions) -> "Diarizer":
    """The diarizer with the encoder in the folder `path`; `place` has the device and the precision."""
    from ...voices.siamese import load as encoder

    return Diarizer(spec, bounds(options), encoder(path, MODELS[ENCODER], place), speech(options))


def bounds(options: DiarizeOptions) -> Bounds:
    """The number of speakers that the user allows."""
    if options.speakers is not None:
        return Bounds(options.speakers, options.speakers)
    return Bounds(options.min_speakers or 1, options.max_speakers)


def speech(options: DiarizeOptions) -> Cut:
    """The settings for cutting speech into turns."""
    return replace(SPEECH, threshold=options.vad_threshold)


def odds(encoder: SpeakerEncoder) -> Odds | None:
    """A function for the log-odds that voices are one person's, by the encoder's calibration; None when it has none."""
    if not encoder.calibration:
        return None
    fitted = calibration.from_dict(encoder.calibration)

    def log_odds(voices: Floats, seconds: NDArray[np.float64], first: Labels, second: Labels) -> NDArray[np.float64]:
        snr = np.full(len(voices), SNR)
        return fitted.log_odds(calibration.among(voices, seconds, snr, first, second, encoder.cohort))

    return log_odds


@dataclass(frozen=True)
class Diarizer:
    """Reads its inputs itself, one after the other, in constant memory but for the voices."""

    spec: ModelSpec
    bounds: Bounds
    encoder: SpeakerEncoder
    cut: Cut = SPEECH

    def __call__(self, batch: Sequence[Streamed]) -> list[Diarization]:
        """A record for each input. Raises InputError."""
        return [self._one(item) for item in batch]

    def _one(self, item: Streamed) -> Diarization:
        work = cutter(True, self.cut)
        with item.open(self.encoder.sample_rate) as stream:
            batches = list(self._hear(windows(work, (block[0] for block in stream.blocks))))
        regions = [window for some, _ in batches for window in some]
        voices = np.concatenate([some for _, some in batches]) if batches else np.zeros((0, 1), np.float32)
        spoken = diarize(regions, voices, self.bounds, odds(self.encoder))
        turns = tuple(Turn(one.start, one.end, str(one.speaker)) for one in spoken)
        return Diarization(
            path=item.path, duration=work.seconds, sample_rate=stream.source_rate, task="diarize", model=self.spec.name,
            revision=self.spec.revision, status="ok" if turns else NO_SPEECH, warnings=tuple(stream.warnings), turns=turns,
        )  # fmt: skip

    def _hear(self, stream: Iterator[tuple[Window, Floats]]) -> Iterator[tuple[Sequence[Window], Floats]]:
        """Windows and their voices [windows, d], batch by batch; the next ones are cut meanwhile."""

        def hear(batch: tuple[Sequence[Window], Floats]) -> tuple[Sequence[Window], Floats]:
            return batch[0], self.encoder.embed(list(batch[1]))

        with ThreadPoolExecutor(1) as pool:
            yield from (one for one in prefetch(hear, in_batches(stream, BATCH), pool, AHEAD) if one is not None)

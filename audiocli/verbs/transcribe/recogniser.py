"""What a recogniser is, and which options each takes: those that one does not take are refused here, before it is loaded."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ...audio import Audio
from ...errors import UsageError
from ...models.batches import Batches
from ...models.registry import ModelSpec
from ...options import TranscribeOptions
from ...records import Segment, Transcript
from .models import CTC, FASTER, MOONSHINE, POCKETSPHINX, WHISPER

if TYPE_CHECKING:
    from ...vad.cutter import Cutter

Floats = NDArray[np.float32]

_WHISPER, _CTC = "a Whisper model, as whisper-base", "a CTC model, as wav2vec2-base-960h"
# Options that not every recogniser takes, and a model that does.
OPTIONAL = {
    "translate": _WHISPER,
    "prompt": _WHISPER,
    "hotwords": _WHISPER,
    "beam": _WHISPER,
    "temperature": _WHISPER,
    "batch_size": _WHISPER,
    "lm": _CTC,
}


@dataclass(frozen=True)
class Traits:
    """What a recogniser is like.

    takes: those of OPTIONAL that it takes. streams: its inputs are `Streamed`, which it reads itself; else they are `Audio`.
    """

    takes: frozenset[str] = frozenset()
    streams: bool = False


TRAITS = {
    POCKETSPHINX: Traits(streams=True),
    WHISPER: Traits(frozenset({"translate", "prompt", "hotwords", "beam", "temperature", "batch_size"})),
    FASTER: Traits(frozenset({"translate", "prompt", "hotwords", "beam", "temperature", "batch_size"})),
    MOONSHINE: Traits(frozenset({"beam", "batch_size"})),
    CTC: Traits(frozenset({"hotwords", "beam", "batch_size", "lm"})),
}  # by adapter
ANY = Traits(frozenset(OPTIONAL))  # of an adapter that is not ours


@runtime_checkable
class Recogniser(Protocol):
    """A loaded model: inputs in, as many records out, in their order."""

    @property
    def sample_rate(self) -> int: ...

    @property
    def traits(self) -> Traits: ...

    def __call__(self, batch: list[Any]) -> Sequence[Transcript]: ...


@runtime_checkable
class Multilingual(Recogniser, Protocol):
    """A recogniser that finds out what is spoken: once an input, whose pieces it gets."""

    def pieces(self, pieces: Sequence[Audio], of: Sequence[int], known: dict[int, str]) -> list[Transcript]:
        """A record for each piece. of: the number of its input. known: languages by number; those found are put there."""
        ...


@runtime_checkable
class Batched(Recogniser, Protocol):
    """A recogniser whose clips share padded batches."""

    @property
    def batches(self) -> Batches: ...


@runtime_checkable
class Parallel(Recogniser, Protocol):
    """A recogniser that hears as many files at once as it has workers."""

    @property
    def jobs(self) -> int: ...


@runtime_checkable
class Spreading(Recogniser, Protocol):
    """A recogniser that can be in several processes."""

    def spread(self, jobs: int) -> AbstractContextManager[Parallel]:
        """The same, for `jobs` files at once."""
        ...


@dataclass(frozen=True)
class Partial:
    """Text that may still change, of a piece of speech that began at `start` seconds of the input."""

    start: float
    text: str


class Session(Protocol):
    """A recogniser at work on samples as they come: its text for now, and the segments that it has settled on."""

    sample_rate: int
    cutter: "Cutter"
    dropped: list[str]  # loops of the model that were left out

    def push(self, samples: Floats) -> Iterator[Partial | Segment]: ...

    def finish(self) -> Iterator[Partial | Segment]: ...


@runtime_checkable
class Listening(Recogniser, Protocol):
    """A recogniser with a way of its own to hear what comes as it comes."""

    def listen(self) -> Session:
        """A session that begins now."""
        ...


def check_takes(spec: ModelSpec, options: TranscribeOptions) -> None:
    """Raises UsageError for an option that was given and that the model does not take."""
    default, traits = TranscribeOptions(), TRAITS.get(spec.adapter, ANY)
    for name, other in OPTIONAL.items():
        if name not in traits.takes and getattr(options, name) != getattr(default, name):
            raise UsageError(f"{spec.name} has no --{name.replace('_', '-')}: leave it out, or use {other}")

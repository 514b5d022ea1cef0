"""What a recogniser is, and which options each takes: those that one does not take are refused here, before it is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from ...audio import Audio
from ...errors import UsageError
from ...models.registry import ModelSpec
from ...options import TranscribeOptions
from ...records import Transcript
from .models import CTC, FASTER, MOONSHINE, POCKETSPHINX, WHISPER

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


def check_takes(spec: ModelSpec, options: TranscribeOptions) -> None:
    """Raises UsageError for an option that was given and that the model does not take."""
    default, traits = TranscribeOptions(), TRAITS.get(spec.adapter, ANY)
    for name, other in OPTIONAL.items():
        if name not in traits.takes and getattr(options, name) != getattr(default, name):
            raise UsageError(f"{spec.name} has no --{name.replace('_', '-')}: leave it out, or use {other}")

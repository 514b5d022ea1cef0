"""The runner of `audiocli speak`: a text becomes a record whose sound is made while it is written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ... import __version__
from ...errors import InputError, UsageError
from ...inputs.texts import Text
from ...options import SpeakOptions
from ...records import Segment, Speaking, Speech
from ...run import batch
from .synthesiser import Floats, Synthesiser, Traits, cut, flow


@dataclass(frozen=True)
class Work(batch.Work[Text, Speech]):
    """Texts in, records out."""

    synthesiser: Synthesiser
    options: SpeakOptions
    recorded: dict[str, Any]  # the options, as the record tells them
    model: str
    revision: str | None
    keep: bool  # the times of all that is said

    def __call__(self, batch: list[Text]) -> list[Speech]:
        """A record for each text. Raises InputError."""
        return [self._record(text) for text in batch]

    def _record(self, source: Text) -> Speech:
        synthesiser = self._in_voice(source.voice)
        traits = synthesiser.traits
        warnings = [source.remark] if source.remark else []  # more come while the sound is made
        found = self._flow(source, synthesiser, warnings.append)
        first = next(found, None)  # a fault of an input is reported before its output is begun
        if first is None:
            warnings.append("there is nothing in it to say")
        sound = Speaking(chain([] if first is None else [first], found), traits.sample_rate, keep=self.keep)
        return Speech(
            path=source.path, duration=0.0, sample_rate=traits.sample_rate, task="speak", model=self.model,
            revision=self.revision, options=self.recorded, status="ok" if first else "empty", warnings=warnings,
            voice=traits.voice, language=traits.language, sound=sound, text=source.text, tags=self._tags(traits, source),
        )  # fmt: skip

    def _flow(
        self, source: Text, synthesiser: Synthesiser, tell: Callable[[str], None]
    ) -> Iterator[tuple[Segment, Floats]]:
        with source.blocks() as blocks:
            yield from flow(cut(blocks, synthesiser, tell), synthesiser, self.options)

    def _in_voice(self, voice: str | None) -> Synthesiser:
        if voice is None or voice == self.synthesiser.traits.voice:
            return self.synthesiser
        try:
            return self.synthesiser.in_voice(voice)
        except UsageError as error:  # of one line in a table, not of the command
            raise InputError(str(error)) from error

    def _tags(self, traits: Traits, source: Text) -> dict[str, str]:
        """What every file says about itself."""
        voice = f", voice {traits.voice}" if traits.voice else ""
        return {
            "title": source.relative.stem,
            "software": f"audiocli {__version__}",
            "comment": f"AI-generated speech (synthetic), model {self.model}{voice}",
        }

"""What goes into a model that makes music, whichever it is, and what is done to the record that comes out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from ... import __version__
from ...inputs.sources import Source
from ...records import Music
from ...run import batch

AT_ONCE = 8  # pieces in one batch


@dataclass(frozen=True)
class Wish(Source):
    """One piece that is to be made: `path` is what messages call it."""

    prompt: str | None = None
    seed: int = 0


@runtime_checkable
class Composer(Protocol):
    """A loaded model: wishes in, as many records out, without what `Work` adds to them."""

    def __call__(self, batch: list[Wish]) -> Sequence[Music]: ...


@dataclass(frozen=True)
class Work(batch.Work[Wish, Music]):
    """The runner of `audiocli generate-music`: wishes in, complete records out."""

    composer: Composer
    options: dict[str, Any]  # as the record tells them
    model: str
    revision: str | None = None

    @property
    def grouping(self) -> batch.Grouping[Wish]:
        """Pieces are made together: a step of the model costs nearly the same for one as for some."""
        return batch.Grouping(cost=lambda wish: 1.0, seconds=AT_ONCE, window=AT_ONCE)

    def __call__(self, batch: list[Wish]) -> list[Music]:
        """A record for each piece."""
        found = self.composer(batch)
        return [self._complete(wish, record) for wish, record in zip(batch, found, strict=True)]

    def _complete(self, wish: Wish, record: Music) -> Music:
        """What every file says about itself, the options, and the model."""
        tags = {
            "title": wish.relative.stem,
            "software": f"audiocli {__version__}",
            "comment": f"AI-generated music, model {self.model}, seed {wish.seed}"
            + (f", prompt: {wish.prompt}" if wish.prompt else ""),
        }
        details = {"prompt": wish.prompt, "seed": wish.seed, **record.details}
        return replace(
            record, path=wish.path, task="generate-music", model=self.model, revision=self.revision, options=self.options,
            tags=tags, details=details,
        )  # fmt: skip

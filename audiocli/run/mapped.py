"""All results of a run in memory, for what needs every one of them before it writes any."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from ..console import Console
from ..inputs.sources import Found, Source
from ..outputs.sinks import Claim
from ..records import Failure, Record
from . import batch

Result = TypeVar("Result", bound=Record)


@dataclass(frozen=True)
class Results(Generic[Result]):
    """What was made of each input, by its path, and the reason why of some nothing was; as a sink it writes nothing."""

    records: dict[str, Result] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def claim(self, source: Source) -> Claim | None:
        return Claim(source)

    def prepare(self, claim: Claim, record: Record) -> None:
        """Nothing is written."""

    def commit(self, claim: Claim, record: Record) -> None:
        self.records[record.path] = cast(Result, record)

    def fail(self, claim: Claim | None, failure: Failure) -> None:
        self.failures[failure.path] = failure.reason

    def close(self, complete: bool = True) -> None:
        """Nothing is open."""


def mapped(
    sources: Iterable[Found], work: batch.Work[Any, Result], console: Console, *, jobs: int = 1
) -> tuple[Results[Result], batch.Tally]:
    """Every source through the work; failures are reported, and the rest go on."""
    everything, results = list(sources), Results[Result]()
    total = float(sum(source.size for source in everything if isinstance(source, Source)))
    return results, batch.run(everything, work, results, console, jobs=jobs, total=total)

"""Run a loaded model over a stream of inputs: read ahead, batch, write, go on after failures, stop when asked.

Knows no verb, no model and no format. Two ways through: one input after the other on `jobs` threads (what streams through
long files itself), or groups of similar length, read ahead on threads and run together (what batches on a device).
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from ..console import Console, Progress, debugging
from ..device import out_of_memory
from ..errors import AudiocliError, DeviceError, UsageError
from ..inputs.sources import Found, Source, called, reason
from ..inputs.stop import Stop
from ..outputs.sinks import FULL, Claim, NoMoreOutputError, Sink
from ..records import Failure, Record
from .prefetch import prefetch

Item = TypeVar("Item")
Made_co = TypeVar("Made_co", covariant=True)
NAMED = 10  # inputs in which the same thing was not found; the others are only counted


@dataclass
class Tally:
    """How a run went."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    bugs: int = 0
    seconds: float = 0.0  # of audio
    interrupted: bool = False  # Ctrl-C
    stuck: bool = False  # nothing can be written any more
    nothing: Counter[str] = field(default_factory=Counter)  # what was not found, in so many inputs

    @property
    def total(self) -> int:
        """Inputs that are settled."""
        return self.done + self.skipped + self.failed


@dataclass(frozen=True)
class Grouping(Generic[Item]):
    """How inputs are put together: batches of at most `seconds` of audio, padding counted."""

    cost: Callable[[Item], float]  # s of audio in one item
    seconds: float = 600.0
    window: int = 64  # items that are sorted by length together


class Work(Protocol[Item, Made_co]):
    """What a verb does with its inputs: makes an item of each source, on threads, and a result of each item."""

    @property
    def grouping(self) -> Grouping[Item] | None:
        """How items are put together; None: each goes by itself, on as many threads as there are jobs."""
        return None

    def read(self, source: Source) -> Item:
        """The item of a source, unless a work says otherwise the source itself: it may be hours long. Raises InputError."""
        return source  # type: ignore[return-value]  # a work whose items are of another type has a `read` of its own

    def __call__(self, batch: list[Item]) -> Sequence[Made_co]:
        """A result for each item, in their order. Raises InputError."""
        ...


@dataclass(frozen=True)
class Steps:
    """What each input goes through."""

    work: Work[Any, Record]
    sink: Sink
    stop: Stop


# None: the next input is still to come.
Claimed = Claim | Failure | None
Outcome = tuple[Claim | None, Record | Failure]


def run(
    sources: Iterable[Found], work: Work[Item, Record], sink: Sink, console: Console, *,
    jobs: int = 1, total: float | None = None,
) -> Tally:  # fmt: skip
    """Every source through the work and into the sink, which is closed then; each failure is reported and the rest go on."""
    tally, stop, complete = Tally(), Stop(console), False
    steps = Steps(work, sink, stop)
    try:
        with stop.listening(), console.progress(total) as progress, _workers(jobs, stop) as pool:
            claims = _claims(stop.until_asked(sources), sink, tally, progress)
            for claim, outcome in _outcomes(steps, claims, pool, jobs):
                _settle(claim, outcome, sink, console, tally)
                progress.advance(claim.source.size if claim else 0, getattr(outcome, "duration", 0.0))
                if tally.stuck:
                    stop.asked = True
                    break
        tally.interrupted, complete = stop.interrupted, not stop.asked
        for what, count in tally.nothing.items():
            if count > NAMED:
                console.note(f"{count} inputs in all: {what}")
    finally:
        sink.close(complete)
    return tally


@contextmanager
def _workers(jobs: int, stop: Stop) -> Iterator[ThreadPoolExecutor]:
    """Threads that begin nothing more after an error."""
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        try:
            yield pool
        except BaseException:
            stop.asked = True
            raise


def _claims(sources: Iterable[Found], sink: Sink, tally: Tally, progress: Progress) -> Iterator[Claimed]:
    """The inputs that are still to do."""
    for source in sources:
        if source is None or isinstance(source, Failure):
            yield source
            continue
        try:
            claim = sink.claim(source)
        except Exception as error:
            yield _failure(source.path, error)
            continue
        if claim is not None:
            yield claim
        else:
            tally.skipped += 1
            progress.advance(source.size, 0.0)


def _outcomes(steps: Steps, claims: Iterable[Claimed], pool: ThreadPoolExecutor, jobs: int) -> Iterator[Outcome]:
    """What became of each input, in their order; nothing of those that had not begun when a stop was asked for."""
    grouping = steps.work.grouping
    found = (
        _one_by_one(steps, claims, pool, 2 * jobs) if grouping is None else _in_groups(steps, claims, pool, grouping)
    )
    return (outcome for outcome in found if outcome is not None)


def _one_by_one(
    steps: Steps, claims: Iterable[Claimed], pool: ThreadPoolExecutor, ahead: int
) -> Iterator[Outcome | None]:
    def outcome(claim: Claim | Failure) -> Outcome | None:
        if isinstance(claim, Failure):
            return None, claim
        if steps.stop.asked:
            return None
        return _prepared(claim, lambda: steps.work([steps.work.read(claim.source)])[0], steps.sink)

    return prefetch(outcome, claims, pool, ahead)


def _prepared(claim: Claim, result: Callable[[], Record], sink: Sink) -> Outcome:
    """The record of a claim, its output written under a temporary name; or why there is none."""
    try:
        record = result()
        sink.prepare(claim, record)
    except Exception as error:
        return claim, _failure(claim.source.path, error)
    return claim, record


def _failure(path: str, error: Exception) -> Failure:
    """An exception as the failure of one input; what ends the whole run is raised again."""
    if isinstance(error, BrokenPipeError | UsageError | DeviceError):
        raise error
    if isinstance(error, AudiocliError):
        return Failure(path, str(error), fatal=isinstance(error, NoMoreOutputError))
    if out_of_memory(error):
        return Failure(path, "out of memory")
    if isinstance(error, OSError):
        full = error.errno in FULL  # sinks tell of theirs, so this is what a pipe or a long result is put into
        return Failure(path, f"{tempfile.gettempdir()}: the disk is full" if full else reason(error), fatal=full)
    if debugging():
        raise error
    return Failure(path, f"a bug in audiocli: {type(error).__name__}: {error}", bug=True)


def _in_groups(
    steps: Steps, claims: Iterable[Claimed], pool: ThreadPoolExecutor, grouping: Grouping[Any]
) -> Iterator[Outcome | None]:
    def load(claim: Claim | Failure) -> tuple[Claim | None, Any] | None:
        if isinstance(claim, Failure):
            return None, claim
        if steps.stop.asked:
            return None
        try:
            return claim, steps.work.read(claim.source)
        except Exception as error:
            return claim, _failure(claim.source.path, error)

    for window in _windows(prefetch(load, claims, pool, grouping.window), grouping.window):
        outcomes: list[Any] = [item if isinstance(item, Failure) else None for _, item in window]
        ready = [n for n, outcome in enumerate(outcomes) if outcome is None]
        for group in _groups(ready, [item for _, item in window], grouping):
            if steps.stop.asked:
                break
            for n, record in zip(group, _run_group(steps.work, [window[n] for n in group]), strict=True):
                outcomes[n] = record
        for (claim, _), outcome in zip(window, outcomes, strict=True):
            if claim is None or isinstance(outcome, Failure):
                yield claim, outcome
            elif outcome is not None:
                yield _prepared(claim, lambda outcome=outcome: outcome, steps.sink)  # type: ignore[misc]


def _windows(items: Iterable[Item | None], size: int) -> Iterator[list[Item]]:
    """The items in lists of `size`, or of as many as there are before a None."""
    window: list[Item] = []
    for item in items:
        if item is not None:
            window.append(item)
        if window and (item is None or len(window) == size):
            yield window
            window = []
    if window:
        yield window


def _groups(ready: list[int], items: list[Any], grouping: Grouping[Any]) -> Iterator[list[int]]:
    """Indices of items of similar length, at most grouping.seconds of padded audio together."""
    group: list[int] = []
    for n in sorted(ready, key=lambda n: grouping.cost(items[n])):
        if group and (len(group) + 1) * grouping.cost(items[n]) > grouping.seconds:
            yield group
            group = []
        group.append(n)
    if group:
        yield group


def _run_group(work: Work[Any, Record], members: list[tuple[Any, Any]]) -> Sequence[Record | Failure]:
    """Run a batch: where memory does not suffice, its halves; where it fails otherwise, each item alone, as a bad one shall."""
    try:
        return work([item for _, item in members])
    except Exception as error:
        failure, size = _failure(members[0][0].source.path, error), len(members) // 2 if out_of_memory(error) else 1
    if len(members) == 1:
        return [failure]
    parts = (members[first : first + size] for first in range(0, len(members), size))
    return [outcome for part in parts for outcome in _run_group(work, part)]


def _settle(claim: Claim | None, outcome: Record | Failure, sink: Sink, console: Console, tally: Tally) -> None:
    """Commit a result or tell of a failure; in the main thread, in the order of the inputs."""
    if isinstance(outcome, Record) and claim is not None:
        try:
            sink.commit(claim, outcome)
        except Exception as error:
            outcome = _failure(claim.source.path, error)
    if isinstance(outcome, Record):
        _report(outcome, console, tally)
        tally.done += 1
        tally.seconds += outcome.duration
        return
    tally.failed += 1
    tally.bugs += outcome.bug
    tally.stuck = outcome.fatal
    console.error(f"{called(outcome.path)}: {outcome.reason}")
    if not tally.stuck:
        sink.fail(claim, outcome)


def _report(record: Record, console: Console, tally: Tally) -> None:
    """Tell what is to be known about a result besides itself."""
    if record.nothing is not None:
        tally.nothing[record.nothing] += 1
        if tally.nothing[record.nothing] <= NAMED:
            console.note(f"{called(record.path)}: {record.nothing}")
    for warning in record.warnings:
        console.note(f"{called(record.path)}: {warning}")

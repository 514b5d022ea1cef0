"""Run a loaded model over a stream of inputs: read ahead, batch, write, go on after failures, stop when asked.

Knows no verb, no model and no format. Two ways through: one input after the other on `jobs` threads (what streams through
long files itself), or groups of similar length, read ahead on threads and run together (what batches on a device).
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from types import FrameType
from typing import Any, Generic, Protocol, TypeVar

from .console import Console, Progress
from .errors import AudiocliError
from .records import Failure, Record
from .sinks import Claim, DiskFullError, Sink
from .sources import Source

Item = TypeVar("Item")
Runner = Callable[[list[Item]], Sequence[Record]]


@dataclass
class Tally:
    """How a run went."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    bugs: int = 0
    seconds: float = 0.0  # of audio
    stopped: str = ""  # why the run ended before its last input


class Reader(Protocol):
    """Makes the runner's input from a source; runs on threads."""

    def __call__(self, source: Source) -> Any: ...


@dataclass(frozen=True)
class Grouping(Generic[Item]):
    """How inputs are put together: batches of at most `seconds` of audio, padding counted."""

    cost: Callable[[Item], float]  # s of audio in one item
    seconds: float = 600.0
    window: int = 64  # items that are sorted by length together


class Stop:
    """Asks a run to end after the files in hand: the first Ctrl-C. The second one ends the process."""

    def __init__(self, console: Console) -> None:
        self.asked = False
        self._console = console

    @contextmanager
    def listening(self) -> Iterator["Stop"]:
        """Handle SIGINT meanwhile (only the main thread may)."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = signal.signal(signal.SIGINT, self._interrupted)
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, before)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            # Worker threads cannot be interrupted and the interpreter would wait for them; no output is half-written.
            self._console.restore()
            os._exit(130)
        self.asked = True
        self._console.note("finishing the file in hand; Ctrl-C again stops at once")


def run(
    sources: Iterable[Source | Failure], read: Reader, runner: Runner[Any], sink: Sink, console: Console, *,
    jobs: int = 1, grouping: Grouping[Any] | None = None, total: float | None = None,
) -> Tally:  # fmt: skip
    """Every source through read, runner and sink; each failure is told and the rest go on."""
    tally, stop = Tally(), Stop(console)
    with stop.listening(), console.progress(total) as progress, ThreadPoolExecutor(max(1, jobs)) as pool:
        claims = _claims(sources, sink, tally, stop, progress)
        if grouping is None:
            outcomes = _one_by_one(claims, read, runner, sink, pool, 2 * jobs)
        else:
            outcomes = _in_groups(claims, read, runner, sink, pool, grouping)
        for claim, outcome in outcomes:
            _settle(claim, outcome, sink, console, tally)
            progress.advance(claim.source.size if claim else 0, getattr(outcome, "duration", 0.0))
            if tally.stopped:
                stop.asked = True
    if stop.asked and not tally.stopped:
        tally.stopped = "interrupted"
    return tally


Claimed = Claim | Failure
Outcome = tuple[Claim | None, Record | Failure]


def _claims(
    sources: Iterable[Source | Failure], sink: Sink, tally: Tally, stop: Stop, progress: Progress
) -> Iterator[Claimed]:
    """The inputs that are still to do, until the run is asked to stop."""
    for source in sources:
        if stop.asked:
            return
        if isinstance(source, Failure):
            yield source
            continue
        try:
            claim = sink.claim(source)
        except AudiocliError as error:
            yield Failure(source.path, str(error))
            continue
        if claim is not None:
            yield claim
        else:
            tally.skipped += 1
            progress.advance(source.size, 0.0)


def prefetch(
    function: Callable[[Item], Any], items: Iterable[Item], pool: ThreadPoolExecutor, ahead: int
) -> Iterator[Any]:
    """Yield function(item) in order, with at most `ahead` calls started but not yet taken."""
    items = iter(items)
    pending: deque[Future[Any]] = deque(pool.submit(function, item) for item in islice(items, ahead))
    try:
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(function, item) for item in islice(items, 1))
            yield result
    finally:
        for future in pending:
            future.cancel()


def _one_by_one(
    claims: Iterable[Claimed], read: Reader, runner: Runner[Any], sink: Sink, pool: ThreadPoolExecutor, ahead: int
) -> Iterator[Outcome]:
    def work(claim: Claimed) -> Outcome:
        if isinstance(claim, Failure):
            return None, claim
        return _prepared(claim, lambda: runner([read(claim.source)])[0], sink)

    return prefetch(work, claims, pool, ahead)


def _prepared(claim: Claim, result: Callable[[], Record], sink: Sink) -> Outcome:
    """The record of a claim, its output written under a temporary name; or why there is none."""
    try:
        record = result()
        sink.prepare(claim, record)
    except Exception as error:
        return claim, _failure(claim, error)
    return claim, record


def _failure(claim: Claim, error: Exception) -> Failure:
    path = claim.source.path
    if isinstance(error, BrokenPipeError):
        raise error
    if isinstance(error, AudiocliError):
        return Failure(path, str(error), fatal=isinstance(error, DiskFullError))
    if isinstance(error, MemoryError):
        return Failure(path, "out of memory")
    if os.environ.get("AUDIOCLI_DEBUG"):
        raise error
    return Failure(path, f"a bug in audiocli: {type(error).__name__}: {error}", bug=True)


def _in_groups(
    claims: Iterable[Claimed], read: Reader, runner: Runner[Any], sink: Sink, pool: ThreadPoolExecutor,
    grouping: Grouping[Any],
) -> Iterator[Outcome]:  # fmt: skip
    def load(claim: Claimed) -> tuple[Claim | None, Any]:
        if isinstance(claim, Failure):
            return None, claim
        try:
            return claim, read(claim.source)
        except Exception as error:
            return claim, _failure(claim, error)

    loaded = prefetch(load, claims, pool, grouping.window)
    while window := list(islice(loaded, grouping.window)):
        outcomes: list[Any] = [item if isinstance(item, Failure) else None for _, item in window]
        ready = [n for n, outcome in enumerate(outcomes) if outcome is None]
        for group in _groups(ready, [item for _, item in window], grouping):
            for n, record in zip(group, _run_group(runner, [window[n] for n in group]), strict=True):
                outcomes[n] = record
        for (claim, _), outcome in zip(window, outcomes, strict=True):
            if claim is None or isinstance(outcome, Failure):
                yield claim, outcome
            else:
                yield _prepared(claim, lambda outcome=outcome: outcome, sink)  # type: ignore[misc]


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


def _run_group(runner: Runner[Any], members: list[tuple[Any, Any]]) -> Sequence[Record | Failure]:
    """Run a batch; when that fails, its halves, so that memory suffices and one bad item fails alone."""
    try:
        return runner([item for _, item in members])
    except Exception as error:
        if len(members) == 1:
            return [_failure(members[0][0], error)]
    half = len(members) // 2
    return [*_run_group(runner, members[:half]), *_run_group(runner, members[half:])]


def _settle(claim: Claim | None, outcome: Record | Failure, sink: Sink, console: Console, tally: Tally) -> None:
    """Commit a result or tell of a failure; in the main thread, in the order of the inputs."""
    if isinstance(outcome, Record) and claim is not None:
        try:
            sink.commit(claim, outcome)
        except AudiocliError as error:
            outcome = _failure(claim, error)
    if isinstance(outcome, Failure):
        tally.failed += 1
        tally.bugs += outcome.bug
        tally.stopped = outcome.reason if outcome.fatal else tally.stopped
        console.error(f"{'standard input' if outcome.path == '-' else outcome.path}: {outcome.reason}")
        sink.fail(claim, outcome)
        return
    for warning in outcome.warnings:
        console.note(f"{outcome.path}: {warning}")
    tally.done += 1
    tally.seconds += outcome.duration

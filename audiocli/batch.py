"""Run a loaded model over a stream of inputs: read ahead, batch, write, go on after failures, stop when asked.

Knows no verb, no model and no format. Two ways through: one input after the other on `jobs` threads (what streams through
long files itself), or groups of similar length, read ahead on threads and run together (what batches on a device).
"""

import os
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Generic, Protocol, TypeVar

from .console import Console, Progress, debugging
from .errors import AudiocliError, DeviceError, UsageError
from .records import Failure, Record
from .sinks import FULL, Claim, NoMoreOutputError, Sink
from .sources import Found, Source, called, reason

Item = TypeVar("Item")
Result = TypeVar("Result")
Runner = Callable[[list[Item]], Sequence[Record]]


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

    @property
    def total(self) -> int:
        """Inputs that are settled."""
        return self.done + self.skipped + self.failed


class Reader(Protocol):
    """Makes the runner's input from a source; runs on threads."""

    def __call__(self, source: Source) -> Any: ...


@dataclass(frozen=True)
class Grouping(Generic[Item]):
    """How inputs are put together: batches of at most `seconds` of audio, padding counted."""

    cost: Callable[[Item], float]  # s of audio in one item
    seconds: float = 600.0
    window: int = 64  # items that are sorted by length together


class _WaitIsOverError(Exception):
    """Ctrl-C came while the next input was waited for."""


class Stop:
    """Asks a run to end after the files in hand: the first Ctrl-C. The second one ends the process."""

    def __init__(self, console: Console) -> None:
        self.asked = False
        self.interrupted = False
        self._waiting = False
        self._console = console

    @contextmanager
    def listening(self) -> Iterator["Stop"]:
        """Handle SIGINT meanwhile (only the main thread may), unless it is ignored, as behind `nohup` and `&` of a script."""
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or before is signal.SIG_IGN:
            yield self
            return
        signal.signal(signal.SIGINT, self._interrupted)
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, before)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        if self.interrupted:
            # Worker threads cannot be interrupted and the interpreter would wait for them; no output is half-written.
            self._console.restore()
            os._exit(130)
        self.asked = self.interrupted = True
        self._console.note("finishing the file in hand; Ctrl-C again stops at once")
        if self._waiting:
            raise _WaitIsOverError

    def until_asked(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items as they come; Ctrl-C ends the wait for one that may never come (a list through a pipe)."""
        waiting = iter(items)
        try:
            while True:
                self._waiting = True  # before the look at `asked`: whenever Ctrl-C comes, one of the two ends the loop
                if self.asked:
                    return
                item = next(waiting)
                self._waiting = False
                yield item
        except (StopIteration, _WaitIsOverError):
            return
        finally:
            self._waiting = False


def run(
    sources: Iterable[Found], read: Reader, runner: Runner[Any], sink: Sink, console: Console, *,
    jobs: int = 1, grouping: Grouping[Any] | None = None, total: float | None = None,
) -> Tally:  # fmt: skip
    """Every source through read, runner and sink, which is closed then; each failure is told and the rest go on."""
    tally, stop = Tally(), Stop(console)
    complete = False
    try:
        with stop.listening(), console.progress(total) as progress:
            claims = _claims(stop.until_asked(sources), sink, tally, progress)
            _go_through(claims, _Steps(read, runner, sink, stop), jobs, grouping, console, tally, progress)
        tally.interrupted = stop.interrupted
        complete = not stop.asked
    finally:
        sink.close(complete)
    return tally

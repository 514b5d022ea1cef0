"""Ctrl-C: the first one ends a run after the files in hand, the second one at once."""

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from ..console import Console

Item = TypeVar("Item")


class _WaitIsOverError(Exception):
    """Ctrl-C came while the next input was waited for."""


class Stop:
    """Asks a run to end after the files in hand at the first Ctrl-C (message: `ending`); the second one ends the process."""

    def __init__(self, console: Console, ending: str = "finishing the file in hand") -> None:
        self.asked = False
        self.interrupted = False
        self._waiting = False
        self._console, self._ending = console, ending

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
        self._console.note(f"{self._ending}; Ctrl-C again stops at once")
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

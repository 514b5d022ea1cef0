"""Several processes for the built-in recogniser: its decoder holds the interpreter's lock, so that threads gain nothing."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from ...errors import AudiocliError
from ...inputs.sources import Streamed
from ...records import Transcript
from .recogniser import Recogniser

_own: Recogniser  # a worker's


class Workers:
    """`jobs` recognisers of files, each in a process of its own while the `with` lasts; called from as many threads.

    Inputs without a path that another process could open go to the recogniser in this one.
    """

    def __init__(self, here: Recogniser, jobs: int, make: Callable[..., Any], *args: Any) -> None:
        self.sample_rate, self.traits, self.jobs = here.sample_rate, here.traits, jobs
        self._here, self._lock = here, threading.Lock()
        # Spawned, not forked: a fork with threads may stop at once, and would copy all that is loaded here.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(make, *args))

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *error: object) -> None:
        """End the processes: the semaphores between them outlive this one, which does not end by way of Python's own exit."""
        self._pool.shutdown(cancel_futures=True)

    def __call__(self, batch: Sequence[Streamed]) -> list[Transcript]:
        """A record for each input. Raises InputError."""
        return [self._one(item) for item in batch]

    def _one(self, item: Streamed) -> Transcript:
        if not os.path.isfile(item.path):
            with self._lock:
                return self._here([item])[0]
        try:
            return self._pool.submit(_heard, item).result()
        except BrokenProcessPool as error:
            raise AudiocliError("a worker process ended unexpectedly: try --jobs 1") from error


def _begin(make: Callable[..., Recogniser], *args: Any) -> None:
    """Make a worker ready: Ctrl-C is for the process above, and its end is the worker's, too."""
    global _own
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _own = make(*args)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent
    parent.join()
    os._exit(1)


def _heard(item: Streamed) -> Transcript:
    return _own([item])[0]

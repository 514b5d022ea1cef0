"""Notice when kernels are being compiled: some seconds, once on a machine, in which nothing else seems to happen."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numba.core.event


class _Watch(numba.core.event.Listener):
    """Calls `say` once, from a thread, when compilation has taken `after` seconds in all."""

    def __init__(self, say: Callable[[], None], after: float) -> None:
        self._say, self._left = say, after
        self._depth, self._begun = 0, 0.0  # a kernel that calls others compiles them meanwhile
        self._timer: threading.Timer | None = None

    def on_start(self, event: object) -> None:
        self._depth += 1
        if self._depth == 1 and self._left > 0.0:
            self._begun, self._timer = time.monotonic(), threading.Timer(self._left, self._say)
            self._timer.daemon = True
            self._timer.start()

    def on_end(self, event: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self._timer is not None:
            self._timer.cancel()
            self._left -= time.monotonic() - self._begun
            self._timer = None


@contextmanager
def watched(say: Callable[[], None], after: float = 2.0) -> Iterator[None]:
    """Call say, once, if kernels compile for more than `after` seconds meanwhile; they do so once on a machine."""
    with numba.core.event.install_listener("numba:compile", _Watch(say, after)):
        yield

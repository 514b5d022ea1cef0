"""Keeps the chatter of C libraries off the terminal: libmpg123 prints to file descriptor 2 whatever it finds odd.

Descriptor 2 belongs to the whole process, other threads print to it, and children inherit it. So `sys.stderr` first moves
to a descriptor of its own, once; then `quiet()` points descriptor 2 at nothing, only while a chatty library runs.
"""

import faulthandler
import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_lock = threading.Lock()
_contained = False
_depth = 0  # threads inside quiet()
_saved = -1  # where descriptor 2 pointed before the first of them came in
_nothing = -1  # the null device


def contain_native_stderr() -> None:
    """Let `quiet()` work from now on: Python's own messages no longer go through descriptor 2. A second call does nothing.

    Children still inherit a descriptor 2 that is the real one, unless they start in the milliseconds of a `quiet()`.
    """
    global _contained, _nothing
    with _lock:
        if _contained:
            return
        with suppress(OSError):  # started with descriptor 2 closed: nothing to contain
            _move_stderr()
            _nothing = os.open(os.devnull, os.O_WRONLY)
            _contained = True
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_come_out)


def _move_stderr() -> None:
    """Give `sys.stderr` a copy of descriptor 2; one that goes elsewhere (tests, notebooks) stays as it is."""
    if not isinstance(sys.stderr, io.TextIOWrapper) or _descriptor(sys.stderr) != 2:
        os.fstat(2)
        return
    old = sys.stderr
    old.flush()
    # closefd=False: it lives as long as the process, and must not warn at exit that nobody closed it.
    sys.stderr = open(os.dup(2), "w", encoding=old.encoding, errors=old.errors, buffering=1, closefd=False)
    if faulthandler.is_enabled():
        faulthandler.enable(file=sys.stderr)


def _descriptor(stream: io.TextIOWrapper) -> int:
    """The file descriptor of a stream, or -1."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return -1


@contextmanager
def quiet() -> Iterator[None]:
    """Discard what C code prints on descriptor 2; does nothing before `contain_native_stderr()`. Threads may overlap."""
    if not _contained:
        yield
        return
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _depth, _saved
    with _lock:
        if _depth == 0:
            _saved = os.dup(2)
            os.dup2(_nothing, 2)
        _depth += 1


def _leave() -> None:
    global _depth
    with _lock:
        _depth -= 1
        if _depth == 0:
            os.dup2(_saved, 2)
            os.close(_saved)


def _come_out() -> None:
    """Reset the state in a forked child: no thread is inside `quiet()` or holds the lock there, whatever the parent's did."""
    global _lock, _depth
    _lock = threading.Lock()
    if _depth:
        os.dup2(_saved, 2)
        _depth = 0

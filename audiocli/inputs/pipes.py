"""Pipes: standard input, named pipes, <(...) of the shell. Decoders seek, so their contents go to a file first."""

import os
import shutil
import stat
import sys
import tempfile
import time
from typing import BinaryIO, cast

from ..errors import InputError, UsageError

# How long a named pipe may have no writer before that is an error and not a slow start.
PATIENCE = 10.0  # s
CHUNK = 65_536  # bytes


def blocking(descriptor: int) -> None:
    """Make reads and writes wait, whatever the process before us has set."""
    if sys.platform != "win32":
        os.set_blocking(descriptor, True)


def open_stdin() -> BinaryIO:
    """Standard input without a buffer, whatever Python made of it. Raises InputError."""
    if sys.stdin is None or sys.stdin.closed:
        raise InputError("is closed")
    blocking(0)  # else a pause of the writer would look like the end
    return cast(BinaryIO, open(0, "rb", buffering=0, closefd=False))


def standard_input() -> BinaryIO:
    """Audio from standard input. Raises InputError, and UsageError when nobody has redirected it."""
    stream = open_stdin()
    if os.isatty(0):
        raise UsageError("standard input is a terminal: pipe audio into it, as in: cat x.wav | audiocli features -")
    return stream if stat.S_ISREG(os.fstat(0).st_mode) else _spooled(stream)


def pipe(path: str) -> BinaryIO:
    """All that comes through a pipe with a path. Raises InputError when nobody writes to it: opening it would wait forever.

    One without a name of its own, as of <(...) in the shell, has all the writers that it will ever have.
    """
    named = os.path.exists(os.path.realpath(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(descriptor, "rb", buffering=0) as stream:
        first = _first_bytes(descriptor) if named else b""
        blocking(descriptor)
        return _spooled(cast(BinaryIO, stream), first)


def _spooled(stream: BinaryIO, first: bytes = b"") -> BinaryIO:
    """All of it in a file without a name, however long it is."""
    file = cast(BinaryIO, tempfile.TemporaryFile())
    file.write(first)
    shutil.copyfileobj(stream, file, 1 << 20)
    file.seek(0)
    return file


def _first_bytes(descriptor: int) -> bytes:
    """Some bytes of the pipe, or none when there is a writer that has written nothing yet.

    Reading an empty pipe without blocking gives b"" when it has no writer, and EAGAIN when it has one.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return b""
        if data:
            return data
        time.sleep(0.05)
    raise InputError(f"a pipe that nobody has written to for {PATIENCE:.0f} s")

"""Which inputs there are: files, folders, "-", pipes and lists of paths, as a stream of Source."""

import errno
import fnmatch
import json
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path, PurePath
from typing import BinaryIO, cast

from .audio import EXTENSIONS
from .errors import InputError, UsageError
from .records import Failure

# How long a named pipe may have no writer before that is an error and not a slow start.
PIPE_PATIENCE = 10.0  # s
FIRST_BYTES = 65_536  # of a list of paths, looked at to tell NUL-separated from lines


@dataclass(frozen=True)
class Source:
    """One input: `path` as the user or the folder named it ("-" is standard input)."""

    path: str
    relative: PurePath  # where its output stands in a mirrored folder, less the new suffix
    size: int = 0  # bytes, 0 when unknown
    mtime_ns: int = 0

    @property
    def name(self) -> str:
        """What messages call it."""
        return "standard input" if self.path == "-" else self.path

    def open(self) -> str | BinaryIO:
        """The path of a file, or the spooled contents of a pipe. Raises InputError."""
        if self.path == "-":
            return _spool_stdin()
        try:
            mode = os.stat(self.path).st_mode
        except OSError as error:
            raise InputError(reason(error)) from error
        if stat.S_ISFIFO(mode):
            return _spool_fifo(self.path)
        if stat.S_ISREG(mode):
            return self.path
        raise InputError("is a folder" if stat.S_ISDIR(mode) else "is neither a file, a folder nor a pipe")


def reason(error: OSError) -> str:
    """An operating system's error in the words of a message."""
    return (os.strerror(error.errno) if error.errno else str(error)).lower()


def find(
    inputs: Sequence[str], *, glob: Sequence[str] = (), files_from: str | None = None, leave_out: Path | None = None
) -> Iterator[Source | Failure]:
    """Every input in a steady order, each path once; what cannot be an input comes as a Failure in its place.

    Folders are walked for audio files (glob: shell patterns for the name or the path below the folder instead of the known
    suffixes; hidden names are passed over), `leave_out` is a folder not to walk: the one that is written to.
    """
    if not inputs and files_from is None:
        raise UsageError("no input: give files, folders, '-' for standard input, or --files-from")
    if list(inputs).count("-") + (files_from == "-") > 1:
        raise UsageError("standard input can be read only once")
    seen: set[str] = set()
    for source in _all(inputs, glob, files_from, leave_out):
        if isinstance(source, Failure) or source.path not in seen:
            seen.add(source.path)
            yield source


def _all(
    inputs: Sequence[str], glob: Sequence[str], files_from: str | None, leave_out: Path | None
) -> Iterator[Source | Failure]:
    for path in inputs:
        if os.path.isdir(path):
            yield from _folder(path, glob, leave_out, below=Path(path).name if len(inputs) > 1 else "")
        else:
            yield _file(path, PurePath("stdin" if path == "-" else Path(path).name))
    if files_from is not None:
        yield from _listed(files_from)


def _file(path: str, relative: PurePath) -> Source | Failure:
    if path == "-":
        return Source(path, relative)
    try:
        found = os.stat(path)
    except OSError as error:
        return Failure(path, reason(error))
    return Source(path, relative, found.st_size, found.st_mtime_ns)


def _folder(root: str, glob: Sequence[str], leave_out: Path | None, below: str) -> Iterator[Source | Failure]:
    """The audio files under root, in the order of their names; the list is complete before the first is opened."""
    problems: list[OSError] = []
    files = sorted(_walk(root, glob, leave_out, problems))
    for error in problems:
        yield Failure(os.fsdecode(error.filename or root), reason(error))
    if not files and not problems:
        yield Failure(root, f"no audio files in this folder{' match ' + ' or '.join(glob) if glob else ''}")
    for path in files:
        yield _file(path, PurePath(below, os.path.relpath(path, root)))


def _walk(root: str, glob: Sequence[str], leave_out: Path | None, problems: list[OSError]) -> Iterator[str]:
    skip = leave_out.resolve() if leave_out else None
    for folder, folders, names in os.walk(root, onerror=problems.append):
        # An output folder inside the input folder is no input; the input folder itself may be the output folder.
        folders[:] = [name for name in folders if not name.startswith(".") and Path(folder, name).resolve() != skip]
        for name in names:
            path = os.path.join(folder, name)
            if not name.startswith(".") and _wanted(os.path.relpath(path, root), glob) and os.path.isfile(path):
                yield path


def _wanted(relative: str, glob: Sequence[str]) -> bool:
    if not glob:
        return os.path.splitext(relative)[1].lower() in EXTENSIONS
    return any(fnmatch.fnmatch(relative, one) or fnmatch.fnmatch(os.path.basename(relative), one) for one in glob)


def _listed(files_from: str) -> Iterator[Source | Failure]:
    """One path a line or between NULs, or one JSONL record of an earlier verb: its output, else its path."""
    if files_from == "-":
        stream: BinaryIO = open(0, "rb", closefd=False)
    else:
        try:
            stream = open(files_from, "rb")
        except OSError as error:
            raise UsageError(f"--files-from {files_from}: {reason(error)}") from error
    with stream:
        for entry in _entries(stream):
            yield _entry(entry)


def _entries(stream: BinaryIO) -> Iterator[bytes]:
    """What stands between separators, as it arrives: an earlier verb in the pipe may still be at work."""
    chunk, rest = os.read(stream.fileno(), FIRST_BYTES), b""
    separator, strip = (b"\0", b"") if b"\0" in chunk else (b"\n", b"\r")
    while chunk:
        *whole, rest = (rest + chunk).split(separator)
        yield from filter(None, (entry.removesuffix(strip) for entry in whole))
        chunk = os.read(stream.fileno(), FIRST_BYTES)
    if rest:
        yield rest.removesuffix(strip)


def _entry(entry: bytes) -> Source | Failure:
    path = os.fsdecode(entry)
    if entry.startswith(b"{"):
        try:
            record = json.loads(entry)
        except ValueError:
            record = {"path": path}
        if record.get("status") == "failed":
            return Failure(str(record.get("path")), f"failed in the step before: {record.get('error')}")
        path = str(record.get("output") or record.get("path"))
    relative = PurePath(path)
    inside = not relative.is_absolute() and ".." not in relative.parts
    return _file(path, relative if inside else PurePath(relative.name))


def _spool_stdin() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed:
        raise InputError("is closed")
    if os.isatty(0):
        raise UsageError("standard input is a terminal: pipe audio into it, as in: cat x.wav | audiocli features -")
    stream = open(0, "rb", closefd=False)
    if stat.S_ISREG(os.fstat(0).st_mode):
        return stream
    return _spooled(stream)


def _spooled(stream: BinaryIO | FileIO, first: bytes = b"") -> BinaryIO:
    """Decoders need to seek, so what comes through a pipe goes to a file without a name first, however long it is."""
    file = cast(BinaryIO, tempfile.TemporaryFile())
    file.write(first)
    shutil.copyfileobj(stream, file, 1 << 20)
    file.seek(0)
    return file


def _spool_fifo(path: str) -> BinaryIO:
    """A named pipe, read when somebody writes to it: opening one that nobody writes to would wait for ever."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise InputError(reason(error)) from error
    with open(descriptor, "rb", buffering=0) as stream:
        first = _first_bytes(descriptor)
        os.set_blocking(descriptor, True)
        return _spooled(stream, first)


def _first_bytes(descriptor: int) -> bytes:
    """Some bytes of the pipe, or none when a writer is there that has written nothing yet.

    Reading an empty pipe without blocking gives b"" when it has no writer, and EAGAIN when it has one.
    """
    end = time.monotonic() + PIPE_PATIENCE
    while time.monotonic() < end:
        try:
            data = os.read(descriptor, FIRST_BYTES)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return b""
            raise InputError(reason(error)) from error
        if data:
            return data
        time.sleep(0.05)
    raise InputError(f"a pipe that nobody has written to for {PIPE_PATIENCE:.0f} s")

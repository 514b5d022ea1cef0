"""Inputs as a stream of Source: files, folders, "-", pipes and lists of paths."""

import fnmatch
import json
import os
import select
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

from ..audio import EXTENSIONS, Stream, open_stream, parse_raw
from ..errors import InputError, UsageError
from ..options import InputOptions
from ..records import Failure
from . import folders, lists, pipes

CHUNK = 65_536  # bytes of a list that are read at once
READING = InputOptions()


@dataclass(frozen=True)
class Source:
    """One input: `path` as the user or the folder named it ("-" is standard input)."""

    path: str
    relative: PurePath  # where its output stands in a mirrored folder, less the new suffix
    size: int = 0  # bytes, 0 when unknown
    mtime_ns: int | None = None  # None: a pipe, which holds something else every time

    @property
    def name(self) -> str:
        """The name in messages."""
        return called(self.path)

    def open(self) -> str | BinaryIO:
        """The path of a file, or the spooled contents of a pipe. Raises InputError."""
        if self.path == "-":
            return pipes.standard_input()
        try:
            mode = os.stat(self.path).st_mode
        except OSError as error:
            raise InputError(reason(error)) from error
        if stat.S_ISFIFO(mode):
            return pipes.pipe(self.path)
        if stat.S_ISREG(mode):
            return self.path
        raise InputError("is a folder" if stat.S_ISDIR(mode) else "is neither a file, a folder nor a pipe")


@dataclass(frozen=True)
class Kept(Source):
    """The contents of a pipe, in a file so that they can be read more than once."""

    file: BinaryIO | None = None

    def open(self) -> str | BinaryIO:
        assert self.file is not None
        return self.file


def reread(source: Source) -> Source:
    """An input that can be opened more than once. Raises InputError."""
    opened = source.open()
    if isinstance(opened, str):
        return source
    return Kept(source.path, source.relative, source.size, source.mtime_ns, opened)


def open_audio(
    source: Source, reading: InputOptions, sample_rate: int | None, *, mono: bool = True
) -> AbstractContextManager[Stream]:
    """One channel of an input, or all, at sample_rate Hz (None: its own), cut as the user asked. Raises InputError."""
    raw = None if reading.raw is None else parse_raw(reading.raw)
    return open_stream(
        source.open(), name=source.name, raw=raw, start=reading.start, duration=reading.duration,
        sample_rate=sample_rate, mono=mono, channel=reading.channel,
    )  # fmt: skip


# None: the next input is still to come, so that what is in hand may be finished first.
Found = Source | Failure | None


@dataclass(frozen=True)
class Streamed:
    """An input that a model reads itself, block by block: it may be hours long."""

    source: Source
    reading: InputOptions

    @property
    def path(self) -> str:
        """What the record calls it."""
        return self.source.path

    def open(self, sample_rate: int) -> AbstractContextManager[Stream]:
        """One channel at sample_rate Hz. Raises InputError."""
        return open_audio(self.source, self.reading, sample_rate)


def called(path: str) -> str:
    """The name of an input in messages."""
    return "standard input" if path == "-" else path


def reason(error: OSError) -> str:
    """An operating system's error in the words of a message."""
    return (os.strerror(error.errno) if error.errno else str(error)).lower()


def find(inputs: Sequence[str], reading: InputOptions = READING, *, leave_out: Path | None = None) -> Iterator[Found]:
    """Every input in a steady order, each file once; what cannot be an input comes as a Failure in its place.

    Folders are walked for audio files (--glob: shell patterns for the name or the path below the folder instead of the known
    suffixes), links to folders are followed; `leave_out` is a folder not to walk: the one that is written to.
    Raises UsageError, at once.
    """
    files_from = reading.files_from
    if not inputs and files_from is None:
        raise UsageError("no input: give files, folders, '-' for standard input, or --files-from")
    if list(inputs).count("-") + (files_from == "-") > 1:
        raise UsageError("standard input can be read only once")
    paths = None if files_from is None else _open_list(files_from)
    return _once(_all(inputs, reading.glob, paths, leave_out))


def _once(inputs: Iterator[Found]) -> Iterator[Found]:
    seen: set[str] = set()
    for one in inputs:
        if isinstance(one, Source):
            place = os.path.abspath(one.path)
            if place in seen:
                continue
            seen.add(place)
        yield one


def _all(inputs: Sequence[str], glob: Sequence[str], paths: BinaryIO | None, leave_out: Path | None) -> Iterator[Found]:
    for path in inputs:
        if os.path.isdir(path):
            below = os.path.basename(os.path.abspath(path)) if len(inputs) > 1 else ""
            yield from _folder(path, glob, leave_out, below)
        else:
            yield named(path)
    if paths is not None:
        with paths:
            for entry in _entries(paths.fileno()):
                yield None if entry is None else _entry(entry)


def _file(path: str, relative: PurePath) -> Source | Failure:
    if path == "-":
        return Source(path, relative)
    try:
        status = os.stat(path)
    except OSError as error:
        return Failure(path, reason(error))
    except ValueError:  # a zero byte, or characters that no file name can have
        return Failure(path, "is not a file name")
    if not stat.S_ISREG(status.st_mode):
        return Source(path, relative)
    return Source(path, relative, status.st_size, status.st_mtime_ns)


def named(path: str) -> Source | Failure:
    """One input by its name, which must not be a folder's."""
    return _file(path, PurePath("stdin" if path == "-" else PurePath(path).name))


def _folder(root: str, glob: Sequence[str], leave_out: Path | None, below: str) -> Iterator[Source | Failure]:
    """The audio files under root, in the order of their names; the list is complete before the first is opened."""
    problems: list[OSError] = []
    files = sorted(folders.walk(root, lambda relative: _wanted(relative, glob), problems, leave_out=leave_out))
    for error in problems:
        yield Failure(os.fsdecode(error.filename or root), reason(error))
    if not files and not problems:
        yield Failure(root, f"no audio files in this folder{' match ' + ' or '.join(glob) if glob else ''}")
    for path in files:
        yield _file(path, PurePath(below, os.path.relpath(path, root)))


def _wanted(relative: str, glob: Sequence[str]) -> bool:
    if not glob:
        return os.path.splitext(relative)[1].lower() in EXTENSIONS
    return any(fnmatch.fnmatch(relative, one) or fnmatch.fnmatch(os.path.basename(relative), one) for one in glob)


def _open_list(files_from: str) -> BinaryIO:
    try:
        if files_from == "-":
            return pipes.open_stdin()
        return open(files_from, "rb", buffering=0)
    except (OSError, InputError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise UsageError(f"--files-from {files_from}: {why}") from error


def _entries(descriptor: int) -> Iterator[str | None]:
    """The items between separators, as they arrive; None before a wait: an earlier verb in the pipe may be at work."""
    decoder, rest, separator = lists.Decoder(), "", ""
    chunk = b"."
    while chunk:
        # On Windows only sockets can be asked.
        if sys.platform != "win32" and not select.select([descriptor], [], [], 0)[0]:
            yield None
        chunk = os.read(descriptor, CHUNK)
        rest += decoder.decode(chunk, final=not chunk)
        separator = separator or next((one for one in ("\0", "\n") if one in rest), "")
        if separator:
            *whole, rest = rest.split(separator)
            yield from filter(None, (_trimmed(entry, separator) for entry in whole))
    if rest := _trimmed(rest, separator):
        yield rest


def _trimmed(entry: str, separator: str) -> str:
    """One item of a list: a line may end as on Windows, and a comment is nothing; between zeros every character counts."""
    if separator == "\0":
        return entry
    entry = entry.removesuffix("\r")
    return "" if lists.is_comment(entry, entry) else entry


def _entry(path: str) -> Source | Failure:
    """A path, or one JSONL record of an earlier verb: its output, else its path."""
    if path.startswith("{"):
        try:
            record = json.loads(path)
        except (ValueError, RecursionError):
            record = {"path": path}
        output = record.get("output") or record.get("path")
        if record.get("status") == "failed":
            return Failure(str(output), f"failed in the step before: {record.get('error')}")
        if not isinstance(output, str) or output == "-":
            return Failure(str(output), "the step before has written no file")
        path = output
    # Standard input is not a path in a list: "-" is the name of a file there.
    path = "./-" if path == "-" else path
    relative = PurePath(path)
    inside = not relative.is_absolute() and ".." not in relative.parts
    return _file(path, relative if inside else PurePath(relative.name))

"""Where results go: a folder that mirrors the inputs, or files with names of their own; whole or not at all.

A result is *claimed* in the main thread (which name, is it done already), *prepared* on the worker (written under a temporary
name in its folder) and *committed* in the main thread in the order of the inputs (renamed, noted in the journal). A kill at any
moment leaves only finished files and at most some temporary ones, which the next run overwrites.
"""

import errno
import hashlib
import os
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..errors import OutputError
from ..inputs.sources import Source, reason
from ..records import Failure, Record
from .formats import Format, write
from .journal import Journal

JOURNAL = ".audiocli.jsonl"
FULL = (errno.ENOSPC, errno.EDQUOT)
LONGEST_NAME = 255  # bytes, on nearly all file systems


class NoMoreOutputError(OutputError):
    """No output can be written any more: the run stops here."""


@dataclass(frozen=True)
class Claim:
    """One input and the files that its result will become."""

    source: Source
    outputs: tuple[Path, ...] = ()
    parts: tuple["Claim | None", ...] = ()  # of the sinks that one sink is made of


class Sink(Protocol):
    """Takes the results of a run."""

    def claim(self, source: Source) -> Claim | None:
        """The outputs that this input gets, None when they are there from an earlier run. Raises OutputError."""

    def prepare(self, claim: Claim, record: Record) -> None:
        """Write what can be written on the worker's thread."""

    def commit(self, claim: Claim, record: Record) -> None:
        """Make the result visible."""

    def fail(self, claim: Claim | None, failure: Failure) -> None:
        """This input gives no result."""

    def close(self, complete: bool = True) -> None:
        """No more results will come; complete: of all inputs, else a file for all of them stays unfinished."""


@contextmanager
def reported(path: str | Path, *, shared: bool = False) -> Iterator[None]:
    """OSErrors of writing to path as OutputErrors; a closed pipe stays a BrokenPipeError.

    shared: all results go there, so that none can be written any more.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        full = error.errno in FULL
        text = f"{path}: the disk is full" if full else f"cannot write {path}: {reason(error)}"
        raise (NoMoreOutputError if full or shared else OutputError)(text) from error


def check_writable(folder: Path) -> None:
    """Raises OutputError where no file can be made: better before hours of work than after."""
    there = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
    if not os.path.isdir(there):
        raise OutputError(f"cannot write into {folder}: {there} is not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write into {there}: {reason(PermissionError(errno.EACCES, ''))}")


def beside(path: Path, suffix: str) -> Path:
    """A hidden file that belongs to path, in the same folder so that renaming is one step; the same name in every run."""
    name = f".{path.name}{suffix}"
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:32]}{suffix}"
    return path.with_name(name)


def part_of(path: Path) -> Path:
    """The temporary name of an output."""
    return beside(path, ".audiocli-part")


def write_whole(path: Path, record: Record, form: Format) -> None:
    """Write one record to the temporary name of path; nothing is left of it when that fails."""
    part = part_of(path)
    with reported(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(part, "wb") as stream:
                write(form, [record], stream, output=str(path))
        except BaseException:
            part.unlink(missing_ok=True)
            raise


class FilesSink:
    """A file or more for each input, in a folder that mirrors the inputs' folders.

    names: what the files of a single input are called, one a format; else they follow from the names of the inputs.
    """

    def __init__(
        self, root: Path, formats: Sequence[Format], key: str, *, resume: bool, force: bool,
        names: Sequence[Path] = (), remember: bool = True,
    ) -> None:  # fmt: skip
        check_writable(root)
        self._root, self._formats, self._names = root, formats, tuple(names)
        self._resume, self._force = resume, force
        self._journal = Journal(root / JOURNAL if remember else None, key)
        self._latest = {output: entry for entry in self._journal.entries for output in entry.outputs}
        self._owners = {_folded(output): entry.path for output, entry in self._latest.items()} | {JOURNAL: ""}
        self._unfinished: set[Path] = set()

    def claim(self, source: Source) -> Claim | None:
        outputs = self._names or tuple(self._name(source, form.suffix) for form in self._formats)
        there = [path for path in outputs if os.path.lexists(path)]
        if any(_same(path, source.path) for path in there):
            raise OutputError(f"{there[0]} is the input itself")
        if self._resume and len(there) == len(outputs) and self._is_done(source, outputs):
            return None
        if there and not (self._resume or self._force):
            raise OutputError(f"{there[0]} exists: --resume skips what is done, --force writes it again")
        return Claim(source, outputs)

    def _is_done(self, source: Source, outputs: Sequence[Path]) -> bool:
        """Whether the last that was noted of each output is what would be noted again."""
        entry = self._journal.entry(source, outputs)
        return entry.mtime_ns is not None and all(self._latest.get(output) == entry for output in entry.outputs)

    def _name(self, source: Source, suffix: str) -> Path:
        """A name that no other input has: x.npz, else x.wav.npz, else x.wav-2.npz; the same ones in every run."""
        stem = source.relative.with_suffix("") if source.path != "-" else source.relative
        me = self._journal.entry(source).path
        for relative in _candidates(str(stem), str(source.relative), suffix):
            if self._owners.setdefault(_folded(relative), me) == me:
                return self._root / relative
        raise AssertionError("the candidates never end")

    def prepare(self, claim: Claim, record: Record) -> None:
        for path, form in zip(claim.outputs, self._formats, strict=True):
            self._unfinished.add(part_of(path))
            write_whole(path, record, form)

    def commit(self, claim: Claim, record: Record) -> None:
        for path in claim.outputs:
            with reported(path):
                os.replace(part_of(path), path)
            self._unfinished.remove(part_of(path))
        with reported(self._root):
            self._journal.add(self._journal.entry(claim.source, claim.outputs))

    def fail(self, claim: Claim | None, failure: Failure) -> None:
        """There is nothing to note."""

    def close(self, complete: bool = True) -> None:
        """Each file is complete by itself; what has been prepared and not committed goes."""
        for part in self._unfinished:
            part.unlink(missing_ok=True)
        self._unfinished.clear()
        self._journal.close()


def _same(path: Path, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def _folded(name: str) -> str:
    """What names have in common that are one file on some systems."""
    return unicodedata.normalize("NFC", name).casefold()


def _candidates(stem: str, relative: str, suffix: str) -> Iterator[str]:
    yield stem + suffix
    yield relative + suffix
    number = 2
    while True:
        yield f"{relative}-{number}{suffix}"
        number += 1


class Both:
    """Every result to a main sink and to a second one (the plots beside the numbers)."""

    def __init__(self, main: Sink, second: Sink) -> None:
        self._sinks = (main, second)

    def claim(self, source: Source) -> Claim | None:
        """Done only when both are."""
        parts = tuple(sink.claim(source) for sink in self._sinks)
        return Claim(source, parts=parts) if any(parts) else None

    def prepare(self, claim: Claim, record: Record) -> None:
        for sink, part in zip(self._sinks, claim.parts, strict=True):
            if part:
                sink.prepare(part, record)

    def commit(self, claim: Claim, record: Record) -> None:
        for sink, part in zip(self._sinks, claim.parts, strict=True):
            if part:
                sink.commit(part, record)

    def fail(self, claim: Claim | None, failure: Failure) -> None:
        self._sinks[0].fail(claim, failure)

    def close(self, complete: bool = True) -> None:
        for sink in self._sinks:
            sink.close(complete)

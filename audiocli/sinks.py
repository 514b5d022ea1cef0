"""Where results go: standard output, one file, or a folder that mirrors the inputs; whole or not at all.

A result is *claimed* in the main thread (which name, is it done already), *prepared* on the worker (written under a temporary
name in its folder) and *committed* in the main thread in the order of the inputs (renamed, noted in the journal). A kill at any
moment leaves only finished files and at most some temporary ones, which the next run overwrites.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .errors import OutputError
from .formats import Format, write
from .journal import Journal
from .records import Failure, Record
from .sources import Source, reason

PART = ".audiocli-part"


class DiskFullError(OutputError):
    """No output can be written any more: the run stops here."""


@dataclass(frozen=True)
class Claim:
    """One input and the files that its result will become."""

    source: Source
    outputs: tuple[Path, ...] = ()


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

    def close(self) -> None:
        """No more results will come."""


@contextmanager
def told(path: str | Path) -> Iterator[None]:
    """OSErrors of writing to path as OutputErrors; a closed pipe stays a BrokenPipeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(f"{path}: the disk is full") from error
        raise OutputError(f"cannot write {path}: {reason(error)}") from error


def part_of(path: Path) -> Path:
    """The temporary name of an output, in the same folder so that renaming it is one step."""
    return path.with_name(f".{path.name}{PART}")


def write_whole(path: Path, record: Record, form: Format) -> None:
    """Write one record to the temporary name of path; nothing is left of it when that fails."""
    part = part_of(path)
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(part, "wb") as stream:
                write(form, [record], stream, output=str(path))
        except BaseException:
            part.unlink(missing_ok=True)
            raise


class FolderSink:
    """A file or more for each input, in a folder that mirrors the inputs' folders."""

    def __init__(
        self, root: Path, formats: Sequence[Format], key: str, *, resume: bool, force: bool, remember: bool = True
    ) -> None:
        self._root = root
        self._formats = formats
        self._journal = Journal(root / ".audiocli.jsonl" if remember else None, key)
        self._resume, self._force = resume, force
        self._owners = {os.path.normcase(name).casefold(): path for name, path in self._journal.outputs().items()}

    def claim(self, source: Source) -> Claim | None:
        claim = Claim(source, tuple(self._name(source, form.suffix) for form in self._formats))
        there = [path for path in claim.outputs if path.exists()]
        if self._resume and len(there) == len(claim.outputs) and self._journal.holds(source):
            return None
        if there and not (self._resume or self._force):
            raise OutputError(f"{there[0]} exists: --resume skips what is done, --force writes it again")
        return claim

    def _name(self, source: Source, suffix: str) -> Path:
        """A name that no other input has: x.npz, else x.wav.npz, else x.wav-2.npz; the same ones in every run."""
        stem = source.relative.with_suffix("") if source.path != "-" else source.relative
        for relative in _candidates(str(stem), str(source.relative), suffix):
            owner = self._owners.setdefault(os.path.normcase(relative).casefold(), source.path)
            if owner == source.path:
                return self._root / relative
        raise AssertionError("the candidates never end")

    def prepare(self, claim: Claim, record: Record) -> None:
        for path, form in zip(claim.outputs, self._formats, strict=True):
            write_whole(path, record, form)

    def commit(self, claim: Claim, record: Record) -> None:
        for path in claim.outputs:
            with told(path):
                os.replace(part_of(path), path)
        with told(self._root):
            self._journal.add(claim.source, [str(path.relative_to(self._root)) for path in claim.outputs])

    def fail(self, claim: Claim | None, failure: Failure) -> None:
        """There is nothing to note."""

    def close(self) -> None:
        self._journal.close()


def _candidates(stem: str, relative: str, suffix: str) -> Iterator[str]:
    yield stem + suffix
    yield relative + suffix
    number = 2
    while True:
        yield f"{relative}-{number}{suffix}"
        number += 1


class FileSink:
    """The result of a single input in one file."""

    def __init__(self, path: Path, form: Format, *, resume: bool, force: bool) -> None:
        self._path, self._format = Path(os.path.realpath(path)), form
        self._resume, self._force = resume, force

    def claim(self, source: Source) -> Claim | None:
        """Without a journal, --resume goes by the times of the two files."""
        if self._path.exists() and not self._force:
            if not self._resume:
                raise OutputError(f"{self._path} exists: --force writes it again")
            if self._path.stat().st_mtime_ns >= source.mtime_ns:
                return None
        return Claim(source, (self._path,))

    def prepare(self, claim: Claim, record: Record) -> None:
        write_whole(self._path, record, self._format)

    def commit(self, claim: Claim, record: Record) -> None:
        with told(self._path):
            os.replace(part_of(self._path), self._path)

    def fail(self, claim: Claim | None, failure: Failure) -> None:
        """There is nothing to note."""

    def close(self) -> None:
        """There is nothing to note."""


class Both:
    """Every result to a main sink and to a second one (the plots beside the numbers)."""

    def __init__(self, main: Sink, second: Sink) -> None:
        self._main, self._second = main, second
        self._claims: dict[str, tuple[Claim | None, Claim | None]] = {}

    def claim(self, source: Source) -> Claim | None:
        """Done only when both are."""
        claims = (self._main.claim(source), self._second.claim(source))
        self._claims[source.path] = claims
        done = all(claim is None for claim in claims)
        return None if done else Claim(source, sum((claim.outputs for claim in claims if claim), ()))

    def prepare(self, claim: Claim, record: Record) -> None:
        for sink, own in self._pairs(claim):
            sink.prepare(own, record)

    def commit(self, claim: Claim, record: Record) -> None:
        for sink, own in self._pairs(claim):
            sink.commit(own, record)

    def _pairs(self, claim: Claim) -> list[tuple[Sink, Claim]]:
        claims = self._claims[claim.source.path]
        return [(sink, own) for sink, own in zip((self._main, self._second), claims, strict=True) if own]

    def fail(self, claim: Claim | None, failure: Failure) -> None:
        self._main.fail(claim, failure)

    def close(self) -> None:
        self._main.close()
        self._second.close()

"""Sinks that put the results of many inputs into one stream: standard output, a device, or a file that grows."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from .errors import UsageError
from .formats import Format, Kind, write
from .journal import Journal
from .records import Failure, Record
from .sinks import Claim, part_of, told
from .sources import Source


class JoinedSink:
    """All results one after the other in one stream: standard output, a device, or the growing part of a file."""

    def __init__(self, stream: BinaryIO, name: str, form: Format) -> None:
        self._stream, self._name, self._format = stream, name, form
        self._kept: list[Record] = []
        self._first = True

    def claim(self, source: Source) -> Claim | None:
        return Claim(source)

    def prepare(self, claim: Claim, record: Record) -> None:
        """There is one stream, so nothing can be written before its turn."""

    def commit(self, claim: Claim, record: Record) -> None:
        if type(record) in self._format.collected:
            self._kept.append(record)
            return
        self._write([record])

    def fail(self, claim: Claim | None, failure: Failure) -> None:
        """A format with one object an input has one for this input, too."""
        if Failure in self._format.writers:
            self._write([failure])

    def _write(self, records: Sequence[Kind]) -> None:
        with told(self._name):
            write(self._format, records, self._stream, output=None, first=self._first)
            self._stream.flush()
        self._first = False

    def close(self) -> None:
        if self._kept:
            self._write(self._kept)
        with told(self._name):
            self._stream.close()


class GrowingFileSink(JoinedSink):
    """Many results in one file, which grows under a temporary name and can be gone on with after a kill.

    The journal beside it notes how long the file was after each input; what a kill left behind that is cut off.
    """

    def __init__(self, path: Path, form: Format, key: str, *, resume: bool, force: bool) -> None:
        self._path = Path(os.path.realpath(path))
        if self._path.exists() and not (resume or force):
            raise UsageError(f"{path} exists: --resume goes on with it, --force writes it again")
        with told(path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(self._path.with_name(f".{self._path.name}.audiocli.jsonl"), key)
        kept = self._journal.end() if resume and not form.collected else None
        part = part_of(self._path)
        with told(path):
            if kept and self._path.exists() and not part.exists():
                os.replace(self._path, part)
            stream = open(part, "r+b" if kept and part.exists() else "wb")
            stream.truncate(kept if kept else 0)
            stream.seek(0, os.SEEK_END)
        if not stream.tell():
            self._journal.clear()
        super().__init__(stream, str(path), form)
        self._first = not stream.tell()
        self._failures: list[Failure] = []

    def claim(self, source: Source) -> Claim | None:
        return None if self._journal.holds(source) else Claim(source)

    def commit(self, claim: Claim, record: Record) -> None:
        super().commit(claim, record)
        if not self._kept:
            with told(self._path):
                self._journal.add(claim.source, [], end=self._stream.tell())

    def fail(self, claim: Claim | None, failure: Failure) -> None:
        """Failures stand at the end, where the next --resume cuts them off and tries again."""
        self._failures.append(failure)

    def close(self) -> None:
        for failure in self._failures:
            super().fail(None, failure)
        super().close()
        with told(self._path):
            os.replace(part_of(self._path), self._path)
        self._journal.close()

"""Sinks that put the results of many inputs into one stream: standard output, a device, or a file that grows."""

import os
from collections.abc import Sequence
from io import BufferedWriter, FileIO, UnsupportedOperation
from pathlib import Path

from ..errors import OutputError
from ..inputs.sources import Source
from ..records import Failure, Record
from .formats import Format, Kind, write
from .formats.lines import named
from .journal import Entry, Journal
from .sinks import Claim, Sink, beside, check_writable, part_of, reported


class Forward(FileIO):
    """A file that is written front to back even where it could seek: behind `>>` in the shell, going back would do harm."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise UnsupportedOperation


class JoinedSink:
    """All results one after the other through one file descriptor: standard output, a device, a growing file.

    Each write has a buffer of its own that is flushed when it ends: a result that is done can be read at once, a short write of
    an unbuffered standard output is not a lost one, and nothing is left to be written when the descriptor has failed.
    """

    def __init__(self, descriptor: int, name: str, form: Format, *, single: bool = True) -> None:
        self._descriptor, self._name, self._format = descriptor, name, form
        self._single, self._names = single, dict[str, str]()  # what the inputs are called, each by a name of its own
        self._kept: list[Record] = []
        self._first = True

    def claim(self, source: Source) -> Claim | None:
        return Claim(source)

    def prepare(self, claim: Claim, record: Record) -> None:
        """There is one stream, so nothing can be written before its turn."""

    def commit(self, claim: Claim, record: Record) -> None:
        if type(record) in self._format.collected:
            self._kept.append(record)
        else:
            recording = None if self._single else named(record.path, self._names)
            self._write([record], str(claim.outputs[0]) if claim.outputs else None, recording)

    def fail(self, claim: Claim | None, failure: Failure) -> None:
        """A format with one object an input has one for this input, too."""
        if Failure in self._format.writers:
            self._write([failure])

    def _write(self, records: Sequence[Kind], output: str | None = None, recording: str | None = None) -> None:
        """output: the file that the records speak of; None: the results are here. recording: the input's name among several."""
        stream = BufferedWriter(Forward(self._descriptor, "w", closefd=False))
        with reported(self._name, shared=True), stream:
            write(self._format, records, stream, output=output, first=self._first, recording=recording)
        self._first = False

    def close(self, complete: bool = True) -> None:
        """Write what is written as one; part of it would look like all of it."""
        if self._kept and complete:
            self._write(self._kept)
        self._kept = []


class Announced:
    """Files as another sink writes them, and a record of each in a stream (standard output) once the file is there."""

    def __init__(self, files: Sink, stream: JoinedSink) -> None:
        self._files, self._stream = files, stream

    def claim(self, source: Source) -> Claim | None:
        return self._files.claim(source)

    def prepare(self, claim: Claim, record: Record) -> None:
        self._files.prepare(claim, record)

    def commit(self, claim: Claim, record: Record) -> None:
        self._files.commit(claim, record)
        self._stream.commit(claim, record)

    def fail(self, claim: Claim | None, failure: Failure) -> None:
        """The stream tells of it, so that whoever reads it knows that no file will come."""
        self._files.fail(claim, failure)
        self._stream.fail(claim, failure)

    def close(self, complete: bool = True) -> None:
        """Both."""
        self._files.close(complete)
        self._stream.close(complete)


class GrowingFileSink(JoinedSink):
    """Many results in one file, which grows under a temporary name and can be gone on with after a kill.

    The journal beside it notes how long the file was after each input. --resume keeps it up to the first input that has changed
    since; what a kill left behind that is cut off. Nothing is touched before there is something to write.
    """

    def __init__(
        self, path: Path, form: Format, key: str, *, resume: bool, force: bool, collected: bool = False
    ) -> None:
        """collected: results of this type are written as one at the end, so there is nothing to go on from."""
        super().__init__(-1, str(path), form, single=False)
        if os.path.exists(path) and not (resume or force):
            raise OutputError(f"{path} exists: --resume goes on with it, --force writes it again")
        self._path = Path(os.path.realpath(path))
        check_writable(self._path.parent)
        self._part = part_of(self._path)
        self._journal = Journal(beside(self._path, ".audiocli.jsonl"), key)
        self._entries = self._usable() if resume and not collected else []
        self._done = {entry.path for entry in self._entries}
        for entry in self._entries:
            named(entry.path if entry.path == "-" else str(self._path.parent / entry.path), self._names)
        self._failures: list[Failure] = []

    def _usable(self) -> list[Entry]:
        """The results that can stay as they are."""
        file = self._part if self._part.exists() else self._path
        size = file.stat().st_size if file.exists() else 0
        entries: list[Entry] = []
        for entry in self._journal.entries:
            if not self._journal.still_so(entry) or entry.end > size:
                break
            entries.append(entry)
        return entries

    @property
    def _kept_end(self) -> int:
        """Bytes of the results that stay."""
        return self._entries[-1].end if self._entries else 0

    def claim(self, source: Source) -> Claim | None:
        return None if self._journal.entry(source).path in self._done else Claim(source)

    def commit(self, claim: Claim, record: Record) -> None:
        super().commit(claim, record)
        if not self._kept:
            with reported(self._name, shared=True):
                self._journal.add(self._journal.entry(claim.source, end=os.lseek(self._descriptor, 0, os.SEEK_CUR)))

    def fail(self, claim: Claim | None, failure: Failure) -> None:
        """Failures stand at the end, where the next --resume cuts them off and tries again."""
        self._failures.append(failure)

    def _write(self, records: Sequence[Kind], output: str | None = None, recording: str | None = None) -> None:
        if self._descriptor < 0:
            self._begin()
        end = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        try:
            super()._write(records, output, recording)
        except BaseException:
            self._cut(end)
            raise

    def _begin(self) -> None:
        """Open the temporary file behind what stays of it."""
        end = self._kept_end
        with reported(self._name, shared=True):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if end and not self._part.exists():
                os.replace(self._path, self._part)
            self._journal.rewrite(self._entries)
            self._descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT, 0o666)
            self._cut(end)
        self._first = not end

    def _cut(self, end: int) -> None:
        os.ftruncate(self._descriptor, end)
        os.lseek(self._descriptor, end, os.SEEK_SET)

    def close(self, complete: bool = True) -> None:
        """Give the file its name when it is complete; else what there is waits under the temporary name for --resume."""
        try:
            if complete:
                self._publish()
        finally:
            self._release()

    def _publish(self) -> None:
        for failure in self._failures:
            super().fail(None, failure)
        super().close()
        if self._entries and self._descriptor < 0 and not self._stands():
            self._begin()
        if self._descriptor >= 0:
            with reported(self._name):
                os.replace(self._part, self._path)

    def _stands(self) -> bool:
        """Whether the file itself ends where the results do that stay."""
        return not self._part.exists() and self._path.stat().st_size == self._kept_end

    def _release(self) -> None:
        if self._descriptor >= 0:
            if not os.fstat(self._descriptor).st_size:
                self._part.unlink(missing_ok=True)
            os.close(self._descriptor)
        self._descriptor, self._entries, self._failures = -1, [], []
        self._journal.close()

"""The journal of finished inputs, one JSON line each, so that --resume can go on after a kill."""

import errno
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from ..inputs.sources import Source


@dataclass(frozen=True)
class Entry:
    """One finished input: a digest of the options, its file as it was then, and the outputs."""

    key: str  # a digest of the options that shape the result
    path: str  # from the journal's folder, so that another working folder makes no difference; "-" is standard input
    size: int
    mtime_ns: int | None
    outputs: tuple[str, ...] = ()  # from the journal's folder
    end: int = 0  # bytes of a growing file up to the end of this result


class Journal:
    """Lines that are only ever appended; a torn line (a kill, a full disk) is ignored. Without a path nothing is kept."""

    def __init__(self, path: Path | None, key: str) -> None:
        self._path, self._key = path, key
        self.entries = _read(path) if path else []
        self._stream: FileIO | None = None

    def entry(self, source: Source, outputs: Iterable[Path] = (), end: int = 0) -> Entry:
        """The entry for this input, as it is now, when it has become these outputs."""
        return Entry(
            self._key, self._from_here(source.path), source.size, source.mtime_ns,
            tuple(self._from_here(path) for path in outputs), end,
        )  # fmt: skip

    def _from_here(self, path: str | Path) -> str:
        return "-" if path == "-" else os.path.relpath(path, self._path.parent if self._path else None)

    def still_so(self, entry: Entry) -> bool:
        """Whether the options are the same, and the input as well, as far as it is still there to be compared."""
        if self._path is None or entry.mtime_ns is None or entry.key != self._key:
            return False
        try:
            status = os.stat(os.path.normpath(self._path.parent / entry.path))
        except OSError:
            return True
        return (status.st_size, status.st_mtime_ns) == (entry.size, entry.mtime_ns)

    def add(self, entry: Entry) -> None:
        """Note that an input is finished."""
        if self._path is None:
            return
        if self._stream is None:
            self._stream = FileIO(self._path, "a")
        # The line end comes first, so that a torn line never swallows the next one.
        line = b"\n" + json.dumps(asdict(entry)).encode()
        if self._stream.write(line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def rewrite(self, entries: Iterable[Entry]) -> None:
        """Forget all but these."""
        self.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            for entry in entries:
                self.add(entry)

    def close(self) -> None:
        """Nothing more will be added for now."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _read(path: Path) -> list[Entry]:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return []
    return [entry for entry in map(_parsed, lines) if entry]


def _parsed(line: bytes) -> Entry | None:
    try:
        fields: Any = json.loads(line)
        entry = Entry(**{**fields, "outputs": tuple(fields["outputs"])})
    except (ValueError, TypeError, KeyError):
        return None
    numbers = (entry.size, 0 if entry.mtime_ns is None else entry.mtime_ns, entry.end)
    texts = (entry.key, entry.path, *entry.outputs)
    known = all(isinstance(text, str) for text in texts) and all(isinstance(number, int) for number in numbers)
    return entry if known else None

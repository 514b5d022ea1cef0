"""What a run has finished, one JSON line an input, so that --resume can go on after a kill."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from .sources import Source


class Journal:
    """Lines that are only ever added; a torn last line (a kill, a full disk) counts for nothing.

    key: a digest of the options that shape the result. An input is held when it was finished with the same key and its file has
    not changed in size or time since. Without a path nothing is kept.
    """

    def __init__(self, path: Path | None, key: str) -> None:
        self._path, self._key = path, key
        self._entries = {(entry["key"], entry["path"]): entry for entry in (_lines(path) if path else [])}
        self._stream: BinaryIO | None = None

    def holds(self, source: Source) -> bool:
        """Whether this input is finished, as it is now and with these options."""
        entry = self._entries.get((self._key, source.path))
        return entry is not None and (entry["size"], entry["mtime_ns"]) == (source.size, source.mtime_ns)

    def outputs(self) -> dict[str, str]:
        """Which input each output is from."""
        return {output: entry["path"] for entry in self._entries.values() for output in entry["outputs"]}

    def end(self) -> int | None:
        """Bytes of a growing file up to the last input that was finished with these options; None: there is none."""
        ends = [entry["end"] for entry in self._entries.values() if entry["key"] == self._key and "end" in entry]
        return max(ends, default=None)

    def add(self, source: Source, outputs: Iterable[str], end: int | None = None) -> None:
        """Note that an input is finished."""
        entry: dict[str, Any] = {
            "key": self._key, "path": source.path, "size": source.size, "mtime_ns": source.mtime_ns,
            "outputs": list(outputs),
        }  # fmt: skip
        if end is not None:
            entry["end"] = end
        self._entries[self._key, source.path] = entry
        if self._path is None:
            return
        if self._stream is None:
            self._stream = _opened(self._path)
        self._stream.write(json.dumps(entry).encode() + b"\n")
        self._stream.flush()

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing more will be added."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _opened(path: Path) -> BinaryIO:
    """The file to add to, after a line end: a torn line must not swallow the next one."""
    stream = open(path, "a+b")
    if stream.tell() and os.pread(stream.fileno(), 1, stream.tell() - 1) != b"\n":
        stream.write(b"\n")
    return stream


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_bytes()
    except OSError:
        return []
    entries = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and {"key", "path", "size", "mtime_ns", "outputs"} <= entry.keys():
            entries.append(entry)
    return entries

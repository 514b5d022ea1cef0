"""The tracks that are known, in a SQLite file: one row and one transaction a track, so that a killed run goes on where it was."""

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .... import database
from ....errors import InputError
from ....inputs.sources import Source
from .fingerprint import Fingerprint

KIND = database.Kind(
    "database of tracks", 0x61766D78, 1,
    "CREATE TABLE tracks (path TEXT PRIMARY KEY, size INTEGER, mtime INTEGER, duration REAL, hashes INTEGER, "
    "checksum INTEGER, data BLOB)",
)  # fmt: skip


@dataclass(frozen=True)
class Track:
    """A known recording."""

    path: str
    print: Fingerprint


class Index:
    """A database that tracks are put into. Raises InputError, OutputError."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._connection = database.connect(path, KIND, create=True)
        self._there: dict[str, tuple[int, int]] = {}
        self._sounds: dict[str, tuple[int, int]] = {}  # checksum of the hashes, and how many there are
        self._added: set[str] = set()
        try:
            rows = self._connection.execute("SELECT path, size, mtime, checksum, hashes FROM tracks").fetchall()
        except sqlite3.Error as error:
            raise database.as_input_error(self.path, error) from error
        for name, size, mtime, checksum, hashes in rows:
            self._remember(name, (size, mtime), (checksum, hashes))

    def _remember(self, path: str, state: tuple[int, int], sound: tuple[int, int]) -> None:
        self._there[path], self._sounds[path] = state, sound

    def equal(self) -> list[tuple[str, str]]:
        """Duplicates (a track, the first one with the same contents), where at least one of the same was put in now."""
        groups: dict[tuple[int, int], list[str]] = {}
        for path, sound in self._sounds.items():
            if sound[1]:  # tracks without hashes are all silent, not the same
                groups.setdefault(sound, []).append(path)
        return [(path, paths[0]) for paths in groups.values() if self._added.intersection(paths) for path in paths[1:]]

    def gone(self) -> list[str]:
        """Tracks whose files have gone."""
        return [path for path in self._there if not os.path.exists(path)]

    def has(self, source: Source) -> bool:
        """Whether the file is in it as it is now."""
        return self._there.get(_name(source.path)) == (source.size, source.mtime_ns or 0)

    def add(self, source: Source, fingerprint: Fingerprint) -> None:
        """Put a track in, in place of the row that the file had."""
        data = fingerprint.hashes.astype("<u4").tobytes() + fingerprint.frames.astype("<i4").tobytes()
        state = (source.size, source.mtime_ns or 0)
        row = (_name(source.path), *state, fingerprint.duration, len(fingerprint.hashes), zlib.crc32(data), data)
        try:
            with self._connection:
                self._connection.execute("INSERT OR REPLACE INTO tracks VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        except sqlite3.Error as error:
            raise database.as_input_error(self.path, error) from error
        self._remember(row[0], state, (row[5], row[4]))
        self._added.add(row[0])

    def __len__(self) -> int:
        return len(self._there)

    def close(self) -> None:
        """Nothing more is put in."""
        self._connection.close()


def _name(path: str) -> str:
    """The name of a track, wherever the command was started."""
    return os.fsencode(Path(path).absolute()).decode("utf-8", "backslashreplace")


def tracks(path: str) -> Iterator[Track]:
    """All tracks of a database. Raises InputError, for one that is damaged too: a wrong answer is worse than none."""
    with closing(database.connect(path, KIND)) as connection:
        try:
            rows = connection.execute("SELECT path, duration, hashes, checksum, data FROM tracks ORDER BY path")
            yield from (Track(name, _print(path, name, *row)) for name, *row in rows)
        except sqlite3.Error as error:
            raise database.as_input_error(path, error) from error


def _print(database_path: str, name: str, duration: float, count: int, checksum: int, data: bytes) -> Fingerprint:
    if len(data) != 8 * count or zlib.crc32(data) != checksum:
        raise InputError(f"{database_path} is damaged at {name}: make the database of tracks again")
    return Fingerprint(np.frombuffer(data, "<u4", count), np.frombuffer(data, "<i4", count, 4 * count), duration)

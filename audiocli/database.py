"""Our own SQLite files; other files, other versions and damaged files are recognised when they are opened."""

import os
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass

from .errors import InputError, OutputError

BUSY = 60.0  # s that another process may write


@dataclass(frozen=True)
class Kind:
    """A kind of file: a name for messages, an id that only such files have, the version of its tables, and their SQL."""

    name: str
    application: int
    version: int
    schema: str


def connect(path: str, kind: Kind, *, create: bool = False) -> sqlite3.Connection:
    """Open a database of a kind, made on request if it does not exist; other processes may make it at the same time.

    Raises InputError for a file of another kind or version or one that is cut off, OutputError where none can be made.
    """
    there = os.path.exists(path)
    if not there and not create:
        raise InputError(f"{path}: no such {kind.name}")
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder, not a {kind.name}")
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(closing(sqlite3.connect(path, timeout=BUSY)))
            if create and not _number(connection, "page_count"):
                _make(connection, kind)
            _check(connection, path, kind)
        except sqlite3.Error as error:
            raise (_wrong(path, kind, error) if there else OutputError(f"cannot make {path}: {error}")) from error
        stack.pop_all()  # all is well: it stays open
    return connection


def _make(connection: sqlite3.Connection, kind: Kind) -> None:
    """Make the tables in one transaction, unless another process has just done so: no other process sees a part of them."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return
        connection.execute(f"PRAGMA application_id = {kind.application}")
        connection.execute(f"PRAGMA user_version = {kind.version}")
        for statement in filter(str.strip, kind.schema.split(";")):
            connection.execute(statement)


def _check(connection: sqlite3.Connection, path: str, kind: Kind) -> None:
    """Raises InputError for a database of something else, of another version, or shorter than its header says."""
    pages, size = _number(connection, "page_count"), _number(connection, "page_size")
    if os.path.getsize(path) < pages * size and not os.path.exists(f"{path}-wal"):
        raise _cut_off(path, kind)
    if not pages:
        raise InputError(f"{path} is empty, not a {kind.name}")
    if _number(connection, "application_id") != kind.application:
        raise InputError(f"{path} is not a {kind.name} but a database of something else")
    version = _number(connection, "user_version")
    if version != kind.version:
        raise InputError(
            f"{path} is a {kind.name} of version {version}, and this audiocli reads version {kind.version}: make it again"
        )


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    with closing(connection.execute(f"PRAGMA {pragma}")) as rows:
        return int(rows.fetchone()[0])


def _wrong(path: str, kind: Kind, error: sqlite3.Error) -> InputError:
    """SQLite's error about a file that exists, in the words of a message."""
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_NOTADB:
        return InputError(f"{path} is not a {kind.name}")
    if code == sqlite3.SQLITE_CORRUPT:
        return _cut_off(path, kind)
    return as_input_error(path, error)


def _cut_off(path: str, kind: Kind) -> InputError:
    return InputError(f"{path} is cut off or damaged: make the {kind.name} again, or take a copy of it")


def as_input_error(path: str, error: sqlite3.Error) -> InputError:
    """An error of SQLite in the words of a message."""
    return InputError(f"{path} is damaged or in use: {error}")

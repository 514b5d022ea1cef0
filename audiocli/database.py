"""SQLite files of ours: told from other files, from those of another version and from damaged ones when they are opened."""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass

from .errors import InputError, OutputError

HEADER = 100  # bytes that every SQLite file begins with (sqlite.org/fileformat.html)
MAGIC = b"SQLite format 3\0"
JOURNALS = ("-wal", "-journal")  # beside a file whose last writer was killed: SQLite mends it first
BUSY = 60.0  # s that another process may write


@dataclass(frozen=True)
class Kind:
    """What is in a file: a name for messages, an id that only such files have, the version of its tables, and their SQL."""

    name: str
    application: int
    version: int
    schema: str


def connect(path: str, kind: Kind, *, create: bool = False) -> sqlite3.Connection:
    """Open a database of a kind, made if asked for when it is not there.

    Raises InputError for what is no such database, of another version or cut off, OutputError where none can be made.
    """
    if not os.path.exists(path):
        if not create:
            raise InputError(f"{path}: there is no such {kind.name}")
        return _made(path, kind)
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder, no {kind.name}")
    if create and not os.path.getsize(path):
        return _made(path, kind)
    check_whole(path, kind)
    connection = sqlite3.connect(path, timeout=BUSY)
    try:
        check_kind(connection, path, kind)
    except BaseException:
        connection.close()
        raise
    return connection


def _made(path: str, kind: Kind) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, timeout=BUSY)
        with connection:
            connection.execute(f"PRAGMA application_id = {kind.application}")
            connection.execute(f"PRAGMA user_version = {kind.version}")
            for statement in filter(str.strip, kind.schema.split(";")):
                connection.execute(statement)
    except sqlite3.Error as error:
        raise OutputError(f"cannot make {path}: {error}") from error
    return connection


def check_whole(path: str, kind: Kind) -> None:
    """Raises InputError for a file that is no SQLite file or shorter than its header says."""
    try:
        with open(path, "rb") as file:
            header = file.read(HEADER)
        size = os.path.getsize(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    if len(header) < HEADER or not header.startswith(MAGIC):
        raise InputError(f"{path} is no {kind.name}")
    if any(os.path.exists(path + end) for end in JOURNALS):
        return
    page = int.from_bytes(header[16:18], "big")
    page = 65_536 if page == 1 else page
    if size != page * int.from_bytes(header[28:32], "big"):
        raise InputError(f"{path} is cut off or damaged: make the {kind.name} again, or take a copy of it")


def check_kind(connection: sqlite3.Connection, path: str, kind: Kind) -> None:
    """Raises InputError for a database of something else, or of another version."""
    try:
        with closing(connection.execute("PRAGMA application_id")) as rows:
            application = rows.fetchone()[0]
        with closing(connection.execute("PRAGMA user_version")) as rows:
            version = rows.fetchone()[0]
    except sqlite3.Error as error:
        raise InputError(f"{path} is no {kind.name}, or damaged: {error}") from error
    if application != kind.application:
        raise InputError(f"{path} is no {kind.name}, but a database of something else")
    if version != kind.version:
        raise InputError(
            f"{path} is a {kind.name} of version {version}, and this audiocli reads version {kind.version}: make it again"
        )


def told(path: str, error: sqlite3.Error) -> InputError:
    """An error of SQLite in the words of a message."""
    return InputError(f"{path} is damaged or in use: {error}")

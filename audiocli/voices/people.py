"""Voices that have names, in a SQLite file: what `verify --enroll` writes and `verify --identify` and `diarize --db` read."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from .. import database
from ..errors import InputError
from .voice import Voice, mean

KIND = database.Kind(
    "database of voices", 0x61766F78, 1,
    "CREATE TABLE voices (name TEXT, model TEXT, clips INTEGER, seconds REAL, snr REAL, embedding BLOB, "
    "PRIMARY KEY (name, model))",
)  # fmt: skip


@dataclass(frozen=True)
class Enrolled:
    """A person's voice, as the mean of so many clips."""

    name: str
    clips: int
    voice: Voice


@dataclass(frozen=True)
class Row:
    """A person's row in a database: the net that the voice is from, recordings, and seconds of speech."""

    name: str
    model: str
    clips: int
    seconds: float


def add(path: str, model: str, one: Enrolled) -> Enrolled:
    """Put a voice into a database, which is made if there is none, merged with the voice that it has under that name.

    model: which net, in which state, the embeddings are of. Raises InputError, OutputError.
    """
    with closing(database.connect(path, KIND, create=True)) as connection, _writing(path, connection):
        before = _named(connection, model, one.name)
        if before:
            one = Enrolled(one.name, before.clips + one.clips, mean([before.voice, one.voice]))
        assert one.voice.embedding is not None
        blob = one.voice.embedding.astype("<f4").tobytes()
        row = (one.name, model, one.clips, one.voice.seconds, one.voice.snr, blob)
        connection.execute("INSERT OR REPLACE INTO voices VALUES (?, ?, ?, ?, ?, ?)", row)
    return one


@contextmanager
def _writing(path: str, connection: sqlite3.Connection) -> Iterator[None]:
    """A change that no other process can interrupt."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            yield
    except sqlite3.Error as error:
        raise database.as_input_error(path, error) from error


def named(path: str, model: str, name: str) -> Enrolled | None:
    """A person's voice in a database, if both exist. Raises InputError."""
    if not os.path.exists(path) or not os.path.getsize(path):
        return None
    with closing(database.connect(path, KIND)) as connection:
        try:
            return _named(connection, model, name)
        except sqlite3.Error as error:
            raise database.as_input_error(path, error) from error


def _named(connection: sqlite3.Connection, model: str, name: str) -> Enrolled | None:
    row = connection.execute(f"{_VOICES} WHERE model = ? AND name = ?", (model, name)).fetchone()
    return _enrolled(*row) if row else None


_VOICES = "SELECT name, clips, seconds, snr, embedding FROM voices"


def _enrolled(name: str, clips: int, seconds: float, snr: float, blob: bytes) -> Enrolled:
    return Enrolled(name, clips, Voice(np.frombuffer(blob, "<f4").astype(np.float32), seconds, snr))


def everyone(path: str) -> list[Row]:
    """The people in a database, of whatever model. Raises InputError."""
    with closing(database.connect(path, KIND)) as connection:
        try:
            return [
                Row(*row) for row in connection.execute("SELECT name, model, clips, seconds FROM voices ORDER BY 1, 2")
            ]
        except sqlite3.Error as error:
            raise database.as_input_error(path, error) from error


def remove(path: str, name: str) -> None:
    """Remove a person. Raises InputError for an unknown name."""
    _known(path, name)
    with closing(database.connect(path, KIND)) as connection, _writing(path, connection):
        connection.execute("DELETE FROM voices WHERE name = ?", (name,))


def rename(path: str, old: str, new: str) -> None:
    """Rename a person. Raises InputError for an unknown name, and for a new one that exists."""
    _known(path, old)
    if any(row.name == new for row in everyone(path)):
        raise InputError(f"{path} has a {new!r} already: remove it first, or enroll the recordings under that name")
    with closing(database.connect(path, KIND)) as connection, _writing(path, connection):
        connection.execute("UPDATE voices SET name = ? WHERE name = ?", (new, old))


def _known(path: str, name: str) -> None:
    names = [row.name for row in everyone(path)]
    if name not in names:
        near = get_close_matches(name, names, 1)
        raise InputError(f"{path} has nobody named {name!r}" + (f": did you mean {near[0]!r}?" if near else ""))


def read(path: str, model: str) -> list[Enrolled]:
    """The voices of a model in a database, by name. Raises InputError when it has none of this model."""
    with closing(database.connect(path, KIND)) as connection:
        try:
            rows = connection.execute(f"{_VOICES} WHERE model = ? ORDER BY name", (model,)).fetchall()
            others = [row[0] for row in connection.execute("SELECT DISTINCT model FROM voices")]
        except sqlite3.Error as error:
            raise database.as_input_error(path, error) from error
    if not rows:
        of = f"its voices are of {', '.join(others)}" if others else "it is empty"
        raise InputError(f"{path} has no voices of {model}: {of}; enroll them with --enroll NAME FILE... --db {path}")
    return [_enrolled(*row) for row in rows]

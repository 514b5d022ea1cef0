"""Voices that have names, in a SQLite file: what `verify --enroll` writes and `verify --identify` and `diarize --db` read."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from .. import database
from ..errors import InputError
from .voice import Voice

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


def write(path: str, model: str, people: Iterable[Enrolled]) -> None:
    """Put voices into a database, which is made if there is none; a name that is there gets the new voice instead.

    model: which net, in which state, the embeddings are of. Raises InputError, OutputError.
    """
    rows = []
    for one in people:
        assert one.voice.embedding is not None
        blob = one.voice.embedding.astype("<f4").tobytes()
        rows.append((one.name, model, one.clips, one.voice.seconds, one.voice.snr, blob))
    with closing(database.connect(path, KIND, create=True)) as connection:
        try:
            with connection:
                connection.executemany("INSERT OR REPLACE INTO voices VALUES (?, ?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise database.told(path, error) from error


def read(path: str, model: str) -> list[Enrolled]:
    """The voices of a model in a database, by name. Raises InputError when it has none of this model."""
    with closing(database.connect(path, KIND)) as connection:
        try:
            found = connection.execute(
                "SELECT name, clips, seconds, snr, embedding FROM voices WHERE model = ? ORDER BY name", (model,)
            ).fetchall()
            others = [row[0] for row in connection.execute("SELECT DISTINCT model FROM voices")]
        except sqlite3.Error as error:
            raise database.told(path, error) from error
    if not found:
        of = f"its voices are of {', '.join(others)}" if others else "it is empty"
        raise InputError(f"{path} has no voices of {model}: {of}; enroll them with --enroll NAME FILE... --db {path}")
    return [
        Enrolled(name, clips, Voice(np.frombuffer(blob, "<f4").astype(np.float32), seconds, snr))
        for name, clips, seconds, snr, blob in found
    ]

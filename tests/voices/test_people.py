"""The database of voices: voices come out as they went in, and other files are refused."""

import sqlite3

import numpy as np
import pytest

from audiocli.errors import InputError
from audiocli.voices import people
from audiocli.voices.people import Enrolled
from audiocli.voices.voice import Voice


def person(name, seed=0):
    vector = np.random.default_rng(seed).standard_normal(8).astype(np.float32)
    return Enrolled(name, 2, Voice(vector / np.float32(np.linalg.norm(vector)), 12.5, 20.0))


@pytest.fixture
def db(tmp_path):
    path = str(tmp_path / "voices.db")
    for one in (person("ada", 1), person("bob", 2)):
        people.add(path, "net@1", one)
    return path


def test_what_goes_in_comes_out(db):
    found = people.read(db, "net@1")
    assert [one.name for one in found] == ["ada", "bob"]
    np.testing.assert_array_equal(found[1].voice.embedding, person("bob", 2).voice.embedding)
    assert (found[0].clips, found[0].voice.seconds, found[0].voice.snr) == (2, 12.5, 20.0)


def test_voices_of_another_net_are_not_compared(db):
    with pytest.raises(InputError, match=r"no voices of net@2: its voices are of net@1"):
        people.read(db, "net@2")


def test_what_is_no_database(tmp_path, db):
    with pytest.raises(InputError, match="no such database of voices"):
        people.read(str(tmp_path / "none.db"), "net@1")
    (tmp_path / "text.db").write_text("hello\n" * 50)
    with pytest.raises(InputError, match="is not a database of voices"):
        people.read(str(tmp_path / "text.db"), "net@1")
    other = tmp_path / "other.db"
    sqlite3.connect(other).execute("CREATE TABLE x (y)").connection.close()
    with pytest.raises(InputError, match="something else"):
        people.read(str(other), "net@1")


def test_a_cut_off_file_and_another_version(tmp_path, db):
    whole = open(db, "rb").read()
    cut = tmp_path / "cut.db"
    for length in (len(whole) - 1, len(whole) // 2, 150):
        cut.write_bytes(whole[:length])
        with pytest.raises(InputError, match="cut off or damaged"):
            people.read(str(cut), "net@1")
    with sqlite3.connect(db) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(InputError, match="version 9, and this audiocli reads version 1"):
        people.read(db, "net@1")

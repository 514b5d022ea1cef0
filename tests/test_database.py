"""Databases of ours: made whole or not at all, even when other processes make them at the same time."""

import subprocess
import sys

import pytest

from audiocli import database
from audiocli.errors import InputError

KIND = database.Kind("database of tests", 77, 1, "CREATE TABLE a (x); CREATE TABLE b (x)")
ROUNDS = 20  # of each, half failed when the tables were made one by one
BOTH = f"""
import os, sys
from audiocli import database
from tests.test_database import KIND
me, folder = int(sys.argv[1]), sys.argv[2]
for turn in range({ROUNDS}):
    open(f"{{folder}}/{{turn}}.{{me}}", "w").close()
    while not os.path.exists(f"{{folder}}/{{turn}}.{{1 - me}}"):
        pass
    try:
        connection = database.connect(f"{{folder}}/{{turn}}.db", KIND, create=True)
        with connection:
            connection.execute("INSERT INTO b VALUES (?)", (me,))
        connection.close()
    except Exception as error:
        print(error, file=sys.stderr)
"""


def test_two_processes_make_one_database(tmp_path):
    processes = [
        subprocess.Popen([sys.executable, "-c", BOTH, str(me), str(tmp_path)], stderr=subprocess.PIPE) for me in (0, 1)
    ]
    try:
        for process in processes:
            assert process.communicate(timeout=60)[1].decode() == ""
    finally:
        for process in processes:
            process.kill()
    for turn in range(ROUNDS):
        connection = database.connect(str(tmp_path / f"{turn}.db"), KIND)
        assert sorted(connection.execute("SELECT x FROM b")) == [(0,), (1,)]
        connection.close()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty, not a database of tests"),
        (b"hello", "is not a database of tests"),
        (b"hello" * 9_999, "is not a database"),
    ],
)
def test_other_files_are_refused(tmp_path, content, reason):
    path = tmp_path / "x.db"
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        database.connect(str(path), KIND)


def test_an_empty_file_becomes_a_database(tmp_path):
    path = tmp_path / "x.db"
    path.touch()
    database.connect(str(path), KIND, create=True).close()
    database.connect(str(path), KIND).close()

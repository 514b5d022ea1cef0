"""Turns in every format: golden files, and the same things read back.

A golden file that is deleted is written by the next run, which then fails once.
"""

import csv
import io
import json
from pathlib import Path

import pytest
from pyannote.database.util import load_rttm

from audiocli.outputs.formats import FORMATS, PICTURES, write
from audiocli.records import Diarization, Turn

GOLDEN = Path(__file__).parents[2] / "golden"
TEXTS = [form for form in FORMATS.values() if Diarization in form.writers and form.name not in PICTURES]


def diarization(*turns, path="dir/a, b.wav", **more):
    return Diarization(
        path=path, duration=9_000.0, sample_rate=44_100, task="diarize", model="tiny", revision="abc",
        options={"speakers": None}, status="ok" if turns else "no_speech", turns=turns, **more,
    )  # fmt: skip


def everything():
    """Overlap, a name with a comma and a blank, one that is known, a second channel, two hours."""
    return diarization(
        Turn(0.25, 3.5, "SPEAKER_00"), Turn(3.0, 4.1234, 'Müller, "A"'), Turn(61.5, 62.0, "SPEAKER_00"),
        Turn(7_322.0, 7_325.5, "SPEAKER_01", 2), exclusive=False, known={'Müller, "A"': 0.98765},
    )  # fmt: skip


def written(form, record, output="x"):
    stream = io.BytesIO()
    write(FORMATS[form], [record], stream, output=output)
    return stream.getvalue()


CASES = {"turns": everything, "nobody": diarization}


@pytest.mark.parametrize("form", TEXTS, ids=lambda form: form.name)
@pytest.mark.parametrize("case", CASES)
def test_golden(form, case):
    got = written(form.name, CASES[case]())
    golden = GOLDEN / f"{case}.{form.name}"
    if not golden.exists():
        golden.write_bytes(got)
        pytest.fail(f"{golden.name} was missing and has been written: look at it and run again")
    assert got == golden.read_bytes()


def test_all_the_formats_are_there():
    assert {form.name for form in TEXTS} == {"rttm", "json", "jsonl", "csv", "TextGrid", "srt", "labels", "txt"}


def test_rttm_is_read_by_pyannote(tmp_path):
    path = tmp_path / "x.rttm"
    path.write_bytes(written("rttm", everything()))
    (found,) = load_rttm(path).values()
    turns = [(part.start, round(part.end, 3), label) for part, _, label in found.itertracks(yield_label=True)]
    assert turns == [
        (0.25, 3.5, "SPEAKER_00"), (3.0, 4.123, 'Müller,_"A"'), (61.5, 62.0, "SPEAKER_00"), (7_322.0, 7_325.5, "SPEAKER_01"),
    ]  # fmt: skip


def test_several_inputs_are_distinguished():
    record = diarization(Turn(0.0, 1.0, "A"))

    def named(form):
        stream = io.BytesIO()
        for first in (True, False):
            write(FORMATS[form], [record], stream, output="all", first=first, recording="dir/x")
        return stream.getvalue().decode()

    turn = "==> dir/a, b.wav <==\n00:00:00.000 - 00:00:01.000  A\n"
    assert named("txt") == f"{turn}\n{turn}"
    assert [line.split()[1] for line in named("rttm").splitlines()] == ["dir/x", "dir/x"]


def test_csv_reads_back():
    rows = list(csv.DictReader(io.StringIO(written("csv", everything(), output=None).decode())))
    assert [row["speaker"] for row in rows] == [turn.speaker for turn in everything().turns]
    assert {row["path"] for row in rows} == {"dir/a, b.wav"}


def test_json_counts_the_seconds():
    found = json.loads(written("json", everything()))
    assert found["speakers"] == [
        {"speaker": "SPEAKER_00", "seconds": 3.75},
        {"speaker": 'Müller, "A"', "seconds": 1.123, "probability": 0.988},
        {"speaker": "SPEAKER_01", "seconds": 3.5},
    ]
    assert found["exclusive"] is False


def test_a_textgrid_has_a_tier_a_speaker_so_that_they_may_overlap():
    tiers = written("TextGrid", everything()).decode().split("item [")[2:]
    assert len(tiers) == 3
    for tier in tiers:
        lines = tier.splitlines()
        starts = [float(line.split("=")[1]) for line in lines if line.startswith("            xmin")]
        ends = [float(line.split("=")[1]) for line in lines if line.startswith("            xmax")]
        assert starts[0] == 0
        assert starts[1:] == ends[:-1]
        assert ends[-1] == 9_000


@pytest.mark.parametrize("turns", [everything().turns, ()], ids=["turns", "nobody"])
def test_a_picture(turns):
    text = written("svg", diarization(*turns)).decode()
    assert ("SPEAKER_00  4 s" in text) == bool(turns)
    assert ("nobody speaks" in text) != bool(turns)

"""Pairs and recognised recordings as they are written, to the byte."""

import io
import json

import pytest

from audiocli.outputs.formats import FORMATS, write
from audiocli.records import Match, Recognised

HEAD = {"duration": 2.0, "sample_rate": 16_000, "task": "verify", "model": "net", "options": {"far": 0.01}}
DECIDED = Match(
    path="a.wav", a="a.wav", b='b "x", y.wav', score=0.75, threshold=0.5, same=True, probability=0.96875, label=True,
    false_accepts=0.01, false_rejects=0.125, **HEAD,
)  # fmt: skip
UNDECIDED = Match(
    path="a.wav", a="a.wav", b="c.wav", status="no_speech", reason="cannot decide: no speech in c.wav", **HEAD
)
NAMED = Match(
    path="a.wav",
    a="a.wav",
    b="ada",
    score=0.75,
    threshold=0.5,
    same=True,
    name="ada",
    candidates=(("ada", 0.75),),
    **HEAD,
)
FOUND = Recognised(path="q.wav", track="/music/x.flac", offset=12.5, confidence=0.5, hashes=40, **HEAD)
UNKNOWN = Recognised(path="q.wav", confidence=0.0, hashes=3, **HEAD)


def written(name, *records):
    stream = io.BytesIO()
    write(FORMATS[name], records, stream, output=None)
    return stream.getvalue().decode()


def test_lines_for_people():
    assert written("txt", DECIDED, UNDECIDED, NAMED) == (
        'same       score 0.750  threshold 0.500  probability 0.969  a.wav  b "x", y.wav\n'
        "undecided  cannot decide: no speech in c.wav\n"
        "ada        score 0.750  threshold 0.500  a.wav  ada\n"
    )
    assert written("txt", FOUND) == "q.wav: /music/x.flac at 12.50 s (confidence 0.50)\n"
    assert written("txt", UNKNOWN) == "q.wav: unknown\n"


def test_tables():
    assert written("csv", DECIDED, UNDECIDED) == (
        "a,b,score,threshold,same,probability,label,status\n"
        'a.wav,"b ""x"", y.wav",0.750000,0.500000,1,0.968750,1,ok\n'
        "a.wav,c.wav,,,,,,no_speech\n"
    )
    assert written("tsv", DECIDED).splitlines()[1] == 'a.wav\tb "x", y.wav\t0.750000\t0.500000\t1\t0.968750\t1\tok'
    assert written("csv", FOUND, UNKNOWN) == (
        "path,track,offset,confidence,hashes,status\nq.wav,/music/x.flac,12.500,0.5000,40,ok\nq.wav,,,0.0000,3,ok\n"
    )
    assert written("tsv", FOUND).splitlines()[1] == "q.wav\t/music/x.flac\t12.500\t0.5000\t40\tok"


def test_records():
    decided, undecided, named = (json.loads(line) for line in written("jsonl", DECIDED, UNDECIDED, NAMED).splitlines())
    assert decided["false_rejects"] == 0.125
    assert decided["label"] is True
    assert (undecided["same"], undecided["reason"]) == (None, "cannot decide: no speech in c.wav")
    assert "label" not in undecided
    assert named["candidates"] == [{"name": "ada", "score": 0.75}]
    assert len(json.loads(written("json", DECIDED, UNDECIDED))) == 2
    assert json.loads(written("jsonl", FOUND))["offset"] == 12.5


@pytest.mark.parametrize("name", ["txt", "csv", "tsv", "json", "jsonl"])
def test_pairs_are_written_when_all_are_known(name):
    assert Match in FORMATS[name].collected
    assert Recognised in FORMATS[name].writers

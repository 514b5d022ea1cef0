"""Labels and events in every format: golden files, and the pictures.

A golden file that is deleted is written by the next run, which then fails once.
"""

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from audiocli.outputs.formats import FORMATS, PICTURES, write
from audiocli.records import Events, Label, Labels, Segment, Table

GOLDEN = Path(__file__).parents[2] / "golden"

COMMON = {
    "path": "dir/a, b.wav", "duration": 9.0, "sample_rate": 44_100, "task": "classify", "model": "tiny", "options": {"top": 2},
    "labels": (Label("dog", 0.75), Label('big "sea", waves', 0.25)),
}  # fmt: skip
HEARD = (
    Segment(0.0, 1.25, "dog", probability=0.9), Segment(1.0, 3.5, 'big "sea", waves', probability=0.6),
    Segment(7.0, 9.0, "dog", probability=0.51234),
)  # fmt: skip


def labels():
    return Labels(**COMMON)


def events(*segments):
    return Events(**COMMON, segments=segments or HEARD)


def written(form, *records, output=None):
    stream = io.BytesIO()
    for n, record in enumerate(records):
        write(FORMATS[form], [record], stream, output=output, first=n == 0)
    return stream.getvalue()


MAKERS = {"labels": labels, "events": events}
CASES = [("labels", form) for form in ("txt", "csv", "tsv", "jsonl")]
CASES += [("events", form) for form in ("txt", "csv", "tsv", "jsonl", "TextGrid", "rttm", "labels")]


@pytest.mark.parametrize(("name", "form"), CASES)
def test_golden(name, form):
    make = MAKERS[name]
    path = GOLDEN / f"{name}.{form}"
    many = [make(), make()] if FORMATS[form].joins else [make()]
    text = written(form, *many, output=None if len(many) > 1 else "x")
    if not path.exists():
        path.write_bytes(text)
        pytest.fail(f"{path} is new: look at it")
    assert text == path.read_bytes()


def test_every_format_that_takes_them_is_here():
    for kind, name in ((Labels, "labels"), (Events, "events")):
        text = {form.name for form in FORMATS.values() if kind in form.writers} - set(PICTURES)
        assert text == {form for case, form in CASES if case == name} | {"json"}


def test_json_is_one_object():
    record = json.loads(written("json", events(), output="x.json"))
    assert record["output"] == "x.json"
    assert record["events"][1] == {"start": 1.0, "end": 3.5, "label": 'big "sea", waves', "score": 0.6}


def test_no_events_are_valid_files():
    none = Events(**{**COMMON, "labels": ()}, segments=())
    assert [written(form, none) for form in ("rttm", "labels", "txt")] == [b"", b"", b""]
    assert b"size = 1" in written("TextGrid", none)


@pytest.mark.parametrize("form", PICTURES)
def test_pictures(form):
    def table(columns, values, unit=""):
        values = np.asarray(values, np.float32)
        return Table(tuple(columns), len(values), 0.1, lambda: iter([values]), values.dtype, 0.0, unit)

    tables = {
        "log-mel": table(["100.0 Hz", "900.0 Hz"], -np.random.default_rng(0).random((90, 2)) * 60, "dB"),
        "probability": table(["dog", "sea"], np.random.default_rng(1).random((90, 2))),
    }
    picture = written(form, Events(**COMMON, segments=HEARD, tables=tables))
    assert picture.startswith({"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[form])
    if form == "svg":
        words = "".join(
            element.text or "" for element in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
        )
        assert all(word in words for word in ("dog", "sea", "probability", "mel band"))

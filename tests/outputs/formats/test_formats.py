"""Every format writes every type it takes: golden files for text, a second reader for arrays.

`pytest --update-golden` is not needed: delete a golden file and run the test, which then writes it and fails once.
"""

import csv
import io
import json
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from audiocli.errors import UsageError
from audiocli.options import OutputOptions
from audiocli.outputs.formats import FORMATS, PICTURES, by_name, by_suffix, write
from audiocli.outputs.terminal import in_terminal
from audiocli.records import Failure, Features, Stats, Table
from audiocli.spool import in_blocks

GOLDEN = Path(__file__).parents[2] / "golden"


def table(values, columns, step=0.01, unit="", start=0.0):
    values = np.asarray(values)
    return Table(tuple(columns), len(values), step, lambda: in_blocks(values), values.dtype, start, unit)


def features(path="dir/a, b.wav", **tables):
    tables = tables or {
        "log-mel": table(np.arange(6, dtype=np.float32).reshape(3, 2) / 7 - 20, ["100.0 Hz", "900.0 Hz"], unit="dB"),
        "pitch": table(np.array([[np.nan], [220.5], [221.25]], np.float32), ["pitch"], unit="Hz"),
    }
    return Features(
        path=path, duration=0.03, sample_rate=16_000, task="features", options={"kind": list(tables), "n_mels": 2},
        warnings=("2 samples were NaN or infinite: read as 0",), tables=tables,
    )  # fmt: skip


def stats(path="a.wav", value=1.5):
    return Stats(
        path=path, duration=1.0, sample_rate=8_000, task="features", options={"kind": ["rms"]},
        values={"rms mean": value, "rms std": float("nan")},
    )  # fmt: skip


def written(form, *records, output=None):
    stream = io.BytesIO()
    for n, record in enumerate(records):
        write(FORMATS[form], [record], stream, output=output, first=n == 0)
    return stream.getvalue()


RECORDS = {
    Features: lambda: [features(), features("b.wav")],
    Stats: lambda: [stats(), stats("b.wav", 2.5)],
    Failure: lambda: [Failure("broken.wav", "not an audio file")],
}


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        (form.name, kind)
        for form in FORMATS.values()
        for kind in form.writers
        if kind in RECORDS and not form.binary and form.name != "svg"
    ],
    ids=str,
)
def test_text_is_golden(form, kind):
    records = RECORDS[kind]()
    stream = io.BytesIO()
    if kind in FORMATS[form].collected:
        write(FORMATS[form], records, stream, output=None)
    else:
        for n, record in enumerate(records[: 2 if FORMATS[form].joins else 1]):
            write(FORMATS[form], [record], stream, output=None, first=n == 0)
    golden = GOLDEN / f"{kind.__name__.lower()}.{form}"
    if not golden.exists():
        golden.write_bytes(stream.getvalue())
        pytest.fail(f"{golden.name} was missing and has been written: look at it and run again")
    assert stream.getvalue() == golden.read_bytes()


def test_json_is_json():
    one = json.loads(written("json", features(), output="x.json"))
    assert one["output"] == "x.json"
    assert one["features"]["pitch"]["values"] == [None, 220.5, 221.25]
    assert len(one["features"]["log-mel"]["values"]) == 3
    lines = written("jsonl", features(), features("b.wav")).splitlines()
    assert [json.loads(line)["path"] for line in lines] == ["dir/a, b.wav", "b.wav"]


def test_csv_reads_back():
    text = written("csv", features(), output="x.csv").decode()
    assert text.startswith("# audiocli features {")
    got = np.genfromtxt(io.StringIO(text), delimiter=",", comments="#", skip_header=2)
    np.testing.assert_allclose(got[:, 0], [0.0, 0.01, 0.02])
    np.testing.assert_allclose(got[:, 1:3], features().tables["log-mel"].values(), rtol=1e-6)
    assert np.isnan(got[0, 3])


@pytest.mark.parametrize("path", ["Smith,nancy.wav", "x,nan.wav", 'a "b"\n.wav', "a\rb.wav", " nan"])
def test_csv_keeps_names(path):
    """NaN is an empty cell, but a name that looks like it is not."""
    text = written("csv", features(path), stats(path)).decode()
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row[0] == path]
    assert [row[1] for row in rows] == ["0.000000", "0.010000", "0.020000", "1.000000"]
    assert rows[0][2:] == ["-20", "-19.85714", ""]
    assert rows[3][2:] == ["1.5", ""]


def test_npy_is_an_array():
    one = features(**{"log-mel": features().tables["log-mel"]})
    np.testing.assert_array_equal(np.load(io.BytesIO(written("npy", one))), one.tables["log-mel"].values().T)
    flat = features(pitch=features().tables["pitch"])
    assert np.load(io.BytesIO(written("npy", flat))).shape == (3,)


def test_npz_has_arrays_and_parameters():
    got = np.load(io.BytesIO(written("npz", features(), output="x.npz")))
    np.testing.assert_array_equal(got["log-mel"], features().tables["log-mel"].values().T)
    about = json.loads(str(got["parameters"]))
    assert about["options"]["n_mels"] == 2
    assert about["kinds"]["log-mel"]["columns"] == ["100.0 Hz", "900.0 Hz"]


def test_parquet_has_columns_and_parameters():
    parquet = pytest.importorskip("pyarrow.parquet")
    got = parquet.read_table(io.BytesIO(written("parquet", features())))
    assert got.column_names == ["time", "log-mel 100.0 Hz", "log-mel 900.0 Hz", "pitch"]
    np.testing.assert_allclose(got["time"].to_numpy(), [0.0, 0.01, 0.02])
    np.testing.assert_array_equal(got["log-mel 900.0 Hz"].to_numpy(), features().tables["log-mel"].values()[:, 1])
    assert json.loads(got.schema.metadata[b"audiocli"])["path"] == "dir/a, b.wav"


@pytest.mark.parametrize("form", ["npz", "parquet", "json"])
def test_stats_are_one_table(form):
    stream = io.BytesIO()
    write(FORMATS[form], RECORDS[Stats](), stream, output=None)
    stream.seek(0)
    if form == "npz":
        got = np.load(stream)
        np.testing.assert_array_equal(got["values"][:, 0], [1.5, 2.5])
        assert list(got["paths"]) == ["a.wav", "b.wav"]
        assert list(got["columns"]) == ["rms mean", "rms std"]
    elif form == "parquet":
        got = pytest.importorskip("pyarrow.parquet").read_table(stream)
        assert got["rms mean"].to_pylist() == [1.5, 2.5]
        assert got["path"].to_pylist() == ["a.wav", "b.wav"]
    else:
        assert [row["stats"] for row in json.load(stream)] == [
            {"rms mean": 1.5, "rms std": None},
            {"rms mean": 2.5, "rms std": None},
        ]


@pytest.mark.parametrize("form", [form.name for form in FORMATS.values() if Features in form.writers])
def test_nothing_is_valid(form):
    """An input without samples gives an output that its readers take."""
    empty = features(rms=table(np.zeros((0, 1), np.float32), ["rms"]))
    if form == "mid":  # which holds notes alone
        empty = features(notes=table(np.zeros((0, 4), np.float32), ["start", "end", "pitch", "strength"]))
    data = written(form, empty, output=f"x.{form}")
    if form == "npy":
        assert np.load(io.BytesIO(data)).shape == (0,)
    elif form in ("json", "jsonl"):
        assert json.loads(data)["features"]["rms"]["values"] == []
    else:
        assert data


def test_different_times_do_not_share_columns():
    mixed = features(
        rms=table(np.zeros((3, 1), np.float32), ["rms"]), beats=table(np.zeros((1, 1)), ["beats"], step=None)
    )
    for form in ("csv", "parquet"):
        with pytest.raises(UsageError, match="npz or jsonl"):
            written(form, mixed)
    with pytest.raises(UsageError, match="one kind"):
        written("npy", mixed)


def test_names_that_are_not_utf8_find_their_file():
    path = b"caf\xe9.wav".decode("utf-8", "surrogateescape")
    line = written("jsonl", features(path))
    assert json.loads(line)["path"] == path
    assert b"caf\xe9.wav" in written("csv", features(path))


@pytest.mark.parametrize("form", PICTURES)
def test_pictures(form):
    kinds = {
        "waveform": table(np.sin(np.arange(9_000) / 9).astype(np.float32)[:, None], ["waveform"], step=1 / 8_000),
        "spectrogram": table(
            np.random.default_rng(0).random((90, 65), np.float32), [f"{62.5 * n:.1f} Hz" for n in range(65)]
        ),
        "mfcc": table(np.random.default_rng(0).random((90, 13), np.float32), map(str, range(13))),
        "chroma": table(np.random.default_rng(0).random((90, 12), np.float32), list("ABCDEFGHIJKL")),
        "pitch": table(np.full((90, 1), np.nan, np.float32), ["pitch"], unit="Hz"),
        "beats": table(np.array([[0.2], [0.6]]), ["beats"], step=None, unit="s"),
        "tempo": table(np.array([[120.0]], np.float32), ["tempo"], step=None, unit="BPM"),
    }
    data = written(form, features("$x_1$ & <b>.wav", **kinds))
    assert data == written(form, features("$x_1$ & <b>.wav", **kinds)), "the same record gives the same bytes"
    if form == "png":
        width, height = struct.unpack(">II", data[16:24])
        assert data.startswith(b"\x89PNG")
        assert width == 1_350
        assert height > 1_000
    elif form == "svg":
        assert ET.fromstring(data).tag.endswith("svg")
    else:
        assert data.startswith(b"%PDF")
    assert b"n_mels" in data


@pytest.mark.parametrize("colour", [True, False])
def test_terminal_picture(colour, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "24")
    ramp = table(np.tile(np.arange(16, dtype=np.float32), (300, 1)), [f"{n}.0 Hz" for n in range(16)], unit="dB")
    lines = in_terminal(features("x\ny.wav", **{"log-mel": ramp}), colour=colour).splitlines()
    assert lines[0].startswith("x\\ny.wav: log-mel")
    assert len(lines) > 8
    if not colour:
        assert set(lines[1]) <= {"@", "%"}
        assert set(lines[-1]) <= {" ", "."}
    assert in_terminal(features(tempo=table(np.ones((1, 1)), ["tempo"], step=None)), colour=colour) == ""


def test_names_and_suffixes():
    """In any case, and --format before the suffix."""
    wanted = [
        OutputOptions("x.CTM"),
        OutputOptions("x.wav", "JSON"),
        OutputOptions(None, "TextGrid"),
        OutputOptions("-"),
    ]
    assert [options.wanted for options in wanted] == ["ctm", "json", "textgrid", ""]
    assert by_suffix("a/b.NPZ", Features).name == "npz"
    for wrong in (
        lambda: by_suffix("x.docx", Features),
        lambda: by_name("png", Stats),
        lambda: by_name("wave", Features),
    ):
        with pytest.raises(UsageError, match="npz"):
            wrong()

"""Lists and tables that people write: encodings, comments, CSV and TSV."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocli.errors import InputError
from audiocli.inputs import lists

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_encodings_are_known_by_their_marks(encoding, size):
    data, decoder = "Grüße\n日本\n".encode(encoding), lists.Decoder()
    parts = [decoder.decode(data[i : i + size]) for i in range(0, len(data), size)]
    assert "".join(parts) + decoder.decode(b"", final=True) == "Grüße\n日本\n"


def test_bytes_that_are_no_text():
    assert lists.Decoder().decode(b"\xff\xe9.wav") == "\udcff\udce9.wav"
    assert lists.Decoder().decode(b"\xff\xfea\0b", final=True) == "a\ufffd"
    with pytest.raises(UnicodeDecodeError):
        lists.Decoder("strict").decode(b"gr\xfc\xdfe")


@given(st.lists(st.text("aé\v\x1c\u2028", min_size=1), min_size=1), st.sampled_from("\n \r\n \r".split(" ")))
def test_lines_end_as_on_any_system(rows, end):
    for text in (end.join(rows), end.join(rows) + end):
        assert list(lists.lines(io.BytesIO(text.encode()))) == rows


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        lists.read(tmp_path / "none")
    (tmp_path / "latin").write_bytes("Grüße".encode("latin-1"))
    with pytest.raises(InputError, match="is not text in UTF-8"):
        lists.read(tmp_path / "latin")


def test_comments(tmp_path):
    (tmp_path / "#1.wav").touch()
    assert lists.is_comment("# a comment")
    assert lists.is_comment("#2.wav", str(tmp_path / "#2.wav"))
    assert not lists.is_comment("#1.wav", str(tmp_path / "#1.wav"))
    assert not lists.is_comment("a # b")


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("path\tlabel\na, b.wav\tx\n", ".tsv"),
        ('path,label\n"a, b.wav",x\n', ".csv"),
        ('# made by hand\n\npath, label\n"a, b.wav", x\n', ".csv"),
        ("path;label\na, b.wav;x\n", ".csv"),
    ],
)
def test_tables(text, suffix):
    rows = text.splitlines()
    columns, found = lists.table(rows, suffix)
    assert columns == ["path", "label"]
    assert list(found) == [(len(rows), {"path": "a, b.wav", "label": "x"})]


def test_a_table_of_nothing():
    columns, found = lists.table(["", "# nothing"], ".csv")
    assert (columns, list(found)) == ([], [])

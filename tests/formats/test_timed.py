"""Transcripts in every format: golden files, the same things read back, subtitles that keep to their lines.

A golden file that is deleted is written by the next run, which then fails once.
"""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocli.errors import UsageError
from audiocli.formats import FORMATS, by_name, by_suffix, write
from audiocli.formats.timed import columns, cues
from audiocli.records import Segment, Transcript, Word

GOLDEN = Path(__file__).parent.parent / "golden"
TIMED = [form for form in FORMATS.values() if Transcript in form.writers]


def spoken(text, start, each=0.5, speaker=None):
    """A segment whose words take `each` seconds."""
    words = tuple(
        Word(part, start + n * each, start + (n + 1) * each, 0.25 + n % 3 / 4) for n, part in enumerate(text.split())
    )
    return Segment(start, words[-1].end, text, words, 0.5, speaker)


def transcript(*segments, language="en", duration=9_000.0, path="dir/a, b.wav", **options):
    options = {"timestamps": "segment", "max_line_width": 20, "max_lines": 2} | options
    return Transcript(
        path=path, duration=duration, sample_rate=44_100, task="transcribe", model="tiny", revision="abc",
        options=options, status="ok" if segments else "no_speech", language=language, segments=segments,
        text=" ".join(segment.text for segment in segments), dropped=("no speech: 8990.0 of 9000.0 s",),
    )  # fmt: skip


def everything():
    """Commas, quotes, angle brackets, umlauts, Chinese, a speaker, two hours, a segment without words."""
    return transcript(
        spoken('Grüße, "Welt" <b>&</b> a --> b', 0.0),
        spoken("one two three four five six seven eight nine ten eleven twelve", 61.5, each=0.25, speaker="A"),
        Segment(7_322.0004, 7_325.9996, "no word times here, and a Donaudampfschifffahrtsgesellschaft"),
        Segment(7_330.0, 7_332.0, "你好 世界"),
    )


def written(form, record, output="x"):
    stream = io.BytesIO()
    write(FORMATS[form], [record], stream, output=output)
    return stream.getvalue()


CASES = {
    "transcript": everything,
    "words": lambda: transcript(*everything().segments[:2], timestamps="word"),
    "silence": transcript,
}


@pytest.mark.parametrize("form", TIMED, ids=lambda form: form.name)
@pytest.mark.parametrize("case", CASES)
def test_golden(form, case):
    record = CASES[case]()
    if form.name == "ctm":
        record = replace(record, segments=tuple(segment for segment in record.segments if segment.words))
    got = written(form.name, record)
    golden = GOLDEN / f"{case}.{form.name}"
    if not golden.exists():
        golden.write_bytes(got)
        pytest.fail(f"{golden.name} was missing and has been written: look at it and run again")
    assert got == golden.read_bytes()
    assert not got.startswith(b"\xef\xbb\xbf")


def test_ctm_needs_words():
    with pytest.raises(UsageError, match="--timestamps word"):
        written("ctm", everything())


def test_json_reads_back():
    record = everything()
    found = json.loads(written("json", record))
    assert found["text"] == record.text
    assert found["language"] == "en"
    assert found["status"] == "ok"
    assert found["segments"][1]["speaker"] == "A"
    assert len(found["segments"][1]["words"]) == 12
    assert found["segments"][0]["words"][0] == {"start": 0.0, "end": 0.5, "text": "Grüße,", "probability": 0.25}
    assert found["segments"][2]["words"] == []
    assert found["dropped"]


def test_csv_reads_back():
    rows = list(csv.DictReader(io.StringIO(written("csv", everything()).decode())))
    assert [row["text"] for row in rows] == [segment.text for segment in everything().segments]
    shared = io.BytesIO()
    for n in range(2):
        write(FORMATS["csv"], [everything()], shared, output=None, first=n == 0)
    rows = list(csv.DictReader(io.StringIO(shared.getvalue().decode())))
    assert len(rows) == 8
    assert {row["path"] for row in rows} == {"dir/a, b.wav"}


def test_a_name_that_is_no_utf8_is_written_as_it_is():
    record = transcript(spoken("yes", 0.0), path="a\udcff.wav")
    for form in ("csv", "tsv"):
        assert b"a\xff.wav" in written(form, record, output=None)
    assert json.loads(written("jsonl", record))["path"] == "a\udcff.wav"


def test_txt_keeps_inputs_apart():
    stream = io.BytesIO()
    for n, record in enumerate((transcript(spoken("one", 0.0)), transcript(), transcript(spoken("two", 0.0)))):
        write(FORMATS["txt"], [record], stream, output=None, first=n == 0)
    assert stream.getvalue() == b"one\n\n\ntwo\n"


def test_names_of_formats_in_any_case():
    assert by_name("textgrid", Transcript) is by_suffix("x.TextGrid", Transcript) is by_suffix("x.textgrid", Transcript)
    with pytest.raises(UsageError, match="TextGrid"):
        by_name("npy", Transcript)


def test_a_textgrid_has_no_gaps_and_no_overlaps():
    late = replace(spoken("late words", 1.5), end=99.0)
    text = written("TextGrid", transcript(spoken("a b c d", 0.0), late, duration=4.0)).decode()
    tier = text.split("item [2]")[0].splitlines()
    starts = [float(line.split("=")[1]) for line in tier if line.startswith("            xmin")]
    ends = [float(line.split("=")[1]) for line in tier if line.startswith("            xmax")]
    assert starts[0] == 0
    assert starts[1:] == ends[:-1]
    assert all(a < b for a, b in zip(starts, ends, strict=True))


def test_no_limit_is_one_line():
    words = "a very long sentence that goes on and on for a good while without any pause at all"
    record = transcript(spoken(words, 0.0, each=0.2), max_line_width=0, max_lines=0)
    assert [cue.lines for cue in cues(record)] == [(words,)]


def test_a_pause_ends_a_subtitle():
    words = (Word("before", 0.0, 0.5), Word("after", 3.0, 3.5))
    found = list(cues(transcript(Segment(0.0, 3.5, "before after", words))))
    assert [(cue.start, cue.end, cue.lines) for cue in found] == [(0.0, 0.5, ("before",)), (3.0, 3.5, ("after",))]


def test_chinese_counts_two_columns_and_has_no_blanks():
    found = list(cues(transcript(Segment(0.0, 4.0, "今天天气很好我们去公园"), language="zh", max_line_width=8)))
    assert [cue.lines for cue in found] == [("今天天气", "很好我们"), ("去公园",)]
    assert columns("今天") == 4
    assert columns("e\u0301") == 1


@given(
    st.lists(st.text("abcdefghij,.äß好", min_size=1, max_size=14), min_size=1, max_size=40),
    st.integers(5, 40), st.integers(1, 4), st.booleans(),
)  # fmt: skip
def test_subtitles_keep_to_their_lines(words, width, lines, timed):
    segment = spoken(" ".join(words), 1.0, each=0.2)
    record = transcript(segment if timed else replace(segment, words=()), max_line_width=width, max_lines=lines)
    found = list(cues(record))
    assert " ".join(" ".join(cue.lines) for cue in found).split() == words
    for cue in found:
        assert len(cue.lines) <= lines
        assert all(columns(line) <= width or " " not in line for line in cue.lines)
    times = [time for cue in found for time in (cue.start, cue.end)]
    assert times == sorted(times)
    assert times[0] >= 1.0
    assert times[-1] <= segment.end + 1e-6

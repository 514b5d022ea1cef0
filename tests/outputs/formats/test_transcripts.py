"""Transcripts in every format: golden files, the same things read back, subtitles that keep to their lines.

A golden file that is deleted is written by the next run, which then fails once.
"""

import csv
import io
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocli.errors import UsageError
from audiocli.outputs.formats import FORMATS, by_name, by_suffix, write
from audiocli.outputs.formats.lines import named
from audiocli.outputs.formats.subtitles import columns, cues
from audiocli.records import Segment, Transcript, Word

GOLDEN = Path(__file__).parents[2] / "golden"
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
    records = (transcript(spoken("one", 0.0)), transcript(path="b\n.wav"), transcript(spoken("two", 0.0), path="-"))
    for n, record in enumerate(records):
        write(FORMATS["txt"], [record], stream, output=None, first=n == 0, recording=str(n))
    assert stream.getvalue() == b"==> dir/a, b.wav <==\none\n\n==> b\\n.wav <==\n\n==> - <==\ntwo\n"
    assert written("txt", records[0], output=None) == b"one\n"


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


def tiers(text):
    """{name: [(start, end, text)]} of a TextGrid; Praat's own rules are checked."""
    found = {}
    for item in text.split("    item [")[1:]:
        names, starts, ends, texts = ([], [], [], [])
        for line in item.splitlines():
            key, _, value = (part.strip() for part in line.partition("="))
            if key in ("name", "xmin", "xmax", "text"):
                {"name": names, "xmin": starts, "xmax": ends, "text": texts}[key].append(value.strip('"'))
        parts = list(zip(map(float, starts[1:]), map(float, ends[1:]), texts, strict=True))
        assert [part[0] for part in parts] == [0.0, *(part[1] for part in parts[:-1])]
        assert all(start < end for start, end, _ in parts)
        assert parts[-1][1] == float(ends[0])
        found[names[0]] = [part for part in parts if part[2]]
    return found


def test_a_textgrid_keeps_segments_that_lie_in_others_and_those_of_no_length():
    record = transcript(
        Segment(0.0, 5.0, "long"), Segment(1.0, 2.0, "inside"), Segment(4.0, 7.0, "late"), Segment(7.0, 7.0, "none"),
        Segment(9.0, 9.0, "last"), duration=9.0,
    )  # fmt: skip
    assert tiers(written("TextGrid", record).decode()) == {
        "segments": [(0.0, 5.0, "long"), (5.0, 7.0, "late"), (7.0, 7.01, "none"), (9.0, 9.01, "last")],
        "segments (2)": [(1.0, 2.0, "inside")],
    }


@given(st.lists(st.tuples(st.floats(0, 9), st.sampled_from([0.0, 0.02, 0.3, 4.0])), min_size=1, max_size=30))
def test_a_textgrid_has_every_word(times):
    words = tuple(Word(str(n), start, start + length) for n, (start, length) in enumerate(times))
    found = tiers(written("TextGrid", transcript(Segment(0.0, 13.0, "x", words), duration=13.0)).decode())
    assert found.pop("segments") == [(0.0, 13.0, "x")]
    moved = {text: start for tier in found.values() for start, _, text in tier}
    assert sorted(moved) == sorted(word.text for word in words)
    for word in words:
        assert -1e-6 <= moved[word.text] - word.start <= max(0.1, (word.end - word.start) / 2) + 1e-6


@pytest.mark.parametrize("form", ["ctm", "srt", "vtt"])
def test_words_of_no_length_have_some(form):
    times = [(0.0, 0.5), (0.5, 0.5), (0.5, 0.5), (0.5, 0.9), (0.9, 0.9)]
    words = tuple(Word(f"w{n}", *time) for n, time in enumerate(times))
    text = written(form, transcript(Segment(0.0, 0.9, "w0 w1 w2 w3 w4", words), timestamps="word")).decode()
    if form == "ctm":
        assert [line.split()[3] for line in text.splitlines()] == ["0.500", "0.010", "0.010", "0.400", "0.010"]
        return
    lines = [line.replace(",", ".").split(" --> ") for line in text.splitlines() if " --> " in line]
    assert len(lines) == 5
    assert all(start < end for start, end in lines)
    assert all(before[1] <= after[0] for before, after in pairwise(lines))


def test_a_ctm_of_several_inputs_tells_them_apart():
    record = transcript(spoken("one", 0.0))
    stream = io.BytesIO()
    write(FORMATS["ctm"], [record], stream, output="all.ctm", recording="dir/x")
    assert stream.getvalue().startswith(b"dir/x 1 0.000")
    taken = {}
    paths = ["a/x.wav", "b/x.wav", "a/x.flac", "x y.wav", "x_y.wav", "-", "c/b/x.wav", "a/x.wav", "x.wav", "a x.wav"]
    names = [named(path, taken) for path in paths]
    assert names[:7] == ["x", "b/x", "x.flac", "x_y", "x_y.wav", "stdin", "c/b/x"]
    assert names[7] == "x"
    assert len(set(names)) == 9
    assert not any(" " in name for name in names)


def test_no_limit_is_one_line():
    words = "a very long sentence that goes on and on for a good while without any pause at all"
    record = transcript(spoken(words, 0.0, each=0.2), max_line_width=0, max_lines=0)
    assert [cue.lines for cue in cues(record)] == [(words,)]


def test_a_pause_ends_a_subtitle():
    words = (Word("before", 0.0, 0.5), Word("after", 3.0, 3.5))
    found = list(cues(transcript(Segment(0.0, 3.5, "before after", words))))
    assert [(cue.start, cue.lines) for cue in found] == [(0.0, ("before",)), (3.0, ("after",))]


def test_a_subtitle_stands_until_it_is_read_where_there_is_time():
    words = [Word("Yes.", 0.0, 0.2), Word("No.", 5.0, 5.2), Word("Never.", 5.5, 5.7)]
    segments = [Segment(word.start, word.end, word.text, (word,)) for word in words]
    long = spoken("a sentence of thirty six characters.", 9.0, each=0.1)
    found = list(cues(transcript(*segments, long, max_line_width=42)))
    assert [round(cue.end, 2) for cue in found] == [0.83, 5.5, 6.33, 10.8]


def test_no_word_is_left_over():
    text = "it is not what she says that counts here but what she really means."
    found = list(cues(transcript(spoken(text, 0.0, each=0.3), max_line_width=30, max_lines=2)))
    assert [" ".join(cue.lines) for cue in found] == [text[:35].strip(), text[35:].strip()]
    assert all(len(line.split()) > 1 for cue in found for line in cue.lines)
    (cue,) = cues(transcript(spoken("a line that goes on for a bit more", 0.0, each=0.3), max_line_width=32))
    assert cue.lines == ("a line that goes", "on for a bit more")


def test_subtitles_end_where_clauses_do():
    text = "when the rain had stopped, everybody went out again"
    found = list(cues(transcript(spoken(text, 0.0, each=0.3), max_line_width=20, max_lines=2)))
    assert " ".join(found[0].lines) == "when the rain had stopped,"


@given(st.lists(st.text("abcdefghij,.äß", min_size=1, max_size=9), min_size=1, max_size=40), st.integers(22, 42))
def test_a_name_in_front_has_its_room(words, width):
    record = transcript(spoken(" ".join(words), 1.0, each=0.2, speaker="SPEAKER_00"), max_line_width=width)
    found = written("srt", record).decode().strip().split("\n\n")
    for number, cue in enumerate(found, 1):
        first, _, *lines = cue.split("\n")
        assert first == str(number)
        assert lines[0].startswith("SPEAKER_00:")
        assert all(columns(line) <= width for line in lines)
        assert len(lines) <= 2
    said = " ".join(" ".join(cue.split("\n")[2:]).removeprefix("SPEAKER_00:") for cue in found)
    assert said.split() == words


def test_names_and_arrows_are_no_markup():
    segment = replace(spoken("a --> b", 0.0), speaker="Tom & <Jerry>\n")
    assert "<v Tom &amp; &lt;Jerry&gt;>a --&gt; b" in written("vtt", transcript(segment)).decode()
    assert "\na → b" in written("srt", transcript(replace(segment, speaker=None))).decode()
    for form in ("srt", "vtt"):
        assert written(form, transcript(segment)).count(b"-->") == 1


def test_lyrics_by_word_say_who_sings():
    text = written("lrc", transcript(spoken("la la", 0.0, speaker="Ann"), timestamps="word")).decode()
    assert text == "[00:00.00]Ann: <00:00.00> la <00:00.50> la\n"


def test_chinese_counts_two_columns_and_has_no_blanks():
    found = list(cues(transcript(Segment(0.0, 4.0, "今天天气很好我们去公园"), language="zh", max_line_width=8)))
    assert [cue.lines for cue in found] == [("今天天", "气很"), ("好我们", "去公园")]
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
    assert times[-1] <= max(segment.end, found[-1].start + 7.0) + 1e-6

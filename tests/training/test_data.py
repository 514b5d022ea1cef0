"""Examples from folders and manifests, held-out examples, and sound in memory."""

import json

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from audiocli.console import Console
from audiocli.errors import InputError, UsageError
from audiocli.options import TrainOptions
from audiocli.training.data import Clips, crop, labels, load, load_parts, shuffled, split
from audiocli.training.examples import Example, examples

QUIET = Console(quiet=True)


def sound(path, seconds=0.2, rate=8_000):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(1).standard_normal(int(seconds * rate)), rate)
    return path


def of(*names):
    return [Example(f"{name}-{n}.wav", {"label": name, "fold": str(n % 4)}) for name in names for n in range(8)]


def test_a_folder_a_label(tmp_path):
    for name in ("dog/a.wav", "dog/deep/b.wav", "cat/c.flac", ".hidden/d.wav", "dog/notes.txt"):
        sound(tmp_path / name) if name.endswith(("wav", "flac")) else (tmp_path / name).write_text("x")
    found = examples([str(tmp_path)])
    assert [(row.label, row.path.rsplit("/", 1)[1]) for row in found] == [
        ("cat", "c.flac"),
        ("dog", "a.wav"),
        ("dog", "b.wav"),
    ]


def test_manifests(tmp_path):
    sound(tmp_path / "sounds" / "a.wav")
    table = tmp_path / "sounds" / "list.tsv"
    table.write_text('path\tlabel\ttext\na.wav\tdog\t"quoted\n')
    lines = tmp_path / "list.jsonl"
    lines.write_text(json.dumps({"path": "elsewhere.wav", "label": "cat", "fold": 3, "extra": [1]}) + "\n\n")
    first, second = examples([str(table), str(lines)])
    assert (first.path, first.fields) == (str(tmp_path / "sounds" / "a.wav"), {"label": "dog", "text": '"quoted'})
    assert (second.path, second.fields) == ("elsewhere.wav", {"label": "cat", "fold": "3"})


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["list.tsv", "list.csv", "list.jsonl"])
def test_manifests_of_notepad_and_excel(tmp_path, name, encoding):
    sound(tmp_path / "#1.wav")
    tables = {
        "list.tsv": "# mine\r\npath\tlabel\r\na, b.wav\tgröße\r\n#c.wav\tx\r\n#1.wav\ty\r\n",
        "list.csv": '# mine\r\npath,label\r\n"a, b.wav",größe\r\n#c.wav,x\r\n#1.wav,y\r\n',
        "list.jsonl": '# mine\n{"path": "a, b.wav", "label": "größe"}\n{"path": "#1.wav", "label": "y"}\n',
    }
    (tmp_path / name).write_bytes(tables[name].encode(encoding))
    found = [(row.path, row.label) for row in examples([str(tmp_path / name)])]
    assert found == [("a, b.wav", "größe"), (str(tmp_path / "#1.wav"), "y")]


def test_links_to_folders_are_followed(tmp_path):
    sound(tmp_path / "elsewhere" / "a.wav")
    sound(tmp_path / "data" / "cat" / "b.wav")
    (tmp_path / "data" / "dog").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "cat" / "up").symlink_to("..")
    assert [row.label for row in examples([str(tmp_path / "data")])] == ["cat", "dog"]


@pytest.mark.parametrize("entry", ["m/", "./m", "./m/", "{here}/m/", "m//", "../{name}/m"])
def test_a_path_is_no_label_however_it_is_written(tmp_path, monkeypatch, entry):
    sound(tmp_path / "m" / "low" / "a.wav")
    (tmp_path / "m" / "x.tsv").write_text("path\tlabel\nlow/a.wav\tlow\n")
    monkeypatch.chdir(tmp_path)
    entry = entry.format(here=tmp_path, name=tmp_path.name)
    assert [row.label for row in examples([entry, f"{entry}/x.tsv", f"mine={entry}"])] == ["low", "low", "mine"]


def test_a_label_for_all_of_a_folder(tmp_path):
    sound(tmp_path / "x" / "1034" / "a.wav")
    (row,) = examples([f"speech={tmp_path / 'x'}"])
    assert row.label == "speech"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label\nx\n", "head line has no column `path`, only label"),
        ("label\tpath\nx\n", "line 2: has no path"),
        ("{}\n", "line 1: has no path"),
        ("[1]\n", "not a JSON object"),
        ("{\n", "not JSON"),
    ],
)
def test_bad_manifests_say_where(tmp_path, text, message):
    path = tmp_path / ("x.tsv" if text.startswith("label") else "x.jsonl")
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        examples([str(path)])


def test_no_data():
    with pytest.raises(UsageError, match="not a folder, and not a manifest"):
        examples(["nowhere"])
    with pytest.raises(UsageError, match="no data"):
        examples([])


def test_held_out_by_column():
    parts = split(of("a", "b"), "fold=2", "fold=0,1", 0)
    assert [len(part) for part in (parts.train, parts.valid, parts.test)] == [4, 4, 8]
    assert {row.fields["fold"] for row in parts.train} == {"3"}


@given(st.integers(0, 1000), st.floats(0.0, 0.9), st.permutations(range(16)))
def test_a_share_of_each_label_at_random(seed, share, order):
    rows = of("a", "b")
    parts = split(rows, str(share), None, seed)
    assert sorted(row.path for row in parts.train + parts.valid) == sorted(row.path for row in rows)
    assert [row.label for row in parts.valid] == ["a"] * int(8 * share) + ["b"] * int(8 * share)
    assert split(rows, str(share), None, seed) == parts


@pytest.mark.parametrize(
    ("choice", "message"),
    [("fold=9", "no example matches"), ("1.5", "a share"), ("x", "a share"), ("fold=0,1,2,3", "nothing to train")],
)
def test_bad_choices(choice, message):
    with pytest.raises(UsageError, match=message):
        split(of("a"), choice, None, 0)


def test_labels():
    assert labels(of("b", "a")) == ["a", "b"]
    with pytest.raises(UsageError, match="one label only"):
        labels(of("a"))
    with pytest.raises(UsageError, match="1 examples have no label"):
        labels([*of("a", "b"), Example("x.wav")])


def test_corrupt_files_are_reported_and_left_out(tmp_path, capsys):
    rows = [Example(str(sound(tmp_path / f"{n}.wav")), {"label": str(n)}) for n in range(4)]
    (tmp_path / "1.wav").write_bytes(b"junk")
    soundfile.write(tmp_path / "2.wav", np.zeros(0), 8_000)
    clips = load(rows, 8_000, QUIET, jobs=2)
    assert [row.label for row in clips.rows] == ["0", "3"]
    err = capsys.readouterr().err
    assert "1.wav: " in err
    assert "2.wav: holds no sound" in err
    assert "2 of 4 files cannot be used" in err
    with pytest.raises(InputError, match="no file of the data can be read"):
        load(rows[1:3], 8_000, QUIET, jobs=1)


def test_what_cannot_be_read_takes_no_part_in_the_draw(tmp_path, capsys):
    """Each of ten files of a label may be the one that is held out; the junk among them never is."""
    rows = [Example(str(sound(tmp_path / f"{n}.wav", seconds=0.02)), {"label": "a"}) for n in range(11)]
    (tmp_path / "5.wav").write_bytes(b"junk")
    for seed in range(12):
        train, valid, test = load_parts(rows, 8_000, TrainOptions(seed=seed, jobs=1), QUIET)
        assert (len(train), len(valid), len(test)) == (9, 1, 0)
    assert "5.wav" in capsys.readouterr().err
    with pytest.raises(UsageError, match="no example matches"):
        load_parts(rows, 8_000, TrainOptions(valid="fold=1", jobs=1), QUIET)


def test_what_does_not_fit_is_decoded_again(tmp_path):
    rows = [Example(str(sound(tmp_path / f"{n}.wav", seconds=0.1 * (n + 1)))) for n in range(3)]
    small, large = Clips(rows, 8_000, budget=2 * 800 + 100), Clips(rows, 8_000)
    for n in range(3):
        assert len(small[n]) == 800 * (n + 1)
        np.testing.assert_allclose(small[n], large[n], atol=1e-4)
    assert list(small._kept) == [0]
    assert list(large._kept) == [0, 1, 2]


def test_crops():
    samples = np.arange(10)
    assert crop(samples, 4).tolist() == [3, 4, 5, 6]
    assert crop(samples[:2] + 1, 5).tolist() == [0, 1, 2, 0, 0]
    random_ = np.random.default_rng(0)
    starts = {int(crop(samples, 4, random_)[0]) for _ in range(200)}
    assert starts == set(range(7))


def test_every_number_once_in_whole_batches():
    batches = list(shuffled(10, 3, [0]))
    assert [len(some) for some in batches] == [3, 3, 3]
    assert len(set(np.concatenate(batches))) == 9
    assert [len(some) for some in shuffled(2, 3, [0])] == [2]

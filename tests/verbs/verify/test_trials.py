"""Lists of pairs: the ways to write them, and other files."""

import pytest

from audiocli.errors import InputError, UsageError
from audiocli.verbs.verify.trials import Trial, located, read


def listed(tmp_path, text):
    path = tmp_path / "trials.txt"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("line", "trial"),
    [
        ("a.wav b.wav", Trial("a.wav", "b.wav")),
        ("a.wav b.wav 1", Trial("a.wav", "b.wav", True)),
        ("0 a.wav b.wav", Trial("a.wav", "b.wav", False)),
        ("a.wav b.wav nontarget", Trial("a.wav", "b.wav", False)),
        ("my a.wav\tmy b.wav\t1", Trial("my a.wav", "my b.wav", True)),
        ("  a.wav   b.wav  \r", Trial("a.wav", "b.wav")),
        ('"my a.wav" "my b.wav" 1', Trial("my a.wav", "my b.wav", True)),
        ("a.wav,b.wav,0", Trial("a.wav", "b.wav", False)),
        ('"my, a.wav", b.wav, 1', Trial("my, a.wav", "b.wav", True)),
        ("a,b.wav c.wav", Trial("a,b.wav", "c.wav")),
        ("# of monday\na.wav b.wav", Trial("a.wav", "b.wav")),
    ],
)
def test_lines(tmp_path, line, trial):
    assert read(listed(tmp_path, f"\n{line}\n\n")) == [trial]


@pytest.mark.parametrize("line", ["a.wav", "a.wav b.wav c.wav", "a.wav b.wav 2", "a b c d", "a.wav\t\t1"])
def test_a_line_that_is_not_a_trial_is_reported_with_its_line(tmp_path, line):
    with pytest.raises(UsageError, match="line 2"):
        read(listed(tmp_path, f"x y\n{line}\n"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_lists_of_notepad_and_excel(tmp_path, encoding):
    path = tmp_path / "trials.csv"
    path.write_bytes("my é.wav,b.wav,1\r\n".encode(encoding))
    assert read(str(path)) == [Trial("my é.wav", "b.wav", True)]


def test_a_file_whose_name_begins_as_a_comment(tmp_path):
    (tmp_path / "#1.wav").touch()
    assert read(listed(tmp_path, "#1.wav b.wav\n#2.wav b.wav\n")) == [Trial("#1.wav", "b.wav")]


def test_labels_for_some_only(tmp_path):
    with pytest.raises(UsageError, match="some trials have a label"):
        read(listed(tmp_path, "a b 1\na b\n"))


def test_nothing(tmp_path):
    with pytest.raises(InputError, match="no trials"):
        read(listed(tmp_path, "\n"))
    with pytest.raises(InputError, match="no such file"):
        read(str(tmp_path / "none.txt"))


def test_paths_stand_as_seen_from_here_or_from_the_list(tmp_path, monkeypatch):
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "near.wav").touch()
    (tmp_path / "here.wav").touch()
    monkeypatch.chdir(tmp_path)
    assert located("here.wav", "lists/trials.txt") == "here.wav"
    assert located("near.wav", "lists/trials.txt") == "lists/near.wav"
    assert located("none.wav", "lists/trials.txt") == "none.wav"

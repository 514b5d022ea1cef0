"""Where results go: names, whole files or none, --resume after a kill, full disks, links and devices."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path, PurePath

import numpy as np
import pytest
import soundfile

from audiocli import sinks
from audiocli.errors import OutputError
from audiocli.formats import FORMATS
from audiocli.joined import GrowingFileSink
from audiocli.journal import Entry, Journal
from audiocli.records import Features, Table
from audiocli.sinks import Claim, FilesSink, part_of
from audiocli.sources import Source

RMS = ("-k", "rms")


def files(folder):
    """Names below a folder, less the journal."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != sinks.JOURNAL)


def contents(folder):
    return {name: (folder / name).read_bytes() for name in files(folder)}


def times(folder):
    return {name: (folder / name).stat().st_mtime_ns for name in files(folder)}


def copies(speech, *names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(speech, name)


# Names


def test_a_folder_is_mirrored(call, speech):
    copies(speech, "in/a.wav", "in/b/c d.wav", "in/b/e.f.wav")
    assert call("features", "in", "-o", "out", "-f", "csv", *RMS)[0] == 1  # out/ is not there yet, so it is a file for one
    assert call("features", "in", "-o", "out/", "-f", "csv", *RMS) == (0, b"", "")
    assert files(Path("out")) == ["a.csv", "b/c d.csv", "b/e.f.csv"]
    assert json.loads(call("features", "in/a.wav", "-f", "json", *RMS)[1])["output"] is None
    call("features", "in/a.wav", "-o", "deep/er/a.json", *RMS)
    assert json.loads(Path("deep/er/a.json").read_text())["output"] == "deep/er/a.json"


def test_no_two_inputs_have_one_output(call, speech):
    names = ["a.flac", "a.WAV", "A.wav", "a.wav", "a.wav.wav", "é.wav", "e\u0301.wav"]
    copies(speech, *(f"in/{name}" for name in names))
    copies(speech, "other/in/a.wav", "b/in/a.wav")
    inputs = ("in", "other/in", "b/in")
    assert call("features", *inputs, "-o", "out/", *RMS)[0] == 0
    first = files(Path("out"))
    assert len(first) == len(names) + 2
    assert len({name.casefold() for name in first}) == len(first)
    owners = {str(np.load(f"out/{name}")["parameters"]): name for name in first}
    assert len(owners) == len(first)
    # The same names whatever the order, also for inputs that come later.
    call("features", *reversed(inputs), "-o", "out/", "--force", *RMS)
    assert files(Path("out")) == first
    assert {str(np.load(f"out/{name}")["parameters"]): name for name in first} == owners
    copies(speech, "in/a.aac")
    assert call("features", *inputs, "-o", "out/", "--resume", *RMS)[2] == "audiocli: 1 done, 9 were done before\n"
    assert len(files(Path("out"))) == len(first) + 1


def test_the_same_input_twice_is_done_once(call, speech):
    copies(speech, "a.wav")
    _, out, _ = call("features", "a.wav", "./a.wav", os.path.abspath("a.wav"), "-f", "jsonl", *RMS)
    assert len(out.splitlines()) == 1


def test_an_output_folder_inside_the_input_folder(call, speech):
    copies(speech, "in/a.wav", "in/out/old.wav")
    call("features", "in", "-o", "in/out/", *RMS)
    assert files(Path("in/out")) == ["a.npz", "old.wav"]
    assert call("features", "in", "-o", "in", *RMS)[0] == 0
    assert files(Path("in")) == ["a.npz", "a.wav", "out/a.npz", "out/old.npz", "out/old.wav"]


def test_long_names(call, speech):
    name = "n" * 251
    copies(speech, f"{name}.wav")
    assert call("features", f"{name}.wav", "-o", "out/", *RMS)[0] == 0
    assert call("features", f"{name}.wav", "./", "-f", "csv", "-o", f"{name}.csv", *RMS)[0] == 0
    assert files(Path("out")) == [f"{name}.npz"]


# Overwriting


def test_nothing_is_overwritten_unasked(call, speech, many):
    copies(speech, "x.wav")
    for args, name in (
        (("x.wav", "-o", "x.npy"), "x.npy"),
        (("x.wav", "-o", "out/"), "out/x.npz"),
        ((many(2), "-o", "all.jsonl"), "all.jsonl"),
    ):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"mine")
        code, _, err = call("features", *args, *RMS)
        assert (code, err.count("\n")) == (1, 1)
        assert f"{name} exists" in err
        assert "--force" in err
        assert Path(name).read_bytes() == b"mine"
        assert call("features", *args, *RMS, "--force")[0] == 0
        assert Path(name).read_bytes() != b"mine"


def test_the_input_is_never_the_output(call, speech):
    copies(speech, "x.wav", "in/y.wav")
    Path("link.csv").symlink_to("x.wav")
    for args in (("x.wav", "-o", "x.wav", "-f", "csv"), ("x.wav", "-o", "link.csv")):
        code, _, err = call("features", *args, "--force")
        assert code == 1
        assert "is the input itself" in err
    assert Path("x.wav").read_bytes() == speech.read_bytes()


def test_a_failure_leaves_the_old_output(call, speech):
    copies(speech, "x.wav")
    call("features", "x.wav", "-o", "x.npy", *RMS)
    before = Path("x.npy").read_bytes()
    Path("x.wav").write_bytes(b"nothing")
    for args in (("x.wav", "-o", "x.npy"), ("x.wav", "missing.wav", "-o", "x.npy")):
        assert call("features", *args, "--force", *RMS)[0] == 1
        assert Path("x.npy").read_bytes() == before
        assert not list(Path().glob(".*part"))


# --resume


def test_resume_skips_what_is_done_with_the_same_options(call, many):
    many(3)
    folder = Path("out")
    assert call("features", "in", "-o", "out/", *RMS)[0] == 0
    before = times(folder)

    def again(*args, where="in"):
        code, _, err = call("features", where, "-o", "out/", *args)
        changed = [name for name, when in times(folder).items() if when != before.get(name)]
        before.update(times(folder))
        assert code == 0
        return err, changed

    skipped = "audiocli: 0 done, 3 were done before\n"
    assert again("--resume", *RMS) == (skipped, [])
    assert again("--resume", *RMS, where="../" + Path.cwd().name + "/in") == (skipped, [])
    assert again("--resume", *RMS, "--hop-length", "80") == ("", ["00.npz", "01.npz", "02.npz"])
    # What other options have written since is not what these once wrote.
    assert again("--resume", *RMS) == ("", ["00.npz", "01.npz", "02.npz"])
    assert again("--force", *RMS, "--hop-length", "80")[1] == ["00.npz", "01.npz", "02.npz"]
    assert again("--resume", *RMS)[1] == ["00.npz", "01.npz", "02.npz"]
    soundfile.write("in/01.wav", np.zeros(100, np.float32), 16_000)
    os.unlink("out/02.npz")
    assert again("--resume", *RMS) == ("audiocli: 2 done, 1 were done before\n", ["01.npz", "02.npz"])
    assert again("--force", *RMS) == ("", ["00.npz", "01.npz", "02.npz"])


def test_resume_after_input_and_output_have_moved_together(call, many):
    many(2)
    call("features", "in", "-o", "out/", *RMS)
    for name in ("in", "out"):
        os.renames(name, f"elsewhere/{name}")
    os.chdir("elsewhere")
    assert call("features", "in", "-o", "out/", "--resume", *RMS)[2] == "audiocli: 0 done, 2 were done before\n"


def test_resume_of_a_single_file(call, speech):
    copies(speech, "x.wav")
    args = ("features", "x.wav", "-o", "x.npy", "--resume")
    done, skipped = (0, b"", ""), (0, b"", "audiocli: 0 done, 1 were done before\n")
    assert [call(*args), call(*args)] == [done, skipped]
    assert [call(*args, *RMS), call(*args, *RMS)] == [done, skipped]
    assert call("features", "x.wav", "-o", "x.npy", "--force")[0] == 0
    assert call(*args, *RMS) == done
    shutil.copyfile(speech, "x.wav")
    os.utime("x.wav", (1, 1))
    assert call(*args, *RMS) == done


def test_a_single_file_has_no_journal_beside_it(call, speech):
    call("features", speech, "-o", "x.npy")
    assert os.listdir() == ["x.npy"]


def test_standard_input_is_never_done_before(call, speech, run, tmp_path):
    for target in ("out/", "x.npy"):
        for _ in range(2):
            result = run("features", "-", "-o", target, "--resume", *RMS, input=speech.read_bytes())
            assert (result.returncode, result.stderr) == (0, b"")
    assert files(tmp_path / "out") == ["stdin.npz"]


# A kill in the middle

NAMES = [f"in/{i:02}.wav" for i in range(60)]
GATE = 30  # this one is a named pipe, at which a run waits until the test has done what it wants to do


@pytest.fixture
def gate(tmp_path, many):
    """Sixty files to list, one of which is a pipe that has a writer but no data; and the file that it stands for."""
    many(60)
    (tmp_path / "list").write_text("".join(name + "\n" for name in NAMES))
    path = tmp_path / NAMES[GATE]
    path.rename(tmp_path / "real.wav")
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    yield writer
    os.close(writer)


def open_gate(tmp_path):
    os.unlink(tmp_path / NAMES[GATE])
    os.rename(tmp_path / "real.wav", tmp_path / NAMES[GATE])


def until(condition, process):
    while not condition():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.005)


def uninterrupted(call, monkeypatch, tmp_path, *args):
    """The same run in another folder, so that all names in the outputs are the same."""
    (tmp_path / "whole").mkdir()
    shutil.copytree(tmp_path / "in", tmp_path / "whole" / "in")
    monkeypatch.chdir(tmp_path / "whole")
    assert call("features", "--files-from", "../list", *args)[0] == 0
    monkeypatch.chdir(tmp_path)


def test_kill_and_resume_a_folder(start, call, gate, tmp_path, monkeypatch):
    args = ("--files-from", "list", "-o", "out/", "--resume", "-j", "2", *RMS)
    out = tmp_path / "out"
    process = start("features", *args)
    until(lambda: len(list(out.glob("*/*.npz"))) == GATE, process)
    process.kill()
    process.wait()
    # More than one had begun behind the pipe: temporary files may be there, but no further outputs.
    assert [name for name in files(out) if not name.endswith("part")] == [f"in/{i:02}.npz" for i in range(GATE)]
    before = times(out)
    open_gate(tmp_path)
    code, _, err = call("features", *args)
    assert code == 0
    noted = len(Journal(out / sinks.JOURNAL, "").entries)
    assert noted == 60
    done = int(err.split()[1])
    assert done in (60 - GATE, 60 - GATE + 1)  # the kill may have come between a file and the note of it
    after = contents(out)
    assert len(after) == 60
    assert sum(times(out)[name] != before.get(name) for name in after) == done
    uninterrupted(call, monkeypatch, tmp_path, "-o", "out/", *RMS)
    assert after == contents(tmp_path / "whole" / "out")


@pytest.mark.parametrize(("name", "options"), [("all.jsonl", ()), ("all.csv", ()), ("all.csv", ("--stats",))])
def test_kill_and_resume_a_growing_file(start, call, gate, tmp_path, monkeypatch, name, options):
    args = ("--files-from", "list", "-o", name, "--resume", "-j", "2", *RMS, *options)
    journal = tmp_path / f".{name}.audiocli.jsonl"
    process = start("features", *args)
    until(lambda: len(Journal(journal, "").entries) == GATE, process)
    process.kill()
    process.wait()
    assert not (tmp_path / name).exists()
    open_gate(tmp_path)
    part = part_of(tmp_path / name)
    with open(part, "ab") as stream:  # as if the kill had come in the middle of a line
        stream.write(part.read_bytes()[-30:-5])
    with open(journal, "ab") as stream:
        stream.write(b'\n{"key": "')
    code, _, err = call("features", *args)
    assert (code, err) == (0, "audiocli: 30 done, 30 were done before\n")
    assert call("features", *args)[2] == "audiocli: 0 done, 60 were done before\n"
    assert not part.exists()
    uninterrupted(call, monkeypatch, tmp_path, "-o", name, *RMS, *options)
    assert (tmp_path / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_kills_at_any_moment(start, call, many, tmp_path, monkeypatch):
    many(60)
    (tmp_path / "list").write_text("".join(name + "\n" for name in NAMES))
    args = ("--files-from", "list", "-o", "out/", "--resume", "-k", "log-mel", "-k", "pitch")
    for n in (7, 23, 41):
        process = start("features", *args)
        while len(list(tmp_path.glob("out/*/*.npz"))) < n and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.wait()
    assert call("features", *args)[0] == 0
    uninterrupted(call, monkeypatch, tmp_path, "-o", "out/", "-k", "log-mel", "-k", "pitch")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole" / "out")


def test_no_output_is_ever_partial(start, recording, tmp_path):
    """Killed while a long output is being written."""
    process = start("features", recording, "-o", "x.csv", "-k", "waveform")
    part = part_of(tmp_path / "x.csv")
    until(lambda: part.exists() or (tmp_path / "x.csv").exists(), process)
    process.kill()
    process.wait()
    if (tmp_path / "x.csv").exists():
        assert (tmp_path / "x.csv").read_text().count("\n") == 480_002


# Ctrl-C


def test_ctrl_c_finishes_the_file_in_hand(start, call, gate, tmp_path, monkeypatch, line_of):
    args = ("--files-from", "list", "-o", "out/", "-j", "1", *RMS)
    out = tmp_path / "out"
    process = start("features", *args)
    until(lambda: len(list(out.glob("*/*.npz"))) == GATE, process)
    process.send_signal(signal.SIGINT)
    assert line_of(process.stderr) == "audiocli: finishing the file in hand; Ctrl-C again stops at once\n"
    threading_write(gate, tmp_path / "real.wav")
    unblock(tmp_path, gate)
    assert process.wait(timeout=60) == 130
    last = process.stderr.read().decode()
    assert last.count("\n") == 1
    assert f"interrupted, {GATE + 1} done, 0 of {GATE + 1} failed" in last
    assert files(out) == [f"in/{i:02}.npz" for i in range(GATE + 1)]
    open_gate(tmp_path)
    assert call("features", *args, "--resume")[0] == 0
    uninterrupted(call, monkeypatch, tmp_path, "-o", "out/", *RMS)
    assert contents(out) == contents(tmp_path / "whole" / "out")

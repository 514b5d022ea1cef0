"""Places of results: names, whole files or none, --resume after a kill, full disks, links and devices."""

import io
import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path, PurePath

import numpy as np
import pytest
import soundfile

from audiocli.inputs.sources import Source
from audiocli.outputs import sinks
from audiocli.outputs.formats import FORMATS
from audiocli.outputs.journal import Entry, Journal
from audiocli.outputs.sinks import Claim, FilesSink, part_of
from audiocli.outputs.streams import GrowingFileSink, JoinedSink
from audiocli.records import Diarization, Features, Table, Turn

RMS = ("-k", "rms")


def files(folder):
    """Names below a folder, less the journal."""
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != sinks.JOURNAL
    )


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


def test_npy_holds_one_array(call, speech):
    """np.load would read the first of two."""
    copies(speech, "a.wav", "b.wav")
    for where in (("-o", "many.npy"), ("-f", "npy")):
        code, out, err = call("features", "a.wav", "b.wav", *RMS, *where)
        assert (code, out, files(Path())) == (2, b"", ["a.wav", "b.wav"])
        assert "give -o FOLDER/ for many, or --format csv or jsonl or txt" in err
    assert np.load(io.BytesIO(call("features", "a.wav", *RMS)[1])).shape == (101,)
    _, out, _ = call("features", "a.wav", "b.wav", *RMS)
    assert [json.loads(line)["path"] for line in out.splitlines()] == ["a.wav", "b.wav"]


def test_inputs_in_one_output_have_names_of_their_own(tmp_path):
    """Also when some were done before, by a run that was killed; an input by itself has its plain name."""
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.wav").touch()
    sink = GrowingFileSink(tmp_path / "all.rttm", FORMATS["rttm"], "key", resume=False, force=False)
    put(sink, tmp_path / "a/x.wav", tmp_path / "b/x.wav")
    sink.close(complete=False)
    sink = GrowingFileSink(tmp_path / "all.rttm", FORMATS["rttm"], "key", resume=True, force=False)
    assert sink.claim(source(tmp_path / "b/x.wav")) is None
    put(sink, tmp_path / "c/x.wav")
    sink.close()
    lines = (tmp_path / "all.rttm").read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["x", "b/x", "c/x"]
    with open(tmp_path / "one.rttm", "wb") as stream:
        put(JoinedSink(stream.fileno(), "one.rttm", FORMATS["rttm"]), tmp_path / "b/x.wav")
    assert (tmp_path / "one.rttm").read_text().split()[1] == "x"


def source(path):
    about = path.stat()
    return Source(str(path), PurePath(path.name), about.st_size, about.st_mtime_ns)


def put(sink, *paths):
    """A speaker's turn in each file into a sink."""
    for path in paths:
        record = Diarization(
            path=str(path), duration=1.0, sample_rate=16_000, task="diarize", turns=(Turn(0.0, 1.0, "A"),)
        )
        sink.commit(sink.claim(source(path)), record)


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


def test_the_journal_is_no_output(call, speech):
    copies(speech, ".audiocli.wav")
    assert call("features", ".audiocli.wav", "-o", "out/", "-f", "jsonl", *RMS)[0] == 0
    assert files(Path("out")) == [".audiocli.wav.jsonl"]
    assert len(Journal(Path("out") / sinks.JOURNAL, "").entries) == 1


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
    call("features", "x.wav", "-o", "x.csv", *RMS)
    before = Path("x.npy").read_bytes()
    Path("x.wav").write_bytes(b"nothing")
    for args in (("x.wav", "-o", "x.npy"), ("x.wav", "missing.wav", "-o", "x.csv")):
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
    # A file that other options have written since is not the one that these wrote.
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
    with open(os.open(path, os.O_RDWR), "wb", buffering=0) as writer:
        yield writer


def open_gate(tmp_path):
    os.unlink(tmp_path / NAMES[GATE])
    os.rename(tmp_path / "real.wav", tmp_path / NAMES[GATE])


def _holds(descriptors, pipe):
    """Whether one of a process's open files is the pipe; it may close others meanwhile."""
    for one in descriptors.iterdir():
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(one), pipe):
                return True
    return False


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
    args = ("--files-from", "list", "-o", "out/", "--resume", "-k", "log-mel")
    for n in (13, 37):
        process = start("features", *args)
        while len(list(tmp_path.glob("out/*/*.npz"))) < n and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.wait()
    assert call("features", *args)[0] == 0
    uninterrupted(call, monkeypatch, tmp_path, "-o", "out/", "-k", "log-mel")
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


@pytest.fixture
def at_the_gate(start, gate, tmp_path):
    """begin(*args): a process that reads the pipe, everything before it done."""

    def begin(*args, done):
        process = start("features", "--files-from", "list", "-j", "1", *args)
        descriptors = Path(f"/proc/{process.pid}/fd")
        pipe = os.stat(tmp_path / NAMES[GATE])
        until(lambda: _holds(descriptors, pipe), process)
        until(done, process)
        return process

    return begin


def test_ctrl_c_finishes_the_file_in_hand(at_the_gate, call, gate, tmp_path, monkeypatch, line_of):
    out = tmp_path / "out"
    process = at_the_gate("-o", "out/", *RMS, done=lambda: len(list(out.glob("*/*.npz"))) == GATE)
    process.send_signal(signal.SIGINT)
    assert line_of(process.stderr) == "audiocli: finishing the file in hand; Ctrl-C again stops at once\n"
    with gate:
        gate.write((tmp_path / "real.wav").read_bytes())
    assert process.wait(timeout=60) == 130
    last = process.stderr.read().decode()
    assert last.count("\n") == 1
    assert f"interrupted: {GATE + 1} done, 0 failed" in last
    assert files(out) == [f"in/{i:02}.npz" for i in range(GATE + 1)]
    open_gate(tmp_path)
    # The input from the pipe is done again: it may have been another one.
    code, _, err = call("features", "--files-from", "list", "-o", "out/", "--resume", *RMS)
    assert (code, err) == (0, f"audiocli: {60 - GATE} done, {GATE} were done before\n")
    uninterrupted(call, monkeypatch, tmp_path, "-o", "out/", *RMS)
    assert contents(out) == contents(tmp_path / "whole" / "out")


def test_ctrl_c_leaves_a_growing_file_unfinished(at_the_gate, call, gate, tmp_path, monkeypatch, line_of):
    """Part of the results under the file's own name would look like all of them."""
    part = part_of(tmp_path / "all.csv")
    process = at_the_gate("-o", "all.csv", *RMS, done=part.exists)
    process.send_signal(signal.SIGINT)
    line_of(process.stderr)
    with gate:
        gate.write((tmp_path / "real.wav").read_bytes())
    assert process.wait(timeout=60) == 130
    assert not (tmp_path / "all.csv").exists()
    assert part.exists()
    open_gate(tmp_path)
    assert call("features", "--files-from", "list", "-o", "all.csv", "--resume", *RMS)[0] == 0
    uninterrupted(call, monkeypatch, tmp_path, "-o", "all.csv", *RMS)
    assert (tmp_path / "all.csv").read_bytes() == (tmp_path / "whole" / "all.csv").read_bytes()


def test_ctrl_c_twice_ends_at_once(at_the_gate, tmp_path, line_of):
    process = at_the_gate("-f", "jsonl", *RMS, done=lambda: True)
    process.send_signal(signal.SIGINT)
    line_of(process.stderr)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert process.stderr.read() == b""


# A growing file


def test_failures_are_in_the_file_and_tried_again(call, many):
    many(4)
    shutil.move("in/01.wav", "01.wav")
    Path("in/01.wav").write_bytes(b"no sound")
    args = ("features", "in", "missing.wav", "-o", "all.jsonl", *RMS)
    assert call(*args)[0] == 1

    def lines():
        records = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
        return sorted((record["path"], record["status"], record.get("error")) for record in records)

    missing = ("missing.wav", "failed", "no such file or directory")
    ok = [(f"in/{i:02}.wav", "ok", None) for i in range(4)]
    assert lines() == [ok[0], ("in/01.wav", "failed", "not an audio file"), *ok[2:], missing]
    shutil.move("01.wav", "in/01.wav")
    code, _, err = call(*args, "--resume")
    assert code == 1
    assert "1 done, 3 were done before" in err
    assert lines() == [*ok, missing]
    assert call("features", "in", "-o", "all.jsonl", "--resume", *RMS)[2] == "audiocli: 0 done, 4 were done before\n"
    assert lines() == ok


def test_a_growing_file_whose_input_or_options_have_changed(call, many):
    many(4)
    args = ("features", "in", "-o", "all.jsonl", *RMS)
    call(*args)
    soundfile.write("in/02.wav", np.zeros(1_600, np.float32), 16_000)
    assert call(*args, "--resume")[2] == "audiocli: 2 done, 2 were done before\n"
    records = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    assert [record["path"] for record in records] == [f"in/{i:02}.wav" for i in range(4)]
    assert records[2]["duration"] == 0.1
    assert call(*args, "--resume", "--hop-length", "80") == (0, b"", "")
    records = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    assert [record["options"]["hop_length"] for record in records] == [80] * 4


@pytest.mark.parametrize(
    "harm", [os.unlink, lambda name: os.truncate(name, 50), lambda name: os.unlink(f".{name}.audiocli.jsonl")]
)
def test_a_growing_file_that_somebody_has_harmed(call, many, harm):
    many(3)
    args = ("features", "in", "-o", "all.csv", *RMS)
    call(*args)
    before = Path("all.csv").read_bytes()
    harm("all.csv")
    assert call(*args, "--resume") == (0, b"", "")
    assert Path("all.csv").read_bytes() == before


def test_results_that_are_written_as_one(call, many):
    """A table over files has no rows before the end: --resume does it again, and it is there or not."""
    args = ("features", many(3), "-o", "all.json", "--stats", *RMS)
    assert call(*args)[0] == 0
    assert len(json.loads(Path("all.json").read_text())) == 3
    assert call(*args, "--resume") == (0, b"", "")
    assert len(json.loads(Path("all.json").read_text())) == 3


def test_more_inputs_join_what_is_there(call, many):
    many(2)
    call("features", "in", "-o", "all.csv", *RMS)
    many(3)
    os.utime("in/00.wav", ns=(1, Path("in/00.wav").stat().st_mtime_ns))
    assert call("features", "in", "-o", "all.csv", "--resume", *RMS)[0] == 0
    text = Path("all.csv").read_text()
    assert text.count("path,time") == 1
    assert [text.count(f"in/{i:02}.wav,") for i in range(3)] == [31, 31, 31]


# Links, devices, folders


def test_through_a_link(call, speech, many):
    Path("real").mkdir()
    Path("x.npy").symlink_to("real/x.npy")
    Path("all.csv").symlink_to("real/all.csv")
    Path("out").symlink_to("real")
    assert call("features", speech, "-o", "x.npy", *RMS)[0] == 0
    assert call("features", many(2), "-o", "all.csv", *RMS)[0] == 0
    assert call("features", many(2), "-o", "out/", *RMS)[0] == 0
    assert call("features", "in", "-o", "out", "--resume", *RMS)[2] == "audiocli: 0 done, 2 were done before\n"
    assert files(Path("real")) == [".all.csv.audiocli.jsonl", "00.npz", "01.npz", "all.csv", "x.npy"]
    assert all(Path(name).is_symlink() for name in ("x.npy", "all.csv", "out"))


def test_a_pipe_is_written_to(start, call, speech, tmp_path):
    call("features", speech, "-o", "x.npy", *RMS)
    os.mkfifo(tmp_path / "pipe")
    process = start("features", speech, "-o", "pipe", *RMS)
    assert (tmp_path / "pipe").read_bytes() == (tmp_path / "x.npy").read_bytes()
    assert process.wait() == 0
    assert (tmp_path / "pipe").is_fifo()


def test_the_null_device_stays_one(call, speech):
    device = os.stat("/dev/null")
    assert call("features", speech, "-o", "/dev/null") == (0, b"", "")
    assert call("features", speech, speech, "-o", "/dev/null", "-f", "jsonl", "--force") == (0, b"", "")
    assert (os.stat("/dev/null").st_ino, os.stat("/dev/null").st_mode) == (device.st_ino, device.st_mode)


def test_dev_stdout(run, speech, tmp_path):
    with open(tmp_path / "x.npy", "wb") as stream:
        command = [*run.command, "features", speech, "-o", "/dev/stdout", *RMS]
        subprocess.run(command, stdout=stream, check=True)
    assert np.load(tmp_path / "x.npy").shape == (101,)


def test_where_nothing_can_be_written(call, speech, monkeypatch, many):
    """Reported before the work is done, once."""
    Path("file").write_bytes(b"")
    for target in ("file/out/", "file/x.npy", "file/all.csv"):
        code, _, err = call("features", many(3), "-o", target, "-f", "npz" if target.endswith("/") else "csv")
        assert code == 1
        assert err.count("\n") == 1
        assert "is not a folder" in err
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for target in ("out/", "new/er/x.csv", "x.csv"):
        code, _, err = call("features", many(3), "-o", target)
        assert code == 1
        assert err.count("\n") == 1
        assert "permission denied" in err


def test_an_output_whose_place_is_taken(call, many):
    many(2)
    os.makedirs("out/01.npz/")
    code, _, err = call("features", "in", "-o", "out/", "--force", *RMS)
    assert code == 1
    assert "01.npz: is a directory" in err
    assert files(Path("out")) == ["00.npz"]


# A full disk


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a small tmpfs is not allowed here")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("form", ["npy", "npz", "csv", "json", "parquet"])
def test_a_full_disk_and_a_single_file(call, recording, small_disk, form):
    code, _, err = call("features", recording, "-o", f"disk/x.{form}", "-k", "waveform", "--force")
    assert (code, err) == (1, f"audiocli: {recording}: disk/x.{form}: the disk is full\n")
    assert os.listdir(small_disk) == []


def test_a_full_disk_and_many_files(run, call, recording, many, small_disk):
    folder = many(9)
    shutil.copy(recording, folder / "02.wav")
    result = run("features", "in", "-o", "disk/out/")
    assert result.returncode == 1
    assert result.stderr.decode().splitlines() == [
        "audiocli: in/02.wav: disk/out/02.npz: the disk is full",
        "audiocli: stopped early, 1 of 3 failed",
    ]
    assert sorted(os.listdir(small_disk / "out")) == [sinks.JOURNAL, "00.npz", "01.npz"]
    (folder / "02.wav").unlink()
    code, _, err = call("features", "in", "-o", "disk/out/", "--resume")
    assert (code, err) == (0, "audiocli: 6 done, 2 were done before\n")


def test_a_full_disk_and_a_growing_file(call, recording, many, small_disk):
    many(2)
    shutil.copy(recording, "in/02.wav")
    code, _, err = call("features", "in", "-o", "disk/all.csv")
    assert code == 1
    assert err.splitlines() == [
        "audiocli: in/02.wav: disk/all.csv: the disk is full",
        "audiocli: stopped early, 1 of 3 failed",
    ]
    # Finished results wait for --resume, without any that are half done.
    part = part_of(small_disk / "all.csv")
    assert sorted(os.listdir(small_disk)) == [".all.csv.audiocli-part", ".all.csv.audiocli.jsonl"]
    assert part.stat().st_size == Journal(small_disk / ".all.csv.audiocli.jsonl", "").entries[-1].end
    os.unlink("in/02.wav")
    assert call("features", "in", "-o", "disk/all.csv", "--resume")[2] == "audiocli: 0 done, 2 were done before\n"
    assert sorted(os.listdir(small_disk)) == [".all.csv.audiocli.jsonl", "all.csv"]
    os.unlink(small_disk / "all.csv")
    os.unlink(small_disk / ".all.csv.audiocli.jsonl")
    # Nothing done, nothing left.
    assert call("features", recording, "in/00.wav", "-o", "disk/all.csv")[0] == 1
    assert os.listdir(small_disk) == []


def test_a_full_temporary_folder(run, recording, small_disk, tmp_path):
    """A pipe is put into a file first."""
    result = run("features", "-", input=recording.read_bytes(), env={"TMPDIR": os.fspath(small_disk)})
    assert result.returncode == 1
    assert result.stderr.decode() == f"audiocli: standard input: {small_disk}: the disk is full\n"


# Plots beside the results


def test_pictures_beside_the_results(call, many, speech):
    many(2)
    for target in ("out/", "all.csv"):
        assert call("features", "in", "-o", target, "--plot", "svg", *RMS)[0] == 0
        assert call("features", "in", "-o", target, "--plot", "svg", "--resume", *RMS)[2] == (
            "audiocli: 0 done, 2 were done before\n"
        )
    assert files(Path("out")) == ["00.npz", "00.svg", "01.npz", "01.svg"]
    assert {"00.svg", "01.svg", "all.csv"} < set(os.listdir())
    os.unlink("00.svg")
    assert call("features", "in", "-o", "all.csv", "--plot", "svg", "--resume", *RMS)[0] == 0
    assert Path("00.svg").exists()
    assert Path("all.csv").read_text().count("path,time") == 1
    assert call("features", speech, "-o", "x.npy", "--plot", "svg", *RMS)[0] == 0
    assert Path("x.svg").exists()
    assert call("features", "in", "--plot", "png", "-f", "jsonl", *RMS)[0] == 0
    assert {"00.png", "01.png"} < set(os.listdir())


# In this process


def a_record():
    values = np.arange(3.0, dtype=np.float32).reshape(3, 1)
    table = Table(("rms",), 3, 0.01, lambda: iter([values]), values.dtype)
    return Features(path="x", duration=0.03, sample_rate=16_000, task="features", tables={"rms": table})


def test_what_is_prepared_and_not_committed_goes(tmp_path):
    sink = FilesSink(tmp_path, [FORMATS["npy"], FORMATS["csv"]], "key", resume=False, force=False)
    one, other = (sink.claim(Source(name, PurePath(name))) for name in ("a.wav", "b.wav"))
    sink.prepare(one, a_record())
    sink.prepare(other, a_record())
    assert len(list(tmp_path.glob(".*part"))) == 4
    sink.commit(one, a_record())
    sink.close(complete=False)
    assert files(tmp_path) == ["a.csv", "a.npy"]


def test_a_result_that_cannot_be_written_leaves_a_growing_file_whole(tmp_path):
    sink = GrowingFileSink(tmp_path / "all.csv", FORMATS["csv"], "key", resume=False, force=False)
    good = [Claim(Source(name, PurePath(name))) for name in "ac"]
    broken = Features(
        path="b", duration=1.0, sample_rate=1, task="features",
        tables={"rms": Table(("rms",), 9_000, 0.01, lambda: iter([np.zeros((9_000, 1)), None]), np.dtype(np.float32))},
    )  # fmt: skip
    sink.commit(good[0], a_record())
    with pytest.raises(TypeError):
        sink.commit(Claim(Source("b", PurePath("b"))), broken)
    sink.commit(good[1], a_record())
    sink.close()
    lines = (tmp_path / "all.csv").read_text().splitlines()
    assert len(lines) == 2 + 3 + 3
    sink.close()  # a second time there is nothing to do
    assert len((tmp_path / "all.csv").read_text().splitlines()) == len(lines)


def test_journal_reads_what_can_be_read(tmp_path):
    path = tmp_path / "journal"
    path.write_bytes(b"")
    assert Journal(path, "k").entries == []
    assert Journal(tmp_path / "none", "k").entries == []
    source = Source(os.fspath(tmp_path / "x\udcff.wav"), PurePath("x.wav"), 5, 6)
    journal = Journal(path, "k")
    entry = journal.entry(source, [tmp_path / "o" / "x.npz"], end=7)
    assert entry == Entry("k", "x\udcff.wav", 5, 6, ("o/x.npz",), 7)
    journal.add(entry)
    journal.close()
    whole = path.read_bytes()
    foreign = [
        b"[]", b"null", b"3", b'"text"', b"{}", b"\xff\xfe", b'{"key": 1}', whole.strip()[:-9], b"",
        whole.replace(b'"k"', b"[]"), whole.replace(b"5", b'"5"'), whole.replace(b'["o/x.npz"]', b"null"),
        whole.replace(b'["o/x.npz"]', b"[4]"), whole.replace(b'"key"', b'"lock"'),
    ]  # fmt: skip
    for line in foreign:
        path.write_bytes(line)  # and no line end after it
        journal.add(entry)
        journal.close()
        assert Journal(path, "k").entries == [entry], line


def test_journal_on_a_full_disk(tmp_path):
    journal = Journal(tmp_path / "full", "k")
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space"):
        journal.add(Entry("k", "x", 1, 2))
    journal.close()

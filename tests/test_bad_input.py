"""Inputs as they come: damaged, empty, odd, with names that nobody would choose. Never a traceback, one line of reason each."""

import ctypes
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiocli.inputs import pipes

RMS = ("-k", "rms")


def results(call, *args):
    """Exit code, the record of each input by its path, the lines of standard error."""
    code, out, err = call("features", *args, "-f", "jsonl", *RMS)
    records = [json.loads(line) for line in out.splitlines()]
    assert "Traceback" not in err
    assert "a bug" not in err
    return code, {record["path"]: record for record in records}, err.splitlines()


def frames(record):
    return len(record["features"]["rms"]["values"])


def wav(path, samples, rate=16_000, **options):
    soundfile.write(path, samples, rate, **options)
    return path


def patched(source, target, offset, data):
    content = bytearray(Path(source).read_bytes())
    content[offset : offset + len(data)] = data
    Path(target).write_bytes(content)


def test_files_that_are_no_sound(call, speech):
    Path("empty.wav").write_bytes(b"")
    Path("text.wav").write_text("This is not sound.\n" * 100)
    Path("picture.wav").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(range(256)) * 40)
    Path("zeros.wav").write_bytes(bytes(10_000))
    Path("header.wav").write_bytes(speech.read_bytes()[:20])
    patched(speech, "0hz.wav", 24, struct.pack("<I", 0))
    shutil.copy(speech, "good.wav")
    names = ["empty.wav", "text.wav", "picture.wav", "zeros.wav", "header.wav", "0hz.wav", "missing.wav"]
    code, records, lines = results(call, *names[:4], "good.wav", *names[4:])
    assert code == 1
    assert lines[-1] == "audiocli: 7 of 8 failed"
    assert len(lines) == 8
    assert list(records) == [*names[:4], "good.wav", *names[4:]]
    for name, line in zip(names, lines, strict=False):
        assert records[name]["status"] == "failed"
        assert line == f"audiocli: {name}: {records[name]['error']}"
    assert records["good.wav"]["status"] == "ok"
    assert records["empty.wav"]["error"] == "empty file"


def test_truncated_files(run, recording, tmp_path):
    """The part that exists is read, and the missing one is reported, once and by us."""
    samples, rate = soundfile.read(recording)
    names = ["cut.wav", "cut.flac", "cut.mp3", "cut.ogg"]
    for name in names:
        wav(tmp_path / name, samples[: 10 * rate], rate)
        os.truncate(tmp_path / name, (tmp_path / name).stat().st_size // 2)
    result = run("features", *names, "-f", "jsonl", *RMS)
    assert result.returncode == 0
    lines = result.stderr.decode().splitlines()
    assert len(lines) == len(names)
    assert all(line.startswith(f"audiocli: {name}: the file ") for name, line in zip(names, lines, strict=True))
    durations = [json.loads(line)["duration"] for line in result.stdout.splitlines()]
    assert all(3 < duration < 7 for duration in durations)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the sum of excessive levels is infinite
def test_odd_samples_and_headers(call):
    wav("nan.wav", np.array([0.1, np.nan, np.inf, -np.inf] * 100, np.float32), subtype="FLOAT")
    wav("all-nan.wav", np.full(1_000, np.nan, np.float32), subtype="FLOAT")
    wav("one.wav", np.array([0.5]))
    wav("none.wav", np.zeros(0))
    wav("silent.wav", np.zeros(16_000))
    wav("huge.wav", np.full(2_000, 3e38, np.float32), subtype="FLOAT")
    wav("64.wav", np.tile(np.linspace(-0.5, 0.5, 1_600)[:, None], (1, 64)))
    wav("1hz.wav", np.zeros(3), 1)
    wav("fast.wav", np.zeros(9_600), 768_000)
    wav("dc.wav", np.ones(1_600))
    code, records, lines = results(call, *sorted(map(str, Path().glob("*.wav"))))
    assert code == 0
    assert lines == [
        "audiocli: all-nan.wav: 1000 samples were NaN or infinite: read as 0",
        "audiocli: huge.wav: the samples go up to 3e+38 times full scale: are they floats in the scale of 16 bits, to be divided by"
        " 32768?",
        "audiocli: nan.wav: 300 samples were NaN or infinite: read as 0",
        "audiocli: none.wav: holds no sound",
    ]
    status = {name.removesuffix(".wav"): record["status"] for name, record in records.items()}
    assert status == dict.fromkeys(status, "ok") | {"none": "empty"}
    assert [frames(records[f"{name}.wav"]) for name in ("one", "none", "silent", "64")] == [1, 0, 101, 11]
    for record in records.values():
        assert all(value is None or np.isfinite(value) for value in record["features"]["rms"]["values"])
    # Every kind of result is valid for empty and silent input, too.
    for form in ("csv", "npz", "json", "jsonl", "txt", "npy"):
        for name in ("none.wav", "silent.wav", "one.wav", "huge.wav"):
            assert call("features", name, "-f", form, "-o", f"out/{form}/")[0] == 0
    assert np.load("out/npz/none.npz")["log-mel"].shape == (80, 0)
    assert np.load("out/npy/none.npy").shape == (80, 0)


def test_cuts_beyond_the_end(call, speech):
    for options, expected, line in (
        (("--start", "5"), 0, "nothing after --start 5: it is 1.0 s long"), (("--start", "0.9"), 11, ""),
        (("--start", "0.9", "--duration", "7"), 11, ""), (("--start", "1"), 0, "nothing after --start 1: it is 1.0 s long"),
        (("--duration", "0.00001"), 0, "--duration 1e-05 is less than one sample"),
    ):  # fmt: skip
        code, records, lines = results(call, speech, *options)
        (record,) = records.values()
        assert (code, lines, frames(record)) == (0, [f"audiocli: {speech}: {line}"] if line else [], expected)
        assert record["status"] == ("ok" if expected else "empty")


NAMES = [
    b"new\nline.wav", b"tab\tand\x1b[31mred.wav", b"-dash.wav", b"--help.wav", b" space .wav", b"\xff\xfe\x80.wav", b"quote'\".wav",
    b"comma,semi;.wav", "déjà vu ✓ 音.wav".encode(), b"%s{0}$HOME`x`.wav", b"back\\slash.wav", b"-", b"...wav", b"no suffix",
]  # fmt: skip


def test_names_that_nobody_would_choose(call, speech):
    """Found by walking and by name; the message stays on one line, and the path in the result finds the file again."""
    os.mkdir("in")
    for name in NAMES:
        shutil.copy(speech, os.path.join(b"in", name))
        shutil.copyfile("/dev/null", os.path.join(b"in", b"bad " + name))
    code, out, err = call("features", "in", "--glob", "*", "-f", "jsonl", *RMS)
    records = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert len(records) == 2 * len(NAMES) - 1  # "...wav" is hidden
    assert all(os.path.exists(record["path"]) for record in records)
    lines = err.splitlines()
    assert len(lines) == len(NAMES) + 1
    assert all(line.startswith("audiocli: in/bad ") and line.endswith(": empty file") for line in lines[:-1])
    assert "\x1b" not in err
    os.chdir("in")
    for form in ("npz", "csv", "json", "txt"):
        names = [os.fsdecode(name) for name in NAMES if name != b"-"]
        code, _, err = call("features", "-f", form, "-o", "../out/", *RMS, "--", *names, "./-")
        assert (code, err) == (0, "")
    found = [path.with_suffix("").name for path in Path("../out").glob("*.npz")]
    assert len(found) == len(NAMES)
    os.chdir("../out")
    for path in Path().glob("*.json"):
        record = json.loads(path.read_text())
        assert os.path.samefile(record["output"], path)
        assert os.path.samefile(
            os.path.join("../in", record["path"]), os.path.join("../in", os.path.basename(record["path"]))
        )


def test_names_through_lists(call, speech):
    for name in NAMES:
        shutil.copy(speech, os.fsencode(name))
    Path("nul").write_bytes(b"\0".join(NAMES))
    code, records, lines = results(call, "--files-from", "nul")
    assert (code, lines, len(records)) == (0, [], len(NAMES))
    _, out, _ = call("features", "--files-from", "nul", "-f", "jsonl", *RMS)
    Path("records").write_bytes(out)
    code, again, lines = results(call, "--files-from", "records")
    assert (code, lines, list(again)) == (0, [], list(records))


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "npz"])
def test_names_in_tables_over_files(call, speech, form):
    os.mkdir("in")
    for name in NAMES:
        shutil.copy(speech, os.path.join(b"in", name))
    code, _, err = call("features", "in", "--glob", "*", "--stats", *RMS, "-o", f"x.{form}")
    assert (code, err) == (0, "")


def test_the_same_and_the_missing(call, speech):
    shutil.copy(speech, "a.wav")
    Path("broken.wav").symlink_to("nowhere")
    Path("self.wav").symlink_to("self.wav")
    Path("loop").symlink_to(".")
    os.mkdir("x.wav")
    os.mkdir("y.wav")
    shutil.copy(speech, "y.wav/inside.wav")
    code, records, lines = results(call, "a.wav", "missing.wav", "a.wav", "broken.wav", "x.wav", "y.wav", "self.wav")
    assert code == 1
    assert {name: record.get("error") for name, record in records.items()} == {
        "a.wav": None,
        "missing.wav": "no such file or directory",
        "broken.wav": "no such file or directory",
        "x.wav": "no audio files in this folder",
        "y.wav/inside.wav": None,
        "self.wav": "too many levels of symbolic links",
    }
    assert lines[-1] == "audiocli: 4 of 6 failed"
    code, records, lines = results(call, ".", "--glob", "*.wav")
    assert sorted(records) == ["./a.wav", "./broken.wav", "./self.wav", "./y.wav/inside.wav"]
    Path("list").write_text("y.wav\n")
    code, records, lines = results(call, "--files-from", "list")
    assert (code, lines) == (1, ["audiocli: y.wav: is a folder"])


def without_privileges():
    """Root reads and writes everything by two capabilities, which a child can do without (CAP_DAC_OVERRIDE and _READ_SEARCH)."""
    drop = 24  # PR_CAPBSET_DROP
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(drop, capability, 0, 0, 0)


def test_files_that_may_not_be_read_or_written(run, speech, tmp_path):
    for name in ("in/locked.wav", "in/locked/a.wav", "in/ok.wav", "closed/old.npy"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        shutil.copyfile(speech, tmp_path / name)
    for name, mode in (("in/locked.wav", 0), ("in/locked", 0), ("closed", 0o555)):
        os.chmod(tmp_path / name, mode)
    try:
        code = "import os, sys; sys.exit(os.access('in/locked.wav', os.R_OK) or os.access('closed', os.W_OK))"
        if subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, preexec_fn=without_privileges, check=False
        ).returncode:
            pytest.skip("permissions mean nothing to this user")
        result = run("features", "in", "in/locked/a.wav", "-f", "jsonl", *RMS, preexec_fn=without_privileges)
        assert result.returncode == 1
        assert result.stderr.decode().splitlines() == [
            "audiocli: in/locked: permission denied",
            "audiocli: in/locked.wav: cannot be read: permission denied",
            "audiocli: in/locked/a.wav: permission denied",
            "audiocli: 3 of 4 failed",
        ]
        for target in ("closed/new/", "closed/old.npy", "in/locked/x.npy"):
            inputs = ["in/ok.wav", "in/locked.wav"][: 1 if "locked" in target else 2]
            args = ("features", *inputs, "-o", target, "--force", "-f", "csv")
            result = run(*args, preexec_fn=without_privileges)
            assert result.returncode == 1
            (line,) = result.stderr.decode().splitlines()
            assert line.startswith("audiocli: cannot write")
            assert line.endswith("permission denied")
    finally:
        for name in ("in/locked", "closed"):
            os.chmod(tmp_path / name, 0o755)


def test_named_pipes(call, speech, monkeypatch, start):
    monkeypatch.setattr(pipes, "PATIENCE", 0.1)
    os.mkfifo("pipe.wav")
    shutil.copy(speech, "a.wav")
    code, records, _ = results(call, "pipe.wav", "a.wav")
    assert code == 1
    assert "nobody has written" in records["pipe.wav"]["error"]
    assert records["a.wav"]["status"] == "ok"
    process = start("features", "pipe.wav", "-f", "jsonl", *RMS)
    with open("pipe.wav", "wb", buffering=0) as stream:
        for piece in np.array_split(np.frombuffer(speech.read_bytes(), np.uint8), 20):
            stream.write(piece.tobytes())
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert json.loads(out)["duration"] == 1.0


def test_process_substitution(speech, tmp_path):
    command = '"$0" -m audiocli features <(cat "$1") <(head -c 20000 "$1") <(true) -f jsonl -k rms'
    result = subprocess.run(
        ["bash", "-c", command, sys.executable, speech],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["status"] for record in records] == ["ok", "ok", "failed"]
    assert records[0]["duration"] == 1.0
    assert result.returncode == 1


def test_raw(call, speech):
    samples = soundfile.read(speech, dtype="int16")[0]
    Path("x.pcm").write_bytes(samples.tobytes() + b"\x01")
    code, records, lines = results(call, "x.pcm", "--raw", "s16le:16000:1")
    assert code == 0
    assert records["x.pcm"]["duration"] == 1.0
    assert lines == ["audiocli: x.pcm: 1 bytes at the end are not a whole sample: left out"]
    Path("empty.pcm").write_bytes(b"")
    assert results(call, "empty.pcm", "--raw", "s16le:16000:1")[0] == 0
    for bad in ("s16le", "s16le:0:1", "s16le:16000:0", "s16le:16000:99999", "x:1:1", "s16le:1e3:1"):
        code, out, err = call("features", "x.pcm", "--raw", bad)
        assert (code, out) == (2, b"")
        assert err.count("\n") == 1


def test_a_folder_of_odd_files(run, real):
    """Everything odd at once, in a process of its own: whatever C libraries say of it stays out of the way."""
    folder = real / "data" / "odd-files"
    result = run("features", folder, "-f", "jsonl", "-k", "log-mel", "-k", "beats", "-k", "pitch")
    assert result.returncode == 1
    records = [json.loads(line) for line in result.stdout.splitlines()]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(records) == len(files)
    lines = result.stderr.decode().splitlines()
    assert all(line.startswith("audiocli: ") for line in lines)
    failed = [record for record in records if record["status"] == "failed"]
    assert lines[-1] == f"audiocli: {len(failed)} of {len(files)} failed"
    for record in failed:
        assert f"audiocli: {record['path']}: {record['error']}" in lines
        assert "\n" not in record["error"]
    for record in records:
        if record["status"] != "failed":
            values = record["features"]["log-mel"]["values"]
            n = round(record["duration"] * 16_000)
            assert len(values) == (n // 160 + 1 if n else 0)
            assert np.isfinite(np.array(values, float)).all()


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("features", "noise.wav", *RMS, "--start", "600", "-f", "txt"), "noise.wav: nothing after --start 600: it is 1.0 s long"),
        (("features", "none.wav", *RMS, "-f", "txt"), "none.wav: holds no sound"),
        (("features", "one.wav", "-k", "mel", "-k", "rms", "--no-center", "-f", "txt"),
         "one.wav: 0.0625 ms are too short for a frame of mel, rms"),
        (("features", "one.wav", "-k", "log-mel", "--preset", "kaldi", "--stats", "-f", "csv"),
         "one.wav: 0.0625 ms are too short for a frame of log-mel"),
        (("transcribe", "silence.wav"), "silence.wav: no speech in it"),
        (("transcribe", "none.wav"), "none.wav: holds no sound"),
        (("diarize", "silence.wav"), "silence.wav: no speech in it"),
        (("classify", "none.wav"), "none.wav: holds no sound"),
        (("classify", "silence.wav", "--events"), "silence.wav: no events in it"),
        (("denoise", "noise.wav", "-o", "x.wav", "--force", "--start", "600"),
         "noise.wav: nothing after --start 600: it is 1.0 s long"),
    ],
)  # fmt: skip
def test_where_nothing_is_found_a_line_says_so(call, args, line):
    wav("silence.wav", np.zeros(16_000))
    wav("noise.wav", 0.1 * np.random.default_rng(0).standard_normal(16_000))
    wav("one.wav", [0.1])
    wav("none.wav", np.zeros(0))
    code, _, err = call(*args)
    assert (code, err) == (0, f"audiocli: {line}\n")
    code, _, err = call(*args, "--quiet")
    assert (code, err) == (0, "")


def test_a_stream_without_speech(run):
    done = run("transcribe", "--stream", "--raw", "s16le:16000:1", "-", input=bytes(32_000))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"audiocli: standard input: no speech in it\n")

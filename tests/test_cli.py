"""The process as a user meets it: exit codes, the two output streams, pipes that close, standard input."""

import fcntl
import io
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time

import numpy as np
import pytest
import soundfile
import typer

from audiocli import __version__
from audiocli.run.verb import seconds


def drained(descriptor):
    """Wait until all bytes of a pipe have been read."""
    while struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))[0]:
        time.sleep(0.01)


def one_line(text):
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    return text


def test_version_and_help(call):
    assert call("--version") == (0, f"audiocli {__version__}\n".encode(), "")
    code, out, err = call("features", "-h")
    assert code == 0
    assert b"--resume" in out
    assert err == ""


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ((), "no input"),
        (("-", "-"), "only once"),
        (("-", "--files-from", "-"), "only once"),
        (("x.wav", "--kind", "colour"), "no kind 'colour': one of waveform"),
        (("x.wav", "--kind", "logmel"), "no kind 'logmel': did you mean log-mel?"),
        (("x.wav", "-k", "pitch,Log-Mel"), "no kind 'Log-Mel': did you mean log-mel?"),
        (("x.wav", "-k", ","), "--kind is empty"),
        (("x.wav", "--preset", "mine"), "no preset 'mine'"),
        (("x.wav", "--preset", "libroza"), "no preset 'libroza': did you mean librosa?"),
        (("x.wav", "--window", "hanning"), "not 'hanning': did you mean hann or hamming?"),
        (("x.wav", "--mel-scale", "slaney2"), "did you mean slaney?"),
        (("x.wav", "--plot", "PNG"), "did you mean png?"),
        (("x.wav", "--device", "cudda"), "did you mean cuda?"),
        (("x.wav", "--device", "cuda:x"), "--device cuda:x"),
        (("x.wav", "--format", "docx"), "no format 'docx'"),
        (("x.wav", "--format", "jsn"), "did you mean json or jsonl?"),
        (("x.wav", "-o", "x.parket"), "did you mean .parquet?"),
        (("x.wav", "-k", "tempo", "--hop-length", "16000"), "4 frames a second"),
        (("x.wav", "-k", "pitch", "--pitch-fmin", "500", "--pitch-fmax", "400"), "--pitch-fmin"),
        (("x.wav", "-k", "mu-law", "--mu", "256"), "--mu"),
        (("x.wav", "-k", "chroma", "--tuning", "nan"), "--tuning"),
        (("x.wav", "-o", "x.docx"), "suffix '.docx'"),
        (("x.wav", "-o", "x"), "/ at the end"),
        (("x.wav", "-o", ""), "-o is empty"),
        (("x.wav", "-o", "y.npy", "--resume", "--force"), "give one of them"),
        (("x.wav", "--resume"), "remembers nothing"),
        (("x.wav", "--start", "-1"), "--start"),
        (("x.wav", "--duration", "0"), "--duration"),
        (("x.wav", "--channel", "0"), "--channel"),
        (("x.wav", "--channel", "middle"), "--channel"),
        (("x.wav", "-j", "0"), "--jobs"),
        (("x.wav", "y.wav", "-o", "both.npz"), "one input"),
        (("x.wav", "-o", "out/", "-f", "png", "--plot", "png"), "leave it out"),
        (("--files-from", "nowhere.txt"), "no such file"),
    ],
)
def test_usage_errors(call, tmp_path, args, reason):
    code, out, err = call("features", *args)
    assert code == 2
    assert out == b""
    assert reason in one_line(err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("args", [("--raw", "s16:1"), ("-k", "mfcc", "-k", "tempo", "-f", "csv")])
def test_usage_errors_that_show_late_are_reported_once(call, tmp_path, many, args):
    code, _, err = call("features", many(3), "-o", "out/", *args)
    assert code == 2
    one_line(err)
    assert not [path for path in tmp_path.rglob("out/*") if path.is_file()]


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        (("transcribe", "x.wav", "--timestamps", "words"), "word"),
        (("transcribe", "x.wav", "--precision", "float-16"), "float16"),
        (("transcribe", "x.wav", "-f", "stt"), "srt"),
        (("speak", "Hello.", "--timestamps", "jsno"), "json"),
        (("generate-music", "--instrument", "chor"), "choir"),
        (("classify", "x.wav", "-o", "x.json", "--plot", "pgn"), "png"),
        (("diarize", "x.wav", "-f", "rtm"), "rttm"),
        (("train", "classifer"), "classifier"),
        (("models", "list", "--task", "trancribe"), "transcribe"),
        (("models", "rm", "whisper-tin"), "whisper-tiny"),
    ],
)
def test_near_misses_of_every_choice_are_understood(call, args, meant):
    code, out, err = call(*args)
    assert (code, out) == (2, b"")
    _, asked, close = one_line(err).partition("did you mean ")
    assert asked, err
    assert meant in close


def test_kinds_in_a_list(call, speech):
    code, out, _ = call("features", speech, "-k", "rms, zcr", "-k", "rms,flux", "-f", "jsonl")
    assert code == 0
    assert json.loads(out)["options"]["kind"] == ["rms", "zcr", "flux"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.5", 3.5), ("90s", 90.0), ("0", 0.0), ("1e1", 10.0), ("00:00:03", 3.0), ("1:02:03.5", 3723.5), ("1:30", 90.0),
        ("90:00", 5400.0), ("2:5", 125.0), (" 0:07. ", 7.0), (2.5, 2.5),
    ],
)  # fmt: skip
def test_times(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "s", "1:60", "1:75:00", "1:2:3:4", ":30", "1:", "3,5", "1m", "-1:30"])
def test_what_is_no_time(text):
    with pytest.raises(typer.BadParameter, match="is not a time"):
        seconds(text)


def test_times_are_cut_by(call, speech):
    code, out, _ = call("features", speech, "-k", "rms", "--start", "0:00:00.5", "--duration", "0.25s", "-f", "jsonl")
    assert (code, json.loads(out)["duration"]) == (0, 0.25)


def test_every_verb_takes_times(call):
    for verb in ("features", "transcribe", "verify", "diarize", "classify", "denoise", "clone"):
        code, _, err = call(verb, "--start", "1:99", "x.wav")
        assert code == 2
        assert "'1:99' is not a time" in " ".join(err.split())


@pytest.fixture
def opposite(tmp_path):
    """Half a second of a tone, its opposite in the other channel."""
    tone = 0.3 * np.sin(2 * np.pi * 220 * np.arange(8_000) / 16_000)
    soundfile.write(tmp_path / "opposite.wav", np.stack([tone, -tone], 1), 16_000)
    return tmp_path / "opposite.wav"


def test_channels_that_cancel_are_reported_and_avoided(call, opposite):
    code, out, err = call("features", opposite, "-k", "rms", "--stats", "-f", "json")
    assert code == 0
    assert "cancel each other out" in one_line(err)
    assert json.loads(out)[0]["stats"]["rms max"] > 0.2


def test_a_channel_is_chosen_and_remembered(call, opposite, tmp_path):
    options = ("features", opposite, "-k", "rms", "-o", "out/")
    assert call(*options, "--channel", "right") == (0, b"", "")
    assert "done before" in call(*options, "--channel", "right", "--resume")[2]
    assert "done before" not in call(*options, "--channel", "left", "--resume")[2]
    code, _, err = call(*options, "--channel", "3", "--force")
    assert code == 1
    assert "opposite.wav: has 2 channels, and no channel 3" in one_line(err)


def test_unknown_option_is_a_usage_error(run):
    result = run("features", "--colour", "x.wav")
    assert result.returncode == 2
    assert result.stdout == b""
    assert b"No such option" in result.stderr


def test_exit_codes_of_inputs(call, speech):
    assert call("features", speech)[0] == 0
    code, out, err = call("features", speech, "missing.wav", "-f", "jsonl", "-k", "rms")
    assert code == 1
    assert len(out.splitlines()) == 2
    assert err.splitlines() == ["audiocli: missing.wav: no such file or directory", "audiocli: 1 of 2 failed"]
    code, _, err = call("features", "missing.wav")
    assert code == 1
    assert err == "audiocli: missing.wav: no such file or directory\n"


def test_a_bug_is_reported_in_a_line_and_the_others_go_on(call, monkeypatch, many):
    from audiocli.verbs.features import work as features

    monkeypatch.setattr(features, "record", lambda *args, **named: {}["nothing"])
    code, _, err = call("features", many(2), "-o", "out/")
    assert code == 3
    lines = err.splitlines()
    assert len(lines) == 4
    assert all("a bug in audiocli: KeyError" in line for line in lines[:2])
    assert "AUDIOCLI_DEBUG=1" in lines[2]
    assert lines[3] == "audiocli: 2 of 2 failed"


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_bug_outside_of_the_batch(speech, debug):
    code = (
        "import sys; from audiocli import cli; from audiocli.run import batch; batch.run = None\n"
        f"sys.argv = ['audiocli', 'features', {os.fspath(speech)!r}]; cli.main()"
    )
    environment = os.environ | {"AUDIOCLI_DEBUG": debug}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 3
    assert ("Traceback" in result.stderr) == bool(debug)
    assert "TypeError" in result.stderr
    assert result.stdout == ""


def test_stdout_carries_results_only(run, speech, tmp_path):
    """Notes, warnings and errors go to the other stream, whatever happens."""
    damaged = tmp_path / "damaged.wav"
    damaged.write_bytes(speech.read_bytes()[:-9_000])
    result = run("features", speech, damaged, "missing.wav", "-f", "jsonl", "-k", "rms", "--n-mels", "500", "-k", "mel")
    assert result.returncode == 1
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["status"] for record in records] == ["ok", "ok", "failed"]
    assert b"ends early" in result.stderr
    assert b"mel bands" in result.stderr
    quiet = run("features", speech, damaged, "missing.wav", "-f", "jsonl", "-k", "rms", "-q")
    assert quiet.stderr.decode().splitlines() == [
        "audiocli: missing.wav: no such file or directory", "audiocli: 1 of 3 failed",
    ]  # fmt: skip


def test_binary_is_not_written_to_a_terminal(start, speech):
    terminal, inside = pty.openpty()
    process = start("features", speech, "-f", "npy", stdout=inside)
    assert process.wait() == 2
    assert b"binary" in process.stderr.read()
    os.close(inside)
    assert terminal_text(terminal) == ""


def test_a_terminal_gets_text_and_no_bar(start, speech):
    terminal, inside = pty.openpty()
    process = start(
        "features", speech, "missing :warning: [b].wav", stdout=inside, stderr=inside, env={"TERM": "xterm"}
    )
    assert process.wait() == 1
    os.close(inside)
    text = terminal_text(terminal)
    assert "log-mel" in text
    assert "missing :warning: [b].wav: no such file" in text
    assert "real time" not in text, "a bar would run through the results"


def test_a_terminal_gets_progress_when_results_go_elsewhere(start, speech, tmp_path):
    terminal, inside = pty.openpty()
    process = start("features", speech, "-o", f"{tmp_path}/out/", stderr=inside, env={"TERM": "xterm"})
    assert process.wait() == 0
    os.close(inside)
    assert "real time" in terminal_text(terminal)


def terminal_text(descriptor):
    """The output to a terminal whose other end is closed."""
    text = b""
    while True:
        try:
            text += os.read(descriptor, 65_536)
        except OSError:
            os.close(descriptor)
            return text.decode()


def shell(command, **names):
    """A bash pipeline with audiocli in it; its output, its errors, and the exit code of every part."""
    environment = os.environ | {name: os.fspath(value) for name, value in names.items()}
    environment["AUDIOCLI"] = f"{sys.executable} -m audiocli"
    result = subprocess.run(
        ["bash", "-c", command + '; echo "${PIPESTATUS[@]}" >codes'],
        capture_output=True, timeout=60, check=False, env=environment, cwd=names["here"],
    )  # fmt: skip
    return result.stdout, result.stderr.decode(), (names["here"] / "codes").read_text().split()


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("options", ["-k waveform", "-f jsonl -k mel", "-f txt"])
def test_a_closed_pipe_ends_quietly(tmp_path, speech, recording, options, unbuffered):
    """Large output (it fails while it is written), and small."""
    names = {"here": tmp_path, "x": recording, "s": speech, "PYTHONUNBUFFERED": unbuffered}
    out, err, codes = shell(f"$AUDIOCLI features $x {options} | head -c 20", **names)
    assert len(out) == 20
    assert err == ""
    assert codes == (["0", "0"] if "txt" in options else ["1", "0"])


def test_a_pipe_closed_from_the_start_ends_quietly(tmp_path, speech):
    for command in ("features $s -f txt", "features $s $s.missing -f jsonl -q 2>/dev/null", "--help", "--version"):
        _, err, _ = shell(f"(sleep 0.1; $AUDIOCLI {command}; echo $? > first) | true", here=tmp_path, s=speech)
        assert err == ""
        assert (tmp_path / "first").read_text() == "1\n"


def test_a_closed_stderr_does_not_change_the_exit_code(tmp_path, speech):
    _, _, codes = shell("$AUDIOCLI features $s missing.wav 2>&1 >/dev/null | true", here=tmp_path, s=speech)
    assert codes == ["1", "0"]
    out, err, codes = shell("$AUDIOCLI features $s missing.wav -f jsonl 2>&-", here=tmp_path, s=speech)
    assert (err, codes) == ("", ["1"])
    assert len(out.splitlines()) == 2


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_slow_reader_gets_everything(tmp_path, recording, call, unbuffered):
    call("features", recording, "-k", "waveform", "-o", "expected.npy")
    command = '$AUDIOCLI features "$x" -k waveform | (dd bs=1000 count=1 status=none; sleep 0.3; cat)'
    out, err, codes = shell(command, here=tmp_path, x=recording, PYTHONUNBUFFERED=unbuffered)
    assert (err, codes) == ("", ["0", "0"])
    assert out == (tmp_path / "expected.npy").read_bytes()


def test_a_pipe_that_does_not_block_gets_everything(start, tmp_path, recording, call):
    call("features", recording, "-k", "waveform", "-o", "expected.npy")
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    process = start("features", recording, "-k", "waveform", stdout=writing)
    os.close(writing)
    with open(reading, "rb") as stream:
        assert stream.read() == (tmp_path / "expected.npy").read_bytes()
    assert process.wait() == 0


def test_closed_standard_streams(tmp_path, speech):
    """No file that is opened later may become standard output."""
    _, err, codes = shell("$AUDIOCLI features $s >&-", here=tmp_path, s=speech)
    assert codes == ["1"]
    assert "standard output is closed" in one_line(err)
    _, err, codes = shell("$AUDIOCLI features $s -o x.npz >&- 2>&- <&-", here=tmp_path, s=speech)
    assert codes == ["0"]
    assert np.load(tmp_path / "x.npz")["log-mel"].shape == (80, 101)
    _, err, codes = shell("$AUDIOCLI features - <&-", here=tmp_path)
    assert codes == ["1"]
    assert one_line(err) == "audiocli: standard input: is closed\n"
    _, err, codes = shell("$AUDIOCLI features --files-from - <&-", here=tmp_path)
    assert codes == ["2"]
    assert "closed" in one_line(err)


def test_help_on_a_full_device(tmp_path):
    _, err, codes = shell("$AUDIOCLI --help >/dev/full", here=tmp_path)
    assert codes == ["1"]
    assert "No space left" in one_line(err)


def test_results_on_a_full_device(run, speech, many):
    folder = many(5)
    for args, target in ((("-o", "/dev/full"), "/dev/full"), ((), "standard output")):
        with open("/dev/full", "wb") as full:
            result = subprocess.run(
                [sys.executable, "-m", "audiocli", "features", folder, "-f", "jsonl", *args],
                stdout=full if not args else subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        assert result.returncode == 1
        assert one_line(result.stderr) == f"audiocli: {folder / '00.wav'}: {target}: the disk is full\n"


def test_standard_input(run, speech, tmp_path):
    whole = run("features", speech, "-k", "mel", "-f", "npy").stdout
    assert run("features", "-", "-k", "mel", input=speech.read_bytes()).stdout == whole  # through a pipe
    with open(speech, "rb") as stream:  # redirected, which can seek
        assert run("features", "-", "-k", "mel", stdin=stream).stdout == whole
    samples = soundfile.read(speech, dtype="int16")[0].tobytes()
    assert run("features", "-", "-k", "mel", "--raw", "s16le:16000:1", input=samples).stdout == whole
    result = run("features", "-", "-o", "out/", input=speech.read_bytes())
    assert result.returncode == 0
    assert (tmp_path / "out" / "stdin.npz").exists()


def test_bad_standard_input(run, start):
    for data, reason in ((b"", "empty file"), (b"nothing of a sound " * 200, "not an audio file")):
        result = run("features", "-", input=data)
        assert result.returncode == 1
        assert result.stdout == b""
        assert one_line(result.stderr.decode()) == f"audiocli: standard input: {reason}\n"
    terminal, inside = pty.openpty()
    process = start("features", "-", stdin=inside)
    assert process.wait() == 2
    assert "is a terminal" in one_line(process.stderr.read().decode())
    os.close(terminal)


def test_standard_input_that_does_not_block(start, speech, tmp_path):
    """A pause of the writer is not the end."""
    data = speech.read_bytes()
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    process = start("features", "-", "-k", "rms", "-f", "jsonl", stdin=reading)
    os.write(writing, data[:10_000])
    drained(reading)
    with open(writing, "wb") as stream:
        stream.write(data[10_000:])
    os.close(reading)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert json.loads(out)["duration"] == 1.0


def test_a_list_from_a_pipe_is_worked_through_while_it_grows(start, speech, tmp_path, line_of):
    """The first results are there before the list has ended."""
    process = start("features", "--files-from", "-", "-k", "rms", "-f", "jsonl", stdin=subprocess.PIPE)
    for name in ("first.wav", "second.wav"):
        (tmp_path / name).symlink_to(speech)
        process.stdin.write(name.encode() + b"\n")
        process.stdin.flush()
        assert json.loads(line_of(process.stdout))["path"] == name
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, b"", b"")


def test_ctrl_c_while_the_list_is_waited_for(start, speech, line_of):
    process = start("features", "--files-from", "-", "-k", "rms", "-f", "jsonl", stdin=subprocess.PIPE)
    process.stdin.write(os.fsencode(speech) + b"\n")
    process.stdin.flush()
    line_of(process.stdout)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert "interrupted: 1 done" in process.stderr.read().decode()


def test_ignored_sigint_stays_ignored(start, speech, line_of):
    """Behind `nohup`, or `&` in a script."""
    ignore = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)  # noqa: E731
    process = start("features", "--files-from", "-", "-f", "jsonl", stdin=subprocess.PIPE, preexec_fn=ignore)
    process.stdin.write(os.fsencode(speech) + b"\n")
    process.stdin.flush()
    line_of(process.stdout)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


def test_one_verb_feeds_the_next(run, many, tmp_path):
    many(3)
    (tmp_path / "in" / "bad.wav").write_bytes(b"no sound")
    records = run("features", "in", "-f", "jsonl", "-k", "rms").stdout
    result = run("features", "--files-from", "-", "-f", "jsonl", "-k", "zcr", input=records)
    assert result.returncode == 1
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["path"] for line in lines] == ["in/00.wav", "in/01.wav", "in/02.wav", "in/bad.wav"]
    assert "failed in the step before: not an audio file" in result.stderr.decode()


def test_npz_through_a_pipe_and_behind_what_is_there(run, speech, tmp_path):
    args = ("features", speech, "-k", "rms", "-k", "beats")
    result = run(*args)
    assert sorted(np.load(io.BytesIO(result.stdout))) == ["beats", "parameters", "rms"]
    for mode, before in (("ab", b""), ("ab", b"before"), ("wb", b"before")):
        path = tmp_path / "out"
        path.unlink(missing_ok=True)
        with open(path, mode, buffering=0) as stream:
            stream.write(before)
            subprocess.run([*run.command, *args], stdout=stream, check=True)
        assert path.read_bytes() == before + result.stdout


def test_ctrl_c_before_the_run(call, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    from audiocli.inputs import sources

    monkeypatch.setattr(sources, "find", interrupted)
    assert call("features", "x.wav") == (130, b"", "")


def test_jobs_change_nothing(call, many):
    folder = many(9)
    runs = [call("features", folder, "-f", "jsonl", "-k", "log-mel", "-j", jobs) for jobs in ("1", "4")]
    assert runs[0] == runs[1]
    assert len(runs[0][1].splitlines()) == 9

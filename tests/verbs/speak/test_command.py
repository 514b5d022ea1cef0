"""`audiocli speak` from the outside: files, pipes, lines, resuming, times, metadata, and common mistakes."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from audiocli import audio
from audiocli.models import registry
from audiocli.verbs.speak.command import dashes
from tests.conftest import COMMAND, clean_environment

MODEL = ("--model", "espeak-ng")
RATE = 22_050


@pytest.fixture(autouse=True)
def no_choice(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("AUDIOCLI_SPEAK_MODEL", raising=False)


def streamed(data):
    """The samples behind the header of a WAV stream."""
    assert data[:4] == b"RIFF"
    return np.frombuffer(data[data.index(b"data") + 8 :], "<i2")


def test_a_file_says_what_it_is(call, tmp_path):
    for name in ("x.wav", "x.flac", "x.ogg", "x.mp3"):
        assert call("speak", "Hello there, friend.", *MODEL, "-o", name) == (0, b"", "")
        with soundfile.SoundFile(tmp_path / name) as file:
            about = file.copy_metadata()
            assert (file.samplerate, file.channels) == (RATE, 1)
            assert 0.8 * RATE < file.frames < 3 * RATE
        assert "AI-generated" in about["comment"]
        assert "espeak-ng" in about["comment"]
        assert name == "x.mp3" or about["software"].startswith("audiocli")  # lame puts its own name there
        assert about["title"] == "hello-there-friend"


@pytest.mark.parametrize("where", [("--format", "JSON"), ("-o", "x.JSON")])
def test_formats_in_any_case(call, tmp_path, where):
    code, out, _ = call("speak", "One. Two.", *MODEL, *where)
    record = json.loads(out or (tmp_path / "x.JSON").read_bytes())
    assert (code, [segment["text"] for segment in record["segments"]]) == (0, ["One.", "Two."])


def test_a_pipe_gets_what_a_file_gets(run, tmp_path):
    text = "Hello there. This is the second one."
    assert run("speak", text, *MODEL, "-o", "x.wav").returncode == 0
    piped = run("speak", "-", *MODEL, input=text.encode())
    raw = run("speak", text, *MODEL, "--format", "raw")
    want, _ = soundfile.read(tmp_path / "x.wav", dtype="int16")
    for samples in (streamed(piped.stdout), np.frombuffer(raw.stdout, "<i2")):
        assert np.array_equal(
            samples, want
        )  # the same bytes in every process, though the library seeds its noise by the clock


@pytest.mark.parametrize("tool", ["ours", "soundfile"])
def test_the_stream_can_be_read(run, tool):
    data = run("speak", "Hello there.", *MODEL).stdout
    want = streamed(data)
    if tool == "ours":
        warnings = []
        found = audio.read(io.BytesIO(data), warn=warnings.append)
        assert not warnings
        assert np.array_equal(np.rint(found.samples[0] * 2**15), want)
    else:
        found, rate = soundfile.read(io.BytesIO(data), dtype="int16")
        assert rate == RATE
        assert np.array_equal(found[: len(want)], want)


def test_each_sentence_is_there_before_the_next_is_read(start):
    process = start("speak", "-", *MODEL, "--format", "raw", stdin=subprocess.PIPE)
    process.stdin.write(b"This is the first sentence.\n")
    process.stdin.flush()
    assert len(process.stdout.read(10_000)) == 10_000  # would wait for ever if it waited for the end of its input
    process.stdin.close()
    process.stdin = None
    assert process.stdout.read()
    assert process.wait() == 0


def test_a_reader_that_goes_away(start):
    process = start("speak", "-f", "-", *MODEL, stdin=subprocess.PIPE)
    process.stdin.write(b"This is a sentence. " * 3_000)
    process.stdin.close()
    head = process.stdout.read(100_000)
    process.stdout.close()
    process.stdin = process.stdout = None
    assert process.wait(60) == 1
    assert process.stderr.read() == b""
    assert np.abs(streamed(head)).max() > 1_000


@pytest.mark.parametrize("text", ["", "...!?", "🎉 👍", "\x01\x02", " \n\n "])
def test_nothing_to_say_is_a_valid_file(call, tmp_path, text):
    code, out, err = call("speak", text, *MODEL, "-o", "x.wav")
    assert (code, out) == (0, b"")
    assert "nothing in it to say" in err
    assert soundfile.info(tmp_path / "x.wav").frames == 0
    assert call("speak", text, *MODEL, "--format", "json", "--quiet", "-o", "x.json")[0] == 0
    assert json.loads((tmp_path / "x.json").read_text())["status"] == "empty"


def test_times_stand_beside_the_audio(call, tmp_path):
    text = "I owe $5 to Dr. No.\n\nAnd more."
    assert call("speak", text, *MODEL, "-o", "x.wav", "--timestamps", "json")[0] == 0
    record = json.loads((tmp_path / "x.json").read_text())
    assert record["task"] == "speak"
    assert record["model"] == "espeak-ng"
    assert (record["text"], record["language"], record["status"]) == (text, "en-us", "ok")
    assert [segment["text"] for segment in record["segments"]] == ["I owe $5 to Dr. No.", "And more."]
    assert [word["text"] for word in record["segments"][0]["words"]] == ["I", "owe", "$5", "to", "Dr.", "No."]
    samples, _ = soundfile.read(tmp_path / "x.wav")
    assert record["duration"] == pytest.approx(len(samples) / RATE, abs=1e-3)
    for segment in record["segments"]:
        assert np.abs(samples[round(segment["start"] * RATE) : round(segment["end"] * RATE)]).max() > 0.1
    near = RATE // 1_000 + 5  # times are rounded to the millisecond
    between = samples[
        round(record["segments"][0]["end"] * RATE) + near : round(record["segments"][1]["start"] * RATE) - near
    ]
    assert len(between) > 0.5 * RATE
    assert not between.any()
    assert call("speak", text, *MODEL, "-o", "y.flac", "--timestamps", "srt")[0] == 0
    assert (tmp_path / "y.srt").read_text().count("-->") == 2


LINES = "Hello there.\n\nThe second, 5 km.\n🎉\nid-a\tWith an id.\nid-b\tde+f2\tIn another voice.\n"


def test_lines(call, tmp_path):
    (tmp_path / "lines.txt").write_text(LINES)
    code, out, err = call("speak", "-f", "lines.txt", "--lines", *MODEL, "-o", "out/")
    assert (code, out) == (0, b"")
    assert {path.name for path in (tmp_path / "out").glob("*.wav")} == {
        "0001-hello-there.wav", "0002-the-second-5-km.wav", "id-a.wav", "id-b.wav",
    }  # fmt: skip
    assert "de+f2" in soundfile.SoundFile(tmp_path / "out" / "id-b.wav").comment
    code, _, err = call("speak", "-f", "lines.txt", "--lines", *MODEL, "-o", "out/", "--resume")
    assert (code, "4 were done before" in err) == (0, True)
    (tmp_path / "lines.txt").write_text(LINES.replace("second", "other").replace("With an id", "With a new text"))
    code, _, err = call("speak", "-f", "lines.txt", "--lines", *MODEL, "-o", "out/", "--resume")
    assert (code, "2 done, 2 were done before" in err) == (0, True)


def test_names_of_lines(call, tmp_path):
    (tmp_path / "lines.txt").write_text("a\tde\tHallo.\nb/../../c\tfr-fr\tBonjour!\n")
    args = ("speak", "-f", "lines.txt", "--lines", *MODEL, "-o", "out/", "--name", "{voice}/{id}-{index:02d}")
    assert call(*args)[0] == 0
    made = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.wav")}
    assert made == {"de/a-01.wav", "fr-fr/b-c-02.wav"}


def test_lines_of_one_name(call, tmp_path):
    """Each has a file, and names that differ from the wanted ones are reported."""
    (tmp_path / "lines.tsv").write_text("a\tOne.\na\tTwo.\na-2\tThree.\na\tOne.\n")
    code, _, err = call("speak", "-f", "lines.tsv", "--lines", *MODEL, "-o", "out/")
    made = {path.stem: soundfile.read(path)[0] for path in (tmp_path / "out").glob("*.wav")}
    assert (code, set(made)) == (0, {"a", "a-2", "a-2-2", "a-3"})
    assert np.array_equal(made["a"], made["a-3"])  # whatever was said before it
    assert "lines.tsv:2: a line before it is called a, too: this one is a-2" in err
    assert len(err.splitlines()) == 3
    (tmp_path / "lines.txt").write_text("Same.\nSame.\n")
    assert call("speak", "-f", "lines.txt", "--lines", *MODEL, "-o", "two/", "--name", "{slug}", "-q") == (0, b"", "")
    assert {path.name for path in (tmp_path / "two").glob("*.wav")} == {"same.wav", "same-2.wav"}


def test_a_name_of_a_file_is_a_text_and_a_note(call, tmp_path):
    (tmp_path / "book.txt").write_text("Chapter one.")
    code, _, err = call("speak", "book.txt", *MODEL, "-o", "x.wav")
    assert (code, "-f book.txt" in err) == (0, True)
    assert call("speak", "chapter one", *MODEL, "-o", "y.wav") == (0, b"", "")


def test_a_text_that_begins_with_a_dash(run):
    assert b"behind --" in run("speak", "-5 degrees", *MODEL).stderr
    assert dashes(["speak", "--", "-5", "-o", "x.wav"]) == "what stands behind -- is text: options go before it"
    assert (
        dashes(["speak", "-o", "x.wav", "--", "-5"])
        is dashes(["speak", "--voise", "x"])
        is dashes(["features", "-5"])
        is None
    )


def test_the_nearest_variety_of_a_language(call, tmp_path):
    for language, spoken, note in (
        ("fr", "fr-fr", ""),
        ("es-MX", "es-419", "spoken as es-419"),
        ("Chinese", "cmn", ""),
    ):
        code, _, err = call("speak", "1 2 3", *MODEL, "--language", language, "-o", "x.json", "--force")
        assert (code, bool(err), note in err) == (0, bool(note), True)
        assert json.loads((tmp_path / "x.json").read_text())["language"] == spoken


def test_letters_of_another_script_are_reported(call, tmp_path):
    code, _, err = call("speak", "Анна and café.", *MODEL, "-o", "x.json")
    record = json.loads((tmp_path / "x.json").read_text())
    assert (code, len(err.splitlines()), len(record["warnings"])) == (0, 1, 1)
    assert "Cyrillic letters are read as Latin ones" in err
    assert call("speak", "Анна.", *MODEL, "--language", "ru", "-o", "y.json") == (0, b"", "")


def test_one_bad_line_is_reported_and_the_others_go_on(call, tmp_path):
    (tmp_path / "lines.txt").write_text("a\tnobody\tHallo.\nb\tde\tHallo.\n")
    code, _, err = call("speak", "-f", "lines.txt", "--lines", *MODEL, "-o", "out/")
    assert code == 1
    assert "lines.txt:1: espeak-ng has no voice 'nobody'" in err
    assert (tmp_path / "out" / "b.wav").exists()


def test_several_files(call, tmp_path):
    (tmp_path / "one.txt").write_text("Chapter one.")
    (tmp_path / "two.txt").write_text("Chapter two.")
    (tmp_path / "song.txt").write_bytes(b"\x00\x01\x02")
    code, _, err = call("speak", "-f", "one.txt", "-f", "song.txt", "-f", "two.txt", *MODEL, "-o", "out/")
    assert code == 1
    assert "song.txt: is not text" in err
    assert {path.name for path in (tmp_path / "out").glob("*.wav")} == {"one.wav", "two.wav"}
    code, _, err = call("speak", "-f", "one.txt", "-f", "two.txt", *MODEL, "-o", "x.wav")
    assert (code, "-o FOLDER/" in err) == (2, True)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "no text"), (["hi", "-f", "x"], "not both"), (["-", "-f", "-"], "not both"), (["-f", "-", "-f", "-"], "only once"),
        (["hi", "--voice", "f33"], "f3"), (["hi", "--language", "Germon"], "German"), (["hi", "--rate", "9"], "--rate"),
        (["hi", "--pitch", "nan"], "--pitch"), (["hi", "--pause", "-1"], "--pause"), (["hi", "--loudness", "3"], "--loudness"),
        (["hi", "--timestamps", "vtt", "-o", "x.wav"], "one of srt, json"), (["hi", "--timestamps", "srt"], "beside the audio"),
        (["hi", "--lines"], "-o FOLDER/"), (["hi", "--lines", "-o", "x.wav"], "-o FOLDER/"), (["hi", "--name", "{id}"], "--lines"),
        (["hi", "--lines", "-o", "o/", "--name", "../{id}"], "--name"), (["hi", "--lines", "-o", "o/", "--name", "x"], "--name"),
        (["hi", "-o", "x.txt"], "no format"), (["hi", "--seed", "-1"], "--seed"), (["hi", "--model", "pocketsphinx"], "transcribe"),
        (["hi", "--device", "cuda"], "processor only"),
    ],
)  # fmt: skip
def test_mistakes_get_one_line(call, args, words):
    own = [] if "--model" in args else MODEL
    code, out, err = call("speak", *args, *own)
    assert (code, out) == (2, b"")
    assert words in err
    assert len(err.strip().splitlines()) == 1


def test_times_without_the_sound(call):
    code, out, _ = call("speak", "Hello there. Once more.", *MODEL, "--format", "srt")
    assert code == 0
    assert b"1\n00:00:00,000 --> " in out
    assert b"Once more." in out


def test_voices_are_listed(call):
    code, out, _ = call("speak", "--list-voices", "--language", "en", *MODEL)
    lines = out.decode().splitlines()
    assert code == 0
    assert "en-gb\ten-gb\tEnglish (Great Britain)" in lines
    assert all("\ten" in line for line in lines)


@pytest.fixture
def no_hibari(monkeypatch):
    """A machine without the package of the clearest voice, on which this has been said."""
    found = registry.find_spec
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == "hibari" else found(name))
    monkeypatch.setattr("audiocli.run.job.advise", lambda *_: None)


@pytest.mark.skipif(shutil.which("flite") is None, reason="the program flite is not on the PATH")
def test_the_clearer_voice_is_the_default(call, no_hibari, tmp_path):
    for args, model in (
        ([], "flite"),
        (["--voice", "slt"], "flite"),
        (["--language", "de"], "espeak-ng"),
        (["--voice", "f2"], "espeak-ng"),
    ):
        assert call("speak", "Hello.", *args, "-o", "x.json", "--force", "-q")[0] == 0
        assert json.loads((tmp_path / "x.json").read_text())["model"] == model
    assert "did you mean rms" in call("speak", "Hello.", "--voice", "rns")[2]


@pytest.fixture
def broken_flite(tmp_path, monkeypatch):
    """A program that goes by the name of flite and does nothing, on the PATH; no settings but those of the test."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "flite").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin" / "flite").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("platformdirs.user_config_path", lambda *args, **options: tmp_path / "settings")
    monkeypatch.delenv("AUDIOCLI_SPEAK_MODEL", raising=False)


def test_a_choice_holds_where_a_clearer_voice_is_installed(call, no_hibari, broken_flite, monkeypatch):
    """A default model gives way to it, a chosen one does not, even if it is the same model."""

    def spoken_by():
        rows = json.loads(call("models", "list", "--task", "speak", "--json")[1])
        (starred,) = [row["name"] for row in rows if row["default"]]
        code, out, err = call("speak", "Hello.", "--format", "json", "-q")
        assert (starred, code) == (("flite", 2) if "flite does not work" in err else (json.loads(out)["model"], 0))
        return starred

    assert spoken_by() == "flite"
    assert "speak takes espeak-ng" in call("models", "use", "speak", "espeak-ng")[2]
    assert spoken_by() == "espeak-ng"
    assert "speak takes flite" in call("models", "use", "speak")[2]
    monkeypatch.setenv("AUDIOCLI_SPEAK_MODEL", "espeak-ng")
    assert spoken_by() == "espeak-ng"
    assert "AUDIOCLI_SPEAK_MODEL is set" in call("models", "use", "speak")[2]


def test_without_them_there_is_the_other_one(call, no_hibari, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    assert call("speak", "Hello.", "-o", "x.json") == (0, b"", "")
    assert json.loads((tmp_path / "x.json").read_text())["model"] == "espeak-ng"


def test_a_kill_leaves_no_half_file(start, run, tmp_path):
    (tmp_path / "lines.txt").write_text("".join(f"This is line number {n} of them all.\n" for n in range(120)))
    args = ("speak", "-f", "lines.txt", "--lines", *MODEL, "-o", "out/", "-q")
    process = start(*args)
    while len(list((tmp_path / "out").glob("*.wav"))) < 10:
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    for path in (tmp_path / "out").glob("*.wav"):
        assert soundfile.info(path).frames > RATE
    assert run(*args, "--resume").returncode == 0
    assert len(list((tmp_path / "out").glob("*.wav"))) == 120


def peak_memory(text):
    """(exit code, bytes of sound, MB at most) of a process that speaks a text into a pipe."""
    code = (
        "import resource, subprocess, sys\n"
        "done = subprocess.Popen(sys.argv[1:], stdin=0, stdout=subprocess.PIPE)\n"
        "size = 0\n"
        "while block := done.stdout.read(1 << 20): size += len(block)\n"
        "print(done.wait(), size, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, *COMMAND, "speak", "-", *MODEL, "--rate", "2"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, env=clean_environment(), check=True)
    status, size, memory = map(int, done.stdout.split())
    return status, size, memory / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def sentences(n):
    return "".join(
        f"This is sentence {i % 97} of a story that goes on.{chr(10) * 2 if i % 7 == 0 else ' '}" for i in range(n)
    )


def test_a_long_text_needs_no_more_memory_than_a_short_one():
    short, long = peak_memory(sentences(50)), peak_memory(sentences(800))
    assert short[0] == long[0] == 0
    assert long[1] > 14 * short[1]
    assert long[2] < short[2] + 25


@pytest.mark.slow
def test_a_book_of_100_000_words():
    status, size, memory = peak_memory(sentences(10_000))
    assert status == 0
    assert size > 2 * RATE * 2 * 3_600
    assert memory < 200


def test_a_line_of_ten_megabytes_begins_at_once(start):
    process = start("speak", "-", *MODEL, "--format", "raw", stdin=subprocess.PIPE)
    os.set_blocking(process.stdin.fileno(), False)
    process.stdin.write(b"word " * 13_000)
    assert len(process.stdout.read(100_000)) == 100_000

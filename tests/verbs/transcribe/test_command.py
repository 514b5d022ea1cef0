"""`audiocli transcribe` from the outside: formats, folders, silence, resuming, pipes, live streams."""

import csv
import io
import itertools
import json
import os
import signal
import struct
import time
from pathlib import PurePath

import numpy as np
import pytest
import soundfile

from audiocli.audio import parse_raw
from audiocli.inputs.sources import Source
from audiocli.options import InputOptions, TranscribeOptions
from audiocli.outputs.sinks import JOURNAL
from audiocli.records import Segment, Transcript, Word
from audiocli.verbs.transcribe import listening
from audiocli.verbs.transcribe.recogniser import Traits
from audiocli.verbs.transcribe.work import Work

RATE = 16_000


@pytest.fixture(scope="session")
def phrases(shared):
    """Samples of four short utterances."""
    folder = shared / "data" / "mini-librispeech"
    rows = csv.DictReader((folder / "transcripts.tsv").open(), delimiter="\t")
    short = sorted(rows, key=lambda row: (os.stat(folder / row["path"]).st_size, row["path"]))[20:24]
    return [soundfile.read(folder / row["path"], dtype="float32")[0] for row in short]


@pytest.fixture
def folder(tmp_path, phrases):
    (tmp_path / "in").mkdir()
    for n, samples in enumerate(phrases):
        soundfile.write(tmp_path / "in" / f"{n}.wav", samples, RATE)
    return tmp_path / "in"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch, no_packages):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("AUDIOCLI_TRANSCRIBE_MODEL", raising=False)


NAMED = {"AUDIOCLI_TRANSCRIBE_MODEL": "pocketsphinx"}  # a process of its own sees the packages of this machine


@pytest.fixture
def run(run):
    def inside(*args, env=None, **options):
        return run(*args, env=NAMED | (env or {}), **options)

    return inside


@pytest.fixture
def start(start):
    def inside(*args, env=None, **options):
        return start(*args, env=NAMED | (env or {}), **options)

    return inside


@pytest.fixture
def silence(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    return tmp_path / "silence.wav"


def test_a_folder_becomes_a_folder(call, folder, tmp_path):
    (folder / "broken.wav").write_bytes(b"RIFF nothing")
    code, out, err = call("transcribe", folder, "-o", "out/", "--quiet")
    assert (code, out) == (1, b"")
    assert "broken.wav" in err
    assert "1 of 5 failed" in err
    texts = [(tmp_path / "out" / f"{n}.txt").read_text() for n in range(4)]
    assert all(text.strip() for text in texts)
    code, out, _ = call("transcribe", folder, "--format", "jsonl", "--quiet")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["status"] for record in records] == ["ok"] * 4 + ["failed"]
    assert ["".join(f"{s['text']}\n" for s in record["segments"]) for record in records[:4]] == texts
    assert records[0]["task"] == "transcribe"
    assert records[0]["model"] == "pocketsphinx"
    assert records[0]["language"] == "en"
    assert records[0]["segments"][0]["words"][0].keys() == {"start", "end", "text", "probability"}


def test_pipes_and_times(call, run, folder):
    """Standard input gives the same text as the file, and --start moves no word."""
    code, want, _ = call("transcribe", folder / "0.wav", "-f", "ctm", "--quiet")
    assert code == 0
    assert want
    piped = run("transcribe", "-", "-f", "ctm", "-q", input=(folder / "0.wav").read_bytes())
    assert piped.returncode == 0
    assert piped.stdout.replace(b"stdin ", b"0 ") == want
    samples, _ = soundfile.read(folder / "0.wav", dtype="int16")
    soundfile.write(folder / "0.wav", np.concatenate([np.ones(8 * RATE, np.int16), samples]), RATE)
    _, late, _ = call("transcribe", folder / "0.wav", "-f", "ctm", "--start", "8", "--quiet")
    shifted = [line.split()[2:5:2] for line in late.splitlines()]
    assert shifted == [[b"%.3f" % (float(w.split()[2]) + 8), w.split()[4]] for w in want.splitlines()]


@pytest.mark.parametrize("form", ["txt", "srt", "vtt", "tsv", "csv", "json", "jsonl", "ctm", "TextGrid", "lrc"])
def test_silence_is_an_empty_file_and_no_failure(call, silence, tmp_path, form):
    assert call("transcribe", silence, "-o", f"x.{form}", "--quiet") == (0, b"", "")
    text = (tmp_path / f"x.{form}").read_text()
    if "json" in form:
        record = json.loads(text)
        assert (record["status"], record["text"], record["segments"]) == ("no_speech", "", [])
        assert record["dropped"] == ["no speech: 1.0 of 1.0 s"]
    else:
        assert len(text.splitlines()) <= 20
        assert "-->" not in text


def test_the_weak_default_is_reported_once(call, silence):
    assert "models pull whisper-base" in call("transcribe", silence)[2]
    assert call("transcribe", silence) == (0, b"", f"audiocli: {silence}: no speech in it\n")


def test_quiet_says_nothing_and_forgets_nothing(call, silence):
    assert call("transcribe", silence, "--quiet")[2] == ""
    assert "whisper-base" in call("transcribe", silence)[2]
    assert "whisper-base" not in call("transcribe", silence, "--model", "pocketsphinx")[2]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--translate"], "--translate"),
        (["--prompt", "x"], "--prompt"),
        (["--hotwords", "x"], "--hotwords"),
        (["--beam", "4"], "--beam"),
        (["--beam", "0"], "--beam must be 1"),
        (["--batch-size", "4"], "pocketsphinx has no --batch-size"),
        (["--batch-size", "many"], "--batch-size must be auto"),
        (["--batch-size", "0"], "--batch-size must be auto"),
        (["--temperature", "-1"], "--temperature"),
        (["--language", "de"], "English only"),
        (["--timestamps", "syllable"], "--timestamps"),
        (["--max-lines", "-1"], "--max-lines"),
        (["--precision", "int3"], "--precision"),
        (["--device", "cuda"], "--device"),
        (["--model", "no-such-model"], "no-such-model"),
        (["--format", "npz"], "no format"),
        (["--stream"], "give - as the only input"),
        (["--channel", "none"], "--channel"),
        (["--vad-threshold", "1"], "--vad-threshold must lie between 0 and 1"),
        (["--no-vad", "--vad-threshold", "0.3"], "leave --vad-threshold out"),
        (["--lm-weight", "0.7"], "--lm-weight is how much --lm counts"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_a_usage_error(call, silence, args, words):
    code, out, err = call("transcribe", silence, *args)
    assert (code, out) == (2, b"")
    assert words in err.splitlines()[-1]


def test_subtitles_of_two_inputs_need_a_folder(call, folder):
    code, _, err = call("transcribe", folder, "-f", "srt")
    assert code == 2
    assert "-o FOLDER/" in err


def test_a_killed_run_goes_on(start, call, folder, tmp_path):
    process = start("transcribe", str(folder), "-o", "out/", "-q")
    end = time.monotonic() + 60
    journal = tmp_path / "out" / JOURNAL
    while not (journal.exists() and b"0.wav" in journal.read_bytes()):
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = (tmp_path / "out" / "0.txt").stat().st_mtime_ns
    code, _, err = call("transcribe", folder, "-o", "out/", "--resume", "--model", "pocketsphinx")
    assert code == 0
    assert "were done before" in err
    assert (tmp_path / "out" / "0.txt").stat().st_mtime_ns == before
    assert sorted(path.name for path in (tmp_path / "out").glob("*.txt")) == [f"{n}.txt" for n in range(4)]
    assert not list((tmp_path / "out").glob("*part*"))


def test_a_stream_says_what_a_file_says(call, run, folder, phrases):
    joined = np.concatenate([phrases[0], np.zeros(RATE, np.float32), phrases[1]])
    soundfile.write(folder / "joined.wav", joined, RATE)
    _, want, _ = call("transcribe", folder / "joined.wav", "--quiet")
    wav = (folder / "joined.wav").read_bytes()
    streamed = run("transcribe", "--stream", "-", "-q", input=wav[44:])
    assert (streamed.returncode, streamed.stdout, streamed.stderr) == (0, want, b"")
    events = [
        json.loads(line) for line in run("transcribe", "--stream", "-", "-f", "jsonl", input=wav).stdout.splitlines()
    ]
    assert [event["text"] for event in events if event["event"] == "final"] == want.decode().splitlines()
    assert events[0]["event"] == "partial"
    assert events[-1]["event"] == "end"
    assert events[-1]["status"] == "ok"


def test_a_stream_speaks_while_it_goes_on_and_ends_at_ctrl_c(start, line_of, phrases):
    """The first words come while the sound goes on; Ctrl-C settles the piece in hand."""
    process = start("transcribe", "--stream", "-", "-f", "jsonl", "-q", stdin=-1)
    process.stdin.write((phrases[0] * 32_767).astype("<i2").tobytes())
    process.stdin.flush()
    assert json.loads(line_of(process.stdout))["event"] == "partial"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == b""
    last = [json.loads(line)["event"] for line in out.splitlines()]
    assert last[-1] == "end"
    assert "final" in last


@pytest.mark.parametrize("data", [bytes(3 * 2 * RATE), b"\x01"], ids=["silence", "half a sample"])
def test_a_stream_of_nothing_ends_well(run, data):
    done = run("transcribe", "--stream", "-", "-q", input=data)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_an_empty_stream_is_an_empty_file(run):
    done = run("transcribe", "--stream", "-", "-q", input=b"")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"audiocli: standard input: empty file\n")


def test_a_compressed_stream_says_what_a_file_says(run, call, recording, tmp_path):
    """Sound beyond the header's size is heard, and reported."""
    samples, rate = soundfile.read(recording, stop=8 * RATE)
    soundfile.write(tmp_path / "x.flac", samples, rate)
    hidden = bytearray(wav(samples, rate))
    struct.pack_into("<I", hidden, 40, 2 * rate * 2)
    want = call("transcribe", "x.flac", "-q")[1]
    assert want
    streamed = run("transcribe", "--stream", "-", "-q", input=(tmp_path / "x.flac").read_bytes())
    assert (streamed.returncode, streamed.stdout, streamed.stderr) == (0, want, b"")
    streamed = run("transcribe", "--stream", "-", input=bytes(hidden))
    assert (streamed.returncode, streamed.stdout) == (0, want)
    line = b"audiocli: standard input: the file goes on after the 2.0 s that its header promises: 8.0 s"
    assert streamed.stderr.splitlines()[-1] == line


def wav(samples, rate, subtype="PCM_16", form="WAV"):
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, subtype, format=form)
    return stream.getvalue()


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "ULAW"])
@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_a_wav_header_in_a_stream_is_understood(subtype, form, size):
    want = np.random.default_rng(0).uniform(-0.5, 0.5, (2_000, 2))
    data = wav(want, RATE, subtype, form) + b"LIST\x04\x00\x00\x00junk"
    chunks = (data[i : i + size] for i in range(0, len(data), size))
    got = np.concatenate(list(listening.samples(chunks, None, RATE, "mix", [])))
    np.testing.assert_allclose(got, want.mean(axis=1), atol=0.03 if subtype in ("PCM_U8", "ULAW") else 1e-4)


def test_a_wav_header_that_knows_no_length():
    data = bytearray(wav(np.full(500, 0.25), 8_000))
    struct.pack_into("<I", data, 40, 0xFFFF_FFFF)
    assert sum(map(len, listening.samples(iter([bytes(data)]), None, RATE, "mix", []))) == 1_000
    raw = parse_raw("f32le:8000:1")
    got = np.concatenate(list(listening.samples(iter([np.full(500, 0.25, "<f4").tobytes()]), raw, 8_000, "mix", [])))
    np.testing.assert_array_equal(got, np.full(500, 0.25, np.float32))


@pytest.mark.parametrize(("channel", "gain"), [("mix", 1.0), ("left", 1.0), ("right", -1.0), ("best", 1.0)])
def test_a_stream_is_mixed_as_a_file_is(channel, gain):
    tone = 0.3 * np.sin(0.2 * np.arange(RATE))
    data, warnings = wav(np.stack([tone, -tone], 1), RATE), []
    chunks = (data[i : i + 1_001] for i in range(0, len(data), 1_001))
    got = np.concatenate(list(listening.samples(chunks, None, RATE, channel, warnings)))
    np.testing.assert_allclose(got, gain * tone, atol=1e-4)
    assert len(warnings) == (channel in ("mix", "best"))


class Echo:
    """A recogniser of clips that hears a word a second of whatever is louder than silence."""

    sample_rate, traits = RATE, Traits()

    def __call__(self, batch):
        return [self._one(clip) for clip in batch]

    def _one(self, clip):
        count = int(clip.duration)
        words = tuple(Word(f"w{n}", float(n), n + 1.0, 0.5) for n in range(count))
        text = " ".join(word.text for word in words)
        segments = (Segment(0.0, clip.duration, text, words),) if words else ()
        return Transcript(
            path="?", duration=clip.duration, sample_rate=RATE, task="transcribe", text=text, language="en",
            segments=segments, status="ok" if words else "no_speech", warnings=("own",),
        )  # fmt: skip


def test_clips_come_back_complete(tmp_path):
    """A recogniser of clips knows nothing of paths, rates and cuts: the record gets them all the same."""
    soundfile.write(tmp_path / "x.wav", np.full(5 * 8_000, 0.1), 8_000)
    source = Source(str(tmp_path / "x.wav"), PurePath("x.wav"))
    work = Work(Echo(), InputOptions(start=2.0), {"beam": 1})
    (record,) = work([work.read(source)])
    assert (record.path, record.sample_rate, record.duration) == (source.path, 8_000, 3.0)
    assert record.options == {"beam": 1}
    assert record.warnings == ("own",)
    assert [word.start for word in record.segments[0].words] == [2.0, 3.0, 4.0]
    assert record.segments[0].end == 5.0


def test_a_model_of_clips_streams_by_agreement():
    session = listening.Again(Echo(), TranscribeOptions(vad=False))
    sound = np.random.default_rng(0).uniform(-0.3, 0.3, 10 * RATE).astype(np.float32)
    events = [event for i in range(0, sound.size, 1_600) for event in session.push(sound[i : i + 1_600])]
    partials = [event.text for event in events]
    assert partials[0] == "w0"
    assert all(after.startswith(before) for before, after in itertools.pairwise(partials))
    (final,) = session.finish()
    assert final.text.startswith(partials[-1])
    assert len(final.words) == 10


def test_pieces_of_speech_of_many_clips_go_together(recording, tmp_path):
    """Silence never reaches the recogniser, and the times are those of the clips."""
    samples, _ = soundfile.read(recording, dtype="float32")
    silence = np.zeros(6 * RATE, np.float32)
    clips = [np.concatenate([silence, samples[8 * RATE : 14 * RATE]]), silence, samples]
    batches = []

    class Counting(Echo):
        def __call__(self, batch):
            batches.append([clip.duration for clip in batch])
            return super().__call__(batch)

    paths = [tmp_path / f"{n}.wav" for n in range(3)]
    for path, clip in zip(paths, clips, strict=True):
        soundfile.write(path, clip, RATE)
    work = Work(Counting(), InputOptions(), {}, vad=True)
    records = work([work.read(Source(str(path), PurePath(path.name))) for path in paths])
    assert len(batches) == 1
    assert len(batches[0]) >= 2
    assert max(batches[0]) <= 30.1
    assert [record.status for record in records] == ["ok", "no_speech", "ok"]
    assert [record.path for record in records] == [str(path) for path in paths]
    assert [record.duration for record in records] == [12.0, 6.0, 30.0]
    assert 5.0 < records[0].segments[0].start < 7.5
    assert records[1].dropped == ("no speech: 6.0 of 6.0 s",)

"""`audiocli classify` from the outside, with the built-in net on clips that it was trained on: that the whole chain hears them.

How good it is on clips that it has never heard stands in bench.md and in its card, not here.
"""

import csv
import io
import json

import numpy as np
import pytest
import soundfile

from audiocli import audio
from audiocli.models import registry

LABELS = (
    "baby_cry", "chainsaw", "clock_tick", "dog_bark", "fire_crackling", "helicopter", "person_sneeze", "rain", "rooster",
    "sea_waves", "speech", "silence",
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("AUDIOCLI_CLASSIFY_MODEL", raising=False)


@pytest.fixture(scope="session")
def clips(real):
    """A clip of each label: {label: path}."""
    folder = real / "data" / "esc10"
    with (folder / "clips.tsv").open() as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["fold"] == "1"]
    return {row["label"]: folder / row["path"] for row in reversed(rows)}


def records(out):
    return [json.loads(line) for line in out.splitlines()]


def noise(path, seconds=1.0, rate=16_000, channels=1, level=0.1):
    samples = level * np.random.default_rng(0).standard_normal((int(seconds * rate), channels))
    soundfile.write(path, samples, rate)
    return path


def test_the_built_in_labels():
    config = json.loads((registry.MODELS["everyday-sounds"].weights / "config.json").read_text())
    assert set(config["labels"]) == set(LABELS)


def test_it_hears_what_is_there(call, clips, recording):
    code, out, err = call("classify", *clips.values(), recording, "-f", "jsonl", "--top", "1")
    assert (code, err) == (0, "")
    found = {record["path"]: record["labels"][0]["label"] for record in records(out)}
    right = sum(found[str(path)] == label for label, path in clips.items())
    assert right >= 9
    assert found[str(recording)] == "speech"


def test_a_folder_alone_and_together(call, clips, tmp_path):
    """Each file gets the same scores in a batch of others; a corrupt one fails alone."""
    (tmp_path / "in").mkdir()
    for label, path in list(clips.items())[:4]:
        (tmp_path / "in" / f"{label}.ogg").write_bytes(path.read_bytes())
    (tmp_path / "in" / "broken.ogg").write_bytes(b"OggS nothing")
    code, out, err = call("classify", "in", "-f", "jsonl", "--top", "12")
    assert code == 1
    assert "broken.ogg: " in err
    assert err.endswith("1 of 5 failed\n")
    for record in records(out):
        if record["status"] == "failed":
            continue
        code, alone, _ = call("classify", record["path"], "-f", "jsonl", "--top", "12")
        mine, theirs = ({one["label"]: one["score"] for one in each["labels"]} for each in (record, records(alone)[0]))
        assert mine.keys() == theirs.keys() == set(LABELS)
        assert all(mine[label] == pytest.approx(theirs[label], abs=2e-4) for label in LABELS)


def test_events_in_a_scene(call, clips, tmp_path):
    """A dog, a pause and a rooster, where they were put."""
    rate, pause = 32_000, np.zeros(2 * 32_000, np.float32)
    parts, truth, at = [], [], 0
    for label in ("dog_bark", "rooster"):
        samples = audio.read(clips[label], sample_rate=rate, mono=True).samples[0]
        loud = np.flatnonzero(np.abs(samples) > 0.05 * np.abs(samples).max())
        piece = samples[loud[0] : loud[-1]]
        parts += [pause, piece]
        truth.append((label, (at + len(pause)) / rate))
        at += len(pause) + len(piece)
    soundfile.write(tmp_path / "scene.wav", np.concatenate([*parts, pause]), rate)
    code, out, err = call("classify", "scene.wav", "--events", "-f", "jsonl", "--labels", "dog_bark,rooster,silence")
    assert (code, err) == (0, "")
    starts = {}
    for event in records(out)[0]["events"]:
        starts.setdefault(event["label"], event["start"])
    for label, start in truth:
        assert starts[label] == pytest.approx(start, abs=0.4)


def test_formats_by_suffix_and_a_picture(call, clips, tmp_path):
    code, out, err = call("classify", clips["rooster"], "--events", "-o", "x.TextGrid", "--plot", "png")
    assert (code, out, err) == (0, b"", "")
    assert (tmp_path / "x.TextGrid").read_text().startswith('File type = "ooTextFile"')
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    code, out, _ = call("classify", clips["rooster"], "-f", "csv")
    assert [row["rank"] for row in csv.DictReader(io.StringIO(out.decode()))] == ["1", "2", "3"]


def test_standard_input(run, clips):
    done = run("classify", "-", "-f", "jsonl", input=clips["rooster"].read_bytes())
    assert done.returncode == 0
    (record,) = records(done.stdout)
    assert (record["path"], record["labels"][0]["label"]) == ("-", "rooster")


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 2), (96_000, 2), (44_100, 1)])
def test_any_rate_and_channels(call, tmp_path, rate, channels):
    noise(tmp_path / "x.wav", rate=rate, channels=channels)
    for more in ((), ("--events",)):
        code, out, err = call("classify", "x.wav", "-f", "jsonl", *more)
        assert (code, err) == (0, "" if records(out)[0].get("events", 1) else "audiocli: x.wav: no events in it\n")
        assert records(out)[0]["sample_rate"] == rate


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.05, 0.6])
def test_clips_shorter_than_a_window(call, tmp_path, seconds):
    noise(tmp_path / "x.wav", seconds=seconds)
    for more in ((), ("--events",)):
        code, out, err = call("classify", "x.wav", "-f", "jsonl", *more)
        record = records(out)[0]
        why = "" if record.get("events", 1) else "audiocli: x.wav: no events in it\n"
        assert (code, err) == (0, why if seconds else "audiocli: x.wav: holds no sound\n")
        assert record["status"] == ("ok" if seconds else "empty")
        assert bool(record["labels"]) == bool(seconds)


def test_silence(call, tmp_path):
    soundfile.write(tmp_path / "x.wav", np.zeros(48_000), 16_000)
    code, out, _ = call("classify", "x.wav", "--events", "-f", "jsonl")
    record = records(out)[0]
    assert (code, record["status"], record["events"]) == (0, "silent", [])
    assert record["labels"][0]["label"] == "silence"


def test_resume(call, tmp_path):
    (tmp_path / "in").mkdir()
    for n in range(3):
        noise(tmp_path / "in" / f"{n}.wav", level=0.01 * (n + 1))
    assert call("classify", "in", "-o", "out/")[0] == 0
    noise(tmp_path / "in" / "1.wav", level=0.5)
    code, _, err = call("classify", "in", "-o", "out/", "--resume")
    assert (code, err) == (0, "audiocli: 1 done, 2 were done before\n")
    code, _, err = call("classify", "in", "-o", "out/", "--resume", "--labels", "rain,sea_waves")
    assert err == ""


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("x.wav", "--top", "0"), "--top must be 1 or more"),
        (("x.wav", "--threshold", "1.5"), "--threshold must lie between 0 and 1"),
        (("x.wav", "--window", "0"), "--window must lie between"),
        (("x.wav", "--hop", "nan"), "--hop must lie between"),
        (("x.wav", "--labels", "dog"), "no label 'dog': did you mean dog_bark?"),
        (("x.wav", "-o", "x.rttm"), "rttm holds events: add --events"),
        (("x.wav", "--plot", "gif"), "--plot must be one of"),
        (("x.wav", "-f", "srt"), "no format 'srt' here"),
        (("x.wav", "-m", "whisper-tiny"), "'audiocli transcribe' takes it"),
        (("x.wav", "-m", "everyday-sound"), "did you mean everyday-sounds"),
        ((), "no input"),
    ],
)
def test_mistakes(call, tmp_path, args, message):
    noise(tmp_path / "x.wav")
    code, out, err = call("classify", *args)
    assert (code, out) == (2, b"")
    assert message in err
    assert err.count("\n") == 1

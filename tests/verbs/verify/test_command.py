"""`audiocli verify` as a user types it: pairs, lists, references, enrolment, identification, recordings, and mistakes."""

import json
import sqlite3
from dataclasses import asdict

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

from audiocli.nets.siamese import Siamese, Sizes
from audiocli.voices.calibration import Pairs, fit

RATE = 16_000
TINY = Sizes(front=4, width=32, squeeze=8, blocks=2, pooled=32, embedding=16)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small encoder of random weights with a calibration, as `audiocli train speaker-encoder` writes its folder."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    save_file(Siamese(TINY, 3).state_dict(), folder / "model.safetensors")
    random = np.random.default_rng(0)
    same = random.random(4_000) < 0.5
    sides = [tuple(random.uniform(low, high, 4_000) for _ in range(2)) for low, high in ((0.5, 10.0), (0.0, 30.0))]
    pairs = Pairs(0.2 + 0.6 * same + 0.1 * random.standard_normal(4_000), *sides)
    about = {
        "model_type": "audiocli-siamese",
        "sizes": asdict(TINY),
        "classes": 3,
        "calibration": fit(pairs, same).as_dict(),
    }
    (folder / "config.json").write_text(json.dumps(about))
    return str(folder)


@pytest.fixture
def voices(shared, tmp_path):
    """Four utterances, two each of two speakers that no net of ours was trained on, as a0.wav, a1.wav, b0.wav, b1.wav."""
    for name, speaker in (("a", "7367"), ("b", "6848")):
        for n, path in enumerate(sorted((shared / "data" / "mini-librispeech" / speaker).glob("*.opus"))[:2]):
            soundfile.write(tmp_path / f"{name}{n}.wav", soundfile.read(path)[0][: 6 * RATE], RATE)
    return tmp_path


def lines(out):
    return [json.loads(line) for line in out.splitlines()]


def test_two_recordings(call, voices, model):
    code, out, err = call("verify", "a0.wav", "a1.wav", "-m", model, "-f", "jsonl")
    assert (code, err) == (0, "")
    (found,) = lines(out)
    assert (found["a"], found["b"], found["task"], found["status"]) == ("a0.wav", "a1.wav", "verify", "ok")
    assert found["same"] == (found["score"] >= found["threshold"])
    assert 0.0 < found["probability"] < 1.0
    assert found["false_accepts"] == 0.01


def test_a_recording_is_the_same_as_itself(call, voices, model):
    code, out, _ = call("verify", "a0.wav", "a0.wav", "-m", model, "-f", "jsonl", "--exit-code")
    assert code == 0
    assert lines(out)[0]["score"] == pytest.approx(1.0, abs=1e-5)


def test_far_moves_the_threshold_and_the_exit_code_tells(call, voices, model):
    thresholds = [
        lines(call("verify", "a0.wav", "b0.wav", "-m", model, "-f", "jsonl", "--far", far)[1])[0]["threshold"]
        for far in ("0.1", "0.01", "0.001")
    ]
    assert thresholds == sorted(thresholds)
    assert call("verify", "a0.wav", "b0.wav", "-m", model, "--threshold", "1", "--exit-code")[0] == 1
    assert call("verify", "a0.wav", "b0.wav", "-m", model, "--threshold", "-1", "--exit-code")[0] == 0


def test_trials_go_on_after_missing_files(call, voices, model):
    (voices / "trials.txt").write_text("a0.wav a1.wav 1\na0.wav none.wav 0\na0.wav b0.wav 0\nb0.wav b1.wav 1\n")
    code, out, err = call("verify", "--trials", "trials.txt", "-m", model, "-f", "jsonl", "--plot", "det.png")
    assert code == 1
    found = lines(out)
    assert [(one["a"], one["b"]) for one in found] == [
        ("a0.wav", "a1.wav"), ("a0.wav", "none.wav"), ("a0.wav", "b0.wav"), ("b0.wav", "b1.wav")
    ]  # fmt: skip
    assert [one["status"] for one in found] == ["ok", "failed", "ok", "ok"]
    assert found[1]["score"] is None
    assert "no such file" in found[1]["reason"]
    assert "3 trials: EER" in err
    assert (voices / "det.png").read_bytes().startswith(b"\x89PNG")


def test_each_file_is_heard_once(call, voices, model, monkeypatch):
    from audiocli.verbs.verify import hearing

    heard = []
    monkeypatch.setattr(
        hearing, "hear", lambda encoder, samples, hear=hearing.hear: heard.append(1) or hear(encoder, samples)
    )
    (voices / "trials.txt").write_text("a0.wav b0.wav\nb0.wav a0.wav\na0.wav a1.wav\n" * 50)
    code, out, _ = call("verify", "--trials", "trials.txt", "-m", model, "-o", "out.csv")
    assert (code, out, len(heard)) == (0, b"", 3)
    assert len((voices / "out.csv").read_text().splitlines()) == 151


def test_reference_against_many(call, voices, model):
    code, out, _ = call(
        "verify", "-r", "a0.wav", "-r", "a1.wav", "a0.wav", "b0.wav", "b1.wav", "-m", model, "-f", "jsonl"
    )
    assert code == 0
    assert [one["a"] for one in lines(out)] == ["a0.wav", "b0.wav", "b1.wav"]
    assert {one["b"] for one in lines(out)} == {"a0.wav + a1.wav"}


def test_enroll_and_identify(call, voices, model):
    assert call("verify", "--enroll", "ada", "a0.wav", "--db", "v.db", "-m", model)[0] == 0
    assert call("verify", "--enroll", "bob", "b0.wav", "b1.wav", "--db", "v.db", "-m", model)[0] == 0
    code, out, _ = call("verify", "--identify", "a0.wav", "--db", "v.db", "-m", model, "-f", "jsonl")
    (found,) = lines(out)
    assert code == 0
    assert [one["name"] for one in found["candidates"]][:1] == ["ada"]
    assert found["name"] in ("ada", None)
    code, out, _ = call("verify", "--identify", "a1.wav", "--db", "v.db", "-m", model, "--threshold", "1")
    assert out.startswith(b"nobody")


def test_silence_and_little_speech_decide_nothing(call, voices, model):
    soundfile.write(voices / "silence.wav", np.zeros(2 * RATE), RATE)
    speech = soundfile.read(voices / "a0.wav")[0]
    loud = int(np.abs(speech).argmax())
    short = speech[max(loud - 2_400, 0) :][:4_800]
    soundfile.write(voices / "short.wav", np.concatenate([np.zeros(RATE), short, np.zeros(RATE)]), RATE)
    soundfile.write(voices / "empty.wav", np.zeros(0), RATE)
    for name, status in (("silence", "no_speech"), ("short", "too_short"), ("empty", "no_speech")):
        code, out, err = call("verify", "a0.wav", f"{name}.wav", "-m", model, "-f", "jsonl")
        (found,) = lines(out)
        assert code == 0
        assert (found["same"], found["probability"]) == (None, None)
        assert found["status"] in (status, "no_speech")
        assert "cannot decide" in found["reason"]
        assert "cannot decide" in err
        assert call("verify", "a0.wav", f"{name}.wav", "-m", model, "--exit-code")[0] == 1


def test_telephone_and_stereo_are_read(call, voices, model):
    import soxr

    speech = soundfile.read(voices / "a0.wav")[0]
    soundfile.write(voices / "phone.wav", soxr.resample(speech, RATE, 8_000), 8_000)
    soundfile.write(voices / "stereo.wav", np.stack([speech, speech], 1), RATE)
    code, out, _ = call("verify", "-r", "a0.wav", "phone.wav", "stereo.wav", "-m", model, "-f", "jsonl")
    assert code == 0
    assert [one["status"] for one in lines(out)] == ["ok", "ok"]
    assert lines(out)[1]["score"] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("a.wav",), "give two recordings to compare, not 1"),
        (("a.wav", "b.wav", "c.wav"), "not 3"),
        (("--identify", "a.wav"), "--identify needs --db"),
        (("--enroll", "ada", "a.wav"), "--enroll needs --db"),
        (("--recording", "a.wav"), "--recording needs --db"),
        (("--trials", "t.txt", "--identify"), "do different things"),
        (("--trials", "t.txt", "a.wav"), "leave the INPUTs out"),
        (("a.wav", "b.wav", "--db", "x.db"), "--db goes with"),
        (("a.wav", "b.wav", "--far", "0"), "--far must lie between"),
        (("a.wav", "b.wav", "--threshold", "2"), "--threshold must lie between"),
        (("a.wav", "b.wav", "--plot", "x.png"), "--plot goes with --trials"),
        (("--index", "music", "--db", "x.db", "a.wav", "b.wav"), "--index goes with --recording"),
        (("a.wav", "b.wav", "-m", "whisper-tiny"), "not a model for verify"),
    ],
)
def test_mistakes_are_reported_in_one_line(call, args, message):
    code, out, err = call("verify", *args)
    assert (code, out) == (2, b"")
    assert message in err
    assert err.count("\n") == 1


def test_a_database_of_something_else(call, tmp_path, speech, model):
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("CREATE TABLE x (y)")
    connection.close()
    for args in (("--identify",), ("--recording",)):
        code, out, err = call(
            "verify", *args, speech, "--db", "x.db", *([] if "--recording" in args else ["-m", model])
        )
        assert (code, out) == (1, b"")
        assert "something else" in err


def tones(seed, seconds=15.0, rate=8_000):
    random = np.random.default_rng(seed)
    time = np.arange(int(0.3 * rate)) / rate
    notes = (
        sum(np.sin(2 * np.pi * k * 220 * 2 ** (random.integers(0, 36) / 12) * time) / k for k in range(1, 5))
        * np.exp(-4 * time)
        for _ in range(int(seconds / 0.3))
    )
    return (0.1 * np.concatenate(list(notes))).astype(np.float32)


def test_recordings(call, tmp_path):
    music = tmp_path / "music"
    music.mkdir()
    for seed in range(3):
        soundfile.write(music / f"{seed}.wav", tones(seed), 8_000)
    (music / "broken.wav").write_bytes(b"RIFF nothing")
    code, _, err = call("verify", "--recording", "--index", "music", "--db", "music.db")
    assert code == 1
    assert "broken.wav" in err
    assert "3 tracks in music.db" in err
    (music / "broken.wav").unlink()
    code, _, err = call("verify", "--recording", "--index", "music", "--db", "music.db")
    assert code == 0
    assert "3 were done before" in err

    query = tones(1)[5 * 8_000 :][: 5 * 8_000]
    soundfile.write(tmp_path / "known.wav", query + 0.05 * np.random.default_rng(0).standard_normal(len(query)), 8_000)
    soundfile.write(tmp_path / "unknown.wav", tones(9)[: 5 * 8_000], 8_000)
    soundfile.write(tmp_path / "silence.wav", np.zeros(5 * 8_000), 8_000)
    soundfile.write(tmp_path / "short.wav", query[:4_000], 8_000)
    names = ["known.wav", "unknown.wav", "silence.wav", "short.wav"]
    code, out, _ = call("verify", "--recording", *names, "--db", "music.db", "-f", "jsonl")
    assert code == 0
    known, unknown, silence, short = lines(out)
    assert known["track"].endswith("1.wav")
    assert known["offset"] == pytest.approx(5.0, abs=0.05)
    assert known["confidence"] > 0.5
    assert (unknown["track"], unknown["status"]) == (None, "ok")
    assert (silence["status"], short["status"]) == ("silent", "too_short")


def test_an_empty_database_and_one_of_another_version(call, tmp_path, speech):
    (tmp_path / "empty").mkdir()
    code, _, err = call("verify", "--recording", "--index", "empty", "--db", "x.db")
    assert code == 1
    code, out, err = call("verify", "--recording", speech, "--db", "x.db")
    assert (code, out) == (1, b"")
    assert "holds no tracks" in err
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("PRAGMA user_version = 3")
    connection.close()
    code, out, err = call("verify", "--recording", speech, "--db", "x.db")
    assert (code, out) == (1, b"")
    assert "version 3, and this audiocli reads version 1" in err


def test_the_built_in_encoder_tells_these_apart(call, voices):
    code, out, _ = call("verify", "-r", "a0.wav", "a1.wav", "b0.wav", "b1.wav", "-f", "jsonl")
    assert code == 0
    own, *others = [one["score"] for one in lines(out)]
    assert own > max(others)

"""`audiocli train speaker-encoder` and `sound-encoder` as commands: from recordings to a folder that `verify` takes."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from audiocli.training.mixtures.speaker_batches import Voices
from audiocli.training.recipes import speaker_teacher
from audiocli.training.recipes.speaker import corpus, in_corpora, person
from tests.conftest import vowels

RATE = 16_000
TINY = (
    "--set", "front=4", "--set", "width=32", "--set", "squeeze=8", "--set", "blocks=2", "--set", "pooled=32",
    "--set", "embedding=32", "--set", "margin_first=1", "--batch-size", "16", "--jobs", "1", "-q",
)  # fmt: skip


def lines(out):
    return [json.loads(line) for line in out.splitlines()]


def test_speakers(call, tmp_path):
    rows = ["path\tspeaker"]
    for speaker in range(4):
        for n in range(3):
            soundfile.write(tmp_path / f"{speaker}-{n}.wav", vowels(2.5, pitch=90 + 40 * speaker, seed=n), RATE)
            rows.append(f"{speaker}-{n}.wav\t{speaker}")
    (tmp_path / "clips.tsv").write_text("\n".join(rows))
    code, _, err = call(
        "train", "speaker-encoder", "--data", "clips.tsv", "-o", "m", "--valid", "speaker=0,1", "--epochs", "2",
        "--set", "steps=2", *TINY,
    )  # fmt: skip
    assert (code, err) == (0, "")
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    assert {"EER whole", "EER 3 s", "EER 10 dB"} < config["scores"].keys()
    assert config["classes"] == 2
    code, out, _ = call("verify", "0-0.wav", "0-0.wav", "-m", "m", "-f", "jsonl")
    assert code == 0
    assert (lines(out)[0]["status"], lines(out)[0]["score"]) == ("ok", pytest.approx(1.0, abs=1e-4))
    code, _, err = call(
        "train", "speaker-encoder", "--data", "clips.tsv", "-o", "on", "--valid", "speaker=0,1", "--epochs", "1",
        "--from", "m", "--rate", "1e-9", "--set", "steps=1", *TINY,
    )  # fmt: skip
    assert (code, err) == (0, "")
    before, after = (load_file(tmp_path / name / "model.safetensors")["directions"].float() for name in ("m", "on"))
    torch.testing.assert_close(after, before, atol=1e-3, rtol=1e-3)


def people(folder, count, each):
    """Recordings of speakers that differ in pitch, and their manifest."""
    folder.mkdir()
    rows = ["path\tspeaker"]
    for speaker in range(count):
        for n in range(each):
            name = f"{folder.name}-{speaker}-{n}.wav"
            soundfile.write(folder / name, vowels(2.5, pitch=90 + 20 * speaker, seed=n), RATE)
            rows.append(f"{name}\t{folder.name}{speaker}")
    (folder / "clips.tsv").write_text("\n".join(rows))


def test_a_teacher(call, tmp_path):
    """A student of another teacher's ear: after some steps it hears voices where the teacher hears them."""
    people(tmp_path / "x", 6, 4)
    base = ("train", "speaker-encoder", "--data", "x/clips.tsv", "--valid", "speaker=x0,x1,x2", "--epochs", "1")
    assert call(*base, "-o", "teacher", "--set", "steps=1", *TINY)[0] == 0
    lessons = {}
    for lesson in ("0", "30"):
        more = ("--set", "teacher=teacher", "--set", "taught=heard.npz", "--set", f"lesson={lesson}", "--seed", "3")
        code, _, err = call(*base, "-o", f"m{lesson}", "--set", "steps=30", *more, *TINY, "--rate", "0.01")
        assert (code, err) == (0, "")
        lessons[lesson] = json.loads((tmp_path / f"m{lesson}" / "config.json").read_text())
    with np.load(tmp_path / "heard.npz") as heard:
        assert heard["counts"].tolist() == [2, 2, 2] * 3  # ten seconds of each of three speakers at three speeds
        assert heard["pieces"].shape == (18, 32)
    assert lessons["30"]["own"]["teacher"] == "teacher"
    (tmp_path / "text.npz").write_text("text")
    more = ("--set", "teacher=teacher", "--set", "taught=text.npz")
    code, _, err = call(*base, "-o", "none", *more, *TINY)
    assert (code, err.count("\n")) == (2, 1)
    assert "text.npz: is not of these voices" in err
    code, _, err = call(*base, "-o", "none", "--set", "teacher=nobody", *TINY)
    assert code == 2
    assert "nobody" in err


def test_lessons_are_where_the_teacher_hears_a_voice():
    """Two people in two directions of 20, of which the rest is noise: these two are what is taught, turned to the student's own."""
    random = np.random.default_rng(0)
    voices = Voices(("a", "b", "c"), (np.ones(12 * RATE, np.int16),) * 3, (), (), speeds=(1.0,))
    means = np.zeros((3, 20), np.float32)
    means[[0, 1, 2], [3, 3, 4]] = 3.0, -3.0, 4.0
    counts = np.array([200, 300, 100])
    noise = np.full(20, 2.0, np.float32)
    noise[[3, 4]] = 0.3
    pieces = np.repeat(means, counts, axis=0) + noise * random.standard_normal((600, 20)).astype(np.float32)
    student = np.eye(8, dtype=np.float32)[[5, 6, 7]]
    found = speaker_teacher.lessons(voices, pieces, counts, student)
    between = found.classes @ found.classes.T
    assert between[0, 1] < -0.2
    assert (np.diag(between) > 0.999).all()
    assert (found.classes @ student.T).argmax(1).tolist() == [0, 1, 2]
    of = np.repeat(np.arange(3), counts)
    assert ((found.pieces @ found.classes.T).argmax(1) == of).mean() > 0.98
    here, beyond = found.of(np.array([1, 1]), np.array([4 * RATE, 4 * RATE * 300]))
    torch.testing.assert_close(torch.tensor(beyond), torch.tensor(found.classes[1]))
    middle = found.pieces[200 + 1] + found.classes[1]
    np.testing.assert_allclose(here, middle / np.linalg.norm(middle), rtol=1e-5)


def test_corpora(tmp_path):
    """A corpus that has most of the speakers of an earlier one is the same; one number is two people elsewhere."""
    for name, speakers in (("a", ("1", "2", "3")), ("b", ("4", "3", "5")), ("c", ("2", "1"))):
        rows = [f"{name}{one}.wav\t{one}" for one in speakers]
        (tmp_path / f"{name}.tsv").write_text("\n".join(["path\tspeaker", *rows]))
    (tmp_path / "d.tsv").write_text("path\tlabel\nd.wav\train")
    rows = {Path(row.path).stem: row for row in in_corpora([str(tmp_path / f"{name}.tsv") for name in "abcd"])}
    assert "".join(Path(corpus(row)).stem for row in rows.values()) == "aaabbbaad"
    assert person(rows["a1"]) == person(rows["c1"])
    assert person(rows["a3"]) != person(rows["b3"])


def test_a_calibration_over_corpora(call, tmp_path):
    """Trials are of one corpus each, and all of them count."""
    people(tmp_path / "x", 24, 3)
    people(tmp_path / "y", 24, 3)
    held = ",".join(f"{name}{n}" for name in "xy" for n in range(4))
    code, _, err = call(
        "train", "speaker-encoder", "--data", "x/clips.tsv", "--data", "y/clips.tsv", "-o", "m", "--valid", f"speaker={held}",
        "--epochs", "1", "--set", "steps=1", *TINY,
    )  # fmt: skip
    assert (code, err) == (0, "")
    fitted = json.loads((tmp_path / "m" / "config.json").read_text())["calibration"]
    assert fitted["trials"] > 400


def sound(seed, seconds=2.0):
    """Clangs of a pitch of their own, at times of their own: nothing of it is speech."""
    random, n = np.random.default_rng(seed), int(seconds * RATE)
    time, out = np.arange(n) / RATE, 0.01 * random.standard_normal(n)
    pitches = random.uniform(200, 3_000, 3)
    for start in random.uniform(0, seconds - 0.2, 5):
        since = np.maximum(time - start, 0)
        decay = np.where(time >= start, np.exp(-random.uniform(3, 20) * since), 0)
        out += 0.1 * decay * np.sin(2 * np.pi * pitches[:, None] * since).sum(0)
    return out.astype(np.float32)


def test_sounds(call, tmp_path):
    (tmp_path / "sounds").mkdir()
    for seed in range(24):
        soundfile.write(tmp_path / "sounds" / f"{seed:02}.wav", sound(seed), RATE)
    code, _, err = call(
        "train", "sound-encoder", "--data", "sounds", "-o", "m", "--valid", "0.25", "--epochs", "2", "--set", "steps=30",
        "--set", "mean=0.9", "--rate", "0.005", *TINY,
    )  # fmt: skip
    assert (code, err) == (0, "")
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    assert config["classes"] == 18
    assert config["scores"]["found whole"] >= 100 * 3 / 6  # by chance it is one in six
    assert -1 <= config["threshold"] < 1

    random = np.random.default_rng(99)
    near = 0.2 * (sound(3) + 0.005 * random.standard_normal(2 * RATE))
    soundfile.write(tmp_path / "near.wav", near.astype(np.float32), RATE)
    soundfile.write(tmp_path / "silence.wav", np.zeros(2 * RATE), RATE)
    code, out, err = call(
        "verify", "-r", "near.wav", "sounds", "silence.wav", "-m", "m", "-f", "jsonl", "--threshold", "0"
    )
    *known, silent = lines(out)
    assert code == 0
    assert {one["status"] for one in known} == {"ok"}
    assert max(known, key=lambda one: one["score"])["path"].endswith("03.wav")
    assert silent["same"] is None
    code, out, err = call("verify", "near.wav", "sounds/03.wav", "-m", "m", "-f", "jsonl")
    assert lines(out)[0]["threshold"] == config["threshold"]
    assert f"a bare threshold of {config['threshold']:g}" in err


def test_one_sound_is_too_few(call, tmp_path):
    soundfile.write(tmp_path / "a.wav", sound(0), RATE)
    code, _, err = call("train", "sound-encoder", "--data", ".", "-o", "m")
    assert code == 2
    assert "many" in err

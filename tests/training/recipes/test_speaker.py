"""`audiocli train speaker-encoder` and `sound-encoder` as commands: from recordings to a folder that `verify` takes."""

import json

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

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

"""`audiocli train classifier` as a command: from a folder to a model that `classify` takes; kills, and mistakes of tired people."""

import csv
import json
import signal
import time

import numpy as np
import pytest
import soundfile
from safetensors.numpy import load_file

RATE = 8_000
SMALL = (
    "--set", "sample_rate=8000", "--set", "n_fft=256", "--set", "hop_length=128", "--set", "n_mels=24", "--set", "widths=8,16",
    "--set", "window=0.5", "--set", "shortest=0.3", "--set", "mean=0.9", "--batch-size", "8", "--rate", "0.01",
)  # fmt: skip


def tone(hertz, seed, seconds=0.5):
    random = np.random.default_rng(seed)
    times = np.arange(int(seconds * RATE)) / RATE
    return 0.3 * np.sin(
        2 * np.pi * hertz * (1 + 0.02 * random.standard_normal()) * times
    ) + 0.003 * random.standard_normal(len(times))


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Low tones, high tones and noise, twelve files each."""
    folder = tmp_path_factory.mktemp("sounds")
    for name in ("low", "high", "noise"):
        (folder / name).mkdir()
        for n in range(12):
            samples = 0.2 * np.random.default_rng(n).standard_normal(RATE // 2)
            if name != "noise":
                samples = tone(200 if name == "low" else 2_000, n)
            soundfile.write(folder / name / f"{n}.wav", samples, RATE)
    return folder


@pytest.fixture(scope="module")
def model(sounds, tmp_path_factory):
    """A classifier that was trained by the command, and its messages."""
    from typer.testing import CliRunner

    from audiocli.cli import app

    folder = tmp_path_factory.mktemp("models") / "tones"
    (sounds / "low" / "broken.wav").write_bytes(b"junk")
    done = CliRunner().invoke(
        app,
        ["train", "classifier", "--data", str(sounds), "-o", str(folder), *SMALL, "--epochs", "30", "--valid", "0.25",
         "--set", "silence=true", "--licence", "CC0, made by the test"],
    )  # fmt: skip
    (sounds / "low" / "broken.wav").unlink()
    assert done.exit_code == 0, done.output
    return folder, done.stderr


def test_resuming_what_is_finished(model, sounds, call):
    """The same run is done; one with other options is another run, and the message says how to get it."""
    folder, _ = model
    same = (
        "train",
        "classifier",
        "--data",
        f"{sounds}/",
        "-o",
        folder,
        *SMALL,
        "--valid",
        "0.25",
        "--set",
        "silence=true",
    )
    code, _, err = call(*same, "--epochs", "30", "--resume")
    assert (code, "is finished already" in err) == (0, True)
    code, _, err = call(*same, "--epochs", "40", "--resume")
    assert code == 2
    assert f"--from {folder} -o FOLDER trains on from its weights" in err


def test_what_a_training_leaves(model):
    folder, said = model
    assert "broken.wav: " in said
    assert "1 of 37 files cannot be used" in said
    names = {path.name for path in folder.iterdir()}
    assert names == {"model.safetensors", "config.json", "README.md", "log.csv", "curves.png"}
    config = json.loads((folder / "config.json").read_text())
    assert config["labels"] == ["high", "low", "noise", "silence"]
    assert config["scores"]["accuracy"] >= 8 / 9
    with (folder / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 30
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    card = (folder / "README.md").read_text()
    for part in (
        "CC0, made by the test",
        "27 to train on, 9 to choose by",
        "audiocli classify --model tones",
        "accuracy",
    ):
        assert part in card
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert {array.dtype for array in load_file(folder / "model.safetensors").values()} <= {
        np.dtype("f2"),
        np.dtype("i8"),
    }


def test_classify_takes_it(model, sounds, call, tmp_path):
    for seed, hertz in ((50, 200), (51, 2_000)):
        soundfile.write(tmp_path / f"{hertz}.wav", tone(hertz, seed), RATE)
    soundfile.write(tmp_path / "nothing.wav", np.zeros(RATE), RATE)
    code, out, err = call("classify", "--model", model[0], "200.wav", "2000.wav", "nothing.wav", "-f", "jsonl")
    assert (code, err) == (0, "")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["labels"][0]["label"] for record in records] == ["low", "high", "silence"]
    assert [record["status"] for record in records] == ["ok", "ok", "silent"]


def test_another_verb_says_which_one_takes_it(model, call):
    code, out, err = call("transcribe", "--model", model[0], "x.wav")
    assert (code, out) == (2, b"")
    assert "'audiocli classify' takes it" in err


def test_a_killed_training_goes_on(sounds, start, run, tmp_path):
    """Kill -9 in the middle, --resume: the same curve as without."""
    args = (
        "train",
        "classifier",
        "--data",
        str(sounds),
        "--valid",
        "none",
        "--test",
        "0.25",
        *SMALL,
        "--epochs",
        "6",
        "--jobs",
        "1",
    )
    process = start(*args, "-o", "killed")
    end = time.monotonic() + 60
    while not (tmp_path / "killed" / "checkpoint.pt").exists():
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    assert run(*args, "-o", "killed").returncode == 1  # not empty
    done = run(*args, "-o", "killed", "--resume")
    assert done.returncode == 0, done.stderr
    assert b"epoch 1 of 6" not in done.stderr
    assert run(*args, "-o", "whole").returncode == 0
    curves = []
    for name in ("killed", "whole"):
        with (tmp_path / name / "log.csv").open() as file:
            curves.append([row["loss"] for row in csv.DictReader(file)])
    np.testing.assert_allclose(np.array(curves[0], float), np.array(curves[1], float), rtol=1e-3)
    again = run(*args, "-o", "killed", "--resume")
    assert (again.returncode, again.stderr) == (0, b"audiocli: killed is finished already\n")


def test_ctrl_c_ends_after_the_step_and_resume_goes_on(sounds, start, run, line_of, tmp_path):
    args = ("train", "classifier", "--data", str(sounds), "-o", "m", *SMALL, "--epochs", "500", "--jobs", "1")
    process = start(*args)
    while "epoch 1 of" not in line_of(process.stderr):
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"--resume goes on from there" in err
    assert {path.name for path in (tmp_path / "m").iterdir()} == {"checkpoint.pt"}


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("clasifier", "--data", "x", "-o", "m"), 2, "did you mean classifier?"),
        (("classifier", "--data", "nowhere", "-o", "m"), 2, "not a folder, and not a manifest"),
        (("classifier", "--data", "one", "-o", "m"), 2, "one label only"),
        (("classifier", "-o", "m"), 2, "no data"),
        (("classifier", "--data", "one"), 2, "give -o FOLDER"),
        (("classifier", "--data", "two", "-o", "m", "--set", "width=3"), 2, "give NAME=VALUE; did you mean widths?"),
        (("classifier", "--data", "two", "-o", "m", "--set", "n_mels=many"), 2, "n_mels is like 64"),
        (("classifier", "--data", "two", "-o", "m", "--epochs", "0"), 2, "--epochs must be 1 or more"),
        (("classifier", "--data", "two", "-o", "m", "--minutes", "-1"), 2, "--minutes must be above 0"),
        (("classifier", "--data", "two", "-o", "m", "--valid", "fold=9"), 2, "no example matches"),
        (("classifier", "--data", "two", "-o", "m", "--device", "cuda:9"), 2, "CUDA devices"),
        (("classifier", "--data", "two", "-o", "m", "--precision", "float16"), 2, "overflows"),
        (("classifier", "--data", "broken", "-o", "m"), 1, "no file of the data can be read"),
        (("classifier", "--data", "two", "-o", "two"), 1, "is not empty"),
        (("classifier", "--data", "two", "-o", "two/a/0.wav"), 1, "is not a folder"),
        (("classifier", "--data", "two", "-o", "m", "--resume"), 2, "there is no"),
    ],
)  # fmt: skip
def test_mistakes(call, tmp_path, args, code, message):
    for name in ("one/a/0.wav", "two/a/0.wav", "two/a/1.wav", "two/b/0.wav", "two/b/1.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / name, tone(300, 0), RATE)
    for name in ("broken/a/0.wav", "broken/b/0.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"junk")
    found = call("train", *args)
    assert found[0] == code
    assert message in found[2]
    assert found[2].count("\n") == (4 if args[2:3] == ("broken",) else 1)
    assert not (tmp_path / "m" / "model.safetensors").exists()


def test_a_class_with_one_file_is_said(call, tmp_path):
    for name in ("two/a/0.wav", "two/a/1.wav", "two/b/0.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / name, tone(300, 0), RATE)
    code, _, err = call("train", "classifier", "--data", "two", "-o", "m", *SMALL, "--epochs", "1", "--valid", "none")
    assert code == 0
    assert "b: 1 example to train on" in err


def test_diverged(call, sounds):
    code, _, err = call("train", "classifier", "--data", sounds, "-o", "m", *SMALL[:-1], "1e30", "--epochs", "3")
    assert code == 1
    assert "not a number" in err

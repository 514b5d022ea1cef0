"""`audiocli verify --calibrate` and `--calibration`: from labelled pairs to decisions by them, and files that are none of it."""

import json
import os
from itertools import combinations

import numpy as np
import pytest
import soundfile

from audiocli.voices import voice
from audiocli.voices.voice import Voice

RATE = 16_000
PEOPLE, EACH = 6, 4


@pytest.fixture
def pairs(tmp_path, monkeypatch):
    """A list of pairs of 24 recordings of six people, whose voices are made up: `hear` is the only part that is not real.

    Recordings are as good as those of no corpus: strangers are all alike, so that the built-in calibration lets them pass.
    """
    random = np.random.default_rng(0)
    centre = random.standard_normal(192)
    people = centre + 0.5 * random.standard_normal((PEOPLE, 192))
    names = [f"{person}-{n}.wav" for person in range(PEOPLE) for n in range(EACH)]
    for number, name in enumerate(names):
        soundfile.write(tmp_path / name, np.full(RATE, number / 100), RATE)

    def hear(encoder, samples):
        number = round(float(samples[0]) * 100)
        embedding = people[number // EACH] + 0.2 * np.random.default_rng(number).standard_normal(192)
        return Voice((embedding / np.linalg.norm(embedding)).astype(np.float32), 5.0 + number % 7, 20.0 + number % 5)

    monkeypatch.setattr("audiocli.verbs.verify.hearing.hear", hear)
    rows = [f"{a} {b} {int(a[0] == b[0])}" for a, b in combinations(names, 2)]
    (tmp_path / "pairs.txt").write_text("\n".join(rows))
    return tmp_path


def lines(out):
    return [json.loads(line) for line in out.splitlines()]


def passed(found):
    """The shares of pairs of two people and of one that are taken for one."""
    return [np.mean([one["same"] for one in found if one["label"] is label]) for label in (False, True)]


def test_a_list_makes_a_calibration_that_holds(call, pairs):
    code, out, _ = call("verify", "--trials", "pairs.txt", "-f", "jsonl")
    before = passed(lines(out))
    assert before[0] > 0.3
    code, out, err = call("verify", "--calibrate", "pairs.txt", "-o", "cal.json")
    assert (code, out) == (0, b"")
    assert "276 pairs, 240 of them of two people" in err
    assert f"{before[0]:.2%} did before" in err
    code, out, _ = call("verify", "--trials", "pairs.txt", "-f", "jsonl", "--calibration", "cal.json", "--far", "0.05")
    after = passed(lines(out))
    assert after[0] == pytest.approx(0.05, abs=0.01)
    assert after[1] > 0.9
    assert {one["options"]["calibration"] for one in lines(out)} == {"cal.json"}
    for args in (("-r", "0-0.wav", "1-0.wav"), ("0-0.wav", "1-0.wav")):
        code, out, _ = call("verify", *args, "-f", "jsonl", "--calibration", "cal.json")
        assert (code, lines(out)[0]["same"]) == (0, False)
    assert call("verify", "--enroll", "a", "0-0.wav", "--db", "v.db", "--calibration", "cal.json")[0] == 0
    code, out, _ = call(
        "verify", "--identify", "0-1.wav", "1-0.wav", "--db", "v.db", "-f", "jsonl", "--calibration", "cal.json"
    )
    assert [one["name"] for one in lines(out)] == ["a", None]


def test_a_calibration_on_standard_output(call, pairs):
    code, out, _ = call("verify", "--calibrate", "pairs.txt", "-q")
    assert code == 0
    assert json.loads(out)["model"].startswith("siamese-speakers@")


def test_a_calibration_goes_where_it_is_sent(call, pairs):
    code, _, err = call("verify", "--calibrate", "pairs.txt", "-o", "/dev/null", "-q")
    assert (code, err) == (0, "")
    assert not os.path.isfile("/dev/null")
    code, _, err = call("verify", "--calibrate", "pairs.txt", "-o", "pairs.txt/cal.json")
    assert (code, err.count("\n")) == (1, 1)
    assert "pairs.txt/cal.json" in err


def test_a_model_without_a_calibration_gets_one(call, pairs, monkeypatch):
    from audiocli.voices import siamese

    made = siamese.of
    monkeypatch.setattr(siamese, "of", lambda *args, **more: made(*args, **{**more, "calibration": {}}))
    code, _, err = call("verify", "--calibrate", "pairs.txt", "-o", "cal.json")
    assert code == 0
    assert "before" not in err
    code, out, err = call(
        "verify", "--trials", "pairs.txt", "-f", "jsonl", "--calibration", "cal.json", "--far", "0.05"
    )
    assert "no calibration" not in err
    assert passed(lines(out))[0] == pytest.approx(0.05, abs=0.01)
    assert 0.0 < lines(out)[0]["probability"] < 1.0


def test_what_cannot_be_heard_is_left_out(call, pairs):
    with (pairs / "pairs.txt").open("a") as file:
        file.write("\nnone.wav 0-0.wav 0\n0-0.wav 0-0.wav 1\n")
    code, _, err = call("verify", "--calibrate", "pairs.txt", "-o", "cal.json")
    assert code == 1
    assert "no such file" in err
    assert "277 pairs" in err  # the file with itself is one of them
    assert (pairs / "cal.json").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0-0.wav 0-1.wav\n0-0.wav 1-1.wav", "needs a label in each line"),
        ("0-0.wav 0-1.wav 1\n0-0.wav 1-1.wav 0", "has 1 pairs of one person with enough speech; 20 are the least"),
        ("\n".join(["0-0.wav 0-1.wav 1", "0-1.wav 0-0.wav 1"] * 99), "has 1 pairs of one person"),
        ("", "has no trials"),
    ],
)
def test_lists_that_say_too_little(call, pairs, text, message):
    (pairs / "few.txt").write_text(text)
    code, out, err = call("verify", "--calibrate", "few.txt", "-o", "cal.json")
    assert (code, out) == (2 if text else 1, b"")
    assert message in err
    assert not (pairs / "cal.json").exists()


def test_files_that_are_no_calibration(call, pairs):
    call("verify", "--calibrate", "pairs.txt", "-o", "cal.json")
    held = json.loads((pairs / "cal.json").read_text())
    wrong = {
        "text.json": "no JSON", "list.json": "[1]", "number.json": "7", "empty.json": "", "none.json": json.dumps({"model": "x"}),
        "deep.json": "[" * 100_000,
        "short.json": json.dumps({**held, "calibration": {**held["calibration"], "quantiles": [1.0]}}),
        "words.json": json.dumps({**held, "calibration": {**held["calibration"], "logistic": ["a", "b", "c"]}}),
        "nan.json": json.dumps({**held, "calibration": {**held["calibration"], "logistic": [float("nan")] * 3}}),
        "more.json": json.dumps({**held, "calibration": {**held["calibration"], "x": 1}}),
    }  # fmt: skip
    for name, text in wrong.items():
        (pairs / name).write_text(text)
        code, out, err = call("verify", "0-0.wav", "0-1.wav", "--calibration", name)
        assert (code, out) == (1, b"")
        assert f"{name}: is not a calibration that 'audiocli verify --calibrate' wrote" in err
        assert err.count("\n") == 1
    code, _, err = call("verify", "0-0.wav", "0-1.wav", "--calibration", "gone.json")
    assert (code, err.count("\n")) == (1, 1)
    assert "gone.json: no such file" in err
    (pairs / "other.json").write_text(json.dumps({**held, "model": "ge2e@1"}))
    code, _, err = call("verify", "0-0.wav", "0-1.wav", "--calibration", "other.json")
    assert code == 2
    assert "is for ge2e@1, not for siamese-speakers@" in err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--calibrate", "l.txt", "--trials", "l.txt"), "do different things"),
        (("--calibrate", "l.txt", "a.wav"), "--calibrate names all recordings"),
        (("--calibrate", "l.txt", "--threshold", "0.5"), "--calibrate decides nothing"),
        (("--calibrate", "l.txt", "--calibration", "c.json"), "leave it out with --calibrate"),
        (("--calibrate", "l.txt", "-o", "folder/"), "one JSON file"),
        (("--calibrate", "l.txt", "-o", "c.json", "-f", "csv"), "one JSON file"),
        (("--calibrate", "l.txt", "--db", "v.db"), "--db goes with"),
        (("a.wav", "b.wav", "--calibration", "c.json", "--threshold", "0.5"), "both decide"),
        (("--recording", "a.wav", "--db", "t.db", "--calibration", "c.json"), "leave it out with --recording"),
        (("--list", "--db", "v.db", "--calibration", "c.json"), "leave it out with --list"),
    ],
)
def test_mistakes(call, tmp_path, args, message):
    code, out, err = call("verify", *args)
    assert (code, out) == (2, b"")
    assert message in err
    assert err.count("\n") == 1


def test_a_voice_without_speech_counts_for_nothing(call, pairs, monkeypatch):
    monkeypatch.setattr("audiocli.verbs.verify.hearing.hear", lambda encoder, samples: Voice(None, 0.2, 20.0))
    code, _, err = call("verify", "--calibrate", "pairs.txt", "-o", "cal.json")
    assert code == 2
    assert "has 0 pairs of one person with enough speech" in err
    assert voice.SHORTEST > 0.2

"""`audiocli clone`: recordings and texts in another voice, their measurements, saved voices, unsuitable references."""

import csv
import json
import os
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from tests.models import tiny_tts

RATE = 16_000


@pytest.fixture(autouse=True)
def no_choice(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("CLONE", "SPEAK", "VERIFY"):
        monkeypatch.delenv(f"AUDIOCLI_{name}_MODEL", raising=False)


@pytest.fixture(scope="session")
def people(shared, tmp_path_factory):
    """A man and a woman, 15 s or more each, and a sentence of the man."""
    folder, made = shared / "data" / "cmu-arctic", tmp_path_factory.mktemp("people")
    rows = list(csv.DictReader((folder / "transcripts.tsv").open(), delimiter="\t"))
    for name in ("bdl", "slt"):
        own = [folder / row["path"] for row in rows if row["speaker"] == name][10:16]
        samples = [soundfile.read(path, dtype="float32") for path in own]
        assert {rate for _, rate in samples} == {RATE}
        soundfile.write(made / f"{name}.wav", np.concatenate([one for one, _ in samples]), RATE)
        soundfile.write(made / f"{name}-sentence.wav", samples[0][0], RATE)
    return made


def record(call, *args):
    code, _, err = call("clone", *args, "-o", "x.json", "--force", "-q")
    assert code == 0, err
    return json.loads((call.folder / "x.json").read_text())


@pytest.fixture(autouse=True)
def where(call, tmp_path):
    call.folder = tmp_path


def test_a_recording_in_another_voice(call, people, tmp_path):
    args = ("-s", people / "bdl-sentence.wav", "-r", people / "slt.wav")
    cloned = record(call, *args)
    assert (cloned["task"], cloned["model"], cloned["status"]) == ("clone", "cepstral-envelope", "ok")
    assert cloned["similarity"]["after"] > cloned["similarity"]["before"] + 0.1
    assert call("clone", *args, "-o", "x.wav") == (0, b"", "")
    source, made = (soundfile.SoundFile(path) for path in (people / "bdl-sentence.wav", tmp_path / "x.wav"))
    assert made.frames == source.frames
    assert "AI-generated" in made.copy_metadata()["comment"]
    assert "slt.wav" in made.copy_metadata()["comment"]


def test_a_text_in_that_voice(real, call, people):
    cloned = record(call, "Hello there, my good friend. How are you?", "-r", people / "slt.wav")
    assert cloned["sound"]["duration"] > 1.5
    assert cloned["similarity"]["after"] > cloned["similarity"]["before"]


def test_a_saved_voice_is_that_voice(call, people, tmp_path):
    assert call("clone", "-r", people / "slt.wav", "--save-voice", "her.voice")[0] == 0
    args = ("-s", people / "bdl-sentence.wav")
    assert (
        record(call, *args, "--voice", "her.voice")["similarity"]
        == record(call, *args, "-r", people / "slt.wav")["similarity"]
    )
    (tmp_path / "broken.voice").write_bytes(b"\x80\x04 no tensors")
    code, _, err = call("clone", "hi", "--voice", "broken.voice")
    assert (code, "is not a voice" in err) == (2, True)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """SpeechT5 for texts and for speech, an encoder with its vectors, a synthesiser that imitates nobody."""
    folder = tmp_path_factory.mktemp("models")
    return {make.__name__: make(folder / make.__name__) for make in TINY}


TINY = (tiny_tts.speecht5, tiny_tts.speecht5_vc, tiny_tts.knn, tiny_tts.xvector, tiny_tts.vits, tiny_tts.bark)


@pytest.mark.parametrize("family", ["speecht5", "speecht5_vc"])
def test_speecht5_by_a_speaker_vector(call, people, models, tmp_path, family):
    what = ("-s", people / "bdl-sentence.wav") if family == "speecht5_vc" else ("Hello there.",)
    args = (*what, "--model", models[family], "--seed", "5")
    code, _, err = call("clone", *args, "-r", people / "slt.wav")
    assert (code, "give audiocli clone --speaker-model, an encoder with 512 values" in err) == (2, True)
    vector = ("--speaker-model", models["xvector"])
    assert call("clone", *args, "-r", people / "slt.wav", *vector, "-o", "x.wav")[0] == 0
    assert call("clone", *args, "-r", people / "bdl.wav", *vector, "-o", "other.wav")[0] == 0
    her, him = ((tmp_path / name).read_bytes() for name in ("x.wav", "other.wav"))
    made, rate = soundfile.read(tmp_path / "x.wav")
    assert rate == RATE
    assert np.abs(made).max() > 0.001
    if family == "speecht5_vc":
        assert len(made) == soundfile.info(people / "bdl-sentence.wav").frames
    assert her != him
    # The same from a file that keeps the vector.
    assert call("clone", "-r", people / "slt.wav", *vector, "--save-voice", "her.voice")[0] == 0
    assert call("clone", *args, "--voice", "her.voice", "-o", "kept.wav")[0] == 0
    np.testing.assert_array_equal(soundfile.read(tmp_path / "kept.wav")[0], made)


def test_nearest_neighbours_of_the_reference(call, people, models, tmp_path):
    args = ("-s", people / "bdl-sentence.wav", "--model", models["knn"])
    assert call("clone", *args, "-r", people / "slt.wav", "-o", "x.wav") == (0, b"", "")
    made, _ = soundfile.read(tmp_path / "x.wav")
    assert len(made) == soundfile.info(people / "bdl-sentence.wav").frames
    assert call("clone", "-r", people / "slt.wav", "--save-voice", "her.voice")[0] == 0
    assert call("clone", *args, "--voice", "her.voice", "-o", "kept.wav")[0] == 0
    np.testing.assert_array_equal(soundfile.read(tmp_path / "kept.wav")[0], made)


def test_bark_goes_on_from_the_reference(call, people, models, tmp_path):
    assert call("clone", "Yes.", "-r", people / "slt.wav", "--model", models["bark"], "-o", "x.wav")[0] == 0
    assert soundfile.info(tmp_path / "x.wav").frames > 1_000


def test_a_synthesiser_that_imitates_nobody(call, people, models):
    code, _, err = call("clone", "Hello.", "-r", people / "slt.wav", "--model", models["vits"])
    assert (code, "speaks in voices of its own only" in err) == (2, True)
    code, _, err = call(
        "clone", "Hello.", "-r", people / "slt.wav", "--model", "mms-tts-eng"
    )  # and nothing is fetched for it
    assert (code, "speaks in voices of its own only" in err) == (2, True)


@contextmanager
def standard_input(path):
    """Standard input of this process from a file."""
    before, file = os.dup(0), os.open(path, os.O_RDONLY)
    os.dup2(file, 0)
    try:
        yield
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(file)


def test_folders_and_standard_input(call, people, tmp_path, monkeypatch):
    code, _, _ = call("clone", "-s", people, "-r", people / "slt.wav", "-o", "out/", "-q")
    assert code == 0
    assert len(list((tmp_path / "out").glob("*.wav"))) == 4
    again = call("clone", "-s", people, "-r", people / "slt.wav", "-o", "out/", "--resume")
    assert "4 were done before" in again[2]
    monkeypatch.setattr("sys.stdin", SimpleNamespace(closed=False))
    with standard_input(people / "bdl-sentence.wav"):
        assert call("clone", "-s", "-", "-r", people / "slt.wav", "-o", "y.flac")[0] == 0
    want, _ = soundfile.read(tmp_path / "out" / "bdl-sentence.wav")
    got, _ = soundfile.read(tmp_path / "y.flac")
    np.testing.assert_allclose(got, want, atol=2e-4)


def test_references_that_will_not_do(call, people, tmp_path):
    hers, _ = soundfile.read(people / "slt.wav", dtype="float32")
    his, _ = soundfile.read(people / "bdl.wav", dtype="float32")
    t = np.arange(8 * RATE) / RATE
    bad = {
        "silent": np.zeros(5 * RATE), "no speech": sum(0.1 * np.sin(2 * np.pi * f * t) for f in (220, 277, 330)),
        "too short": hers[: 2 * RATE], "more than one person": np.concatenate([hers[: 11 * RATE], his[: 11 * RATE]]),
        "than one person": np.concatenate([hers[: 12 * RATE], his[: 5 * RATE]]),
    }  # fmt: skip
    for words, samples in bad.items():
        soundfile.write(tmp_path / "r.wav", samples, RATE)
        code, out, err = call("clone", "Hello.", "-r", "r.wav", "-o", "x.wav")
        assert (code, out, len(err.splitlines())) == (1, b"", 1)
        assert words in err
    soundfile.write(tmp_path / "r.wav", np.clip(10 * hers, -1, 1), RATE)
    code, _, err = call("clone", "Hello.", "-r", "r.wav", "-o", "x.wav")
    assert (code, "clipped" in err) == (0, True)


def test_a_silent_source_stays_silent(call, people, tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(2 * RATE), RATE)
    cloned = record(call, "-s", "silence.wav", "-r", people / "slt.wav")
    assert (cloned["status"], cloned["similarity"]) == ("no_speech", {"before": None, "after": None})


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["hi"], "whose voice"), (["-r", "x.wav"], "nothing to say"), (["hi", "-s", "a.wav", "-r", "x.wav"], "not both"),
        (["hi", "-r", "x.wav", "--voice", "v"], "whose voice"), (["hi", "--voice", "v", "--save-voice", "w"], "kept already"),
        (["hi", "-r", "x.wav", "--model", "espeak"], "espeak-ng"), (["hi", "--voice", "nobody"], "no such file"),
        (["-s", "a.wav", "-r", "x.wav", "--model", "espeak-ng"], "not a model for clone"),
    ],
)  # fmt: skip
def test_mistakes_get_one_line(call, args, words):
    code, out, err = call("clone", *args)
    assert (code, out, len(err.strip().splitlines())) == (2, b"", 1)
    assert words in err

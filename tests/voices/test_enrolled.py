"""The database of people: enrolled again, listed, renamed, removed; and recordings of two people under one name."""

import json

import numpy as np
import pytest

from audiocli.errors import InputError
from audiocli.models.registry import ModelSpec
from audiocli.voices import alone, people
from audiocli.voices.embeddings import SpeakerEncoder
from audiocli.voices.people import Enrolled
from audiocli.voices.voice import Voice


def voice(*embedding, seconds=10.0):
    vector = np.array(embedding, np.float32)
    return Voice(vector / np.linalg.norm(vector), seconds, 20.0)


@pytest.fixture
def db(tmp_path):
    path = str(tmp_path / "v.db")
    people.add(path, "net@1", Enrolled("ada", 2, voice(1, 0)))
    people.add(path, "net@1", Enrolled('bob, "jr"', 1, voice(0, 1, seconds=4.0)))
    return path


def test_a_name_that_is_enrolled_again_has_both(db):
    total = people.add(db, "net@1", Enrolled("ada", 1, voice(0, 1, seconds=30.0)))
    assert (total.clips, total.voice.seconds) == (3, 40.0)
    np.testing.assert_allclose(total.voice.embedding, np.array([1, 3]) / np.sqrt(10), atol=1e-6)
    assert people.named(db, "net@1", "ada").clips == 3
    assert people.named(db, "net@2", "ada") is None


@pytest.mark.parametrize("form", ["txt", "csv", "tsv", "json", "jsonl"])
def test_who_is_enrolled(call, db, form):
    code, out, err = call("verify", "--list", "--db", "v.db", "-f", form)
    assert (code, err) == (0, "")
    text = out.decode()
    if form == "txt":
        assert text.splitlines()[0] == "ada: 10.0 s of speech in 2 recordings (net@1)"
    elif form == "csv":
        assert text.splitlines() == [
            "name,seconds,recordings,model",
            "ada,10.000,2,net@1",
            '"bob, ""jr""",4.000,1,net@1',
        ]
    elif form == "tsv":
        assert text.splitlines()[1] == "ada\t10.000\t2\tnet@1"
    else:
        rows = json.loads(text) if form == "json" else [json.loads(line) for line in text.splitlines()]
        assert [(row["name"], row["recordings"], row["duration"]) for row in rows] == [
            ("ada", 2, 10.0),
            ('bob, "jr"', 1, 4.0),
        ]


def test_names_are_changed_and_forgotten(call, db):
    assert call("verify", "--rename", "ada", "eve", "--db", "v.db")[2] == "audiocli: ada is now called eve in v.db\n"
    assert "has nobody named 'evf': did you mean 'eve'?" in call("verify", "--remove", "evf", "--db", "v.db")[2]
    assert call("verify", "--rename", "eve", 'bob, "jr"', "--db", "v.db")[0] == 1
    for name in ("eve", 'bob, "jr"'):
        assert call("verify", "--remove", name, "--db", "v.db")[0] == 0
    code, out, err = call("verify", "--list", "--db", "v.db")
    assert (code, out) == (0, b"")
    assert "nobody is enrolled in v.db" in err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--list",), "--list needs --db FILE"),
        (("--remove", "ada", "x.wav", "--db", "v.db"), "--remove is about --db alone"),
        (("--rename", "ada", "", "--db", "v.db"), "need a name"),
        (("--list", "--identify", "--db", "v.db"), "do different things"),
    ],
)
def test_mistakes(call, db, args, message):
    code, _, err = call("verify", *args)
    assert code == 2
    assert message in err


def test_no_database(call, tmp_path):
    code, _, err = call("verify", "--list", "--db", "none.db")
    assert code == 1
    assert "no such database of voices" in err
    with pytest.raises(InputError):
        people.remove(str(tmp_path / "none.db"), "ada")


def test_which_two_are_hardly_one_person():
    def decide(a, b):
        scores = [float(one.embedding @ other.embedding) for one, other in zip(a, b, strict=True)]
        return [{"score": score, "same": score > 0.5, "probability": max(score, 0.0)} for score in scores]

    short = Voice(None, 0.3, 0.0)
    assert alone.furthest([voice(1, 0), short, voice(1, 0.1)], decide) is None
    assert alone.furthest([voice(1, 0), short, voice(1, 0.1), voice(0, 1)], decide) == (0, 3)
    assert alone.furthest([voice(1, 0)], decide) is None
    bare = lambda a, b: [{key: one[key] for key in ("score", "same")} for one in decide(a, b)]  # noqa: E731
    assert alone.furthest([voice(1, 0), voice(0, 1)], bare) == (0, 1)


@pytest.mark.parametrize(("bound", "two"), [(None, False), (0.3, False), (0.51, True)])
def test_two_people_by_the_bound_of_the_encoder(monkeypatch, bound, two):
    """Two speakers are made of it at a cosine of 0.4: what that means, the encoder's calibration says, if it has a word on it."""
    speakers = np.array([[1.0, 0.0], [0.4, np.sqrt(1 - 0.4**2)]], np.float32)
    monkeypatch.setattr(alone.clusters, "speakers", lambda *_, **__: speakers)
    spec = ModelSpec("tiny", "verify", "", "here", "none", 16_000, 0.1)
    encoder = SpeakerEncoder(spec, 16_000, lambda clips: np.ones((len(clips), 2), np.float32), {"two_people": bound})
    assert alone.several(np.zeros(16_000 * 11, np.float32), encoder) == two
    assert not alone.several(np.zeros(16_000 * 9, np.float32), encoder)


def test_what_a_conversion_narrows_is_said():
    from audiocli.audio import Stream
    from audiocli.verbs.clone.work import _narrowed

    def stream(rate, channels, subtype):
        return Stream("x", 16_000, 1, rate, channels, None, [], iter(()), subtype)

    (note,) = _narrowed(stream(44_100, 2, "PCM_24"))
    assert note == "comes out as 16000 Hz, one channel, 16 bits, and not 44100 Hz, 2 channels, PCM_24"
    assert _narrowed(stream(16_000, 1, "PCM_16")) == []
    assert _narrowed(stream(8_000, 1, "ULAW")) == []


def test_recordings_of_two_people_under_one_name(call, shared, tmp_path):
    import soundfile

    folder = shared / "data" / "cmu-arctic"
    parts = {
        who: [soundfile.read(path)[0] for path in sorted((folder / who).glob("*.opus"))[:4]] for who in ("bdl", "slt")
    }
    for name, sounds in (("a", parts["bdl"]), ("b", parts["slt"]), ("both", parts["bdl"] + parts["slt"])):
        soundfile.write(tmp_path / f"{name}.wav", np.concatenate(sounds), 16_000)
    err = call("verify", "--enroll", "x", "a.wav", "b.wav", "--db", "x.db")[2]
    assert "a.wav and b.wav are hardly of one person" in err
    assert "hardly" in call("verify", "a.wav", "-r", "a.wav", "-r", "b.wav")[2]
    assert (
        "both.wav: more than one person speaks in it" in call("verify", "--enroll", "y", "both.wav", "--db", "x.db")[2]
    )
    assert "hardly" not in call("verify", "--enroll", "z", "a.wav", "--db", "x.db")[2]
    err = call("verify", "--enroll", "z", "b.wav", "--db", "x.db")[2]
    assert "z: the recordings and those that are enrolled already are hardly of one person" in err
    assert "; with those of before" in err

"""Names from a database, by an encoder that knows pitches only."""

from pathlib import PurePath

import numpy as np
import pytest
import soundfile

from audiocli.errors import InputError, UsageError
from audiocli.inputs.sources import Source, Streamed
from audiocli.models.locate import locate
from audiocli.options import InputOptions
from audiocli.records import Diarization, Turn
from audiocli.verbs.diarize.naming import ENCODER, ENOUGH, Enroller, Namer, alone, encoder_of, voices, wanted
from audiocli.verbs.verify.judge import Judge
from audiocli.verbs.verify.work import model_id
from audiocli.voices.people import Enrolled, add, everyone, read
from audiocli.voices.voice import Voice

RATE = 16_000


class Pitches:
    """A tone's frequency as a direction: 200 Hz and 400 Hz are right angles apart."""

    sample_rate = RATE

    def __init__(self):
        self.heard = []

    def embed(self, clips):
        self.heard += [len(clip) for clip in clips]
        hertz = [np.argmax(np.abs(np.fft.rfft(clip))) * RATE / len(clip) for clip in clips]
        angles = [h / 400 * np.pi for h in hertz]
        return np.array([[np.cos(a), np.sin(a)] for a in angles], np.float32)


def tone(hertz, seconds):
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE).astype(np.float32) / 2


@pytest.fixture
def item(tmp_path):
    """Anna (200 Hz) to 2 s, somebody (400 Hz) to 4 s, Anna again to 5 s, and 0.2 s of nobody."""
    parts = [tone(200, 2), tone(400, 2), tone(200, 1), tone(300, 0.2)]
    soundfile.write(tmp_path / "x.wav", np.concatenate(parts), RATE)
    return Streamed(Source(str(tmp_path / "x.wav"), PurePath("x.wav")), InputOptions())


def diarization(*turns):
    return Diarization(path="x.wav", duration=5.2, sample_rate=RATE, task="diarize", turns=turns)


FOUND = diarization(Turn(0.0, 2.0, "S0"), Turn(2.0, 4.0, "S1"), Turn(4.0, 5.0, "S2"), Turn(5.0, 5.2, "S3"))


def test_the_encoder_is_the_one_that_a_database_is_of(tmp_path, monkeypatch):
    """The one of verify where both are in it; what only a folder had cannot be found again by its name."""
    monkeypatch.delenv("AUDIOCLI_VERIFY_MODEL", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    db, one = str(tmp_path / "v.db"), Voice(np.array([1.0, 0.0], np.float32), 5.0, 20.0)
    add(db, "mine@12", Enrolled("ada", 1, one))
    assert encoder_of(db) == ENCODER
    add(db, "ge2e@34", Enrolled("ada", 1, one))
    assert encoder_of(db) == "ge2e"
    add(db, f"{ENCODER}@56", Enrolled("ada", 1, one))
    assert encoder_of(db) == ENCODER
    monkeypatch.setenv("AUDIOCLI_VERIFY_MODEL", "ge2e")
    assert encoder_of(db) == "ge2e"


def test_voices_are_those_of_the_turns(item):
    encoder = Pitches()
    found = voices(encoder, item, FOUND)
    assert list(found) == ["S0", "S1", "S2"]  # 0.2 s are too short
    assert encoder.heard == [2 * RATE, 2 * RATE, RATE]
    assert found["S0"].embedding == pytest.approx(found["S2"].embedding, abs=0.02)
    assert abs(found["S0"].embedding @ found["S1"].embedding) < 0.1


def test_no_more_is_heard_than_is_needed(tmp_path):
    soundfile.write(tmp_path / "long.wav", tone(200, 200), RATE)
    long = Streamed(Source(str(tmp_path / "long.wav"), PurePath("long.wav")), InputOptions())
    encoder = Pitches()
    voices(encoder, long, diarization(Turn(0.0, 200.0, "S0")))
    assert ENOUGH * RATE <= encoder.heard[0] < 100 * RATE


def test_who_is_known_gets_the_name_and_the_others_keep_their_numbers(item):
    encoder = Pitches()
    anna = Enrolled("Anna", 1, Voice(encoder.embed([tone(200, 3)])[0], 3.0, 30.0))
    other = Enrolled("Otto", 1, Voice(np.array([0.7, -0.7], np.float32), 3.0, 30.0))
    judge = Judge("pitches", None, {}, far=0.01, threshold=0.8, calibration=None)
    found = Namer(encoder, judge, [other, anna])(item, FOUND)
    assert [turn.speaker for turn in found.turns] == ["Anna", "S1", "Anna", "S3"]
    assert [(turn.start, turn.end) for turn in found.turns] == [(turn.start, turn.end) for turn in FOUND.turns]
    assert found.known == {}  # a bare threshold tells no probability


def test_a_database_of_another_model_is_an_error(call, item, tmp_path):
    add(str(tmp_path / "people.db"), "another", Enrolled("A", 1, Voice(np.ones(2, np.float32), 1.0, 9.0)))
    code, _, err = call("diarize", tmp_path / "x.wav", "--db", "people.db", "-q")
    assert code == 1
    assert "no voices of siamese-speakers" in err
    code, _, err = call("diarize", tmp_path / "x.wav", "--db", "nobody.db", "-q")
    assert code == 1
    assert "nobody.db" in err


def test_the_encoder_of_diarize_is_that_of_verify():
    """Else what verify enrolls could not be used."""
    spec, built_in = locate("siamese-speakers", "verify"), locate("siamese-clusters", "diarize")
    assert spec.path == built_in.path
    assert model_id(spec).startswith("siamese-speakers@")


# ---- names after the fact


def test_the_parts_of_turns_in_which_nobody_else_speaks():
    turns = [Turn(0.0, 4.0, "a"), Turn(3.0, 6.0, "b"), Turn(5.0, 5.5, "c"), Turn(8.0, 9.0, "a"), Turn(8.5, 10.0, "a")]
    found = [(turn.start, turn.end, turn.speaker) for turn in alone(turns)]
    assert found == [
        (0.0, 3.0, "a"), (4.0, 5.0, "b"), (5.5, 6.0, "b"), (8.0, 8.5, "a"), (8.5, 9.0, "a"), (9.0, 10.0, "a"),
    ]  # fmt: skip
    assert alone([]) == []
    assert alone([Turn(0.0, 1.0, "a"), Turn(0.0, 1.0, "b")]) == []


def test_a_voice_is_of_where_its_speaker_is_alone(item):
    encoder = Pitches()
    both = diarization(Turn(0.0, 3.0, "S0"), Turn(2.0, 4.0, "S1"), Turn(2.0, 2.5, "S2"))
    found = voices(encoder, item, both)
    assert encoder.heard == [2 * RATE, RATE]  # S2 is never alone, and says too little
    assert abs(found["S0"].embedding @ found["S1"].embedding) < 0.1


def enroller(tmp_path, names, said):
    encoder = Pitches()
    db = str(tmp_path / "people.db")
    judge = Judge("pitches", None, {}, far=0.01, threshold=0.8, calibration=None)
    return Enroller(encoder, "pitches", db, names, lambda: Namer(encoder, judge, read(db, "pitches")), said.append)


def test_a_speaker_gets_a_name_and_is_known_from_then_on(item, tmp_path):
    said = []
    found = enroller(tmp_path, {"S1": "Otto"}, said)(item, FOUND)
    assert [turn.speaker for turn in found.turns] == ["S0", "Otto", "S2", "S3"]
    assert said == [f"Otto: 2.0 s of S1, enrolled in {tmp_path / 'people.db'}"]
    assert [(row.name, row.clips, row.seconds) for row in everyone(str(tmp_path / "people.db"))] == [("Otto", 1, 2.0)]
    found = enroller(tmp_path, {"S0": "Anna"}, said)(item, FOUND)
    assert [turn.speaker for turn in found.turns] == ["Anna", "Otto", "Anna", "S3"]
    found = enroller(tmp_path, {"S2": "Anna"}, said)(item, FOUND)
    assert "3.0 s in 2 recordings" in said[-1]


def test_a_name_that_is_given_holds_against_a_voice_that_is_known(item, tmp_path):
    """Anna's voice has another name now, for this speaker alone; the input is heard once."""
    said = []
    enroller(tmp_path, {"S0": "Anna"}, said)(item, FOUND)
    again = enroller(tmp_path, {"S2": "Berta"}, said)
    found = again(item, FOUND)
    assert [turn.speaker for turn in found.turns] == ["Anna", "S1", "Berta", "S3"]
    assert len(again.encoder.heard) == 3


@pytest.mark.parametrize(("speaker", "reason"), [("S9", "only S0, S1, S2, S3"), ("S3", "says too little")])
def test_nobody_is_enrolled_when_one_of_them_cannot_be(item, tmp_path, speaker, reason):
    with pytest.raises(InputError, match=reason):
        enroller(tmp_path, {"S0": "Anna", speaker: "Otto"}, [])(item, FOUND)
    assert not (tmp_path / "people.db").exists()


@pytest.mark.parametrize("entry", ["Anna", "=S0", "Anna=", " =S0"])
def test_a_name_and_a_speaker_are_needed(entry):
    with pytest.raises(UsageError, match="NAME=SPEAKER"):
        wanted([entry])


def test_names_with_signs_in_them():
    assert wanted(["Anna = SPEAKER_00", "a=b=SPEAKER_01"]) == {"SPEAKER_00": "Anna", "SPEAKER_01": "a=b"}
    with pytest.raises(UsageError, match="two names"):
        wanted(["Anna=S0", "Otto=S0"])


def test_enrolling_by_the_command(call, speech, tmp_path):
    code, out, err = call(
        "diarize", speech, "-n", "1", "--enroll-as", "Ada=SPEAKER_00", "--db", "people.db", "-f", "rttm"
    )
    assert (code, b" Ada " in out) == (0, True)
    assert "enrolled in people.db" in err
    code, out, err = call("diarize", speech, "-n", "1", "--db", "people.db", "-f", "rttm", "-q")
    assert (code, err, b" Ada " in out) == (0, "", True)
    for wrong, reason in (
        ((speech, "--enroll-as", "Ada=SPEAKER_00"), "--db"),
        ((speech, speech, "--enroll-as", "Ada=SPEAKER_00", "--db", "people.db"), "one INPUT"),
        ((speech, "--enroll-as", "Ada", "--db", "people.db"), "NAME=SPEAKER"),
    ):
        code, _, err = call("diarize", *wrong, "-q")
        assert (code, reason in err) == (2, True)
    code, _, err = call("diarize", speech, "-n", "1", "--enroll-as", "Ada=SPEAKER_07", "--db", "new.db", "-q")
    assert (code, "there is no SPEAKER_07" in err) == (1, True)
    assert not (tmp_path / "new.db").exists()

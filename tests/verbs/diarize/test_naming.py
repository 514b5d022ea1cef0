"""Names from a database, by an encoder that knows pitches only."""

from pathlib import PurePath

import numpy as np
import pytest
import soundfile

from audiocli.inputs.sources import Source, Streamed
from audiocli.models.locate import locate
from audiocli.options import InputOptions
from audiocli.records import Diarization, Turn
from audiocli.verbs.diarize.naming import ENCODER, ENOUGH, Namer, encoder_of, voices
from audiocli.verbs.verify.judge import Judge
from audiocli.verbs.verify.work import model_id
from audiocli.voices.people import Enrolled, add
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
    spec, built_in = locate("siamese-speakers", "verify"), locate(None, "diarize")
    assert spec.path == built_in.path
    assert model_id(spec).startswith("siamese-speakers@")

"""From options to plans: keys, lengths, primers and melodies."""

import numpy as np
import pytest
import soundfile

from audiocli.errors import InputError, UsageError
from audiocli.music import midi
from audiocli.music.grid import REST, VOICES
from audiocli.music.piece import piece_of
from audiocli.options import MusicOptions
from audiocli.verbs.generate_music import melody, plan
from tests.music.test_midi import PIECE

TUNE = np.repeat(np.array([67, 69, 71, 72, 74, 72], np.int8), 4)


@pytest.mark.parametrize(
    ("text", "number"),
    [("C", 0), ("c major", 0), ("D minor", 14), ("dm", 14), ("Bb", 10), ("b", 11), ("B flat minor", 22), ("F# maj", 6),
     ("Gb major", 6), ("Cb", 11), ("e-flat major", 3), ("A min", 21)],
)  # fmt: skip
def test_keys(text, number):
    assert plan.key_number(text) == number


@pytest.mark.parametrize("text", ["", "H major", "D minorish", "7", "C##", "major", "D dorian"])
def test_no_keys(text):
    with pytest.raises(UsageError, match="give a tonic and major or minor"):
        plan.key_number(text)


def test_length_follows_seconds_and_tempo():
    found = plan.plan(MusicOptions(seconds=31.0, tempo=120.0, key="D minor"), plan.NOTHING, 5)
    assert (len(found.given), found.start.tempo.first, found.key, found.seed) == (240, 120.0, 14, 5)
    assert (found.seconds, found.held) == (31.0, 8)
    assert len(plan.plan(MusicOptions(seconds=0.01), plan.NOTHING, 5).given) == 1
    assert (found.given == plan.FREE).all()
    assert found.context[0].tolist() == [15, 0, 65]


def test_a_primer_is_the_beginning(tmp_path):
    path = tmp_path / "x.mid"
    path.write_bytes(midi.file(piece_of(PIECE, 60.0), 0))
    options = MusicOptions(primer=str(path), seconds=9.0)
    found = plan.plan(options, plan.given(options), 0)
    assert len(found.given) == 32
    assert (found.given[len(PIECE) :] == plan.FREE).all()
    assert (found.given[: len(PIECE)] >= 0).all()
    assert (found.start.tempo.first, found.key) == (60.0, 0)
    short = MusicOptions(primer=str(path), seconds=5.0)
    with pytest.raises(UsageError, match="nothing is left to compose"):
        plan.plan(short, plan.given(short), 0)


def test_a_melody_is_the_soprano_and_the_length(tmp_path):
    path = tmp_path / "x.mid"
    path.write_bytes(midi.file(piece_of(PIECE - 12, 72.0), 0, (), VOICES[:1]))
    options = MusicOptions(melody=str(path))
    fixed = plan.given(options)
    found = plan.plan(options, fixed, 0)
    assert len(found.given) == len(PIECE)
    assert (found.given[:, 1:] == plan.FREE).all()
    np.testing.assert_array_equal(found.given[:, 0] + 36, PIECE[:, 0])
    assert fixed.warnings == ("the melody was moved by +1 octaves into the range of a soprano",)


def test_no_octave_fits():
    with pytest.raises(InputError, match="in no octave does it fit the soprano"):
        melody.into_range(np.array([48, 80], np.int8))
    voice, octaves = melody.into_range(np.array([60, REST, 81], np.int8))
    assert (voice.tolist(), octaves) == ([60, REST, 81], 0)


def sung(voice, tempo, cents=0.0, rate=16_000):
    """A voice with six overtones [samples]."""
    step = 60 / tempo / 4
    pitches = np.repeat(voice.astype(float), round(step * rate))
    hertz = np.where(pitches < 0, 0.0, 440 * 2 ** ((pitches - 69 + cents / 100) / 12))
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    return sum(np.sin(k * phase) / k for k in range(1, 7)) * 0.2 * (hertz > 0)


@pytest.mark.parametrize("cents", [0.0, 35.0, -35.0])
def test_a_recording_becomes_its_notes(tmp_path, cents):
    voice = np.concatenate([[REST] * 5, TUNE, [REST] * 4, TUNE[:8]]).astype(np.int8)
    soundfile.write(tmp_path / "x.wav", sung(voice, 60.0, cents), 16_000)
    heard = melody.heard(str(tmp_path / "x.wav"), 60.0, 80.0)
    assert heard.tempo.seconds(heard.lead) == pytest.approx(5 / 4, abs=0.05)
    found, wanted = heard.grid[:, 0], voice[5:]
    assert abs(len(found) - len(wanted)) <= 1
    n = min(len(found), len(wanted))
    assert (found[:n] == wanted[:n]).mean() > 0.9


def test_a_recording_without_a_melody(tmp_path):
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    for name, samples in (("noise", noise), ("silence", np.zeros(8_000)), ("short", np.zeros(3))):
        path = str(tmp_path / f"{name}.wav")
        soundfile.write(path, samples, 16_000)
        with pytest.raises(InputError, match="no melody is heard"):
            plan.given(MusicOptions(melody=path))

"""A speaker per channel."""

import numpy as np
import pytest
import soundfile

from audiocli.vad.silero import FRAME
from audiocli.verbs.diarize.channels import own

RATE = 16_000


@pytest.fixture(scope="module")
def call_of_two(recording, tmp_path_factory):
    """A telephone call: the same speech left from 0 s and right from 10 s, each heard faintly in the other."""
    speech = soundfile.read(recording, dtype="float32")[0][int(6.7 * RATE) : int(14.7 * RATE)]
    sides = np.zeros((25 * RATE, 2), np.float32)
    sides[: len(speech), 0] += speech
    sides[10 * RATE : 10 * RATE + len(speech), 1] += speech
    sides = sides + 0.1 * sides[:, ::-1]
    path = tmp_path_factory.mktemp("call") / "call.wav"
    soundfile.write(path, sides, RATE)
    return path


def turns(out):
    fields = [line.split() for line in out.decode().splitlines()]
    return [(int(f[2]), float(f[3]), float(f[3]) + float(f[4]), f[7]) for f in fields]


def test_each_channel_is_a_speaker(call, call_of_two):
    code, out, _ = call("diarize", "--channels", call_of_two, "-q")
    assert code == 0
    found = turns(out)
    assert {(channel, speaker) for channel, _, _, speaker in found} == {(1, "SPEAKER_00"), (2, "SPEAKER_01")}
    left, right = ([(start, end) for c, start, end, _ in found if c == side] for side in (1, 2))
    assert left[0][0] < 1.0
    assert left[-1][1] == pytest.approx(8.0, abs=0.3)
    assert right[0][0] == pytest.approx(10.0, abs=0.5)
    assert right[-1][1] == pytest.approx(18.0, abs=0.3)


def test_crosstalk_is_silenced_and_the_rest_is_as_it_was():
    random = np.random.default_rng(0)
    loud, faint = random.standard_normal((2, 40 * FRAME)).astype(np.float32) * np.array([[0.1], [0.01]], np.float32)
    whole = np.stack([loud, faint])
    got = np.concatenate(list(own([whole[:, :1000], whole[:, 1000:]])), axis=1)
    assert np.array_equal(got[0], loud)
    assert not got[1].any()
    equal = np.stack([loud, 0.5 * loud])
    assert np.array_equal(np.concatenate(list(own([equal])), axis=1), equal)


def sides(tmp_path, recording, *gains):
    speech = soundfile.read(recording, dtype="float32")[0][int(6.7 * RATE) : int(9.7 * RATE)]
    soundfile.write(tmp_path / "sides.wav", np.stack([gain * speech for gain in gains], 1), RATE)
    return tmp_path / "sides.wav"


@pytest.mark.parametrize(
    ("gains", "note"),
    [
        ((1.0,), "there is one channel"),
        ((1.0, 1.0), "hold the same sound"),
        ((1.0, -1.0), "hold the same sound"),
        ((1.0, 0.1), ""),
    ],
)
def test_one_sound_is_no_two_speakers(call, tmp_path, recording, gains, note):
    code, out, err = call("diarize", "--channels", sides(tmp_path, recording, *gains))
    assert code == 0
    assert out
    assert note in err
    assert bool(err) == bool(note)

"""Made-up conversations: who speaks when is what is heard, shares are as asked for, the same seed gives the same."""

from dataclasses import replace

import numpy as np
import pytest

from audiocli.errors import InputError
from audiocli.training.examples import Example
from audiocli.training.mixtures import annotated
from audiocli.training.mixtures.conversations import FRAME, LEAD, People, Talk, Turn, loudest, plan, spoken, window
from audiocli.training.mixtures.speech import bridged, lasting
from tests.conftest import vowels

RATE = 16_000
PLAIN = Talk(rooms=0.0, noise=0.0, colour=0.0, band=0.0, level=(-26.0, -26.0), spread=0.0, nobody=0.0)


def everywhere(people):
    return lambda speaker, number: np.ones(len(people[speaker][number]) // FRAME, np.bool_)


@pytest.fixture(scope="module")
def people():
    """Five voices that never pause, each of its own pitch."""
    clips = tuple(((vowels(4.0, pitch=90 + 45 * n, seed=n)[:57_600] * 20_000).astype(np.int16),) for n in range(5))
    return People(tuple("abcde"), clips, (), everywhere(clips))


def loud(samples, frames):
    return np.sqrt(np.square(samples[: frames * FRAME].reshape(frames, FRAME)).mean(1)) > 1e-3


def test_frames_with_speech_are_those_that_are_heard(people):
    for seed in range(30):
        samples, speaking = window(people, PLAIN, 5.0, 3, np.random.default_rng(seed))
        assert (samples.shape, speaking.shape) == ((5 * RATE,), (250, 3))
        assert np.mean(loud(samples, 250) == speaking.any(1)) > 0.97


def test_the_same_seed_gives_the_same(people):
    one, other = (window(people, Talk(), 5.0, 3, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


def test_the_level(people):
    for level in (-50.0, -30.0):
        samples, _ = window(people, replace(Talk(), level=(level, level)), 5.0, 3, np.random.default_rng(3))
        assert 10 * np.log10(np.mean(np.square(samples))) == pytest.approx(level, abs=0.2)


def test_people_at_once():
    def share(talk):
        both = some = 0
        for seed in range(200):
            speaking = np.zeros((1000, 5))
            for turn in plan(talk, 10.0, np.random.default_rng(seed)):
                first, last = (max(round(time * 100), 0) for time in (turn.start, turn.start + turn.length))
                speaking[first:last, turn.who] = 1
            some, both = some + (speaking.sum(1) > 0).sum(), both + (speaking.sum(1) > 1).sum()
        return both / some

    assert share(replace(Talk(), early=(0.0, 0.0), nods=(0.0, 0.0))) == 0.0
    assert 0.05 < share(Talk()) < 0.3
    assert share(replace(Talk(), early=(1.0, 1.0))) > share(Talk())


def test_who_speaks_least_is_left_out():
    turns = [Turn(0, 0.0, 3.0), Turn(1, 3.0, 0.3), Turn(2, 3.5, 1.0), Turn(0, 9.0, 1.0), Turn(3, -3.0, 1.0)]
    assert loudest(turns, 5.0, 2) == [turns[0], turns[2]]


def test_a_faster_speaker_speaks_at_the_same_times(people):
    turns = [Turn(0, 1.0, 2.0)]
    for seed in range(5):
        track, active = spoken(people, 2, turns, 5.0 + LEAD, 0.1, np.random.default_rng(seed))
        factor = len(track) / ((5.0 + LEAD) * RATE)
        assert np.flatnonzero(active)[0] * FRAME / RATE / factor == pytest.approx(1.0 + LEAD, abs=0.03)
        assert active.sum() * FRAME / RATE / factor == pytest.approx(2.0, abs=0.05)


def test_pauses_between_speech_are_filled_when_short():
    frames = np.array([0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 0], np.bool_)
    np.testing.assert_array_equal(bridged(frames, 2), np.array([0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0], np.bool_))
    likely = np.array([0.1, 0.4, 0.9, 0.4, 0.1, 0.4, 0.1], np.float32)
    np.testing.assert_array_equal(lasting(likely), np.array([0, 1, 1, 1, 0, 0, 0], np.bool_))


def test_marks_of_a_recording(tmp_path):
    (tmp_path / "m.rttm").write_text(
        "SPEAKER m 1 0.0 1.0 <NA> <NA> a <NA> <NA>\nSPEAKER m 1 0.5 2.5 <NA> <NA> b <NA> <NA>\n"
        "SPEAKER other 1 0.0 9.0 <NA> <NA> c <NA> <NA>\n"
    )
    samples = np.concatenate([np.full(RATE, n / 10, np.float32) for n in range(4)])
    row = Example(str(tmp_path / "m.wav"), {"rttm": "m.rttm", "start": "0.5", "end": "3"})
    one = annotated.recording(row, samples)
    assert one.speaking.shape == (125, 2)
    assert one.speaking.sum(0).tolist() == [25, 125]
    assert len(one.samples) == 2.5 * RATE
    talk = replace(PLAIN, speed=0.0)
    for seconds in (1.0, 5.0):  # the second is longer than the recording: nobody speaks in the rest
        sound, speaking = annotated.window([one], talk, seconds, 3, np.random.default_rng(0))
        assert (sound.shape, speaking.shape) == ((seconds * RATE,), (round(50 * seconds), 3))
    assert speaking.sum() == 150
    assert not speaking[125:].any()


@pytest.mark.parametrize(
    ("start", "end", "what"), [("soon", "", "times in seconds"), ("inf", "", "times in seconds"), ("3", "2", "nothing"),
                               ("9", "", "nothing"), ("-1", "2", "nothing")],
)  # fmt: skip
def test_parts_of_a_recording_that_are_none(tmp_path, start, end, what):
    (tmp_path / "m.rttm").write_text("SPEAKER m 1 0.0 1.0 <NA> <NA> a <NA> <NA>\n")
    row = Example(str(tmp_path / "m.wav"), {"rttm": "m.rttm", "start": start, "end": end})
    with pytest.raises(InputError, match=what):
        annotated.recording(row, np.zeros(4 * RATE, np.float32))


def test_pauses_of_a_recording():
    speaking = np.zeros((500, 2), np.bool_)  # 10 s
    speaking[100:150, 0] = speaking[190:400, 1] = True  # pauses of 2, .8 and 2 s
    samples = np.arange(500 * FRAME).astype(np.int16)
    found = annotated.pauses(annotated.Recording(samples, speaking), shortest=1.0, edge=0.2)
    assert [len(one) / RATE for one in found] == [1.6, 1.6]
    np.testing.assert_array_equal(found[1], samples[400 * FRAME + 3_200 : -3_200])
    assert len(annotated.pauses(annotated.Recording(samples, speaking), shortest=0.4, edge=0.2)) == 3


@pytest.mark.parametrize("time", ["soon", "nan"])
def test_marks_that_are_not_rttm(tmp_path, time):
    (tmp_path / "m.rttm").write_text(f"SPEAKER m 1 {time} 1.0 <NA> <NA> a <NA> <NA>\n")
    with pytest.raises(InputError, match="is not an RTTM file"):
        annotated.marks(tmp_path / "m.rttm", "m", 100)

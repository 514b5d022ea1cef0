"""Notes from frames: what begins, what is struck again, what is left out, and blocks of any size."""

import numpy as np
import pytest
from audiocli.kernels.notes import BACK, Follower, Rules

RULES = Rules(onset=0.5, again=0.9, rest=0.2, sounding=0.3, gap=4, shortest=3, weakest=0.3, unstruck=20, sure=0.6)


def followed(sounding, onset, size=None, rules=RULES):
    """Rows (first, end, column, strength) of both [frames, columns]."""
    follower = Follower(sounding.shape[1], rules)
    size = size or len(sounding)
    parts = [follower.push(sounding[i : i + size], onset[i : i + size]) for i in range(0, len(sounding), size)]
    return sorted(np.concatenate([*parts, follower.finish()]).tolist())


def frames(*notes, length=100, columns=6):
    """Sounding and onset of (first, end, column, level, onset)."""
    sounding, onset = np.zeros((2, length, columns), np.float32)
    for first, end, column, level, struck in notes:
        sounding[first:end, column] = level
        onset[first, column] = struck
    return sounding, onset


def test_notes_begin_where_they_are_struck_and_end_where_they_fall_silent():
    found = followed(*frames((10, 30, 2, 0.8, 0.7), (12, 90, 4, 0.5, 0.6)))
    assert found == [[10, 30, 2, pytest.approx(0.8)], [12, 90, 4, pytest.approx(0.5)]]


def test_a_note_at_the_very_start_and_one_up_to_the_end():
    assert [note[:3] for note in followed(*frames((0, 10, 1, 0.8, 0.7), (90, 100, 3, 0.8, 0.7)))] == [
        [0, 10, 1],
        [90, 100, 3],
    ]


def test_short_gaps_are_bridged_and_long_ones_end_a_note():
    sounding, onset = frames((10, 60, 0, 0.8, 0.7), (10, 60, 3, 0.8, 0.7))
    sounding[20:23, 0] = sounding[20:30, 3] = 0.0
    onset[30, 3] = 0.7
    assert [note[:3] for note in followed(sounding, onset)] == [[10, 20, 3], [10, 60, 0], [30, 60, 3]]


@pytest.mark.parametrize(("struck", "dip", "count"), [(0.6, 0.8, 1), (0.95, 0.8, 2), (0.6, 0.1, 2), (0.6, 0.25, 1)])
def test_what_sounds_is_struck_again_when_it_was_let_go_or_surely(struck, dip, count):
    sounding, onset = frames((10, 60, 0, 0.8, 0.7))
    onset[40, 0], sounding[38, 0] = struck, dip
    assert len(followed(sounding, onset)) == count


def test_what_is_short_weak_or_was_never_struck_is_no_note():
    weak = (10, 60, 1, 0.2, 0.7)
    short, unsure, sure = (10, 12, 0, 0.8, 0.7), (10, 40, 3, 0.5, 0.0), (50, 80, 5, 0.8, 0.0)
    assert [note[:3] for note in followed(*frames(weak, short, unsure, sure))] == [[50, 80, 5]]


def test_the_likeliest_of_neighbours_sounds():
    found = followed(*frames((10, 60, 2, 0.7, 0.0), (10, 60, 3, 0.9, 0.0), (10, 60, 4, 0.7, 0.0)))
    assert [note[:3] for note in found] == [[10, 60, 3]]


def test_blocks_of_any_size_give_the_same():
    random = np.random.default_rng(0)
    sounding = np.clip(np.cumsum(random.normal(0, 0.15, (400, 20)), axis=0) % 1.0, 0, 1).astype(np.float32)
    onset = random.uniform(0, 1, (400, 20)).astype(np.float32) ** 3
    whole = followed(sounding, onset)
    assert len(whole) > 30
    for size in (1, 3, BACK, 64, 399):
        assert followed(sounding, onset, size) == whole


def test_no_frames_have_no_notes():
    assert followed(*np.zeros((2, 0, 88), np.float32), size=1) == []

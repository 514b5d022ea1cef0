"""The chorale grid: keys, transposition, tokens and the inputs of the nets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from audiocli.music import tokens
from audiocli.music.grid import RANGES, REST, grid, key_name, key_of, moved, shifts

CADENCE = [[72, 67, 64, 48], [72, 69, 65, 53], [71, 67, 62, 55], [72, 67, 64, 48]]  # I IV V I in C major


def pieces(least=1):
    """Grids with every voice in its range, or silent."""
    voices = [st.one_of(st.just(REST), st.integers(low, high)) for low, high in RANGES]
    return st.lists(st.tuples(*voices), min_size=least, max_size=20).map(lambda rows: np.array(rows, np.int8))


def test_a_step_with_few_notes_gives_each_to_the_voice_that_is_near():
    found = grid([*CADENCE, [72, 48], [], [64]])
    assert found[:4].tolist() == CADENCE
    assert found[4:].tolist() == [[72, REST, REST, 48], [REST] * 4, [REST, REST, 64, REST]]


def test_crossing_voices_stay_as_they_are_written():
    assert grid([[60, 64, 57, 48]]).tolist() == [[60, 64, 57, 48]]


def test_key_of_a_cadence_in_every_key():
    for semitones in range(-5, 6):
        piece = moved(grid(CADENCE * 3), semitones)
        assert key_of(piece) == semitones % 12
        minor = piece.copy()
        minor[(piece - semitones) % 12 == 4] -= 1  # the third of the tonic goes down
        minor[(piece - semitones) % 12 == 9] -= 1
        assert key_of(minor) == semitones % 12 + 12
    assert (key_name(2), key_name(14)) == ("D major", "D minor")


@given(pieces())
def test_every_shift_fits_the_voices_and_one_more_does_not(piece):
    found = shifts(piece)
    assert 0 in found
    sung = [(piece[:, n][piece[:, n] != REST], *RANGES[n]) for n in range(4)]

    def fits(by):
        return all(
            not len(voice) or (voice.min() + by >= low and voice.max() + by <= high) for voice, low, high in sung
        )

    assert all(fits(by) for by in found)
    if any(len(voice) for voice, _, _ in sung):
        assert all(not fits(by) for by in (found[0] - 1, found[-1] + 1) if -12 <= by <= 12)


@given(pieces())
def test_tokens_and_back(piece):
    numbers = tokens.tokens(piece)
    assert numbers.min() >= 0
    assert numbers.max() < tokens.N_TOKENS
    np.testing.assert_array_equal(tokens.grid_of(numbers), piece)


@given(pieces())
def test_what_the_nets_read(piece):
    found = tokens.steps(piece)
    np.testing.assert_array_equal(found.before[1:], found.now[:-1])
    assert (found.before[0] == tokens.START).all()
    for voice in range(4):
        run = 0
        for i in range(1, len(piece)):
            run = run + 1 if i > 1 and piece[i - 1, voice] == piece[i - 2, voice] else 0
            assert found.held[i, voice] == min(run, tokens.LONGEST)
    assert (found.context[:, 0] == key_of(piece) + 1).all()
    assert found.context[-1, 2] == 1


def test_the_end_is_counted_down_and_can_be_hidden():
    known = tokens.context(100, 3)
    assert known[[0, 35, 36, 99]].tolist() == [[4, 0, 65], [4, 3, 65], [4, 4, 64], [4, 3, 1]]
    hidden = tokens.without_hints(known, key=True, end=True)
    assert not hidden[:, [0, 2]].any()
    assert known[0, 0] == 4
    assert tokens.without_hints(known, key=False, end=True)[0].tolist() == [4, 0, 0]


def test_real_chorales_fit(real):
    from audiocli.training.recipes.music import from_json

    found = from_json(real / "data" / "jsb-chorales" / "jsb-chorales-16th.json")
    assert {name: len(pieces) for name, pieces in found.items()} == {"train": 229, "valid": 76, "test": 77}
    for piece in found["train"]:
        sung = [piece[:, n][piece[:, n] != REST] for n in range(4)]
        assert all(low <= voice.min() and voice.max() <= high for voice, (low, high) in zip(sung, RANGES, strict=True))
    assert np.mean([len(shifts(piece)) for piece in found["train"]]) > 6

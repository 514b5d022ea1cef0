"""Parallel fifths and octaves: which tokens would make them, against the definition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from audiocli.music.leading import parallels
from audiocli.music.tokens import N_TOKENS, REST_TOKEN, START

step = st.lists(st.integers(0, N_TOKENS - 1), min_size=4, max_size=4)


def by_definition(before, above, token):
    """Both voices move the same way, from a fifth or an octave to the same."""
    own = before[len(above)]
    if REST_TOKEN in (own, token):
        return False
    for was, now in zip(before, above, strict=False):
        moves = (now - was) * (token - own) > 0
        if REST_TOKEN not in (was, now) and moves and (was - own) % 12 == (now - token) % 12 in (0, 7):
            return True
    return False


@given(step, step, st.integers(0, 3))
def test_tokens_that_make_parallels(before, now, voice):
    found = parallels(np.array(before), np.array(now[:voice], dtype=np.int64))
    assert found.tolist() == [by_definition(before, now[:voice], token) for token in range(N_TOKENS)]


def test_an_example_and_the_first_step():
    found = parallels(np.array([31, 24, 12, 0]), np.array([33]))
    assert np.flatnonzero(found).tolist() == [26, 38]  # a fifth below the upper voice, which went up; and an octave up
    assert not parallels(np.full(4, START), np.array([30])).any()

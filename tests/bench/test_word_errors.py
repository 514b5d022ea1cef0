"""Error rates of words with speakers, against closed forms and all permutations."""

from itertools import permutations
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from bench.word_errors import Rate, Said, cpwer, wder, wer


def said(text, speakers):
    return [Said(word, None if who == "-" else who) for word, who in zip(text.split(), speakers, strict=True)]


def streams(**texts):
    return {speaker: text.split() for speaker, text in texts.items()}


def test_wer_counts_substitutions_deletions_and_insertions():
    assert wer("the cat sat on it".split(), "a cat sat it now".split()) == Rate(3, 5)
    assert isnan(wer([], ["a"]).rate)


def test_rates_add_up_to_that_of_all_words():
    assert (Rate(1, 2) + Rate(1, 8)).rate == 0.2


def test_names_do_not_matter():
    there, heard = streams(ann="one two three", ben="four five"), streams(x="four five", y="one two three")
    assert cpwer(there, heard) == Rate(0, 5)


def test_words_do_not_cross_from_one_speaker_to_another():
    # As one text they would be equal.
    assert cpwer(streams(a="the cat", b="sat on"), streams(x="the cat sat", y="on")) == Rate(2, 4)


def test_speakers_who_are_not_found_are_deleted():
    assert cpwer(streams(a="one two", b="three"), streams(x="one two")) == Rate(1, 3)
    assert cpwer(streams(a="one two", b="three"), {}) == Rate(3, 3)


def test_speakers_too_many_are_inserted():
    assert cpwer(streams(a="one two"), streams(x="one", y="two")) == Rate(2, 2)
    assert cpwer({}, streams(x="one")).errors == 1


def test_the_pairs_are_the_best_together():
    # If b takes what it equals, a is left with three errors: together they have the fewest the other way round.
    there, heard = streams(a="k x y z", b="x y z"), streams(x="x y z", y="x y z w")
    assert cpwer(there, heard) == Rate(2, 7)


words = st.lists(st.sampled_from("abc"), max_size=5)


@given(
    st.dictionaries(st.sampled_from("ABC"), words, max_size=3),
    st.dictionaries(st.sampled_from("wxyz"), words, max_size=4),
)
def test_cpwer_is_the_least_of_all_permutations(there, heard):
    size = max(len(there), len(heard))
    ours, theirs = ([*some.values(), *[[]] * (size - len(some))] for some in (there, heard))
    least = min(
        sum(Levenshtein.distance(one, other) for one, other in zip(ours, order, strict=True))
        for order in permutations(theirs)
    )
    assert cpwer(there, heard) == Rate(least, sum(map(len, there.values())))


@pytest.mark.parametrize(
    ("there", "heard", "expected"),
    [
        (("a b c d", "1122"), ("a b c d", "xxyy"), Rate(0, 4)),
        (("a b c d", "1122"), ("a b c d", "xxxy"), Rate(1, 4)),
        (("a b c d", "1122"), ("a q c d", "xyyy"), Rate(1, 4)),  # substituted words have speakers, too
        (("a b c d", "1122"), ("a c d", "xyy"), Rate(0, 3)),  # one that is left out has none
        (("a b c d", "1122"), ("a b c d e", "xxyyx"), Rate(0, 4)),  # nor has one that is made up
        (("a b c d", "1122"), ("a b c d", "xxxx"), Rate(2, 4)),
        (("a b c d", "1122"), ("a b c d", "xyzz"), Rate(1, 4)),  # a name is for one speaker only
        (("a b c d", "1122"), ("a b c d", "x-yy"), Rate(1, 4)),
        (("a b", "12"), ("a b", "--"), Rate(2, 2)),
        (("a b", "12"), ("", ""), Rate(0, 0)),
    ],
)
def test_words_with_a_wrong_speaker(there, heard, expected):
    assert wder(said(*there), said(*heard)) == expected

"""English in words: a table of readings, and that nothing breaks it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocli.verbs.speak.text import numbers
from audiocli.verbs.speak.text.english import spelled


def cases():
    """Written and spoken forms: (text, said), from the table beside this file."""
    table = (Path(__file__).parent / "english_cases.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [tuple(line.split("\t")[1:]) for line in table]


@pytest.mark.parametrize(("text", "said"), cases())
def test_what_is_said(text, said):
    assert spelled(text) == said


@pytest.mark.parametrize("said", [said for _, said in cases()])
def test_words_stay_words(said):
    assert spelled(said) == said


@given(st.text(st.sampled_from("0123456789.,:/-–$£€%°½ '\"apmstndrhkgMVI()&@#\n"), max_size=60))
def test_no_digit_is_left_and_nothing_breaks(text):
    assert not any(c in "0123456789" for c in spelled(text))


@given(st.text(max_size=80))
def test_any_text(text):
    spelled(text)


def test_a_number_of_four_hundred_digits():
    assert spelled("9" * 400).split() == ["nine"] * 400


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("Ich habe 25 Äpfel und 3,5.", "de", "Ich habe fünfundzwanzig Äpfel und drei Komma fünf."),
        ("J'ai 80 ans", "fr", "J'ai quatre-vingts ans"),
        ("25", "tlh", "25"),
        ("B2B 1.2.3", "de", "B2B 1.2.3"),
    ],
)
def test_other_languages(text, language, said):
    assert numbers.spelled(text, language) == said

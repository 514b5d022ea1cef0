"""English in words: a table of what is said, and that nothing breaks it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocli.text import numbers
from audiocli.text.english import spelled

SAID = {
    "Mr. Smith paid $3.50 to Dr. Jones of St. Louis on Elm St. in 1905.":
        "Mister Smith paid three dollars and fifty cents to Doctor Jones of Saint Louis on Elm Street in nineteen oh five.",
    "It cost $1 million, £5, €1.01, $0.99 and ¥500; $3.5bn too.":
        "It cost one million dollars, five pounds, one euro and one cent, ninety nine cents and five hundred yen; "
        "three point five billion dollars too.",
    "On 2026-11-24, 11/24/2026, Nov. 24, 2026 and 24 November 2026, and May 5.":
        "On " + ", ".join(["November twenty fourth, twenty twenty six"] * 2) +
        ", November twenty fourth, twenty twenty six and November twenty fourth, twenty twenty six, and May fifth.",
    "The 4th of July, in Sept. 2021, on Jan. 5.": "The fourth of July, in September twenty twenty one, on January fifth.",
    "At 3:30 p.m., 15:05, 5pm, 9:00 and 12:00 a.m.":
        "At three thirty p m, fifteen oh five, five p m, nine o'clock and twelve a m.",
    "It is 20 °C, -5°C, 60 mph, 1 km, 10kg, 5% and 6ft.":
        "It is twenty degrees Celsius, minus five degrees Celsius, sixty miles per hour, one kilometer, ten kilograms, "
        "five percent and six feet.",
    "3.14 or 1,234,567 or 007.":
        "three point one four or one million two hundred thirty four thousand five hundred sixty seven or zero zero seven.",
    "The 1980s, '90s, the 21st century.": "The nineteen eighties, nineties, the twenty first century.",
    "1/2 of it, 1 3/4 cups, 2½ cups, 50/50.": "one half of it, one and three quarters cups, two and a half cups, fifty fifty.",
    "Call 555-1234. Python 3.11.7.": "Call five five five, one two three four. Python three point eleven point seven.",
    "The years 1914–1918, pages 10-20, a 3-0 win.":
        "The years nineteen fourteen to nineteen eighteen, pages ten to twenty, a three-zero win.",
    "See Fig. 3, No. 5, pp. 10, etc.": "See figure three, number five, pages ten, et cetera.",
    "Chapter IV of World War II, and I am.": "Chapter four of World War two, and I am.",
    "The TV, AT&T, NASA; A4 and B52.": "The T V, AT and T, NASA; A four and B fifty two.",
    "Mail jo@ex.org or https://www.example.com/a.": "Mail jo at ex dot org or example dot com slash a.",
    "He’s “here”, e.g. there, i.e. not.": "He's \"here\", for example, there, that is, not.",
    "nothing to change here.": "nothing to change here.",
}  # fmt: skip


@pytest.mark.parametrize("text", SAID)
def test_what_is_said(text):
    assert spelled(text) == SAID[text]


@pytest.mark.parametrize("text", SAID.values())
def test_words_stay_words(text):
    assert spelled(text) == text


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

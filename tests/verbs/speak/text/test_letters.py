"""Letters that a voice does not know, in those that it knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocli.verbs.speak.text.letters import latin, reader


@pytest.mark.parametrize(
    ("text", "read", "reported"),
    [
        ("café naïve El Niño façade", "cafe naive El Nino facade", ""),
        ("cafe\u0301 Größe æther ﬁne Łódź þ ð ø", "cafe Grosse aether fine Lodz th d o", ""),
        ("“so” – it’s…", '"so" - it\'s...', ""),
        ("Привет, Анна.", "Privet, Anna.", "Cyrillic"),
        ("你好 Αθήνα", "Ni Hao  Athina", "Chinese Greek"),
        ("plain 5", "plain 5", ""),
    ],
)
def test_in_ascii(text, read, reported):
    heard = []
    assert reader(str.isascii, heard.append)(text) == read
    assert [message.split()[0] for message in heard] == reported.split()


def test_what_has_no_other_letters_is_reported_once():
    heard = []
    read = reader(lambda c: c in "абв ", heard.append)
    assert (read("абв hello"), read("x")) == ("абв ", "")
    assert heard == ["some letters are left out, because this model does not know them"]


def test_accents_of_the_latin_script_stay():
    assert reader(latin, pytest.fail)("café Łódź ½ ª 日".replace("日", "")) == "café Łódź ½ ª "


@given(st.text(max_size=40))
def test_any_text(text):
    assert reader(str.isascii, lambda _: None)(text).isascii()

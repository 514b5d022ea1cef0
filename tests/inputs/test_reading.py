"""Text as it is read: unspeakable characters go, encodings by their marks, blocks of any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocli.errors import InputError
from audiocli.inputs.reading import cleaned, decoded, speakable


def joined(data, size=65_536):
    return "".join(decoded(data[i : i + size] for i in range(0, len(data), size)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain text, naïve café", "plain text, naïve café"),
        ("a\x1b[31mred\x1b[0m word", "ared word"),
        ("bell\x07s and \x00zeros", "bell s and  zeros"),
        ("ok 👍🏽 and 🇩🇪 ✓", "ok    and     "),
        ("soft\u00adhyphen, zero\u200bwidth", "softhyphen, zerowidth"),
        ("half \ud83d of a pair", "half   of a pair"),
        ("one page\fanother", "one page\n\nanother"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # a joiner that changes the word
    ],
)
def test_what_nobody_says(text, said):
    assert cleaned(text) == said


@pytest.mark.parametrize(
    ("text", "is_said"), [("", False), ("...!? -", False), ("🎉", False), ("5", True), ("é", True), ("日", True)]
)
def test_speakable(text, is_said):
    assert speakable(cleaned(text)) is is_said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("size", [4, 7, 65_536])
def test_encodings(encoding, size):
    assert joined("Zwei Grüße,\r\nund 日本.\r\n".encode(encoding), size) == "Zwei Grüße,\nund 日本.\n"


def test_broken_bytes_are_passed_over():
    assert joined(b"gr\xfc\xdfe") == cleaned("gr\ufffd\ufffde") == "gr  e"


def test_a_program_is_no_text():
    with pytest.raises(InputError, match="zero bytes"):
        joined(b"\x7fELF\x00\x00")


@given(st.binary(max_size=200).filter(lambda data: b"\0" not in data), st.integers(4, 50))
def test_blocks_do_not_matter(data, size):
    assert joined(data, size) == joined(data)
    assert "\r" not in joined(data, size)

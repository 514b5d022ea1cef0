"""Text without its marks: HTML, SSML, Markdown, words cut at a line's end; the same wherever its blocks end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocli.verbs.speak.text.markup import plain

PLAIN = {
    "# Heading\nText.\n## Two ##\nMore #hashtag.": "Heading Text. Two More #hashtag.",
    "C# is\n#1 and\n# One": "C# is #1 and One",
    "<p>Fish &amp; chips.</p><p>A <b>bold</b> one.</p>": "Fish & chips. A bold one.",
    '<speak>Hi <break time="1s"/>there</speak>': "Hi there",
    "<td>a</td><td>b</td><!-- c > d --><style>x{}</style>": "a b",
    "a <b and c> d, 5 < 6, x<y>z, List<T>": "a <b and c> d, 5 < 6, x<y>z, List<T>",
    "&copy; &#8217;s &unknown; AT&T R&D;": "© ’s &unknown; AT&T R&D;",
    "A hyphen-\nated word, well-\nknown, twenty-\none, F-\n16, Jean-\nPaul.":
        "A hyphenated word, well-known, twenty-one, F-16, Jean-Paul.",
    "Vor- und Nachteile, pre-\nand postwar": "Vor- und Nachteile, pre- and postwar",
    "See [the site](https://ex.com/a_b) and ![pic](x.png).": "See the site and pic.",
    "**Bold**, 3 * 4 * 5, a_b_c, `code`": "Bold, 3 * 4 * 5, a_b_c, code",
    "```python\nx = 1\n```\nEnd.": "x = 1 End.",
    "Nothing to do here.": "Nothing to do here.",
}  # fmt: skip


@pytest.mark.parametrize("text", PLAIN)
def test_marks_go(text):
    assert " ".join("".join(plain([text])).split()) == PLAIN[text]


@pytest.mark.parametrize("text", [text for text in PLAIN if "**" not in text])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_blocks_may_end_anywhere(text, size):
    assert "".join(plain(text[n : n + size] for n in range(0, len(text), size))) == "".join(plain([text]))


@given(st.text(st.sampled_from("ab <>/!&;#[]()*`-\n"), max_size=60))
def test_any_text(text):
    assert "".join(plain([text])).count("a") <= text.count("a")


def test_a_heading_is_a_paragraph():
    assert "\n\n" in "".join(plain(["# One\nTwo"]))


def test_a_live_pipe_does_not_wait():
    blocks = plain(iter(["This is one.\n", "And"]))
    assert next(blocks) == "This is one.\n"

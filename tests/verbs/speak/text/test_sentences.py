"""Where sentences end, in blocks of any size; nothing is lost, nothing is longer than it may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocli.verbs.speak.text.sentences import Sentence, pieces, sentences, split


def cut(text, size=65_536, longest=2_000):
    return list(sentences((text[i : i + size] for i in range(0, len(text), size)), longest))


def texts(*blocks):
    return [sentence.text for sentence in sentences(blocks)]


@pytest.mark.parametrize(
    "found",
    [
        ["Mr. Smith went to Washington, D.C.", "He met J. R. Ewing at 5 p.m. on Jan. 5 there."],
        ['"What?" he said.', '"No!"', "She left... and came back."],
        ["It was I.", "Then he paid $3.50, etc. and left.", "See Fig. 3 for more."],
        ["Is it?", "Yes!", "3 of them.", "(Really.)", "“Quite.”", "So."],
        ["Dr. No vs. Prof. Yes, e.g. today."],
        ["日本語です。", "次の文！", "終わり"],
    ],
)
def test_english_and_others(found):
    glue = "" if found[0].startswith("日") else " "
    assert texts(glue.join(found)) == found
    assert texts("\n".join(found) if glue else "".join(found)) == found


def test_lines_and_paragraphs():
    assert cut("A hard\nwrapped line. And\nmore\n\nA heading\n \nThe end") == [
        Sentence("A hard wrapped line."), Sentence("And more", True), Sentence("A heading", True), Sentence("The end", True),
    ]  # fmt: skip


def test_a_live_pipe_is_spoken_as_it_comes():
    given_out = []

    def lines():
        for line in ("One is here.\n", "Two, too.\n", "Three"):
            yield line
            given_out.append(line)

    found = sentences(lines())
    assert next(found).text == "One is here."
    assert not given_out  # nothing more was read for it
    assert [sentence.text for sentence in found] == ["Two, too.", "Three"]


SOME = st.text(st.sampled_from("ab A.,!?\n\"'…。 1"), max_size=300)


@given(SOME, st.integers(1, 40))
def test_blocks_do_not_matter(text, size):
    assert cut(text, size) == cut(text)


@given(st.text(max_size=300), st.integers(1, 30))
def test_nothing_is_lost_or_too_long(text, longest):
    found = cut(text, 17, longest)
    assert "".join("".join(sentence.text.split()) for sentence in found) == "".join(text.split())
    assert all(0 < len(sentence.text) <= longest for sentence in found)


def test_a_line_of_ten_megabytes():
    lengths = [len(sentence.text) for sentence in sentences("x" * 65_536 for _ in range(160))]
    assert max(lengths) <= 2_000
    assert sum(lengths) == 160 * 65_536


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("one two; three, four", "one two; "),
        ("one two three, four", "one two three, "),
        ("onetwo threefour", "onetwo "),
        ("o" * 30, "o" * 15),
    ],
)
def test_the_best_place_to_cut(text, first):
    assert split(text, 15) == (first, text[len(first) :])


@given(SOME, st.integers(1, 30), st.integers(1, 20))
def test_pieces_fit(text, limit, fill):
    def spell(part):
        return part.replace("1", "one ")

    found = list(pieces(cut(text), limit=limit, fill=fill, spell=spell))
    assert all(len(piece.spoken) <= limit for piece in found)
    assert "".join("".join(piece.text.split()) for piece in found) == "".join(text.split())


def test_short_sentences_share_a_piece_within_a_paragraph():
    found = pieces(cut("No. Yes. This one is longer.\n\nSo.\n\nThe end is near now."), limit=100, fill=12)
    assert [(piece.text, piece.last) for piece in found] == [
        ("No. Yes. This one is longer.", True), ("So.", True), ("The end is near now.", True),
    ]  # fmt: skip

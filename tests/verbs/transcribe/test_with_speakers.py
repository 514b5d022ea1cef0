"""Words and speakers put together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocli.records import Segment, Transcript, Turn, Word
from audiocli.verbs.transcribe.with_speakers import assigned, speaker_of


def transcript(*segments, language="en"):
    return Transcript(
        path="x.wav", duration=9.0, sample_rate=16_000, task="transcribe", text="", language=language, segments=segments
    )


def said(text, start=0.0, each=0.5):
    words = tuple(Word(w, start + n * each, start + (n + 1) * each, 0.5) for n, w in enumerate(text.split()))
    return Segment(start, words[-1].end, text, words)


TURNS = [Turn(0.0, 1.4, "A"), Turn(1.4, 3.0, "B"), Turn(5.0, 6.0, "A")]


def test_segments_are_cut_at_speaker_changes():
    first, second = assigned(transcript(said("one two three four five")), TURNS)
    assert (first.text, first.speaker, first.start, first.end) == ("one two three", "A", 0.0, 1.5)
    assert (second.text, second.speaker, second.start, second.end) == ("four five", "B", 1.5, 2.5)
    assert [word.speaker for word in (*first.words, *second.words)] == ["A", "A", "A", "B", "B"]
    assert first.probability == 0.5


def test_one_speaker_leaves_the_text_as_it_is():
    (segment,) = assigned(transcript(said("one, two;  three", each=0.4)), TURNS)
    assert (segment.text, segment.speaker) == ("one, two;  three", "A")


def test_no_blanks_between_chinese_words():
    found = assigned(transcript(said("你 好 世 界 再 见"), language="zh"), TURNS)
    assert [segment.text for segment in found] == ["你好世", "界再见"]


def test_a_segment_without_words_has_whoever_speaks_most_of_it():
    (segment,) = assigned(transcript(Segment(1.0, 2.5, "no words")), TURNS)
    assert segment.speaker == "B"


def test_nobody_speaks():
    (segment,) = assigned(transcript(said("a ghost")), [])
    assert segment.speaker is None
    assert [word.speaker for word in segment.words] == [None, None]


@pytest.mark.parametrize(("start", "who"), [(3.2, "B"), (4.6, "A"), (9.0, "A")])
def test_a_word_beside_all_turns_belongs_to_the_nearest(start, who):
    assert speaker_of(Word("x", start, start + 0.1), TURNS) == who


@given(
    st.lists(st.tuples(st.floats(0, 3), st.floats(0.1, 3), st.sampled_from("ABC")), min_size=1, max_size=8),
    st.floats(0, 30), st.floats(0.05, 2),
)  # fmt: skip
def test_the_quick_search_finds_what_the_slow_one_finds(steps, start, length):
    turns, at = [], 0.0
    for gap, size, speaker in steps:
        turns.append(Turn(at + gap, at + gap + size, speaker))
        at = turns[-1].end
    word = Word("x", start, start + length)

    def near(turn):
        return max(turn.start, word.start) - min(turn.end, word.end)

    best = min(map(near, turns))
    assert speaker_of(word, turns) in {turn.speaker for turn in turns if near(turn) <= best + 1e-9}

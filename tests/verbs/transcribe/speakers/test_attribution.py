"""Words and speakers put together."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocli.records import Segment, Transcript, Turn, Word
from audiocli.verbs.transcribe.speakers.attribution import assigned, contested, heard, likeliest, names, speakers


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


@pytest.mark.parametrize(("start", "who"), [(3.2, "B"), (4.6, "A"), (7.5, "A"), (9.0, None)])
def test_a_word_beside_all_turns_belongs_to_the_nearest_if_that_is_near(start, who):
    assert speakers([Word("x", start, start + 0.1)], TURNS) == [who]


def test_a_word_at_an_edge_belongs_to_the_turn_that_has_most_of_it():
    assert speakers([Word("edge.", 1.1, 1.6)], TURNS) == ["A"]
    assert speakers([Word("edge.", 1.3, 1.8)], TURNS) == ["B"]


def test_a_pause_that_was_given_to_a_word_is_not_the_next_speaker():
    turns = [Turn(0.0, 0.8, "A"), Turn(1.0, 4.0, "B")]
    assert speakers([Word("no.", 0.4, 2.9)], turns) == ["A"]  # two letters do not last for 2.5 s


def test_a_turn_of_a_part_of_a_word_does_not_cut_a_sentence():
    turns = [Turn(0.0, 2.0, "A"), Turn(1.0, 1.3, "B")]
    (segment,) = assigned(transcript(said("one two three four")), turns)
    assert (segment.speaker, segment.text) == ("A", "one two three four")


def test_where_several_speak_it_is_the_voice():
    turns = [Turn(0.0, 2.0, "A"), Turn(0.0, 2.0, "B")]
    segment = said("one two. three four")
    assert contested(segment.words, turns).tolist() == [0, 1, 2, 3]
    assert names(turns) == ["A", "B"]
    alike = np.array([[0.3, 0.0], [0.3, 0.0], [0.0, 0.3], [0.0, 0.3]])
    found = assigned(transcript(segment), turns, alike)
    assert [(one.speaker, one.text) for one in found] == [("A", "one two."), ("B", "three four")]


def test_the_voice_of_one_word_in_a_sentence_is_outvoted():
    turns = [Turn(0.0, 2.0, "A"), Turn(0.0, 2.0, "B")]
    alike = np.array([[0.3, 0.0], [0.0, 0.1], [0.3, 0.0], [0.3, 0.0]])
    (segment,) = assigned(transcript(said("one two three four")), turns, alike)
    assert segment.speaker == "A"


def test_turns_of_one_speaker_that_overlap_are_one():
    # As after two clusters have turned out to be one person of the database.
    turns = [Turn(0.0, 2.0, "A"), Turn(1.0, 3.0, "A"), Turn(5.0, 6.0, "B")]
    assert contested(said("a b c d").words, turns).tolist() == []
    assert speakers(said("a b c d e f").words, turns) == ["A"] * 6


steps = st.lists(st.tuples(st.floats(0, 3), st.floats(0.1, 3), st.sampled_from("ABC")), min_size=1, max_size=8)


@given(steps, st.floats(0, 12), st.floats(0.05, 0.3))
def test_the_quick_search_finds_what_the_slow_one_finds(steps, start, length):
    turns, at = [], 0.0
    for gap, size, speaker in steps:
        turns.append(Turn(at + gap, at + gap + size, speaker))
        at += gap / 2 + size / 3  # so that they overlap
    word = Word("x", start, start + length)
    shared = {turn.speaker: 0.0 for turn in turns}
    far = {turn.speaker: 99.0 for turn in turns}
    for n in range(1000):
        moment = start + (n + 0.5) / 1000 * length
        for one in {turn.speaker for turn in turns if turn.start <= moment < turn.end}:
            shared[one] += 1 / 1000
    for turn in turns:
        far[turn.speaker] = min(far[turn.speaker], max(turn.start - word.end, word.start - turn.end, 0.0))
    columns = names(turns)
    ours, distances = heard([word], turns)
    np.testing.assert_allclose(ours[0], [shared[name] for name in columns], atol=0.01)
    np.testing.assert_allclose(distances[0], [far[name] for name in columns], atol=1e-6)


@given(st.lists(st.lists(st.floats(-5, 5), min_size=3, max_size=3), min_size=1, max_size=5), st.floats(0, 3))
def test_the_chain_is_the_best_of_all(odds, cost):
    changes = [cost] * (len(odds) - 1)

    def worth(path):
        here = sum(odds[n][column] for n, column in enumerate(path))
        return here - sum(cost for one, other in pairwise(path) if one != other)

    best = max(map(worth, product(range(3), repeat=len(odds))))
    assert worth(likeliest(np.array(odds), changes)) == pytest.approx(best)

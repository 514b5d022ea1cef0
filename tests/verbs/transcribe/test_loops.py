"""Repetitions of a decoder: loops by its own signs are said once, and people's repetitions stay."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from audiocli.audio import Audio
from audiocli.device import Device
from audiocli.models import registry
from audiocli.models.batches import Batches
from audiocli.options import TranscribeOptions
from audiocli.records import Segment, Word
from audiocli.verbs.transcribe import loops, moonshine, pocketsphinx
from audiocli.verbs.transcribe.loops import compression, without_loops
from audiocli.verbs.transcribe.whisper.reading import Reading
from audiocli.verbs.transcribe.whisper.tokens import Tokens
from audiocli.verbs.transcribe.whisper.windows import Windows
from audiocli.verbs.transcribe.work import looped
from tests.conftest import vowels

SURE = 0.8


def timed(text, seconds, probability=SURE):
    """A segment whose words share the seconds."""
    texts = text.split()
    each = seconds / len(texts)
    words = tuple(Word(f" {word}", n * each, (n + 1) * each, SURE) for n, word in enumerate(texts))
    return Segment(0.0, seconds, f" {text}", words, probability)


def text_of(segments):
    return "".join(segment.text for segment in segments).strip()


SAID = {
    "no, no": ("no, no, no, no", 2.0),
    "no": ("oh no no no no no well", 3.0),
    "dial": ("Dial one one one one two.", 2.5),
    "phone": ("My number is 5 5 5 0 0 0 0 0, again, 5 5 5 0 0 0 0 0.", 8.0),
    "card": ("4000 0000 0000 0000 0000", 5.0),
    "ha": ("ha ha ha ha ha ha", 1.2),
    "chorus": ("we will we will rock you " * 5, 15.0),
}


@pytest.mark.parametrize(("text", "seconds"), SAID.values(), ids=SAID)
@pytest.mark.parametrize("words", [True, False])
def test_what_was_said_stays(text, seconds, words):
    segment = timed(text, seconds)
    segment = segment if words else Segment(0.0, seconds, segment.text, (), SURE)
    assert without_loops([segment]) == ([segment], [])


@pytest.mark.parametrize("words", [True, False])
def test_a_loop_that_fills_the_window_is_said_once(words):
    """As Whisper does it: 40 times, sure of itself, with time enough."""
    segment = timed("so " + "thank you " * 40, 30.0)
    segment = segment if words else Segment(0.0, 30.0, segment.text, (), SURE)
    segments, dropped = without_loops([segment])
    assert text_of(segments) == "so thank you"
    assert dropped == ["repetition: 'thank you' 39 more times"]
    if words:
        assert [word.text for word in segments[0].words] == [" so", " thank", " you"]
        assert segments[0].end == segments[0].words[-1].end


def test_a_loop_over_segments():
    found = [Segment(0.7 * n, 0.7 * (n + 1), f" {'T' if n % 2 else 't'}hank you", (), SURE) for n in range(40)]
    segments, dropped = without_loops(found)
    assert (text_of(segments), len(dropped)) == ("thank you", 1)


def test_words_without_time_are_a_loop():
    """The alignment finds no place for them: most of them begin and end at one moment."""
    said = timed("go on and on", 2.0).words
    crammed = tuple(Word(" on", 2.0, 2.0 + 0.02 * (n % 3 == 0), SURE) for n in range(5))
    segments, dropped = without_loops([Segment(0.0, 2.02, " go on and on on on on on on", (*said, *crammed), SURE)])
    assert (text_of(segments), len(dropped)) == ("go on and on", 1)
    assert text_of(without_loops([Segment(1.0, 1.2, " no no no no no", (), SURE)])[0]) == "no"


def test_what_the_decoder_does_not_believe_is_a_loop():
    guess = math.exp(loops.LOG_PROBABILITY) - 0.01
    assert text_of(without_loops([timed("no no no no", 2.0, guess)])[0]) == "no"
    assert text_of(without_loops([timed("no no no no", 2.0, None)])[0]) == "no no no no"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("so a b c a b c a b c a b c a b d", "so a b c a b d"),
        ("x x x x y z z z z z", "x y z"),
        ("no no no", "no no no"),
        ("", ""),
    ],
)
def test_which_phrases_repeat(text, left):
    assert text_of(without_loops([Segment(0.0, 0.1, f" {text}")])[0]) == left


def test_the_ratio_finds_loops():
    assert compression(" and so on" * 12) > loops.RATIO
    assert compression(" nothing is said twice here") < 1.2
    assert compression("") == 0.0


def test_one_line_tells_of_all_loops():
    assert looped(("no speech: 3.0 of 9.0 s",)) == ()
    (line,) = looped(
        ("no speech: 3.0 of 9.0 s", "at 2.0 s: repetition: 'no' 9 more times", "repetition: 'x' 8 more times")
    )
    assert "at 2.0 s: repetition: 'no' 9 more times, and 1 like it" in line


class TwoWindows:
    """A net that has heard two windows, whatever they sound like."""

    sample_rate, window, room = 16_000, 480_000, 448
    batches = Batches("auto", 60.0, Device("cpu"))
    answers = iter((" No, no, no, no, no.", " thank you" * 40))
    encode = length = staticmethod(lambda windows: 30.0)

    def read(self, encoded, given):
        text = next(self.answers)
        return [Reading([1_002, *text.encode(), 1_102], -0.2, 0.0, compression(text))]


def test_whisper_is_judged_window_by_window():
    tokenizer = SimpleNamespace(decode=lambda tokens: bytes(tokens).decode())
    tokens = Tokens(tokenizer, 1_000, 1_000, 1_000, 1_000, 1_000, {}, {})
    windows = Windows(TwoWindows(), tokens, registry.MODELS["pocketsphinx"], TranscribeOptions())
    sound = np.tile(vowels(), 60)[: 2 * TwoWindows.window]
    (record,) = windows.alone([Audio(sound[None], 16_000, "x")])
    assert record.text == "No, no, no, no, no. thank you"
    assert record.dropped == ("repetition: 'thank you' 39 more times",)


def test_pocketsphinx_says_all_it_heard(monkeypatch):
    """It cannot loop; and its words stand apart."""
    heard = ["dial", "one", "one(2)", "<sil>", "one", "one", "two"]
    parts = [
        SimpleNamespace(word=word, start_frame=9 * n, end_frame=9 * n + 8, prob=0.5) for n, word in enumerate(heard)
    ]
    decoder = SimpleNamespace(
        start_utt=lambda: None, process_raw=lambda *args, **more: None, end_utt=lambda: None, seg=lambda: parts
    )
    runner = pocketsphinx.Runner(registry.MODELS["pocketsphinx"], TranscribeOptions(), decoder)
    (segment,) = runner.hear(0, np.zeros(16_000, np.float32))
    assert segment.text == "dial one one one one two"
    assert [word.text for word in segment.words] == segment.text.split()


def test_words_of_moonshine_stand_apart():
    """A loop that is taken out of them leaves no words glued."""
    runner = object.__new__(moonshine.MoonshineRunner)
    runner.sample_rate = 16_000
    texts = ["▁so", "▁no", "▁no", "▁no", "▁no", "▁no", "▁well"]
    runner._tokenizer = SimpleNamespace(
        convert_ids_to_tokens=lambda ids: [texts[n] for n in ids],
        decode=lambda ids, **options: "".join(texts[n] for n in ids).replace("▁", " "),
    )
    runner._heads = ()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moonshine, "edges", lambda *args: [0.01 * n for n in range(8)])
        words = tuple(runner._words({}, list(range(7)), [0.9] * 7, (0.0, 1.0)))
    (segment,), _ = without_loops([Segment(0.0, 0.07, loops.spoken(words), words, SURE)])
    assert segment.text == " so no well"

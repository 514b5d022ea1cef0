"""Processing of a synthesiser's pieces: ends, levels, pauses, pace, times of words."""

import numpy as np
import pyloudnorm
import pytest

from audiocli.options import SpeakOptions
from audiocli.records import Word
from audiocli.verbs.speak.synthesiser import Spoken, Traits, aligned, closest, cut, edges, flow, levelled
from tests.conftest import vowels

RATE = 16_000


class Beeps:
    """Says a tone of 0.1 s a word, between 0.2 s of silence; remembers in which batches it was asked."""

    def __init__(self, **traits):
        self.traits = Traits(
            **(
                {"sample_rate": RATE, "voice": None, "language": "en", "longest": 60, "paced": True, "pitched": True}
                | traits
            )
        )
        self.batches = []

    def __call__(self, texts):
        self.batches.append(list(texts))
        return [self.say(text.split()) for text in texts]

    def say(self, words):
        tone = 0.5 * np.sin(2 * np.pi * 200 * np.arange(len(words) * RATE // 10) / RATE)
        times = [Word(word, 0.2 + 0.1 * n, 0.3 + 0.1 * n) for n, word in enumerate(words)]
        return Spoken(np.pad(tone, (RATE // 5, RATE // 5)).astype(np.float32), tuple(times))


def spoken(text, synthesiser, **options):
    found = list(flow(cut([text], synthesiser, pytest.fail), synthesiser, SpeakOptions(**options)))
    return [segment for segment, _ in found], np.concatenate([samples for _, samples in found])


def test_times_and_pauses():
    segments, samples = spoken("One two three. Four.\n\nFive six.", Beeps(), pause=0.5)
    assert [segment.text for segment in segments] == ["One two three.", "Four.", "Five six."]
    sizes = [0.02 + 0.3 + 0.06, 0.02 + 0.1 + 0.06, 0.02 + 0.2 + 0.06]
    starts = np.cumsum([0.0, sizes[0] + 0.5, sizes[1] + 1.0])
    for segment, start, size in zip(segments, starts, sizes, strict=True):
        assert segment.start == pytest.approx(start, abs=2e-3)
        assert segment.end == pytest.approx(start + size, abs=2e-3)
        # Sound is where the times say, and silence is between.
        first, last = round(segment.start * RATE), round(segment.end * RATE)
        assert np.abs(samples[first + 400 : last - 1_200]).max() > 0.4
        assert not samples[last + 10 : last + 6_000].any()
    word = segments[2].words[1]
    assert (word.text, word.start) == ("six.", pytest.approx(segments[2].start + 0.12, abs=2e-3))
    assert len(samples) == pytest.approx(segments[-1].end * RATE, abs=1)


def test_the_first_piece_waits_for_no_other():
    beeps = Beeps(at_once=3)
    spoken("A b. C d. E f. G h. I j.", beeps)
    assert beeps.batches == [["A b."], ["C d.", "E f.", "G h."], ["I j."]]


def test_numbers_are_spelt_out_and_written_as_they_were():
    beeps = Beeps()
    (segment,), _ = spoken("I owe $5 — to Dr. No.", beeps)
    assert beeps.batches == [["I owe five dollars, to Doctor No."]]
    assert segment.text == "I owe $5 — to Dr. No."
    assert [word.text for word in segment.words] == ["I", "owe", "$5 —", "to", "Dr.", "No."]


@pytest.mark.parametrize(
    ("language", "spelled", "said"),
    [("en", False, "5"), (None, True, "5"), ("de", True, "fünf"), ("en-gb", True, "five")],
)
def test_who_spells(language, spelled, said):
    beeps = Beeps(language=language, spelled_out=spelled)
    spoken("5", beeps)
    assert beeps.batches == [[said]]


def test_stretching_for_models_that_cannot():
    plain = spoken("one two three four five", Beeps())[1]
    beeps = Beeps(paced=False, pitched=False)
    (segment,), fast = spoken("one two three four five", beeps, rate=2.0)
    kept = 0.08 * RATE  # of the silence at the ends
    assert len(fast) - kept == pytest.approx((len(plain) - kept) / 2, rel=0.1)
    assert segment.words[4].start == pytest.approx(0.22, abs=0.03)
    _, high = spoken("one two three four five", beeps, pitch=12.0)
    assert len(high) == pytest.approx(len(plain), rel=0.05)
    spectrum = np.abs(np.fft.rfft(high[1_000:7_000]))
    assert np.argmax(spectrum) * RATE / 6_000 == pytest.approx(400, abs=6)


@pytest.mark.parametrize("seconds", [0.1, 0.35, 3.0])
def test_loudness(seconds):
    made = levelled(0.01 * vowels(seconds), RATE, -23.0)
    long = np.tile(made, 30)
    assert pyloudnorm.Meter(RATE).integrated_loudness(long.astype(np.float64)) == pytest.approx(-23, abs=1.0)
    assert np.abs(levelled(vowels(seconds), RATE, 0.0)).max() <= 1.0


def test_silence_stays_silence():
    assert not levelled(np.zeros(100, np.float32), RATE, -23.0).any()
    assert edges(np.zeros(100, np.float32), RATE) == (0, 100)
    assert len(levelled(np.zeros(0, np.float32), RATE, -23.0)) == 0


def test_alignment():
    said = [Word(text, n, n + 1) for n, text in enumerate("on may fifth I paid five dollars".split())]
    assert [(word.text, word.start, word.end) for word in aligned(["On", "5/5", "I", "paid", "$5."], said)] == [
        ("On", 0, 1), ("5/5", 1, 3), ("I", 3, 4), ("paid", 4, 5), ("$5.", 5, 7),
    ]  # fmt: skip
    assert aligned(["anything"], []) == ()


def test_near_names():
    assert "Alicia" in closest("alice", ["Alicia", "bob"])
    assert closest("zzz", ["a"]) == "--list-voices shows what there is"

"""Live windows of a scripted model: what settles is the script, whatever the blocks, and nothing is lost or said twice.

The sound carries its own place: the value of a sample is START plus its number in STEPs, so that the model knows which words of
the script are in what it is given. A word that is cut comes out wrong.
"""

import itertools
from dataclasses import dataclass, field
from difflib import SequenceMatcher

import numpy as np
import pytest

from audiocli.audio import Audio, read
from audiocli.errors import AudiocliError
from audiocli.models.load import load
from audiocli.models.locate import locate
from audiocli.options import ModelOptions, TranscribeOptions
from audiocli.records import Segment, Word
from audiocli.vad.cutter import Cut, Cutter, Loudness
from audiocli.verbs.transcribe import growing
from audiocli.verbs.transcribe.growing import Growing, agreed, boundary, once, settled, tail
from audiocli.verbs.transcribe.recogniser import Recogniser
from audiocli.verbs.transcribe.results import Found

RATE = growing.SAMPLE_RATE
START, STEP = 2.0**-3, 2.0**-26  # float32 is exact
PITCH, LENGTH = 0.5, 0.4  # s from word to word, and of one
BLOCKS = [720, 7_777, 10**7]


def script(seconds, pauses=(), sentence=7):
    """Words every PITCH seconds from 1 s on, none in a pause; every seventh ends a sentence."""
    starts = (1.0 + PITCH * n for n in range(int((seconds - 1.5) / PITCH)))
    clear = (at for at in starts if not any(a - LENGTH < at < b for a, b in pauses))
    return [Word(f" w{n}" + "." * (n % sentence == 6), at, at + LENGTH) for n, at in enumerate(clear)]


def sound(seconds, words):
    """Sound at the words and for 50 ms around them, so that they run into each other without a pause; else silence."""
    samples = np.zeros(round(seconds * RATE), np.float32)
    for word in words:
        first, last = round((word.start - 0.05) * RATE), round((word.end + 0.05) * RATE)
        samples[first:last] = START + STEP * np.arange(first, last)
    return samples


@dataclass
class Scripted:
    """The model; times are wrong by `jitter`, to the one side and the other in turn."""

    words: list[Word]
    jitter: float = 0.0
    calls: list[dict] = field(default_factory=list)
    languages: int = 0
    glimpses: list[float] = field(default_factory=list)

    def language(self, samples):
        self.languages += 1
        return "la"

    def hear(self, samples, *, prompt, language, words):
        start = self._start(samples)
        self.calls.append({"start": start, "size": samples.size, "prompt": prompt, "language": language})
        shift = self.jitter * (-1) ** len(self.calls)
        found = tuple(self._words(start, samples.size / RATE, shift))
        spoken = "".join(word.text for word in found)
        return Found((Segment(found[0].start, found[-1].end, spoken, found),) if found else (), "la")

    def glimpse(self, samples, *, prompt, language):
        start = self._start(samples)
        self.glimpses.append(start + samples.size / RATE)
        return [word.text.strip() for word in self._words(start, samples.size / RATE, 0.0)]

    @staticmethod
    def _start(samples):
        first = int(np.flatnonzero(samples)[0])
        return (round((float(samples[first]) - START) / STEP) - first) / RATE

    def _words(self, start, seconds, shift):
        for word in self.words:
            first, last = word.start - start, word.end - start
            if first >= 0 and last <= seconds:
                yield Word(word.text, max(first + shift, 0.0), last + shift, 0.9)
            elif first < seconds and last > 0:
                yield Word(word.text + "#", max(first, 0.0), min(last, seconds), 0.9)


def session(ear, **options):
    made = Growing(ear, TranscribeOptions(vad=False, **options))
    made.cutter = Cutter(Loudness(), Cut(longest=np.inf, onset=0.0))
    return made


def run(ear, samples, block, **options):
    live = session(ear, **options)
    events = [event for n in range(0, samples.size, block) for event in live.push(samples[n : n + block])]
    return [*events, *live.finish()]


def finals(events):
    return [event for event in events if isinstance(event, Segment)]


@pytest.fixture(autouse=True)
def instant(monkeypatch):
    """Hearing takes no time."""
    monkeypatch.setattr(growing, "monotonic", lambda: 0.0)


PAUSES = {
    "none": (),
    "short ones": [(n, n + 0.45) for n in range(4, 90, 9)],
    "real ones": [(n, n + 1.3) for n in range(5, 90, 6)],
    "after long speech": [(40.0, 42.0), (70.0, 79.0)],
    "one that outlasts a window": [(20.0, 70.0)],
}


@pytest.mark.parametrize("pauses", PAUSES.values(), ids=PAUSES)
@pytest.mark.parametrize("jitter", [0.0, 0.15])
def test_the_script_settles_word_by_word_whatever_the_blocks(pauses, jitter):
    words = script(95.0, pauses)
    samples = sound(95.0, words)
    told = []
    for block in BLOCKS:
        settled_segments = finals(run(Scripted(words, jitter), samples, block, timestamps="word"))
        told.append(settled_segments)
        heard = [word for segment in settled_segments for word in segment.words]
        assert [word.text for word in heard] == [word.text.strip() for word in words]
        assert [word.start for word in heard] == pytest.approx([word.start for word in words], abs=jitter + 0.002)
        assert " ".join(segment.text for segment in settled_segments).split() == [word.text for word in heard]
    assert all(each == told[0] for each in told)


def test_words_are_told_only_when_they_are_asked_for():
    words = script(10.0)
    assert all(not segment.words for segment in finals(run(Scripted(words), sound(10.0, words), 1_600)))


@pytest.mark.parametrize("pauses", PAUSES.values(), ids=PAUSES)
def test_each_window_is_told_what_was_said_before_it(pauses):
    words = script(95.0, pauses)
    ear = Scripted(words)
    run(ear, sound(95.0, words), 1_600)
    assert len({call["start"] for call in ear.calls}) > 1
    for call in ear.calls:
        before = "".join(word.text for word in words if word.end <= call["start"] + 0.01)
        assert before.endswith(call["prompt"] or "")
        assert min(len(before.strip()), growing.PROMPT - 20) <= len(call["prompt"] or "") <= growing.PROMPT


@pytest.mark.parametrize("pauses", PAUSES.values(), ids=PAUSES)
def test_no_window_is_longer_than_the_model_hears(pauses):
    words = script(95.0, pauses)
    ear = Scripted(words)
    run(ear, sound(95.0, words), 1_600)
    assert max(call["size"] for call in ear.calls) <= growing.WINDOW * RATE
    assert max(call["size"] for call in ear.calls) > 0.6 * growing.WINDOW * RATE


def test_pieces_are_heard_with_those_before_them_until_the_window_is_full():
    words = script(40.0, [(n, n + 1.3) for n in range(5, 40, 6)])
    ear = Scripted(words)
    run(ear, sound(40.0, words), 1_600)
    starts = [call["start"] for call in ear.calls]
    assert starts[:4] == [starts[0]] * 4
    assert starts == sorted(starts)
    assert len(set(starts)) == 2
    sizes = [call["size"] / RATE for call in ear.calls[:4]]
    assert np.diff(sizes) == pytest.approx([6.0] * 3, abs=0.1)


def test_the_language_is_found_once_there_is_enough_speech():
    words = script(60.0, [(2.4, 4.0), (9.9, 11.6), (20.0, 22.0)])
    ear = Scripted(words)
    run(ear, sound(60.0, words), 1_600)
    assert ear.languages == 2  # after 1.4 s, which is too little, and at the end of the next piece
    assert {call["language"] for call in ear.calls} == {"la"}


def test_the_words_so_far_grow_and_come_soon():
    words = script(12.0)
    live, shown = session(Scripted(words)), {}
    samples = sound(12.0, words)
    for n in range(0, samples.size, 1_600):
        for event in live.push(samples[n : n + 1_600]):
            shown[event.text] = (n + 1_600) / RATE
    texts = list(shown)
    assert texts[0] == "w0"
    assert shown["w0"] - words[0].start <= 1.0
    assert all(after.startswith(before) for before, after in itertools.pairwise(texts))
    assert "#" not in "".join(texts)
    for text, at in shown.items():
        last = words[len(text.split()) - 1]
        assert at - last.end <= 1.5  # two hearings, STEP from each other, and one block


def test_what_two_hearings_do_not_agree_on_is_not_shown():
    words = script(12.0)
    ear, count = Scripted(words), itertools.count()
    ear.glimpse = lambda samples, **_: ["And", "so,", f"my{next(count)}", "fellow"]
    texts = [event.text for event in run(ear, sound(12.0, words), 1_600) if not isinstance(event, Segment)]
    assert texts == ["And so, my0", "And so,"]


def test_a_slow_machine_looks_less_often(monkeypatch):
    """Looking takes three seconds each time: at most a third of the time goes into it, and the script settles all the same."""
    words, clock = script(60.0), itertools.count(0.0, 3.0)
    monkeypatch.setattr(growing, "monotonic", lambda: next(clock))
    ear = Scripted(words)
    events = run(ear, sound(60.0, words), 1_600)
    assert np.diff(ear.glimpses).min() >= growing.PATIENCE * 3.0
    assert len(ear.glimpses) >= 5
    assert " ".join(event.text for event in finals(events)).split() == [word.text.strip() for word in words]


def test_silence_costs_nothing():
    ear = Scripted([])
    live = session(ear)
    for _ in range(600):
        assert not list(live.push(np.zeros(RATE, np.float32)))
        assert live._sound._samples.size <= growing.KEPT * RATE
    assert not list(live.finish())
    assert (ear.calls, ear.glimpses, ear.languages) == ([], [], 0)


def test_memory_does_not_grow_with_the_stream():
    words = script(300.0, [(n, n + 1.0) for n in range(33, 300, 33)])
    live, most = session(Scripted(words)), 0
    samples = sound(300.0, words)
    for n in range(0, samples.size, 1_600):
        list(live.push(samples[n : n + 1_600]))
        most = max(most, live._sound._samples.size)
    assert most <= (growing.WINDOW + growing.LONG + growing.AGAIN) * RATE
    assert len(live._said) <= growing.PROMPT


def test_a_piece_in_which_nothing_is_said_does_not_stop_the_rest():
    """Noise that the detector takes for speech, longer than a window."""
    words = script(80.0, [(1.0, 60.0)])
    samples = sound(80.0, words)
    noise = slice(2 * RATE, 50 * RATE)
    samples[noise] = START + STEP * np.arange(noise.start, noise.stop)
    settled_segments = finals(run(Scripted(words), samples, 1_600))
    assert " ".join(segment.text for segment in settled_segments).split() == [word.text.strip() for word in words]


def worded(text, pitch=1.0, length=0.8):
    return [Word(f" {one}", n * pitch, n * pitch + length) for n, one in enumerate(text.split())]


def test_words_agree_without_their_case_and_marks():
    assert agreed("and so my".split(), "And so, my fellow".split()) == 3
    assert agreed("and so am".split(), "And so, my fellow".split()) == 2
    assert agreed([], ["And"]) == 0
    assert agreed(["-", "x"], ["–", "x"]) == 0


@pytest.mark.parametrize(
    ("text", "want"),
    [("the former the former", 2), ("Yes. Yes.", 1), ("said Bill", 2), ("", 0)],
)
def test_the_first_words_are_shown_once(text, want):
    assert once(text.split()) == want


@pytest.mark.parametrize(
    ("text", "limit", "want"),
    [
        ("a b c d. e f g. h i j", 9.0, 7),  # the last sentence that ends before the limit
        ("a. b c d e f g h i j", 9.0, 9),  # one in the first half would leave the window long
        ("a b c", 0.5, 0),  # nothing ends in time
        ("", 5.0, 0),
    ],
)
def test_a_boundary_is_a_sentence_that_ends_in_time(text, limit, want):
    words = worded(text)
    assert boundary(words, len(words), limit) == want


def test_without_sentences_a_boundary_is_the_longest_pause_that_both_agree_on():
    words = worded("a b c d e f g h i j")
    moved = [Word(w.text, w.start + 0.6 * (n >= 6), w.end + 0.6 * (n >= 6)) for n, w in enumerate(words)]
    assert boundary(moved, len(moved), 9.0) == 6
    assert boundary(moved, 4, 9.0) == 4


def test_what_is_settled_is_found_again_though_times_differ():
    words = worded("a b c d e")
    assert settled(words, 2.9, "c") == 3
    assert settled(words, 2.3, "c") == 3  # by the time it would be 2
    assert settled(words, 3.5, "C.") == 3  # ... or 4
    assert settled(words, 2.9, "other") == 3
    assert settled(words, 0.0, "") == 0


def test_a_tail_begins_with_a_whole_word():
    text = " ".join(f"word{n}" for n in range(100))
    assert len(tail(text)) <= growing.PROMPT
    assert text.endswith(" " + tail(text))
    assert tail("x" * 500) == "x" * growing.PROMPT
    assert tail("short") == "short"


@pytest.fixture(scope="module")
def whisper():
    """A Whisper with its published weights, if this machine has one."""
    for name in ("whisper-tiny.en", "whisper-base"):
        try:
            if locate(name, "transcribe", offline=True).path is None:
                continue
        except AudiocliError:
            continue
        return load(name, "transcribe", Recogniser, ModelOptions(offline=True, device="cpu"), TranscribeOptions())
    pytest.skip("no published Whisper on this machine")


@pytest.mark.slow
def test_published_weights_say_live_what_they_say_of_a_file(whisper, real):
    """Two utterances with pauses: nearly the file's words, and the first text soon after the first word."""
    paths = sorted((real / "data" / "mini-librispeech").glob("*/*.opus"))[100:102]
    gap = np.zeros(RATE, np.float32)
    samples = np.concatenate(
        [part for path in paths for part in (gap, read(path, sample_rate=RATE, mono=True).samples[0])]
    )
    (record,) = whisper([Audio(samples[None], RATE, "x")])
    live, shown = whisper.listen(), []
    events = []
    for n in range(0, samples.size, 1_600):
        for event in live.push(samples[n : n + 1_600]):
            events.append(event)
            shown += [] if isinstance(event, Segment) else [(n + 1_600) / RATE]
    events += live.finish()
    want, got = (
        [growing.plain(word) for word in " ".join(part.text for part in found).split()]
        for found in (record.segments, finals(events))
    )
    wrong = len(want) - sum(
        block.size for block in SequenceMatcher(None, want, got, autojunk=False).get_matching_blocks()
    )
    assert len(want) > 30
    assert wrong <= 0.1 * len(want)
    assert abs(len(got) - len(want)) <= 0.1 * len(want)
    assert shown[0] - record.segments[0].start <= 2.0  # of the recording, as if hearing took no time

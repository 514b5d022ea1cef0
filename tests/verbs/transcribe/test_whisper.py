"""Whisper and Moonshine: texts and times of a model that knows four utterances, windows, failures, loops, languages."""

import numpy as np
import pytest
import torch

from audiocli.audio import Audio, level
from audiocli.errors import UsageError
from audiocli.records import Word
from audiocli.verbs.transcribe import cross_attention
from audiocli.verbs.transcribe import moonshine as asr_moonshine
from audiocli.verbs.transcribe.whisper import engine as asr_whisper
from audiocli.verbs.transcribe.whisper import reading
from audiocli.verbs.transcribe.whisper.reading import Reading
from audiocli.verbs.transcribe.whisper.timed import by_span
from audiocli.verbs.transcribe.whisper.tokens import Span, Tokens, spans
from tests.models import tiny

TEXTS = [each.text for each in tiny.UTTERANCES]
NEAR = 0.15  # s


@pytest.fixture(scope="session")
def folder(shared, tmp_path_factory):
    return tiny.trained("whisper", shared, tmp_path_factory)


@pytest.fixture(scope="session")
def random(tmp_path_factory):
    return tiny.untrained("whisper", tmp_path_factory.mktemp("random"))


@pytest.fixture(scope="session")
def tokens():
    tokenizer = tiny.whisper_tokenizer()
    return Tokens.of(tokenizer, multilingual=True)


@pytest.fixture(scope="session")
def clips(shared):
    return tiny.clips(shared)


def noise(seconds, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, (1, int(seconds * tiny.RATE))).astype(np.float32)


def behind(clips, seconds=tiny.WINDOW):
    """The clips in one, each in so many seconds."""
    size = int(seconds * tiny.RATE)
    return Audio(
        np.concatenate([np.pad(clip.samples, ((0, 0), (0, size - clip.samples.shape[1]))) for clip in clips], axis=1),
        tiny.RATE, "long",
    )  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"beam": 3}, {"language": "English"}, {"temperature": 0.1}])
def test_it_says_what_it_has_learnt_alone_and_in_company(folder, clips, options):
    run = tiny.runner(asr_whisper.load, folder, **options)
    together = run(clips)
    assert [record.text for record in together] == TEXTS
    assert {(record.status, record.language) for record in together} == {("ok", "en")}
    assert [record.path for record in together] == [clip.name for clip in clips]
    if "temperature" not in options:  # draws are repeatable, but those of a batch are one stream
        assert tiny.same(together, [run([clip])[0] for clip in clips])


def test_segments_stand_where_the_times_said_have_them(folder, clips):
    for utterance, record in zip(tiny.UTTERANCES, tiny.runner(asr_whisper.load, folder)(clips), strict=True):
        (segment,) = record.segments
        assert (segment.start, segment.end) == pytest.approx((utterance.starts[0], utterance.end), abs=0.05)
        assert 0.5 < segment.probability <= 1


def timed(record, utterance):
    """The one segment of an utterance, its words where they should be."""
    (segment,) = record.segments
    assert [word.text for word in segment.words] == utterance.text.split()
    assert [word.start for word in segment.words] == pytest.approx(utterance.starts, abs=NEAR)
    assert (segment.start, segment.end) == (segment.words[0].start, segment.words[-1].end)
    return segment


def test_words_stand_where_pocketsphinx_has_them(folder, clips):
    run = tiny.runner(asr_whisper.load, folder, timestamps="word")
    together = run(clips)
    for utterance, record in zip(tiny.UTTERANCES, together, strict=True):
        segment = timed(record, utterance)
        assert segment.words[-1].end == pytest.approx(utterance.end, abs=NEAR)
        assert all(0.5 < word.probability <= 1 for word in segment.words)
    assert tiny.same(together, [run([clip])[0] for clip in clips])


def test_a_long_clip_goes_window_by_window(folder, clips):
    long = behind([clips[n] for n in (0, 3, 1, 1, 2)])
    short = clips[2]
    record, other = tiny.runner(asr_whisper.load, folder, timestamps="word")([long, short])
    assert record.text == " ".join(TEXTS[n] for n in (0, 3, 1, 1, 2))
    assert other.text == TEXTS[2]
    for n, (window, segment) in enumerate(zip((0, 3, 1, 1, 2), record.segments, strict=True)):
        starts = [tiny.WINDOW * n + start for start in tiny.UTTERANCES[window].starts]
        assert [word.start for word in segment.words] == pytest.approx(starts, abs=NEAR)


def test_silence_is_not_heard(random, monkeypatch):
    run = tiny.runner(asr_whisper.load, random)
    monkeypatch.setattr(run, "_read", None)
    for samples in (np.zeros((1, 8_000), np.float32), np.zeros((1, 0), np.float32), 1e-4 * noise(1)):
        (record,) = run([Audio(samples, tiny.RATE, "quiet")])
        assert (record.text, record.segments, record.status) == ("", (), "no_speech")
        assert record.dropped[0].startswith("silence")


def test_a_silent_window_is_passed_over(folder, clips):
    gap = Audio(np.zeros((1, tiny.RATE), np.float32), tiny.RATE)
    (record,) = tiny.runner(asr_whisper.load, folder)([behind([clips[0], gap, clips[1]])])
    assert record.text == f"{TEXTS[0]} {TEXTS[1]}"
    assert record.dropped == ("silence: 3.0-6.0 s",)
    assert record.segments[1].start == pytest.approx(6 + tiny.UTTERANCES[1].starts[0], abs=0.05)


def test_company_changes_nothing_for_random_weights(random, monkeypatch):
    monkeypatch.setattr(reading, "HOTTER", 1.0)  # one more try: nothing that it says is any good
    clips = [Audio(noise(length, n), tiny.RATE, str(n)) for n, length in enumerate((0.05, 2.0, 7.3, 3.0))]
    run = tiny.runner(asr_whisper.load, random, language="fr")
    together = run(clips)
    assert [record.path for record in together] == ["0", "1", "2", "3"]
    assert tiny.same(together, [run([clip])[0] for clip in clips])
    assert {record.language for record in together} == {"fr"}


def test_sixteen_bits_work(random):
    run = tiny.runner(asr_whisper.load, random, dtype="bfloat16", timestamps="word")
    assert len(run([Audio(noise(1), tiny.RATE), Audio(noise(2), tiny.RATE)])) == 2


def test_the_prompt_and_hot_words_come_first(folder, tokens):
    run = tiny.runner(asr_whisper.load, folder, prompt="AT HOME", hotwords=("ABBEY",))
    assert run._prompt[0] == tokens.previous
    assert tokens.text(run._prompt[1:]) == " AT HOME, ABBEY"
    run = tiny.runner(asr_whisper.load, folder, prompt="A" * 1_000)
    assert len(run._prompt) == 48  # half of what the decoder takes


@pytest.mark.parametrize("options", [{"language": "xx"}, {"language": "de"}])
def test_a_language_that_it_does_not_know_is_refused(random, options):
    with pytest.raises(UsageError, match="this model knows en, fr"):
        tiny.runner(asr_whisper.load, random, **options)


def test_an_english_model_knows_english_only(tokens):
    english = Tokens(tokens.tokenizer, *[getattr(tokens, name) for name in (
        "end", "start", "previous", "no_speech", "no_times", "tasks")], languages={})  # fmt: skip
    assert english.language(None) == english.language("English") == "en"
    assert english.asked("en", "transcribe") == [english.start]
    with pytest.raises(UsageError, match="English only"):
        english.language("fr")


def test_translations_are_english(folder, clips):
    run = tiny.runner(asr_whisper.load, folder, translate=True, language="fr")
    assert run._tokens.asked("fr", "translate")[1:] == [
        run._tokens.tokenizer.convert_tokens_to_ids(name) for name in ("<|fr|>", "<|translate|>")
    ]
    assert {record.language for record in run(clips)} == {"en"}


# Failures

GOOD, LOOP, GUESS = (
    Reading([1], -0.2, 0.0, 1.0), Reading([2], -0.1, 0.0, 9.0), Reading([3], -2.0, 0.1, 1.0),
)  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "kept", "heat"),
    [([GOOD], GOOD, [0.0]), ([LOOP, GUESS, GOOD], GOOD, [0.0, 0.2, 0.4]), ([GUESS, *[LOOP] * 5], GUESS, None)],
)
def test_failures_are_read_again_hotter(random, monkeypatch, answers, kept, heat):
    run = tiny.runner(asr_whisper.load, random)
    asked = []

    def read(encoded, given, temperature):
        asked.append(round(temperature, 1))
        return [answers[len(asked) - 1]]

    monkeypatch.setattr(run._decoder, "_read", read)
    assert run._decoder.read(torch.zeros(1, 150, 64), [[1]]) == [kept]
    assert asked == (heat or [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])


def test_windows_without_speech_are_dropped(random, monkeypatch):
    run = tiny.runner(asr_whisper.load, random, language="en")
    monkeypatch.setattr(run._decoder, "_read", lambda *args: [Reading([1, 2, 3], -1.5, 0.9, 1.0)])
    (record,) = run([Audio(noise(2.5), tiny.RATE)])
    assert (record.text, record.status) == ("", "no_speech")
    assert record.dropped == ("no speech: 0.0-2.5 s (probability 0.90)",)


# Times


def test_spans_follow_the_timestamps(tokens):
    def t(seconds):
        return tokens.zero + round(seconds / 0.02)

    assert spans([t(0), 5, 6, t(1), t(1), 7, t(2)], tokens, 3.0) == ([Span(0, 1, [5, 6]), Span(1, 2, [7])], None)
    assert spans([t(0.1), 5, t(1), t(1.2), 7], tokens, 3.0) == ([Span(0.1, 1, [5])], 1.0)  # cut: read on from 1 s
    assert spans([t(0), 5, t(1), t(1)], tokens, 3.0) == ([Span(0, 1, [5])], 1.0)
    assert spans([t(0), 5, t(2)], tokens, 1.5) == ([Span(0, 1.5, [5])], None)  # no time behind the sound
    assert spans([t(0), 5], tokens, 1.5) == ([Span(0, 1.5, [5])], None)
    assert spans([5, 6], tokens, 1.5) == ([Span(0, 1.5, [5, 6])], None)
    assert spans([], tokens, 1.5) == ([Span(0, 1.5, [])], None)


def test_tokens_are_put_into_words(tokens):
    def words(text, language="en"):
        numbers = tokens.tokenizer.encode(text, add_special_tokens=False)
        found = tokens.words(numbers, language)
        assert [number for _, group in found for number in group] == numbers
        return [word for word, _ in found]

    assert words(" HE SAID, “NO!”") == [" HE", " SAID,", " “NO!”"]
    assert words(" é à") == [" é", " à"]
    assert words("日本。語", "ja") == ["日", "本。", "語"]
    assert words(" DON'T (OR DO) ...") == [" DON'T", " (OR", " DO)", " ..."]
    assert words("") == []


@pytest.mark.parametrize("seed", range(20))
def test_the_path_is_the_cheapest(seed):
    random = np.random.default_rng(seed)
    rows, columns = random.integers(1, 6), random.integers(6, 12)
    cost = random.normal(size=(rows, columns))
    total = np.full((rows, columns), np.inf)
    for i in range(rows):
        for j in range(columns):
            steps = [total[i - 1, j] if i else np.inf, total[i, j - 1] if j else np.inf]
            steps.append(total[i - 1, j - 1] if i and j else np.inf if i or j else 0.0)
            total[i, j] = cost[i, j] + min(steps)
    i, j, firsts = rows - 1, columns - 1, [0] * rows
    while (i, j) != (0, 0):
        firsts[i] = j
        steps = [(a, b) for a, b in ((i - 1, j - 1), (i, j - 1), (i - 1, j)) if a >= 0 and b >= 0]
        i, j = min(steps, key=lambda step: total[step])
    firsts[0] = 0
    assert cross_attention.warped(cost) == firsts


def test_words_at_the_edges_are_believed_less_than_timestamps():
    timed = [(Word(" A", 0.0, 2.0), 1), (Word(" B", 2.0, 2.3), 1), (Word(" C", 2.3, 4.0), 1)]
    ((first, _, last),) = by_span([Span(1.6, 2.6, [1, 2, 3])], timed)
    assert first.start == pytest.approx(1.3)
    assert last.end == pytest.approx(3.0)


def test_the_loud_part_is_what_sounds():
    samples = np.concatenate([1e-4 * noise(0.5)[0], noise(1)[0], 1e-4 * noise(0.5)[0]])
    assert level.loud_part(samples, tiny.RATE) == pytest.approx((0.46, 1.54))
    assert level.loud_part(np.zeros(160, np.float32), tiny.RATE) == (0.0, 0.01)


# Moonshine


@pytest.fixture(scope="session")
def moonshine(tmp_path_factory):
    return tiny.untrained("moonshine", tmp_path_factory.mktemp("moonshine"))


@pytest.mark.parametrize("beam", [1, 3])
def test_moonshine_says_the_same_in_company(moonshine, beam):
    clips = [Audio(noise(length, n), tiny.RATE, str(n)) for n, length in enumerate((0.05, 2.0, 4.1, 3.0))]
    clips.insert(2, Audio(np.zeros((1, 9_000), np.float32), tiny.RATE, "quiet"))
    run = tiny.runner(asr_moonshine.load, moonshine, beam=beam)
    together = run(clips)
    assert [record.path for record in together] == ["0", "1", "quiet", "2", "3"]
    assert together[2].status == "no_speech"
    assert tiny.same(together, [run([clip])[0] for clip in clips])
    assert len({record.text for record in together}) > 2


def test_moonshine_cuts_where_it_is_quiet(moonshine):
    samples = noise(70)[0]
    samples[int(25 * tiny.RATE) : int(25.4 * tiny.RATE)] *= 0.01
    pieces = list(asr_moonshine.pieces_of(samples, tiny.RATE))
    assert pieces[1][0] == pytest.approx(25.2, abs=0.15)
    assert sum(len(piece) for _, piece in pieces) == len(samples)
    assert max(len(piece) for _, piece in pieces) <= 30 * tiny.RATE


def test_words_of_moonshine_stand_where_pocketsphinx_has_them(shared, tmp_path_factory, clips):
    folder = tiny.trained("moonshine", shared, tmp_path_factory)
    run = tiny.runner(asr_moonshine.load, folder, timestamps="word")
    together = run(clips)
    for utterance, record in zip(tiny.UTTERANCES, together, strict=True):
        segment = timed(record, utterance)
        assert segment.words[-1].end == pytest.approx(utterance.end, abs=0.25)  # a single token gives it
    assert tiny.same(together, [run([clip])[0] for clip in clips])
    plain = tiny.runner(asr_moonshine.load, folder)(clips)
    assert [record.text for record in plain] == [utterance.text for utterance in tiny.UTTERANCES]
    assert not plain[0].segments[0].words

"""CTC encoders: texts and times of a model that knows four utterances, batches, long clips, beams; every family's shapes."""

import gzip
import itertools
import math

import numpy as np
import pytest
import torch
from torchaudio.functional import forced_align

from audiocli.audio import Audio
from audiocli.errors import UsageError
from audiocli.verbs.transcribe import arpa, ctc, ctc_words
from audiocli.verbs.transcribe.masked import MaskedGroupNorm
from tests.models import tiny

TEXTS = [each.text for each in tiny.UTTERANCES]
NEAR = 0.15  # s


@pytest.fixture(scope="session")
def folder(shared, tmp_path_factory):
    return tiny.trained("ctc", shared, tmp_path_factory)


@pytest.fixture(scope="session")
def clips(shared):
    return tiny.clips(shared)


def noise(seconds, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, (1, int(seconds * tiny.RATE))).astype(np.float32)


def sounds(*lengths):
    return [Audio(noise(length, n), tiny.RATE, f"{n}") for n, length in enumerate(lengths)]


def test_it_says_what_it_has_learnt_alone_and_in_company(folder, clips):
    run = tiny.runner(ctc.load, folder)
    together = run(clips)
    assert [record.text for record in together] == TEXTS
    assert tiny.same(together, [run([clip])[0] for clip in clips])
    assert [record.path for record in together] == [clip.name for clip in clips]
    assert {record.status for record in together} == {"ok"}


def test_words_stand_where_a_forced_alignment_has_them(folder, clips):
    run = tiny.runner(ctc.load, folder, timestamps="word")
    names = {letter: 5 + n for n, letter in enumerate(tiny.LETTERS)} | {" ": 4}
    emissions = run.emissions([clip.samples[0] for clip in clips])
    for utterance, record, log_probs in zip(tiny.UTTERANCES, run(clips), emissions, strict=True):
        targets = torch.tensor([[names[letter] for letter in utterance.text]], dtype=torch.int32)
        path, _ = forced_align(torch.from_numpy(log_probs)[None], targets, blank=0)
        words = [word for segment in record.segments for word in segment.words]
        assert [word.text for word in words] == utterance.text.split()
        spoken = np.flatnonzero(path[0].numpy() > 4)  # frames with letters
        assert words[0].start == pytest.approx(spoken[0] * 0.02, abs=NEAR)
        assert words[-1].end == pytest.approx(spoken[-1] * 0.02 + 0.02, abs=NEAR)
        tokens = ctc_words.aligned(log_probs, targets[0].tolist(), run._alphabet)
        for word, other in zip(words, ctc_words.words(tokens, run._alphabet, run.frame), strict=True):
            assert (word.start, word.end) == pytest.approx((other.start, other.end), abs=NEAR)


def test_words_stand_where_pocketsphinx_has_them(folder, clips):
    for utterance, record in zip(tiny.UTTERANCES, tiny.runner(ctc.load, folder, timestamps="word")(clips), strict=True):
        words = [word for segment in record.segments for word in segment.words]
        assert [word.start for word in words] == pytest.approx(utterance.starts, abs=NEAR)
        assert words[-1].end == pytest.approx(utterance.end, abs=NEAR)
        assert all(0.5 < word.probability <= 1 for word in words)


def test_a_long_clip_in_chunks_says_what_the_whole_does(folder, clips, monkeypatch):
    order = (0, 2, 1, 3, 1, 0, 3, 2)
    long = Audio(np.concatenate([0.1 * tiny.normal(clips[n].samples) for n in order], axis=1), tiny.RATE, "long")
    run = tiny.runner(ctc.load, folder, timestamps="word")
    (whole,) = run([long])
    assert whole.text == " ".join(TEXTS[n] for n in order)
    monkeypatch.setattr(ctc, "CHUNK", 5.0)
    monkeypatch.setattr(ctc, "CONTEXT", 1.5)
    (cut, other) = run([long, clips[0]])
    assert cut.text == whole.text
    assert other.text == TEXTS[0]
    times = [[word.start for segment in record.segments for word in segment.words] for record in (whole, cut)]
    assert times[0] == pytest.approx(times[1], abs=0.05)


def test_a_beam_finds_the_same_texts(folder, clips):
    run = tiny.runner(ctc.load, folder, beam=4)
    assert [record.text for record in run(clips)] == TEXTS


def test_pauses_end_segments(folder, clips):
    gap = np.zeros((1, tiny.RATE), np.float32)
    both = Audio(np.concatenate([clips[1].samples, gap, clips[2].samples], axis=1), tiny.RATE)
    (record,) = tiny.runner(ctc.load, folder)([both])
    assert [segment.text for segment in record.segments] == [TEXTS[1], TEXTS[2]]
    assert record.text == f"{TEXTS[1]} {TEXTS[2]}"


@pytest.mark.parametrize("samples", [np.zeros((1, 8_000), np.float32), np.zeros((1, 0), np.float32), 1e-4 * noise(1)])
def test_silence_is_not_heard(tmp_path, monkeypatch, samples):
    run = tiny.runner(ctc.load, tiny.untrained("wav2vec2", tmp_path))
    monkeypatch.setattr(run, "_forward", None)
    (record,) = run([Audio(samples, tiny.RATE, "quiet")])
    assert (record.text, record.segments, record.status) == ("", (), "no_speech")
    assert record.dropped[0].startswith("silence")


FAMILIES = [
    "wav2vec2-group", "wav2vec2-layer", "hubert-group", "hubert-layer", "wavlm-group", "wavlm-layer", "unispeech-group",
    "unispeechsat-group", "sew-group", "data2vec-group", "conformer-group", "parakeet", "wav2vec2bert",
]  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_company_changes_nothing(family, tmp_path):
    run = tiny.runner(ctc.load, tiny.untrained(family, tmp_path))
    clips = sounds(0.05, 2.0, 0.7, 1.31)
    together = run.emissions([clip.samples[0] for clip in clips])
    for clip, emission in zip(clips, together, strict=True):
        (alone,) = run.emissions([clip.samples[0]])
        assert alone.shape == emission.shape
        assert len(alone) == pytest.approx(max(clip.duration, 0.2) / run.frame, abs=1.5)
        np.testing.assert_allclose(emission, alone, atol=2e-4)
    records = run(clips)
    assert [record.path for record in records] == ["0", "1", "2", "3"]
    assert tiny.same(records, [run([clip])[0] for clip in clips])
    assert not np.allclose(together[1][:4], together[2][:4], atol=0.01)  # or there was nothing to compare


def test_sixteen_bits_work(tmp_path):
    run = tiny.runner(ctc.load, tiny.untrained("wav2vec2-group", tmp_path), dtype="bfloat16")
    assert len(run(sounds(0.5, 1.0))) == 2


def test_the_masked_norm_is_the_plain_one_on_each_clip():
    torch.manual_seed(0)
    conv = torch.nn.Conv1d(1, 6, 10, stride=5)
    for groups in (1, 2, 6):
        norm = torch.nn.GroupNorm(groups, 6)
        torch.nn.init.normal_(norm.weight)
        masked = MaskedGroupNorm(norm, conv)
        values = 3 + torch.randn(2, 1, 200)
        values[0, :, 90:] = 0
        masked.lengths = torch.tensor([90, 200])
        made = masked(conv(values))
        torch.testing.assert_close(made[:1, :, :17], norm(conv(values[:1, :, :90])), atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(made[1:], norm(conv(values[1:])), atol=1e-5, rtol=1e-4)


def test_a_model_of_many_languages_takes_one(tmp_path):
    folder = tiny.many_languages(tmp_path)
    clips = sounds(1.0, 0.5)
    english, french = (tiny.runner(ctc.load, folder, language=language) for language in ("eng", "fra"))
    assert english._alphabet.texts[5] == "A"
    assert french._alphabet.texts[5] == "É"
    assert not np.allclose(*(run.emissions([clips[0].samples[0]])[0] for run in (english, french)), atol=0.01)
    assert {record.language for record in french(clips)} == {"fra"}
    with pytest.raises(UsageError, match="this model has eng, fra"):
        tiny.runner(ctc.load, folder, language="xyz")


# Decoding

CAT = ctc_words.Alphabet((None, " ", "A", "C", "T", "U"), 0)


def log_probs(*frames):
    """Each frame as {symbol: probability}, the rest shared out."""
    made = np.full((len(frames), 6), 1e-6)
    for row, frame in zip(made, frames, strict=True):
        for symbol, probability in frame.items():
            row[symbol] = probability
    return np.log(made / made.sum(1, keepdims=True)).astype(np.float32)


def said(tokens):
    return "".join(CAT.texts[token.symbol] for token in tokens)


def test_repeats_merge_and_blanks_part():
    frames = log_probs({3: 1}, {3: 1}, {0: 1}, {2: 1}, {0: 1}, {2: 0.6}, {4: 1}, {1: 1}, {2: 1})
    tokens = ctc_words.greedy(frames, CAT)
    assert said(tokens) == "CAAT A"
    first, second = ctc_words.words(tokens, CAT, 0.02)
    assert (first.text, first.start, first.end) == ("CAAT", 0.0, pytest.approx(0.14))
    assert (second.text, second.start, second.end) == ("A", pytest.approx(0.16), pytest.approx(0.18))


def test_nothing_but_blanks_is_no_word():
    frames = log_probs({0: 1}, {1: 1}, {0: 1})
    assert ctc_words.words(ctc_words.greedy(frames, CAT), CAT, 0.02) == ()
    assert ctc_words.greedy(np.zeros((0, 6), np.float32), CAT) == []
    assert ctc_words.beam(log_probs({0: 1}, {0: 1}), CAT, 4) == []


@pytest.mark.parametrize("seed", range(8))
def test_a_wide_beam_is_the_sum_over_all_paths(seed):
    frames = np.log(np.random.default_rng(seed).dirichlet(np.full(4, 0.7), 5)).astype(np.float32)
    alphabet = ctc_words.Alphabet((None, "a", "b", "c"), 0)
    totals = {}
    for path in itertools.product(range(4), repeat=5):
        text = tuple(symbol for symbol, _ in itertools.groupby(path) if symbol)
        totals[text] = totals.get(text, 0.0) + math.exp(sum(frames[n, symbol] for n, symbol in enumerate(path)))
    found = ctc_words.beam(frames, alphabet, 1_000)
    assert tuple(token.symbol for token in found) == max(totals, key=totals.get)


def test_hot_words_tip_the_scale():
    frames = log_probs({3: 1}, {2: 0.3, 5: 0.7}, {4: 1}, {1: 1}, {2: 1})
    assert said(ctc_words.beam(frames, CAT, 8)) == "CUT A"
    assert said(ctc_words.beam(frames, CAT, 8, ("cat",))) == "CAT A"
    assert said(ctc_words.beam(frames, CAT, 8, ("cats",))) == "CUT A"  # a beginning that leads nowhere is worth nothing
    assert said(ctc_words.beam(frames[:3], CAT, 8, ("cat",))) == "CAT"


GRAMMAR = """
\\data\\
ngram 1=6
ngram 2=3

\\1-grams:
-99 <s> -0.3
-1.2 </s>
-0.9 Cat -0.2
-0.8 cut -0.1
-1.0 a -0.4
-1.5 <unk>

\\2-grams:
-0.1 cat a
-1.9 cut a
-0.6 <s> cat

\\end\\
"""


@pytest.fixture
def grammar(tmp_path):
    (tmp_path / "x.arpa").write_text(GRAMMAR)
    return arpa.read(str(tmp_path / "x.arpa"))


def test_ngrams_back_off(grammar, tmp_path):
    (tmp_path / "x.arpa.gz").write_bytes(gzip.compress(GRAMMAR.encode()))
    assert arpa.read(str(tmp_path / "x.arpa.gz")) == grammar
    assert grammar.order == 2
    ten = math.log(10)
    assert grammar.score(("<s>",), "CAT") == pytest.approx(-0.6 * ten)
    assert grammar.score(("<s>",), "cut") == pytest.approx((-0.3 - 0.8) * ten)
    assert grammar.score(("so", "cat"), "a") == pytest.approx(-0.1 * ten)
    assert grammar.score(("a",), "dog") == pytest.approx((-0.4 - 1.5) * ten)
    assert grammar.score((), "a") == pytest.approx(-1.0 * ten)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no n-grams"),
        ("hello\nworld", "no n-grams"),
        (GRAMMAR[: GRAMMAR.index("\\2")], "ends too early"),
        (GRAMMAR.replace("-0.1 cat a", "-0.1 cat a a a"), "among the 2-grams"),
        (GRAMMAR.replace("-0.1 cat a", "x cat a"), "could not convert"),
        (None, "No such file"),
    ],
)
def test_other_files_than_arpa_are_refused(tmp_path, text, words):
    if text is not None:
        (tmp_path / "x.arpa").write_text(text)
    with pytest.raises(UsageError, match=rf"--lm .*x.arpa.*{words}"):
        arpa.read(str(tmp_path / "x.arpa"))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_a_wide_beam_with_ngrams_is_the_best_sum(seed, weight, grammar):
    """Against all paths: each text's probability with its words' and its end's."""
    frames = np.log(np.random.default_rng(seed).dirichlet(np.full(5, 0.7), 5)).astype(np.float32)
    alphabet = ctc_words.Alphabet((None, " ", "cat", "cut", "a"), 0)
    totals = {}
    for path in itertools.product(range(5), repeat=5):
        text = tuple(symbol for symbol, _ in itertools.groupby(path) if symbol)
        totals[text] = totals.get(text, 0.0) + math.exp(sum(frames[n, symbol] for n, symbol in enumerate(path)))

    def value(text):
        words = "".join(alphabet.texts[symbol] for symbol in text).split()
        after = [word if (word,) in grammar.known else "<unk>" for word in ["<s>", *words]]
        scores = [grammar.score(after[:n], word) for n, word in enumerate([*words, "</s>"], 1)]
        return math.log(totals[text]) + weight * sum(scores) + ctc_words.WORD * len(words)

    found = tuple(token.symbol for token in ctc_words.beam(frames, alphabet, 10_000, (), grammar, weight))
    assert value(found) == pytest.approx(max(map(value, totals)))


def test_ngrams_tip_the_scale(grammar):
    frames = log_probs({3: 1}, {2: 0.3, 5: 0.7}, {4: 1}, {1: 1}, {2: 1})
    assert said(ctc_words.beam(frames, CAT, 8)) == "CUT A"
    assert said(ctc_words.beam(frames, CAT, 8, (), grammar, 0.5)) == "CAT A"


def test_ngrams_reach_the_runner(folder, clips, tmp_path):
    words = sorted({word for text in TEXTS for word in text.split()})
    pairs = sorted({pair for text in TEXTS for pair in itertools.pairwise(("<s>", *text.split(), "</s>"))})
    lines = ["\\data\\", "\\1-grams:", *[f"-2 {word} -1" for word in (*words, "<s>", "</s>")]]
    lines += ["\\2-grams:", *[f"-0.3 {a} {b}" for a, b in pairs], "\\end\\"]
    (tmp_path / "x.arpa").write_text("\n".join(lines))
    run = tiny.runner(ctc.load, folder, lm=str(tmp_path / "x.arpa"))
    assert [record.text for record in run(clips)] == TEXTS


def test_pieces_begin_words():
    class Pieces:
        all_special_tokens = ("<unk>", "<pad>")

        def get_vocab(self):
            return {"<unk>": 0, "▁the": 1, "▁c": 2, "at": 3, "<pad>": 4}

    class Config:
        pad_token_id, vocab_size = 4, 5

    alphabet = ctc_words.Alphabet.of(Pieces(), Config())
    assert alphabet == ctc_words.Alphabet((None, " the", " c", "at", None), 4)
    tokens = [ctc_words.Token(1, 0, 1, 1.0), ctc_words.Token(2, 3, 4, 0.5), ctc_words.Token(3, 5, 6, 1.0)]
    assert [(word.text, word.probability) for word in ctc_words.words(tokens, alphabet, 0.08)] == [
        ("the", 1.0),
        ("cat", 0.75),
    ]

"""faster-whisper: the texts and times of the Whisper that knows four utterances, once ctranslate2 has converted it."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from audiocli.audio import Audio
from audiocli.device import Device
from audiocli.errors import UsageError
from audiocli.models.load import load
from audiocli.options import ModelOptions, TranscribeOptions
from audiocli.verbs.transcribe import faster
from audiocli.verbs.transcribe.recogniser import Recogniser
from audiocli.verbs.transcribe.whisper.features import log_mel
from audiocli.verbs.transcribe.whisper.tokens import Tokens
from tests.conftest import TIMEOUT
from tests.models import tiny

TEXTS = [each.text for each in tiny.UTTERANCES]
NEAR = 0.15  # s
HEAVY = {"torch", "transformers", "numba", "scipy", "matplotlib", "av", "onnxruntime", "faster_whisper"}


@pytest.fixture(scope="session")
def folder(shared, tmp_path_factory):
    """The trained Whisper, converted."""
    from ctranslate2.converters import TransformersConverter

    trained = tiny.trained("whisper", shared, tmp_path_factory)
    converter = TransformersConverter(str(trained), copy_files=["tokenizer.json", "preprocessor_config.json"])
    made = tmp_path_factory.mktemp("faster") / "converted"
    converter.convert(str(made))
    config = json.loads((made / "config.json").read_text())
    # ctranslate2 has neither where a checkpoint's settings have none
    (made / "config.json").write_text(json.dumps({"suppress_ids": [], "suppress_ids_begin": [], **config}))
    return made


@pytest.fixture(scope="session")
def clips(shared):
    return tiny.clips(shared)


@pytest.fixture(autouse=True)
def short_windows(monkeypatch):
    """Our model knows windows of 3 s, filled with silence, and no shorter ones; its tokens are bytes."""
    for name, value in {"WINDOW": float(tiny.WINDOW), "STEP": float(tiny.WINDOW)}.items():
        monkeypatch.setattr(faster, name, value)
    monkeypatch.setattr(faster.CTranslate2Net, "room", 96)


def loaded(folder, precision="auto", **options):
    choice = ModelOptions(device="cpu", precision=precision)
    return load(str(folder), "transcribe", Recogniser, choice, TranscribeOptions(**options))


@pytest.mark.parametrize("options", [{}, {"beam": 3, "language": "English"}, {"precision": "float32"}])
def test_it_says_what_it_has_learnt(folder, clips, options):
    records = loaded(folder, **options)(clips)
    assert [record.text for record in records] == TEXTS
    assert {(record.status, record.language, record.model) for record in records} == {("ok", "en", "converted")}
    for utterance, record in zip(tiny.UTTERANCES, records, strict=True):
        (segment,) = record.segments
        assert segment.start == pytest.approx(utterance.starts[0], abs=0.1)
        assert segment.end == pytest.approx(utterance.end, abs=0.1)
        assert 0.5 < segment.probability <= 1


def test_words_have_times(folder, clips):
    for utterance, record in zip(tiny.UTTERANCES, loaded(folder, timestamps="word")(clips), strict=True):
        words = [word for segment in record.segments for word in segment.words]
        assert [word.text for word in words] == utterance.text.split()
        assert [word.start for word in words[1:]] == pytest.approx(utterance.starts[1:], abs=NEAR)
        assert words[0].start <= utterance.starts[0] + NEAR
        assert all(0 < word.probability <= 1 for word in words)


def test_silence_is_not_heard(folder):
    (record,) = loaded(folder)([Audio(np.zeros((1, 8_000), np.float32), tiny.RATE, "quiet")])
    assert (record.text, record.status) == ("", "no_speech")
    assert record.dropped[0].startswith("silence")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"language": "Klingon"}, "this model knows"),
        ({"precision": "float16"}, "float16"),
    ],
)
def test_what_it_cannot_do_is_said(folder, options, words):
    with pytest.raises(UsageError, match=words):
        loaded(folder, **options)


def test_features_are_those_of_the_library():
    """faster-whisper's own, over the same window."""
    from faster_whisper.feature_extractor import FeatureExtractor

    samples = np.random.default_rng(0).normal(0, 0.1, 35_000).astype(np.float32)
    samples[20_000:] = 0.0
    theirs = FeatureExtractor()(np.pad(samples, (0, 80_000 - len(samples))), padding=0)[:, :500]
    np.testing.assert_allclose(log_mel(samples, 500, 80), theirs, atol=1e-5)
    np.testing.assert_allclose(log_mel(samples, 100, 80)[:, :98], theirs[:, :98], atol=1e-5)


class Model:
    """A model whose answers are told beforehand; it notes the frames of the windows that it gets."""

    n_mels, is_multilingual = 80, False

    def __init__(self, *answers):
        self.answers, self.frames, self.ways = list(answers), [], []

    def encode(self, features):
        self.frames.append(np.array(features).shape[2])
        return features

    def generate(self, encoded, given, **ways):
        self.ways.append(ways)
        texts = [self.answers.pop(0) for _ in given]
        return [
            SimpleNamespace(sequences_ids=[tokens], scores=[score], no_speech_prob=silence)
            for tokens, score, silence in texts
        ]


END, ZERO = 1_000, 2_000
GOOD = [ZERO, *b" well", ZERO + 60], -0.2, 0.0
LOOP = [ZERO, *b" well" * 40, ZERO + 60], -0.2, 0.0
BEHIND = [ZERO, *b" well", ZERO + 60, ZERO + 160, *b" bye", ZERO + 180], -0.2, 0.0
GUESS = [ZERO, *b" bell", ZERO + 60], -1.5, 0.0
QUIET = [ZERO, *b" bell", ZERO + 60], -1.5, 0.9


@pytest.mark.parametrize(
    ("answers", "kept", "frames", "heats"),
    [
        ([GOOD], GOOD, [400], 0),
        ([QUIET], QUIET, [400], 0),
        ([LOOP, GOOD], GOOD, [400, 3_000], 0),
        ([BEHIND, GOOD], GOOD, [400, 3_000], 0),
        ([BEHIND, GUESS, LOOP, GOOD], GOOD, [400, 3_000, 3_000, 3_000], 2),
    ],
)
def test_a_short_window_that_fails_is_heard_in_full(monkeypatch, answers, kept, frames, heats):
    for name, value in {"WINDOW": 30.0, "STEP": 2.0}.items():
        monkeypatch.setattr(faster, name, value)
    tokenizer = SimpleNamespace(decode=lambda tokens: bytes(tokens).decode())
    tokens, model = Tokens(tokenizer, END, END, END, END, ZERO - 1, {}, {}), Model(*answers)
    net = faster.CTranslate2Net(model, tokens, TranscribeOptions(), Device("cpu"))
    sound = np.random.default_rng(0).normal(0, 0.1, 40_000).astype(np.float32)
    (reading,) = net.read(net.encode([sound]), [[END]])
    assert reading.tokens == kept[0]
    assert model.frames == frames
    assert [ways.get("sampling_temperature", 0) for ways in model.ways] == [0] * (len(frames) - heats) + [0.2, 0.4][
        :heats
    ]


def test_torch_is_not_imported(folder, shared, tmp_path):
    """The whole command, in a process of its own."""
    path = shared / "data" / "mini-librispeech" / tiny.UTTERANCES[0].path
    code = f"""
import sys
from audiocli.cli import app
from audiocli.verbs.transcribe import faster
faster.WINDOW = faster.STEP = {tiny.WINDOW}.0
faster.CTranslate2Net.room = 96
app(["transcribe", "-q", "-m", {str(folder)!r}, {str(path)!r}], standalone_mode=False)
print(sorted({HEAVY!r} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT, check=True)
    assert (run.stdout, run.stderr) == (f"{TEXTS[0]}\n[]\n", "")

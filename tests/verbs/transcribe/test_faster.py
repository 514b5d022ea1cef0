"""faster-whisper: the texts and times of the Whisper that knows four utterances, once ctranslate2 has converted it."""

import json

import numpy as np
import pytest

from audiocli.audio import Audio
from audiocli.errors import UsageError
from audiocli.models.load import load
from audiocli.options import ModelOptions, TranscribeOptions
from audiocli.verbs.transcribe import faster
from audiocli.verbs.transcribe.recogniser import Recogniser
from tests.models import tiny

TEXTS = [each.text for each in tiny.UTTERANCES]
NEAR = 0.15  # s


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

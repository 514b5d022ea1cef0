"""Whisper with its published weights, in both families, on real speech: words, times, languages, and nothing where nothing is said.

`AUDIOCLI_TEST_MODELS` names a folder with `whisper-base-transformers` in it, which ../shared/tools/ct2_to_transformers.py makes
of the packed model (`audiocli models where whisper-base`).
"""

import csv
import os
from itertools import pairwise
from pathlib import Path
from statistics import median

import jiwer
import numpy as np
import pytest

from audiocli.audio import Audio, read
from audiocli.errors import AudiocliError
from audiocli.models.load import load
from audiocli.models.locate import locate
from audiocli.options import ModelOptions, TranscribeOptions
from audiocli.verbs.transcribe.recogniser import Recogniser
from tests.models import tiny

pytestmark = pytest.mark.slow

RATE = 16_000
OTHER = Path(os.environ.get("AUDIOCLI_TEST_MODELS", "nowhere"), "whisper-base-transformers")


@pytest.fixture(scope="module", params=["ctranslate2", "transformers"])
def model(request):
    """The name or the folder of Whisper base."""
    if request.param == "transformers":
        if not OTHER.is_dir():
            pytest.skip("no whisper-base-transformers in AUDIOCLI_TEST_MODELS")
        return str(OTHER)
    try:
        locate("whisper-base", "transcribe", offline=True)
    except AudiocliError:
        pytest.skip("whisper-base is not on this machine")
    return "whisper-base"


def loaded(model, **options):
    choice = ModelOptions(offline=True, device="cpu")
    return load(model, "transcribe", Recogniser, choice, TranscribeOptions(**options))


@pytest.fixture(scope="module")
def recogniser(model):
    return loaded(model)


def sound(path):
    return Audio(read(path, sample_rate=RATE, mono=True).samples, RATE, str(path))


def plain(text):
    return "".join(c for c in text.lower() if c.isalnum() or c in " '")


def wrong(said, records):
    return jiwer.wer([plain(text) for text in said], [plain(record.text) for record in records])


@pytest.fixture(scope="module")
def utterances(real):
    """Ten utterances of ten chapters, and their words."""
    folder = real / "data" / "mini-librispeech"
    with (folder / "transcripts.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))[::150]
    return [sound(folder / row["path"]) for row in rows], [row["text"] for row in rows]


def test_words_alone_and_in_company(recogniser, utterances):
    clips, said = utterances
    together = recogniser(clips)
    assert wrong(said, together) < 0.12
    alone = [recogniser([clip])[0] for clip in clips]
    assert wrong([record.text for record in alone], together) < 0.02  # sums in another order may tip a word
    assert {record.language for record in together} == {"en"}


def test_words_have_times(model, real):
    records = loaded(model, timestamps="word")(tiny.clips(real))
    off = []
    for utterance, record in zip(tiny.UTTERANCES, records, strict=True):
        words = [word for segment in record.segments for word in segment.words]
        if [plain(word.text) for word in words] == utterance.text.lower().split():
            off += [abs(word.start - start) for word, start in zip(words, utterance.starts, strict=True)]
        assert all(first.end <= second.start + 1e-6 for first, second in pairwise(words))
    assert len(off) > 12
    assert median(off) < 0.1


def test_ten_languages(recogniser, real):
    paths = sorted((real / "data" / "languages").glob("*.mp3"))
    records = [recogniser([sound(path)])[0] for path in paths]
    assert [record.language for record in records] == [path.name[:2] for path in paths]


def test_german_in_english(model, real):
    clip = sound(real / "data" / "languages" / "de_DE_kerstin.mp3")
    (german,), (english,) = loaded(model)([clip]), loaded(model, translate=True)([clip])
    articles = {"the", "a", "of", "and", "is"}
    assert not articles & set(plain(german.text).split()[:20])
    assert articles & set(plain(english.text).split())


def test_a_prompt_leads_the_spelling(model, real):
    """The name is one that nobody can know how to write."""
    clip = tiny.clips(real)[0]  # KNIT TWO TOGETHER TWICE
    digits = loaded(model, prompt="knit 1, purl 1, k 2 together, 3 times, 4 times.")([clip])[0].text
    words = loaded(model, prompt="Knit one, purl one, slip two, three times, four times.")([clip])[0].text
    assert "2" in digits
    assert "two" in words.lower()


@pytest.mark.parametrize("kind", ["silence", "noise", "hum"])
def test_nothing_where_nothing_is_said(recogniser, kind):
    n = 40 * RATE
    time = np.arange(n) / RATE
    samples = {
        "silence": np.zeros(n),
        "noise": 0.02 * np.random.default_rng(0).standard_normal(n),
        "hum": 0.1 * np.sin(2 * np.pi * 50 * time),
    }[kind]
    (record,) = recogniser([Audio(samples[None].astype(np.float32), RATE, kind)])
    assert len(record.text.split()) <= 3  # without the cutter, which drops all of it; a loop would be hundreds

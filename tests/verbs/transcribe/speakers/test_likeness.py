"""The sound around words, and whose voice it is like."""

from pathlib import PurePath

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from audiocli import audio
from audiocli.inputs.sources import Source, Streamed
from audiocli.models.load import load
from audiocli.options import InputOptions, ModelOptions
from audiocli.records import Diarization, Turn, Word
from audiocli.verbs.transcribe.speakers.likeness import alike, around
from audiocli.voices.embeddings import SpeakerEncoder
from tests.kernels.rhythm_signals import DATA

RATE = 16_000


@given(st.lists(st.integers(0, 40), max_size=6), st.lists(st.integers(-10, 170), max_size=8), st.integers(1, 30))
def test_clips_are_those_of_the_whole(sizes, firsts, length):
    whole = np.arange(1, sum(sizes) + 1, dtype=np.float32)
    blocks = np.split(whole, np.cumsum(sizes)[:-1]) if sizes else []
    padded = np.pad(whole, (10, 250))
    clips = list(around(iter(blocks), sorted(firsts), length))
    assert len(clips) == len(firsts)
    for clip, first in zip(clips, sorted(firsts), strict=True):
        np.testing.assert_array_equal(clip, padded[first + 10 :][:length])


def spoken(speaker):
    """9 s of a speaker."""
    paths = sorted((DATA / "mini-librispeech" / speaker).glob("*.opus"))[:5]
    if not paths:
        pytest.skip("no ../shared/data/mini-librispeech")
    return np.concatenate([audio.read(path, sample_rate=RATE, mono=True).samples[0] for path in paths])[: 9 * RATE]


def test_the_louder_voice_is_the_likelier(tmp_path):
    low, high = spoken("5789"), spoken("7367")
    both = np.concatenate([low[: 6 * RATE], high[: 6 * RATE], low[6 * RATE :] + 0.1 * high[6 * RATE :]])
    soundfile.write(tmp_path / "x.wav", both, RATE, "FLOAT")
    end = len(both) / RATE
    turns = (Turn(0.0, 6.0, "A"), Turn(6.0, 12.0, "B"), Turn(12.0, end, "A"), Turn(12.0, end, "B"))
    found = Diarization(path="x", duration=end, sample_rate=RATE, task="diarize", turns=turns, exclusive=False)
    item = Streamed(Source(str(tmp_path / "x.wav"), PurePath("x.wav")), InputOptions())
    encoder = load("siamese-speakers", "verify", SpeakerEncoder, ModelOptions(offline=True))
    words = [Word("before", 1.0, 1.5), Word("then", 13.0, 13.5), Word("now", 14.0, 14.5)]
    likely = alike(encoder, item, found, words, [1, 2])
    assert likely[0].tolist() == [0.0, 0.0]
    assert (likely[1:, 0] > likely[1:, 1]).all()
    np.testing.assert_allclose(likely.sum(axis=1), 0.0, atol=1e-5)

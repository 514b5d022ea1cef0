"""Converters of voices: streams that come out as long as they went in, and the neural ones on random weights."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from audiocli.errors import ModelError, UsageError
from audiocli.models import conversion, locate, vc_speecht5
from audiocli.models.conversion import FADE, WINDOW
from audiocli.models.timbre import SAMPLE_RATE, Timbre
from audiocli.models.voices import Target
from audiocli.options import CloneOptions
from tests.conftest import vowels
from tests.models import tiny_tts

PLACE = SimpleNamespace(device=torch.device("cpu"), dtype="float32")
NOBODY = Timbre(5.0, np.zeros(1, np.float32), np.ones(1, np.float32))


def target(seed=0, **more):
    """A voice of which only the speech, and a speaker vector, are known."""
    vector = np.random.default_rng(seed).standard_normal(tiny_tts.SIZE).astype(np.float32)
    speech = vowels(2.0, SAMPLE_RATE, 180.0)
    return Target(
        "her.wav", np.ones(1, np.float32), NOBODY, **{"speech": speech, "vectors": {"xvector": vector}} | more
    )


def whole(move, samples, size=4_096):
    blocks = (samples[n : n + size] for n in range(0, len(samples), size))
    return np.concatenate([np.zeros(0, np.float32), *move(blocks, NOBODY)])


# ---- streams


def test_long_sources_are_joined_without_a_seam():
    """Windows that overlap are put together again as they were, whatever the blocks."""
    samples = np.random.default_rng(0).standard_normal(int(2.3 * WINDOW * SAMPLE_RATE)).astype(np.float32)
    for size in (4_096, 999, len(samples)):
        blocks = [samples[n : n + size] for n in range(0, len(samples), size)]
        found = list(conversion.windows(blocks))
        assert all(len(window) <= WINDOW * SAMPLE_RATE + FADE * SAMPLE_RATE for window in found)
        np.testing.assert_allclose(np.concatenate(list(conversion.faded(iter(found)))), samples, atol=1e-6)


def test_pieces_begin_where_they_began():
    """What is shorter than its room leaves silence, what is longer is said faster; all is as long as it was."""
    tone = np.sin(np.arange(40_000) * 0.3).astype(np.float32)
    found = [(1_000, tone[:2_000]), (10_000, tone), (30_000, tone[:500]), (31_000, tone[:9_000])]
    made = np.concatenate(list(conversion.placed(found, lambda: 36_000)))
    assert len(made) == 36_000
    np.testing.assert_array_equal(made[1_000:3_000], tone[:2_000])
    np.testing.assert_array_equal(made[30_000:30_500], tone[:500])
    assert not made[:1_000].any()
    assert not made[3_000:10_000].any()
    assert not made[30_500:31_000].any()
    fast = made[12_000:28_000]  # 40,000 samples of it in 20,000, at the same pitch
    spectrum = np.abs(np.fft.rfft(fast * np.hanning(len(fast))))
    assert np.argmax(spectrum) * 2 * np.pi / len(fast) == pytest.approx(0.3, rel=0.02)
    assert len(np.concatenate(list(conversion.placed([], lambda: 300_000)))) == 300_000


# ---- SpeechT5


@pytest.fixture(scope="module")
def speecht5(tmp_path_factory):
    return tiny_tts.speecht5_vc(tmp_path_factory.mktemp("speecht5_vc"))


def pieces(monkeypatch):
    """The lengths of what SpeechT5 is given, in seconds."""
    heard, convert = [], vc_speecht5.Converter._converted

    def noted(self, speaker, samples):
        heard.append(len(samples) / SAMPLE_RATE)
        return convert(self, speaker, samples)

    monkeypatch.setattr(vc_speecht5.Converter, "_converted", noted)
    return heard


def test_speecht5_keeps_the_length_of_long_speech(speecht5, recording, monkeypatch):
    from audiocli import audio

    heard = pieces(monkeypatch)
    samples = audio.read(str(recording), sample_rate=SAMPLE_RATE, mono=True).samples[0]
    converter = vc_speecht5.load(speecht5, None, PLACE, CloneOptions())
    made = whole(converter.towards(target()), samples)
    assert len(made) == len(samples)
    assert len(heard) > 2
    assert max(heard) <= vc_speecht5.CUT.longest + 1.0
    first = next(conversion.pieces(conversion.Cutter(conversion.Silero(), vc_speecht5.CUT), [samples]))[0]
    assert not made[:first].any()
    assert made[first : first + SAMPLE_RATE].any()


def test_speecht5_draws_from_the_seed_and_hears_the_vector(speecht5):
    samples = vowels(1.2, SAMPLE_RATE)

    def made(seed, vector):
        converter = vc_speecht5.load(speecht5, None, PLACE, CloneOptions(seed=seed))
        speaker = torch.from_numpy(target(vector).vectors["xvector"])[None]
        return converter._converted(speaker, samples)

    first, again, other, another = made(3, 0), made(3, 0), made(4, 0), made(3, 1)
    assert len(first) > 256
    assert np.array_equal(first, again)
    for different in (other, another):
        assert len(first) != len(different) or not np.array_equal(first, different)
    # One that does not find its end is not let go on.
    assert len(first) <= vc_speecht5.LONGER * len(samples) + 512


def test_speecht5_says_what_it_lacks(speecht5, tmp_path):
    converter = vc_speecht5.load(speecht5, None, PLACE, CloneOptions())
    with pytest.raises(UsageError, match="--speaker-model, an encoder with 512 values"):
        converter.towards(target(vectors={}))
    with pytest.raises(UsageError, match=r"her.wav holds 5 numbers, and this model wants 512"):
        converter.towards(target(vectors={"xvector": np.zeros(5, np.float32)}))
    for verb in ("speak", "transcribe"):
        with pytest.raises(ModelError, match="'audiocli clone' takes it"):
            locate(str(speecht5), verb)
    with pytest.raises(ModelError, match="'audiocli speak' takes it"):
        locate(str(tiny_tts.speecht5(tmp_path / "tts")), "clone")

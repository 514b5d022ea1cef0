"""A small FastSpeech2 that has learnt two sentences says them: its mel is near the real one, a recogniser hears the words."""

import io
import re
from pathlib import PurePath
from types import SimpleNamespace

import jiwer
import numpy as np
import pytest
import soundfile
import torch

from audiocli import audio
from audiocli.inputs.sources import Source, Streamed
from audiocli.models.load import load
from audiocli.options import InputOptions, ModelOptions, SpeakOptions, TranscribeOptions
from audiocli.verbs.speak import fastspeech2, speecht5, vocoders
from audiocli.verbs.transcribe.recogniser import Recogniser
from tests.models import tiny_tts

SCALE = speecht5.MEL
FURTHEST = 0.2  # mean distance of log10 magnitudes; of two different sentences it is about 0.9
MISSED = 0.35  # of the words


class Held(Source):
    """A recording in memory."""

    file = None

    def open(self):
        return self.file


def heard(samples):
    file = io.BytesIO()
    soundfile.write(file, samples, SCALE.sample_rate, format="WAV")
    source = Held("x.wav", PurePath("x.wav"))
    object.__setattr__(source, "file", file)
    recogniser = load("pocketsphinx", "transcribe", Recogniser, ModelOptions(), TranscribeOptions())
    return recogniser([Streamed(source, InputOptions())])[0].text


def plain(text):
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())


@pytest.mark.slow
def test_what_was_learnt_is_said(real, tmp_path):
    folder = real / "data" / "kathleen"
    real = {
        text: tiny_tts.log_mel(audio.read(folder / name, sample_rate=SCALE.sample_rate, mono=True).samples[0], SCALE)
        for name, text in tiny_tts.KNOWN.items()
    }
    path = tiny_tts.trained_fastspeech2(tmp_path / "trained", real)
    tiny_tts.hifigan(path / "vocoder")
    place = SimpleNamespace(device=torch.device("cpu"), dtype="float32")
    synthesiser = fastspeech2.load(path, None, place, SpeakOptions())
    made = synthesiser.spectrograms(list(real))
    words = []
    for mel, (text, want) in zip(made, real.items(), strict=True):
        assert len(mel) == pytest.approx(len(want), abs=0.05 * len(want))
        frames = min(len(mel), len(want))
        assert np.abs(mel[:frames].numpy() - want[:frames]).mean() < FURTHEST
        words.append((plain(text), plain(heard(vocoders.GriffinLim(SCALE)(mel)))))
    assert jiwer.wer(*map(list, zip(*words, strict=True))) <= MISSED

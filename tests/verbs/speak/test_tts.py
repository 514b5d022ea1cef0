"""The neural synthesisers with random weights: rates, shapes, seeds, batches, voices, and messages about wrong ones."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from audiocli.errors import ModelError, UsageError
from audiocli.options import SpeakOptions
from audiocli.verbs.speak import bark, fastspeech2, flite, speecht5, tacotron2, vits, vocoders
from audiocli.verbs.speak.synthesiser import cut
from tests.models import tiny_tts

PLACE = SimpleNamespace(device=torch.device("cpu"), dtype="float32")
TEXTS = ["Hello there my friend.", "No.", "This is a longer one, really."]
# family: how its folder is made, its adapter, Hz
FAMILIES = {
    "speecht5": (tiny_tts.speecht5, speecht5.load, 16_000),
    "vits": (tiny_tts.vits, vits.load, 16_000),
    "fastspeech2": (tiny_tts.fastspeech2, fastspeech2.load, 22_050),
    "tacotron2": (tiny_tts.tacotron2, tacotron2.load, 22_050),
    "bark": (tiny_tts.bark, bark.load, 24_000),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """folder(family): its checkpoint, made once."""
    made = {}

    def of(family):
        if family not in made:
            made[family] = FAMILIES[family][0](tmp_path_factory.mktemp(family))
        return made[family]

    return of


@pytest.fixture
def speak(folder, tmp_path):
    """speak(family, texts, **options): the family's results for texts."""

    def say(family, texts, **options):
        if family == "speecht5":
            options.setdefault("voice", str(tiny_tts.voice(tmp_path)))
        synthesiser = FAMILIES[family][1](folder(family), None, PLACE, SpeakOptions(**options))
        return synthesiser, synthesiser(texts)

    return say


@pytest.mark.parametrize("family", FAMILIES)
def test_rates_and_batches(speak, family):
    synthesiser, spoken = speak(family, TEXTS)
    assert synthesiser.traits.sample_rate == FAMILIES[family][2]
    for text, one in zip(TEXTS, spoken, strict=True):
        assert one.samples.dtype == np.float32
        assert one.samples.ndim == 1
        assert len(one.samples) > 200
        assert np.abs(one.samples).max() > 1e-6
        (alone,) = synthesiser([text])
        np.testing.assert_allclose(alone.samples, one.samples, atol=1e-5)


@pytest.mark.parametrize("family", ["speecht5", "vits", "tacotron2", "bark"])
def test_seeds(speak, family):
    first, again, other = (speak(family, TEXTS[:1], seed=seed)[1][0].samples for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert len(first) != len(other) or not np.array_equal(first, other)


@pytest.mark.parametrize("family", ["vits", "fastspeech2"])
def test_models_that_set_their_own_pace(speak, family):
    plain, fast = (len(speak(family, TEXTS[:1], rate=rate)[1][0].samples) for rate in (1.0, 2.0))
    assert fast < 0.75 * plain


def test_speakers(tmp_path):
    folder = tiny_tts.vits(tmp_path / "many", 4)
    synthesiser = vits.load(folder, None, PLACE, SpeakOptions(voice="2"))
    assert [voice.name for voice in synthesiser.voices()] == ["0", "1", "2", "3"]
    two, three = synthesiser(TEXTS[:1])[0].samples, synthesiser.in_voice("3")(TEXTS[:1])[0].samples
    assert len(two) != len(three) or not np.array_equal(two, three)
    with pytest.raises(UsageError, match="no voice '7'"):
        vits.load(folder, None, PLACE, SpeakOptions(voice="7"))
    with pytest.raises(UsageError, match="speaks 'en'"):
        vits.load(folder, None, PLACE, SpeakOptions(language="de"))


@pytest.mark.parametrize("family", ["vits", "tacotron2", "speecht5", "fastspeech2"])
def test_letters_that_a_model_does_not_know(speak, family):
    """An accent goes, a script is read as Latin letters, and losses are reported."""
    synthesiser, _ = speak(family, TEXTS[1:2])
    messages = []
    (piece,) = cut(["Café Анна naïve."], synthesiser, messages.append)
    letters = piece.spoken.replace("é", "e").replace("ï", "i").replace("É", "E")
    assert letters == "Cafe Anna naive."
    assert messages == ["Cyrillic letters are read as Latin ones: give --language to have them in a voice of their own"]


def test_flite_reads_accents(monkeypatch):
    monkeypatch.setattr(flite, "voices", lambda: ("slt",))
    (piece,) = cut(["We met at the café near Größe."], flite.synthesiser("slt", 1.0), pytest.fail)
    assert piece.spoken == "We met at the cafe near Grosse."


def test_vits_that_reads_phonemes_needs_no_other_package(tmp_path):
    folder = tiny_tts.vits(tmp_path / "ipa", phonemes=True)
    synthesiser = vits.load(folder, None, PLACE, SpeakOptions())
    ids = synthesiser._ids("Hello.")
    letters = synthesiser._tokenizer.convert_ids_to_tokens(ids[1::2])
    assert "".join(letters) == "həlˈoʊ."
    assert len(synthesiser(["Hello."])[0].samples) > 200


@pytest.mark.parametrize("family", ["vits", "fastspeech2"])
def test_a_text_of_which_a_model_knows_nothing(speak, family):
    assert len(speak(family, ["日本"] if family == "vits" else ["..;"])[1][0].samples) >= 0


def test_speecht5_wants_a_voice_and_a_vocoder(folder, tmp_path):
    path = folder("speecht5")
    for voice, words in (
        (None, "needs a voice"),
        ("nobody", "no such file"),
        (str(path / "config.json"), "is not a voice"),
    ):
        with pytest.raises(UsageError, match=words):
            speecht5.load(path, None, PLACE, SpeakOptions(voice=voice))
    np.save(tmp_path / "short.npy", np.zeros(5, np.float32))
    with pytest.raises(UsageError, match="holds 5 numbers"):
        speecht5.load(path, None, PLACE, SpeakOptions(voice=str(tmp_path / "short.npy")))
    np.save(tmp_path / "evil.npy", np.array([{}], object))
    with pytest.raises(UsageError, match="is not a voice"):
        speecht5.load(path, None, PLACE, SpeakOptions(voice=str(tmp_path / "evil.npy")))
    with pytest.raises(ModelError, match="not a HiFi-GAN"):
        speecht5.load(path, None, PLACE, SpeakOptions(vocoder=str(path)))


def test_the_voice_is_heard(speak, tmp_path):
    one, other = (speak("speecht5", TEXTS[:1], voice=str(tiny_tts.voice(tmp_path, n)))[1][0].samples for n in (1, 2))
    assert len(one) != len(other) or not np.array_equal(one, other)


def test_fastspeech2_with_its_vocoder_beside_it(tmp_path, folder, speak):
    apart = tiny_tts.fastspeech2(tmp_path / "apart", together=False)
    synthesiser = fastspeech2.load(apart, None, PLACE, SpeakOptions())
    want = speak("fastspeech2", TEXTS[:1])[1][0].samples
    np.testing.assert_allclose(synthesiser(TEXTS[:1])[0].samples, want, atol=1e-6)


def test_tacotron2_through_wavernn(speak, folder):
    made = speak("tacotron2", ["Hello."], vocoder="wavernn")[1][0].samples
    again = speak("tacotron2", ["Hello."], vocoder="wavernn")[1][0].samples
    assert len(made) % 275 == 0
    assert len(made) > 1_000
    assert np.abs(made).max() <= 1.0
    assert np.array_equal(made, again)
    with pytest.raises(UsageError, match="griffin-lim or wavernn"):
        tacotron2.load(folder("tacotron2"), None, PLACE, SpeakOptions(vocoder="x"))


def test_bark_names_its_presets(folder):
    with pytest.raises(UsageError, match="no voice 'v2/en_speaker_1'"):
        bark.load(folder("bark"), None, PLACE, SpeakOptions(voice="v2/en_speaker_1"))


def test_griffin_lim_gives_the_tone_back():
    """The log-mel of a tone becomes a tone of that frequency, at about its level."""
    scale = speecht5.MEL
    bank = vocoders.mels.filterbank(16_000, 1_024, 80, fmin=80.0, fmax=7_600.0, norm="slaney")
    tone = 0.5 * np.sin(2 * np.pi * 700 * np.arange(16_000) / 16_000)
    frames = np.lib.stride_tricks.sliding_window_view(tone, 1_024)[::256] * np.hanning(1_024)
    mel = np.log10(np.maximum(np.abs(np.fft.rfft(frames)) @ bank.T, 1e-10))
    made = vocoders.GriffinLim(scale)(torch.from_numpy(mel).float())
    assert len(made) == (len(mel) - 1) * 256
    spectrum = np.abs(np.fft.rfft(made[2_000:10_000]))
    assert np.argmax(spectrum) * 16_000 / 8_000 == pytest.approx(700, abs=25)
    assert 0.25 < np.abs(made[2_000:10_000]).max() < 1.0

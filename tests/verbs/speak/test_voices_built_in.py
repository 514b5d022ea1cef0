"""espeak-ng through ctypes, and flite where it is installed: rates, times, voices, phonemes."""

import shutil
import threading

import numpy as np
import pytest
from audiocli.kernels.pitch import yin

from audiocli.errors import ModelError, UsageError
from audiocli.options import SpeakOptions
from audiocli.verbs.speak import espeak as tts_espeak
from audiocli.verbs.speak import flite as tts_flite
from audiocli.verbs.speak import phonemes

TEXT = "Hello there, my good friend."
needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="the program flite is not on the PATH")


def espeak(**options):
    return tts_espeak.load(None, None, None, SpeakOptions(**options))


def flite(**options):
    return tts_flite.load(None, None, None, SpeakOptions(**options))


def seconds(synthesiser, text=TEXT):
    return len(synthesiser([text])[0].samples) / synthesiser.traits.sample_rate


def pitch(samples):
    """Hz, the median over voiced frames."""
    return float(np.nanmedian(yin(samples, 22_050, 50.0, 400.0, threshold=0.2).f0))


def test_espeak_speaks_in_its_rate_with_times():
    (spoken,) = espeak()([TEXT])
    assert spoken.samples.dtype == np.float32
    assert 0.1 < np.abs(spoken.samples).max() <= 1.0
    assert [word.text for word in spoken.words] == TEXT.split()
    starts = [word.start for word in spoken.words]
    assert starts == sorted(starts)
    assert all(word.end > word.start for word in spoken.words)
    assert 1.0 < spoken.words[-1].end <= len(spoken.samples) / espeak().traits.sample_rate < 4.0


def alike(first, second):
    """Whether two sounds differ by no more than the flutter of the library: lengths, and loudness over time."""
    if abs(len(first) - len(second)) > 400:
        return False
    levels = [
        np.array([np.std(x[n : n + 1_102]) for n in range(0, len(first) - 2_000, 1_102)]) for x in (first, second)
    ]
    return np.corrcoef(*levels)[0, 1] > 0.8


def test_same_text_alike_alone_and_in_a_batch():
    one, two = espeak()([TEXT, "And more."])
    assert alike(one.samples, espeak()([TEXT])[0].samples)
    assert alike(two.samples, espeak()(["And more."])[0].samples)
    assert not alike(one.samples, two.samples)


def test_voices_do_not_mix_in_threads():
    want = {voice: espeak(voice=voice)([TEXT])[0].samples for voice in ("en-us+f2", "de+m3")}
    wrong = []

    def speak(voice):
        said = (espeak(voice=voice)([TEXT])[0].samples for _ in range(5))
        wrong.extend(voice for samples in said if not alike(samples, want[voice]))

    threads = [threading.Thread(target=speak, args=(voice,)) for voice in want for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("make", [espeak, pytest.param(flite, marks=needs_flite)])
def test_rate(make):
    plain = seconds(make())
    assert seconds(make(rate=2.0)) < 0.7 * plain
    assert seconds(make(rate=0.6)) > 1.4 * plain


def test_pitch():
    low, plain, high = (pitch(espeak(voice="en-us+m3", pitch=p)([TEXT])[0].samples) for p in (-6.0, 0.0, 6.0))
    assert 12 * np.log2(high / plain) == pytest.approx(6, abs=2.5)
    assert 12 * np.log2(low / plain) == pytest.approx(-6, abs=2.5)
    assert espeak(pitch=6.0).traits.pitched
    assert not espeak(pitch=10.0).traits.pitched  # further than the library goes


@pytest.mark.parametrize(
    ("voice", "language", "chosen"),
    [
        (None, None, "en-us"), (None, "en", "en-us"), (None, "de", "de"), (None, "pt_BR", "pt-br"), (None, "German", "de"),
        ("de", None, "de"), ("en-gb", "en", "en-gb"), ("fr-fr+f3", "fr", "fr-fr"), ("+f3", "de", "de"), ("f3", None, "en-us"),
    ],
)  # fmt: skip
def test_which_voice(voice, language, chosen):
    spoken, variant = tts_espeak.chosen(voice, language)
    assert spoken == chosen
    assert variant == ("f3" if voice and "f3" in voice else tts_espeak.VARIANT)
    assert seconds(tts_espeak.synthesiser(spoken, variant)) > 0.5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"voice": "en-us+f33"}, "f3"), ({"voice": "bob"}, "rob"), ({"language": "xx"}, "xex"), ({"language": "Germon"}, "German"),
        ({"voice": "de+f3", "language": "fr"}, "leave one of them out"), ({"rate": 0.3}, "--rate"),
    ],
)  # fmt: skip
def test_names_that_are_none_get_near_ones(options, words):
    with pytest.raises(UsageError, match=words):
        espeak(**options)


def test_lists():
    listed = list(espeak().voices())
    assert {"en-us", "de", "cmn"} <= {voice.name for voice in listed}
    assert "+f2" in {voice.name for voice in listed}


def test_phonemes():
    assert phonemes.ipa("Hello, world!") == "həlˈoʊ, wˈɜːld!"
    assert phonemes.arpabet("The judge, and oil.") == [
        *"DH AH0".split(),
        " ",
        *"JH AH1 JH , AE0 N D".split(),
        " ",
        *"OY1 L .".split(),
    ]


@needs_flite
def test_flite():
    synthesiser = flite(voice="slt")
    (spoken, dashed) = synthesiser([TEXT, "-o is no option"])
    assert spoken.samples.dtype == np.float32
    assert 1.0 < len(spoken.samples) / 16_000 < 4.0
    assert 0.05 < np.abs(dashed.samples).max() <= 1.0
    assert not np.array_equal(spoken.samples, synthesiser.in_voice("rms")([TEXT])[0].samples)
    with pytest.raises(UsageError, match="slt"):
        flite(voice="slr")
    with pytest.raises(UsageError, match="US English only"):
        flite(language="de")


def test_without_the_program(monkeypatch):
    monkeypatch.setenv("PATH", "")
    tts_flite.voices.cache_clear()
    with pytest.raises(ModelError, match="not on the PATH"):
        flite()
    tts_flite.voices.cache_clear()

"""hibari: a made-up package of its interface, always; the real one where it is installed."""

import importlib.util
import json
import socket

import numpy as np
import pytest
import soundfile

from audiocli.errors import DownloadError, ModelError, UsageError
from audiocli.models import onnx, registry
from audiocli.options import SpeakOptions
from audiocli.verbs.speak import hibari
from audiocli.verbs.speak.synthesiser import Synthesiser, cut, edges, flow
from tests.verbs.speak import tiny_hibari

TEXT = "Hello there, my friend."
STEP = 2 * tiny_hibari.FRAME / tiny_hibari.RATE  # s of a phoneme of the made-up package
needs_real = pytest.mark.skipif(importlib.util.find_spec("hibari") is None, reason="hibari-tts is not installed")


def forget():
    hibari._parts.cache_clear()
    hibari._reader.cache_clear()


@pytest.fixture(autouse=True)
def settings(tmp_path, monkeypatch):
    """No settings but those of the test, and nothing that another test has loaded."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("AUDIOCLI_SPEAK_MODEL", raising=False)
    forget()
    yield
    forget()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The folder of the made-up package, which is the one that is found."""
    (tmp_path / "package").mkdir()
    return tiny_hibari.install(monkeypatch, tmp_path / "package")


@pytest.fixture
def without(monkeypatch):
    """A machine that has neither the package nor flite."""
    found = registry.find_spec
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == "hibari" else found(name))
    monkeypatch.setenv("PATH", "")


def load(**options):
    made = hibari.load(None, None, None, SpeakOptions(**options))
    assert isinstance(made, Synthesiser)
    return made


def test_words_have_the_times_of_their_phonemes(package):
    (spoken,) = load()([TEXT])
    # One number before the first phoneme; a comma and a blank between the words, a full stop and one number at the end.
    places = {"Hello": (0, 5), "there,": (6, 11), "my": (13, 15), "friend.": (16, 22)}
    assert [word.text for word in spoken.words] == list(places)
    for word in spoken.words:
        first, last = places[word.text]
        assert (word.start, word.end) == (pytest.approx((first + 1) * STEP), pytest.approx((last + 1) * STEP))
    assert len(spoken.samples) == pytest.approx((23 + 2) * STEP * tiny_hibari.RATE)


def test_times_go_with_the_sound_that_is_written(package, call, tmp_path):
    assert call("speak", "I have $5. Yes.", "-o", "x.wav", "--timestamps", "json") == (0, b"", "")
    record = json.loads((tmp_path / "x.json").read_text())
    assert (record["model"], record["voice"], record["language"]) == ("hibari", "heart", "en-us")
    assert record["duration"] == pytest.approx(soundfile.info(tmp_path / "x.wav").duration, abs=1e-3)
    first, second = record["segments"]
    assert [word["text"] for word in first["words"]] == ["I", "have", "$5."]
    assert first["words"][2]["end"] - first["words"][2]["start"] == pytest.approx(len("five dollars") * STEP, abs=2e-3)
    assert second["words"][0]["start"] > second["start"] > first["end"]


def test_a_net_without_durations_speaks_without_times(package):
    (package / "heart.onnx").write_bytes(tiny_hibari.net(durations="other"))
    (spoken,) = load()([TEXT])
    assert len(spoken.samples)
    assert spoken.words == ()


def test_rate(package):
    plain, fast = load()([TEXT])[0], load(rate=2.0)([TEXT])[0]
    assert len(fast.samples) == len(plain.samples) / 2
    assert fast.words[-1].end == pytest.approx(plain.words[-1].end / 2)
    assert load(rate=0.5).traits.paced
    far = load(rate=3.0)  # further than it was made for: the sound is stretched
    assert not far.traits.paced
    assert np.array_equal(far([TEXT])[0].samples, plain.samples)
    assert not far.in_voice("heart").traits.paced
    parts = flow(cut([TEXT], far, pytest.fail), far, SpeakOptions(rate=3.0))
    assert sum(len(samples) for _, samples in parts) == pytest.approx(len(plain.samples) / 3, rel=0.05)


def test_seed(package):
    one, two = load(seed=5)([TEXT, "And more."])
    assert np.array_equal(two.samples, load(seed=5)(["And more."])[0].samples)
    assert np.array_equal(one.samples, load(seed=5).in_voice("heart")([TEXT])[0].samples)
    assert not np.array_equal(one.samples, load(seed=6)([TEXT])[0].samples)
    assert len(load(seed=2**63 - 1)([TEXT])[0].samples)


@pytest.mark.parametrize("text", ["", "...", "😀", "“ ”", "()"])
def test_nothing_to_say(package, text):
    (spoken,) = load()([text])
    assert (len(spoken.samples), spoken.words) == (0, ())


def test_only_voices_that_are_here(package):
    assert [(one.name, one.language, one.description) for one in load().voices()] == [
        ("heart", "en-us", "a woman, American English")
    ]
    with pytest.raises(
        UsageError, match=r"voice emma is not on this machine, and nothing is fetched unasked; .*--voice emma"
    ):
        load(voice="emma")
    with pytest.raises(UsageError, match="no voice 'hearth': did you mean heart"):
        load(voice="hearth")
    assert load(language="en-GB").traits.language == "en-us"  # the nearest
    (package / "emma.onnx").write_bytes(tiny_hibari.net())
    assert [one.name for one in load().voices()] == ["heart", "emma"]
    british = load(language="en-GB")
    assert (british.traits.voice, british.traits.language, british.parts.read.british) == ("emma", "en-gb", True)
    assert load(voice="emma", language="en").traits.voice == "emma"


@pytest.mark.parametrize("voice", [None, "heart"])
def test_other_languages_are_refused(package, voice):
    with pytest.raises(UsageError, match=r"does not speak 'de'.* give --model espeak-ng"):
        load(language="de", voice=voice)


def test_damage_is_one_line(package):
    (package / "heart.onnx").write_bytes(tiny_hibari.net()[:-40])
    with pytest.raises(
        DownloadError, match=r"^hibari's heart\.onnx is not an ONNX model, or is damaged: .* --force-reinstall"
    ):
        load()
    (package / "heart.onnx").write_bytes(tiny_hibari.net())
    (package / "vocab.json").write_text("{")
    with pytest.raises(DownloadError, match=r"^the package hibari-tts is damaged: .* --force-reinstall"):
        load()


def test_the_voice_of_english(package, call, tmp_path):
    for args, model in (
        ([], "hibari"), (["--language", "en-US"], "hibari"), (["--voice", "heart"], "hibari"), (["--language", "de"], "espeak-ng"),
        (["--language", "en-GB"], "espeak-ng"), (["--voice", "f2"], "espeak-ng"), (["--voice", "en-us+f2"], "espeak-ng"),
    ):  # fmt: skip
        assert call("speak", "Hello.", *args, "-o", "x.json", "--force") == (0, b"", "")
        assert json.loads((tmp_path / "x.json").read_text())["model"] == model
    (package / "emma.onnx").write_bytes(tiny_hibari.net())
    assert call("speak", "Hello.", "--language", "en-GB", "-o", "x.json", "--force") == (0, b"", "")
    assert json.loads((tmp_path / "x.json").read_text())["voice"] == "emma"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--voice", "hart"], "did you mean heart"), (["--voice", "emma"], "hibari --voice emma"),
        (["--model", "hibari", "--language", "French"], "--model espeak-ng"), (["--rate", "5"], "--rate"),
        (["--model", "hibari", "--device", "cuda"], "processor only"), (["--seed", "-1"], "--seed"),
    ],
)  # fmt: skip
def test_mistakes_get_one_line(package, call, args, words):
    code, out, err = call("speak", "Hello.", *args)
    assert (code, out, len(err.splitlines())) == (2, b"", 1)
    assert words in err


def test_lines_are_spoken_at_the_same_time(package, call, tmp_path):
    (tmp_path / "lines.txt").write_text("".join(f"id{n}\tThis is line {n}.\n" for n in range(6)) + "b\temma\tHello.\n")
    code, _, err = call("speak", "-f", "lines.txt", "--lines", "--jobs", "3", "-o", "out/")
    assert (code, "lines.txt:7: hibari's voice emma" in err) == (1, True)
    assert call("speak", "This is line 4.", "-o", "x.wav") == (0, b"", "")
    assert (tmp_path / "x.wav").read_bytes()[-2_000:] == (tmp_path / "out" / "id4.wav").read_bytes()[-2_000:]


def test_without_the_package_what_speaks_says_so_once(without, call, tmp_path):
    arguments = ("speak", "Hello.", "-o", "x.json", "--force")
    assert call(*arguments, "-q") == (0, b"", "")
    assert call(*arguments, "--language", "de") == call(*arguments, "--voice", "f2") == (0, b"", "")
    assert call(*arguments, "--model", "espeak-ng") == (0, b"", "")
    code, _, err = call(*arguments)
    assert (code, len(err.splitlines())) == (0, 1)
    assert "this is espeak-ng" in err
    assert "pip install 'audiocli[models]'" in err
    assert json.loads((tmp_path / "x.json").read_text())["model"] == "espeak-ng"
    assert call(*arguments) == (0, b"", "")  # it is remembered
    code, _, err = call(*arguments, "--model", "hibari")
    assert (code, "pip install 'audiocli[models]'" in err) == (2, True)


def test_a_value_inside_a_net():
    net = onnx.load(onnx.opened(tiny_hibari.net(), "twos"), device="cpu", threads=1)
    made = net(ids=np.ones((1, 3), np.int64), speed=np.ones(1, np.float32))
    assert net.outputs == (*tiny_hibari.OUTPUTS, "twos")
    assert np.array_equal(made[-1], [[2.0, 2.0, 2.0]])
    with pytest.raises(ModelError):
        onnx.load(onnx.opened(tiny_hibari.net(), "nothing"), device="cpu")


@needs_real
def test_real(monkeypatch):
    """The package as it is published: it opens no socket, and its words fill the sound."""
    monkeypatch.setattr(socket, "socket", lambda *a, **o: pytest.fail("a socket"))
    made = load()
    assert made.parts.timed
    text = "We waited; then, at last, they came."
    (spoken, unknown) = made([text, "Zblorgh."])
    assert [word.text for word in spoken.words] == text.split()
    assert 0.1 < np.abs(spoken.samples).max() <= 1.0
    first, last = (place / 24_000 for place in edges(spoken.samples, 24_000))
    assert spoken.words[0].start == pytest.approx(first, abs=0.15)
    assert spoken.words[-1].end == pytest.approx(last, abs=0.3)
    waited, then = spoken.words[1:3]
    between = spoken.samples[round(waited.start * 24_000) : round(then.end * 24_000)]
    levels = [np.std(between[n : n + 600]) for n in range(0, len(between) - 600, 240)]  # 25 ms each
    quietest = waited.start + 0.01 * int(np.argmin(levels))
    assert waited.end - 0.1 < quietest < then.start
    assert unknown.words[0].end > unknown.words[0].start
    assert np.array_equal(spoken.samples, made([text])[0].samples)
    assert len(load(rate=2.0)([text])[0].samples) == pytest.approx(len(spoken.samples) / 2, rel=0.1)


@needs_real
@pytest.mark.parametrize(
    "text", ["naïve café", "Привет, 世界 and Ωμέγα", "a😀b", "x" * 400, "W. " * 150, "A\u0301 \u2603 ½ ²", "$€£¥ 5%"]
)
def test_real_with_odd_text(text):
    warnings = []
    made = load()
    parts = list(flow(cut([text], made, warnings.append), made, SpeakOptions()))
    assert parts
    for segment, samples in parts:
        assert np.isfinite(samples).all()
        assert segment.end - segment.start > 0.05
        assert all(0 <= word.start <= word.end <= segment.end for word in segment.words)

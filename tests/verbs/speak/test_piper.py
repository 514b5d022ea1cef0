"""Voices of Piper: made-up ones of a closed form, always; the real one where it is on this machine."""

import json

import numpy as np
import pytest
import soundfile

from audiocli.errors import DownloadError, ModelError, UsageError
from audiocli.models import locate, registry
from audiocli.options import SpeakOptions
from audiocli.verbs.speak import phonemes, piper
from audiocli.verbs.speak.synthesiser import Synthesiser, cut, flow
from tests.verbs.speak import tiny_piper

TEXT = "Hello there, my friend."


@pytest.fixture(autouse=True)
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("AUDIOCLI_SPEAK_MODEL", raising=False)


def made(path, **options):
    found = piper.files(path)
    wanted = SpeakOptions(**options)
    return piper.synthesiser(found, piper.chosen(found, wanted), wanted.rate, wanted.seed)


def numbers(text):
    """The numbers of a text, a second time: ^ _ p _ p _ .. $."""
    sounds = [one for one in phonemes.ipa(text, "en-us") if one in tiny_piper.NUMBERS]
    return [tiny_piper.NUMBERS[one][0] for one in "_".join(["^", *sounds, "$"])]


def test_the_sound_of_a_text(tmp_path):
    synthesiser = made(tiny_piper.write(tmp_path), seed=5)
    assert isinstance(synthesiser, Synthesiser)
    assert (synthesiser.traits.sample_rate, synthesiser.traits.language) == (tiny_piper.RATE, "en-us")
    ids = numbers(TEXT)
    assert synthesiser.ids(TEXT) == ids
    once = np.array(ids) / 100 + 0.25 * np.random.default_rng([5, 0]).standard_normal(len(ids), np.float32)
    (spoken,) = synthesiser([TEXT])
    np.testing.assert_allclose(spoken.samples, np.tile(once, tiny_piper.REPEATS), atol=1e-5)


def test_a_text_sounds_the_same_whatever_was_said_before(tmp_path):
    first, other = made(tiny_piper.write(tmp_path)), made(tmp_path, seed=1)
    alone, again = (first([text])[0].samples for text in (TEXT, TEXT))
    behind = first(["Something else.", TEXT])[1].samples
    assert np.array_equal(alone, again)
    assert np.array_equal(alone, behind)
    assert not np.array_equal(alone, other([TEXT])[0].samples)


def test_paces(tmp_path):
    path = tiny_piper.write(tmp_path)
    count = len(numbers(TEXT))
    for rate, times in ((1.0, 40), (2.0, 20), (0.5, 80), (4.0, 40)):
        synthesiser = made(path, rate=rate)
        assert len(synthesiser([TEXT])[0].samples) == times * count
        assert synthesiser.traits.paced == (rate <= 2)  # beyond it the sound is stretched, elsewhere


def test_speakers(tmp_path):
    path = tiny_piper.several(tmp_path)
    anna, ben = made(path), made(path, voice="ben")
    assert (anna.traits.voice, ben.traits.voice) == ("anna", "ben")
    assert [voice.name for voice in anna.voices()] == ["anna", "ben"]
    np.testing.assert_allclose(ben([TEXT])[0].samples - anna([TEXT])[0].samples, 0.2, atol=1e-5)
    assert np.array_equal(anna.in_voice("ben")([TEXT])[0].samples, ben([TEXT])[0].samples)
    with pytest.raises(UsageError, match=r"^this model has no voice 'bem': did you mean ben\?"):
        made(path, voice="bem")


def test_speakers_without_names(tmp_path):
    path = tiny_piper.write(tmp_path, num_speakers=3)
    third = made(path, voice="2")
    np.testing.assert_allclose(third([TEXT])[0].samples - made(path)([TEXT])[0].samples, 0.2, atol=1e-5)


def test_a_folder_of_several(tmp_path):
    tiny_piper.write(tmp_path)
    tiny_piper.several(tmp_path)
    german = {"language": {"code": "de_DE"}, "espeak": {"voice": "de"}, "dataset": "klein"}
    tiny_piper.write(tmp_path, "de_DE-klein-low", **german)
    (tmp_path / "something.onnx").write_bytes(b"of somebody else")
    with pytest.raises(
        UsageError, match=r"has 3 voices: choose one with --voice \(de_DE-klein-low, en_US-choir-low, en_"
    ):
        made(tmp_path)
    for voice in ("tiny", "en_US-tiny-low"):
        assert made(tmp_path, voice=voice).choice.path.stem == "en_US-tiny-low"
    for voice in ("ben", "choir/ben", "en_US-choir-low/ben"):
        assert made(tmp_path, voice=voice).traits.voice == "ben"
    assert made(tmp_path, language="German").traits.language == "de-de"
    listed = [voice.name for voice in made(tmp_path, list_voices=True).voices()]
    assert listed == ["de_DE-klein-low", "en_US-choir-low/anna", "en_US-choir-low/ben", "en_US-tiny-low"]
    assert {made(tmp_path, voice=name).choice.path.stem for name in listed} == {
        "de_DE-klein-low", "en_US-choir-low", "en_US-tiny-low",
    }  # fmt: skip
    with pytest.raises(UsageError, match=r"^no voice of Piper here speaks 'fr', only de-de, en-us$"):
        made(tmp_path, language="fr")


def test_letters_instead_of_phonemes(tmp_path):
    """A letter with an accent is two signs, as in training; what the voice does not know is left out, or replaced."""
    signs = {sign: [n] for n, sign in enumerate("_^$ abcé\u0301e")}
    changes = {"phoneme_type": "text", "phoneme_id_map": signs, "phoneme_map": {"a": ["b", "c"]}, "espeak": {}}
    synthesiser = made(tiny_piper.write(tmp_path, **changes))
    assert synthesiser.ids("xAé") == [
        1,
        0,
        signs["b"][0],
        0,
        signs["c"][0],
        0,
        signs["e"][0],
        0,
        signs["\u0301"][0],
        0,
        2,
    ]
    assert synthesiser.ids("xyz!") == []
    assert len(synthesiser(["xyz!"])[0].samples) == 0
    notes = []
    assert [piece.spoken for piece in cut(["xAé xyz. "], synthesiser, notes.append)] != []
    assert notes


def test_marks_of_other_scripts(tmp_path):
    synthesiser = made(tiny_piper.write(tmp_path))
    assert synthesiser.ids("One？ Two。") == synthesiser.ids("One? Two.")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"phoneme_id_map": None}, ModelError, "has no phoneme_id_map"),
        ({"phoneme_id_map": {"a": [1]}}, ModelError, r"its phoneme_id_map lacks \^"),
        ({"audio": {}}, ModelError, "it lacks 'sample_rate'"),
        ({"espeak": {}}, ModelError, "it names no voice of espeak-ng"),
        ({"espeak": {"voice": "xx-yy"}}, ModelError, "espeak-ng has no voice 'xx-yy'"),
        ({"phoneme_type": "pinyin"}, ModelError, "of the type 'pinyin'"),
        ({"inference": {"length_scale": 0}}, ModelError, "its sample rate or its scales"),
        ({"content": b"junk"}, DownloadError, "is not an ONNX model, or is damaged"),
        ({"content": tiny_piper.net()[:300]}, DownloadError, "is not an ONNX model, or is damaged"),
        ({"num_speakers": 2, "content": tiny_piper.net()}, ModelError, "has one speaker, and .*json has several"),
    ],
)
def test_what_is_no_voice(call, tmp_path, changes, error, message):
    """One line on stderr, and the exit code of the error."""
    path = tiny_piper.write(tmp_path / "voices", **changes)
    code, out, err = call("speak", TEXT, "-m", str(path), "-o", "x.wav")
    assert (code, out, err.count("\n"), (tmp_path / "x.wav").exists()) == (error.exit_code, b"", 1, False)
    with pytest.raises(error, match=message):
        made(path).ids(TEXT)


def test_files_that_are_missing(call, tmp_path):
    path = tiny_piper.write(tmp_path / "voices")
    other = path.with_name("other.onnx")
    other.write_bytes(b"")
    for name, code, message in (
        (str(other), 1, "there is no other.onnx.json beside"), (str(path.with_name("no.onnx")), 2, "there is no file"),
    ):  # fmt: skip
        found = call("speak", TEXT, "-m", name, "-o", "x.wav")
        assert (found[0], message in found[2]) == (code, True), found
    path.with_name(f"{path.name}.json").write_text("{")
    assert call("speak", TEXT, "-m", str(path), "-o", "x.wav")[0] == 1
    code, _, err = call("denoise", "x.wav", "-m", str(path), "-o", "y.wav")
    assert (code, "'audiocli speak' takes it" in err) == (2, True)


def test_the_command_takes_files_and_folders(call, tmp_path):
    path = tiny_piper.write(tmp_path / "voices")
    for name, model in (("a.wav", path), ("b.wav", path.parent)):
        assert call("speak", TEXT, "-m", str(model), "-o", name) == (0, b"", "")
    a, b = (soundfile.read(tmp_path / name) for name in ("a.wav", "b.wav"))
    assert np.array_equal(a[0], b[0])
    assert a[1] == tiny_piper.RATE
    code, out, _ = call("speak", TEXT, "-m", str(path), "--format", "json")
    assert code == 0
    record = json.loads(out)
    assert (record["model"], record["voice"], record["language"]) == ("en_US-tiny-low", "en_US-tiny-low", "en-us")


def test_the_row_by_its_short_name():
    spec = registry.by_name("joe")
    assert spec is registry.MODELS["piper-joe"]
    assert spec.packed
    assert {file.name for file in spec.carriers[0].files} == {"en_US-joe-medium.onnx", "en_US-joe-medium.onnx.json"}


@pytest.mark.slow
def test_the_real_voice():
    """Its sound is as long as a sentence is, the same for the same seed, and follows --rate."""
    try:
        path = locate.locate("piper-joe", "speak", offline=True).path
    except ModelError:
        pytest.skip("piper-joe is not on this machine")
    synthesiser = made(path)
    (found,) = synthesiser(["The birch canoe slid on the smooth planks."])
    assert 1.5 < len(found.samples) / 22_050 < 4.0
    assert 0.05 < np.abs(found.samples).max() <= 1.0
    assert np.array_equal(found.samples, made(path)(["The birch canoe slid on the smooth planks."])[0].samples)
    sounds = [sound for _, sound in flow(cut([TEXT], made(path, rate=2.0), print), made(path), SpeakOptions())]
    assert sum(map(len, sounds)) > 0.4 * 22_050
    assert made(path, voice="joe").traits.voice == "en_US-joe-medium"

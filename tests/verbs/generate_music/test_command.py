"""`audiocli generate-music` as a command: files, seeds, melodies, stems, and the mistakes of tired people."""

import json

import numpy as np
import pytest
import soundfile
import symusic

from audiocli.music import midi
from audiocli.music.grid import VOICES
from audiocli.music.piece import piece_of
from tests.models import tiny_music
from tests.music.test_midi import PIECE, one_track

RATE = 44_100


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A net that has learned nothing: fast, and as good for files as any."""
    return tiny_music.chorale(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def compose(call, model):
    """compose(*args): the command with the small net; standard error, after success."""

    def run(*args, expected=0):
        code, _, err = call("generate-music", "-m", model, "--seconds", "3", *args)
        assert code == expected, err
        return err

    return run


def test_built_in_model_composes_in_the_key_that_was_asked_for(call, tmp_path):
    code, out, err = call(
        "generate-music", "--seconds", "9", "--key", "D minor", "--seed", "7", "-f", "json", "-o", "x.json"
    )
    assert (code, out) == (0, b""), err
    record = json.loads((tmp_path / "x.json").read_text())
    assert (record["model"], record["key"], record["seed"]) == ("chorale-transformer", "D minor", 7)
    pitches = np.array(record["pitches"])
    scale = np.isin((pitches[pitches >= 0] - 2) % 12, [0, 2, 3, 5, 7, 8, 9, 10, 11])
    assert scale.mean() > 0.8
    assert (pitches[:, 0] > pitches[:, 3]).mean() > 0.9


def test_sound_that_says_what_it_is(compose, tmp_path):
    compose("-o", "x.wav")
    found = soundfile.SoundFile(tmp_path / "x.wav")
    assert (found.samplerate, found.channels, found.frames) == (RATE, 2, 3 * RATE)
    assert found.comment.startswith("AI-generated music, model tiny, seed 0")
    assert found.software.startswith("audiocli")


@pytest.mark.parametrize("suffix", ["flac", "ogg", "mp3"])
def test_other_formats(compose, tmp_path, suffix):
    compose("-o", f"x.{suffix}")
    found = soundfile.SoundFile(tmp_path / f"x.{suffix}")
    assert found.frames == pytest.approx(3 * RATE, abs=3_000)
    assert "AI-generated" in found.comment


@pytest.mark.parametrize("suffix", ["wav", "mid", "flac"])
def test_the_same_seed_gives_the_same_bytes(compose, tmp_path, suffix):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        compose("-o", f"{name}/x.{suffix}", "--seed", str(seed))
    one, again, other = ((tmp_path / name / f"x.{suffix}").read_bytes() for name in "abc")
    assert one == again
    assert one != other


def test_count_makes_a_file_a_seed(compose, tmp_path):
    compose("--count", "3", "--seed", "5", "-f", "mid", "-o", "out/")
    names = sorted(path.name for path in (tmp_path / "out").glob("*.mid"))
    assert names == [f"tiny-{seed}.mid" for seed in (5, 6, 7)]
    compose("--seed", "6", "-o", "alone.mid")
    alone, among = (midi.read(str(tmp_path / name)).grid for name in ("alone.mid", "out/tiny-6.mid"))
    np.testing.assert_array_equal(alone, among)
    assert "exists" in compose("--count", "3", "--seed", "5", "-f", "mid", "-o", "out/", expected=1)
    assert "3 were done before" in compose("--count", "4", "--seed", "5", "-f", "mid", "-o", "out/", "--resume")


def test_midi_has_a_track_a_voice_and_says_what_it_is(compose, tmp_path):
    compose("-o", "x.mid", "--instrument", "organ", "--tempo", "100")
    score = symusic.Score.from_midi((tmp_path / "x.mid").read_bytes())
    assert [(track.name, track.program) for track in score.tracks] == [(name, 19) for name in VOICES]
    assert score.tempos[0].qpm == pytest.approx(100.0, abs=0.01)
    assert any("AI-generated" in marker.text for marker in score.markers)


def test_a_melody_is_kept(compose, tmp_path):
    (tmp_path / "tune.mid").write_bytes(midi.file(piece_of(PIECE, 90.0), 0, (), VOICES[:1]))
    compose("--melody", "tune.mid", "-o", "x.mid", "--seconds", "60")
    found = midi.read(str(tmp_path / "x.mid"))
    np.testing.assert_array_equal(found.grid[:, 0], PIECE[:, 0])
    assert found.tempo.first == pytest.approx(90.0, abs=0.01)
    assert (found.grid >= 0).all()


def test_a_primer_is_gone_on_with(compose, tmp_path):
    (tmp_path / "begin.mid").write_bytes(midi.file(piece_of(PIECE, 120.0), 0))
    compose("--primer", "begin.mid", "-o", "x.mid", "--seconds", "5")
    found = midi.read(str(tmp_path / "x.mid")).grid
    np.testing.assert_array_equal(found[: len(PIECE)], PIECE)
    assert len(found) == 40  # five seconds: the last chord is held to their end
    assert (found[32:] == found[31]).all()


def test_stems_add_up_and_a_plot_lies_beside(compose, tmp_path):
    compose("-o", "x.wav", "--stems", "--plot", "png", "--instrument", "piano")
    mix, _ = soundfile.read(tmp_path / "x.wav")
    stems = [soundfile.read(tmp_path / f"x.{voice}.wav")[0] for voice in VOICES]
    np.testing.assert_allclose(sum(stems), mix, atol=4 / 2**15)
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert b"audiocli" in (tmp_path / "x.png").read_bytes()


def test_into_a_pipe(run, model, tmp_path):
    done = run("generate-music", "-m", str(model), "--seconds", "1", "-f", "mid", "-o", "-")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"MThd")


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("a sad song",), 2, "takes no text; models that do: musicgen-small"),
        (("--key", "H moll"), 2, 'as in "D minor"'),
        (("--seconds", "0"), 2, "--seconds must be above 0 and at most 3600"),
        (("--seconds", "3601"), 2, "--seconds must be above 0 and at most 3600"),
        (("--seconds", "nan"), 2, "--seconds must be"),
        (("--count", "0"), 2, "--count must be 1 or more"),
        (("--seed", "-1"), 2, "--seed must be 0 or more"),
        (("--temperature", "-1"), 2, "--temperature must be"),
        (("--top-k", "0"), 2, "--top-k must be"),
        (("--top-p", "0"), 2, "--top-p must be"),
        (("--tempo", "3"), 2, "--tempo must be"),
        (("--instrument", "kazoo"), 2, "choir, organ, strings, piano"),
        (("--soundfont", "none.sf2"), 2, "no such file"),
        (("--soundfont", "junk"), 2, "is not a readable soundfont"),
        (("--primer", "none.mid"), 1, "none.mid: no such file"),
        (("--primer", "junk"), 1, "junk: is not a MIDI file"),
        (("--primer", "empty.mid"), 1, "empty.mid: is empty"),
        (("--primer", "high.mid"), 1, "high.mid: has pitches outside the voices"),
        (("--primer", "good.mid"), 2, "nothing is left to compose"),
        (("--primer", "good.mid", "--key", "C"), 2, "a primer or a melody has its own"),
        (("--primer", "good.mid", "--melody", "good.mid"), 2, "give one of them"),
        (("--melody", "junk"), 1, "junk: "),
        (("--melody", "high.mid"), 0, "moved by -2 octaves"),
        (("--lines", "junk"), 2, "takes no text"),
        (("--count", "2", "-o", "x.wav"), 2, "give -o FOLDER/ for many"),
        (("-o", "x.srt"), 2, "no format has the suffix"),
        (("--plot", "gif"), 2, "no format 'gif' here"),
    ],
)
def test_mistakes(compose, tmp_path, args, code, message):
    (tmp_path / "junk").write_text("a text")
    (tmp_path / "empty.mid").write_bytes(b"")
    (tmp_path / "high.mid").write_bytes(one_track([(0, 480, 100)]))
    (tmp_path / "good.mid").write_bytes(midi.file(piece_of(PIECE, 60.0), 0))
    err = compose(*(() if "-o" in args else ("-o", "x.mid")), *args, expected=code)
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.glob(".*audiocli-part"))


def test_binary_never_goes_to_a_terminal(compose, monkeypatch):
    monkeypatch.setattr("os.isatty", lambda descriptor: True)
    assert "standard output is a terminal" in compose(expected=2)


def test_a_text_for_a_model_that_takes_one(call, tmp_path):
    folder = tiny_music.musicgen(tmp_path / "musicgen")
    (tmp_path / "lines.txt").write_text("slow waltz\n\nhappy drums\n")
    code, _, err = call("generate-music", "-m", folder, "--lines", "lines.txt", "--seconds", "1", "-o", "out/")
    assert code == 0, err
    names = sorted(path.name for path in (tmp_path / "out").glob("*.wav"))
    assert names == ["0001-slow-waltz-0.wav", "0002-happy-drums-0.wav"]
    found = soundfile.SoundFile(tmp_path / "out" / names[0])
    assert (found.samplerate, found.frames) == (tiny_music.RATE, tiny_music.RATE)
    assert "prompt: slow waltz" in found.comment
    for args, message in (
        ((), "needs a text"),
        (("--lines", "none.txt"), "--lines none.txt: no such file"),
        (("slow", "--key", "C"), "makes sound, not notes: --key"),
        (("slow", "-o", "x.mid"), "cannot be written as MIDI"),
    ):
        code, _, err = call("generate-music", "-m", folder, "--seconds", "0.3", "-o", "y.wav", *args)
        assert code in (1, 2)
        assert message in err

"""Standard error holds audiocli's messages only, and nothing from the libraries below it: each verb, in its own process."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from tests.conftest import vowels
from tests.models import tiny, tiny_music

ONE = {"OMP_NUM_THREADS": "1"}  # more threads only fight


def prefixed(err):
    """The lines of standard error, all of which are audiocli's own."""
    lines = err.decode().splitlines()
    assert all(line.startswith("audiocli: ") for line in lines), err.decode()
    return lines


@pytest.fixture(scope="module")
def sounds(recording, tmp_path_factory):
    """A folder with two pieces of a conversation, and one in stereo with another rate beside it."""
    folder = tmp_path_factory.mktemp("sounds")
    samples, rate = soundfile.read(recording, dtype="float32")
    (folder / "two").mkdir()
    for n, start in enumerate((7, 12)):
        soundfile.write(folder / "two" / f"{n}.wav", samples[start * rate : (start + 5) * rate], rate)
    soundfile.write(folder / "stereo.flac", np.stack([vowels(), vowels(seed=1)], 1), 22_050)
    return folder


@pytest.mark.parametrize(
    "args",
    [
        ("features", "two", "stereo.flac", "-k", "log-mel,chroma,beats,pitch", "-o", "made/", "--plot", "png"),
        ("verify", "two/0.wav", "two/1.wav"),
        ("diarize", "two", "stereo.flac"),
        ("classify", "two", "stereo.flac"),
        ("denoise", "two", "stereo.flac", "-o", "made/"),
        ("clone", "--source", "two/0.wav", "--reference", "two/1.wav", "-o", "made/clone.wav"),
        ("speak", "One, two, three.", "-o", "made/spoken.ogg"),
        ("generate-music", "--seconds", "3", "-o", "made/music.mid"),
        ("models", "list"),
    ],
    ids=lambda args: args[0],
)  # fmt: skip
def test_verbs(run, sounds, tmp_path, args):
    (tmp_path / "made").mkdir()
    args = [str(sounds / arg) if arg.startswith(("two", "stereo")) else arg for arg in args]
    ended = run(*args, env=ONE)
    assert ended.returncode == 0, ended.stderr
    prefixed(ended.stderr)


def test_a_folder_for_the_built_in_recogniser_leaves_no_semaphores(run, sounds):
    """Its processes end before this one does: the tracker of their semaphores would complain after the prompt is back."""
    ended = run("transcribe", str(sounds / "two"), "--jobs", "2", "--quiet", env=ONE)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert len(ended.stdout.split()) > 5


def test_what_a_whisper_brings_along_is_not_given_twice(run, sounds, tmp_path):
    """Its own settings for generating, over which ours take precedence, give no warning."""
    tiny.untrained("whisper", tmp_path)
    settings = json.loads((tmp_path / "generation_config.json").read_text())
    more = {"max_length": 64, "suppress_tokens": [1, 2], "begin_suppress_tokens": [3]}
    (tmp_path / "generation_config.json").write_text(json.dumps(settings | more))
    # At full temperature random weights are asked once only.
    args = (
        "transcribe",
        str(sounds / "two" / "0.wav"),
        "--model",
        str(tmp_path),
        "--duration",
        "2",
        "--temperature",
        "1",
    )
    ended = run(*args, env=ONE | {"TRANSFORMERS_VERBOSITY": "warning"})
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_musicgen(run, tmp_path):
    """transformers takes the padding of its codes, which lies outside its vocabulary, for a mistake."""
    folder = tiny_music.musicgen(tmp_path / "musicgen")
    ended = run("generate-music", "words", "--model", str(folder), "--seconds", "1", "-o", "x.wav", env=ONE)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_training(run, tmp_path):
    for label, pitch in (("low", 90.0), ("high", 250.0)):
        (tmp_path / "data" / label).mkdir(parents=True)
        for n in range(6):
            soundfile.write(tmp_path / "data" / label / f"{n}.wav", vowels(pitch=pitch, seed=n), 16_000)
    ended = run("train", "classifier", "--data", str(tmp_path / "data"), "-o", "net", "--epochs", "1", env=ONE)
    assert ended.returncode == 0, ended.stderr
    prefixed(ended.stderr)


def test_what_libraries_warn_of_and_log_is_not_shown():
    code = (
        "import logging, os, warnings; from audiocli.cli import _hush_libraries; _hush_libraries()\n"
        "warnings.warn('old'); logging.getLogger('matplotlib.font_manager').warning('building the font cache')\n"
        "from transformers.utils import logging as theirs; theirs.get_logger('transformers.x').warning('twice')"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr == ""

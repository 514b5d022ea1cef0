"""DeepFilterNet: nothing is lost without the nets, pieces give the whole, channels stay where they are, files are checked."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiocli import audio
from audiocli.device import Place
from audiocli.errors import AudiocliError, ModelError
from audiocli.models import locate as models
from audiocli.models import onnx
from audiocli.models.load import build
from audiocli.options import DenoiseOptions, ModelOptions
from audiocli.verbs.denoise import deepfilternet_files as files
from audiocli.verbs.denoise.clean_already import Tracker
from audiocli.verbs.denoise.deepfilternet import DeepFilterNet, Nets, Run, load
from audiocli.verbs.denoise.models import DEEP_ARCHIVE
from audiocli.verbs.denoise.work import Denoiser
from tests.conftest import vowels
from tests.verbs.denoise import tiny_deepfilternet as tiny
from tests.verbs.denoise.test_denoisers import cleaned, db, noisy

RATE = 48_000


def write(folder, contents, packed=True):
    folder.mkdir(exist_ok=True)
    for name, content in {DEEP_ARCHIVE: tiny.archive(contents)}.items() if packed else contents.items():
        (folder / name).write_bytes(content)
    return folder


def loaded(folder, stream=False):
    return load(folder, None, Place("cpu", processor_only=True), DenoiseOptions(stream=stream))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write(tmp_path_factory.mktemp("tiny"), tiny.files())


class Unit:
    """Nets that let everything through: gains of 1, one tap of 1; the local SNR is what is given."""

    def __init__(self, snr=0.0):
        self.shape, self._snr = files.shape(tiny.SETTINGS.encode()), snr
        self.encoder, self.gains, self.taps = _Part(self._encoded), _Part(self._gains), _Part(self._taps)

    def _encoded(self, feat_erb, feat_spec):
        frames = feat_erb.shape[2] - self.shape.context
        left = {name: np.zeros((1, 1, frames, 1), np.float32) for name in ("e0", "e1", "e2", "e3", "c0", "emb")}
        return {**left, "lsnr": np.full((1, frames, 1), self._snr, np.float32)}

    def _gains(self, e0, **others):
        return {"m": np.ones((1, 1, e0.shape[2], self.shape.n_bands), np.float32)}

    def _taps(self, emb, c0):
        taps = np.zeros((1, emb.shape[2], self.shape.n_low, 2 * self.shape.order), np.float32)
        taps[..., 2 * (self.shape.order - 1 - self.shape.ahead)] = 1.0
        return {"coefs": taps}


class _Part:
    def __init__(self, function):
        self._function = function

    def begin(self):
        return []

    def __call__(self, states, **inputs):
        return self._function(**inputs)


@pytest.mark.parametrize("patience", [0, 7])
@pytest.mark.parametrize("samples", [1, 47, 48, 49, 96, 5_000])
def test_nothing_is_lost_where_the_nets_let_everything_through(patience, samples):
    sound = np.random.default_rng(0).standard_normal((2, samples)).astype(np.float32)
    found = cleaned(DeepFilterNet(Unit(), patience), sound, RATE)
    np.testing.assert_allclose(found, sound, atol=2e-6)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("sizes", [[1, 7, 300, 4_097, 15_000, 2, 480], [48] * 50, [47] * 99])
def test_pieces_give_what_the_whole_gives(small, stream, sizes):
    sound = noisy(1.0, RATE, channels=2)
    whole = cleaned(loaded(small, stream), sound, RATE)
    assert whole.shape == sound.shape
    assert np.abs(whole - sound).max() > 0.1 * np.abs(sound).max()  # it does something
    np.testing.assert_allclose(cleaned(loaded(small, stream), sound, RATE, sizes), whole, atol=1e-5)


def test_live_sound_is_that_of_a_file_which_is_not_clean(small):
    sound = noisy(1.0, RATE)
    np.testing.assert_allclose(
        cleaned(loaded(small, True), sound, RATE), cleaned(loaded(small), sound, RATE), atol=1e-5
    )


def test_the_states_stand_for_the_whole_clip(small):
    """The nets as they are in the file, over the whole at once, give the same."""
    contents, nets = tiny.files(), Nets(tiny.files(), files.shape(tiny.SETTINGS.encode()))
    random = np.random.default_rng(1)
    bands = random.standard_normal((30, tiny.BANDS)).astype(np.float32)
    low = random.standard_normal((2, 30, tiny.LOW)).astype(np.float32)
    run = Run(nets)
    parts = [run(bands[part], low[:, part]) for part in (slice(0, 1), slice(1, 20), slice(20, 30))]
    found = [np.concatenate(each) for each in zip(*parts, strict=True)]
    raw = {name: onnx.load(contents[name], device="cpu") for name in ("enc.onnx", "erb_dec.onnx", "df_dec.onnx")}
    seen = dict(
        zip(raw["enc.onnx"].outputs, raw["enc.onnx"](feat_erb=bands[None, None], feat_spec=low[None]), strict=True)
    )
    gains = raw["erb_dec.onnx"](**{name: seen[name] for name in tiny.EMBEDDED})[0][0, 0]
    taps = raw["df_dec.onnx"](emb=seen["emb"], c0=seen["c0"])[0][0]
    for mine, wanted in zip(found, (gains, taps, seen["lsnr"][0, :, 0]), strict=True):
        np.testing.assert_allclose(mine, wanted, atol=1e-6)


def test_channels_stay_where_they_are(small):
    sound = noisy(0.5, RATE)
    for left in (0.3, 1.0, -1.0):
        found = cleaned(loaded(small), np.concatenate([sound, np.float32(left) * sound]), RATE)
        np.testing.assert_allclose(found[1], left * found[0], atol=1e-6)


@pytest.mark.parametrize("stream", [False, True])
def test_sound_comes_out_in_time(small, stream):
    denoiser, sound, out = loaded(small, stream), noisy(1.0, RATE), 0
    session = denoiser.begin(1)
    for place in range(0, sound.shape[1], 160):
        out += session.push(sound[:, place : place + 160]).shape[1]
        assert place + 160 - out <= denoiser.latency
    assert out + session.finish().shape[1] == sound.shape[1]


def test_clean_speech_is_left_alone_to_the_bit():
    sound = noisy(1.0, RATE)
    denoiser = DeepFilterNet(Unit(snr=35.0), 100)
    session = denoiser.begin(1)
    found = np.concatenate([session.push(sound), session.finish()], axis=1)
    np.testing.assert_array_equal(found, sound)
    assert session.figures() == {"local_snr": 35.0, "left_alone": 1.0}


def shares(snr, patience=0, cuts=()):
    tracker, parts = Tracker(patience), []
    for part in np.split(np.asarray(snr, np.float32), cuts):
        tracker.push(part)
        parts.append(tracker.settled(4))
    return np.concatenate(parts), tracker


def test_what_is_clean_fades_in_and_out():
    """Speech with noise, clean speech with a pause, speech with noise: all, nothing (in the pause, too), all."""
    snr = [10.0] * 300 + [35.0] * 900 + [-15.0] * 200 + [35.0] * 200 + [5.0] * 900
    found, tracker = shares(snr)
    assert found[:1_200].min() == 1.0
    assert found[4 * 1_150 : 4 * 1_600].max() == 0.0
    assert found[-4:].min() == 1.0
    assert np.abs(np.diff(found)).max() <= 0.02 / 4 + 1e-6
    np.testing.assert_array_equal(shares(snr, cuts=[1, 2, 50, 51, 700])[0], found)
    assert 0.1 < tracker.figures()["left_alone"] < 0.6


def test_the_frames_after_count_with_patience():
    snr = [-15.0] * 20 + [33.0] * 100
    assert shares(snr)[0][0] == 1.0
    assert shares(snr, patience=70)[0][0] == 0.0


def test_pauses_say_nothing():
    found, tracker = shares([-15.0] * 500)
    assert (found.min(), tracker.figures()) == (1.0, {"local_snr": None, "left_alone": 0.0})


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_of_it_is_recognised(call, tmp_path, packed):
    write(tmp_path / "net", tiny.files(), packed)
    soundfile.write(tmp_path / "in.wav", noisy(0.5, 44_100, 2).T, 44_100)
    code, out, err = call("denoise", "in.wav", "-o", "out.wav", "-m", "./net", "--json")
    assert (code, err) == (0, "")
    record = json.loads(out)
    assert (record["model"], record["status"]) == ("net", "ok")
    assert {"local_snr", "left_alone"} <= record.keys()
    assert soundfile.info(tmp_path / "out.wav").frames == soundfile.info(tmp_path / "in.wav").frames


def test_no_torch(small, tmp_path):
    soundfile.write(tmp_path / "in.wav", noisy(0.3, 16_000).T, 16_000)
    code = (
        "import sys; from audiocli.cli import app; "
        f"app(['denoise', 'in.wav', '-o', 'out.wav', '-m', {str(small)!r}], standalone_mode=False); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize(("rate", "samples"), [(8_000, 4_000), (96_000, 40_000), (48_000, 1), (16_000, 1), (44_100, 0)])
def test_odd_rates_and_lengths(small, rate, samples):
    sound = noisy(1.0, rate, channels=2)[:, :samples]
    found = cleaned(loaded(small), sound, rate)
    assert found.shape == sound.shape
    assert np.isfinite(found).all()


def test_silence_stays_silence(small):
    assert not cleaned(loaded(small), np.zeros((1, RATE), np.float32), RATE).any()


def changed(name, content):
    return {**tiny.files(), name: content}


CUT, ELSE = tiny.files()["enc.onnx"][:-100], tiny.files()["df_dec.onnx"]
OTHER = tiny.SETTINGS.replace("nb_erb = 4", "nb_erb = 5").encode()


@pytest.mark.parametrize(
    ("contents", "code", "says"),
    [
        (changed("enc.onnx", CUT), 1, "enc.onnx is not an ONNX model, or is damaged"),
        (changed("enc.onnx", b"junk"), 1, "enc.onnx is not an ONNX model, or is damaged"),
        (changed("enc.onnx", ELSE), 2, "enc.onnx is an ONNX model of something else: it has no input 'feat_erb'"),
        (changed("config.ini", b"\xff"), 1, "config.ini is not that of a DeepFilterNet"),
        (changed("config.ini", b"[df]\nsr = fast\n"), 1, "config.ini is not that of a DeepFilterNet"),
        (changed("config.ini", tiny.SETTINGS.replace("hop_size = 48", "hop_size = 24").encode()), 2, "of another kind"),
        (changed("config.ini", OTHER), 2, "enc.onnx cannot work on this"),
        ({name: content for name, content in tiny.files().items() if name != "df_dec.onnx"}, 2, "has no df_dec.onnx"),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_damaged_nets_are_reported(call, tmp_path, contents, code, says, packed):
    write(tmp_path / "net", contents, packed)
    soundfile.write(tmp_path / "in.wav", np.zeros(100), 16_000)
    found, out, err = call("denoise", "in.wav", "-o", "out.wav", "-m", "./net")
    assert (found, out) == (code, b"")
    assert says in err
    assert len(err.splitlines()) == 1


def test_an_archive_that_is_cut_off(tmp_path):
    whole = tiny.archive(tiny.files())
    for content in (whole[: len(whole) // 2], b"", b"junk" * 99):
        (tmp_path / DEEP_ARCHIVE).write_bytes(content)
        with pytest.raises(ModelError, match=r"is damaged: .|has no enc\.onnx"):
            files.contents(tmp_path)


def test_only_files_are_taken_from_an_archive(tmp_path):
    with tarfile.open(tmp_path / DEEP_ARCHIVE, "w:gz") as stream:
        link = tarfile.TarInfo("enc.onnx")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        stream.addfile(link)
        huge = tarfile.TarInfo("../../config.ini")
        huge.size = 3
        stream.addfile(huge, io.BytesIO(b"abc"))
    with pytest.raises(ModelError, match=r"has no enc\.onnx"):
        files.contents(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [DEEP_ARCHIVE]


@pytest.fixture(scope="module")
def real_model():
    """The published weights, where they are: pulled, or below the folder that AUDIOCLI_TEST_MODELS names."""
    folder = Path(os.environ.get("AUDIOCLI_TEST_MODELS", ""), "deepfilternet3")
    try:
        located = models.locate(str(folder) if folder.is_dir() else "deepfilternet3", "denoise", offline=True)
    except AudiocliError as error:
        pytest.skip(f"DeepFilterNet3 is not on this machine: {error}")
    return build(located, Denoiser, ModelOptions(), DenoiseOptions())


@pytest.mark.parametrize("level", [1.0, 0.02])
def test_the_published_weights_take_noise_off(real_model, recording, level):
    """Quiet recordings, too, which the nets by themselves take for noise."""
    clean = audio.read(recording, sample_rate=RATE, mono=True, duration=20.0).samples
    hiss = (0.3 * clean.std() * np.random.default_rng(0).standard_normal(clean.shape)).astype(np.float32)
    found = cleaned(real_model, np.float32(level) * (clean + hiss), RATE) / np.float32(level)
    later = np.arange(clean.shape[1]) > 2 * RATE
    loud = np.convolve(clean[0] ** 2, np.ones(960) / 960, "same")
    pauses, speech = later & (loud < 0.1 * hiss.var()), later & (loud > 30 * hiss.var())
    assert min(pauses.sum(), speech.sum()) > RATE // 10
    assert db(found[:, pauses]) < db(hiss[:, pauses]) - 8
    assert abs(db(found[:, speech]) - db(clean[:, speech])) < 2


def test_the_published_weights_in_pieces(real_model):
    sound = np.tile(vowels(1.0, RATE), 2)[None] + noisy(2.0, RATE, channels=2)
    whole = cleaned(real_model, sound, RATE)
    np.testing.assert_allclose(cleaned(real_model, sound, RATE, [1, 7, 4_097, 30_000]), whole, atol=1e-4)

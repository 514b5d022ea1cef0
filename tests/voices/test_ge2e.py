"""The GE2E encoder: with a small net of random weights against torch's own LSTM, and with its own where it is on this machine."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from audiocli.models.load import build
from audiocli.models.locate import locate
from audiocli.options import ModelOptions
from audiocli.voices import calibration, ge2e
from audiocli.voices.embeddings import SpeakerEncoder
from tests.conftest import vowels

MODELS = Path(os.environ.get("AUDIOCLI_TEST_MODELS", "nowhere"))  # a folder with the files of published models
RATE = 16_000
HIDDEN = 12


def noise(seconds, seed=0, level=0.1):
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * RATE))).astype(np.float32)


class Net(torch.nn.Module):
    """The net as torch has it."""

    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(ge2e.BANDS, HIDDEN, ge2e.LAYERS, batch_first=True)
        self.linear = torch.nn.Linear(HIDDEN, 8)

    def forward(self, windows):
        last = self.lstm(windows)[1][0][-1]
        return torch.nn.functional.normalize(torch.relu(self.linear(last)), dim=1)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture
def folder(tmp_path, net):
    """A checkpoint as Resemblyzer's: with what belongs to its training, in the form of before torch 1.6."""
    held = {"step": 7, "model_state": net.state_dict(), "optimizer_state": {"state": {}, "param_groups": [{"lr": 0.1}]}}
    (tmp_path / "mine").mkdir()
    torch.save(held, tmp_path / "mine" / "pretrained.pt", _use_new_zipfile_serialization=False)
    return tmp_path / "mine"


@pytest.fixture
def encoder(folder):
    return build(locate(str(folder), "verify"), SpeakerEncoder, ModelOptions())


def bands(samples):
    """Mel bands of power [frames, 40] by torchaudio, without the noise in them."""
    from torchaudio.transforms import MelSpectrogram

    made = MelSpectrogram(RATE, 400, hop_length=160, n_mels=40, norm="slaney", mel_scale="slaney", pad_mode="constant")
    power = made(torch.from_numpy(samples)).T
    return torch.clamp(power - 3.0 * torch.quantile(power, 0.2, dim=0), min=0.0)


@pytest.mark.parametrize(("seconds", "starts"), [(1.6, [0]), (1.0, [0]), (4.0, [0, 80, 160, 241]), (3.0, [0, 70, 141])])
def test_embeddings_are_torchs(encoder, net, seconds, starts):
    clip = noise(seconds)
    every = bands(clip)
    with torch.inference_mode():
        windows = net(torch.stack([every[start : start + 160] for start in starts])).numpy()
    expected = windows.mean(axis=0) / np.linalg.norm(windows.mean(axis=0))
    np.testing.assert_allclose(encoder.embed([clip])[0], expected, atol=2e-5)


def test_clips_do_not_hear_each_other(encoder):
    clips = [noise(2.0, 1), noise(2.0, 2), noise(1.0, 3)]
    together = encoder.embed(clips)
    for clip, found in zip(clips, together, strict=True):
        np.testing.assert_allclose(encoder.embed([clip])[0], found, atol=1e-6)


def test_quiet_speech_is_raised_and_silence_ends_in_numbers(encoder):
    quiet = noise(2.0, level=0.001)
    np.testing.assert_allclose(encoder.embed([quiet]), encoder.embed([2 * quiet]), atol=1e-5)
    assert np.isfinite(encoder.embed([np.zeros(RATE, np.float32), np.zeros(1, np.float32)])).all()


def test_other_numbers_have_no_calibration(encoder):
    assert encoder.calibration == {}
    assert encoder.cohort is None


def test_the_calibration_is_whole():
    import json

    from safetensors.numpy import load_file

    known = json.loads((ge2e.FITTED / ge2e.CALIBRATION).read_text())
    fitted = calibration.from_dict(known["calibration"])
    cohort = load_file(ge2e.FITTED / ge2e.COHORT)["embeddings"].astype(np.float32)
    assert cohort.shape[1] == 256
    np.testing.assert_allclose(np.linalg.norm(cohort, axis=1), 1.0, atol=2e-3)
    alike = calibration.Pairs(np.array([-2.0, 3.0, 9.0]), (np.full(3, 5.0),) * 2, (np.full(3, 20.0),) * 2)
    judged = fitted.judge(alike, 0.01)
    assert judged.same.tolist() == [False, judged.same[1], True]
    assert (np.diff(judged.probability) > 0).all()


def other_state(folder, **state):
    torch.save({"model_state": state}, folder / "pretrained.pt")


def cut(folder):
    file = folder / "pretrained.pt"
    file.write_bytes(file.read_bytes()[:-100])


def wider(folder):
    state = Net().state_dict()
    state["lstm.weight_ih_l1"] = torch.zeros(4 * HIDDEN, HIDDEN + 1)
    other_state(folder, **state)


@pytest.mark.parametrize(
    ("damage", "code", "why"),
    [
        (cut, 1, "is damaged, or is not a checkpoint of torch"),
        (
            lambda folder: (folder / "pretrained.pt").write_bytes(b"junk"),
            1,
            "is damaged, or is not a checkpoint of torch",
        ),
        (lambda folder: torch.save([1], folder / "pretrained.pt"), 2, "there is no model_state in it"),
        (lambda folder: other_state(folder, weight=torch.zeros(3)), 2, "holds something other than a GE2E encoder"),
        (wider, 2, "its layers do not fit each other"),
    ],
)
def test_damaged_files(call, folder, tmp_path, damage, code, why):
    soundfile.write(tmp_path / "a.wav", vowels(2.0), RATE)
    damage(folder)
    ended, out, err = call("verify", "a.wav", "a.wav", "-m", folder)
    assert (ended, out) == (code, b"")
    assert why in err
    assert err.count("\n") == 1


def test_a_database_of_another_encoder(call, folder, tmp_path, shared):
    """Voices of one net are not those of another; diarize takes the encoder that a database is of."""
    clip = next(iter(sorted((shared / "data" / "mini-librispeech").glob("*/*.opus"))))
    assert call("verify", "--enroll", "ada", clip, "--db", "v.db", "-m", folder)[0] == 0
    code, out, err = call("verify", "--identify", clip, "--db", "v.db", "-m", "siamese-speakers")
    assert (code, out) == (1, b"")
    assert "v.db has no voices of siamese-speakers@" in err
    assert "its voices are of mine@" in err


@pytest.fixture(scope="session")
def published():
    """The published encoder."""
    if not (MODELS / "ge2e" / "pretrained.pt").is_file():
        pytest.skip("no published GE2E encoder in AUDIOCLI_TEST_MODELS")
    return build(locate(str(MODELS / "ge2e"), "verify"), SpeakerEncoder, ModelOptions())


def test_the_published_net_tells_people_apart(published, real):
    """Two utterances each of three people: one's own other utterance is the nearest."""
    from audiocli import audio

    folders = sorted(path for path in (real / "data" / "mini-librispeech").iterdir() if path.is_dir())[:3]
    paths = [path for folder in folders for path in sorted(folder.glob("*.opus"))[:2]]
    clips = [audio.read(path, sample_rate=RATE, mono=True).samples[0][: 5 * RATE] for path in paths]
    embeddings = published.embed(clips)
    cosines = embeddings @ embeddings.T - 2 * np.eye(len(clips))
    assert cosines.argmax(axis=1).tolist() == [1, 0, 3, 2, 5, 4]
    assert published.calibration
    assert published.cohort is not None

"""Speaker encoders: properties of all, and each family on random weights through its own files."""

import json
import warnings

import numpy as np
import pytest
import torch

from audiocli.device import place
from audiocli.errors import ModelError
from audiocli.models import registry
from audiocli.models.load import build
from audiocli.models.locate import locate
from audiocli.models.registry import ModelSpec
from audiocli.options import ModelOptions
from audiocli.voices import pyannote
from audiocli.voices.embeddings import SHORTEST, WINDOW, SpeakerEncoder
from tests.models import pipelines

RATE = 16_000
SPEC = ModelSpec("tiny", "verify", "", "here", "none", RATE, 0.1)


def noise(seconds, seed=0):
    return np.random.default_rng(seed).standard_normal(int(seconds * RATE)).astype(np.float32)


@pytest.fixture
def spectra():
    """An encoder whose embedding is a coarse spectrum; the shapes that it was given."""
    shapes = []

    def forward(clips):
        shapes.append(clips.shape)
        return np.abs(np.fft.rfft(clips, axis=1))[:, :20].astype(np.float32) + 1.0

    return SpeakerEncoder(SPEC, RATE, forward), shapes


def test_rows_have_length_one_and_keep_their_order(spectra):
    encoder, shapes = spectra
    clips = [noise(1.0, 1), noise(2.0, 2), noise(1.0, 3), noise(0.01, 4)]
    found = encoder.embed(clips)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-6)
    for clip, row in zip(clips, found, strict=True):
        np.testing.assert_allclose(encoder.embed([clip])[0], row, rtol=1e-5)
    assert shapes[:3] == [(2, RATE), (1, 2 * RATE), (1, int(SHORTEST * RATE))]


def test_long_clips_are_the_mean_of_their_windows(spectra):
    encoder, shapes = spectra
    clip = noise(2.5 * WINDOW)
    found = encoder.embed([clip])[0]
    assert max(shape[1] for shape in shapes) <= WINDOW * RATE
    parts = encoder.embed(np.array_split(clip, 3)).sum(axis=0)
    np.testing.assert_allclose(found, parts / np.linalg.norm(parts), rtol=1e-4)


@pytest.mark.parametrize("family", ["wav2vec2", "wavlm", "unispeech-sat", "data2vec-audio"])
def test_x_vectors_of_transformers(family, tmp_path):
    from transformers import AutoConfig, AutoModelForAudioXVector, Wav2Vec2FeatureExtractor

    torch.manual_seed(0)
    config = AutoConfig.for_model(
        family, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, conv_dim=[16] * 7,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, tdnn_dim=[16, 16, 16, 16, 24],
        tdnn_kernel=[5, 3, 3, 1, 1], tdnn_dilation=[1, 2, 3, 1, 1], xvector_output_dim=12,
    )  # fmt: skip
    AutoModelForAudioXVector.from_config(config).save_pretrained(tmp_path)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(tmp_path)
    encoder = build(locate(str(tmp_path), "verify"), SpeakerEncoder, ModelOptions())
    found = encoder.embed([noise(1.0), noise(1.0, 1), noise(2.0, 2)])
    assert found.shape == (3, 12)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(encoder.embed([noise(1.0)])[0], found[0], atol=1e-4)
    assert encoder.calibration == {}


@pytest.fixture
def folder(tmp_path):
    """A checkpoint as pyannote.audio writes it, of random weights."""
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import WeSpeakerResNet34

    torch.manual_seed(0)
    model = WeSpeakerResNet34()
    model.specifications = Specifications(problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0)
    model.loss_func = torch.nn.Linear(2, 2)  # the head of a training
    pipelines.save(model, tmp_path / "pyannote" / "pytorch_model.bin")
    return tmp_path / "pyannote"


@pytest.mark.parametrize("about", [None, "task:\n  _target_: of.its.training\n"])
def test_a_folder_of_pyannotes_hears_as_pyannote_does(folder, about):
    from pyannote.audio import Inference, Model

    if about:
        (folder / "config.yaml").write_text(about)
    encoder = build(locate(str(folder), "verify"), SpeakerEncoder, ModelOptions())
    clip = noise(2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = Inference(Model.from_pretrained(folder / "pytorch_model.bin", strict=False), window="whole")
    expected = theirs({"waveform": torch.from_numpy(clip)[None], "sample_rate": RATE})
    np.testing.assert_allclose(encoder.embed([clip])[0], expected / np.linalg.norm(expected), atol=1e-5)


def test_a_folder_of_pyannotes_says_what_it_is_not(folder, tmp_path):
    with pytest.raises(ModelError, match=r"no config\.json"):
        locate(str(folder), "transcribe")
    (folder / "config.yaml").write_text("task: {}\n")
    with pytest.raises(ModelError, match="'audiocli verify' takes it"):
        locate(str(folder), "diarize")
    pipelines.save(pipelines.segmentation(), tmp_path / "seg" / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"not a pyannote embedding but pyannote\.audio\.models\.segmentation"):
        build(locate(str(tmp_path / "seg"), "verify"), SpeakerEncoder, ModelOptions())
    cut = (tmp_path / "seg" / "pytorch_model.bin").read_bytes()[:-1_000]
    (tmp_path / "seg" / "pytorch_model.bin").write_bytes(cut)
    with pytest.raises(ModelError, match="is damaged, or holds more than weights"):
        build(locate(str(tmp_path / "seg"), "verify"), SpeakerEncoder, ModelOptions())


@pytest.fixture
def speechbrain():
    pytest.importorskip("speechbrain")


@pytest.fixture
def ecapa(tmp_path, speechbrain):
    """SpeechBrain's folder as the hub has it, with a small net of random weights, and that net."""
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN

    torch.manual_seed(0)
    sizes = {"channels": [16, 16, 16, 16, 48], "lin_neurons": 12, "attention_channels": 8, "se_channels": 4}
    net = ECAPA_TDNN(20, **sizes).eval()
    torch.save(net.state_dict(), tmp_path / "embedding_model.ckpt")
    (tmp_path / "config.json").write_text('{"speechbrain_interface": "EncoderClassifier"}')
    (tmp_path / "hyperparams.yaml").write_text(
        f"""
compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: 20
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
    std_norm: False
embedding_model: !new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN
    input_size: 20
    {"".join(f"{name}: {value}{chr(10)}    " for name, value in sizes.items())}
mean_var_norm_emb: !new:speechbrain.processing.features.InputNormalization
    norm_type: global
    std_norm: False
classifier: !new:speechbrain.lobes.models.ECAPA_TDNN.Classifier
    input_size: 12
    out_neurons: 3
modules:
    compute_features: !ref <compute_features>
    mean_var_norm: !ref <mean_var_norm>
    embedding_model: !ref <embedding_model>
    mean_var_norm_emb: !ref <mean_var_norm_emb>
    classifier: !ref <classifier>
label_encoder: !new:speechbrain.dataio.encoder.CategoricalEncoder
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        embedding_model: !ref <embedding_model>
    paths:
        embedding_model: {tmp_path}/embedding_model.ckpt
"""
    )
    return tmp_path


def test_ecapa_of_speechbrain_hears_as_speechbrain_does(ecapa):
    from speechbrain.inference.speaker import EncoderClassifier

    theirs = EncoderClassifier.from_hparams(source=str(ecapa), savedir=str(ecapa / "saved"))
    encoder = build(locate(str(ecapa), "verify"), SpeakerEncoder, ModelOptions())
    clips = [noise(2.0), noise(2.0, 1)]
    expected = theirs.encode_batch(torch.from_numpy(np.stack(clips)))[:, 0].numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.embed(clips), expected, atol=1e-5)
    assert abs(float(expected[0] @ expected[1])) < 0.9999  # two clips are two vectors


def test_x_vectors_of_speechbrain(tmp_path, speechbrain):
    from speechbrain.lobes.features import Fbank
    from speechbrain.lobes.models.Xvector import Xvector
    from speechbrain.processing.features import InputNormalization

    torch.manual_seed(0)
    net = Xvector(tdnn_channels=[16, 16, 16, 16, 48], lin_neurons=12, in_channels=24).eval()
    torch.save(net.state_dict(), tmp_path / "embedding_model.ckpt")
    encoder = build(locate(str(tmp_path), "verify"), SpeakerEncoder, ModelOptions())
    clips = torch.from_numpy(np.stack([noise(2.0), noise(2.0, 1)]))
    with torch.inference_mode():
        bands = InputNormalization(norm_type="sentence", std_norm=False)(Fbank(n_mels=24)(clips), torch.ones(2))
        expected = torch.nn.functional.normalize(net(bands)[:, 0], dim=1).numpy()
    # Its pooling adds a little noise, a new one each time.
    np.testing.assert_allclose(encoder.embed(list(clips.numpy())), expected, atol=1e-3)


def test_a_checkpoint_of_something_else_is_no_ecapa(ecapa):
    for held in ({"x": torch.zeros(3)}, {"x": open}):
        torch.save(held, ecapa / "embedding_model.ckpt")
        with pytest.raises(ModelError, match="something other than an ECAPA"):
            build(locate(str(ecapa), "verify"), SpeakerEncoder, ModelOptions())
    (ecapa / "embedding_model.ckpt").write_bytes(b"")
    with pytest.raises(ModelError, match="is damaged"):
        build(locate(str(ecapa), "verify"), SpeakerEncoder, ModelOptions())


def test_ecapa_names_its_extra(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    (tmp_path / "embedding_model.ckpt").touch()
    for name in ("ecapa", str(tmp_path)):
        with pytest.raises(ModelError, match=r"needs the extra 'speechbrain': pip install 'audiocli\[speechbrain\]'"):
            locate(name, "verify")


def test_a_pickle_of_something_else_is_not_opened(tmp_path):
    torch.save({"state_dict": {}, "x": open}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="holds more than weights"):
        pyannote.load(tmp_path, SPEC, place("cpu", "float32"))


def test_the_built_in_encoder_is_whole():
    spec = registry.by_name("siamese-speakers")
    config = json.loads((spec.weights / "config.json").read_text())
    assert config["calibration"]["trials"] > 1_000
    assert sum(path.stat().st_size for path in spec.weights.iterdir()) < 8 * 2**20
    encoder = build(locate(None, "verify"), SpeakerEncoder, ModelOptions())
    assert encoder.embed([noise(1.0)]).shape == (1, config["sizes"]["embedding"])

"""YAMNet's way from samples to labels: with a tiny net of known weights, and with its own where it is on this machine."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiocli.device import Place
from audiocli.errors import ModelError
from audiocli.models import registry
from audiocli.models.load import load
from audiocli.options import ClassifyOptions, ModelOptions
from audiocli.verbs.classify import yamnet
from audiocli.verbs.classify.tagger import Tagger
from tests.models import tiny_yamnet

MODELS = Path(os.environ.get("AUDIOCLI_TEST_MODELS", "nowhere"))  # a folder with the files of published models
NAMES = ("Speech", "Dog, barking", "Rain", "Silence")
WEIGHTS = (-1.0, 0.3, 0.1, 0.5)  # of the mean of the logarithms, which is negative
SPEC = registry.MODELS["yamnet"]


@pytest.fixture
def folder(tmp_path):
    return tiny_yamnet.yamnet(tmp_path / "yamnet", WEIGHTS, NAMES)


@pytest.fixture
def tagger(folder):
    return yamnet.load(folder, SPEC, Place(), None)


def noise(seconds, rate=16_000, level=0.1, seed=0):
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * rate))).astype(np.float32)


def mean_log_mel(samples):
    """The mean over a patch of ln(mel + 0.001), with triangles by O'Shaughnessy's mel, bin by bin."""

    def mel(hz):
        return 1127.0 * np.log1p(hz / 700.0)

    edges = 700.0 * np.expm1(np.linspace(mel(125.0), mel(7500.0), 66) / 1127.0)
    bins = np.arange(257) * 16_000 / 512
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    total = []
    for start in range(0, 96 * 160, 160):
        magnitude = np.abs(np.fft.rfft(samples[start : start + 400].astype(np.float64) * window, 512))
        for low, centre, high in zip(edges, edges[1:], edges[2:], strict=False):
            triangle = np.clip(np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)), 0, None)
            total.append(np.log(triangle @ magnitude + 1e-3))
    return float(np.mean(total))


def sigmoid(values):
    return 1 / (1 + np.exp(-np.asarray(values, np.float64)))


def test_the_probabilities_of_a_patch(tagger):
    samples = noise(0.975)
    assert len(samples) == yamnet.SAMPLES
    expected = sigmoid(mean_log_mel(samples) * np.array(WEIGHTS))
    np.testing.assert_allclose(tagger([samples])[0], expected, rtol=1e-4)
    assert isinstance(tagger, Tagger)
    assert tagger.labels == NAMES


def test_a_long_window_is_the_mean_of_patches_that_reach_its_end(tagger):
    samples = noise(0.975 + 0.48 + 0.1)
    patches = [samples[start : start + yamnet.SAMPLES] for start in (0, 7_680, 7_680 + 1_600)]
    np.testing.assert_allclose(tagger([samples])[0], tagger(patches).mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize("seconds", [0.0001, 0.2, 0.9])
def test_a_clip_shorter_than_a_patch_is_one_with_silence_after_it(tagger, seconds):
    samples = noise(seconds)
    filled = np.pad(samples, (0, yamnet.SAMPLES - len(samples)))
    np.testing.assert_array_equal(tagger([samples, filled])[0], tagger([filled])[0])


def test_labels_of_independent_sounds_keep_their_probabilities(call, folder, tmp_path):
    soundfile.write(tmp_path / "x.wav", noise(2.0), 16_000, subtype="FLOAT")
    scores = []
    for more in ((), ("--labels", "rain")):
        code, out, err = call("classify", "-m", folder, "x.wav", "-f", "jsonl", "--top", "4", *more)
        assert (code, err) == (0, "")
        scores.append({one["label"]: one["score"] for one in json.loads(out)["labels"]})
    assert scores[0].keys() == set(NAMES)
    assert scores[1] == {"Rain": scores[0]["Rain"]}


@pytest.mark.parametrize(("rate", "seconds"), [(8_000, 1.5), (96_000, 1.5), (16_000, 1 / 16_000), (44_100, 0.3)])
def test_any_rate_and_one_sample(call, folder, tmp_path, rate, seconds):
    soundfile.write(tmp_path / "x.wav", noise(seconds, rate), rate, subtype="FLOAT")
    for more in ((), ("--events",)):
        code, out, _ = call("classify", "-m", folder, "x.wav", "-f", "jsonl", *more)
        record = json.loads(out)
        assert (code, record["status"], record["sample_rate"], len(record["labels"])) == (0, "ok", rate, 3)


def test_silence_is_no_event(call, folder, tmp_path):
    soundfile.write(tmp_path / "x.wav", np.zeros(48_000), 16_000)
    code, out, _ = call(
        "classify", "-m", folder, "x.wav", "-f", "jsonl", "--events", "--threshold", "0.01", "--top", "9"
    )
    record = json.loads(out)
    assert (code, record["status"]) == (0, "silent")
    assert "Silence" not in {event["label"] for event in record["events"]}
    assert "Silence" in {label["label"] for label in record["labels"]}


def truncated(file):
    file.write_bytes(file.read_bytes()[:200])


def of_something_else(file):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "nothing")


def without_weights(file):
    with zipfile.ZipFile(file) as archive:
        graph = archive.read("job_tiny/model.onnx")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model.onnx", graph)
        archive.writestr("model.data", b"1234")


def changed(file):
    content = bytearray(file.read_bytes())
    content[90:110] = bytes(20)
    file.write_bytes(content)


def a_bomb(file):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.onnx", bytes(yamnet.LARGEST + 1))
        archive.writestr("model.data", b"")


@pytest.mark.parametrize(
    ("damage", "code", "why"),
    [
        (truncated, 1, "is damaged, or not a zip file"), (changed, 1, "is damaged"),
        (of_something_else, 2, "holds something else: there is no"),
        (without_weights, 1, "is not an ONNX model, or is damaged"), (a_bomb, 2, "holds more than YAMNet"),
    ],
)  # fmt: skip
def test_damaged_archives(call, folder, tmp_path, damage, code, why):
    soundfile.write(tmp_path / "x.wav", noise(1.0), 16_000)
    damage(folder / "YamNet_w8a8.onnx.zip")
    ended, out, err = call("classify", "-m", folder, "x.wav")
    assert (ended, out) == (code, b"")
    assert why in err
    assert err.count("\n") == 1


def test_lists_of_sounds_that_do_not_fit(folder):
    labels = folder / "yamnet_class_map.csv"
    for content, why in (
        ("index,mid,display_name\n0,/m/0,Speech\n", "names 1 sounds, and the net has 4"),
        ("a,b\n1,2\n", "not the list of YAMNet's sounds"),
        (None, "there is no .*yamnet_class_map.csv"),
    ):
        labels.unlink() if content is None else labels.write_text(content)
        with pytest.raises(ModelError, match=why):
            yamnet.load(folder, SPEC, Place(), None)


def test_a_graphics_card_is_refused(call, folder, tmp_path):
    soundfile.write(tmp_path / "x.wav", noise(1.0), 16_000)
    code, _, err = call("classify", "-m", folder, "x.wav", "--device", "cuda")
    assert code == 2
    assert "yamnet runs on the processor only: leave out --device cuda" in err


def test_it_needs_no_torch(folder, tmp_path):
    soundfile.write(tmp_path / "x.wav", noise(1.0), 16_000)
    code = (
        "import sys\nfrom audiocli.cli import app\n"
        f"try: app(['classify', '-m', {str(folder)!r}, {str(tmp_path / 'x.wav')!r}, '--events'])\n"
        "except SystemExit as end: print(end.code or 0, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.splitlines()[-1] == b"0 False"


@pytest.fixture(scope="session")
def published():
    """The published net."""
    if not (MODELS / "yamnet").is_dir():
        pytest.skip("no published YAMNet in AUDIOCLI_TEST_MODELS")
    return load(str(MODELS / "yamnet"), "classify", Tagger, ModelOptions(), ClassifyOptions())


def test_the_published_net_hears_what_is_there(published, real):
    """In one of three clips of sounds that it knows well, one of their names is among the likeliest."""
    from audiocli import audio

    for label, names in {"rain": {"Rain"}, "dog_bark": {"Dog", "Bark"}, "sea_waves": {"Ocean", "Waves, surf"}}.items():
        paths = sorted((real / "data" / "esc10" / label).glob("3-*.ogg"))[:3]
        clips = [audio.read(path, sample_rate=published.sample_rate, mono=True).samples[0] for path in paths]
        best = [{published.labels[n] for n in np.argsort(-scores)[:5]} for scores in published(clips)]
        assert any(some & names for some in best), (label, best)

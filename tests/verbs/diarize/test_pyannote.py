"""A pyannote pipeline folder goes the way that the published ones go; unsafe ones do not."""

import json
import pickle
import warnings

import numpy as np
import pytest
import soundfile
import torch

from audiocli.errors import DownloadError, ModelError
from audiocli.models.load import build
from audiocli.models.locate import locate
from audiocli.options import DiarizeOptions, ModelOptions
from audiocli.verbs.diarize import pyannote
from audiocli.verbs.diarize.work import Diarizer
from tests.models import pipelines

RATE = 16_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pipelines.pipeline(tmp_path_factory.mktemp("models") / "my-pipeline")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("AUDIOCLI_DIARIZE_MODEL", raising=False)


def test_turns_are_those_of_pyannotes_own_loader(call, folder, recording, tmp_path):
    from pyannote.audio import Pipeline

    samples = torch.from_numpy(soundfile.read(recording, dtype="float32", frames=12 * RATE)[0])[None]
    soundfile.write(tmp_path / "x.wav", samples[0].numpy(), RATE, "FLOAT")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = Pipeline.from_pretrained(folder)({"waveform": samples, "sample_rate": RATE}, max_speakers=2)
    code, out, err = call("diarize", "x.wav", "-m", folder, "-f", "json", "-q", "--offline", "--max-speakers", "2")
    assert (code, err) == (0, "")
    record = json.loads(out)
    want = [(part.start, min(part.end, 12.0)) for part, _, _ in theirs.speaker_diarization.itertracks(yield_label=True)]
    assert want
    assert np.allclose([(turn["start"], turn["end"]) for turn in record["turns"]], want, atol=2e-3)
    assert record["model"] == "my-pipeline"
    assert record["exclusive"] is False


def test_silence_and_next_to_nothing(call, folder, tmp_path):
    """A pipeline with random weights hears somebody everywhere; digital silence never gets there."""
    soundfile.write(tmp_path / "silence.wav", np.zeros(3 * RATE), RATE)
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), RATE)
    soundfile.write(tmp_path / "short.wav", 0.1 * np.random.default_rng(0).standard_normal(RATE // 4), RATE)
    names = [tmp_path / f"{name}.wav" for name in ("silence", "empty", "short")]
    code, out, err = call("diarize", *names, "-m", folder, "-f", "jsonl", "-q")
    assert (code, err) == (0, "")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["status"] for record in records[:2]] == ["no_speech", "empty"]
    assert all(0 <= turn["start"] < turn["end"] <= 0.25 for turn in records[2]["turns"])


def test_what_a_pipeline_cannot(call, folder, tmp_path):
    soundfile.write(tmp_path / "x.wav", np.zeros(RATE), RATE)
    code, _, err = call("diarize", "x.wav", "-m", folder, "--precision", "float16")
    assert code == 2
    assert "float32" in err
    code, _, err = call("transcribe", "x.wav", "-m", folder)
    assert code == 2
    assert "audiocli diarize" in err


class Evil:
    """A pickle that runs code when it is read."""

    def __reduce__(self):
        return (print, ("run",))


def test_a_checkpoint_with_code_in_it_is_not_run(folder, tmp_path, capsys):
    torch.save({"state_dict": {}, "x": Evil()}, tmp_path / "pytorch_model.bin", pickle_module=pickle)
    with pytest.raises(ModelError, match="more than weights"):
        pyannote.model(tmp_path, "evil")
    assert capsys.readouterr().out == ""
    (tmp_path / "pytorch_model.bin").write_bytes(b"PK\3\4 cut off")
    with pytest.raises(ModelError, match="damaged"):
        pyannote.model(tmp_path, "cut")
    with pytest.raises(ModelError, match="there is no"):
        pyannote.model(tmp_path / "nowhere", "none")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("pyannote.audio.pipelines.SpeakerDiarization", "os.system", "another kind: os.system"),
        ("$model/segmentation", "pyannote/segmentation-3.0", "audiocli models pull pyannote/segmentation-3.0"),
        ("$model/embedding", "$model/lost", "not in the pipeline's folder"),
        ("    plda: $model/plda\n", "", "no plda"),
        ("pipeline:", "line:", "not describe a pyannote pipeline"),
        ("pipeline:", "\t: {", "not describe a pyannote pipeline"),
    ],
)
def test_a_pipeline_that_cannot_be_loaded_says_why(folder, tmp_path, old, new, words):
    text = (folder / "config.yaml").read_text()
    (tmp_path / "config.yaml").write_text(text.replace(old, new))
    for part in ("segmentation", "embedding", "plda"):
        (tmp_path / part).symlink_to(folder / part)
    with pytest.raises(ModelError, match=words.replace("$", r"\$")):
        build(locate(str(tmp_path), "diarize"), Diarizer, ModelOptions(), DiarizeOptions())


@pytest.mark.parametrize("name", ["pyannote-community-1", "pyannote/speaker-diarization-3.1"])
def test_published_pipelines_are_known_by_name(name):
    with pytest.raises(DownloadError, match=f"audiocli models pull {name}"):
        locate(name, "diarize", offline=True)

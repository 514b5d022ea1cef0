"""`audiocli features --kind notes` and `--kind pitch --model`, as a user types them."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from audiocli.music import midi
from audiocli.tones import basic_pitch
from tests.tones.nets import KEY, basic_pitch_net, swift_f0
from tests.tones.test_tones import RATE, TUNE, tune

HOP, LOW = basic_pitch.HOP, basic_pitch.LOWEST


@pytest.fixture
def steps(tmp_path):
    """A recording at the net's rate in which the made-up net hears A4 twice, and the folder of that net."""
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "nmp.onnx").write_bytes(basic_pitch_net())
    samples = np.zeros(400 * HOP, np.float32)
    samples[50 * HOP : 150 * HOP] = samples[200 * HOP : 390 * HOP] = 0.75
    path = tmp_path / "x.wav"
    soundfile.write(path, samples, basic_pitch.BasicPitch.sample_rate, subtype="FLOAT")
    return path, folder


def test_notes_as_a_table_and_as_midi(steps, call, tmp_path):
    path, folder = steps
    words = ["features", str(path), "-k", "notes", "-m", str(folder), "--sample-rate", "22050"]
    code, out, err = call(*words, "-f", "csv")
    assert (code, err) == (0, "")
    rows = [line.split(",") for line in out.decode().splitlines()[1:]]
    assert rows[0] == ["path", "notes start", "notes end", "notes pitch", "notes strength"]
    wanted = [(50, 150), (200, 390)]
    step = HOP / 22_050
    for row, (first, end) in zip(rows[1:], wanted, strict=True):
        assert [float(cell) for cell in row[1:]] == pytest.approx([first * step, end * step, LOW + KEY, 0.75], rel=1e-5)
    length = (100 + 190) * step
    summary = call(*words, "-f", "txt")[1].decode().splitlines()
    assert summary[1:] == [f"  notes        2 notes, MIDI pitch {LOW + KEY} to {LOW + KEY}, {length:.4g} s in all"]
    code, out, err = call(*words, "-f", "json", "--start", "1")
    record = json.loads(out)
    assert record["model"] == "net"
    assert record["features"]["notes"]["values"][-1][0] == pytest.approx(200 * step, abs=0.02)
    assert call(*words, "-o", str(tmp_path / "y.mid"), "--plot", "png")[0] == 0
    piece = midi.melody(str(tmp_path / "y.mid"))
    assert {note.pitch for note in piece.notes(0)} == {LOW + KEY}
    assert (tmp_path / "y.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["-k", "pitch,notes", "-o", "y.mid"], 2, "mid holds notes, not pitch, notes: give --kind notes alone"),
        (["-o", "y.mid"], 2, "mid holds notes, not log-mel"),
        (["-k", "mfcc", "-m", "yin"], 2, "--model hears pitch and notes"),
        (["-k", "pitch", "-m", "net"], 2, "hears notes, not the pitch of a voice"),
        (["-k", "notes", "-m", "rnnoise"], 2, "rnnoise is not a model for features: 'audiocli denoise' takes it"),
        (["-k", "notes", "-m", "net", "--device", "cuda"], 2, "runs on the processor only"),
        (["-k", "notes", "-m", "half"], 1, "half is not an ONNX model, or is damaged"),
        (["-k", "notes", "-m", "other"], 2, "other is an ONNX model of something else"),
    ],
)
def test_what_does_not_fit(steps, call, tmp_path, monkeypatch, words, code, message):
    for name, content in (("half", basic_pitch_net()[:-40]), ("other", swift_f0())):
        (tmp_path / name).mkdir()
        (tmp_path / name / "nmp.onnx").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    words = [f"./{word}" if word in ("net", "half", "other") else word for word in words]
    ended, out, err = call("features", str(steps[0]), *words)
    assert (ended, out) == (code, b"")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("rate", [8_000, 96_000])
def test_one_voice_at_any_rate_without_torch(tmp_path, rate):
    samples, notes = tune(rate)
    soundfile.write(tmp_path / "x.wav", samples, rate)
    words = [
        "features",
        str(tmp_path / "x.wav"),
        "-k",
        "notes",
        "-k",
        "pitch",
        "-m",
        "yin",
        "-o",
        str(tmp_path / "x.npz"),
    ]
    program = (
        f"import sys; from audiocli.cli import app\ntry: app({words!r})\n"
        "except SystemExit as end: assert not end.code\nprint('torch' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("False\n", "")
    found = np.load(tmp_path / "x.npz")["notes"]
    assert found[2].tolist() == [pitch for pitch, _ in TUNE]
    assert found[0] == pytest.approx([start for start, _, _ in notes], abs=0.05)


@pytest.mark.parametrize("samples", [np.zeros(0), np.full(1, 0.1), np.zeros(3 * RATE)])
@pytest.mark.parametrize("model", ["yin", "./net"])
def test_nothing_to_hear(steps, call, tmp_path, monkeypatch, samples, model):
    monkeypatch.chdir(tmp_path)
    soundfile.write(tmp_path / "s.wav", samples, RATE)
    code, out, err = call("features", "s.wav", "-k", "notes", "-m", model, "-f", "json")
    assert (code, err.count("Traceback")) == (0, 0)
    assert json.loads(out)["features"]["notes"]["values"] == []


def test_speech_has_notes_of_a_voice(speech, call):
    path = speech if not isinstance(speech, tuple) else speech[0]
    code, out, _ = call("features", str(path), "-k", "notes", "-m", "yin", "-f", "json")
    values = np.array(json.loads(out)["features"]["notes"]["values"]).reshape(-1, 4)
    assert code == 0
    assert (values[:, 1] > values[:, 0]).all()
    assert (values[1:, 0] >= values[:-1, 1] - 1e-6).all()

"""`audiocli denoise` as a command: properties that are kept, folders, pipes, live sound, and common mistakes."""

import io
import json
import struct

import numpy as np
import pytest
import soundfile

from audiocli.audio import parse_raw
from audiocli.errors import InputError
from audiocli.inputs import live
from tests.conftest import vowels

RATE = 16_000


def noise(seconds=1.0, rate=RATE, channels=1):
    random = np.random.default_rng(0)
    speech = np.tile(vowels(1.0, rate), int(np.ceil(seconds)))[: int(seconds * rate), None]
    return (speech + 0.02 * random.standard_normal((len(speech), channels))).astype(np.float32)


@pytest.fixture
def noisy(tmp_path):
    soundfile.write(tmp_path / "noisy.wav", noise(), RATE)
    return tmp_path / "noisy.wav"


@pytest.mark.parametrize("model", ["rnnoise", "spectral", "enhancer", "conv-enhancer"])
@pytest.mark.parametrize(
    ("rate", "channels", "subtype", "suffix"),
    [
        (8_000, 2, "PCM_16", "wav"),
        (96_000, 2, "PCM_24", "flac"),
        (44_100, 1, "FLOAT", "wav"),
        (16_000, 1, "ULAW", "wav"),
    ],
)
def test_rate_channels_length_and_type_stay(call, tmp_path, model, rate, channels, subtype, suffix):
    soundfile.write(tmp_path / f"in.{suffix}", noise(0.7, rate, channels), rate, subtype)
    code, out, err = call("denoise", f"in.{suffix}", "-o", f"out.{suffix}", "-m", model)
    assert (code, out, err) == (0, b"", "")
    was, now = (soundfile.info(tmp_path / f"{name}.{suffix}") for name in ("in", "out"))
    assert (now.samplerate, now.channels, now.frames, now.subtype) == (rate, channels, was.frames, subtype)


def test_a_folder_and_its_records(call, many, tmp_path):
    many(3)
    code, out, err = call("denoise", "in", "-o", "out/", "--json", "-m", "spectral")
    assert (code, err) == (0, "")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["output"] for record in records] == [f"out/0{n}.wav" for n in range(3)]
    assert all((tmp_path / record["output"]).exists() for record in records)
    assert records[0]["options"] == {"strength": 1.0}
    assert records[0]["model"] == "spectral"
    code, out, err = call("denoise", "in", "-o", "out/", "-m", "spectral", "--resume")
    assert (code, out) == (0, b"")
    assert "3 were done before" in err


def test_the_next_verb_takes_the_files(call, run, noisy, tmp_path):
    code, out, _ = call("denoise", noisy, "-o", "out/", "--json", "-m", "spectral")
    assert code == 0
    done = run("features", "--files-from", "-", "-k", "rms", "-f", "jsonl", input=out)
    assert done.returncode == 0
    assert json.loads(done.stdout)["path"] == "out/noisy.wav"


def test_a_failure_has_its_record(call, noisy, tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"junk")
    code, out, err = call("denoise", "bad.wav", noisy, "-o", "out/", "--json", "-m", "spectral")
    assert code == 1
    assert "bad.wav" in err
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["failed", "ok"]


def test_a_report(call, noisy):
    code, out, _ = call("denoise", noisy, "-o", "x.wav", "--report")
    assert code == 0
    assert b"report before snr" in out
    code, out, _ = call("denoise", noisy, "--report", "-f", "jsonl")
    record = json.loads(out)
    assert record["output"] is None
    assert record["report"]["after"]["snr"] > record["report"]["before"]["snr"]


def test_through_pipes(run, noisy, tmp_path):
    done = run("denoise", "-", "-o", "-", "-m", "spectral", input=noisy.read_bytes())
    assert done.returncode == 0
    samples, rate = soundfile.read(io.BytesIO(done.stdout))
    assert (len(samples), rate) == (RATE, RATE)


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_live_sound_is_what_the_file_gives(run, call, tmp_path, subtype):
    soundfile.write(tmp_path / "in.wav", noise(1.3, 44_100, 2), 44_100, subtype)
    assert call("denoise", "in.wav", "-o", "out.wav", "-m", "spectral")[0] == 0
    done = run("denoise", "--stream", "-", "-m", "spectral", input=(tmp_path / "in.wav").read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout) == (tmp_path / "in.wav").stat().st_size
    found, _ = soundfile.read(io.BytesIO(done.stdout))
    expected, _ = soundfile.read(tmp_path / "out.wav")
    assert np.abs(found - expected).max() <= 1e-3 * np.abs(expected).max()


def test_live_sound_comes_before_the_end(start):
    process = start("denoise", "--stream", "-", "--raw", "s16le:16000:1", "-m", "spectral", stdin=-1)
    sound = (noise(1.0)[:, 0] * 32_767).astype("<i2").tobytes()
    process.stdin.write(sound)
    process.stdin.flush()
    first = process.stdout.read(2 * (RATE - 511 - 128))  # hangs, and so fails, if the end is waited for
    process.stdin.close()
    assert len(first + process.stdout.read()) == len(sound)
    process.stdin = None  # is closed: the fixture must not flush it


def test_pcm_there_and_back():
    for encoding in ("u8", "s16le", "s16be", "s24le", "f32le", "alaw"):
        raw = parse_raw(f"{encoding}:8000:2")
        frames = np.random.default_rng(0).uniform(-0.9, 0.9, (100, 2)).astype(np.float32)
        data = live.encoded(frames, raw)
        assert len(data) == 100 * raw.frame_bytes
        (back,) = live.opened([data], raw, []).frames
        assert np.abs(back - frames).max() < {"u8": 0.01, "alaw": 0.03}.get(encoding, 1e-4)
        assert live.encoded(back, raw) == data


def test_a_wav_header_goes_through_as_it_was():
    header = (
        b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0"
        + struct.pack("<HHIIHH", 1, 1, 8_000, 16_000, 2, 16)
        + b"data\xff\xff\xff\xff"
    )
    found = live.opened([header[:20], header[20:] + b"\1\0"], None, [])
    assert found.header == header
    assert np.concatenate(list(found.frames)).tolist() == [[2**-15]]
    with pytest.raises(InputError, match="has no samples"):
        live.opened([header[:36]], None, [])


def test_compressed_sound_comes_out_as_wav(run, call, tmp_path):
    soundfile.write(tmp_path / "in.flac", noise(1.3, 44_100, 2), 44_100, "PCM_24")
    assert call("denoise", "in.flac", "-o", "out.wav", "-m", "spectral")[0] == 0
    done = run("denoise", "--stream", "-", "-m", "spectral", input=(tmp_path / "in.flac").read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    found, rate = soundfile.read(io.BytesIO(done.stdout))
    expected, _ = soundfile.read(tmp_path / "out.wav")
    assert (rate, soundfile.info(io.BytesIO(done.stdout)).subtype) == (44_100, "PCM_24")
    assert np.abs(found - expected).max() <= 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("model", ["rnnoise", "spectral", "enhancer", "conv-enhancer"])
def test_odd_sounds(call, tmp_path, model):
    """Silence, nothing, NaN, a click of full scale: a file for each, and no trouble."""
    sounds = {
        "silence": np.zeros(RATE), "empty": np.zeros(0), "one": np.array([0.5]),
        "nan": np.where(np.arange(RATE) == 50, np.nan, noise()[:, 0]), "click": np.where(np.arange(RATE) == 99, 1.0, 0.0),
    }  # fmt: skip
    (tmp_path / "in").mkdir()
    for name, samples in sounds.items():
        soundfile.write(tmp_path / "in" / f"{name}.wav", samples, RATE, "FLOAT")
    code, out, err = call("denoise", "in", "-o", "out/", "--json", "-m", model)
    assert code == 0
    assert err.splitlines() == [
        "audiocli: in/empty.wav: holds no sound", "audiocli: in/nan.wav: 1 sample was NaN or infinite: read as 0",
    ]  # fmt: skip
    for name, samples in sounds.items():
        found, _ = soundfile.read(tmp_path / "out" / f"{name}.wav")
        assert len(found) == len(samples)
        assert np.isfinite(found).all()
    statuses = {json.loads(line)["path"]: json.loads(line)["status"] for line in out.splitlines()}
    assert statuses["in/empty.wav"] == "empty"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["x.wav", "-o", "y.wav", "--strength", "1.5"], "--strength must lie between 0 and 1, not 1.5"),
        (["x.wav", "-o", "y.wav", "--strength", "nan"], "--strength must lie between 0 and 1"),
        (["x.wav", "-o", "y.wav", "-m", "whisper-tiny"], "whisper-tiny is not a model for denoise"),
        (["x.wav", "-o", "y.wav", "-m", "rnoise"], "did you mean rnnoise"),
        (["x.wav", "-o", "y.xyz"], "no format has the suffix '.xyz'"),
        (["x.wav", "-o", "y.csv"], "no format has the suffix '.csv'"),
        (["x.wav", "-o", "-", "--json"], "standard output cannot take"),
        (["x.wav", "-f", "jsonl", "--json"], "--json tells of files"),
        (["x.wav", "x2.wav", "-o", "y.wav"], "wav holds the result of one input: give -o FOLDER/"),
        (["--stream", "x.wav"], "give - as the only input"),
        (["--stream", "-", "-o", "y.wav"], "--stream writes to standard output"),
        (["--stream", "-", "--report"], "--stream gives sound only"),
        (["x.wav", "-o", "y.wav", "-m", "rnnoise", "--device", "cuda"], "rnnoise runs on the processor only"),
    ],
)
def test_mistakes_are_reported(call, noisy, args, says):
    code, out, err = call("denoise", *args)
    assert code == 2
    assert out == b""
    assert says in err


def test_a_model_folder_of_the_wrong_kind(call, noisy, tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "config.json").write_text(
        json.dumps({"model_type": "audiocli-classifier", "labels": ["a", "b"]})
    )
    code, _, err = call("denoise", noisy, "-o", "x.wav", "-m", "./net")
    assert code != 0
    assert "is not a model for denoise: 'audiocli classify' takes it" in err


def test_the_input_is_never_written_over(call, noisy):
    before = noisy.read_bytes()
    code, _, err = call("denoise", noisy, "-o", noisy, "--force")
    assert code == 1
    assert "is the input itself" in err
    assert noisy.read_bytes() == before


def test_a_report_has_units_and_says_why_a_figure_is_missing(call, tmp_path):
    for name, samples in (("loud", np.full(8_000, 0.1)), ("silent", np.zeros(8_000)), ("short", np.full(100, 0.1))):
        soundfile.write(tmp_path / f"{name}.wav", samples, 16_000)
    code, _, err = call("denoise", "loud.wav", "silent.wav", "short.wav", "--report", "-m", "spectral", "-o", "out/")
    assert code == 0, err
    text = call("denoise", "loud.wav", "--report", "-m", "spectral", "-f", "txt")[1].decode()
    assert "before level  -20 dBFS\n" in text
    assert "silent.wav: has no level and no signal-to-noise ratio: it is silent" in err
    assert "short.wav: is too short to be measured: 0.02 s are the least" in err

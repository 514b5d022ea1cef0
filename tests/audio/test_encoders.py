"""Writing: every format and subtype and back, to paths and pipes, and all that can go wrong."""

import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiocli import audio
from audiocli.audio import encoders
from audiocli.errors import OutputError, UsageError

STEP = {
    "PCM_S8": 2**-7, "PCM_U8": 2**-7, "PCM_16": 2**-16, "PCM_24": 2**-23, "PCM_32": 2**-24, "FLOAT": 0.0, "DOUBLE": 0.0,
    "ULAW": 0.02, "ALAW": 0.02, "ALAC_16": 2**-16, "ALAC_24": 2**-23,
}  # fmt: skip
ALL = [(name, subtype) for name, kind in encoders.KINDS.items() for subtype in sorted(kind.subtypes)]


def sound(rate=16_000, channels=1, seconds=1.0):
    t = np.arange(round(rate * seconds)) / rate
    wave = 0.5 * np.sin(2 * np.pi * 440 * t) / np.arange(1, channels + 1)[:, None]
    return audio.Audio(wave.astype(np.float32), rate)


@pytest.mark.parametrize(("name", "subtype"), ALL)
def test_there_and_back(name, subtype):
    channels = 1 if subtype == "GSM610" else 2
    made = sound(48_000, channels)
    file = io.BytesIO()
    audio.write(file, made, format=name, subtype=subtype.lower())
    warnings = []
    got = audio.read(file, warn=warnings.append)
    assert warnings == []
    assert got.sample_rate == 48_000
    n = made.samples.shape[1]
    if subtype in STEP:
        np.testing.assert_allclose(got.samples, made.samples, atol=STEP[subtype] * 1.01)
    else:
        assert 0 <= got.samples.shape[1] - n < 4096
        assert np.abs(got.samples[:, 5000:40_000] - made.samples[:, 5000:40_000]).max() < 0.1


def test_every_subtype_exists_in_libsndfile():
    for name, kind in encoders.KINDS.items():
        assert kind.subtypes <= set(soundfile.available_subtypes(kind.major)), name
        assert kind.subtype in kind.subtypes


@pytest.mark.parametrize("name", ["wav", "flac", "aiff", "caf"])
def test_sixteen_bits_are_rounded_to_the_nearest_and_clipped(name):
    values = np.array([[0.0, 0.4, 0.6, -0.4, -0.6, 1.5, 32767.0, 40_000.0, -32768.0, -40_000.0]], np.float32) / 2**15
    file = io.BytesIO()
    audio.write(file, audio.Audio(values, 8_000), format=name)
    got = audio.read(file).samples * 2**15
    assert got.tolist() == [[0, 0, 1, 0, -1, 2, 32767, 32767, -32768, -32768]]


def test_blocks_are_as_the_whole(tmp_path):
    made = sound(44_100, 2, 2.0)
    for name in ("wav", "flac", "ogg", "mp3"):
        audio.write(tmp_path / "whole", made, format=name)
        with audio.open_writer(tmp_path / "parts", 44_100, 2, format=name) as writer:
            for i in range(0, made.samples.shape[1], 10_007):
                writer.write(made.samples[:, i : i + 10_007])
        whole, parts = (audio.read(tmp_path / name).samples for name in ("whole", "parts"))
        np.testing.assert_allclose(whole, parts, atol=1e-3)


def test_nothing_is_a_valid_file(tmp_path):
    for name in encoders.KINDS:
        audio.write(tmp_path / "a", audio.Audio(np.zeros((1, 0), np.float32), 16_000), format=name)
        expected = 1 if name in ("flac", "opus", "mp3") else 0  # libsndfile would leave an empty file
        got = audio.read(tmp_path / "a").samples
        assert got.shape == (1, expected)
        assert np.abs(got).max(initial=0) < 1e-9


def test_long_vorbis_does_not_overflow_the_stack(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (1, 48_000 * 60)).astype(np.float32)
    threading.stack_size(2**19)  # a Mac's threads have no more
    try:
        thread = threading.Thread(
            target=audio.write, args=(tmp_path / "a", audio.Audio(noise, 48_000)), kwargs={"format": "ogg"}
        )
        thread.start()
        thread.join()
    finally:
        threading.stack_size(0)
    assert audio.read(tmp_path / "a").samples.shape == noise.shape


@pytest.mark.parametrize("name", ["wav", "flac", "ogg"])
def test_a_pipe_can_be_written_to(name):
    made = sound()
    out, into = os.pipe()
    got = io.BytesIO()
    with open(out, "rb") as reader:
        thread = threading.Thread(target=lambda: got.write(reader.read()))
        thread.start()
        with open(into, "wb") as pipe:
            audio.write(pipe, made, format=name)
        thread.join()
    assert audio.read(got).samples.shape == made.samples.shape


def test_a_closed_pipe_passes_through():
    out, into = os.pipe()
    os.close(out)
    with pytest.raises(BrokenPipeError), open(into, "wb", buffering=0) as pipe:
        audio.write(pipe, sound(), format="wav")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("name", ["wav", "flac", "ogg", "opus", "mp3", "aiff", "caf"])
@pytest.mark.parametrize("seconds", [0.1, 20.0])
def test_a_full_disk(name, seconds, capfd):
    with pytest.raises(OutputError, match="disk full: no space left on device"):
        audio.write("/dev/full", sound(48_000, 1, seconds), format=name)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_behind_a_file_object():
    with pytest.raises(OutputError, match="disk full"), open("/dev/full", "wb", buffering=0) as file:
        audio.write(file, sound(), format="wav")


def test_errors_of_the_code_that_writes_are_its_own(tmp_path):
    with pytest.raises(ZeroDivisionError), audio.open_writer(tmp_path / "a", 8_000, 1, format="wav"):
        raise ZeroDivisionError
    with pytest.raises(FileNotFoundError), audio.open_writer(tmp_path / "a", 8_000, 1, format="wav"):
        (tmp_path / "none").stat()


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="cannot be written: is a directory"):
        audio.write(tmp_path, sound(), format="wav")
    with pytest.raises(OutputError, match="cannot be written: no such file or directory"):
        audio.write(tmp_path / "none" / "a.wav", sound(), format="wav")


@pytest.mark.parametrize(
    ("options", "rate", "channels", "error", "says"),
    [
        ({"format": "m4a"}, 16_000, 1, UsageError, "no audio format 'm4a': wav, flac"),
        ({"format": "wav", "subtype": "VORBIS"}, 16_000, 1, UsageError, "wav has no subtype VORBIS: .*PCM_16"),
        ({"format": "opus"}, 44_100, 1, OutputError, "opus cannot hold 44100 Hz, only 8000, 12000, 16000, 24000, 48000"),
        ({"format": "mp3"}, 96_000, 1, OutputError, "mp3 cannot hold 96000 Hz"),
        ({"format": "mp3"}, 44_100, 3, OutputError, "3 channels, only up to 2"),
        ({"format": "flac"}, 44_100, 9, OutputError, "9 channels, only up to 8"),
        ({"format": "flac"}, 700_000, 1, OutputError, "only up to 655350"),
        ({"format": "ogg"}, 44_100, 256, OutputError, "256 channels"),  # libsndfile would crash
        ({"format": "ogg"}, 200_001, 1, OutputError, "only up to 200000"),  # here too
        ({"format": "wav", "subtype": "GSM610"}, 8_000, 2, OutputError, "2 channels, only up to 1"),
        ({"format": "wav"}, 0, 1, OutputError, "0 Hz"),
        ({"format": "wav"}, 8_000, 0, OutputError, "0 channels"),
    ],
)  # fmt: skip
def test_what_formats_cannot_hold(options, rate, channels, error, says, tmp_path):
    with pytest.raises(error, match=says):
        audio.write(tmp_path / "a", audio.Audio(np.zeros((channels, 10), np.float32), rate), **options)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_is_not_written(value, tmp_path):
    with pytest.raises(OutputError, match="NaN"):
        audio.write(tmp_path / "a", audio.Audio(np.array([[0.0, value]], np.float32), 8_000), format="wav")


def test_a_wav_ends_at_4_gib(tmp_path, monkeypatch):
    monkeypatch.setattr(encoders, "_FOUR_GIB", 10_000)
    with pytest.raises(OutputError, match="4 GiB"):
        audio.write(tmp_path / "a", sound(), format="wav")
    audio.write(tmp_path / "a", sound(), format="w64")


def test_formats_by_suffix():
    names = {"a.wav": "wav", "B.FLAC": "flac", "c.d.oga": "ogg", "x.aif": "aiff", "x.opus": "opus"}
    assert {path: audio.format_of(path) for path in names} == names
    for path in ("a", "a.m4a", "a.txt", ".wav"):
        with pytest.raises(UsageError, match="cannot write"):
            audio.format_of(path)

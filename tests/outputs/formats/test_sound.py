"""Results that are sound: every audio format gives the samples back, and JSON says where they are."""

import io
import json

import numpy as np
import pytest
import soundfile

from audiocli.errors import OutputError
from audiocli.outputs.formats import FORMATS, by_name, write
from audiocli.outputs.formats.sound import KINDS
from audiocli.records import Recording, Sound, sound_of
from tests.conftest import vowels

RATE = 16_000
LOSSY = {"ogg", "opus", "mp3"}


def recording(samples, subtype=None, **details):
    return Recording(
        path="in.wav", duration=samples.shape[1] / RATE, sample_rate=RATE, task="denoise", model="enhancer",
        sound=sound_of(samples, RATE, subtype), details=details,
    )  # fmt: skip


def written(form, record, output=None):
    stream = io.BytesIO()
    write(FORMATS[form], [record], stream, output=output)
    return stream.getvalue()


@pytest.mark.parametrize("name", KINDS)
def test_every_audio_format_gives_the_sound_back(name):
    samples = np.stack([vowels(), 0.5 * vowels(pitch=200)])
    data, rate = soundfile.read(io.BytesIO(written(name, recording(samples))), always_2d=True)
    assert rate == RATE
    assert data.shape[1] == 2
    least = min(len(data), samples.shape[1])
    assert abs(len(data) - samples.shape[1]) <= (0 if name not in LOSSY else 2_400)
    error = np.abs(data[:least].T - samples[:, :least]).max()
    assert error < (1 / 32_768 if name not in LOSSY else 0.3)


@pytest.mark.parametrize(
    ("held", "form", "kept"),
    [
        ("PCM_24", "wav", "PCM_24"), ("FLOAT", "wav", "FLOAT"), ("FLOAT", "flac", "PCM_24"), ("ULAW", "wav", "ULAW"),
        ("OPUS", "wav", "PCM_16"), (None, "flac", "PCM_16"), ("PCM_24", "mp3", "MPEG_LAYER_III"),
    ],
)  # fmt: skip
def test_samples_are_stored_as_they_were_where_the_format_can(held, form, kept):
    data = written(form, recording(vowels()[None], held))
    assert soundfile.info(io.BytesIO(data)).subtype == kept


def test_blocks_are_joined_without_a_seam(tmp_path):
    samples = vowels(0.5)[None]
    sound = Sound(RATE, 1, samples.shape[1], lambda: iter(np.array_split(samples, 7, axis=1)), "FLOAT")
    assert np.array_equal(sound.samples(), samples)
    record = Recording(path="x", duration=0.5, sample_rate=RATE, task="speak", sound=sound)
    with open(tmp_path / "x.wav", "wb") as stream:  # a real file is written in place, not through a copy
        write(FORMATS["wav"], [record], stream, output=None)
    assert np.array_equal(soundfile.read(tmp_path / "x.wav", dtype="float32")[0], samples[0])


def test_no_samples_are_a_valid_file():
    data, _ = soundfile.read(io.BytesIO(written("wav", recording(np.zeros((1, 0), np.float32)))))
    assert data.size == 0


def test_a_rate_that_the_format_has_not_is_written():
    record = Recording(path="x", duration=1, sample_rate=44_100, task="speak", sound=sound_of(vowels()[None], 44_100))
    with pytest.raises(OutputError, match="opus cannot hold 44100 Hz"):
        written("opus", record)


def test_a_record_says_where_the_sound_is():
    record = recording(vowels()[None], report={"snr": 12.5})
    (line,) = written("jsonl", record, "out/in.wav").splitlines()
    fields = json.loads(line)
    assert fields["output"] == "out/in.wav"
    assert fields["sound"] == {"duration": 1.0, "sample_rate": RATE, "channels": 1}
    assert fields["report"] == {"snr": 12.5}
    assert b"report snr" in written("txt", record)


def test_a_recording_has_no_table():
    with pytest.raises(Exception, match="no format 'csv' here"):
        by_name("csv", Recording)

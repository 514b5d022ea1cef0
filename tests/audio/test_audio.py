"""Reading: every format soundfile can write, blocks, times, damage, and files that are not audio."""

import io
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocli import audio
from audiocli.audio import blocks
from audiocli.errors import InputError, UsageError

ODD_FILES = Path(__file__).parents[3] / "shared" / "data" / "odd-files"


def tone(rate=16_000, seconds=1.0, channels=1, hz=440.0):
    """[samples, channels]: each channel softer than the one before."""
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)
    return (wave[:, None] / np.arange(1, channels + 1)).astype(np.float32)


def encoded(samples, rate=16_000, major="WAV", subtype=None):
    """Bytes of a file, written in pieces (libvorbis cannot take much at once)."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, samples.shape[1], subtype, format=major) as sound:
        for i in range(0, len(samples), 4096):
            sound.write(samples[i : i + 4096])
    return file.getvalue()


def read(data, **options):
    """The samples and the warnings."""
    warnings = []
    result = audio.read(io.BytesIO(data), warn=warnings.append, **options)
    return result.samples, warnings


@pytest.fixture
def short_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "_LENGTH", 1000)


# ---- formats

STEP = {
    "PCM_S8": 2**-7, "PCM_U8": 2**-7, "PCM_16": 2**-15, "PCM_24": 2**-23, "PCM_32": 2**-24, "FLOAT": 0.0, "DOUBLE": 0.0,
    "ULAW": 0.02, "ALAW": 0.02, "ALAC_16": 2**-15, "ALAC_20": 2**-19, "ALAC_24": 2**-23, "ALAC_32": 2**-24,
    "DWVW_16": 2**-15, "DWVW_24": 2**-23, "DPCM_16": 2**-15, "DPCM_8": 2**-6,
}  # fmt: skip
ENDS_BADLY = {
    "SDS": 40,
    "VOC": 1,
}  # samples: libsndfile loses the last packet as it writes; reads the end mark as one more
NOT_TRIED = {
    "RAW": "has no header",
    "SD2": "keeps half of itself in a second file",
    "MPC2K": "has two bytes as its signature, so it is not taken for audio",
}


def lossless():
    for major in sorted(soundfile.available_formats()):
        for subtype in soundfile.available_subtypes(major):
            if major not in NOT_TRIED and subtype in STEP:
                yield major, subtype


@pytest.mark.parametrize(("major", "subtype"), list(lossless()))
def test_reads_what_soundfile_writes(major, subtype):
    rate = {"WVE": 8_000, "XI": 44_100}.get(major, 16_000)  # these two do not store it
    samples = tone(rate, 0.25)
    got, warnings = read(encoded(samples, rate, major, subtype))
    assert warnings == [] or major == "SDS"
    assert got.dtype == np.float32
    assert got.flags.c_contiguous
    slack = ENDS_BADLY.get(major, 0)
    assert abs(got.shape[1] - len(samples)) <= slack
    sure = len(samples) - slack
    np.testing.assert_allclose(got[:, :sure], samples.T[:, :sure], atol=STEP[subtype] + 1e-9)


@pytest.mark.parametrize(
    ("major", "subtype", "rate", "channels"),
    [
        ("OGG", "VORBIS", 44_100, 2), ("OGG", "OPUS", 48_000, 2), ("OGG", "OPUS", 16_000, 1),
        ("MP3", "MPEG_LAYER_III", 44_100, 2), ("MP3", "MPEG_LAYER_III", 16_000, 1), ("WAV", "IMA_ADPCM", 16_000, 2),
        ("WAV", "MS_ADPCM", 16_000, 2), ("WAV", "GSM610", 8_000, 1), ("AU", "G721_32", 8_000, 1),
    ],
)  # fmt: skip
def test_reads_lossy_formats_in_time(major, subtype, rate, channels):
    samples = tone(rate, 1.0, channels)
    got, warnings = read(encoded(samples, rate, major, subtype))
    assert warnings == []
    assert 0 <= got.shape[1] - len(samples) < 4096  # ADPCM and GSM are padded to a whole packet; the others are exact
    if major in ("OGG", "MP3"):
        assert got.shape[1] == len(samples)
    middle = slice(rate // 4, rate // 2)
    assert np.abs(got[:, middle] - samples.T[:, middle]).max() < 0.06


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 64])
@pytest.mark.parametrize("length", [0, 1, 2, 999, 5000])
def test_channels_and_lengths(channels, length, short_blocks):
    samples = np.random.default_rng(length).uniform(-1, 1, (length, channels)).astype(np.float32)
    got, warnings = read(encoded(samples, subtype="FLOAT"))
    np.testing.assert_array_equal(got, samples.T)
    assert warnings == ([] if length else ["holds no sound"])


def test_mono_is_the_mean_of_the_channels():
    samples = np.random.default_rng(0).uniform(-1, 1, (5000, 5)).astype(np.float32)
    got, _ = read(encoded(samples, subtype="FLOAT"), mono=True)
    np.testing.assert_allclose(got, samples.T.mean(axis=0, keepdims=True), atol=1e-6)


def test_floats_beyond_one_are_kept():
    samples = tone() * 10
    got, _ = read(encoded(samples, subtype="FLOAT"))
    np.testing.assert_array_equal(got, samples.T)


# ---- files that can be opened


def test_path_and_file_objects_give_the_same(tmp_path):
    path = tmp_path / "a.raw"  # soundfile would take the suffix for headerless samples
    path.write_bytes(encoded(tone(), major="FLAC"))
    whole = audio.read(path)
    assert whole.name == str(path)
    assert whole.duration == 1.0
    with path.open("rb") as file:
        file.seek(100)
        again = audio.read(file, "x")
        assert again.name == "x"
        assert not file.closed
    np.testing.assert_array_equal(whole.samples, again.samples)
    np.testing.assert_array_equal(whole.samples, audio.read(str(path)).samples)


def test_the_suffix_decides_nothing(tmp_path):
    for name in (
        "a.vox",
        "a.gsm",
        "a.au",
        "a.raw",
        "a.wav",
        "a.mp3",
    ):  # libsndfile would read some of them as raw samples
        path = tmp_path / name
        path.write_bytes(b"This is a letter, not a sound.\n" * 1000)
        with pytest.raises(InputError, match="not an audio file"):
            audio.read(path)


def test_reasons_for_what_cannot_be_opened(tmp_path):
    (tmp_path / "empty.wav").touch()
    for path, reason in [
        (tmp_path, "is a folder"), (tmp_path / "none.wav", "no such file"), (tmp_path / "empty.wav", "empty file"),
        ("a\0b", "null byte"), ("/dev/null", "not a regular file"),
    ]:  # fmt: skip
        with pytest.raises(InputError, match=reason) as caught:
            audio.read(path)
        assert "\n" not in str(caught.value)


def test_a_file_without_permission(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    path.write_bytes(encoded(tone()))

    def refuse(name):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(audio.io, "FileIO", refuse)
    with pytest.raises(InputError, match="cannot be read: permission denied"):
        audio.read(path)


@pytest.mark.parametrize(
    "options",
    [{"start": -1.0}, {"start": float("nan")}, {"duration": -0.5}, {"duration": float("inf")}, {"sample_rate": 0}],
)
def test_options_that_mean_nothing(options):
    with pytest.raises(UsageError):
        read(encoded(tone()), **options)


def test_neither_ffmpeg_nor_torch_is_imported_for_a_wav(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(encoded(tone()))
    code = (
        f"import sys; from audiocli import audio; audio.read({str(path)!r});"
        "assert not {'av', 'torch', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_extensions_are_lower_case_suffixes():
    assert {".wav", ".flac", ".m4a", ".mkv", ".opus"} <= audio.EXTENSIONS
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in audio.EXTENSIONS)
    assert not {".ts", ".txt", ".json"} & audio.EXTENSIONS  # .ts is TypeScript more often than it is video


# ---- blocks


def test_blocks_are_bounded_and_contiguous():
    samples = tone(16_000, 40.0, 2)
    with audio.open_stream(io.BytesIO(encoded(samples)), sample_rate=24_000) as stream:
        assert (stream.source_rate, stream.source_channels, stream.sample_rate, stream.channels) == (
            16_000,
            2,
            24_000,
            2,
        )
        assert stream.length == pytest.approx(40.0)
        parts = list(stream.blocks)
    assert len(parts) > 1
    assert all(part.dtype == np.float32 and part.flags.c_contiguous and 0 < part.shape[1] <= 2**20 for part in parts)
    assert sum(part.shape[1] for part in parts) == 40 * 24_000


def test_many_channels_make_short_blocks():
    assert blocks.block_length(1) == 2**18
    assert blocks.block_length(64) * 64 <= 2**20


@pytest.mark.parametrize(
    ("major", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", "MPEG_LAYER_III"),
        ("WAV", "GSM610"),
    ],
)
@pytest.mark.parametrize("rate", [None, 16_000])
def test_where_blocks_are_cut_changes_nothing(major, subtype, rate, monkeypatch):
    channels = 1 if subtype == "GSM610" else 2
    data = encoded(tone(48_000, 1.0, channels), 48_000, major, subtype)
    whole, _ = read(data, sample_rate=rate, mono=True)
    monkeypatch.setattr(blocks, "_LENGTH", 777)
    parts, _ = read(data, sample_rate=rate, mono=True)
    np.testing.assert_array_equal(whole, parts)


@pytest.mark.parametrize(
    ("major", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", "MPEG_LAYER_III"),
        ("WAV", "GSM610"),
    ],
)
def test_start_and_duration_are_a_slice(major, subtype):
    rng = np.random.default_rng(3)
    noise = rng.uniform(-0.5, 0.5, (3 * 48_000, 1)).astype(np.float32)
    data = encoded(noise, 48_000, major, subtype)
    whole, _ = read(data)
    for start in (0, 1, 4095, 70_001, 100_000, whole.shape[1] - 5, whole.shape[1], whole.shape[1] + 10**6):
        got, warnings = read(data, start=start / 48_000)
        np.testing.assert_allclose(got, whole[:, start:], atol=1e-6)
        beyond = f"nothing after --start {start / 48_000:g}: it is {whole.shape[1] / 48_000:.1f} s long"
        assert warnings == ([] if start < whole.shape[1] else [beyond])
        got, _ = read(data, start=start / 48_000, duration=5000 / 48_000)
        np.testing.assert_allclose(got, whole[:, start : start + 5000], atol=1e-6)


@given(start=st.floats(0, 2), duration=st.none() | st.floats(0, 2), major=st.sampled_from(["WAV", "FLAC"]))
@settings(max_examples=60, deadline=None)
def test_any_time_is_cut_at_the_nearest_sample(start, duration, major):
    samples = np.arange(8_000, dtype=np.int16)[:, None]
    got, _ = read(encoded(samples, 8_000, major, "PCM_16"), start=start, duration=duration)
    end = 8_000 if duration is None else round((start + duration) * 8_000)
    np.testing.assert_array_equal(got * 32768, samples.T[:, round(start * 8_000) : end])


def test_the_promised_length_is_right():
    data = encoded(tone(16_000, 3.0))
    for options, expected in [
        ({}, 3.0),
        ({"start": 1.0}, 2.0),
        ({"start": 2.5, "duration": 2.0}, 0.5),
        ({"start": 9.0}, 0.0),
    ]:
        with audio.open_stream(io.BytesIO(data), **options) as stream:
            assert stream.length == pytest.approx(expected)


# ---- raw samples

RAW_TYPES = {
    "u8": "u1", "s8": "i1", "s16le": "<i2", "s16be": ">i2", "s32le": "<i4", "s32be": ">i4", "f32le": "<f4", "f32be": ">f4",
    "f64le": "<f8", "f64be": ">f8",
}  # fmt: skip


@pytest.mark.parametrize("encoding", RAW_TYPES)
def test_raw_samples(encoding):
    dtype = np.dtype(RAW_TYPES[encoding])
    wave = tone(8_000, 0.5, 2)
    if dtype.kind == "f":
        stored = wave.astype(dtype)
    else:
        stored = np.round(wave * 2.0 ** (8 * dtype.itemsize - 1) * 0.999 + (128 if dtype.kind == "u" else 0)).astype(
            dtype
        )
    got = audio.read(io.BytesIO(stored.tobytes()), raw=audio.parse_raw(f"{encoding}:8000:2"))
    assert got.sample_rate == 8_000
    np.testing.assert_allclose(got.samples, wave.T, atol=0.01 if dtype.itemsize == 1 else 1e-3)


@pytest.mark.parametrize(("encoding", "subtype"), [("s24le", "PCM_24"), ("ulaw", "ULAW"), ("alaw", "ALAW")])
def test_raw_samples_as_libsndfile_stores_them(encoding, subtype):
    wave = tone(8_000, 0.5)
    file = io.BytesIO()
    soundfile.write(file, wave, 8_000, subtype, "LITTLE", "RAW")
    got, _ = read(file.getvalue(), raw=audio.parse_raw(f"{encoding}:8000:1"))
    np.testing.assert_allclose(got, wave.T, atol=STEP[subtype])


@pytest.mark.parametrize(("data", "length"), [(b"", 0), (b"\1", 0), (b"\1\2\3\4", 1), (b"\1\2\3\4\5\6\7", 1)])
def test_an_odd_tail_of_raw_samples_is_reported(data, length):
    got, warnings = read(data, raw=audio.parse_raw("s16le:16000:2"))
    assert got.shape == (2, length)
    tail = [f"{len(data) % 4} bytes at the end are not a whole sample: left out"] if len(data) % 4 else []
    assert warnings == tail + ["holds no sound"] * (not length)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s16le",
        "s16le:16000",
        "s17:16000:1",
        "s16le:0:1",
        "s16le:16000:0",
        "s16le:1e4:1",
        "s16le:9:9999",
        "u8:\uff11:1",
    ],
)
def test_raw_formats_that_are_none(text):
    with pytest.raises(UsageError, match="ENCODING:RATE:CHANNELS"):
        audio.parse_raw(text)


# ---- damage


def test_nan_and_infinity_become_zero_and_are_counted(short_blocks):
    samples = tone(16_000, 1.0, 2)
    samples[10, 0], samples[5000, 1], samples[15_999, 1] = np.nan, np.inf, -np.inf
    got, warnings = read(encoded(samples, subtype="FLOAT"))
    assert warnings == ["3 samples were NaN or infinite: read as 0"]
    np.testing.assert_array_equal(got, np.where(np.isfinite(samples), samples, 0).T)


@pytest.mark.parametrize(
    ("major", "subtype"),
    [
        ("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "IMA_ADPCM"), ("RF64", "PCM_16"), ("W64", "PCM_16"), ("AIFF", "PCM_16"),
        ("AU", "PCM_16"), ("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III"), ("CAF", "ALAC_16"),
    ],
)  # fmt: skip
def test_a_cut_file_gives_what_is_left(major, subtype):
    rng = np.random.default_rng(0)
    noise = rng.uniform(-0.5, 0.5, (5 * 16_000, 1)).astype(np.float32)
    data = encoded(noise, 16_000, major, subtype)
    whole, none = read(data)
    assert none == []
    got, warnings = read(data[: len(data) * 6 // 10])
    assert len(warnings) == 1
    assert warnings[0].startswith(
        f"the file ends early: {got.shape[1] / 16_000:.1f} of 5."
    )  # ADPCM is padded to a packet
    assert 2.5 < got.shape[1] / 16_000 < 3.3
    same = got.shape[1] - 2000  # the last packet may be half a one
    np.testing.assert_allclose(got[:, :same], whole[:, :same], atol=1e-6)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_cut_ogg_file_has_lost_its_end(subtype):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (10 * 48_000, 1)).astype(np.float32)
    data = encoded(noise, 48_000, "OGG", subtype)
    got, warnings = read(data[: len(data) * 6 // 10])
    assert 4 < got.shape[1] / 48_000 < 7
    assert warnings == [
        f"the file ends early, at {got.shape[1] / 48_000:.1f} s: what follows is missing or cannot be read"
    ]


@pytest.mark.parametrize("major", ["WAV", "FLAC", "MP3", "OGG", "AIFF", "AU", "W64", "CAF"])
def test_a_file_cut_to_its_header_or_less_is_an_error_or_a_piece(major):
    data = encoded(tone(16_000, 1.0), 16_000, major)
    for length in (1, 4, 12, 20, 40, 60, 100, 200):
        with suppress(InputError):
            got, warnings = read(data[:length])
            assert got.shape[1] < 200
            assert warnings


def patched(data, offset, form, *values):
    data = bytearray(data)
    struct.pack_into(form, data, offset, *values)
    return bytes(data)


@pytest.mark.parametrize("size", [0, 0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF])
def test_a_wav_from_a_pipe_does_not_know_its_size(size):
    data = encoded(tone())
    got, warnings = read(patched(data, 40, "<I", size))
    assert got.shape == (1, 16_000)
    assert warnings == []


def test_a_flac_from_a_pipe_does_not_know_its_length():
    data = bytearray(encoded(tone(), major="FLAC"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    got, warnings = read(bytes(data))
    np.testing.assert_allclose(got, tone().T, atol=2**-15)
    assert warnings == []
    got, _ = read(bytes(data), start=0.75)
    np.testing.assert_allclose(got, tone().T[:, 12_000:], atol=2**-15)


def test_a_header_that_promises_too_much_takes_no_memory():
    data = bytearray(encoded(tone(), major="FLAC"))
    data[21] |= 0x0F
    data[22:26] = b"\xff\xff\xff\x00"  # 2^36 - 256 samples
    got, warnings = read(bytes(data))
    assert got.shape == (1, 16_000)
    assert "ends early: 1.0 of" in warnings[0]


def test_zero_hertz_is_an_error():
    with pytest.raises(InputError, match="wav"):
        read(patched(encoded(tone()), 24, "<I", 0))


def test_a_damaged_middle_costs_only_itself():
    rng = np.random.default_rng(0)
    noise = rng.uniform(-0.5, 0.5, (10 * 16_000, 1)).astype(np.float32)
    for major in ("FLAC", "MP3"):
        data = bytearray(encoded(noise, 16_000, major))
        middle = len(data) // 2
        data[middle : middle + 3000] = rng.integers(0, 256, 3000, dtype=np.uint8).tobytes()
        got, warnings = read(bytes(data))
        assert got.shape[1] > 8 * 16_000
        assert len(warnings) == 1


def test_several_ogg_files_in_a_row_are_read_to_the_end():
    one = encoded(tone(44_100, 2.0), 44_100, "OGG", "VORBIS")
    other = encoded(tone(44_100, 1.0), 44_100, "OGG", "VORBIS")
    got, warnings = read(one + other)
    assert got.shape[1] / 44_100 == pytest.approx(3.0, abs=0.02)
    assert "goes on after the 2.0 s" in warnings[0]


def mutations(data, number):
    """The data with a few bytes changed, most of them in its header, and sometimes cut."""
    rng = np.random.default_rng(len(data))
    for _ in range(number):
        changed = bytearray(data)
        reach = min(len(data), 200) if rng.random() < 0.7 else len(data)
        for _ in range(rng.integers(1, 8)):
            changed[rng.integers(reach)] = rng.choice([0, 255, 127, 128, rng.integers(256)])
        yield bytes(changed if rng.random() < 0.7 else changed[: rng.integers(1, len(changed))])


@pytest.mark.parametrize(
    ("major", "subtype"),
    [
        ("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "IMA_ADPCM"), ("WAV", "GSM610"), ("AIFF", "PCM_16"), ("AU", "PCM_16"),
        ("CAF", "PCM_16"), ("CAF", "ALAC_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("SDS", "PCM_16"),
        ("MP3", "MPEG_LAYER_III"), ("W64", "PCM_16"), ("RF64", "PCM_16"), ("VOC", "PCM_16"), ("NIST", "PCM_16"),
    ],
)  # fmt: skip
def test_whatever_is_wrong_with_a_file_is_an_input_error(major, subtype):
    for data in mutations(encoded(tone(8_000, 0.3), 8_000, major, subtype), 50):
        with suppress(InputError):
            got, _ = read(data, duration=2.0)
            assert np.isfinite(got).all()


def test_libsndfile_prints_nothing_on_standard_output(tmp_path):
    files = []
    for i, data in enumerate(mutations(encoded(tone(8_000, 0.3), 8_000, "SDS"), 100)):
        files.append(tmp_path / str(i))
        files[-1].write_bytes(data)
    code = (
        "import sys\nfrom audiocli import audio, errors\n"
        "for path in sys.argv[1:]:\n"
        "    try: audio.read(path, duration=2.0)\n"
        "    except errors.InputError: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *files], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert done.stdout == b""


# ---- files that are not audio

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", 1, 1, 8, 2, 0, 0, 0, 0) + bytes(200)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + bytes(range(256)) * 20 + b"\xff\xd9"
GARBAGE = {
    "text": b"hello world, this is a text file\n" * 5000,
    "text in UTF-16": ("hello world, this is a text file\n" * 500).encode("utf-16"),  # starts like an MP3 frame
    "subtitles": b"1\n00:00:01,000 --> 00:00:02,000\nhi\n\n" * 100,
    "zeros": bytes(2**20),
    "ones": b"\xff" * 2**20,
    "html": b"<!DOCTYPE html><html><body>" + b"x" * 10_000,
    "json": b'{"a": 1}',
    "jpeg": JPEG,
    "png": PNG,
    "pdf": b"%PDF-1.7\n" + bytes(1000),
    "zip": b"PK\x03\x04" + bytes(1000),
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>',
    "one byte": b"a",
    "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n",
    "list of other files": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "two bytes of an MPC2000": b"\x01\x04" + bytes(range(256)) * 20,
    "midi": b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0",
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_no_audio(kind):
    with pytest.raises(InputError, match="not an audio file"):
        read(GARBAGE[kind])


@pytest.mark.parametrize(
    "start", [b"", b"\xff\xfb", b"\xff\xf1", b"ID3\x03\0\0\0\0\0\x10", b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS"]
)
def test_noise_is_no_audio_whatever_it_starts_with(start):
    for seed in range(8):
        noise = np.random.default_rng(seed).integers(0, 256, 50_000, dtype=np.uint8).tobytes()
        with pytest.raises(InputError):
            read(start + noise)


# ---- the odd files; a line of the table: path | rate channels samples, or the error | the first warning

ODD = (Path(__file__).parent / "odd_files.txt").read_text().splitlines()


def odd_files():
    for line in ODD:
        path, outcome, *warning = line.split(" | ")
        yield pytest.param(path, outcome, warning, id=path)


@pytest.mark.skipif(not ODD_FILES.is_dir(), reason=f"no {ODD_FILES}")
@pytest.mark.parametrize(("path", "outcome", "warning"), list(odd_files()))
def test_odd_files(path, outcome, warning):
    warnings = []
    if outcome.startswith("error: "):
        with pytest.raises(InputError, match=f"^{outcome.removeprefix('error: ')}$"):
            audio.read(ODD_FILES / path)
        return
    got = audio.read(ODD_FILES / path, warn=warnings.append)
    assert outcome == f"{got.sample_rate} {got.samples.shape[0]} {got.samples.shape[1]}"
    assert warnings[:1] == warning
    assert np.isfinite(got.samples).all()


@pytest.mark.skipif(not ODD_FILES.is_dir(), reason=f"no {ODD_FILES}")
def test_every_odd_file_is_in_the_table():
    listed = {line.split(" | ")[0] for line in ODD}
    assert listed == {str(path.relative_to(ODD_FILES)) for path in ODD_FILES.glob("*/*")}

"""Headers that promise too little: sound beyond them is read and reported; anything else there is neither."""

import io
import struct

import numpy as np
import pytest
import soundfile

from audiocli import audio
from audiocli.errors import InputError

RATE = 16_000


def noise(seconds, seed=0):
    """[samples], whole steps of 16 bits."""
    return np.random.default_rng(seed).integers(-3000, 3000, round(RATE * seconds)) / 32_768


SIX, TWO = noise(6), noise(2, 1)


def encoded(samples, major="WAV", subtype="PCM_16", rate=RATE, endian=None):
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, 1, subtype, endian, major) as sound:
        for i in range(0, len(samples), 4096):
            sound.write(samples[i : i + 4096])
    return file.getvalue()


def patched(data, mark, offset, form, value):
    """With a value written some bytes behind the first mark."""
    changed = bytearray(data)
    struct.pack_into(form, changed, data.index(mark) + offset, value)
    return bytes(changed)


def read(data, **options):
    warnings = []
    return audio.read(io.BytesIO(data), warn=warnings.append, **options).samples[0], warnings


def goes_on(promised, there):
    return [f"the file goes on after the {promised:.1f} s that its header promises: {there:.1f} s"]


SHORT = {  # formats whose header promises 2 of 6 s
    "wav": patched(encoded(SIX), b"data", 4, "<I", 64_000),
    "rifx": patched(encoded(SIX, endian="BIG"), b"data", 4, ">I", 64_000),
    "rf64": patched(encoded(SIX, "RF64"), b"ds64", 16, "<Q", 64_000),
    "w64": patched(encoded(SIX, "W64"), b"data", 16, "<Q", 24 + 64_000),
    "aiff": patched(encoded(SIX, "AIFF"), b"SSND", 4, ">I", 8 + 64_000),
    "aiff's frames": patched(encoded(SIX, "AIFF"), b"COMM", 10, ">I", 32_000),
    "au": patched(encoded(SIX, "AU"), b".snd", 8, ">I", 64_000),
    "caf": patched(encoded(SIX, "CAF"), b"data", 4, ">Q", 4 + 64_000),
}


@pytest.mark.parametrize("kind", SHORT)
def test_the_rest_is_read_and_reported(kind):
    got, warnings = read(SHORT[kind])
    np.testing.assert_array_equal(got, SIX)
    assert warnings == goes_on(2, 6)
    got, warnings = read(SHORT[kind], start=1.5, duration=1.0)
    np.testing.assert_array_equal(got, SIX[24_000:40_000])
    assert warnings == []
    np.testing.assert_array_equal(read(SHORT[kind], start=3.0)[0], SIX[48_000:])


@pytest.mark.parametrize("major", ["WAV", "RF64", "W64", "AIFF", "AU", "CAF"])
def test_files_put_one_after_the_other(major):
    got, warnings = read(encoded(SIX, major) + encoded(TWO, major) + encoded(SIX, major))
    np.testing.assert_array_equal(got, np.concatenate([SIX, TWO, SIX]))
    assert warnings == goes_on(6, 14)


@pytest.mark.parametrize("between", [b"", b"LIST\5\0\0\0junk!\0"])
def test_a_second_data_chunk(between):
    second = b"data" + struct.pack("<I", 64_000) + encoded(TWO)[44:]
    got, warnings = read(encoded(SIX) + between + second + between)
    np.testing.assert_array_equal(got, np.concatenate([SIX, TWO]))
    assert warnings == goes_on(6, 8)


@pytest.mark.parametrize(
    "other",
    [encoded(TWO, rate=8_000), encoded(TWO, "FLAC"), encoded(TWO, "OGG", "VORBIS"), encoded(TWO, "MP3", "MPEG_LAYER_III")],
    ids=["wav", "flac", "ogg", "mp3"],
)  # fmt: skip
def test_a_file_of_another_format_is_left_out_and_reported(other):
    got, warnings = read(encoded(SIX) + other)
    np.testing.assert_array_equal(got, SIX)
    assert warnings == ["another file follows in this one, in another format: left out"]


@pytest.mark.parametrize(
    "tail",
    [
        b"LIST\4\0\0\0junk", b"id3 " + struct.pack("<I", 70_000) + b"\1" * 70_000, b"Xyz1\4\0\0\0\1\2\3\4",
        b"bext" + struct.pack("<I", 602) + b"\1" * 300,  # cut
        bytes(40_000), b"\x81\x05" * 500, b"\x81", b"TAG" + b"x" * 125, b"ID3\3\0\0\0\0\x10\0" + b"\1" * 2048,
        b"APETAGEX" + struct.pack("<II", 2000, 3000) + b"\1" * 3016,
    ],
    ids=["LIST", "id3", "unknown", "cut", "zeros", "next to nothing", "a byte", "ID3v1", "ID3v2", "APE"],
)  # fmt: skip
def test_what_is_no_sound(tail):
    for samples, subtype in ((SIX, "PCM_16"), (SIX[:-1], "PCM_U8")):
        got, warnings = read(encoded(samples, subtype=subtype) + tail)
        assert (len(got), warnings) == (len(samples), [])


def test_a_codec_that_cannot_be_gone_on_with_is_reported():
    _, warnings = read(patched(encoded(SIX, subtype="IMA_ADPCM"), b"data", 4, "<I", 16_384))
    assert warnings == ["the file goes on after what its header promises: 32256 bytes, left out"]


@pytest.mark.parametrize(("size", "promised"), [(64_000, 2.0), (0xFFFF_FFFF, None)])
def test_more_than_4_gib(tmp_path, size, promised):
    """A sparse file, whose size has wrapped, or was never known; chunks may still stand behind the sound."""
    path, n = tmp_path / "long.wav", 2**32 + 64_000
    head = patched(encoded(SIX[:0]), b"data", 4, "<I", size)
    with path.open("wb") as file:
        file.seek(len(head) + n - 64_000)
        file.write(encoded(TWO)[44:] + b"LIST\4\0\0\0junk")
        file.seek(0)
        file.write(head)
    seconds = n / 2 / RATE
    with audio.open_stream(path, start=seconds - 2.0) as stream:
        got = np.concatenate(list(stream.blocks), axis=1)[0]
    np.testing.assert_array_equal(got[: len(TWO)], TWO)
    assert len(got) - len(TWO) == (0 if promised else 6)  # nobody promised where the chunk begins
    assert stream.warnings == (goes_on(promised, seconds) if promised else [])


def test_a_format_chunk_without_bits():
    data = encoded(SIX)
    for size in (14, 15):
        form = struct.pack("<IHHIIH", size, 1, 1, RATE, 2 * RATE, 2) + bytes(size - 14 + size % 2)
        got, warnings = read(data[:12] + b"fmt " + form + data[36:])
        np.testing.assert_array_equal(got, SIX)
        assert warnings == []


def test_many_empty_chunks_take_no_time():
    data = encoded(SIX) + b"LIST\0\0\0\0" * 30_000
    assert read(data)[1] == []
    with pytest.raises(InputError):
        read(data[:12] + b"LIST\0\0\0\0" * 30_000)


@pytest.mark.parametrize("frames", [20, 100, 150])
def test_an_mp3_that_counts_too_few_frames(frames):
    data = encoded(SIX, "MP3", "MPEG_LAYER_III")
    data = patched(data, b"Xing" if b"Xing" in data else b"Info", 8, ">I", frames)
    for tail in (b"", b"TAG" + b"x" * 125):
        got, warnings = read(data + tail)
        assert len(got) == len(SIX)
        assert warnings[0].endswith("that its header promises: 6.0 s")


def test_tags_behind_an_mp3_are_no_sound():
    data = encoded(SIX, "MP3", "MPEG_LAYER_III")
    picture = b"APETAGEX" + struct.pack("<II", 2000, 30_000) + b"\1" * 30_016
    for tail in (b"TAG" + b"x" * 125, picture, picture + b"TAG" + b"x" * 125, bytes(40_000)):
        got, warnings = read(data + tail)
        assert (len(got), warnings) == (len(SIX), [])
    _, warnings = read(data + b"\1" * 40_000)
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("major", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III")]
)
def test_the_same_file_twice(major, subtype):
    """In Ogg they have one serial number; short ones lie in a decoder's buffer."""
    for samples in (SIX, TWO if subtype == "OPUS" else TWO[:8_000]):
        data = encoded(samples, major, subtype)
        got, warnings = read(data + data)
        seconds = len(samples) / RATE
        assert len(got) / RATE == pytest.approx(2 * seconds, abs=0.2)
        assert warnings[0].startswith(f"the file goes on after the {seconds:.1f} s")

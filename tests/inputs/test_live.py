"""Sound from standard input as it comes: every format of a file works as a stream."""

import io
import struct

import numpy as np
import pytest
import soundfile

from audiocli.errors import InputError
from audiocli.inputs import live

RATE = 16_000
SOUND = np.random.default_rng(0).integers(-3000, 3000, 3 * RATE) / 32_768


def encoded(major="WAV", subtype="PCM_16", endian=None, samples=SOUND):
    stream = io.BytesIO()
    soundfile.write(stream, samples, RATE, subtype, endian, major)
    return stream.getvalue()


def streamed(data, step=1_000):
    """(the opened stream, samples, bytes that had come before the first of them, warnings)."""
    came, warnings = [0], []

    def chunks():
        for i in range(0, len(data), step):
            came[0] = i + step
            yield data[i : i + step]

    found = live.opened(chunks(), None, warnings)
    blocks, first = [], None
    for block in found.frames:
        first = came[0] if first is None else first
        blocks.append(block)
    return found, np.concatenate(blocks)[:, 0] if blocks else np.zeros(0), first, warnings


@pytest.mark.parametrize(
    ("major", "subtype", "endian"),
    [
        ("WAV", "PCM_16", None), ("WAV", "PCM_16", "BIG"), ("WAVEX", "PCM_24", None), ("RF64", "PCM_16", None),
        ("W64", "PCM_16", None), ("AIFF", "PCM_16", None), ("AIFF", "FLOAT", None), ("AU", "PCM_16", None),
        ("AU", "PCM_16", "LITTLE"), ("CAF", "PCM_16", None),
    ],
)  # fmt: skip
def test_plain_samples_behind_any_header(major, subtype, endian):
    """At once, and answered behind the header that they have."""
    data = encoded(major, subtype, endian)
    found, samples, first, warnings = streamed(data)
    np.testing.assert_allclose(samples, SOUND, atol=1e-7)
    assert data.startswith(found.header)
    assert len(data) - len(found.header) == len(SOUND) * found.raw.frame_bytes
    assert first <= len(found.header) + 1_000
    assert warnings == []


@pytest.mark.parametrize(
    ("major", "subtype", "exact"),
    [
        ("FLAC", "PCM_16", True), ("FLAC", "PCM_24", True), ("CAF", "ALAC_16", True), ("MP3", "MPEG_LAYER_III", False),
        ("OGG", "VORBIS", False), ("OGG", "OPUS", False), ("WAV", "IMA_ADPCM", False),
    ],
)  # fmt: skip
def test_compressed_sound_is_decoded_before_its_end(major, subtype, exact):
    data = encoded(major, subtype, samples=np.tile(SOUND, 4))
    found, samples, first, warnings = streamed(data)
    assert len(samples) / found.raw.sample_rate == pytest.approx(12, abs=0.1)
    if exact:
        np.testing.assert_allclose(samples, np.tile(SOUND, 4)[: len(samples)], atol=1e-7)
    assert first < len(data) / 2
    assert warnings == []
    assert found.raw.encoding == ("s24le" if subtype == "PCM_24" else "s16le")
    assert found.header.startswith(b"RIFF")


def fmt(body):
    """A WAV file with this format chunk."""
    data = encoded()
    return data[:12] + b"fmt " + struct.pack("<I", len(body)) + body + data[36:]


def test_formats_and_chunks_that_are_odd():
    wide = (np.round(SOUND * 2**23).astype("<i4") << 8).tobytes()
    head = struct.pack("<HHIIHH", 1, 1, RATE, 4 * RATE, 4, 24)
    padded = fmt(head)[:36] + b"data" + struct.pack("<I", len(wide)) + wide
    data = encoded()
    late = data[:36] + b"JUNK" + struct.pack("<I", 100_000) + bytes(100_000) + data[36:]
    for one in (padded, late, fmt(struct.pack("<HHIIH", 1, 1, RATE, 2 * RATE, 2))):
        _, samples, _, warnings = streamed(one)
        np.testing.assert_array_equal(samples, SOUND)
        assert warnings == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"), (encoded()[:40], "damaged wav file: it has no samples"),
        (fmt(struct.pack("<HHIIHH", 1, 1, 0, 0, 2, 16)), "damaged or unsupported wav file"),
        (fmt(struct.pack("<HHIIHH", 1, 0, RATE, 0, 2, 16)), "damaged or unsupported wav file"),
        (fmt(struct.pack("<HHIIHH", 1, 1, 2**31, 0, 2, 16)), "damaged or unsupported wav file"),
        (b"\0\0\0\x20ftypisom" + bytes(500), "damaged mp4 file, or one that cannot be read as it comes: leave --stream out"),
    ],
    ids=["empty", "header", "0 Hz", "0 channels", "2^31 Hz", "mp4"],
)  # fmt: skip
def test_what_cannot_be_streamed(data, reason):
    with pytest.raises(InputError, match=f"^standard input: {reason}$"):
        streamed(data)


def test_the_header_is_not_the_last_word():
    data = encoded()
    short = data[:40] + struct.pack("<I", 64_000) + data[44:]
    _, samples, _, warnings = streamed(short)
    np.testing.assert_array_equal(samples, SOUND)
    assert warnings == ["the file goes on after the 2.0 s that its header promises: 3.0 s"]
    _, samples, _, warnings = streamed(data + b"LIST\4\0\0\0junk" + data)
    assert len(samples) == 2 * len(SOUND)
    assert warnings == ["the file goes on after the 3.0 s that its header promises: 6.0 s"]
    for one in (data, encoded("FLAC")):
        assert streamed(one[: len(one) // 2])[3][0].startswith("the file ends early: 1.")


def test_long_chunks_behind_the_sound_are_passed(monkeypatch):
    monkeypatch.setattr(live, "HEADER", 1_000)
    data = encoded()
    assert len(streamed(data + b"LIST" + struct.pack("<I", 50_000) + bytes(50_000))[1]) == len(SOUND)
    with pytest.raises(InputError, match="its samples begin after more than"):
        streamed(data[:36] + b"JUNK" + struct.pack("<I", 50_000) + bytes(50_000) + data[36:])


def test_anything_else_is_raw():
    found, samples, first, warnings = streamed(encoded()[44:-1])
    np.testing.assert_array_equal(samples, SOUND[:-1])
    assert (found.header, first) == (b"", 1_000)
    assert warnings == ["1 bytes at the end are not a whole sample: left out"]

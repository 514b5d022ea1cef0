"""Formats that only FFmpeg reads; the files are made here with PyAV."""

import io
import struct
import subprocess
import sys
import tempfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from audiocli import audio
from audiocli.audio import blocks, ffmpeg
from audiocli.errors import InputError

SECONDS = 2
ONSET = 0.5  # s of silence at the start


def clicks(rate, channels):
    """[channels, samples]: silence, then tones that fade: one onset every half second, each of another height."""
    n = rate * SECONDS + 37
    wave = np.zeros((channels, n), np.float32)
    t = np.arange(n - round(ONSET * rate)) / rate
    wave[:, -len(t) :] = 0.5 * np.sin(2 * np.pi * 440 * (1 + t.round()) * t) * np.exp(-6 * (t % 0.5))
    return wave


def encode(codec, container, wave, rate, options=None, bit_rate=128_000, layout=None):
    """Bytes of a file; by name, for the index of an mp4 is put first by reading the file again."""
    layout = layout or ("stereo" if len(wave) == 2 else "mono")
    file = tempfile.NamedTemporaryFile()
    with file, av.open(file.name, "w", format=container, options=options or {}) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout)
        stream.bit_rate = bit_rate
        output.start_encoding()
        context = stream.codec_context
        resampler = av.AudioResampler(format=context.format.name, layout=layout, rate=rate)
        whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave.T).reshape(1, -1), format="flt", layout=layout)
        whole.sample_rate, whole.time_base, whole.pts = rate, Fraction(1, rate), 0
        queue = av.AudioFifo()
        for frame in resampler.resample(whole) + resampler.resample(None):
            queue.write(frame)
        size = context.frame_size or 1024
        while frame := queue.read(size) or queue.read(size, partial=True):
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        output.close()
        return Path(file.name).read_bytes()


def read(data, **options):
    warnings = []
    return audio.read(io.BytesIO(data), warn=warnings.append, **options), warnings


def lag(got, wanted):
    """Samples by which `got` is later."""
    n = got.shape[1] + wanted.shape[1]
    product = np.fft.irfft(np.fft.rfft(got[0], n) * np.conj(np.fft.rfft(wanted[0], n)), n)
    found = int(product.argmax())
    return found if found < n // 2 else found - n


# codec, container, rate, channels, muxer options; then samples: lag, and by how many the length may differ.
# Containers that do not mark the end keep the padding of the last packet (up to a packet: 1,024 for AAC, 1,536 for AC-3).
MS = 48  # samples: MP4's edit list counts in milliseconds
CASES = {
    "m4a": ("aac", "mp4", 44_100, 2, {}, 0, MS),
    "mp4, index first": ("aac", "mp4", 48_000, 1, {"movflags": "faststart"}, 0, MS),
    "mp4 in fragments": ("aac", "mp4", 48_000, 1, {"movflags": "frag_keyframe+empty_moov"}, 0, 1024),
    "mp4 for streaming": ("aac", "mp4", 48_000, 2, {"movflags": "dash", "frag_duration": "200000"}, 0, 1024),
    "mp4 with opus": ("libopus", "mp4", 48_000, 2, {}, 0, MS),
    "mp4 with alac": ("alac", "mp4", 44_100, 2, {}, 0, 0),
    "mov": ("pcm_s16le", "mov", 44_100, 2, {}, 0, 0),
    "adts": ("aac", "adts", 44_100, 2, {}, 0, 1024),
    "mpegts": ("aac", "mpegts", 44_100, 2, {}, 0, 1024),
    "flv": ("aac", "flv", 44_100, 2, {}, 0, 1024),
    "mkv": ("aac", "matroska", 44_100, 2, {}, 0, 1024),
    "webm": ("libopus", "webm", 48_000, 2, {}, 0, 0),
    "mkv with flac": ("flac", "matroska", 44_100, 2, {}, 0, 0),
    "mkv with mp3": ("libmp3lame", "matroska", 44_100, 2, {}, 0, 0),
    "ac3": ("ac3", "ac3", 48_000, 2, {}, 0, 1536),
    "eac3": ("eac3", "eac3", 48_000, 2, {}, 0, 1536),
    "mkv with ac3": ("ac3", "matroska", 48_000, 2, {}, 0, 1536),
    "wavpack": ("wavpack", "wv", 44_100, 2, {}, 0, 0),
    "tta": ("tta", "tta", 44_100, 2, {}, 0, 0),
    # No field for the delay, and no frame that is certainly silent: the codec's own delay stays.
    "avi with mp3": ("libmp3lame", "avi", 44_100, 2, {}, 1105, 2304),
    "amr": ("libopencore_amrnb", "amr", 8_000, 1, {}, 70, 160),
    # FFmpeg's decoder takes 4,096 samples off for Microsoft's encoder; its own encoder has only 2,048 to spare.
    "wma": ("wmav2", "asf", 44_100, 2, {}, -2048, 2048),
}


@pytest.fixture(scope="module")
def files():
    """Encodes each once."""
    made = {}

    def get(name):
        if name not in made:
            codec, container, rate, channels, options, _, _ = CASES[name]
            try:
                made[name] = encode(
                    codec, container, clicks(rate, channels), rate, options, 12_200 if name == "amr" else 128_000
                )
            except av.error.EncoderNotFoundError:
                pytest.skip(f"this FFmpeg has no encoder {codec}")
            except av.codec.codec.UnknownCodecError:
                pytest.skip(f"this FFmpeg has no encoder {codec}")
        return made[name]

    return get


@pytest.mark.parametrize("name", CASES)
def test_onsets_and_lengths(files, name):
    _, _, rate, channels, _, late, longer = CASES[name]
    wave = clicks(rate, channels)
    got, warnings = read(files(name))
    assert warnings == []
    assert (got.sample_rate, got.samples.shape[0]) == (rate, channels)
    assert abs(lag(got.samples, wave) - late) <= (20 if name == "amr" else 0)
    assert abs(got.samples.shape[1] - wave.shape[1]) <= longer


@pytest.mark.parametrize("name", ["m4a", "adts", "webm", "mkv", "ac3", "mp4 in fragments"])
def test_start_duration_and_blocks(files, name, monkeypatch):
    whole, _ = read(files(name))
    rate = whole.sample_rate
    with monkeypatch.context() as patch:
        patch.setattr(blocks, "_LENGTH", 777)
        parts, _ = read(files(name))
    np.testing.assert_array_equal(parts.samples, whole.samples)
    for start in (0, 1, 1023, 50_000, whole.samples.shape[1] + 5):
        got, warnings = read(files(name), start=start / rate, duration=3000 / rate)
        np.testing.assert_array_equal(got.samples, whole.samples[:, start : start + 3000])
        assert len(warnings) == (start > whole.samples.shape[1])
        assert all("nothing after --start" in line for line in warnings)


def test_paths_and_objects_give_the_same(files, tmp_path):
    path = tmp_path / "http:a.m4a"  # FFmpeg would take such a name for an address
    path.write_bytes(files("m4a"))
    np.testing.assert_array_equal(audio.read(path).samples, read(files("m4a"))[0].samples)


def test_a_video_without_sound():
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for _ in range(3):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
        output.mux(stream.encode(None))
    with pytest.raises(InputError, match="no audio track"):
        read(file.getvalue())


def test_a_video_with_sound_gives_the_sound():
    wave = clicks(48_000, 2)
    file = io.BytesIO()
    with av.open(file, "w", format="mov") as output:
        video = output.add_stream("mpeg4", rate=10)
        video.width = video.height = 32
        sound = output.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        output.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
        ints = np.round(wave * 32767).astype(np.int16).T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(ints), format="s16", layout="stereo")
        frame.sample_rate = 48_000
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
        output.mux(video.encode(None))
    got, _ = read(file.getvalue())
    np.testing.assert_allclose(got.samples, wave, atol=1e-4)


@pytest.mark.parametrize(
    ("codec", "container", "layout", "count"),
    [
        ("aac", "mp4", "5.1", 6),
        ("aac", "mp4", "7.1", 8),
        ("libopus", "matroska", "7.1", 8),
        ("wavpack", "wv", "hexadecagonal", 16),
    ],
)
def test_many_channels(codec, container, layout, count):
    """PyAV's own conversion of such frames to arrays reads beyond a list of pointers, and crashes."""
    t = np.arange(24_000) / 48_000
    heights = 50 + 10 * np.arange(count)  # Hz, low enough for the channel of a subwoofer
    wave = (0.3 * np.sin(2 * np.pi * heights[:, None] * t)).astype(np.float32)
    got, _ = read(encode(codec, container, wave, 48_000, bit_rate=512_000, layout=layout))
    assert got.samples.shape == wave.shape
    found = np.abs(np.fft.rfft(got.samples, axis=1)).argmax(axis=1) * 2
    np.testing.assert_allclose(found, heights, atol=2)


def test_channels_and_rate_that_change_on_the_way():
    stereo, mono = clicks(44_100, 2), clicks(22_050, 1)
    data = encode("aac", "adts", stereo, 44_100) + encode("aac", "adts", mono, 22_050)
    got, warnings = read(data)
    assert got.samples.shape[0] == 2
    assert got.sample_rate == 44_100
    assert got.samples.shape[1] / 44_100 == pytest.approx(2 * SECONDS, abs=0.2)
    assert warnings == ["the number of channels changes: all of it is read as 2"]
    assert np.isfinite(got.samples).all()


def test_mp3_files_in_a_row_are_read_to_the_end():
    one, other = clicks(44_100, 2), clicks(44_100, 1)
    got, warnings = read(encode("libmp3lame", "mp3", one, 44_100) + encode("libmp3lame", "mp3", other, 44_100))
    assert got.samples.shape[1] / 44_100 == pytest.approx(2 * SECONDS, abs=0.1)
    assert warnings[0].startswith("the file goes on after the 2.0 s")


@pytest.mark.parametrize(
    "name", ["mp4, index first", "mp4 in fragments", "adts", "webm", "mkv", "ac3", "amr", "wavpack"]
)
def test_cut_files_give_what_is_left(files, name):
    data = files(name)
    got, warnings = read(data[: len(data) * 6 // 10])
    assert 0.5 < got.duration < 1.8
    if name == "mp4, index first":
        assert warnings == [f"the file ends early: {got.duration:.1f} of 2.0 s"]
    for length in (1, 10, 100, 300):
        with suppress(InputError):
            assert read(data[:length])[0].duration < 0.7


def test_an_mp4_without_its_index(files):
    with pytest.raises(InputError, match="damaged or unsupported mp4 file"):
        read(files("m4a")[:4000])


@pytest.mark.parametrize(
    "name", ["m4a", "mp4 in fragments", "adts", "mpegts", "flv", "mkv", "webm", "ac3", "amr", "wma", "wavpack"]
)
def test_whatever_is_wrong_with_a_file_is_an_input_error(files, name):
    data = files(name)
    rng = np.random.default_rng(len(data))
    for _ in range(40):
        changed = bytearray(data)
        reach = 1000 if rng.random() < 0.7 else len(data)
        for _ in range(rng.integers(1, 8)):
            changed[rng.integers(reach)] = rng.integers(256)
        with suppress(InputError):
            got, _ = read(bytes(changed), duration=1.0)
            assert np.isfinite(got.samples).all()


def test_damaged_packets_are_left_out(files):
    data = bytearray(files("adts"))
    rng = np.random.default_rng(0)
    data[8_000:9_000] = rng.integers(0, 256, 1000, dtype=np.uint8).tobytes()
    got, _ = read(bytes(data))
    assert got.duration > 1.5


def test_other_files_are_never_opened(tmp_path):
    """Playlists and lists of files are formats that FFmpeg knows and that this must not."""
    secret = tmp_path / "secret.wav"
    secret.write_bytes(encode("pcm_s16le", "wav", clicks(8_000, 1), 8_000))
    for text in (f"ffconcat version 1.0\nfile {secret}\n", f"#EXTM3U\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n"):
        with pytest.raises(InputError, match="not an audio file"):
            read(text.encode())
    assert not {"hls", "concat", "dash", "srt", "image2", "lavfi", "sdp", "rtsp"} & set(ffmpeg.CONTAINERS)
    assert set(ffmpeg.CONTAINERS) <= av.formats_available


@pytest.mark.parametrize(("kind", "dtype", "scale"), [("u8", "u1", 128), ("s16", "i2", 2**15), ("s32", "i4", 2**31)])
@pytest.mark.parametrize("planar", [False, True])
def test_integers_become_floats(kind, dtype, scale, planar):
    values = np.array([[0, 64, -128], [127, 1, -1]]) * (scale // 128)
    stored = (values + (128 if kind == "u8" else 0)).astype(dtype)
    layout = stored if planar else stored.T.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(layout), format=kind + "p" * planar, layout="stereo")
    np.testing.assert_array_equal(ffmpeg._samples(frame), (values / scale).T)


@pytest.mark.parametrize("end", [None, 5, 10, 12, 3])
def test_the_end_of_a_track_is_cut_unless_it_is_plainly_wrong(end, monkeypatch):
    monkeypatch.setattr(ffmpeg, "_OVERHANG", 4)
    parts = [np.arange(i, i + 3, dtype=np.float32)[:, None] for i in range(0, 12, 3)]
    got = np.concatenate(list(ffmpeg._up_to(iter(parts), end)))
    expected = 10 if end == 10 else 12
    assert got[:, 0].tolist() == list(range(expected))


def test_a_wav_of_mp3_packets():
    """libsndfile knows the container but not the codec."""
    wave = clicks(44_100, 1)
    got, _ = read(encode("libmp3lame", "wav", wave, 44_100))
    assert got.duration == pytest.approx(SECONDS, abs=0.1)


def test_a_wav_that_claims_mp3_and_has_none():
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 1036, b"WAVE", b"fmt ", 16, 0x55, 1, 44_100, 16_000, 1, 0, b"data", 1000
    )
    with pytest.raises(InputError):
        read(header + bytes(1000))


def test_errors_in_callbacks_are_not_printed(tmp_path):
    """PyAV keeps one exception of a file object and prints the next: none may come, wherever a file sends FFmpeg."""
    wave = clicks(16_000, 1)
    for name in ("a.au", "a.mp3", "a.flac"):
        soundfile.write(tmp_path / name, wave[0], 16_000)
    code = (
        "import io, sys\nfrom audiocli.audio.ffmpeg import FFmpegDecoder\n"
        "class Broken(io.BytesIO):\n"
        "    def seek(self, offset, whence=0):\n"
        "        if offset: raise OSError(22, 'Invalid argument')\n"
        "        return super().seek(offset, whence)\n"
        "for path in sys.argv[1:]:\n"
        "    decoder = FFmpegDecoder(Broken(open(path, 'rb').read()))\n"
        "    assert len(decoder.read(50_000))\n"
    )
    paths = [str(tmp_path / name) for name in ("a.au", "a.mp3", "a.flac")]
    done = subprocess.run([sys.executable, "-c", code, *paths], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_file_that_cannot_be_read_on_is_damaged():
    class Failing(io.BytesIO):
        def read(self, n=-1):
            if self.tell() > 100_000:
                raise OSError(5, "Input/output error")
            return super().read(n)

    file = io.BytesIO()
    soundfile.write(file, np.zeros(200_000), 16_000, format="AU")
    decoder = ffmpeg.FFmpegDecoder(Failing(file.getvalue()))
    while len(decoder.read(10_000)):
        pass
    assert 0 < decoder.position < 200_000
    assert decoder.damaged

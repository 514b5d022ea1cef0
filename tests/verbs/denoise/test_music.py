"""Music in front of a denoiser of speech is seen, and speech is not taken for it."""

import json

import numpy as np
import pytest
import soundfile

from audiocli import audio
from audiocli.verbs.denoise.music import LIKELY, Notes
from tests.conftest import vowels

RATE = 22_050
CHORDS = [(261.6, 329.6, 392.0), (220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7)]


def song(seconds=8.0, rate=RATE):
    """A chord a second, four harmonics a note, each dying away."""
    times = np.arange(int(seconds * rate)) / rate
    inside = times % 1.0
    notes = np.array([CHORDS[int(second) % len(CHORDS)] for second in times])
    tones = sum(np.sin(2 * np.pi * n * notes * inside[:, None]).sum(axis=1) / n**2 for n in range(1, 5))
    return (0.1 * tones * np.exp(-2 * inside)).astype(np.float32)


def share(samples, rate=RATE, size=50_000):
    notes = Notes(rate)
    for start in range(0, len(samples), size):
        notes.push(samples[start : start + size])
    return notes.share, notes.music


def test_a_song_is_music():
    found, music = share(song())
    assert found > 2 * LIKELY
    assert music
    assert share(song(), size=997)[0] == pytest.approx(found, rel=0.05)  # the last frames do not count
    assert share(song(rate=48_000), rate=48_000)[0] == pytest.approx(found, rel=0.1)


def test_noise_hum_speech_and_silence_are_not():
    random = np.random.default_rng(0)
    times = np.arange(8 * RATE) / RATE
    hum = (0.05 * np.sin(2 * np.pi * 100 * times) + 0.05 * np.sin(2 * np.pi * 300 * times)).astype(np.float32)
    noise = (0.1 * random.standard_normal(8 * RATE)).astype(np.float32)
    glides = np.concatenate([vowels(1.0, RATE, *more) for more in [()] * 8]).astype(np.float32)
    assert not share(noise)[1]
    assert not share(hum + 0.1 * noise)[1]
    assert not share(glides)[1]
    assert share(np.zeros(8 * RATE, np.float32)) == (0.0, False)


def test_too_short_to_say():
    assert not share(song(2.0))[1]
    assert share(song(0.0)) == (0.0, False)


def test_real_speech_is_not_music(real):
    clips = [*sorted((real / "data" / "languages").glob("*.mp3"))]
    clips += sorted((real / "data" / "mini-librispeech").rglob("*.opus"))[::60]
    clips += sorted((real / "data" / "speechocean").rglob("*.opus"))[::200]
    assert len(clips) > 40
    for path in clips:
        clip = audio.read(path, mono=True)
        assert not share(clip.samples[0], clip.sample_rate)[1], path


def test_music_is_denoised_with_a_warning(call, run, tmp_path):
    soundfile.write(tmp_path / "song.wav", song(), RATE)
    soundfile.write(tmp_path / "noise.wav", 0.1 * np.random.default_rng(0).standard_normal(8 * RATE), RATE)
    code, out, err = call("denoise", "song.wav", "noise.wav", "-o", "out/", "--json", "-m", "spectral")
    assert code == 0
    records = [json.loads(line) for line in out.splitlines()]
    assert ["looks like music" in " ".join(record["warnings"]) for record in records] == [True, False]
    assert [line.split(":")[1:3] for line in err.splitlines()] == [[" song.wav", " looks like music"]]
    live = run("denoise", "--stream", "-", "-m", "spectral", input=(tmp_path / "song.wav").read_bytes())
    assert live.returncode == 0
    assert b"looks like music" in live.stderr

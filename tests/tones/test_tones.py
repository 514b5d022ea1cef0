"""What hears tones: made-up nets, real weights where they are on this machine, files that are no such nets."""

from pathlib import Path

import numpy as np
import pytest
import soxr

from audiocli.errors import ModelError, UsageError
from audiocli.models import cache, config, registry
from audiocli.models import locate as models
from audiocli.models.load import build, load
from audiocli.options import ModelOptions
from audiocli.tones import basic_pitch, choice, swift_f0
from audiocli.tones.hearing import NoteFinder, PitchTracker, Tone, at, distinct, semitones, whole
from audiocli.tones.models import BASIC_PITCH, TASK, TRACKERS
from audiocli.tones.voice import LONGEST, OneVoice
from audiocli.tones.yin import Yin
from tests.tones.nets import basic_pitch_net
from tests.tones.nets import swift_f0 as swift_net

CPU = ModelOptions(device="cpu")
RATE = 16_000


def finder_of(path: Path) -> NoteFinder:
    (path / basic_pitch.FILE).write_bytes(basic_pitch_net())
    return load(str(path), TASK, NoteFinder, CPU)


def tracker_of(path: Path) -> PitchTracker:
    (path / swift_f0.FILE).write_bytes(swift_net())
    spec = registry.MODELS["swift-f0"]
    return build(models.Located(spec, path), PitchTracker, CPU)


@pytest.fixture
def _any_file(monkeypatch):
    """Rows whose files are made up here: their hashes are not looked at."""
    monkeypatch.setattr("audiocli.models.load._damaged", lambda *args, **options: None)


def real(name: str, kind: type):
    spec = registry.MODELS[name]
    if not cache.here(spec):
        pytest.skip(f"{name} is not on this machine")
    return load(name, TASK, kind, CPU)


def heard(tracker, samples, size, fmin=60.0, fmax=1_000.0):
    stream = tracker.begin(fmin, fmax)
    parts = [stream.push(samples[i : i + size]) for i in range(0, len(samples), size)]
    return np.concatenate([*parts, stream.finish()])


def tone(hertz, seconds, sample_rate=RATE, level=0.2):
    """A tone with overtones that swells and fades in 10 ms."""
    times = np.arange(round(seconds * sample_rate)) / sample_rate
    swell = np.clip(np.minimum(times, seconds - times) / 0.01, 0.0, 1.0)
    waves = sum(np.sin(2 * np.pi * n * hertz * times) / n for n in range(1, 7) if n * hertz < sample_rate / 2)
    return (level * swell * waves).astype(np.float32)


TUNE = [(60, 0.5), (64, 0.25), (67, 0.5), (72, 0.75), (67, 0.25), (55, 1.0)]


def tune(sample_rate=RATE):
    """Samples of TUNE, a rest of 0.1 s after each note, and its notes."""
    parts, notes, time = [np.zeros(sample_rate // 2, np.float32)], [], 0.5
    for pitch, seconds in TUNE:
        parts += [tone(440 * 2 ** ((pitch - 69) / 12), seconds, sample_rate), np.zeros(sample_rate // 10, np.float32)]
        notes.append((time, time + seconds, pitch))
        time += seconds + 0.1
    return np.concatenate(parts), notes


# ---- from frames to other frames


def test_pitches_at_other_times():
    hertz = np.array([100.0, 104.0, np.nan, 400.0, 800.0], np.float32)
    found = at(hertz, 0.01, np.array([0.0, 0.005, 0.012, 0.018, 0.0249, 0.026, 0.034, 0.036, 9.0]))
    middle = (100 * 104) ** 0.5
    assert found == pytest.approx([100, middle, 104, np.nan, np.nan, 400, 400, 800, 800], nan_ok=True, rel=1e-5)
    assert np.isnan(at(hertz[:0], 0.01, np.zeros(2))).all()
    assert semitones(np.array([440.0, 880.0])).tolist() == [69.0, 81.0]


def test_overtones_are_no_notes():
    low, octave, fifth = Tone(1.0, 2.0, 48, 0.8), Tone(1.02, 1.9, 60, 0.3), Tone(0.99, 1.5, 67, 0.3)
    third, strong, later = Tone(1.0, 2.0, 52, 0.3), Tone(1.0, 2.0, 72, 0.6), Tone(2.0, 3.0, 60, 0.3)
    assert distinct([later, low, octave, fifth, third, strong]) == [low, third, strong, later]
    assert distinct([low, octave], share=0.3) == [low, octave]
    assert distinct([]) == []


# ---- made-up nets


@pytest.mark.usefixtures("_any_file")
@pytest.mark.parametrize("size", [100, 4_096, 1 << 20])
def test_frames_of_a_tracker_stand_where_they_should_however_the_sound_is_cut(tmp_path, size):
    random = np.random.default_rng(1)
    levels = random.uniform(0.3, 0.9, 4_000).astype(np.float32)
    levels[7] = 0.0
    samples = np.concatenate([np.repeat(levels, 256), np.ones(200, np.float32)])
    expected = np.where(levels >= 0.5, 1_000 * levels, np.nan)
    found = heard(tracker_of(tmp_path), samples, size)
    assert found == pytest.approx(expected, nan_ok=True, rel=1e-5)


@pytest.mark.usefixtures("_any_file")
def test_a_range_outside_of_the_nets_own(tmp_path):
    tracker = tracker_of(tmp_path)
    for fmin, fmax in ((10.0, 20.0), (3_000.0, 4_000.0), (440.0, 440.1), (60.0, 1_000.0)):
        low, high = (float(value) for value in tracker.begin(fmin, fmax)._range.values())
        assert swift_f0.FMIN - 1e-3 <= low < high <= swift_f0.FMAX + 1e-3
        assert high / low >= swift_f0.NARROWEST - 1e-6


@pytest.mark.parametrize("size", [1_000, 30_000, 1 << 20])
def test_notes_of_a_finder_stand_where_they_should_however_the_sound_is_cut(tmp_path, size):
    hop, notes = basic_pitch.HOP, [(0, 30), (100, 200), (280, 300), (1_000, 1_420), (1_999, 2_030)]
    samples = np.zeros(2_030 * hop - 7, np.float32)
    for first, end in notes:
        samples[first * hop : end * hop] = 0.75
    stream = finder_of(tmp_path).begin()
    parts = [stream.push(samples[i : i + size]) for i in range(0, len(samples), size)]
    found = [one for part in [*parts, stream.finish()] for one in part]
    step = hop / basic_pitch.BasicPitch.sample_rate
    assert found == [Tone(first * step, end * step, 69, pytest.approx(0.75)) for first, end in notes]


@pytest.mark.parametrize("length", [0, 1, 255, 10_000])
def test_sounds_shorter_than_a_window(tmp_path, length):
    samples = np.zeros(length, np.float32)
    assert whole(finder_of(tmp_path), samples) == []
    assert whole(OneVoice(Yin()), samples) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (basic_pitch_net()[:-40], "is not an ONNX model, or is damaged"),
        (b"", "is not an ONNX model, or is damaged"),
        (swift_net(), "is an ONNX model of something else: it has no input"),
    ],
)
def test_a_file_of_something_else_or_cut_off(tmp_path, content, message):
    (tmp_path / basic_pitch.FILE).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        load(str(tmp_path), TASK, NoteFinder, CPU)


# ---- one voice


def test_one_voice_by_yin():
    samples, notes = tune()
    found = whole(OneVoice(Yin()), samples)
    assert [one.pitch for one in found] == [pitch for _, _, pitch in notes]
    assert [one.start for one in found] == pytest.approx([start for start, _, _ in notes], abs=0.05)
    assert all(0.5 < one.strength <= 1 for one in found)


def test_minutes_of_one_voice_are_the_same_notes():
    samples, notes = tune()
    times = 1 + int(2.5 * LONGEST * RATE) // len(samples)
    found = whole(OneVoice(Yin()), np.tile(samples, times))
    assert [one.pitch for one in found] == [pitch for _, _, pitch in notes] * times
    length = len(samples) / RATE
    starts = [n * length + start for n in range(times) for start, _, _ in notes]
    assert [one.start for one in found] == pytest.approx(starts, abs=0.05)


# ---- real weights


def test_swift_f0_of_the_package_agrees():
    theirs = pytest.importorskip("swift_f0").SwiftF0(threads=1)
    tracker = real("swift-f0", PitchTracker)
    random = np.random.default_rng(0)
    samples = np.concatenate([tune()[0]] * 9) + random.normal(0, 0.01, 9 * len(tune()[0])).astype(np.float32)
    for part in (samples, samples[:1_000], samples[:100]):
        expected = theirs.detect(part, RATE, 60.0, 1_000.0)
        hertz = np.where(expected.confidence >= 0.5, expected.pitch_hz, np.nan)
        assert heard(tracker, part, 10_000) == pytest.approx(hertz, nan_ok=True, rel=1e-4)


def test_swift_f0_hears_made_tones():
    tracker = real("swift-f0", PitchTracker)
    for hertz in (82.4, 220.0, 440.0, 700.0):
        found = heard(tracker, tone(hertz, 2.0), 1 << 20)[15:-15]
        assert np.abs(semitones(found / hertz * 440.0) - 69).max() < 0.2


@pytest.mark.parametrize("sample_rate", [8_000, 22_050, 96_000])
def test_basic_pitch_hears_a_tune_and_a_chord(sample_rate):
    finder = real("basic-pitch", NoteFinder)
    samples, notes = tune(sample_rate)
    found = whole(finder, soxr.resample(samples, sample_rate, finder.sample_rate))
    assert [one.pitch for one in found] == [pitch for _, _, pitch in notes]
    assert [one.start for one in found] == pytest.approx([start for start, _, _ in notes], abs=0.05)
    chord = sum(tone(440 * 2 ** ((pitch - 69) / 12), 2.0, sample_rate) for pitch in (57, 61, 64))
    chord = np.concatenate([np.zeros(sample_rate, np.float32), chord])
    assert {one.pitch for one in whole(finder, soxr.resample(chord, sample_rate, finder.sample_rate))} == {57, 61, 64}


def test_nothing_is_heard_in_silence():
    silence = np.zeros(5 * RATE, np.float32)
    assert whole(real("basic-pitch", NoteFinder), silence) == []
    assert np.isnan(heard(real("swift-f0", PitchTracker), silence, RATE)).all()


# ---- which one


@pytest.fixture
def nothing_here(monkeypatch, tmp_path):
    """Only YIN is on this machine, and the user has chosen nothing."""
    monkeypatch.setattr(cache, "here", lambda spec: spec.built_in)
    monkeypatch.setattr("platformdirs.user_config_path", lambda *args, **options: tmp_path / "settings")
    monkeypatch.delenv(config.variable(TASK), raising=False)


def names(*kinds, model=None):
    return [one and one.spec.name for one in choice.choose(kinds, ModelOptions(model=model, offline=True))]


@pytest.mark.usefixtures("nothing_here")
def test_what_is_chosen(monkeypatch, tmp_path):
    assert names("mfcc") == [None, None]
    assert names("pitch", "notes") == ["yin", "yin"]
    (tmp_path / basic_pitch.FILE).write_bytes(basic_pitch_net())
    folder = str(tmp_path)
    assert names("notes", model=folder) == [None, tmp_path.name]
    assert names("pitch", "notes", model=folder) == ["yin", tmp_path.name]
    with pytest.raises(UsageError, match="hears notes, not the pitch of a voice"):
        names("pitch", model=folder)
    with pytest.raises(UsageError, match="--model hears pitch and notes: add --kind pitch"):
        names("mfcc", model="yin")
    config.use(TASK, folder)
    assert names("pitch", "notes") == ["yin", tmp_path.name]
    assert names("notes", model="yin") == [None, "yin"]


@pytest.mark.usefixtures("nothing_here")
def test_the_best_that_is_here(monkeypatch):
    located = {name: models.Located(registry.MODELS[name], Path(name)) for name in ("swift-f0", "basic-pitch")}
    real_locate = choice.locate
    monkeypatch.setattr(choice, "locate", lambda name, *a, **o: located.get(name) or real_locate(name, *a, **o))
    monkeypatch.setattr(cache, "here", lambda spec: spec.name in ("yin", "swift-f0"))
    assert names("pitch", "notes") == ["yin", "swift-f0"]
    monkeypatch.setattr(cache, "here", lambda spec: True)
    assert names("pitch", "notes") == ["yin", "basic-pitch"]
    config.use(TASK, "swift-f0")
    assert names("pitch", "notes") == ["swift-f0", "basic-pitch"]
    assert names("notes", model="swift-f0") == [None, "swift-f0"]


def test_rows():
    assert {spec.adapter for spec in registry.MODELS.values() if spec.task == TASK} == {*TRACKERS, BASIC_PITCH}

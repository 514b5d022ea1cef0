"""Denoisers: pieces give the same as the whole, everything stays in its place, at any rate; figures of a report."""

import numpy as np
import pytest
import soxr
import torch

from audiocli import audio
from audiocli.errors import DownloadError
from audiocli.models import locate as models
from audiocli.models.load import build
from audiocli.nets.conv_enhancer import ConvEnhancer
from audiocli.nets.enhancer import Enhancer, Widths
from audiocli.options import DenoiseOptions, ModelOptions
from audiocli.verbs.denoise.loudness import Levels, Report, dnsmos
from audiocli.verbs.denoise.own import Spectral, Waveform
from audiocli.verbs.denoise.rnnoise import RNNoise
from audiocli.verbs.denoise.spectral import Gate
from audiocli.verbs.denoise.work import Cleaning, Denoiser
from tests.conftest import vowels

RATE = 16_000
SEAM = 10 ** (-60 / 20)  # of the loudest sample: the difference that chunks may have from the whole


def enhancer():
    torch.manual_seed(0)
    return Spectral(Enhancer(Widths(4, 16, 8)).eval())


def conv():
    torch.manual_seed(0)
    return Waveform(ConvEnhancer((4, 8)).eval())


ALL = pytest.mark.parametrize("make", [RNNoise, Gate, enhancer, conv])


def noisy(seconds, rate=RATE, channels=1, level=0.02):
    random = np.random.default_rng(0)
    speech = np.tile(vowels(1.0, rate), int(np.ceil(seconds)))[: int(seconds * rate)]
    return (speech + level * random.standard_normal((channels, len(speech)))).astype(np.float32)


def cleaned(denoiser, sound, rate, sizes=(), strength=1.0):
    """Pieces of the given sizes, the rest in one."""
    cleaning, parts, place = Cleaning(denoiser, rate, sound.shape[0], strength), [], 0
    for size in (*sizes, sound.shape[1]):
        parts.append(cleaning.push(sound[:, place : place + size]))
        place += size
    return np.concatenate([*parts, cleaning.finish()], axis=1)


def db(x):
    return 10 * np.log10(np.mean(np.square(x, dtype=np.float64)) + 1e-20)


@ALL
@pytest.mark.parametrize("rate", [8_000, RATE, 44_100, 96_000])
def test_pieces_give_what_the_whole_gives(make, rate):
    sound = noisy(2.0, rate, channels=2)
    whole = cleaned(make(), sound, rate)
    assert whole.shape == sound.shape
    pieces = cleaned(make(), sound, rate, sizes=[1, 7, 300, 4_097, 15_000, 2, 480])
    assert np.abs(pieces - whole).max() < SEAM * np.abs(whole).max()


@ALL
@pytest.mark.parametrize("samples", [0, 1, 100, 511, 513])
def test_clips_shorter_than_a_window(make, samples):
    sound = noisy(1.0)[:, :samples]
    found = cleaned(make(), sound, RATE)
    assert found.shape == sound.shape
    assert np.isfinite(found).all()


@ALL
@pytest.mark.parametrize("rate", [8_000, RATE, 48_000])
def test_nothing_moves_and_nothing_is_left_of_silence(make, rate):
    assert np.abs(cleaned(make(), np.zeros((1, rate), np.float32), rate)).max() < 1e-4
    sound = noisy(3.0, rate, level=0.002)
    found = cleaned(make(), sound, rate)
    n = sound.shape[1]
    spectrum = np.fft.rfft(found[0], 2 * n) * np.conj(np.fft.rfft(sound[0], 2 * n))
    lags = np.fft.irfft(spectrum)
    lag = int(np.argmax(lags))
    assert min(lag, 2 * n - lag) <= rate // 4_000  # a quarter of a millisecond


@ALL
def test_no_strength_is_no_change(make):
    sound = noisy(1.0, 44_100)
    np.testing.assert_array_equal(cleaned(make(), sound, 44_100, strength=0.0), sound)


@pytest.mark.parametrize("make", [RNNoise, Gate])
def test_noise_goes_down_and_speech_stays(make, recording):
    clean = audio.read(recording, sample_rate=RATE, mono=True, duration=20.0).samples
    hiss = (0.3 * clean.std() * np.random.default_rng(0).standard_normal(clean.shape)).astype(np.float32)
    found = cleaned(make(), clean + hiss, RATE)
    later = np.arange(clean.shape[1]) > 2 * RATE
    loud = np.convolve(clean[0] ** 2, np.ones(320) / 320, "same")
    pauses, speech = later & (loud < 0.1 * hiss.var()), later & (loud > 30 * hiss.var())
    assert min(pauses.sum(), speech.sum()) > RATE // 10
    assert db(found[:, pauses]) < db(hiss[:, pauses]) - 8
    assert abs(db(found[:, speech]) - db(clean[:, speech])) < 2


@pytest.mark.parametrize("gain", [4.0, 1 / 64])
def test_rnnoise_does_not_depend_on_the_level(gain, recording):
    """Float files go beyond full scale."""
    sound = audio.read(recording, sample_rate=48_000, mono=True, start=7.0, duration=6.0).samples
    sound = 0.7 * sound / np.abs(sound).max()
    want = cleaned(RNNoise(), sound, 48_000)
    found = cleaned(RNNoise(), np.float32(gain) * sound, 48_000) / np.float32(gain)
    assert db(want) - db(found - want) > 30


@pytest.fixture(scope="module", params=["enhancer", "conv-enhancer"])
def built_in(request):
    located = models.locate(request.param, "denoise", offline=True, tell=print)
    return build(located, Denoiser, ModelOptions(request.param), DenoiseOptions())


@pytest.mark.parametrize("level", [-16, -46, -71])
def test_speech_keeps_its_level(built_in, recording, level):
    speech = audio.read(recording, sample_rate=RATE, mono=True, start=7.0, duration=6.0).samples
    speech = (speech * 10 ** ((level - db(speech)) / 20)).astype(np.float32)
    assert db(cleaned(built_in, speech, RATE)) == pytest.approx(level, abs=1.0)


def test_stereo_is_each_channel_by_itself():
    sound = np.concatenate([noisy(1.0), noisy(1.0)[:, ::-1] * 0.5])
    both = cleaned(enhancer(), sound, RATE)
    alone = [cleaned(enhancer(), sound[n : n + 1], RATE)[0] for n in range(2)]
    np.testing.assert_allclose(both, np.stack(alone), atol=1e-6)


class Off:
    """A denoiser that takes everything, or half of it."""

    sample_rate, latency, wet = RATE, 0, 1.0

    def __init__(self, gain):
        self._gain = np.float32(gain)

    def begin(self, channels):
        return self

    def push(self, samples):
        return self._gain * samples

    def finish(self):
        return np.zeros((1, 0), np.float32)


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.0])
def test_the_band_above_the_net_goes_down_with_its_highest_band(gain):
    rate = 48_000
    sound = (0.1 * np.random.default_rng(0).standard_normal((1, 2 * rate))).astype(np.float32)
    found = cleaned(Off(gain), sound, rate)
    before, after = (np.abs(np.fft.rfft(x[0, rate // 2 : -rate // 2])) ** 2 for x in (sound, found))
    high = slice(len(before) * 10 // 24, len(before) * 22 // 24)  # 10 to 22 kHz
    assert after[high].sum() / before[high].sum() == pytest.approx(gain**2, abs=0.03)


@ALL
def test_sound_comes_out_in_time(make):
    """The latency that a model reports is right, at its own rate."""
    denoiser = make()
    cleaning = Cleaning(denoiser, denoiser.sample_rate, 1, 1.0)
    sound = np.asarray(soxr.resample(noisy(1.0)[0], RATE, denoiser.sample_rate), np.float32)[None]
    out = 0
    for place in range(0, sound.shape[1], 160):
        out += cleaning.push(sound[:, place : place + 160]).shape[1]
        assert place + 160 - out <= denoiser.latency + 160


@ALL
@pytest.mark.parametrize(("rate", "more"), [(8_000, 0.31), (44_100, 0.1)])
def test_what_resampling_adds(make, rate, more):
    denoiser = make()
    cleaning, sound, out = Cleaning(denoiser, rate, 1, 1.0), noisy(2.0, rate), 0
    for place in range(0, sound.shape[1], 160):
        out += cleaning.push(sound[:, place : place + 160]).shape[1]
        assert (place + 160 - out) / rate <= denoiser.latency / denoiser.sample_rate + more + 160 / rate


def test_levels_and_the_estimate_of_the_ratio():
    """Noise all the time, a tone for half of it, 20 dB louder."""
    random = np.random.default_rng(0)
    noise = 0.01 * random.standard_normal(10 * RATE)
    tone = 0.1 * np.sqrt(2) * np.sin(np.arange(10 * RATE) * 0.3) * (np.arange(10 * RATE) % RATE < RATE // 2)
    levels = Levels(RATE)
    for block in np.array_split((noise + tone).astype(np.float32), 7):
        levels.push(block)
    assert levels.level == pytest.approx(db(noise + tone), abs=0.1)
    assert levels.snr == pytest.approx(17.0, abs=1.5)  # the mean of 20 dB and nothing


def test_a_report_of_silence_has_no_figures():
    report = Report(RATE, None)
    report.push(np.zeros((2, RATE), np.float32), np.zeros((2, RATE), np.float32))
    assert report.figures() == {"before": {"level": None, "snr": None}, "after": {"level": None, "snr": None}}


def test_dnsmos_prefers_clean_speech(real):
    path = real / "models" / "dnsmos_sig_bak_ovr.onnx"
    if not path.exists():
        pytest.skip("no ../shared/models/dnsmos_sig_bak_ovr.onnx")
    clip = audio.read(next((real / "data" / "cmu-arctic" / "slt").iterdir()), sample_rate=RATE, mono=True).samples[0]
    score = dnsmos(str(path))
    hiss = 0.1 * clip.std() * np.random.default_rng(0).standard_normal(len(clip))
    clean, bad = score(clip), score((clip + 10 * hiss).astype(np.float32))
    assert 1.0 < bad["ovr"] < clean["ovr"] - 0.5 < 5.0
    assert score(np.zeros(0, np.float32)) == {}


def test_what_is_no_dnsmos_model(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"junk")
    with pytest.raises(DownloadError, match="is not an ONNX model"):
        dnsmos(str(tmp_path / "x.onnx"))

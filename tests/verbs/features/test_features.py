"""`--preset` gives the numbers of the library it names, on real recordings; and properties of every kind.

The references are the libraries themselves. Tolerance: 1e-4 of the largest reference value. Logarithms of bands that hold only
the rounding noise of a float32 FFT differ by more between any two of them (torchaudio in float32 from itself in float64 by 0.011
dB): there the comparison leaves out what is 80 dB below its
frame's peak.
"""

import json
from pathlib import PurePath

import kaldi_native_fbank
import librosa
import mir_eval
import numpy as np
import pytest
import soundfile
import torch
import torchaudio
from transformers import ASTFeatureExtractor, WhisperFeatureExtractor

from audiocli import spool
from audiocli.inputs.sources import Source
from audiocli.options import FRONT_ENDS, KINDS, FeaturesOptions, InputOptions
from audiocli.tones.hearing import Ears
from audiocli.tones.voice import OneVoice
from audiocli.tones.yin import Yin
from audiocli.verbs.features import analysis
from audiocli.verbs.features.work import Runner

TOLERANCE = 1e-4


WHOLE = InputOptions()
EARS = Ears(notes=OneVoice(Yin()))


def compute(path, *kinds, reading=WHOLE, **options):
    """The tables of one file, [columns, frames] or [frames] as the files have them."""
    runner = Runner(FeaturesOptions(kind=kinds, **options), reading, ears=EARS)
    (record,) = runner([Source(str(path), PurePath(path.name), path.stat().st_size)])
    arrays = {kind: table.values().T for kind, table in record.tables.items()}
    return {kind: values[0] if len(values) == 1 else values for kind, values in arrays.items()}


def assert_near(got, expected, tolerance=TOLERANCE):
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= tolerance * np.abs(expected).max()


@pytest.fixture(scope="module")
def at_22k(recording, tmp_path_factory):
    """The recording at librosa's rate, so that no resampler stands between the two."""
    samples, rate = soundfile.read(recording, dtype="float32")
    path = tmp_path_factory.mktemp("features") / "22k.wav"
    soundfile.write(path, librosa.resample(samples, orig_sr=rate, target_sr=22_050), 22_050, subtype="FLOAT")
    return path


@pytest.fixture(scope="module")
def at_16k(recording, tmp_path_factory):
    samples, rate = soundfile.read(recording, dtype="float32")
    path = tmp_path_factory.mktemp("features") / "16k.wav"
    soundfile.write(path, librosa.resample(samples, orig_sr=rate, target_sr=16_000), 16_000, subtype="FLOAT")
    return path


def load(path):
    return soundfile.read(path, dtype="float32")[0]


def test_librosa(at_22k):
    y = load(at_22k)
    got = compute(
        at_22k, "spectrogram", "mel", "log-mel", "mfcc", "chroma", "onset", "rms", "centroid", "bandwidth", "flatness",
        preset="librosa",
    )  # fmt: skip
    mel = librosa.feature.melspectrogram(y=y, sr=22_050)
    assert_near(got["spectrogram"], np.abs(librosa.stft(y)) ** 2)
    assert_near(got["mel"], mel)
    assert_near(got["log-mel"], librosa.power_to_db(mel))
    assert_near(got["mfcc"], librosa.feature.mfcc(y=y, sr=22_050))
    assert_near(got["chroma"], librosa.feature.chroma_stft(y=y, sr=22_050))
    assert_near(got["onset"], librosa.onset.onset_strength(y=y, sr=22_050))
    assert_near(got["rms"], librosa.feature.rms(y=y)[0])
    assert_near(got["centroid"], librosa.feature.spectral_centroid(y=y, sr=22_050)[0])
    assert_near(got["bandwidth"], librosa.feature.spectral_bandwidth(y=y, sr=22_050)[0])
    assert_near(got["flatness"], librosa.feature.spectral_flatness(y=y)[0])


def test_librosa_deltas(at_22k):
    mfcc = librosa.feature.mfcc(y=load(at_22k), sr=22_050)
    expected = np.concatenate([mfcc, librosa.feature.delta(mfcc), librosa.feature.delta(mfcc, order=2)])
    got = compute(at_22k, "mfcc", preset="librosa", deltas=True)["mfcc"]
    for part in range(3):
        assert_near(got[20 * part : 20 * part + 20], expected[20 * part : 20 * part + 20])


def test_librosa_rolloff_within_one_bin(at_22k):
    """A tie in the running sum may fall to either side."""
    expected = librosa.feature.spectral_rolloff(y=load(at_22k), sr=22_050)[0]
    got = compute(at_22k, "rolloff", preset="librosa")["rolloff"]
    assert np.abs(got - expected).max() <= 1.01 * 22_050 / 2_048
    assert np.mean(got == expected.astype(np.float32)) > 0.98


def test_librosa_zero_crossings(at_22k, tmp_path):
    expected = librosa.feature.zero_crossing_rate(load(at_22k))[0]
    assert_near(compute(at_22k, "zcr", preset="librosa")["zcr"], expected)
    below = tmp_path / "below.wav"  # it never crosses zero, nor does the padding beyond its ends
    soundfile.write(below, -0.5 - 0.1 * np.sin(np.arange(9_000)), 22_050)
    for preset in FRONT_ENDS:
        assert not compute(below, "zcr", preset=preset)["zcr"].any()


@pytest.mark.parametrize("n_fft", [501, 1_023])
def test_librosa_with_an_odd_fft(at_22k, n_fft):
    """The last bin lies below half the rate then."""
    y, sizes = load(at_22k)[:110_250], {"sr": 22_050, "n_fft": n_fft}
    got = compute(
        at_22k,
        "mel",
        "chroma",
        "centroid",
        "bandwidth",
        preset="librosa",
        n_fft=n_fft,
        reading=InputOptions(duration=5.0),
    )
    assert_near(got["mel"], librosa.feature.melspectrogram(y=y, **sizes))
    assert_near(got["chroma"], librosa.feature.chroma_stft(y=y, **sizes))
    assert_near(got["centroid"], librosa.feature.spectral_centroid(y=y, **sizes)[0])
    assert_near(got["bandwidth"], librosa.feature.spectral_bandwidth(y=y, **sizes)[0])


@pytest.fixture
def detuned(tmp_path):
    """A chord half a semitone above A4 = 440 Hz, where a fixed tuning lights the wrong pitch classes."""
    t = np.arange(44_100) / 22_050
    path = tmp_path / "detuned.wav"
    chord = sum(0.1 * np.sin(2 * np.pi * 452.9 * 2 ** (step / 12) * t) for step in (0, 4, 7))
    soundfile.write(path, chord, 22_050, subtype="FLOAT")
    return path


@pytest.mark.parametrize("power", [2.0, 1.0])
def test_librosa_chroma_follow_the_tuning(detuned, power):
    y = load(detuned)
    got = compute(detuned, "chroma", preset="librosa", power=power)["chroma"]
    assert_near(got, librosa.feature.chroma_stft(y=y, sr=22_050))
    for tuning in (0.0, 0.25, -1.0):
        fixed = compute(detuned, "chroma", preset="librosa", power=power, tuning=tuning)["chroma"]
        assert_near(fixed, librosa.feature.chroma_stft(y=y, sr=22_050, tuning=tuning))
        assert np.abs(fixed - got).max() > 0.1


@pytest.mark.parametrize("preset", ["audiocli", "librosa"])
def test_chroma_do_not_depend_on_how_an_orchestra_is_tuned(tmp_path, preset):
    found = []
    for hertz in (440.0, 432.0, 447.0):
        t = np.arange(32_000) / 16_000
        soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * hertz * t), 16_000, subtype="FLOAT")
        found.append(compute(tmp_path / "a.wav", "chroma", preset=preset)["chroma"][:, 10:-10].mean(axis=1))
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=0.15)


def test_librosa_beats(at_22k):
    bpm, beats = librosa.beat.beat_track(y=load(at_22k), sr=22_050, units="time")
    got = compute(at_22k, "tempo", "beats", preset="librosa")
    np.testing.assert_allclose(got["tempo"], bpm, rtol=1e-5)
    assert mir_eval.beat.f_measure(beats, got["beats"]) >= 0.95


@pytest.mark.filterwarnings("ignore:At least one mel")
def test_torchaudio(at_16k):
    x = torch.from_numpy(load(at_16k))
    got = compute(at_16k, "mel", "log-mel", "mfcc", preset="torchaudio")
    mel = torchaudio.transforms.MelSpectrogram()(x)
    assert_near(got["mel"], mel.numpy())
    log_mel = torchaudio.transforms.AmplitudeToDB()(mel).numpy()
    heard = log_mel > log_mel.max(axis=0) - 80.0
    assert heard.mean() > 0.5
    assert np.abs(got["log-mel"] - log_mel)[heard].max() <= TOLERANCE * np.abs(log_mel).max()
    assert np.abs(got["log-mel"] - log_mel).max() <= 2 * TOLERANCE * np.abs(log_mel).max()
    assert_near(got["mfcc"], torchaudio.transforms.MFCC()(x).numpy())


@pytest.mark.parametrize(("sample_rate", "n_fft"), [(16_000, 501), (11_025, 400)])
def test_torchaudio_with_odd_numbers(at_16k, tmp_path, sample_rate, n_fft):
    """torchaudio spreads its bins from 0 to sample_rate // 2, whatever the FFT has."""
    path = tmp_path / "x.wav"
    soundfile.write(path, load(at_16k)[:80_000], sample_rate, subtype="FLOAT")
    sizes = {"sample_rate": sample_rate, "n_fft": n_fft, "hop_length": 200, "n_mels": 40}
    mel = torchaudio.transforms.MelSpectrogram(**sizes)(torch.from_numpy(load(path)))
    assert_near(compute(path, "mel", preset="torchaudio", **sizes)["mel"], mel.numpy())


def kaldi(kind, options, samples):
    options.frame_opts.dither = 0.0
    front_end = kind(options)
    front_end.accept_waveform(16_000, (samples * 32_768).tolist())
    front_end.input_finished()
    return np.stack([front_end.get_frame(n) for n in range(front_end.num_frames_ready)], axis=1)


def test_kaldi(at_16k):
    x = load(at_16k)
    got = compute(at_16k, "log-mel", "mfcc", preset="kaldi")
    assert_near(got["log-mel"], kaldi(kaldi_native_fbank.OnlineFbank, kaldi_native_fbank.FbankOptions(), x))
    assert_near(got["mfcc"], kaldi(kaldi_native_fbank.OnlineMfcc, kaldi_native_fbank.MfccOptions(), x))
    fbank = torchaudio.compliance.kaldi.fbank(torch.from_numpy(x)[None] * 32_768)
    assert_near(got["log-mel"], fbank.numpy().T)


def test_kaldi_with_eighty_bands(at_16k):
    options = kaldi_native_fbank.FbankOptions()
    options.mel_opts.num_bins = 80
    expected = kaldi(kaldi_native_fbank.OnlineFbank, options, load(at_16k))
    assert_near(compute(at_16k, "log-mel", preset="kaldi", n_mels=80)["log-mel"], expected)


def test_whisper(at_16k):
    expected = np.asarray(WhisperFeatureExtractor()._np_extract_fbank_features(load(at_16k)[None], device="cpu"))[0]
    assert_near(compute(at_16k, "log-mel", preset="whisper")["log-mel"], expected)


def test_ast(at_16k):
    x = load(at_16k)[: 8 * 16_000]
    expected = ASTFeatureExtractor()(x, sampling_rate=16_000, return_tensors="np")["input_values"][0].T
    got = compute(at_16k, "log-mel", preset="ast", reading=InputOptions(duration=8.0))["log-mel"]
    assert_near(got, expected[:, : got.shape[1]])


@pytest.mark.parametrize("preset", FRONT_ENDS)
def test_torch_gives_the_numbers_of_the_kernels(at_16k, tmp_path, preset):
    """The path of --device cuda, run on torch's CPU: a padded batch of three lengths, one of them empty."""
    from audiocli.verbs.features.batched import BatchRunner

    samples, paths = load(at_16k), []
    for seconds in (2.0, 0.01, 0.0, 5.3):
        paths.append(tmp_path / f"{seconds}.wav")
        soundfile.write(paths[-1], samples[160_000 : 160_000 + int(seconds * 16_000)], 16_000, subtype="FLOAT")
    options = FeaturesOptions(kind=("spectrogram", "mel", "log-mel", "mfcc"), preset=preset)
    sources = [Source(str(path), PurePath(path.name), path.stat().st_size) for path in paths]
    batched = BatchRunner(options, InputOptions(), torch.device("cpu"))
    one_by_one = Runner(options, InputOptions())
    for got, expected in zip(batched([batched.read(s) for s in sources]), one_by_one(sources), strict=True):
        assert (got.path, got.duration, got.status) == (expected.path, expected.duration, expected.status)
        for kind in options.kind:
            a, b = got.tables[kind].values(), expected.tables[kind].values()
            assert a.shape == b.shape
            if b.size:
                assert np.abs(a - b).max() <= 2 * TOLERANCE * np.abs(b).max()


def test_torch_streams_what_is_long(at_16k, monkeypatch):
    from audiocli.verbs.features import batched

    monkeypatch.setattr(batched, "LONG", 3.0)
    options = FeaturesOptions(kind=("mel",))
    source = Source(str(at_16k), PurePath("x"), at_16k.stat().st_size)
    runner = batched.BatchRunner(options, InputOptions(), torch.device("cpu"))
    clip = runner.read(source)
    assert clip.samples is None
    assert_near(
        runner([clip])[0].tables["mel"].values(), Runner(options, InputOptions())([source])[0].tables["mel"].values()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_long_files_give_what_short_ones_give(at_16k, kind, monkeypatch):
    """Small blocks and spools on disk, as in an hour of audio, change no bit."""
    options = FeaturesOptions(kind=(kind,), deltas=True)
    samples = load(at_16k)
    whole, pieces = analysis.Pass(options, ears=EARS), analysis.Pass(options, ears=EARS)
    whole.push(samples)
    whole.finish()
    monkeypatch.setattr(spool, "MEMORY", 1_000)
    for start in range(0, len(samples), 7_919):
        pieces.push(samples[start : start + 7_919])
    pieces.finish()
    from audiocli.verbs.features.tables import feature_tables

    (one,), (other,) = feature_tables(whole).values(), feature_tables(pieces).values()
    assert one.n_frames == other.n_frames == len(other.values())
    np.testing.assert_array_equal(one.values(), other.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_samples", [0, 1, 161, 3_000])
def test_short_files(tmp_path, kind, n_samples):
    path = tmp_path / "short.wav"
    soundfile.write(path, np.full(n_samples, 0.1, np.float32), 16_000)
    values = compute(path, kind, deltas=True)[kind]
    if kind not in ("tempo", "beats", "notes", "waveform", "mu-law"):
        assert values.shape[-1] == (1 + n_samples // 160 if n_samples else 0)
    assert values.dtype in (np.float32, np.float64, np.uint8)
    if kind != "pitch":
        assert np.isfinite(values).all()


def test_a_tone_is_where_it_should_be(tmp_path):
    path = tmp_path / "tone.wav"
    t = np.arange(32_000) / 16_000
    soundfile.write(path, (0.5 * np.sin(2 * np.pi * 440.0 * t)).astype(np.float32), 16_000, subtype="FLOAT")
    got = compute(path, "pitch", "rms", "centroid", "zcr", "chroma", "waveform")
    inner = slice(20, -20)
    np.testing.assert_allclose(got["pitch"][inner], 440.0, rtol=1e-3)
    np.testing.assert_allclose(got["rms"][inner], 0.5 / np.sqrt(2), rtol=1e-2)
    np.testing.assert_allclose(got["centroid"][inner], 440.0, rtol=0.02)
    np.testing.assert_allclose(got["zcr"][inner].mean(), 2 * 440.0 / 16_000, rtol=0.05)
    assert (got["chroma"][:, inner].argmax(axis=0) == 9).all()
    assert len(got["waveform"]) == 32_000


def test_times_follow_the_start(recording):
    options = FeaturesOptions(kind=("rms", "waveform"))
    source = Source(str(recording), PurePath("x"))
    (record,) = Runner(options, InputOptions(start=1.5, duration=0.5))([source])
    assert record.duration == pytest.approx(0.5)
    assert record.tables["rms"].start == record.tables["waveform"].start == 1.5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hop_length": 0}, "--hop-length"), ({"win_length": 600, "n_fft": 512}, "--win-length"),
        ({"fmin": 9_000.0}, "--fmin"), ({"fmax": 9_000.0}, "--fmax"), ({"fmin": float("nan")}, "--fmin"),
        ({"n_mfcc": 81}, "--n-mfcc"), ({"window": "kaiser"}, "--window"), ({"mel_scale": "bark"}, "--mel-scale"),
        ({"norm": "l2"}, "--norm"), ({"power": 0.0}, "--power"), ({"power": float("nan")}, "--power"),
        ({"sample_rate": 0}, "--sample-rate"), ({"top_db": -1.0}, "--top-db"), ({"fmax": 0.0}, "--fmax 0 must"),
        ({"fmin": 0.0, "fmax": 0.0}, "--fmin"), ({"fmin": 300.0, "fmax": 300.0}, "--fmin"), ({"fmin": -1.0}, "--fmin"),
        ({"n_fft": 1 << 30}, "--n-fft must be between 2 and 65536"), ({"n_fft": 1}, "--n-fft"), ({"n_mels": 1 << 30}, "--n-mels"),
        ({"power": 100.0}, "--power must be between 0.1 and 4"), ({"power": 1e-9}, "--power"),
        ({"power": float("inf")}, "--power"), ({"sample_rate": 1 << 40}, "--sample-rate"),
        ({"hop_length": 1 << 70}, "--hop-length"), ({"top_db": float("nan")}, "--top-db"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(recording, wrong, message):
    from audiocli.errors import UsageError

    with pytest.raises(UsageError, match=message):
        compute(recording, "mel", **wrong)


def test_described_options_are_complete():
    """The parameters stored in results are enough to make them again, and are JSON."""
    from audiocli.options import described

    text = json.loads(json.dumps(described(FeaturesOptions(n_mels=40))))
    assert text["n_mels"] == 40
    assert text["preset"] == "audiocli"
    assert text["fmax"] == 8_000.0

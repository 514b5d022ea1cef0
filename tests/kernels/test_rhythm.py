"""Onsets, tempo and beats equal librosa's and their plain twins, on rhythms whose tempo is known."""

from collections.abc import Callable
from functools import cache
from typing import Any

import librosa
import mir_eval
import numpy as np
import pytest
from audiocli.kernels import rhythm
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from tests.kernels import naive_rhythm, rhythm_signals
from tests.kernels.rhythm_signals import SAMPLE_RATE

Array = NDArray[Any]
N_FFT, HOP_LENGTH = 2048, 512
FRAME_RATE = SAMPLE_RATE / HOP_LENGTH
SECONDS = 12.0
BANDS = np.random.default_rng(0).normal(-40.0, 15.0, (50, 32)).astype(np.float32)
SIGNALS: dict[str, Callable[[], Array]] = {
    "clicks 72": lambda: rhythm_signals.clicks(72.0, SECONDS),
    "clicks 133.7": lambda: rhythm_signals.clicks(133.7, SECONDS),
    "noisy clicks 110": lambda: rhythm_signals.clicks(110.0, SECONDS, noise=0.1),
    "swing 105": lambda: rhythm_signals.drums(105.0, SECONDS, swing=0.17),
    "drift 125": lambda: rhythm_signals.drums(125.0, SECONDS, drift=0.06),
}
signals = pytest.mark.parametrize("name", SIGNALS)
quick = settings(deadline=None, max_examples=40)  # no deadline: the first example waits for the compiler


@cache
def mel_db(name: str) -> Array:
    """Log-power mel [frames, bands] of a signal, by librosa."""
    bands = librosa.feature.melspectrogram(y=SIGNALS[name](), sr=SAMPLE_RATE)
    return np.asarray(librosa.power_to_db(bands).T)


def onset(name: str) -> Array:
    return np.asarray(rhythm.centred(rhythm.onset_strength(mel_db(name), median=True), N_FFT, HOP_LENGTH))


# Onset strength


@pytest.mark.parametrize("median", [False, True])
@pytest.mark.parametrize("bands", [1, 2, 31, 32])
def test_onset_equals_twin(bands: int, median: bool) -> None:
    part = BANDS[:, :bands]
    for previous in (None, BANDS[-1, :bands]):
        for lowest in (-100.0, -45.0):
            found = rhythm.onset_strength(part, previous, median=median, lowest_db=lowest)
            expected = naive_rhythm.onset_strength(part, previous, median, lowest)
            np.testing.assert_allclose(found, expected, rtol=1e-6)


@quick
@given(hnp.arrays(np.float32, (4, 9), elements=st.integers(-4, 4)))
def test_median_onset_with_ties_equals_twin(bands: Array) -> None:
    for part in (bands, bands[:, 1:]):
        np.testing.assert_allclose(
            rhythm.onset_strength(part, median=True), naive_rhythm.onset_strength(part, median=True), rtol=1e-6
        )


@signals
@pytest.mark.parametrize("median", [False, True])
def test_onset_equals_librosa(name: str, median: bool) -> None:
    aggregate = np.median if median else np.mean
    expected = librosa.onset.onset_strength(S=mel_db(name).T, aggregate=aggregate)
    found = rhythm.centred(rhythm.onset_strength(mel_db(name), median=median), N_FFT, HOP_LENGTH)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [1, 7, 49])
@pytest.mark.parametrize("median", [False, True])
def test_onset_blocks_equal_whole(size: int, median: bool) -> None:
    blocks = [
        rhythm.onset_strength(BANDS[start : start + size], BANDS[start - 1] if start else None, median=median)
        for start in range(0, len(BANDS), size)
    ]
    np.testing.assert_array_equal(np.concatenate(blocks), rhythm.onset_strength(BANDS, median=median))


@pytest.mark.parametrize("median", [False, True])
def test_onset_of_odd_input(median: bool) -> None:
    assert rhythm.onset_strength(BANDS[:0], median=median).shape == (0,)
    np.testing.assert_array_equal(rhythm.onset_strength(BANDS[:1], median=median), [0])
    # The logarithm of silence, with or without a floor of its own.
    for silence in (-100.0, -np.inf):
        np.testing.assert_array_equal(rhythm.onset_strength(np.full((3, 8), silence), median=median), np.zeros(3))
    spoilt = BANDS.copy()
    spoilt[5, 3] = np.nan
    found, clean = (rhythm.onset_strength(bands, median=median) for bands in (spoilt, BANDS))
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(found)), [5, 6])
    np.testing.assert_array_equal(np.delete(found, [5, 6]), np.delete(clean, [5, 6]))
    np.testing.assert_array_equal(rhythm.onset_strength(np.asfortranarray(BANDS), median=median), clean)


def test_centred_keeps_the_length() -> None:
    np.testing.assert_array_equal(rhythm.centred(np.arange(1, 6), 2048, 512), [0, 0, 1, 2, 3])
    np.testing.assert_array_equal(rhythm.centred([5.0], 2048, 512), [0])
    assert rhythm.centred([], 2048, 512).shape == (0,)


# Tempo


@pytest.mark.parametrize("length", [1, 2, 43, 344])
@pytest.mark.parametrize("n", [1, 20, 500])
def test_autocorrelation_equals_twin(length: int, n: int) -> None:
    values = np.maximum(np.random.default_rng(1).standard_normal(n), 0.0) + 0.01
    found, expected = rhythm.autocorrelation(values, length), naive_rhythm.autocorrelation(values, length)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@signals
def test_autocorrelation_equals_librosas_mean_tempogram(name: str) -> None:
    expected = librosa.feature.tempogram(onset_envelope=onset(name), sr=SAMPLE_RATE, win_length=344).mean(axis=1)
    np.testing.assert_allclose(rhythm.autocorrelation(onset(name), 344), expected, atol=3e-4)


@signals
def test_tempo_equals_librosa(name: str) -> None:
    expected = librosa.feature.tempo(onset_envelope=onset(name), sr=SAMPLE_RATE)[0]
    assert rhythm.tempo(onset(name), FRAME_RATE) == pytest.approx(expected)
    assert naive_rhythm.tempo(onset(name), FRAME_RATE) == pytest.approx(expected)


@pytest.mark.parametrize("period", [20, 25, 31, 40])
@pytest.mark.parametrize("n", [400, 40_000])
def test_a_pulse_has_its_tempo(period: int, n: int) -> None:
    pulse = np.zeros(n)
    pulse[::period] = 1.0
    assert rhythm.tempo(pulse, 50.0) == pytest.approx(60.0 * 50.0 / period)


def test_the_prior_chooses_the_octave() -> None:
    pulse = np.zeros(2000)
    pulse[::25] = 1.0
    assert rhythm.tempo(pulse, 50.0, start_bpm=60.0, std_octaves=0.3) == pytest.approx(60.0)
    assert rhythm.tempo(pulse, 50.0, max_bpm=100.0) == pytest.approx(60.0)


# Beats


@signals
@pytest.mark.parametrize("trim", [True, False])
def test_beats_equal_librosa(name: str, trim: bool) -> None:
    bpm, expected = librosa.beat.beat_track(onset_envelope=onset(name), sr=SAMPLE_RATE, trim=trim)
    found = rhythm.beats(onset(name), np.ravel(bpm)[0], FRAME_RATE, trim=trim)
    assert found.dtype == np.int64
    assert mir_eval.beat.f_measure(expected / FRAME_RATE, found / FRAME_RATE, f_measure_threshold=0.03) > 0.95
    assert abs(found.size - expected.size) <= 1


@signals
def test_beats_equal_twin(name: str) -> None:
    for bpm in (60.0, 118.0, 300.0):
        found = rhythm.beats(onset(name), bpm, FRAME_RATE, trim=False)
        np.testing.assert_array_equal(found, naive_rhythm.beats(onset(name), bpm, FRAME_RATE))


def test_clicks_are_found_where_they_are() -> None:
    envelope = onset("clicks 133.7")
    found = rhythm.beats(envelope, rhythm.tempo(envelope, FRAME_RATE), FRAME_RATE) / FRAME_RATE
    truth = np.array(rhythm_signals.beat_times(133.7, SECONDS))
    assert mir_eval.beat.f_measure(truth[1:-1], found, f_measure_threshold=0.05) > 0.9


def test_beats_of_a_pulse_are_the_pulse() -> None:
    pulse = np.zeros(1983)
    pulse[7::25] = 1.0
    np.testing.assert_array_equal(rhythm.beats(pulse, 120.0, 50.0), np.arange(7, 1983, 25))


def test_tightness_holds_the_tempo() -> None:
    pulse = np.zeros(1000)
    pulse[np.cumsum([0, *[25, 30] * 17])] = 1.0
    assert np.ptp(np.diff(rhythm.beats(pulse, 110.0, 50.0, tightness=1.0))) == 5
    assert np.ptp(np.diff(rhythm.beats(pulse, 110.0, 50.0, tightness=1e6))) <= 1


# Odd input


@pytest.mark.parametrize(
    "values",
    [[], [0.0], [1.0], [0.0, 1.0], np.zeros(500), np.full(500, 0.1), np.full(500, np.nan), np.full(500, np.inf)],
)
def test_odd_envelopes_give_few_beats(values: Any) -> None:
    bpm = rhythm.tempo(values, FRAME_RATE)
    assert 0.0 <= bpm < 320.0
    if not np.nan_to_num(values, posinf=0.0).any():
        assert bpm == 0.0
    for tempo in (bpm, 120.0):
        found = rhythm.beats(values, tempo, FRAME_RATE)
        assert (np.diff(found) > 0).all()
        assert found.size <= 1 + len(values) / 8


def test_nan_counts_as_no_onset() -> None:
    spoilt, clean = onset("clicks 72").copy(), onset("clicks 72").copy()
    spoilt[[3, 200]], clean[[3, 200]] = np.nan, 0.0
    assert rhythm.tempo(spoilt, FRAME_RATE) == rhythm.tempo(clean, FRAME_RATE)
    np.testing.assert_array_equal(rhythm.beats(spoilt, 72.0, FRAME_RATE), rhythm.beats(clean, 72.0, FRAME_RATE))


@quick
@given(
    hnp.arrays(np.float32, st.integers(0, 120), elements=st.floats(-1, 10, width=32)),
    st.floats(1e-6, 1e6),
    st.floats(1.0, 200.0),
)
def test_any_envelope_gives_rising_frames(values: Array, bpm: float, frame_rate: float) -> None:
    for trim in (True, False):
        found = rhythm.beats(values, bpm, frame_rate, trim=trim)
        assert (np.diff(found) > 0).all()
        assert ((found >= 0) & (found < values.size)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rhythm.onset_strength(np.ones(4)), "frames, bands"),
        (lambda: rhythm.onset_strength(BANDS, np.ones(3)), "does not fit"),
        (lambda: rhythm.centred(np.ones(4), 0, 1), "n_fft"),
        (lambda: rhythm.tempo(np.ones((2, 4)), 50.0), "envelope"),
        (lambda: rhythm.tempo(np.ones(4), 0.0), "frame_rate"),
        (lambda: rhythm.tempo(np.ones(4), 0.1), "no tempo below"),
        (lambda: rhythm.autocorrelation(np.ones(4), 0), "length"),
        (lambda: rhythm.beats(np.ones(4), -1.0, 50.0), "tempo_bpm"),
        (lambda: rhythm.beats(np.ones(4), float("nan"), 50.0), "tempo_bpm"),
        (lambda: rhythm.beats(np.ones(4), 120.0, 50.0, tightness=0.0), "tightness"),
    ],
)
def test_errors_name_the_argument(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()

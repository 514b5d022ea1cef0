"""Onsets, tempo and beats the obvious way: every window's autocorrelation, every pair of beats, in float64."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def onset_strength(
    mel_db: Array, previous: Array | None = None, median: bool = False, lowest_db: float = -100.0
) -> Array:
    """[frames] of a mel spectrogram in dB [frames, bands]."""
    before = mel_db[:1] if previous is None else previous[None]
    rows = np.maximum(np.concatenate([before, mel_db]), lowest_db)
    rises = np.maximum(np.diff(rows, axis=0), 0.0)
    return np.asarray(np.median(rises, axis=1) if median else rises.mean(axis=1, dtype=np.float64))


def autocorrelation(onset: Array, length: int) -> Array:
    """[length]: mean over the frames of the autocorrelation of the Hann window around each, over its lag 0."""
    padded = np.pad(onset.astype(np.float64), length // 2, mode="linear_ramp")
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    total = np.zeros(length)
    for start in range(onset.size):
        window = padded[start : start + length] * hann
        local = np.correlate(window, window, mode="full")[length - 1 :]
        total += local / (local[0] or 1.0)
    return total / onset.size


def tempo(onset: Array, frame_rate: float, start_bpm: float = 120.0) -> float:
    """Beats per minute."""
    length = int(8.0 * frame_rate)
    bpm = 60.0 * frame_rate / np.arange(1, length)
    score = np.log1p(1e6 * autocorrelation(onset, length)[1:]) - 0.5 * np.log2(bpm / start_bpm) ** 2
    score[bpm >= 320.0] = -np.inf
    return float(bpm[np.argmax(score)])


def smoothed(onset: Array, period: int) -> Array:
    """The onsets [frames] over their deviation, smoothed by a Gaussian."""
    gauss = np.exp(-0.5 * (np.arange(-period, period + 1) * 32.0 / period) ** 2)
    whole = np.convolve(onset / onset.std(ddof=1), gauss)
    return whole[period : period + onset.size]


def beats(onset: Array, tempo_bpm: float, frame_rate: float, tightness: float = 100.0) -> Array:
    """Frames of the beats, untrimmed; the onset envelope must not be constant."""
    onset = onset.astype(np.float64)
    period = max(1, round(60.0 * frame_rate / tempo_bpm))
    score = smoothed(onset, period)
    lags = np.arange(max(1, round(period / 2)), 2 * period + 1)
    best, link, started = np.zeros(onset.size), np.full(onset.size, -1), False
    for i in range(onset.size):
        reachable = lags[lags <= i]
        totals = best[i - reachable] - tightness * np.log(reachable / period) ** 2
        best[i] = score[i] + (totals.max() if totals.size else 0.0)
        started = started or bool(score[i] >= 0.01 * score.max())
        if started and totals.size:
            link[i] = i - reachable[np.argmax(totals)]
    chain = [last_beat(best)]
    while link[chain[-1]] >= 0:
        chain.append(int(link[chain[-1]]))
    found = np.array(chain[::-1])
    loud = np.flatnonzero(score > 0)
    return np.asarray(found[(found >= loud[0]) & (found <= loud[-1])])


def last_beat(best: Array) -> int:
    """The last local maximum that is half as high as their median."""
    n = best.size
    peaks = [i for i in range(1, n) if best[i] > best[i - 1] and (i == n - 1 or best[i] >= best[i + 1])]
    high = [i for i in peaks if best[i] >= 0.5 * np.median(best[peaks])]
    return high[-1] if high else n - 1

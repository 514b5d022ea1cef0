"""From a mel spectrogram to onsets, tempo and beats.

    onset_strength (block by block) -> centred -> tempo -> beats

The first two are in `onset`. Only the onset envelope of the whole file, one number per frame, must be held at once;
time and memory of `tempo` and `beats` grow with its length. Conventions and defaults are those of librosa 0.11
(feature.tempo and beat.beat_track). Frames of the envelope that are not finite count as 0.

References: Grosche, Muller & Kurth (2010), "Cyclic tempogram: a mid-level tempo representation for music signals"
(local autocorrelation); Ellis (2007), "Beat tracking by dynamic programming".
"""

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from ._jit import jit
from .onset import centred, onset_strength

__all__ = ["autocorrelation", "beats", "centred", "onset_strength", "tempo"]

Doubles = NDArray[np.float64]
Frames = NDArray[np.int64]

# Autocorrelation windows that are looked at: at least so many (all, in a shorter envelope), and so many per window's
# length. A Hann window moved by a 20th of its length sees nearly the same, so the mean over these is the mean over all
# within 1e-4.
WINDOWS = 64
WINDOWS_PER_LENGTH = 20
# Windows transformed at once: 64 x 350 values stay in the second-level cache.
BATCH = 64
# librosa weighs autocorrelation by log1p(1e6 x) before it adds the logarithm of the prior.
SHARPNESS = 1e6
# A beat may come half to twice a period after the last; onsets are smoothed by a Gaussian of a 32nd of a period.
SMOOTHING = 32.0
# The Gaussian is cut at eight standard deviations, where it is 1e-14.
REACH = 8.0 / SMOOTHING
# The first beat is one whose score reaches this part of the largest.
FIRST_BEAT = 0.01


def tempo(
    onset: ArrayLike,
    frame_rate: float,
    *,
    start_bpm: float = 120.0,
    std_octaves: float = 1.0,
    window_seconds: float = 8.0,
    max_bpm: float = 320.0,
) -> float:
    """Beats per minute of an onset envelope [frames] with frame_rate frames a second; 0 when it has no onsets.

    The lag at which the mean local autocorrelation is largest, weighted by a log-normal prior around start_bpm.
    """
    values = _onsets(onset)
    if not (frame_rate > 0 and start_bpm > 0 and std_octaves > 0):
        raise ValueError(f"not above 0: frame_rate {frame_rate}, start_bpm {start_bpm} or std_octaves {std_octaves}")
    length = int(window_seconds * frame_rate)
    bpm = 60.0 * frame_rate / np.arange(1, max(length, 1))
    if not np.any(bpm < max_bpm):
        raise ValueError(f"{window_seconds} s of {frame_rate} frames a second hold no tempo below {max_bpm}")
    if not values.any():
        return 0.0
    prior = -0.5 * (np.log2(bpm / start_bpm) / std_octaves) ** 2
    score = np.log1p(SHARPNESS * np.maximum(autocorrelation(values, length)[1:], 0.0)) + prior
    score[bpm >= max_bpm] = -np.inf
    return float(bpm[np.argmax(score)])


def autocorrelation(onset: ArrayLike, length: int) -> Doubles:
    """Mean over time of the local autocorrelation [length] of an onset envelope [frames], each over its lag 0.

    That is the mean over all columns of librosa.feature.tempogram (Hann windows, each autocorrelation over its lag 0),
    at a fraction of its cost: the inverse transform is linear, so one of the mean spectrum does; and neighbouring
    windows see nearly the same, so in a long envelope not every one is looked at.
    """
    values = _onsets(onset)
    if length < 1:
        raise ValueError(f"length must be 1 or more, not {length}")
    if not values.size:
        return np.zeros(length)
    n_fft = scipy.fft.next_fast_len(2 * length - 1, real=True)
    # Beyond the ends the envelope falls to 0 on a ramp; the window of frame f then starts at f.
    padded = np.pad(values, length // 2, mode="linear_ramp")
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)
    chosen = _spread(values.size, max(WINDOWS, WINDOWS_PER_LENGTH * values.size // length))
    spectrum = np.zeros(n_fft // 2 + 1)
    for start in range(0, chosen.size, BATCH):
        spectrum += _power_sum(windows[chosen[start : start + BATCH]], n_fft)
    mean: Doubles = scipy.fft.irfft(spectrum / chosen.size, n_fft)[:length]
    return mean


def _spread(n: int, wanted: int) -> Frames:
    """`wanted` of the frames 0 to n - 1, in the middles of equal parts, or all when there are fewer."""
    count = min(n, wanted)
    return np.arange(n) if count == n else ((np.arange(count) + 0.5) * n / count).astype(np.int64)


def _power_sum(windows: Doubles, n_fft: int) -> Doubles:
    """Sum of the power spectra [1 + n_fft // 2] of windows [n, length], weighted by Hann and scaled to energy 1."""
    length = windows.shape[1]
    part = windows * (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length))
    energy = np.einsum("ij,ij->i", part, part)
    part /= np.sqrt(np.where(energy > 0.0, energy, 1.0))[:, None]
    # Once scaled, float32 holds them to 1e-7, and its transform takes half the time.
    transformed = scipy.fft.rfft(part.astype(np.float32), n_fft, axis=1).view(np.float32)
    squares: Doubles = np.einsum("ij,ij->j", transformed, transformed).astype(np.float64)
    return squares[0::2] + squares[1::2]


def beats(
    onset: ArrayLike, tempo_bpm: float, frame_rate: float, *, tightness: float = 100.0, trim: bool = True
) -> Frames:
    """Frames of the beats [beats], rising, in an onset envelope [frames] with frame_rate frames a second.

    tempo_bpm: from `tempo`; 0 gives no beats. tightness: the cost of a beat away from that tempo. trim:
    leave out beats before the first and after the last loud onset.
    """
    values = _onsets(onset)
    if not (tempo_bpm >= 0 and frame_rate > 0 and tightness > 0):
        raise ValueError(f"tempo_bpm {tempo_bpm} below 0, or frame_rate {frame_rate} or tightness {tightness} not over")
    # Two frames at least: the envelope is divided by its standard deviation.
    if tempo_bpm == 0 or values.size < 2 or values.std() == 0.0:
        return np.empty(0, np.int64)
    # A period beyond the envelope's length links nothing; the limit keeps absurdly slow tempi from filling the memory.
    period = int(np.clip(np.round(60.0 * frame_rate / tempo_bpm), 1, 4 * values.size))
    score = _smoothed(values / values.std(ddof=1), period)
    best, links = np.empty(values.size), np.empty(values.size, np.int64)
    lags = np.arange(max(1, round(period / 2)), 2 * period + 1)
    _link(score, lags[0], tightness * np.log(lags / period) ** 2, FIRST_BEAT * score.max(), best, links)
    chain = _follow(links, _last_beat(best))
    return _trimmed(chain, score, trim)


def _onsets(onset: ArrayLike) -> Doubles:
    values = np.asarray(onset, np.float64)
    if values.ndim != 1:
        raise ValueError(f"an onset envelope must be [frames], not of shape {values.shape}")
    return np.where(np.isfinite(values), values, 0.0)


def _smoothed(values: Doubles, period: int) -> Doubles:
    """Values [n] convolved with a Gaussian of standard deviation period / SMOOTHING."""
    reach = int(np.ceil(REACH * period))
    gauss = np.exp(-0.5 * (np.arange(-reach, reach + 1) * SMOOTHING / period) ** 2)
    return np.convolve(values, gauss)[reach : reach + values.size]


def _last_beat(best: Doubles) -> int:
    """The last peak of the scores [n] that reaches half their median peak; the last frame when there is none."""
    rising, falling = np.diff(best, prepend=best[0]) > 0, np.diff(best, append=-np.inf) <= 0
    peaks = np.flatnonzero(rising & falling)
    high = peaks[best[peaks] >= 0.5 * np.median(best[peaks])] if peaks.size else peaks
    return int(high[-1]) if high.size else best.size - 1


def _trimmed(chain: Frames, score: Doubles, trim: bool) -> Frames:
    """The beats inside the frames whose score exceeds half the root mean square of the beats' scores."""
    # The smoothing sums to 2, so that the threshold is just below the score of even beats: whether they stay depends on
    # the ends. librosa has two values more at the end (half the last score, and 0); without them even click tracks lose
    # beats.
    around = np.convolve(score[chain], [0.5, 1.0, 0.5])[1:]
    threshold = 0.5 * np.sqrt(np.sum(np.square(around)) / (chain.size + 2)) if trim else 0.0
    loud = np.flatnonzero(score > threshold)
    if not loud.size:
        return np.empty(0, np.int64)
    inner: Frames = chain[(chain >= loud[0]) & (chain <= loud[-1])]
    return inner


@jit
def _link(score: Doubles, nearest: int, cost: Doubles, first: float, best: Doubles, links: Frames) -> None:
    """Best total score of beats that end at each frame, and the frame of the beat before (-1: none).

    cost[j] is the cost of a distance of nearest + j frames. Until a score reaches `first`, no frame has one before it.
    """
    started = False
    for i in range(score.shape[0]):
        top, link = -np.inf, -1
        for j in range(min(cost.shape[0], i - nearest + 1)):
            total = best[i - nearest - j] - cost[j]
            if total > top:
                top, link = total, i - nearest - j
        best[i] = score[i] + top if link >= 0 else score[i]
        started = started or score[i] >= first
        links[i] = link if started else -1


@jit
def _follow(links: Frames, last: int) -> Frames:
    """The chain of links that ends at `last`, in rising order."""
    length, at = 0, last
    while at >= 0:
        length, at = length + 1, links[at]
    chain, at = np.empty(length, np.int64), last
    for i in range(length - 1, -1, -1):
        chain[i], at = at, links[at]
    return chain

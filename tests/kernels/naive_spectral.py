"""Spectra as one would write them down: float64, whole signals, no blocks."""

import numpy as np


def frames(samples, frame_length, hop_length, padding):
    """[frames, frame_length] of a whole signal."""
    samples = np.asarray(samples, np.float64)
    if not samples.size:
        return np.zeros((0, frame_length))
    if padding != "none":
        samples = np.pad(samples, frame_length // 2, mode=padding)
    starts = range(0, len(samples) - frame_length + 1, hop_length)
    return np.array([samples[s : s + frame_length] for s in starts]).reshape(-1, frame_length)


def power(cut, window, n_fft, exponent=2.0):
    """|X| ** exponent of frames [frames, n_fft], the window in the middle."""
    left = (n_fft - len(window)) // 2
    placed = np.zeros(n_fft)
    placed[left : left + len(window)] = window
    return np.abs(np.fft.rfft(cut * placed, n_fft)) ** exponent


def log(values, factor, floor):
    """factor * ln(max(values, floor))."""
    return factor * np.log(np.maximum(values, floor))


def speech(cut, window, n_fft, gain, preemphasis):
    """Kaldi's power spectra and energies of frames [frames, length]."""
    cut = gain * (cut - cut.mean(axis=1, keepdims=True))
    energy = (cut**2).sum(axis=1)
    before = np.concatenate([cut[:, :1], cut[:, :-1]], axis=1)
    return np.abs(np.fft.rfft((cut - preemphasis * before) * window, n_fft)) ** 2, energy

"""WSOLA as one would write it down: the twin of kernels/stretch.py."""

import numpy as np
from audiocli.kernels.stretch import SEARCH, WINDOW


def stretch(samples, rate, sample_rate):
    size = round(len(samples) / rate)
    half, search = int(WINDOW * sample_rate) // 2, int(SEARCH * sample_rate)
    window = np.sin(np.pi * (np.arange(2 * half) + 0.5) / (2 * half)) ** 2
    padded = np.pad(np.asarray(samples, np.float64), (half + search, 4 * half + 2 * search))
    out, natural, last = np.zeros(size + 6 * half), None, len(padded) - 2 * half
    for frame in range(-(-(size + half) // half)):
        place = min(int(frame * half * rate) + search, last)
        if natural is not None:
            goes_on = padded[natural : natural + half]
            places = range(max(place - search, 0), min(place + search, last) + 1)
            scores = [
                goes_on @ padded[p : p + half] / np.sqrt(1e-9 + np.sum(padded[p : p + half] ** 2)) for p in places
            ]
            place = places[int(np.argmax(scores))]
        out[frame * half : frame * half + 2 * half] += window * padded[place : place + 2 * half]
        natural = min(place + half, last)
    return out[half : half + size]

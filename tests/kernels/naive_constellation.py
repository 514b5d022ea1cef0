"""Constellations as the paper tells them: slow and obvious."""

from collections import Counter

import numpy as np


def peaks(power, frames, bins, floor=0.0):
    found = []
    for f, b in np.ndindex(power.shape):
        value = power[f, b]
        if not value > floor:
            continue
        around = power[max(f - frames, 0) : f + frames + 1, max(b - bins, 0) : b + bins + 1]
        same = [(i, j) for i, j in zip(*np.nonzero(around == value), strict=True)]
        first = (max(f - frames, 0) + same[0][0], max(b - bins, 0) + same[0][1])
        if np.nanmax(around) == value and first == (f, b):
            found.append((f, b))
    return found


def hashes(stars, fan_out, wait=63, step=63):
    made = []
    for n, (f, b) in enumerate(stars):
        later = [(g, c) for g, c in stars[n + 1 :] if 1 <= g - f <= wait and abs(c - b) <= step]
        made += [((b << 13) | ((c - b + step) << 6) | (g - f), f) for g, c in later[:fan_out]]
    return made


def agreement(track, query):
    """track, query: lists of (hash, frame); as the kernel."""
    counts = Counter(when - since for code, since in query for known, when in track if code == known)
    if not counts:
        return 0, 0, 0, 0
    best = min(counts, key=lambda d: (-(counts[d - 1] + counts[d] + counts[d + 1]), -counts[d], d))
    slots = {
        since // 16 for code, since in query for known, when in track if code == known and abs(when - since - best) <= 1
    }
    return counts[best - 1] + counts[best] + counts[best + 1], len(slots), best, sum(counts.values())

"""The nets for chorales: nats a token on the test split, how much their music is like Bach's, and how soon it is there."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audiocli.device import Place
from audiocli.models import registry
from audiocli.models.music_chorale import compose, read_net
from audiocli.music import plan, tokens
from audiocli.music.grid import RANGES, REST, STEPS_PER_BAR, Grid, key_of
from audiocli.music.midi import melody
from audiocli.options import MusicOptions
from audiocli.training.music import from_json, nll
from bench._common import Row, Score
from tests.kernels.rhythm_signals import DATA

JSB = DATA / "jsb-chorales" / "jsb-chorales-16th.json"
PIECES = 50
NEAR = 0.25  # of the test set's own value
CONSONANT = (0, 3, 4, 5, 7, 8, 9)  # semitones between two voices, octaves left out
FIFTH = 7
CACHED_STEPS = 250  # of the grid: 1,000 tokens


def histogram(pieces: Sequence[Grid]) -> NDArray[np.float64]:
    """[2, 12]: how often each degree above the tonic sounds in major and in minor, as shares of all."""
    counts = np.zeros((2, 12))
    for piece in pieces:
        key = key_of(piece)
        degrees = (piece[piece != REST].astype(int) - key) % 12
        counts[key // 12] += np.bincount(degrees, minlength=12)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def overlap(one: Sequence[Grid], other: Sequence[Grid]) -> float:
    """What the histograms have in common, 0 to 1: the mean of major and minor."""
    return float(np.minimum(histogram(one), histogram(other)).sum(axis=1).mean())


def in_range(pieces: Sequence[Grid]) -> float:
    """Share of the sung sixteenths that lie in the range of their voice in the train split."""
    every = np.concatenate(pieces)
    sung = every != REST
    low, high = np.array(RANGES).T
    return float((sung & (every >= low) & (every <= high)).sum() / sung.sum())


def crossings(pieces: Sequence[Grid]) -> float:
    """Share of the sixteenths at which a voice lies above the one over it."""
    every = np.concatenate(pieces).astype(int)
    both = (every[:, 1:] != REST) & (every[:, :-1] != REST)
    return float(((every[:, 1:] > every[:, :-1]) & both).any(axis=1).mean())


def fifths(pieces: Sequence[Grid]) -> float:
    """Parallel fifths a bar: two voices a fifth apart that move to another fifth, both up or both down."""
    count = 0
    for piece in pieces:
        for before, now in pairwise(piece.astype(int)):
            if (before != now).any():
                count += sum(_parallel(before, now, a, b) for a, b in combinations(range(4), 2))
    return count * STEPS_PER_BAR / sum(map(len, pieces))


def _parallel(before: NDArray[np.int64], now: NDArray[np.int64], a: int, b: int) -> bool:
    if REST in (before[a], before[b], now[a], now[b]):
        return False
    fifth = (before[a] - before[b]) % 12 == FIFTH and (now[a] - now[b]) % 12 == FIFTH
    return bool(fifth and (now[a] - before[a]) * (now[b] - before[b]) > 0)


def consonant(pieces: Sequence[Grid]) -> float:
    """Share of the sixteenths at which every two voices are consonant (unison, thirds, fourth, fifth, sixths)."""
    every = np.concatenate(pieces).astype(int)
    every = every[(every != REST).all(axis=1)]
    apart = np.stack([(every[:, a] - every[:, b]) % 12 for a, b in combinations(range(4), 2)])
    return float(np.isin(apart, CONSONANT).all(axis=0).mean())


SENSES: dict[str, Callable[[Sequence[Grid]], float]] = {
    "voice ranges kept": in_range,
    "voice crossing rate": crossings,
    "parallel fifths a bar": fifths,
    "consonant verticals": consonant,
}


def composed(net: Any, options: MusicOptions, lengths: Sequence[int], keys: Sequence[int]) -> list[Grid]:
    """A chorale of each length and key."""
    plans = [
        plan.Plan(np.full((length, 4), plan.FREE), tokens.context(length, key), seed, plan.TEMPO, key)
        for seed, (length, key) in enumerate(zip(lengths, keys, strict=True))
    ]
    return [tokens.grid_of(found) for found in compose(net, plans, options)]


def fifty(net: Any, options: MusicOptions, like: Sequence[Grid]) -> list[Grid]:
    """PIECES chorales as long as the ones of a set and in their keys."""
    chosen = [like[n % len(like)] for n in range(PIECES)]
    return composed(net, options, [len(piece) for piece in chosen], [key_of(piece) for piece in chosen])

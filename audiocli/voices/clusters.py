"""The speaker of each window of speech: agglomerative clustering of embeddings, then a path through the speakers over time.

The order of pyannote (Bredin, 2023): voices locally, clusters globally, turns last. Average linkage on cosine distances up to
THRESHOLD; clusters are then joined as long as one person is likelier than two, given how much speech there is; the number of
speakers is the number of those that speak long enough. numpy and SciPy only.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.intp]

# Log-odds [pairs] of one person for the pairs (first, second) of voices [n, d] of length 1 that speak for seconds [n].
Odds = Callable[[Floats, NDArray[np.float64], Labels, Labels], NDArray[np.float64]]

# THRESHOLD, SAME, LEAST and the windows' LENGTH belong to the built-in encoder. LEAST and LENGTH were chosen with its first
# training, THRESHOLD anew with its second, on 20 dialogues of speakers that it was not trained on: the number of speakers was right
# in 18, confusion 2.2 %. A higher SAME makes too many speakers.
THRESHOLD = 0.45  # cosine distance up to which two clusters are one
SAME = 0.75  # log-odds from which they are, too
LEAST = 4.5  # s of speech that make a speaker of a cluster; less is given to the nearest one
LEAST_KNOWN = 3.0  # s, where the number of speakers is known: fewer clusters are odd ones
SHARE = 0.02  # of all speech, likewise: the longer the input, the larger the clusters of odd windows grow
SHORTEST = 0.8  # s; voices of shorter windows are too uncertain to found a cluster
MOST = 3_000  # windows that are clustered, evenly out of more: 36 MB of distances, twice; an hour has about 9,000
CELL = 0.2  # s, the grain of the turns
CHANGE, PAUSE = 0.6, 0.2  # cosine that a change of speaker costs, within speech and after a pause
ROUNDS = 2  # of turns from voices, and voices from turns


@dataclass(frozen=True)
class Window:
    """A stretch of speech of one region, in seconds."""

    region: int
    start: float
    end: float


@dataclass(frozen=True)
class Bounds:
    """Bounds on the number of speakers."""

    least: int = 1
    most: int | None = None

    def of(self, number: int) -> int:
        """The number within the bounds that is nearest to the one that was found."""
        return max(self.least, number if self.most is None else min(number, self.most))


@dataclass(frozen=True)
class SpeakerSpan:
    """A stretch of one speaker, and which (a row of the voices)."""

    start: float
    end: float
    speaker: int


def diarize(windows: Sequence[Window], voices: Floats, bounds: Bounds, odds: Odds | None = None) -> list[SpeakerSpan]:
    """Turns out of windows, in order, and their voices [windows, d] of length 1; without odds no clusters are joined.

    There are fewer speakers than bounds.least when there is not enough speech to tell them apart.
    """
    if not windows:
        return []
    least = LEAST_KNOWN if bounds.least == bounds.most else LEAST
    centres = speakers(windows, voices, bounds, odds, least)
    cells, cell_voices = _grid(windows, voices)
    cost = np.array([CHANGE if a.region == b.region else PAUSE for a, b in pairwise(cells)])
    for _ in range(ROUNDS):
        path = _path(cell_voices @ centres.T, cost)
        centres = np.stack([_mean(cell_voices[path == n], centres[n]) for n in range(len(centres))])
    return list(_turns(cells, path))


def speakers(
    windows: Sequence[Window], voices: Floats, bounds: Bounds, odds: Odds | None = None, least: float = LEAST
) -> Floats:
    """The voice of each speaker [speakers, d] who speaks for `least` seconds."""
    lengths = np.array([window.end - window.start for window in windows])
    certain = np.flatnonzero(lengths >= min(SHORTEST, lengths.max()))
    some = certain[np.linspace(0, len(certain) - 1, min(len(certain), MOST)).astype(int)]
    shares = _shares(windows)
    weights = shares[some] * shares[certain].sum() / shares[some].sum()
    labels, large = _clusters(voices[some], weights, bounds, odds, least)
    return np.stack([_mean(voices[some][labels == n], voices[0]) for n in large])


def _shares(windows: Sequence[Window]) -> NDArray[np.float64]:
    """Seconds of speech that each window stands for: its part of its region, which windows overlap to cover."""
    regions = np.array([window.region for window in windows])
    starts, ends = (np.array([getattr(window, name) for window in windows]) for name in ("start", "end"))
    _, which, count = np.unique(regions, return_inverse=True, return_counts=True)
    first, last = np.full(len(count), np.inf), np.full(len(count), -np.inf)
    np.minimum.at(first, which, starts)
    np.maximum.at(last, which, ends)
    return np.asarray(((last - first) / count)[which])


def _clusters(
    voices: Floats, weights: NDArray[np.float64], bounds: Bounds, odds: Odds | None, least: float
) -> tuple[Labels, Labels]:
    """The cluster of each voice [n], and the clusters that are speakers, the one that speaks longest first."""
    if len(voices) < 2:
        return np.zeros(len(voices), np.intp), np.zeros(1, np.intp)
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import pdist

    distances = pdist(voices, "cosine")
    tree = linkage(np.maximum(distances, 0.0, out=distances), "average")
    least = min(max(least, SHARE * weights.sum()), weights.sum() / 2)
    labels = cut(tree, THRESHOLD)
    if odds is not None:
        labels = _joined(labels, voices, weights, odds, bounds, least)
    return chosen(tree, labels, weights, bounds, least)


def chosen(
    tree: NDArray[np.float64], labels: Labels, weights: NDArray[np.float64], bounds: Bounds, least: float
) -> tuple[Labels, Labels]:
    """The cluster of each voice [n], and the clusters that are speakers, the one that speaks longest first.

    They are those of `labels` [n] that speak for `least` seconds, or others of the tree where their number is out of bounds.
    """
    large = _large(labels, weights, least)
    wanted = bounds.of(max(len(large), 1))
    if wanted != len(large):
        labels = _cut_into(tree, wanted, weights, least)
        large = _large(labels, weights, least)
    if len(large) < wanted:
        large = _large(labels, weights, 1e-9)
    return labels, large[:wanted]


def cut(tree: NDArray[np.float64], height: float) -> Labels:
    """The clusters [n] of a tree below a height."""
    from scipy.cluster.hierarchy import fcluster

    return np.asarray(fcluster(tree, height, "distance"), np.intp)


def _joined(
    labels: Labels, voices: Floats, weights: NDArray[np.float64], odds: Odds, bounds: Bounds, least: float
) -> Labels:
    """Labels [n] of fewer clusters: the likeliest pair becomes one, again and again, until no pair is likely enough.

    Never fewer speakers than there may be; and where they are too many, pairs of them that are not likely become one, too.
    """
    names, labels = np.unique(labels, return_inverse=True)
    sums = np.stack([voices[labels == n].sum(axis=0) for n in range(len(names))])
    seconds = np.bincount(labels, weights).astype(np.float64)
    first, second = np.triu_indices(len(names), 1)
    table = np.full((len(names), len(names)), -np.inf)
    if len(first):
        table[first, second] = odds(_directions(sums), seconds, first, second)
    while (speaking := np.flatnonzero(seconds >= least)).size > bounds.least:
        likely, too_many = table, bounds.most is not None and speaking.size > bounds.most
        if table.max() < SAME and too_many:
            likely = np.full_like(table, -np.inf)
            likely[np.ix_(speaking, speaking)] = table[np.ix_(speaking, speaking)]
        elif table.max() < SAME:
            break
        one, other = np.unravel_index(int(likely.argmax()), table.shape)
        sums[one] += sums[other]
        seconds[one] += seconds[other]
        labels[labels == other] = one
        labels[labels > other] -= 1
        sums, seconds = np.delete(sums, other, axis=0), np.delete(seconds, other)
        table = np.delete(np.delete(table, other, axis=0), other, axis=1)
        others = np.delete(np.arange(len(seconds)), one)
        if len(others):
            likelihoods = odds(_directions(sums), seconds, others, np.full(len(others), one))
            table[np.minimum(others, one), np.maximum(others, one)] = likelihoods
    return labels


def _directions(voices: Floats) -> Floats:
    return np.asarray(voices / np.maximum(np.linalg.norm(voices, axis=1, keepdims=True), 1e-9), np.float32)


def _cut_into(tree: NDArray[np.float64], wanted: int, weights: NDArray[np.float64], least: float) -> Labels:
    """The highest cut with so many clusters that speak long enough; where there is none, so many of any size."""
    from scipy.cluster.hierarchy import fcluster

    for height in tree[::-1, 2]:
        labels = cut(tree, height - 1e-9)
        if len(_large(labels, weights, least)) >= wanted:
            return labels
    return np.asarray(fcluster(tree, wanted, "maxclust"), np.intp)


def _large(labels: Labels, weights: NDArray[np.float64], least: float) -> Labels:
    """The clusters that speak long enough, the longest first."""
    seconds = np.bincount(labels, weights)
    order = np.argsort(-seconds, kind="stable")
    return order[seconds[order] >= least]


def _mean(voices: Floats, otherwise: Floats) -> Floats:
    """The mean direction [d] of voices [n, d]."""
    mean = voices.mean(axis=0) if len(voices) else otherwise
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def _grid(windows: Sequence[Window], voices: Floats) -> tuple[list[Window], Floats]:
    """The speech in cells, and the voice in each: between those of the two windows whose centres are nearest."""
    regions = np.array([window.region for window in windows])
    centres = np.array([(window.start + window.end) / 2 for window in windows])
    cells, cell_voices = list[Window](), list[Any]()
    for region in np.unique(regions):
        own = np.flatnonzero(regions == region)
        start, end = windows[own[0]].start, windows[own[-1]].end
        edges = np.linspace(start, end, max(1, round((end - start) / CELL)) + 1)
        cells += [Window(int(region), a, b) for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)]
        place = np.interp((edges[:-1] + edges[1:]) / 2, centres[own], np.arange(len(own)))
        before = np.floor(place).astype(int)
        after, part = np.minimum(before + 1, len(own) - 1), (place - before)[:, None]
        cell_voices.append(voices[own][before] * (1 - part) + voices[own][after] * part)
    return cells, np.concatenate(cell_voices).astype(np.float32)


def _path(scores: Floats, cost: NDArray[np.float64]) -> Labels:
    """The speaker of each cell [n] on the best path (Viterbi) through scores [n, speakers]; changing after cell i costs cost[i]."""
    n, count = scores.shape
    came_from = np.zeros((n, count), np.intp)
    total = scores[0].astype(np.float64)
    for i in range(1, n):
        best = int(total.argmax())
        change = total[best] - cost[i - 1] > total
        came_from[i] = np.where(change, best, np.arange(count))
        total = np.where(change, total[best] - cost[i - 1], total) + scores[i]
    path = np.empty(n, np.intp)
    path[-1] = total.argmax()
    for i in range(n - 1, 0, -1):
        path[i - 1] = came_from[i, path[i]]
    return path


def _turns(cells: Sequence[Window], path: Labels) -> Iterator[SpeakerSpan]:
    """Neighbouring cells of one region and one speaker as one."""
    first = 0
    for i in range(1, len(cells) + 1):
        if i == len(cells) or path[i] != path[first] or cells[i].region != cells[first].region:
            yield SpeakerSpan(cells[first].start, cells[i - 1].end, int(path[first]))
            first = i

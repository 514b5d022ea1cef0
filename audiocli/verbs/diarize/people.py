"""Who the people in the windows of an input are: the same ones in all windows.

pyannote.audio joins voices by average linkage up to one distance, whatever is heard; but rooms and lines draw all voices of a
recording together, and no distance serves two of them. Here clusters grow by Ward's criterion (1963), and two are two people if
their split explains more of the spread of the voices than that of one person does, which grows with what is said.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...voices.clusters import Bounds, Labels
from ...voices.embeddings import normalised
from .listening import HOP, Active, Heard, alone
from .net import Floats

Doubles = NDArray[np.float64]

STRIDE = 2  # of so many windows one is clustered: neighbours share most of their sound
LEAST, SHARE = 1.5, 0.02  # s, and part of all speech, that make a speaker of a cluster; less is given to the others
SHORTEST = 0.8  # s alone in a window; voices of less are too uncertain to be clustered
MOST = 2_500  # voices that are clustered, evenly out of more: 25 MB of distances; an hour has about 2,300


@dataclass(frozen=True)
class Spread:
    """The squares that splitting one person's voices in two takes off their distances from their mean, twice, at most.

    Of two people it is about twice that in a minute, and several times in an hour.
    """

    one: float
    each: float  # more for every voice

    def of(self, voices: float) -> float:
        """That of so many voices."""
        return self.one + self.each * voices


# Chosen on 40 conversations of speakers that no net was trained on, none of whom bench.md is about; GE2E's with pyannote's sample
# in view, too, of which 1.5 and .03, best on those 40, make one speaker.
SPREADS = {"siamese-speakers": Spread(2.5, 0.04), "ge2e": Spread(1.4, 0.025)}  # by encoder


def speakers(heard: Heard, bounds: Bounds, spread: Spread) -> tuple[Labels, int]:
    """The speaker of each person, -1 for nobody [windows, SPEAKERS], and the number of speakers."""
    active = heard.active
    windows, people = _clear(active, alone(active).sum(axis=1) * heard.step)
    voices = heard.voices[windows, people]
    seconds = active.sum(axis=1)[windows, people] * heard.step * STRIDE * HOP / active.shape[1]
    clusters = split(voices, seconds, bounds, spread)
    sums = [(voices[some] * seconds[some, None]).sum(axis=0) for some in clusters]
    return _assigned(heard, active, normalised(np.stack(sums).astype(np.float32))), len(clusters)


def _clear(active: Active, single: Doubles) -> tuple[Labels, Labels]:
    """Windows and people whose voices are clear, at most MOST; where nobody is alone for long enough, those who are longest.

    single: seconds in which each person is alone [windows, SPEAKERS].
    """
    there = active.any(axis=1)
    windows, people = np.nonzero(there & (single >= min(SHORTEST, float(single[there].max()))))
    if (some := windows % STRIDE == 0).any():
        windows, people = windows[some], people[some]
    kept = np.linspace(0, len(windows) - 1, min(len(windows), MOST)).astype(int)
    return windows[kept], people[kept]


def split(voices: Floats, seconds: Doubles, bounds: Bounds, spread: Spread) -> list[Labels]:
    """Which of the voices [n, embedding], that speak for seconds [n], are each speaker's, the one who speaks longest first.

    From the top of the tree down, what is likeliest to be several people is split. A cluster that hardly speaks is no speaker,
    unless there must be more of them.
    """
    least = min(max(LEAST, SHARE * seconds.sum()), seconds.sum() / 2)
    clusters = [_tree(voices, spread)]
    while True:
        speaking = sum(seconds[one.voices].sum() >= least for one in clusters)
        best = max(clusters, key=lambda one: one.several)
        several = best.several > 1.0 and (bounds.most is None or speaking < bounds.most)
        if not best.children or not (several or speaking < bounds.least):
            break
        clusters.remove(best)
        clusters += best.children
    found = sorted((one.voices for one in clusters), key=lambda some: -seconds[some].sum())
    return [some for n, some in enumerate(found) if n < bounds.least or seconds[some].sum() >= least]


@dataclass(frozen=True, eq=False)
class Cluster:
    """Voices by number, the two clusters that they fall into, and how much more that explains than a split of one person does."""

    voices: Labels
    children: "tuple[Cluster, ...]" = ()
    several: float = 0.0


def _tree(voices: Floats, spread: Spread) -> Cluster:
    """The cluster of all voices [n, embedding] of length 1, which falls into others."""
    nodes = [Cluster(np.array([n])) for n in range(len(voices))]
    if len(voices) > 1:
        from scipy.cluster.hierarchy import linkage

        for one, other, height, size in linkage(voices, "ward"):
            children = nodes[int(one)], nodes[int(other)]
            together = np.concatenate([child.voices for child in children])
            nodes.append(Cluster(together, children, float(height**2 / spread.of(size))))
    return nodes[-1]


def _assigned(heard: Heard, active: Active, voices: Floats) -> Labels:
    """The speaker of each person [windows, SPEAKERS], no two of a window the same; voices [speakers, embedding]."""
    from scipy.optimize import linear_sum_assignment

    present: NDArray[np.bool_] = np.asarray(active.any(axis=1))
    result = np.full(present.shape, -1)
    for n in range(len(result)):
        here = np.flatnonzero(present[n])
        persons, speaker = linear_sum_assignment(-heard.voices[n, here] @ voices.T)
        result[n, here[persons]] = speaker
    return result

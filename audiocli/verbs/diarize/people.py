"""Who the people in the windows of an input are: the same ones in all windows.

Voices of windows are clustered by average linkage, not of distances but of log-odds that two are one person, by the encoder's
calibration, which knows how long either speaks. pyannote.audio cuts at one distance, whatever is heard: of GE2E's voices .3 is
best for the meetings of AMI and .25 for pyannote's own sample, in which .3 makes several times the errors.
"""

import numpy as np
from numpy.typing import NDArray

from ...voices.clusters import Bounds, Labels, Odds, chosen, cut
from ...voices.embeddings import normalised
from .listening import HOP, Active, Heard, alone
from .net import Floats

Doubles = NDArray[np.float64]

# SAME, LEAST, SHORTEST and the net's threshold were chosen on AMI's ten pieces and pyannote's sample, so what bench.md has of
# these is flattered (leaving one meeting out cost .009 where that was tried); MARGIN with 12 made-up dialogues of training
# speakers in view, too, half of them in rooms and noise. Log-odds are higher in a room or on a line, which all that is said in it
# shares: of two people -4 in clean dialogues, and around 0 in meetings. The pairs that a window hears are two people; what their
# odds are is measured.
MARGIN = 4.0  # mean log-odds above those of two people from which two clusters are one person
SAME = 3.0  # and which always suffice
STRANGERS, PAIRS = -1.0, 10  # the log-odds of two people where no window hears two, and how many pairs that counts for
CERTAIN = 12.0  # log-odds; more says nothing more, and windows that share most of their sound have far more
APART = 8.0  # log-odds against one person where a window hears two
LEAST, SHARE = 1.0, 0.02  # s, and part of all speech, that make a speaker of a cluster; less is given to the others
SHORTEST = 0.5  # s alone in a window; voices of less are too uncertain to be clustered
MOST = 2_000  # voices that are clustered, evenly out of more: 2 million pairs; an hour has about 4,500


def speakers(heard: Heard, bounds: Bounds, odds: Odds) -> tuple[Labels, int]:
    """The speaker of each person, -1 for nobody [windows, SPEAKERS], and the number of speakers."""
    active = heard.active
    single = alone(active).sum(axis=1) * heard.step
    windows, people = _clear(heard, active, single)
    weights = active.sum(axis=1)[windows, people] * heard.step * HOP / active.shape[1]
    voices, seconds = heard.voices[windows, people], single[windows, people]
    clusters, order = _clusters(voices, seconds, windows, weights, bounds, odds)
    sums = [(voices[clusters == n] * seconds[clusters == n, None]).sum(axis=0) for n in order]
    return _assigned(heard, active, normalised(np.stack(sums))), len(order)


def _clear(heard: Heard, active: Active, single: Doubles) -> tuple[Labels, Labels]:
    """Windows and people whose voices are clear, at most MOST; where nobody is alone for long enough, those who are longest."""
    there = active.any(axis=1)
    windows, people = np.nonzero(there & (single >= min(SHORTEST, float(single[there].max()))))
    some = np.linspace(0, len(windows) - 1, min(len(windows), MOST)).astype(int)
    return windows[some], people[some]


def _clusters(
    voices: Floats, seconds: Doubles, windows: Labels, weights: Doubles, bounds: Bounds, odds: Odds
) -> tuple[Labels, Labels]:
    """The cluster of each voice [n], and the clusters that are speakers, the one that speaks longest first."""
    if len(voices) < 2:
        return np.zeros(len(voices), np.intp), np.zeros(1, np.intp)
    from scipy.cluster.hierarchy import linkage

    first, second = np.triu_indices(len(voices), 1)
    likely = np.clip(odds(voices, seconds, first, second), -CERTAIN, CERTAIN)
    two = np.equal(windows[first], windows[second])
    strangers = float(likely[two].sum() + STRANGERS * PAIRS) / (np.count_nonzero(two) + PAIRS)
    likely[two] = -APART
    tree = linkage(CERTAIN - likely, "average")
    least = min(max(LEAST, SHARE * weights.sum()), weights.sum() / 2)
    labels = cut(tree, CERTAIN - min(strangers + MARGIN, SAME))
    return chosen(tree, labels, weights, bounds, least)


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

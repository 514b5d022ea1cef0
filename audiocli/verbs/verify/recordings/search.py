"""The track that a query is a piece of, and the confidence in that."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ....kernels import constellation
from .fingerprint import HOP, SAMPLE_RATE, Fingerprint, Floats, fingerprint
from .index import Track

SHIFTS = (0, HOP // 4, HOP // 2, 3 * HOP // 4)  # a query's frames begin anywhere between those of the track
FAN_OUT = 15  # of a query's peaks, more than in a track: between two of the track lie some of the noise
SURE = 1e-6  # chance of so much agreement by accident, in all tracks together
AT_LEAST = 6  # events that agree
CERTAIN = 20.0  # powers of ten below one that the chance of an accident has when the confidence is 1


@dataclass(frozen=True)
class Agreement:
    """A track, the seconds at which the query begins in it, the hashes and events that agree, and the chance of an accident."""

    track: Track
    offset: float
    hashes: int
    events: int
    chance: float

    @property
    def found(self) -> bool:
        """Whether it is hardly an accident."""
        return self.events >= AT_LEAST and self.chance < SURE

    @property
    def confidence(self) -> float:
        """From 0, as likely as not an accident, to 1."""
        return min(max(-math.log10(max(self.chance, 1e-300)), 0.0) / CERTAIN, 1.0)


def search(samples: Floats, tracks: Sequence[Track]) -> list[Agreement]:
    """The tracks that samples [n] at SAMPLE_RATE agree with, the best first."""
    queries = [fingerprint([samples], shift, FAN_OUT) for shift in SHIFTS]
    agreements = [_best(queries, track, len(tracks)) for track in tracks]
    return sorted(agreements, key=lambda agreement: (agreement.chance, -agreement.hashes))


def _best(queries: Sequence[Fingerprint], track: Track, tracks: int) -> Agreement:
    """The best of the shifts; the chance counts all places and tracks in which an accident could have happened."""
    own = track.print
    counted = (
        (*constellation.agreement(own.hashes, own.frames, query.hashes, query.frames), shift)
        for query, shift in zip(queries, SHIFTS, strict=True)
    )
    hashes, events, distance, total, shift = max(counted)
    places = max(int((own.duration + queries[0].duration) * SAMPLE_RATE / HOP), 1)
    likely = chance(events, total - hashes, places) * places * tracks
    return Agreement(track, (distance * HOP - shift) / SAMPLE_RATE, hashes, events, min(likely, 1.0))


def chance(events: int, others: int, places: int) -> float:
    """Probability that at least `events` agree at one place by chance when `others` fall anywhere: Chernoff's bound for Poisson."""
    mean = 3.0 * max(others, 1) / places  # three neighbouring distances are one place
    return 1.0 if events <= mean else math.exp(events - mean - events * math.log(events / mean))

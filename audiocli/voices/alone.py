"""Checks that only one person speaks, in a recording or in several from which one voice is to be made."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..vad.cutter import cutter
from ..vad.silero import SAMPLE_RATE
from . import clusters
from .embeddings import SpeakerEncoder
from .voice import Voice
from .windows import SPEECH, windows

Floats = NDArray[np.float32]
# The fields of a decision for each pair of voices, as a Judge makes it.
Decide = Callable[[Sequence[Voice], Sequence[Voice]], list[dict[str, Any]]]

LONGEST = 120.0  # s of speech of a recording whose voice is listened to; more changes nothing
LEAST = 2.0  # s of speech that make another person
WINDOW = 2.4  # s; in those of diarize, which are shorter, a person differs from itself more
JUDGED = 10.0  # s of speech; in less, a person differs from itself as much (one of ten, at 9 s)
SEVERAL = "more than one person speaks in it"
APART = "are hardly of one person: a voice of both is nobody's"
HARDLY = 0.1  # probability of one person, below which there is a warning about two recordings
COMPARED = 100  # recordings of a person; of more, the first ones


def several(spoken: Floats, encoder: SpeakerEncoder) -> bool:
    """Whether more than one person is heard in speech [n]; there must be enough of it, and an encoder that can tell.

    The cosine between the voices of the two speakers that the clusters of diarize make of a recording when forced to lies below
    the `two_people` of the encoder's calibration when two people speak.
    """
    bound: float | None = encoder.calibration.get("two_people")
    if bound is None or len(spoken) < JUDGED * SAMPLE_RATE:
        return False
    pieces = list(windows(cutter(True, SPEECH), [spoken], WINDOW))
    embeddings = encoder.embed([samples for _, samples in pieces])
    two = clusters.speakers([window for window, _ in pieces], embeddings, clusters.Bounds(2, 2), least=LEAST)
    return len(two) == 2 and float(two[0] @ two[1]) < bound


def furthest(voices: Sequence[Voice], judge: Decide) -> tuple[int, int] | None:
    """The two recordings that are hardly of one person, the least alike; None when all may be."""
    able = [n for n, one in enumerate(voices) if one.embedding is not None]
    if len(able) < 2:
        return None
    pairs = list(combinations(able[:COMPARED], 2))
    judged = judge(*zip(*((voices[a], voices[b]) for a, b in pairs), strict=True))
    likely = [one.get("probability", float(one["same"])) for one in judged]
    least = min(range(len(pairs)), key=lambda n: (likely[n], judged[n]["score"]))
    return pairs[least] if likely[least] < HARDLY else None

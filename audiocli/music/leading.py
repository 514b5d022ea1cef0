"""Voice leading: the pitches that would move in parallel fifths or octaves with a voice above, which no pupil may write."""

import numpy as np
from numpy.typing import NDArray

from .tokens import N_TOKENS, REST_TOKEN, Ints

PARALLEL = (0, 7)  # semitones between two voices, octaves left out
_PITCHES = np.arange(REST_TOKEN)


def parallels(before: Ints, above: Ints) -> NDArray[np.bool_]:
    """[tokens]: true for those that voice len(above) should not go to from before [4], the voices above being at `above`."""
    result = np.zeros(N_TOKENS, np.bool_)
    own = before[len(above)]
    if own >= REST_TOKEN:
        return result
    for was, now in zip(before, above, strict=False):
        interval = (was - own) % 12
        if max(was, now) < REST_TOKEN and now != was and interval in PARALLEL:
            same_way = np.sign(_PITCHES - own) == np.sign(now - was)
            result[:REST_TOKEN] |= same_way & ((now - _PITCHES) % 12 == interval)
    return result

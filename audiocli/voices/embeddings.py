"""The common part of the speaker encoders: clips of any length in, vectors of length 1 out, whichever net it is."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models.registry import ModelSpec

Floats = NDArray[np.float32]

WINDOW = 20.0  # s that a net hears at once; of longer speech, the mean of its windows
AT_ONCE = 120.0  # s of audio in one forward pass
SHORTEST = 0.1  # s; shorter clips are padded
LONG = 1.5  # pieces; in less, they would say nothing new


@dataclass(frozen=True)
class SpeakerEncoder:
    """A loaded encoder. `forward` takes clips of one length [batch, samples] and returns [batch, embedding].

    calibration: how scores become decisions, from the model's config.json; empty when none was fitted.
    cohort: embeddings of strangers [strangers, embedding] that the calibration measures scores by.
    threshold: the cosine that its authors, or their users, take where there is no calibration.
    speech: whether it hears voices, and is to get speech only; else it hears sounds of any kind.
    pieces: s; longer speech is heard in pieces of that length, too, which reach from end to end and overlap by half or more.
    """

    spec: ModelSpec
    sample_rate: int
    forward: Callable[[Floats], Floats]
    calibration: dict[str, Any] = field(default_factory=dict)
    cohort: Floats | None = None
    threshold: float = 0.5
    speech: bool = True
    pieces: float | None = None

    def embed(self, clips: Sequence[Floats]) -> Floats:
        """Embeddings [clips, embedding] of length 1 for clips [samples] at sample_rate; clips of one length share a pass."""
        pieces = [piece for owner, clip in enumerate(clips) for piece in self._pieces(owner, clip)]
        by_length = defaultdict(list)
        for n, (_, piece) in enumerate(pieces):
            by_length[len(piece)].append(n)
        sums = np.zeros((len(clips), 1), np.float32)
        for length, numbers in by_length.items():
            size = max(int(AT_ONCE * self.sample_rate / length), 1)
            for first in range(0, len(numbers), size):
                some = [pieces[n] for n in numbers[first : first + size]]
                rows = normalised(self.forward(np.stack([piece for _, piece in some])))
                sums = sums if sums.shape[1] == rows.shape[1] else np.zeros((len(clips), rows.shape[1]), np.float32)
                np.add.at(sums, [owner for owner, _ in some], rows * np.float32(length))
        return normalised(sums)

    def _pieces(self, owner: int, clip: Floats) -> Iterator[tuple[int, Floats]]:
        """The windows of a clip, all of them long, and its pieces if it is LONG enough for them."""
        clip = np.ascontiguousarray(clip, np.float32)
        shortest = int(SHORTEST * self.sample_rate)
        if len(clip) < shortest:
            clip = np.pad(clip, (0, shortest - len(clip)))
        count = -(-len(clip) // int(WINDOW * self.sample_rate))
        yield from ((owner, part) for part in np.array_split(clip, count))
        length = int((self.pieces or 0.0) * self.sample_rate)
        if length and len(clip) >= LONG * length:
            starts = np.linspace(0, len(clip) - length, -(-2 * (len(clip) - length) // length) + 1).astype(int)
            yield from ((owner, clip[start : start + length]) for start in starts)


def normalised(vectors: Floats) -> Floats:
    """Rows [n, embedding] of length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)

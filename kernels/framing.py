"""Cut a signal that arrives in blocks into overlapping frames, the same frames that the whole signal would give.

A *chunk* is a stretch of samples that holds whole frames: frame f starts at f * hop_length. The Framer pads the two ends
of the signal, keeps what the next chunk needs of the last one, and so turns any cutting into blocks into one sequence
of frames.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PADDINGS = ("constant", "edge", "reflect", "none")


def frame_count(n_samples: int, frame_length: int, hop_length: int) -> int:
    """Whole frames in n_samples samples that start at a frame's first sample."""
    return 0 if n_samples < frame_length else 1 + (n_samples - frame_length) // hop_length


def pad_ends(samples: NDArray[Any], frame_length: int, padding: str) -> NDArray[Any]:
    """A whole signal [n] as one chunk: what a Framer pads, padded at once. No samples stay no samples."""
    side = 0 if padding == "none" else frame_length // 2
    if not samples.size:
        return samples
    return np.concatenate([beyond(samples, side, padding)[::-1], samples, beyond(samples[::-1], side, padding)])


def pieces(
    samples: NDArray[Any], frame_length: int, hop_length: int, padding: str
) -> Iterator[tuple[NDArray[Any], int]]:
    """Stretches of a signal padded as pad_ends does it, and how many frames each holds: the middle is not copied."""
    _check_padding(padding)
    side = 0 if padding == "none" else frame_length // 2
    n = samples.size
    total = frame_count(n + 2 * side, frame_length, hop_length) if n else 0
    # Frame f reaches from sample f * hop_length - side on; those from `first` to before `last` touch no padding.
    first = -(-side // hop_length)
    last = first + frame_count(n - (first * hop_length - side), frame_length, hop_length)
    if side == 0 or last <= first:
        yield (pad_ends(samples, frame_length, padding) if side else samples), total
        return
    start, end = (first - 1) * hop_length + frame_length - side, last * hop_length - side
    if first:
        yield np.concatenate([beyond(samples[: side + 1], side, padding)[::-1], samples[:start]]), first
    yield samples[first * hop_length - side :], last - first
    if total > last:
        yield np.concatenate([samples[end:], beyond(samples[: -side - 2 : -1], side, padding)]), total - last


def beyond(inward: NDArray[Any], side: int, padding: str) -> NDArray[Any]:
    """The `side` samples beyond one end, from the end outwards; inward: the samples [n > 0] from that end inwards."""
    if padding not in ("edge", "reflect") or side == 0:
        return np.zeros(side, inward.dtype)
    if padding == "edge" or inward.size == 1:
        return np.repeat(inward[:1], side)
    # A signal shorter than the padding is mirrored again and again, as numpy.pad does it.
    return np.resize(np.concatenate([inward[1:], inward[-2::-1]]), side)


def _check_padding(padding: str) -> None:
    if padding not in PADDINGS:
        raise ValueError(f"padding must be one of {', '.join(PADDINGS)}, not {padding!r}")


class Framer:
    """Blocks of samples in, chunks of whole frames out.

    padding: the values before the first and after the last sample, frame_length // 2 on each side so that frame
    f is centred on sample f * hop_length: "constant" (zeros), "edge" (the end samples again and again), "reflect" (the
    signal mirrored at its end samples, which are not repeated) or "none" (frame 0 starts at sample 0, what does not fill a
    frame at the end is left out).
    """

    def __init__(self, frame_length: int, hop_length: int, padding: str = "constant") -> None:
        if frame_length < 1 or hop_length < 1:
            raise ValueError(f"frame_length and hop_length must be 1 or more, not {frame_length} and {hop_length}")
        _check_padding(padding)
        self.frame_length = frame_length
        self.hop_length = hop_length
        self.padding = padding
        self._side = 0 if padding == "none" else frame_length // 2
        self._started = self._side == 0
        self._kept = np.zeros(0, np.float32)
        self._skip = 0  # samples to drop before the next frame, when hop_length > frame_length
        self._tail = np.zeros(0, np.float32)  # the last samples seen, which "reflect" mirrors at the end

    def push(self, block: Floats) -> Floats:
        """Take the next samples [n]; give the chunk of frames that they complete, [0] when there is none."""
        self._remember(block)
        if not self._started:
            self._kept = np.concatenate([self._kept, block]) if self._kept.size else block
            if self._kept.size <= self._side:
                return np.zeros(0, np.float32)
            block = self._start()
        return self._chunk(block)

    def finish(self) -> Floats:
        """The last chunk, with the padding at the end; [0] when no frame is left (a signal of no samples has none)."""
        if self._tail.size == 0 and not self._kept.size:
            return np.zeros(0, np.float32)
        left = np.zeros(0, np.float32) if self._started else self._start()
        chunk = np.concatenate([left, beyond(self._tail[::-1], self._side, self.padding)])
        return self._chunk(chunk)

    def _start(self) -> Floats:
        """The first samples with the padding before them."""
        first, self._kept, self._started = self._kept, np.zeros(0, np.float32), True
        return np.concatenate([beyond(first, self._side, self.padding)[::-1], first])

    def _remember(self, block: Floats) -> None:
        if self.padding != "reflect":
            self._tail = block[-1:] if block.size else self._tail
            return
        need = self._side + 1
        self._tail = block[-need:] if block.size >= need else np.concatenate([self._tail, block])[-need:]

    def _chunk(self, block: Floats) -> Floats:
        chunk = np.concatenate([self._kept, block]) if self._kept.size else block
        if self._skip:
            dropped = min(self._skip, chunk.size)
            chunk, self._skip = chunk[dropped:], self._skip - dropped
        n_frames = frame_count(chunk.size, self.frame_length, self.hop_length)
        used = n_frames * self.hop_length
        self._kept = chunk[used:].copy()
        self._skip += max(0, used - chunk.size)
        end = (n_frames - 1) * self.hop_length + self.frame_length if n_frames else 0
        return np.ascontiguousarray(chunk[:end])

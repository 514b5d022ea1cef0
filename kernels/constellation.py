"""Constellations of spectral peaks: the part of a recording that survives noise, codecs, filters and any level.

A peak is a cell of a spectrogram that nothing around it exceeds; two peaks and the time between them make a hash that
says when it occurs and hardly anything else does. Where many hashes of a query occur in a track at one and the same distance in
time, the query is a piece of the track.

Reference: Wang (2003), "An industrial-strength audio search algorithm".
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._jit import jit

Integers = NDArray[np.int32]
Hashes = NDArray[np.uint32]

BIN_BITS, STEP_BITS, WAIT_BITS = (
    8,
    7,
    6,
)  # of a hash: the first peak's bin, the distance to the second one's, the frames between
BINS, WAIT = 1 << BIN_BITS, (1 << WAIT_BITS) - 1
STEP = (1 << (STEP_BITS - 1)) - 1  # bins that two peaks of a pair are apart, at most
HASHES = 1 << (BIN_BITS + STEP_BITS + WAIT_BITS)
SLOT = 16  # frames of a query within which hashes that agree are one event: a change of chord makes ten at once


def peaks(power: ArrayLike, frames: int, bins: int, floor: float = 0.0) -> tuple[Integers, Integers]:
    """Frames [n] and bins [n] of the cells of power [frames, bins] above `floor` that are the largest around them.

    Around: so many frames and bins on either side. Of equal cells the first counts. In the order of the frames, then the
    bins; NaN is never a peak and hides none.
    """
    cells = np.ascontiguousarray(power, np.float32)
    if cells.ndim != 2 or frames < 0 or bins < 0:
        raise ValueError(f"no peaks within {frames} frames and {bins} bins of cells of shape {cells.shape}")
    # Of any (frames + 1) x (bins + 1) cells, one at most is a peak.
    most = (cells.shape[0] // (frames + 1) + 1) * (cells.shape[1] // (bins + 1) + 1)
    places = np.empty((2, most), np.int32)
    count = _peaks(cells, frames, bins, np.float32(floor), places) if cells.size else 0
    return places[0, :count].copy(), places[1, :count].copy()


@jit
def _peaks(cells: NDArray[np.float32], frames: int, bins: int, floor: np.float32, places: Integers) -> int:
    n_frames, n_bins = cells.shape
    count = 0
    for f in range(n_frames):
        for b in range(n_bins):
            value = cells[f, b]
            if not value > floor:
                continue
            if _exceeded_in_row(cells, f, b, bins) or _exceeded_around(cells, f, b, frames, bins):
                continue
            places[0, count], places[1, count] = f, b
            count += 1
    return count


@jit
def _exceeded_in_row(cells: NDArray[np.float32], f: int, b: int, bins: int) -> bool:
    value = cells[f, b]
    for other in range(max(b - bins, 0), b):
        if cells[f, other] >= value:
            return True
    for other in range(b + 1, min(b + bins + 1, cells.shape[1])):  # noqa: SIM110 - numba compiles no generators
        if cells[f, other] > value:
            return True
    return False


@jit
def _exceeded_around(cells: NDArray[np.float32], f: int, b: int, frames: int, bins: int) -> bool:
    value = cells[f, b]
    first, last = max(b - bins, 0), min(b + bins + 1, cells.shape[1])
    for distance in range(1, frames + 1):
        if f >= distance:
            for other in range(first, last):
                if cells[f - distance, other] >= value:
                    return True
        if f + distance < cells.shape[0]:
            for other in range(first, last):
                if cells[f + distance, other] > value:
                    return True
    return False


def hashes(frames: ArrayLike, bins: ArrayLike, fan_out: int) -> tuple[Hashes, Integers]:
    """Hashes [n] of pairs of peaks, and the frames [n] of their first ones.

    frames, bins: of the peaks [peaks], in the order of the frames, bins below BINS. Each peak is paired with the next
    `fan_out` that lie 1 to WAIT frames later and within STEP bins.
    """
    when, where = np.ascontiguousarray(frames, np.int32), np.ascontiguousarray(bins, np.int32)
    if when.shape != where.shape or when.ndim != 1 or fan_out < 1:
        raise ValueError(f"no pairs of peaks at {when.shape} frames and {where.shape} bins, {fan_out} each")
    if len(where) and not 0 <= int(where.min()) <= int(where.max()) < BINS:
        raise ValueError(f"the bins of peaks lie from 0 to {BINS - 1}")
    codes, anchors = np.empty(len(when) * fan_out, np.uint32), np.empty(len(when) * fan_out, np.int32)
    count = _hashes(when, where, fan_out, codes, anchors)
    return codes[:count].copy(), anchors[:count].copy()


@jit
def _hashes(when: Integers, where: Integers, fan_out: int, codes: Hashes, anchors: Integers) -> int:
    count = 0
    for first in range(len(when)):
        left = fan_out
        for second in range(first + 1, len(when)):
            wait, step = when[second] - when[first], where[second] - where[first]
            if wait > WAIT or left == 0:
                break
            if wait < 1 or abs(step) > STEP:
                continue
            code = (where[first] << (STEP_BITS + WAIT_BITS)) | ((step + STEP) << WAIT_BITS) | wait
            codes[count], anchors[count] = code, when[first]
            count += 1
            left -= 1
    return count


def agreement(
    track: ArrayLike, track_frames: ArrayLike, query: ArrayLike, query_frames: ArrayLike
) -> tuple[int, int, int, int]:
    """Hashes of a query that occur in a track at one distance in time, the SLOTs they lie in, the distance, and all that occur.

    All of them [n], the hashes of the track in rising order, frames for times. Neighbouring distances count together, because
    the frames of a query do not begin where those of the track do.
    """
    codes, when = np.ascontiguousarray(track, np.uint32), np.ascontiguousarray(track_frames, np.int32)
    asked, since = np.ascontiguousarray(query, np.uint32), np.ascontiguousarray(query_frames, np.int32)
    if codes.shape != when.shape or asked.shape != since.shape:
        raise ValueError("each hash has one frame")
    if not len(codes) or not len(asked):
        return 0, 0, 0, 0
    lowest = int(when.min()) - int(since.max())
    counts = np.zeros(int(when.max()) - int(since.min()) - lowest + 1, np.int32)
    total = _count(codes, when, asked, since, lowest, counts)
    if not total:
        return 0, 0, 0, 0
    best = _best(counts)
    slots = np.zeros(int(since.max()) // SLOT + 1, np.bool_)
    _mark(codes, when, asked, since, best + lowest, slots)
    return int(counts[max(best - 1, 0) : best + 2].sum()), int(slots.sum()), best + lowest, int(total)


@jit
def _first(codes: Hashes, asked: Hashes, n: int, before: int) -> int:
    """The position of hash n of those asked for, or its insertion point, in rising hashes; the one before it is at `before`.

    Those asked for mostly rise too, so it is near: steps of twice the size lead to it through memory that is at hand.
    """
    code = asked[n]
    low = before if n and code >= asked[n - 1] else 0
    high, step = low, 1
    while high < len(codes) and codes[high] < code:
        low, high, step = high + 1, high + step, 2 * step
    high = min(high, len(codes))
    while low < high:
        middle = (low + high) // 2
        if codes[middle] < code:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def _count(codes: Hashes, when: Integers, asked: Hashes, since: Integers, lowest: int, counts: Integers) -> int:
    total, first = 0, 0
    for n in range(len(asked)):
        at = first = _first(codes, asked, n, first)
        while at < len(codes) and codes[at] == asked[n]:
            counts[when[at] - since[n] - lowest] += 1
            total += 1
            at += 1
    return total


@jit
def _mark(
    codes: Hashes, when: Integers, asked: Hashes, since: Integers, distance: int, slots: NDArray[np.bool_]
) -> None:
    """Set the slots of the query in which a hash agrees on the distance, or lies one frame beside."""
    first = 0
    for n in range(len(asked)):
        at = first = _first(codes, asked, n, first)
        while at < len(codes) and codes[at] == asked[n]:
            if abs(when[at] - since[n] - distance) <= 1:
                slots[since[n] // SLOT] = True
            at += 1


@jit
def _best(counts: Integers) -> int:
    """The index at which three neighbours hold most, the middle one most of all."""
    best, most = 0, -1
    for n in range(len(counts)):
        own = 2 * counts[n]
        if n:
            own += 2 * counts[n - 1]
        if n + 1 < len(counts):
            own += 2 * counts[n + 1]
        own = 2 * own + counts[n]
        if own > most:
            best, most = n, own
    return best

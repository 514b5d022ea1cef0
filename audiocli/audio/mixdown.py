"""One channel of many: their mean, one of them, or the best; blocks [n, channels] in, blocks [n, 1] out.

Channels that are opposite, as of a balanced line in a stereo socket or a swapped wire, average to silence. So windows of
the sound are looked at, and where the mean is much weaker than that of channels that have nothing to do with each other, a
channel is taken in its place. Windows are counted from the first sample, so where blocks are cut makes no difference.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .blocks import Samples, block_length

Powers = NDArray[np.float64]

NAMES = {"left": 1, "right": 2}
WINDOW = 0.5  # s that are judged at once, which is what live sound of several channels waits for
SHORTEST = 0.05  # s of a last window that are enough to judge
FADE = 0.01  # s from one choice to the next
CANCELLED = 0.2  # of the power that the mean of unrelated channels has: for two, a correlation of -0.8
SILENT = 1e-8  # power, -80 dBFS: below it nothing is judged
JUDGED = 10.0  # s of sound that the best channel is chosen by
HELD = 2**24  # samples of all channels that wait for that, at most: 64 MiB, or 3 minutes of stereo
FRAME = 0.1  # s, in which the power of noise does not change much
QUIET = 0.1  # of the frames are taken for noise alone


def mono(
    blocks: Iterable[Samples], channel: str, sample_rate: int, channels: int, warnings: list[str]
) -> Iterator[Samples]:
    """The channel that --channel asks for; at the end `warnings` says what was taken instead of the mean.

    channel: mix, best, left, right or a number from 1. Raises InputError, at once, for one that does not exist.
    """
    if channel not in ("mix", "best"):
        number = _number(channel, channels)
        return (block[:, number : number + 1] for block in blocks)
    if channels == 1:
        return iter(blocks)
    length = max(1, min(round(WINDOW * sample_rate), block_length(channels)))
    whole = _whole(blocks, length)
    choose = _mixed if channel == "mix" else _best
    return choose(whole, length, sample_rate, warnings)


def _number(channel: str, channels: int) -> int:
    """The index of a channel. Raises InputError."""
    number = NAMES.get(channel) or int(channel)
    if number > channels:
        raise InputError(f"has {channels} channel{'s' * (channels > 1)}, and no channel {number}")
    return number - 1


def _whole(blocks: Iterable[Samples], length: int) -> Iterator[Samples]:
    """The blocks, cut where windows of `length` end."""
    held = list[Samples]()
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) >= length:
            joined = np.concatenate(held)
            end = len(joined) // length * length
            yield joined[:end]
            held = [joined[end:]]
    rest = np.concatenate(held) if held else None
    if rest is not None and len(rest):
        yield rest


def _windows(block: Samples, length: int) -> Iterator[Samples]:
    return (block[first : first + length] for first in range(0, len(block), length))


def mean(block: Samples) -> Samples:
    """The mean of the channels, [n, 1]; one and the same sum whatever the length of a block."""
    total = block[:, :1].copy()
    for channel in range(1, block.shape[1]):
        total += block[:, channel : channel + 1]
    total *= np.float32(1 / block.shape[1])
    return total


def _mixed(whole: Iterable[Samples], length: int, sample_rate: int, warnings: list[str]) -> Iterator[Samples]:
    """The mean, but where the channels cancel each other out."""
    choice: int | None = None
    fade, total, replaced = round(FADE * sample_rate), 0, dict[int, int]()
    for block in whole:
        parts = []
        for window in _windows(block, length):
            before, choice = choice, _instead(window, choice, round(SHORTEST * sample_rate))
            parts.append(_faded(window, before if total else choice, choice, fade))
            total += len(window)
            if choice is not None:
                replaced[choice] = replaced.get(choice, 0) + len(window)
        yield np.concatenate(parts)
    if replaced:
        seconds, of = sum(replaced.values()) / sample_rate, total / sample_rate
        taken = " and ".join(str(number + 1) for number in sorted(replaced))
        warnings.append(
            f"the channels cancel each other out in {seconds:.1f} of {of:.1f} s: there channel {taken} is taken "
            "instead of their mean (--channel chooses)"
        )


def _instead(window: Samples, before: int | None, shortest: int) -> int | None:
    """The channel to take instead of the mean; the same as before, if possible, for opposite ones must not alternate."""
    if len(window) < shortest:
        return before
    planar = window.T.astype(np.float64, order="C")
    planar -= planar.mean(axis=1, keepdims=True)
    powers = np.square(planar).mean(axis=1)
    of_sum = float(np.square(planar.sum(axis=0)).mean())  # of unrelated channels it is the sum of their powers
    if powers.max() < SILENT or of_sum >= CANCELLED * powers.sum():
        return None
    if before is not None and powers[before] > CANCELLED * powers.max():
        return before
    return int((powers > powers.max() / 2).argmax())  # of those that are about as loud the first, not one by chance


def _faded(window: Samples, before: int | None, choice: int | None, fade: int) -> Samples:
    """One channel of a window, with a fade from the choice before."""
    taken = _taken(window, choice)
    if before != choice:
        beginning = _taken(window[:fade], before)
        ramp = np.linspace(0.0, 1.0, len(beginning), dtype=np.float32)[:, None]
        taken[:fade] = beginning + ramp * (taken[:fade] - beginning)
    return taken


def _taken(window: Samples, choice: int | None) -> Samples:
    return mean(window) if choice is None else window[:, choice : choice + 1].copy()


def _best(whole: Iterable[Samples], length: int, sample_rate: int, warnings: list[str]) -> Iterator[Samples]:
    """The channel that is best in the first JUDGED seconds of sound; silence before them is passed on meanwhile."""
    windows = (window for block in whole for window in _windows(block, length))
    waiting, audible = list[Samples](), 0
    for window in windows:
        silent = float(np.square(window).mean(axis=0).max()) < SILENT
        if silent and not waiting:
            yield mean(window)
            continue
        waiting.append(window)
        audible += 0 if silent else len(window)
        if audible >= JUDGED * sample_rate or sum(one.size for one in waiting) >= HELD:
            break
    if not waiting:
        return
    best = int(_merit(waiting, max(1, round(FRAME * sample_rate))).argmax())
    warnings.append(f"channel {best + 1} of {waiting[0].shape[1]} is the best one, and is taken")
    for window in chain(waiting, windows):
        yield window[:, best : best + 1].copy()


def _merit(held: list[Samples], length: int) -> Powers:
    """The ratio of each channel's power to that of its quiet frames [channels]: speech has pauses, noise goes on."""
    frames = [_powers(frame) for window in held for frame in _windows(window, length)]
    powers = np.array(frames)
    return np.asarray(powers.mean(axis=0) - np.quantile(powers, QUIET, axis=0))


def _powers(frame: Samples) -> Powers:
    return np.asarray(np.square(frame, dtype=np.float64).mean(axis=0))

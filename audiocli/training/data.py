"""Training data: examples in splits, and their sound in memory."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import audio
from ..console import Console
from ..errors import AudiocliError, InputError, UsageError
from ..options import TrainOptions
from .examples import Example

VALID = 0.1  # of the data, where nothing else is said
BUDGET = 4 * 2**30  # bytes of sound that are kept decoded; the rest is decoded again each time
FULL_SCALE = 32_767  # of the 16 bits in which it is kept


@dataclass(frozen=True)
class Split:
    """Examples to train on, to choose by, and to score once at the end."""

    train: list[Example]
    valid: list[Example]
    test: list[Example]


def split(all_of_them: Sequence[Example], valid: str | None, test: str | None, seed: int) -> Split:
    """Split off the held-out examples: COLUMN=VALUE[,VALUE...][;COLUMN=...], a share like 0.1 (of each label), or "none".

    Raises UsageError when a choice holds nothing or leaves nothing.
    """
    rest, held = _take(list(all_of_them), test or "none", seed + 1, "--test")
    train, chosen = _take(rest, VALID if valid is None else valid, seed, "--valid")
    if not train:
        raise UsageError("--valid and --test leave nothing to train on")
    return Split(train, chosen, held)


def _take(rows: list[Example], choice: str | float, seed: int, option: str) -> tuple[list[Example], list[Example]]:
    """(the rest, the examples chosen)."""
    if choice == "none":
        return rows, []
    if "=" in str(choice):
        return _by_columns(rows, str(choice), option)
    try:
        share = float(choice)
    except ValueError:
        share = -1.0
    if not 0.0 <= share < 1.0:
        raise UsageError(f"{option} {choice}: give COLUMN=VALUE,VALUE, a share from 0 to 1, or none")
    return _share(rows, share, seed)


def _by_columns(rows: list[Example], choice: str, option: str) -> tuple[list[Example], list[Example]]:
    """(the rest, the examples with one of the values), as in speaker=7,8;fold=4."""
    taken = list[Example]()
    for part in choice.split(";"):
        column, _, values = part.partition("=")
        wanted = set(values.split(","))
        matches = [row for row in rows if row.fields.get(column) in wanted]
        if not matches:
            raise UsageError(f"{option} {part}: no example matches")
        rows = [row for row in rows if row.fields.get(column) not in wanted]
        taken += matches
    return rows, taken


def _share(rows: list[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """A random share of each label's examples; a label with one example keeps it."""
    by_label = defaultdict(list)
    for n, row in enumerate(rows):
        by_label[row.label].append(n)
    lot = random.Random(seed)
    taken = {n for label in sorted(by_label) for n in lot.sample(by_label[label], int(share * len(by_label[label])))}
    return [row for n, row in enumerate(rows) if n not in taken], [rows[n] for n in sorted(taken)]


def labels(rows: Iterable[Example]) -> list[str]:
    """The labels in their order. Raises UsageError for an example without one, and for fewer than two."""
    counted = Counter(row.label for row in rows)
    if "" in counted:
        raise UsageError(f"{counted['']} examples have no label: put them into folders, or give LABEL=FOLDER")
    if len(counted) < 2:
        raise UsageError(f"one label only ({', '.join(counted)}): a classifier needs two or more")
    return sorted(counted)


class Clips:
    """The sound of examples at one rate and in one channel; as much of it as fits stays decoded, in 16 bits."""

    def __init__(self, rows: Sequence[Example], sample_rate: int, budget: int = BUDGET) -> None:
        self.rows, self.sample_rate = list(rows), sample_rate
        self._room = budget
        self._kept: dict[int, NDArray[np.int16]] = {}
        self.notes: dict[int, list[str]] = {}  # warnings about the clips that were decoded

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> NDArray[np.float32]:
        """Samples [samples] of an example. Raises InputError."""
        decoded = self._kept.get(index)
        if decoded is not None:
            return decoded.astype(np.float32) / np.float32(FULL_SCALE)
        self.notes[index] = []
        samples = decode(self.rows[index].path, self.sample_rate, self.notes[index].append)
        if 2 * len(samples) <= self._room:
            self._room -= 2 * len(samples)
            self._kept[index] = np.rint(np.clip(samples, -1.0, 1.0) * FULL_SCALE).astype(np.int16)
        return samples


def decode(path: str, sample_rate: int, warn: Callable[[str], None] | None = None) -> NDArray[np.float32]:
    """One channel of a file [samples] at sample_rate Hz; `warn` is called with each warning. Raises InputError."""
    samples: NDArray[np.float32] = audio.read(path, sample_rate=sample_rate, mono=True, warn=warn).samples[0]
    return samples


def load(rows: Sequence[Example], sample_rate: int, console: Console, *, jobs: int) -> Clips:
    """The clips of the examples that can be read and hold sound; the others are reported, counted and left out.

    Raises InputError when none is left of some.
    """
    clips = Clips(rows, sample_rate)

    def problem(index: int) -> str | None:
        try:
            return None if len(clips[index]) else "holds no sound"
        except AudiocliError as error:
            return str(error)

    with ThreadPoolExecutor(jobs) as pool, console.bar(len(rows), "reading data") as bar:
        problems = []
        for reason in pool.map(problem, range(len(rows))):
            problems.append(reason)
            bar.step()
    for index in sorted(clips.notes):
        for note in clips.notes[index]:
            console.note(f"{clips.rows[index].path}: {note}")
    for row, wrong in zip(rows, problems, strict=True):
        if wrong:
            console.error(f"{row.path}: {wrong}")
    good = [n for n, wrong in enumerate(problems) if not wrong]
    if len(good) < len(rows):
        console.error(f"{len(rows) - len(good)} of {len(rows)} files cannot be used and are left out")
    if rows and not good:
        raise InputError("no file of the data can be read")
    return _only(clips, good)


def load_parts(
    rows: Sequence[Example], sample_rate: int, options: TrainOptions, console: Console
) -> tuple[Clips, Clips, Clips]:
    """The clips to train on, to choose by and to score at the end, drawn from the examples that can be read.

    Raises UsageError as `split` does, InputError when none can be read.
    """
    how = options.valid, options.test, options.seed
    split(rows, *how)  # a choice that cannot be made is reported before hours of sound are read
    clips = load(rows, sample_rate, console, jobs=options.jobs or 1)
    parts = split(clips.rows, *how)
    train, valid, test = (_of(clips, part) for part in (parts.train, parts.valid, parts.test))
    return train, valid, test


def chosen(clips: Clips, wanted: Callable[[Example], bool]) -> Clips:
    """The clips whose example is wanted, their sound moved, not copied."""
    return _of(clips, [row for row in clips.rows if wanted(row)])


def _of(clips: Clips, rows: Iterable[Example]) -> Clips:
    """The clips of some of the examples that they have."""
    numbers = {id(row): number for number, row in enumerate(clips.rows)}
    return _only(clips, [numbers[id(row)] for row in rows])


def _only(clips: Clips, good: Sequence[int]) -> Clips:
    """The clips with these numbers, their sound moved, not copied."""
    chosen = Clips([clips.rows[n] for n in good], clips.sample_rate, clips._room)
    chosen._kept = {new: clips._kept[old] for new, old in enumerate(good) if old in clips._kept}
    return chosen


def crop(samples: NDArray[Any], length: int, random: np.random.Generator | None = None) -> NDArray[Any]:
    """`length` samples of a clip, from anywhere in it (from its middle without `random`); short clips get zeros on both sides."""
    missing = length - len(samples)
    if missing <= 0:
        start = -missing // 2 if random is None else int(random.integers(0, 1 - missing))
        return samples[start : start + length]
    before = missing // 2 if random is None else int(random.integers(0, missing + 1))
    return np.pad(samples, (before, missing - before))


def shuffled(count: int, size: int, seed: Sequence[int]) -> Iterator[NDArray[np.int64]]:
    """Whole batches of `size` numbers below `count`, each number once; all of them in one when there are fewer."""
    order = np.random.default_rng(seed).permutation(count)
    for first in range(0, max(count - size + 1, 1), size):
        yield order[first : first + size]

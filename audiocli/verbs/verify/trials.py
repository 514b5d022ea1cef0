"""Trials: a list of pairs of recordings to compare, one a line."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import InputError, UsageError
from ...inputs import lists

SAME, DIFFERENT = ("1", "target", "same"), ("0", "nontarget", "different")


@dataclass(frozen=True)
class Trial:
    """Two recordings, and whether they are of one speaker where that is known."""

    a: str
    b: str
    label: bool | None = None


def read(path: str) -> list[Trial]:
    """The pairs of a list: two paths and perhaps a label, between tabs, commas or blanks; # begins a comment.

    The label may stand first, as VoxCeleb has it. Raises InputError when it cannot be read, UsageError for any other line.
    """
    try:
        rows = lists.read(path, "surrogateescape")
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    trials = list(_lines(path, rows))
    if not trials:
        raise InputError(f"{path} has no trials: two paths a line, and perhaps 0 or 1")
    if len({trial.label is None for trial in trials}) > 1:
        raise UsageError(f"{path}: some trials have a label and some do not")
    return trials


def _lines(path: str, rows: list[str]) -> Iterator[Trial]:
    for number, line in enumerate(rows, 1):
        fields = _fields(line, path.lower().endswith(".csv"))
        if not fields or lists.is_comment(line, located(fields[0], path)):
            continue
        trial = _trial(fields)
        if trial is None:
            raise UsageError(
                f"{path}, line {number}: is not two paths and perhaps 0 or 1 (tabs, commas or quotes allow blanks in a path)"
            )
        yield trial


def _fields(line: str, commas: bool) -> list[str]:
    """The fields between tabs, else between blanks, or between commas in a CSV and where blanks alone make no sense."""
    if "\t" in line.strip():
        return [field.strip() for field in line.strip().split("\t")]
    words = lists.fields(line, " ")
    if "," in line and (commas or all(word.endswith(",") for word in words[:-1])):
        return lists.fields(line)
    return words


def _trial(fields: list[str]) -> Trial | None:
    """Two paths and a label behind or before them."""
    if len(fields) == 2 and all(fields):
        return Trial(fields[0], fields[1])
    if len(fields) == 3 and all(fields):
        for label, a, b in ((fields[2], *fields[:2]), fields):
            if label.lower() in SAME + DIFFERENT:
                return Trial(a, b, label.lower() in SAME)
    return None


def located(trial: str, listed_in: str) -> str:
    """The file of a trial: as the path says, else as seen from the list's folder."""
    near = os.path.join(os.path.dirname(listed_in), trial)
    return near if listed_in != "-" and not os.path.exists(trial) and os.path.exists(near) else trial

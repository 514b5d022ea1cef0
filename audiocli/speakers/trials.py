"""Which recordings are compared: a list of pairs, one a line."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, UsageError

SAME, DIFFERENT = ("1", "target", "same"), ("0", "nontarget", "different")


@dataclass(frozen=True)
class Trial:
    """Two recordings, and whether they are of one speaker where somebody knows."""

    a: str
    b: str
    label: bool | None = None


def read(path: str) -> list[Trial]:
    """The pairs of a list: two paths and perhaps a label, between tabs or blanks (`0` or `1` may stand first, as VoxCeleb has it).

    Raises InputError when it cannot be read, UsageError for a line that is no trial.
    """
    try:
        text = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    found = list(_lines(path, os.fsdecode(text)))
    if not found:
        raise InputError(f"{path} has no trials: two paths a line, and perhaps 0 or 1")
    if len({trial.label is None for trial in found}) > 1:
        raise UsageError(f"{path}: some trials have a label and some have none")
    return found


def _lines(path: str, text: str) -> Iterator[Trial]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        fields = [field.strip() for field in line.split("\t")] if "\t" in line else line.split()
        trial = _trial(fields)
        if trial is None:
            raise UsageError(
                f"{path}, line {number}: is not two paths and perhaps 0 or 1 (a tab between them allows blanks)"
            )
        yield trial


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
    """Where the file of a trial is: as the path says, else as seen from the list's folder."""
    near = os.path.join(os.path.dirname(listed_in), trial)
    return near if listed_in != "-" and not os.path.exists(trial) and os.path.exists(near) else trial

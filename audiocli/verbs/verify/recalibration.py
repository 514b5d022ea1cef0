"""Calibrations of the user's own: fitted to labelled pairs of recordings, kept in a file, and read again for one encoder."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ...errors import InputError, UsageError
from ...inputs.sources import reason
from ...run.batch import Tally
from ...voices import calibration
from ...voices.calibration import RATES, Calibration
from ...voices.refitting import SHOWN, refitted
from .trials import Trial
from .work import Run, of_trials

LEAST = {True: 20, False: 50}  # pairs of one person and of two that a calibration can be fitted to


@dataclass(frozen=True)
class Fitted:
    """A calibration, the pairs of two people that it was fitted to, and the shares of them that pass at `far` before and after."""

    calibration: Calibration
    strangers: int
    before: float | None
    after: float


def fit(run: Run, trials: Sequence[Trial], listed_in: str, far: float) -> tuple[Fitted, Tally]:
    """What scores mean on the recordings of labelled trials. Raises UsageError for too few that can be used."""
    if trials[0].label is None:
        raise UsageError(f"{listed_in}: --calibrate needs a label in each line: two paths, and 0 or 1")
    voices, _, tally = of_trials(run, trials, listed_in)
    usable = [one for one in trials if all(name in voices and voices[name].status == "ok" for name in (one.a, one.b))]
    for label, least in LEAST.items():
        count = len({frozenset((one.a, one.b)) for one in usable if one.label is label and one.a != one.b})
        if count < least:
            people = "one person" if label else "two people"
            raise UsageError(f"{listed_in}: has {count} pairs of {people} with enough speech; {least} are the least")
    a, b = ([voices[name] for name in side] for side in zip(*((one.a, one.b) for one in usable), strict=True))
    pairs, same = calibration.between(a, b, run.encoder.cohort), np.array([bool(one.label) for one in usable])
    known = calibration.from_dict(run.encoder.calibration) if run.encoder.calibration else None
    found = refitted(known, pairs, same)
    before, after = (None if one is None else float(one.judge(pairs, far).same[~same].mean()) for one in (known, found))
    return Fitted(found, int((~same).sum()), before, after or 0.0), tally


def summary(fitted: Fitted, far: float) -> str:
    """What a calibration changes, and how far it can be believed."""
    before = "" if fitted.before is None else f", and {fitted.before:.2%} did before"
    return (
        f"{fitted.calibration.trials} pairs, {fitted.strangers} of them of two people: at --far {far:g}, {fitted.after:.2%} of "
        f"those pass{before}; below {SHOWN / fitted.strangers:.2g}, --far rests on more than these pairs can show"
    )


def as_json(run: Run, found: Calibration) -> str:
    """The file for `--calibration`."""
    held = {"task": "verify", "model": run.model, "calibration": found.as_dict(), "audiocli": __version__}
    return json.dumps(held, indent=2) + "\n"


def read(path: str, model: str) -> dict[str, Any]:
    """The calibration in a file, for an encoder. Raises InputError for any other file, UsageError for another encoder's."""
    try:
        held = json.loads(Path(path).read_text(encoding="utf-8"))
        fitted, made_for = held["calibration"], str(held["model"])
        sound = _is_sound(calibration.from_dict(fitted))
    except OSError as error:
        raise InputError(f"{path}: {reason(error)}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound, made_for = False, ""
    if not sound:
        raise InputError(f"{path}: is not a calibration that 'audiocli verify --calibrate' wrote")
    if made_for != model:
        raise UsageError(f"--calibration {os.fspath(path)}: is for {made_for}, not for {model}")
    return dict(fitted)


def _is_sound(found: Calibration) -> bool:
    """Whether all numbers are there and finite. Raises ValueError, TypeError."""
    parts = [found.quantiles, found.own, found.logistic]
    parts += [weights for one in (found.different, found.one) for weights in (one.mean, one.log_spread)]
    arrays = [np.asarray(part, np.float64) for part in parts]
    shaped = [len(part) for part in arrays[:3]] == [len(RATES), len(found.own), 3] and len(found.own) > 1
    return shaped and all(part.ndim == 1 and len(part) and np.isfinite(part).all() for part in arrays)

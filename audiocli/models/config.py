"""The model that a user has chosen for each verb: AUDIOCLI_<TASK>_MODEL, else the config file, else the built-in one."""

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError, hint
from . import cache
from .registry import BUILT_IN, MODELS, VERBS

SECTION = "models"


def path() -> Path:
    """The user's config file; it need not exist."""
    from platformdirs import user_config_path

    return user_config_path("audiocli", appauthor=False) / "config.json"


def variable(task: str) -> str:
    """The environment variable that names the model for a task."""
    return f"AUDIOCLI_{task.upper().replace('-', '_')}_MODEL"


@dataclass(frozen=True)
class Choice:
    """The model of a verb, and the source of the choice: an environment variable, the config file, or none ("built-in")."""

    name: str
    origin: str


def default(task: str) -> str:
    """The model for a task that no --model names. Raises UsageError where nothing names one."""
    return choice(task).name


def choice(task: str, suits: Callable[[str], bool] = lambda name: True) -> Choice:
    """The user's model for a task, else the first of the built-in ones that is on this machine and suits what is asked for.

    Raises UsageError where nothing names one.
    """
    if name := os.environ.get(variable(task)):
        return Choice(name, variable(task))
    if name := _chosen(_read()).get(task):
        return Choice(name, str(path()))
    if task in BUILT_IN:
        *better, last = BUILT_IN[task]
        return Choice(next((name for name in better if cache.here(MODELS[name]) and suits(name)), last), "built-in")
    raise UsageError(f"{task} has no built-in model: name one with --model ('audiocli models list --task {task}')")


def use(task: str, name: str | None) -> None:
    """Write the user's model for a task, or remove it with None. Raises UsageError for an unknown task."""
    if task not in VERBS:
        raise UsageError(f"no task {task!r}: {hint(task, VERBS)}")
    everything = _read()
    chosen = _chosen(everything)
    if name is None:
        chosen.pop(task, None)
    else:
        chosen[task] = name
    _write({**everything, SECTION: chosen})


def _chosen(everything: dict[str, Any]) -> dict[str, str]:
    section = everything.get(SECTION, {})
    if not isinstance(section, dict) or not all(isinstance(name, str) for name in section.values()):
        raise UsageError(f'{path()}: "{SECTION}" must map tasks to names of models')
    return dict(section)


def _read() -> dict[str, Any]:
    try:
        everything = json.loads(path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path()} cannot be read, repair or remove it: {error}") from error
    if not isinstance(everything, dict):
        raise UsageError(f"{path()} must hold one JSON object: repair or remove it")
    return everything


def _write(everything: dict[str, Any]) -> None:
    """Replace the file at once: other processes see the old one or the new one."""
    target = path()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=target.parent, suffix=".part", delete=False, encoding="utf-8"
        ) as part:
            part.write(json.dumps(everything, indent=2, ensure_ascii=False) + "\n")
        os.replace(part.name, target)
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from error

"""The model that a user has chosen for each verb: AUDIOCLI_<TASK>_MODEL, else the config file, else the built-in one."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from ..errors import UsageError, hint
from .registry import BUILT_IN, VERBS

SECTION = "models"


def path() -> Path:
    """The user's config file; it need not exist."""
    from platformdirs import user_config_path

    return user_config_path("audiocli", appauthor=False) / "config.json"


def variable(task: str) -> str:
    """The environment variable that names the model for a task."""
    return f"AUDIOCLI_{task.upper().replace('-', '_')}_MODEL"


def default(task: str) -> str:
    """The model for a task that no --model names. Raises UsageError where nothing names one."""
    return default_and_origin(task)[0]


def default_and_origin(task: str) -> tuple[str, str]:
    """The model for a task, and what named it."""
    if name := os.environ.get(variable(task)):
        return name, variable(task)
    chosen = _chosen(_read())
    if name := chosen.get(task):
        return name, str(path())
    if task in BUILT_IN:
        return BUILT_IN[task], "built-in"
    raise UsageError(f"{task} has no built-in model: name one with --model ('audiocli models list --task {task}')")


def use(task: str, name: str | None) -> None:
    """Write the user's model for a task, or with None take it out. Raises UsageError for a task that is none."""
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
        raise UsageError(f"{path()} cannot be read, mend or remove it: {error}") from error
    if not isinstance(everything, dict):
        raise UsageError(f"{path()} must hold one JSON object: mend or remove it")
    return everything


def _write(everything: dict[str, Any]) -> None:
    """Replace the file at once: whoever reads meanwhile sees the old one or the new one."""
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

"""The best of what is on this machine, for those who ask for nothing by name; nothing is fetched."""

from pathlib import Path

from ..device import place
from ..models import cache, registry
from ..models.locate import locate
from . import basic_pitch, swift_f0, yin
from .hearing import NoteFinder, PitchTracker
from .models import BASIC_PITCH, SWIFT_F0, TASK

HERE = place("cpu", "auto", processor_only=True)


def _name(adapter: str) -> str | None:
    """The model of an engine, if it is on this machine."""
    return next((spec.name for spec in registry.MODELS.values() if spec.adapter == adapter and cache.here(spec)), None)


def best_for_notes() -> str:
    """The name of what finds the notes of several voices, else of what hears the pitch of one best."""
    return _name(BASIC_PITCH) or _name(SWIFT_F0) or "yin"


def best_tracker() -> PitchTracker:
    """What hears the pitch of one voice best. Raises ModelError."""
    name = _name(SWIFT_F0)
    if name is None:
        return yin.load(None, registry.MODELS["yin"], HERE, None)
    return swift_f0.load(_folder(name), registry.MODELS[name], HERE, None)


def best_finder() -> NoteFinder | None:
    """What hears the notes of several voices. Raises ModelError."""
    name = _name(BASIC_PITCH)
    return None if name is None else basic_pitch.load(_folder(name), registry.MODELS[name], HERE, None)


def _folder(name: str) -> Path:
    path = locate(name, TASK, offline=True).path
    assert path is not None, "a model of a package has a folder"
    return path

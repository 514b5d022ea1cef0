"""Which engine hears the pitch and which the notes: the one that was asked for, else the user's, else the best on this machine."""

from typing import NamedTuple

from ..errors import UsageError
from ..models import config
from ..models.load import build
from ..models.locate import Located, Tell, locate, silent
from ..options import ModelOptions
from .hearing import Ears, NoteFinder, PitchTracker
from .models import TASK, TRACKERS
from .nearby import best_for_notes
from .voice import OneVoice

KINDS = ("pitch", "notes")


class Chosen(NamedTuple):
    """The models on this machine for the kinds that are asked for; None: that kind is not asked for."""

    pitch: Located | None
    notes: Located | None

    @property
    def names(self) -> str | None:
        """What results say of them; YIN is no model."""
        found = [one.spec.name for one in self if one is not None and one.spec.name != "yin"]
        return ", ".join(dict.fromkeys(found)) or None


NONE = Chosen(None, None)


def choose(kinds: tuple[str, ...], model: ModelOptions, tell: Tell = silent) -> Chosen:
    """The models for some kinds of features. Raises ModelError, and UsageError for one that hears none of them."""
    wanted = [kind for kind in KINDS if kind in kinds]
    if not wanted:
        if model.model is not None:
            raise UsageError("--model hears pitch and notes: add --kind pitch or --kind notes, or leave it out")
        return NONE
    given = None if model.model is None else locate(model.model, TASK, offline=model.offline, tell=tell)
    if given is not None and wanted == ["pitch"] and not _tracks(given):
        raise UsageError(
            f"{given.spec.name} hears notes, not the pitch of a voice: give --kind notes, or another --model"
        )
    pitch = given if given and _tracks(given) else _default(model, tell, tracks=True)
    notes = given or _default(model, tell, tracks=False)
    if given is None and "notes" in wanted and _tracks(notes):
        tell(f"notes of one voice, by {notes.spec.name}: 'audiocli models pull basic-pitch' brings what hears several")
    return Chosen(pitch if "pitch" in wanted else None, notes if "notes" in wanted else None)


def _tracks(located: Located) -> bool:
    return located.spec.adapter in TRACKERS


def _default(model: ModelOptions, tell: Tell, *, tracks: bool) -> Located:
    """The user's model of one kind; else for a pitch YIN, and for notes the best one here."""
    users = config.choice(TASK)
    if users.origin != "built-in":
        located = locate(users.name, TASK, offline=model.offline, tell=tell)
        if _tracks(located) == tracks:
            return located
    if tracks:
        return locate("yin", TASK)
    return locate(best_for_notes(), TASK)


def ears(chosen: Chosen, model: ModelOptions) -> Ears:
    """The engines of models. Raises ModelError, UsageError."""
    pitch = None if chosen.pitch is None else build(chosen.pitch, PitchTracker, model)
    notes: NoteFinder | None = None
    if chosen.notes is not None:
        if not _tracks(chosen.notes):
            notes = build(chosen.notes, NoteFinder, model)
        elif chosen.pitch is not None and chosen.pitch.spec.name == chosen.notes.spec.name and pitch is not None:
            notes = OneVoice(pitch)
        else:
            notes = OneVoice(build(chosen.notes, PitchTracker, model))
    is_yin = chosen.pitch is not None and chosen.pitch.spec.name == "yin"
    return Ears(None if is_yin else pitch, notes, chosen.names)

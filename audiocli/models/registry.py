"""The models that go by a short name, and the families that a `config.json` names (stdlib only: read before torch is).

The rows lie in the tables of the verbs; here they are joined.
"""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..errors import ModelError
from .spec import WEIGHTS, ModelSpec, ModelTable

__all__ = [
    "ALIASES", "BUILT_IN", "EXTRAS", "FAMILIES", "LIBRARIES", "MARKS", "MODELS", "RECOMMENDED", "VERBS", "WEIGHTS",
    "ModelSpec", "by_name", "by_source", "family", "fits", "installed", "missing", "names",
]  # fmt: skip

VERBS = ("features", "transcribe", "classify", "denoise", "verify", "diarize", "speak", "clone", "generate-music")
_MODULES = (  # each has TABLES; in the order in which `models list` shows their rows
    "audiocli.verbs.transcribe.models",
    "audiocli.verbs.speak.models",
    "audiocli.verbs.clone.models",
    "audiocli.verbs.classify.models",
    "audiocli.verbs.denoise.models",
    "audiocli.voices.models",
    "audiocli.tones.models",
    "audiocli.verbs.diarize.models",
    "audiocli.verbs.generate_music.models",
)
_TABLES: tuple[ModelTable, ...] = tuple(table for name in _MODULES for table in import_module(name).TABLES)

Taker = tuple[str, str]  # the task and the adapter; no adapter yet: ""


def _joined(field: str) -> Iterator[tuple[Any, Taker]]:
    """What a field of all tables says, with the task before each adapter."""
    return ((key, (table.task, adapter)) for table in _TABLES for key, adapter in getattr(table, field).items())


MODELS = {spec.name: spec for table in _TABLES for spec in table.rows}
ALIASES = {alias: name for table in _TABLES for alias, name in table.aliases.items()}
BUILT_IN = {table.task: table.built_in for table in _TABLES if table.built_in}
RECOMMENDED = {table.task: table.recommended for table in _TABLES if table.recommended}
LIBRARIES = {adapter: library for table in _TABLES for adapter, library in table.libraries.items()}
EXTRAS = {adapter: extra for table in _TABLES for adapter, extra in table.extras.items()}
MARKS: dict[str, Taker] = dict(_joined("marks"))
FAMILIES: dict[str, Taker] = dict([*_joined("encoders"), *_joined("families")])
_ENCODERS: dict[str, Taker] = dict(_joined("encoders"))
_HEADS: dict[str, Taker] = dict(_joined("heads"))
_KEYS: dict[frozenset[str], Taker] = dict(_joined("keys"))


def family(config: dict[str, Any]) -> Taker | None:
    """The verb and the adapter for a parsed `config.json`; no adapter: "", no verb known: None."""
    kind, architectures = config.get("model_type"), config.get("architectures") or ()
    if kind is None:
        return next((taker for keys, taker in _KEYS.items() if config.keys() >= keys), None)
    if kind not in FAMILIES:
        return None
    if kind not in _ENCODERS or not architectures:
        return FAMILIES[kind]
    found = [head for end, head in _HEADS.items() for name in architectures if str(name).endswith(end)]
    return found[0] if found else None  # an encoder as it comes from pretraining


def missing(adapter: str) -> str | None:
    """The extra that must be installed before an adapter can work; None: all is there."""
    package, extra = EXTRAS.get(adapter, ("", ""))
    return extra if package and find_spec(package) is None else None


def fits(name: str, own: str | None, task: str) -> None:
    """Raises ModelError when a model is for another verb."""
    if own != task:
        raise ModelError(f"{name} is not a model for {task}: 'audiocli {own}' takes it")


def installed(name: str, adapter: str) -> None:
    """Raises ModelError when a model needs an extra that is not there."""
    if extra := missing(adapter):
        raise ModelError(f"{name} needs the extra {extra!r}: pip install 'audiocli[{extra}]'")


def by_name(name: str) -> ModelSpec | None:
    """The row of a short name or an alias."""
    return MODELS.get(ALIASES.get(name, name))


def names(task: str | None = None) -> list[str]:
    """The short names and aliases of the models for a task (None: of all)."""
    rows = [*MODELS.items(), *((alias, MODELS[name]) for alias, name in ALIASES.items())]
    return [name for name, spec in rows if task in (None, spec.task)]


def by_source(source: str) -> ModelSpec | None:
    """The row of a hub id."""
    return next((spec for spec in MODELS.values() if spec.source.lower() == source.lower()), None)

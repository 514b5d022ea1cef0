"""From a model on this machine to an engine of its kind that is loaded and ready."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .. import device
from ..errors import AudiocliError, ModelError, libraries
from . import cache
from .locate import Located, Tell, locate, silent
from .registry import LIBRARIES, ModelSpec
from .sources import hub, wheel

if TYPE_CHECKING:
    from ..options import ModelOptions

Kind = TypeVar("Kind")


def load(
    name: str | None, task: str, kind: type[Kind], model: "ModelOptions", options: object = None, *, tell: Tell = silent
) -> Kind:
    """The engine of a model for a task; without a name, of the user's model for it. Raises ModelError, DeviceError, UsageError."""
    located = locate(model.model if name is None else name, task, offline=model.offline, tell=tell)
    return build(located, kind, model, options)


def build(located: Located, kind: type[Kind], model: "ModelOptions", options: object = None) -> Kind:
    """Load a model that is on this machine. Raises ModelError, DeviceError, UsageError.

    kind: the Protocol that engines of its task keep, or their class. options: those of the verb, as its adapters take them.
    """
    spec, where = located.spec, place(located.spec, model)
    if not spec.adapter:
        raise ModelError(f"{spec.name}: this version of audiocli has no 'audiocli {spec.task}' for it yet")
    weight = needs(spec, where)
    if model.memory is not None and weight > model.memory:
        raise ModelError(
            f"{spec.name} needs about {weight:.1f} GiB, and --memory is {model.memory:g}: take a smaller one"
        )
    if located.path is None:
        return _made(None, spec, kind, where, options)
    if wrong := _damaged(spec, located.path):
        raise wrong
    where.device  # noqa: B018 - a missing device is reported before anything is read
    try:
        with hub.sealed():
            return _made(located.path, spec, kind, where, options)
    except AudiocliError:
        raise
    except Exception as error:
        raise _damaged(spec, located.path, thorough=True) or error from error


def _damaged(spec: ModelSpec, path: Path, *, thorough: bool = False) -> AudiocliError | None:
    """The error for a model of which a file is broken, or None when all are whole."""
    if spec.packed:
        return wheel.damaged(spec, path, thorough=thorough)
    return cache.damaged(spec.name, path, thorough=thorough)


def _made(path: Path | None, spec: ModelSpec, kind: type[Kind], where: device.Place, options: object) -> Kind:
    """What the adapter makes of a model. Raises LibraryError where a library that it stands on does not load."""
    try:
        engine = adapter(spec)(path, spec, where, options)
    except (ImportError, OSError) as error:
        raise libraries.broken(error) if libraries.is_broken(error) else error from error
    if not isinstance(engine, kind):
        raise TypeError(f"{spec.adapter} makes a {type(engine).__name__}, which is not a {kind.__name__}")
    return engine


def place(spec: ModelSpec, model: "ModelOptions") -> device.Place:
    """Where a model goes."""
    library = LIBRARIES.get(spec.adapter, device.TORCH)
    processor_only = library == device.PROCESSOR or (spec.built_in and spec.weights is None)
    return device.place(
        model.device, model.precision, half=spec.half, processor_only=processor_only, model=spec.name, library=library
    )


def adapter(spec: ModelSpec) -> Callable[..., object]:
    """The function that "module:function" names."""
    module, _, function = spec.adapter.partition(":")
    return getattr(import_module(module), function)  # type: ignore[no-any-return]


def needs(spec: ModelSpec, where: device.Place) -> float:
    """GiB that a model takes there."""
    return spec.memory_gib if spec.built_in or where.dtype == "float32" else spec.memory_gib / 2

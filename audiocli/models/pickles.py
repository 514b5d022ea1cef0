"""Checkpoints that torch.save() wrote, read without torch and without running anything of theirs.

A pickle is a program. Of this one only tensors and plain containers are made; every other name in it becomes an inert stub,
so that a checkpoint of Lightning can be read where none of the classes in it is installed. Both forms are read: a zip archive, and
what torch wrote before 1.6 (five pickles, then the bytes of the storages).
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
import numpy.typing as npt

from ..errors import DownloadError, ModelError

MAGIC = 0x1950A86A20F9469CFC6C  # of the older form
WIDTHS: dict[str, str] = {
    "DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "BFloat16Storage": "<u2", "LongStorage": "<i8",
    "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip
BRAIN = "BFloat16Storage"  # numpy has no such type: its values become float32
LISTS = {"list": list, "set": set, "frozenset": frozenset, "tuple": tuple}


class Stub:
    """What stands for anything that is neither a tensor nor a plain container: takes all that a pickle does to it, does nothing."""

    __slots__ = ()

    def __new__(cls, *values: object, **named: object) -> "Stub":
        return super().__new__(cls)

    def __init__(self, *values: object, **named: object) -> None:
        """Forget the arguments."""

    def __call__(self, *values: object, **named: object) -> "Stub":
        return self

    def __setstate__(self, state: object) -> None:
        """Forget the state."""

    def __setitem__(self, key: object, value: object) -> None:
        """Forget the item."""

    def append(self, value: object) -> None:
        """Forget the value."""

    extend = add = append

    def __repr__(self) -> str:
        return "<not read>"


class _Maker:
    """A function that a pickle may call; a pickle can set nothing on it."""

    __slots__ = ("_make",)
    _make: Callable[..., Any]

    def __init__(self, make: Callable[..., Any]) -> None:
        object.__setattr__(self, "_make", make)

    def __call__(self, *values: Any) -> Any:
        return self._make(*values)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise pickle.UnpicklingError("sets attributes of a function")


class _Kind:
    """The type of a storage."""

    __slots__ = ("name",)
    name: str

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "name", name)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise pickle.UnpicklingError("sets attributes of a type")


class _Storage:
    """The numbers of one or more tensors [count]."""

    __slots__ = ("kind", "values")

    def __init__(self, kind: str, values: npt.NDArray[Any]) -> None:
        self.kind, self.values = kind, values

    def __setstate__(self, state: object) -> NoReturn:
        raise pickle.UnpicklingError("sets the state of a storage")


class _State(OrderedDict[Any, Any]):
    """An OrderedDict to which a pickle can add nothing but items: state_dict() hangs its versions on it."""

    def __setstate__(self, state: object) -> None:
        """Forget the state."""


Fetch = Callable[[_Kind, str, int], _Storage]  # by the type, the key and the number of values


def read(path: Path) -> Any:
    """What a checkpoint holds: dicts, lists, numbers, text, and arrays in place of its tensors. Raises DownloadError."""
    try:
        if zipfile.is_zipfile(path):
            return _archive(path)
        with path.open("rb") as stream:
            return _stream(stream, path.stat().st_size)
    except OSError as error:
        raise DownloadError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # a damaged pickle may fail in any way at all
        raise DownloadError(f"{path} is damaged, or is not a checkpoint of torch ({error})") from error


def weights(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of the net in a checkpoint of Lightning, by name. Raises DownloadError, ModelError."""
    held = read(path)
    state = held.get("state_dict") if isinstance(held, dict) else None
    if not isinstance(state, dict):
        raise ModelError(f"{path} holds something other than a net: there is no state_dict in it")
    return {str(name): value for name, value in state.items() if isinstance(value, np.ndarray)}


class _Reader(pickle.Unpickler):
    """An unpickler that imports nothing."""

    def __init__(self, stream: IO[bytes], fetch: Fetch) -> None:
        super().__init__(stream, encoding="latin-1")
        self._fetch = fetch

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name in a pickle."""
        if module in ("torch", "torch.storage") and name in WIDTHS:
            return _Kind(name)
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Maker(_tensor)
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _Maker(lambda values, *about: values)
        if (module, name) == ("_codecs", "encode"):  # bytes in protocol 2
            return _Maker(lambda text, *how: text.encode("latin-1"))
        if (module, name) == ("torch", "Size"):
            return _Maker(tuple)
        if (module, name) == ("collections", "OrderedDict"):
            return _Maker(_State)
        if (module, name) in (("collections", "defaultdict"), ("builtins", "dict")):
            return _Maker(lambda *values: {})
        if module in ("builtins", "__builtin__") and name in LISTS:
            return _Maker(
                lambda values=(), *more: LISTS[name](values if isinstance(values, (list, tuple, set)) else ())
            )
        return Stub

    def persistent_load(self, named: Any) -> _Storage:
        """A storage by what torch writes for it: ("storage", type, key, device, number of values, ...)."""
        word, kind, key, _, count, *_ = named
        if word != "storage" or not isinstance(kind, _Kind) or not isinstance(key, str) or not isinstance(count, int):
            raise pickle.UnpicklingError("names a storage that is none")
        return self._fetch(kind, key, count)


def _tensor(storage: _Storage, offset: int, shape: Any, strides: Any, *about: object) -> npt.NDArray[Any]:
    """The array [shape] that lies in a storage; a view of it. Raises UnpicklingError where it would lie beyond that."""
    if not isinstance(storage, _Storage) or len(shape) != len(strides) or min((offset, *shape, *strides)) < 0:
        raise pickle.UnpicklingError("holds a tensor that is none")
    values = storage.values
    count = int(np.prod(shape, dtype=object))
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if count and (last >= len(values) or count > len(values)):
        raise pickle.UnpicklingError("holds a tensor beyond its storage")
    steps = [step * values.itemsize for step in strides]
    if not count:
        return np.zeros(shape, values.dtype)
    return np.lib.stride_tricks.as_strided(values[offset:], shape, steps)


def _plain(kind: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The values of a storage in a type that numpy has."""
    return (values.astype(np.uint32) << 16).view(np.float32) if kind == BRAIN else values


def _archive(path: Path) -> Any:
    """A checkpoint that is a zip archive: NAME/data.pkl, and NAME/data/KEY for each storage."""
    with zipfile.ZipFile(path) as archive:
        main = [name for name in archive.namelist() if name.endswith("data.pkl") and name.count("/") <= 1]
        if len(main) != 1:
            raise pickle.UnpicklingError("it has no data.pkl")
        above = main[0].removesuffix("data.pkl")
        fetched: dict[str, _Storage] = {}

        def contents(name: str) -> bytes:
            entry = archive.getinfo(above + name)
            if entry.compress_type != zipfile.ZIP_STORED:  # torch never does, and a bomb would
                raise pickle.UnpicklingError(f"{name} in it is compressed")
            return archive.read(entry)

        def fetch(kind: _Kind, key: str, count: int) -> _Storage:
            if key not in fetched:
                values = np.frombuffer(bytearray(contents(f"data/{key}")), WIDTHS[kind.name])
                if len(values) != count:
                    raise pickle.UnpicklingError(f"storage {key} has another length than it says")
                fetched[key] = _Storage(kind.name, _plain(kind.name, values))
            return fetched[key]

        if above + "byteorder" in archive.namelist() and contents("byteorder") != b"little":
            raise pickle.UnpicklingError("its bytes are in the other order")
        return _Reader(io.BytesIO(contents("data.pkl")), fetch).load()


def _stream(stream: IO[bytes], size: int) -> Any:
    """A checkpoint in the older form, of `size` bytes: its storages come last, so the tensors are views of what is filled then."""
    fetched: dict[str, _Storage] = {}

    def fetch(kind: _Kind, key: str, count: int) -> _Storage:
        if kind.name == BRAIN:
            raise pickle.UnpicklingError("the older form with bfloat16 in it is not read")
        known = sum(one.values.nbytes for one in fetched.values())
        width = np.dtype(WIDTHS[kind.name]).itemsize
        if key not in fetched:
            if not 0 <= count * width <= size - known:
                raise pickle.UnpicklingError("it is cut off")
            fetched[key] = _Storage(kind.name, np.zeros(count, WIDTHS[kind.name]))
        return fetched[key]

    if _Reader(stream, fetch).load() != MAGIC:
        raise pickle.UnpicklingError("it does not begin as one")
    for _ in ("protocol", "sizes of the machine's types"):
        _Reader(stream, fetch).load()
    found, keys = _Reader(stream, fetch).load(), _Reader(stream, fetch).load()
    if not isinstance(keys, list) or {*keys} != fetched.keys():
        raise pickle.UnpicklingError("its storages are not those of its tensors")
    for key in keys:
        values = fetched[key].values
        length = stream.read(8)
        whole = len(length) == 8 and int.from_bytes(length, "little") == len(values)
        if not whole or _filled(stream, values) != values.nbytes:
            raise pickle.UnpicklingError(f"storage {key} is cut off")
    return found


def _filled(stream: IO[bytes], values: npt.NDArray[Any]) -> int:
    """Read the bytes of an array; how many came."""
    data = stream.read(values.nbytes)
    values.view("u1")[: len(data)] = np.frombuffer(data, "u1")
    return len(data)

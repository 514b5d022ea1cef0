"""Compilation of every kernel: lazily, without the GIL, cached in a writable folder.

numba's own choice of cache raises "no locator available" when neither the package nor the home folder is writable
(numba issue 5566), so the folder is chosen here and a machine without one compiles at each start.
"""

import hashlib
import os
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numba.core.event

Function = TypeVar("Function", bound=Callable[..., Any])


def _user_cache() -> Path:
    """The user's cache folder by the custom of the system."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _choose_cache() -> str | None:
    """A writable folder for compiled kernels; None when there is none."""
    try:
        folder = Path(os.environ.get("NUMBA_CACHE_DIR") or _user_cache() / "audiocli" / "numba")
    except RuntimeError:  # no home folder is known
        return None
    return str(folder) if _writable(folder) else None


CACHE = _choose_cache()
# numba numbers the files of compiled code and locks nothing: of two processes that compile at the same time, or after an older
# version of the source, one may load the code of another signature and crash. Names of our own cannot meet.
_TOKEN = f"{os.getpid()}-{secrets.token_hex(4)}"


def _digest(folder: Path) -> str:
    """Changes with the sources in a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()[:16]


# numba looks for changes in a kernel's own file only, and reads the types in what it kept before it looks. With this for its
# version it takes nothing that other sources were compiled to, be it another file of ours that has changed or is no more.
_VERSION = f"{numba.__version__} {_digest(Path(__file__).parent)}"


def _compiled(function: Function, **options: Any) -> Function:
    before = getattr(numba.config, "CACHE_DIR")  # noqa: B009 - its settings are made at import, unseen by mypy
    if CACHE is not None:
        # The folder is looked up while the decorator runs; other libraries keep theirs.
        setattr(numba.config, "CACHE_DIR", CACHE)  # noqa: B010
    try:
        compiled = numba.njit(nogil=True, cache=CACHE is not None, **options)(function)
    finally:
        setattr(numba.config, "CACHE_DIR", before)  # noqa: B010
    files = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if files is not None:
        files._version = _VERSION
        files._data_name_pattern = files._data_name_pattern.replace(".{number", f".{_TOKEN}-{{number")
    return cast(Function, compiled)


def jit(function: Function) -> Function:
    """Compile at the first call: no Python objects, no GIL, exact floating point (NaN and inf keep their meaning)."""
    return _compiled(function)


def jit_sums(function: Function) -> Function:
    """Like jit, but sums may be reordered so that they vectorise; NaN and inf still come out as NaN and inf."""
    return _compiled(function, fastmath={"reassoc", "contract"})


def part(function: Function) -> Function:
    """Like jit, for what only kernels call: the code that takes arguments from Python, slow to compile, is left out."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


class _Watch(numba.core.event.Listener):
    """Calls `say` once, from a thread, when compilation has taken `after` seconds in all."""

    def __init__(self, say: Callable[[], None], after: float) -> None:
        self._say, self._left = say, after
        self._depth, self._begun = 0, 0.0  # a kernel that calls others compiles them meanwhile
        self._timer: threading.Timer | None = None

    def on_start(self, event: object) -> None:
        self._depth += 1
        if self._depth == 1 and self._left > 0.0:
            self._begun, self._timer = time.monotonic(), threading.Timer(self._left, self._say)
            self._timer.daemon = True
            self._timer.start()

    def on_end(self, event: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self._timer is not None:
            self._timer.cancel()
            self._left -= time.monotonic() - self._begun
            self._timer = None


@contextmanager
def watched(say: Callable[[], None], after: float = 2.0) -> Iterator[None]:
    """Call say, once, if kernels compile for more than `after` seconds meanwhile; they do so once on a machine."""
    with numba.core.event.install_listener("numba:compile", _Watch(say, after)):
        yield

"""How every kernel is compiled: lazily, without the GIL, cached in a folder that can be written.

numba's own choice of cache raises "no locator available" when neither the package nor the home folder is writable
(numba issue 5566), so the folder is chosen here and a machine without one compiles at each start.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

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


def _choose_cache() -> bool:
    """Point numba at a writable cache folder; False when there is none."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return _writable(Path(os.environ["NUMBA_CACHE_DIR"]))
    try:
        folder = _user_cache() / "audiocli" / "numba"
    except RuntimeError:  # no home folder is known
        return False
    if not _writable(folder):
        return False
    setattr(numba.config, "CACHE_DIR", str(folder))  # noqa: B010 - its settings are made at import, unseen by mypy
    return True


CACHED = _choose_cache()


def jit(function: Function) -> Function:
    """Compile at the first call: no Python objects, no GIL, exact floating point (NaN and inf keep their meaning)."""
    return cast(Function, numba.njit(nogil=True, cache=CACHED)(function))


def jit_sums(function: Function) -> Function:
    """As jit, but sums may be reordered so that they vectorise; NaN and inf still come out as NaN and inf."""
    return cast(Function, numba.njit(nogil=True, cache=CACHED, fastmath={"reassoc", "contract"})(function))

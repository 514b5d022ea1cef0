"""Libraries that may be missing or broken on a machine: each disables only what needs it, in one line with the remedy."""

from importlib import import_module, metadata
from typing import Any

from . import LibraryError

PAIR = ("torch", "torchaudio")  # they load beside each other in few combinations of versions


def version(distribution: str) -> str | None:
    """The installed version of a distribution, or None when it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def cure() -> str:
    """The command that repairs a torch and a torchaudio that do not fit each other."""
    wanted = [line for line in metadata.requires("audiocli") or () if line.partition("==")[0] in PAIR]
    return f"pip install {' '.join(wanted)}"


def torchaudio(module: str, name: str) -> Any:
    """A function or class of torchaudio, as ("functional", "forced_align"). Raises LibraryError where it does not load."""
    try:
        return getattr(import_module(f"torchaudio.{module}"), name)
    except (ImportError, OSError, AttributeError) as error:
        raise broken(error) from error


def broken(error: Exception) -> LibraryError:
    """The error in one line for an import that failed: which library, its version, what to type."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    if "torchaudio" in f"{reason} {getattr(error, 'name', '')}":
        versions = " beside ".join(f"{name} {version(name) or '(not installed)'}" for name in reversed(PAIR))
        return LibraryError(f"{versions} does not load ({reason}): {cure()}")
    return LibraryError(f"a library does not load ({reason}): 'audiocli doctor' shows which are broken")


def is_broken(error: Exception) -> bool:
    """Whether an exception comes from a library that does not load, and not from a file: those have an errno."""
    return isinstance(error, ImportError) or (type(error) is OSError and error.errno is None)

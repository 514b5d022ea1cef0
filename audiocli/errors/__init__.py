"""All errors as one tree; each class has the exit code that it ends the process with.

AudiocliError            1
├── UsageError           2   options that do not fit together, an unknown name, a missing extra
├── InputError           1   this input cannot be read
├── OutputError          1   this output cannot be written
├── TrainingError        1   a training that came to nothing, or not to its end
├── LibraryError         1   a library that is installed does not load
├── DeviceError          2   the device that was asked for is not here
└── ModelError           2   no such model, or one of another verb
    └── DownloadError    1   the model cannot be had, or what is here of it is damaged
"""

from collections.abc import Iterable


class AudiocliError(Exception):
    """An error that a user can fix; the message is one line and says what to do."""

    exit_code = 1


class UsageError(AudiocliError):
    """The command itself is wrong."""

    exit_code = 2


class InputError(AudiocliError):
    """One input cannot be read; the other inputs go on."""


class OutputError(AudiocliError):
    """One output cannot be written."""


class TrainingError(AudiocliError):
    """A training that came to nothing, or not to its end."""


class LibraryError(AudiocliError):
    """A library that is installed does not load on this machine, or not beside another one."""


class DeviceError(AudiocliError):
    """The device that was asked for does not exist on this machine."""

    exit_code = 2


class ModelError(AudiocliError):
    """There is no model of that name, or it belongs to another verb."""

    exit_code = 2


class DownloadError(ModelError):
    """The model exists and cannot be used here: no way to the hub, no access, or damaged files."""

    exit_code = 1


def near(name: str, known: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """At most four of the known names that someone who wrote `name` may have meant, the nearest first.

    cutoff: how alike they must be, 0 to 1. One that differs in case, blanks, hyphens and the like only is meant for certain.
    """
    from difflib import get_close_matches

    plain, wanted = {one: _plain(one) for one in known}, _plain(name)
    if same := [one for one, folded in plain.items() if folded == wanted]:
        return same[:1]
    close = get_close_matches(wanted, plain.values(), n=3, cutoff=cutoff)
    close += [folded for folded in plain.values() if len(wanted) > 1 and wanted in folded]
    return [one for folded in dict.fromkeys(close) for one in plain if plain[one] == folded][:4]


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def hint(name: str, known: Iterable[str], cutoff: float = 0.6, most: int | None = None) -> str:
    """A hint for an unknown name: similar names, or the first `most` (default: all) of the known ones."""
    names = list(known)
    close = near(name, names, cutoff)
    return f"did you mean {' or '.join(close)}?" if close else f"one of {', '.join(names[:most])}"


def check_choice(option: str, value: str, known: Iterable[str]) -> None:
    """Raises UsageError for a value of an option that is not among the known ones."""
    names = list(known)
    if value not in names:
        close = near(value, names)
        meant = f": did you mean {' or '.join(close)}?" if close else ""
        raise UsageError(f"{option} must be one of {', '.join(names)}, not {value!r}{meant}")

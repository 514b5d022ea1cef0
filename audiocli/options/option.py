"""One option of the command line, as a field of a dataclass: default, help, metavar and flags stand here and nowhere else."""

from dataclasses import Field, field
from typing import Any, NamedTuple, TypeVar

# The order in which help shows options; the fields of a section keep the order of their dataclass.
SECTIONS = ("model", "own", "output", "input", "run", "device", "quiet")
_KEY = "option"
Value = TypeVar("Value")


class Declaration(NamedTuple):
    """What help tells of an option, and how it is called.

    flags: instead of --NAME, such as --vad/--no-vad. short: beside it; a verb's own option may take it from a common one.
    """

    help: str
    metavar: str | None = None
    short: str | None = None
    flags: str | None = None
    section: str = "own"


def option(
    default: Value,
    help: str,
    *,
    metavar: str | None = None,
    short: str | None = None,
    flags: str | None = None,
    section: str = "own",
) -> Value:
    """A dataclass field that is an option. Of a bool a flag is made, of a tuple[str, ...] a repeatable option."""
    return field(default=default, metadata={_KEY: Declaration(help, metavar, short, flags, section)})


def declaration(one: "Field[Any]") -> Declaration:
    """What was declared of a field. Raises KeyError for a field that is not one."""
    found: Declaration = one.metadata[_KEY]
    return found

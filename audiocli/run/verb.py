"""A function that takes dataclasses of options as a Typer command: a flag for each of their fields."""

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import Field, fields, is_dataclass
from functools import wraps
from types import MappingProxyType
from typing import Annotated, Any, get_args, get_origin

import typer

from ..options.option import SECTIONS, declaration
from .job import start

Command = Callable[..., int]
Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT", help="Files, folders (walked), or - for audio on standard input.", show_default=False
    ),
]

# 1:02:03.5; what follows a colon is below 60.
_CLOCK = re.compile(r"(?:(\d+):(?=[0-5]?\d:))?(\d+):([0-5]?\d(?:\.\d*)?)")


def seconds(time: str | float) -> float:
    """A time of the command line in seconds: 90, 90s, 1:30 or 1:02:03.5. Raises typer.BadParameter."""
    text = str(time).strip()
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, rest = clock.groups(default="0")
        return 3600.0 * int(hours) + 60.0 * int(minutes) + float(rest)
    try:
        return float(text.removesuffix("s"))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time: give seconds (90 or 90s) or 1:30 or 1:02:03.5") from None


PARSERS = {"TIME": seconds}  # by metavar; all others are parsed by type


def verb(
    *, help: Mapping[str, str] = MappingProxyType({}), without: Collection[str] = ()
) -> Callable[[Command], Callable[..., None]]:
    """Make a command of a function `(argument, ..., options: SomeOptions, ...) -> exit code`; its docstring is the help.

    help: what this verb says of a common option instead. without: names of common options that this verb has not.
    """

    def made(job: Command) -> Callable[..., None]:
        taken = inspect.signature(job).parameters
        groups: dict[str, Any] = {name: one.annotation for name, one in taken.items() if is_dataclass(one.annotation)}
        arguments = [one for name, one in taken.items() if name not in groups]

        @wraps(job)
        def command(**given: Any) -> None:
            bare = {one.name: _argument_value(one, given[one.name]) for one in arguments}
            built = {name: _built(group, given) for name, group in groups.items()}
            start(lambda: job(**bare, **built))

        found = [one for group in groups.values() for one in fields(group) if one.name not in without]
        parameters = [*map(_argument, arguments), *_options(found, help)]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what Typer reads
        command.__annotations__ = {one.name: one.annotation for one in parameters}
        return command

    return made


def _built(group: Any, given: Mapping[str, Any]) -> Any:
    """The dataclass of what the user gave; a field that the verb has no option for keeps its default."""
    asked = [one for one in fields(group) if one.name in given]
    return group(**{one.name: tuple(given[one.name] or ()) if _repeats(one) else given[one.name] for one in asked})


def _repeats(one: "Field[Any]") -> bool:
    """Whether an option may be given more than once: its values are a tuple[..., ...]."""
    return get_args(one.type)[1:] == (...,)


def _is_list(parameter: inspect.Parameter) -> bool:
    """Whether an argument takes any number of words."""
    return get_origin(get_args(parameter.annotation)[0]) is list


def _argument_value(parameter: inspect.Parameter, value: Any) -> Any:
    return list(value or ()) if _is_list(parameter) else value


def _argument(parameter: inspect.Parameter) -> inspect.Parameter:
    """An argument as Typer reads it; one that may be None, and a list, need not be given."""
    free = _is_list(parameter) or isinstance(None, get_args(parameter.annotation)[0])
    kind = inspect.Parameter.KEYWORD_ONLY
    return parameter.replace(kind=kind, default=None if free else inspect.Parameter.empty)


def _options(found: "Iterable[Field[Any]]", help: Mapping[str, str]) -> list[inspect.Parameter]:
    """The options in the order of their sections."""
    ordered = sorted(found, key=lambda one: SECTIONS.index(declaration(one).section))
    own = {declaration(one).short for one in ordered if declaration(one).section == "own"}
    return [_option(one, help.get(one.name, declaration(one).help), own) for one in ordered]


def _option(one: "Field[Any]", help: str, own: Collection[str | None]) -> inspect.Parameter:
    """A field as Typer reads it. own: the short flags of the verb itself, which come before common ones."""
    declared = declaration(one)
    flags = [declared.flags or f"--{one.name.replace('_', '-')}"]
    if declared.short and (declared.section == "own" or declared.short not in own):
        flags.append(declared.short)
    kind: Any = one.type
    default: Any = one.default
    if _repeats(one):
        kind, default = list[str] | None, list(default) or None
    about = typer.Option(
        default, *flags, help=help, metavar=declared.metavar, parser=PARSERS.get(declared.metavar or "")
    )
    return inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=about, annotation=kind)

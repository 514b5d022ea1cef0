"""Write the man pages from the Typer app: `python man/generate.py [FOLDER]`. They are checked in; a test compares them.

Typer carries its own copy of Click, so that tools for Click's pages find no options in it; the few names used here are those
that Typer's own document generator builds on.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

# Help is wrapped to the width of the terminal, on which pages must not depend.
os.environ["COLUMNS"] = "100"

import typer.main

from audiocli import __version__
from audiocli.cli import app

HERE = Path(__file__).parent
EXAMPLES, NOTES = HERE / "examples", HERE / "notes"
EXIT_STATUS = (
    ("0", "Everything was done."),
    ("1", "Some input failed; each is named on standard error with its reason."),
    ("2", "The command was wrong."),
    ("3", "A bug in audiocli; AUDIOCLI_DEBUG=1 shows where, and audiocli doctor what is broken on this machine."),
    ("130", "Ctrl-C; the file in hand was finished."),
)


def escaped(text: str) -> str:
    """Text for troff: backslashes, hyphens, and dots and quotes at the start of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def date() -> str:
    """The date of the newest release in the changelog: today's would change every page every day."""
    match = re.search(r"^## \[[^\]]+\] - (\d{4}-\d{2}-\d{2})", (HERE.parent / "CHANGELOG.md").read_text(), re.MULTILINE)
    return match.group(1) if match else ""


def page(command: Any, name: str, parent: Any = None) -> str:
    """One page: NAME, SYNOPSIS, DESCRIPTION, OPTIONS, COMMANDS, NOTES, EXAMPLES, EXIT STATUS."""
    context = type(command).context_class(command, info_name=name.replace("-", " ", 1), parent=parent)
    title, _, rest = (command.help or "").partition("\n")
    lines = [
        f'.TH "{name.upper()}" "1" "{date()}" "audiocli {__version__}" "audiocli manual"',
        ".SH NAME", f"{escaped(name)} \\- {escaped(title.rstrip('.'))}",
        ".SH SYNOPSIS", f".B {escaped(name.replace('-', ' ', 1))}", escaped(" ".join(command.collect_usage_pieces(context))),
    ]  # fmt: skip
    if rest.strip():
        lines += [".SH DESCRIPTION", *(escaped(line.strip()) or ".PP" for line in rest.strip().split("\n"))]
    lines += options(command, context) + (parts(command, context) if parent else commands(command))
    lines += [*notes(name), *examples(name), ".SH EXIT STATUS"]
    for code, meaning in EXIT_STATUS:
        lines += [".TP", f".B {code}", escaped(meaning)]
    others = [".BR audiocli (1)"] if parent else [f".BR audiocli\\-{escaped(sub)} (1)" for sub in subcommands(command)]
    return "\n".join([*lines, ".SH SEE ALSO", *others]) + "\n"


def options(command: Any, context: Any, title: str = ".SH OPTIONS") -> list[str]:
    """Arguments and options with their help."""
    records = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    lines = [title] if records and title else []
    for names, text in records:
        lines += [".TP", f".B {escaped(names)}", escaped(text)]
    return lines


def subcommands(command: Any) -> dict[str, Any]:
    """The verbs below a group by name."""
    return dict(sorted(getattr(command, "commands", {}).items()))


def commands(command: Any) -> list[str]:
    """The verbs with their first line."""
    lines = [".SH COMMANDS"] if subcommands(command) else []
    for name, sub in subcommands(command).items():
        lines += [".TP", f".BR audiocli\\-{escaped(name)} (1)", escaped((sub.help or "").split("\n")[0])]
    return lines


def parts(command: Any, context: Any) -> list[str]:
    """The commands of a verb that has some (models list, models pull), each with its options."""
    lines = [".SH COMMANDS"] if subcommands(command) else []
    for name, sub in subcommands(command).items():
        inner = type(sub).context_class(sub, info_name=name, parent=context)
        usage = " ".join([context.info_name, name, *sub.collect_usage_pieces(inner)])
        lines += [".SS", escaped(usage), escaped(sub.help or ""), *options(sub, inner, "")]
    return lines


def notes(name: str) -> list[str]:
    """Paragraphs of man/notes/NAME.txt: what a user of the verb should know."""
    path = NOTES / f"{name}.txt"
    if not path.exists():
        return []
    paragraphs = path.read_text().strip().split("\n\n")
    return [".SH NOTES", *(line for text in paragraphs for line in (".PP", escaped(text)))]


def examples(name: str) -> list[str]:
    """The contents of man/examples/NAME.txt: a comment line, then the command."""
    path = EXAMPLES / f"{name}.txt"
    if not path.exists():
        return []
    lines = [".SH EXAMPLES"]
    for block in path.read_text().strip().split("\n\n"):
        comment, _, shell = block.partition("\n")
        lines += [".PP", escaped(comment.removeprefix("# ")), ".PP", ".nf", ".RS", escaped(shell), ".RE", ".fi"]
    return lines


def pages() -> dict[str, str]:
    """Every page by file name."""
    root = typer.main.get_command(app)
    context = type(root).context_class(root, info_name="audiocli")
    result = {"audiocli.1": page(root, "audiocli")}
    for name, command in subcommands(root).items():
        result[f"audiocli-{name}.1"] = page(command, f"audiocli-{name}", context)
    return result


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for file_name, text in pages().items():
        (folder / file_name).write_text(text)

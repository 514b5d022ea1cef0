"""`audiocli doctor`: what is installed here, and what of it works."""

from typing import Annotated

import typer

from ...run import job as common


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
) -> None:
    """Report versions, engines, devices, folders and default models; exit code 1 when something that is installed is broken."""
    common.start(lambda: _report(as_json))


def _report(as_json: bool) -> int:
    import shutil
    import textwrap

    from . import work as doctor

    findings = doctor.examine()
    if as_json:
        typer.echo(doctor.as_json(findings))
    else:
        width = shutil.get_terminal_size().columns
        for line in doctor.lines(findings):
            typer.echo(
                textwrap.fill(line, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
            )
    return 0 if doctor.healthy(findings) else 1

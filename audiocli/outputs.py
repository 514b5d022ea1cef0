"""Which sink an -o stands for, and in which format it writes."""

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UsageError
from .formats import FORMATS, Format, by_name, by_suffix
from .joined import GrowingFileSink, JoinedSink
from .options import OutputOptions
from .records import Features
from .sinks import Both, FileSink, FolderSink, Sink, told


@dataclass(frozen=True)
class Opened:
    """A sink, and the folder that it writes a tree into (None: it does not)."""

    sink: Sink
    folder: Path | None = None


def open_sink(
    writing: OutputOptions,
    kind: type,
    options: Mapping[str, Any],
    *,
    single: bool,
    default: str,
    plot: str | None = None,
) -> Opened:
    """The sink for records of type kind.

    options: what shapes the results, for --resume to compare. single: there is one input. default: the format for a pipe.
    plot: a picture format to write beside the results. Raises UsageError when the options do not fit together.
    """
    if writing.resume and writing.force:
        raise UsageError("--resume skips what is done and --force does it again: give one of them")
    output = writing.output or "-"
    if output == "-":
        return _to_stdout(writing, kind, options, single, default, plot)
    path = Path(output)
    if output.endswith(("/", os.sep)) or path.is_dir():
        form = by_name(writing.format, kind) if writing.format else _folder_format(kind)
        forms = [form, *_picture(plot)]
        return Opened(FolderSink(path, forms, _key(options, forms), resume=writing.resume, force=writing.force), path)
    form = by_name(writing.format, kind) if writing.format else by_suffix(output, kind)
    return Opened(_with_plots(_to_file(path, form, writing, kind, options, single), path, writing, single, plot))


def _folder_format(kind: type) -> Format:
    return FORMATS["npz"] if kind is Features else FORMATS["jsonl"]


def _key(options: Mapping[str, Any], forms: list[Format]) -> str:
    """A digest of all that shapes the results."""
    text = json.dumps({**options, "formats": [form.name for form in forms]}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _picture(plot: str | None) -> list[Format]:
    return [FORMATS[plot]] if plot else []


def _to_stdout(
    writing: OutputOptions, kind: type, options: Mapping[str, Any], single: bool, default: str, plot: str | None
) -> Opened:
    if writing.resume:
        raise UsageError("--resume needs -o FILE or -o FOLDER/: standard output remembers nothing")
    form = by_name(writing.format or ("txt" if os.isatty(1) else default), kind)
    if form.binary and os.isatty(1):
        raise UsageError(f"{form.name} is binary and standard output is a terminal: give -o FILE, or --format csv")
    _check_many(form, kind, single)
    # A writer of our own: sys.stdout.buffer is a raw file under PYTHONUNBUFFERED=1, whose write() may take a part and say nothing.
    sink = JoinedSink(open(1, "wb", closefd=False), "standard output", form)
    return Opened(_with_plots(sink, Path("-"), writing, False, plot))


def _check_many(form: Format, kind: type, single: bool) -> None:
    if not single and not form.takes_many(kind):
        raise UsageError(f"{form.name} holds the result of one input: give -o FOLDER/ for many")


def _to_file(
    path: Path, form: Format, writing: OutputOptions, kind: type, options: Mapping[str, Any], single: bool
) -> Sink:
    _check_many(form, kind, single)
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        # /dev/null, a named pipe: it is written to, never replaced.
        with told(path):
            return JoinedSink(open(path, "wb"), str(path), form)
    if single and kind not in form.collected:
        return FileSink(path, form, resume=writing.resume, force=writing.force)
    return GrowingFileSink(path, form, _key(options, [form]), resume=writing.resume, force=writing.force)


def _with_plots(sink: Sink, path: Path, writing: OutputOptions, single: bool, plot: str | None) -> Sink:
    """The pictures go beside the output file, under its name if there is one input; beside standard output, into this folder."""
    if plot is None:
        return sink
    (form,) = _picture(plot)
    if single:
        return Both(sink, FileSink(path.with_suffix(form.suffix), form, resume=writing.resume, force=writing.force))
    pictures = FolderSink(path.parent, [form], "", resume=writing.resume, force=writing.force, remember=False)
    return Both(sink, pictures)

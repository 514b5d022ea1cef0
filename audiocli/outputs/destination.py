"""Which sink an -o stands for, and in which format it writes."""

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import OutputError, UsageError
from ..inputs.pipes import blocking
from ..options import OutputOptions
from ..options.common import STDOUT
from ..records import Diarization, Features, Recording, Speech, Transcript
from .formats import FORMATS, Format, by_name, by_suffix
from .formats import stems as by_voice
from .sinks import JOURNAL, Both, FilesSink, Sink, part_of, reported
from .streams import Announced, GrowingFileSink, JoinedSink

Place = Literal["stdout", "folder", "device", "file"]
SOUNDING = (Recording, Speech)  # records that are audio files unless another format is asked for


@dataclass(frozen=True)
class Destination:
    """What -o and --format mean for records of type kind. single: there is one input."""

    writing: OutputOptions
    kind: type
    place: Place
    path: Path
    format: Format
    single: bool

    @property
    def is_folder(self) -> bool:
        """Whether each input gets a file of its own in a tree."""
        return self.place == "folder"

    @property
    def is_stdout(self) -> bool:
        """Whether results go to standard output."""
        return self.place == "stdout"


@dataclass(frozen=True)
class Opened:
    """A sink, and the folder that it writes a tree into (None: it does not)."""

    sink: Sink
    folder: Path | None = None


def destination(writing: OutputOptions, kind: type, *, single: bool, default: str) -> Destination:
    """Where records of type kind go, and how they are written; nothing is opened yet.

    default: the format for a pipe. Raises UsageError for a format that this type has not, and for options that exclude each other.
    """
    if writing.resume and writing.force:
        raise UsageError("--resume skips what is done and --force does it again: give one of them")
    place, output = _place(writing.output)
    return Destination(writing, kind, place, Path(output), _form(writing.format, kind, place, output, default), single)


def open_sink(
    target: Destination,
    options: Mapping[str, Any],
    *,
    plot: str | None = None,
    announce: str | None = None,
    stems: Sequence[str] = (),
) -> Opened:
    """The sink for the records.

    options: what shapes the results, for --resume to compare. plot: a picture format to write beside the results. announce: a
    format in which standard output tells of each file that has been written. stems: voices that each get a file of their own.
    Raises UsageError when the options do not fit together, and OutputError when nothing can be written there.
    """
    writing, kind, place, path, form = target.writing, target.kind, target.place, target.path, target.format
    single = target.single
    if announce and place == "stdout":
        raise UsageError("standard output cannot take the results and the records of them: give -o FILE or -o FOLDER/")
    pictures = [*by_voice(form.name, stems), *([by_name(plot, kind)] if plot else [])]
    if place == "folder":
        return Opened(_announced(_files(path, [form, *pictures], writing, options), announce, kind), path)
    if place == "file" and single and kind not in form.collected:
        return Opened(_announced(_one_file(path, [form, *pictures], writing, options), announce, kind))
    if not single and not form.takes_many(kind):
        raise UsageError(f"{form.name} holds the result of one input: give -o FOLDER/ for many{_or_another(kind)}")
    if place == "file":
        key = _key(options, [form])
        collected = kind in form.collected
        sink: Sink = GrowingFileSink(
            path, form, key, resume=writing.resume, force=writing.force, collected=collected
        )  # fmt: skip
    else:
        sink = _stdout(form, writing, single) if place == "stdout" else _device(str(path), form, single)
    if pictures:
        # Beside the file, or in this folder, where a hidden journal would be a surprise.
        beside = path.parent if place == "file" else Path()
        sink = Both(sink, _files(beside, pictures, writing, options, remember=place == "file"))
    return Opened(_announced(sink, announce, kind))


def _announced(sink: Sink, announce: str | None, kind: type) -> Sink:
    """The sink, and standard output that tells of its files."""
    return Announced(sink, _stdout(by_name(announce, kind), OutputOptions(), single=True)) if announce else sink


def _or_another(kind: type) -> str:
    """The formats of which one file can hold the results of several inputs; sound is not what they hold."""
    names = [form.name for form in FORMATS.values() if kind in form.writers and form.takes_many(kind)]
    return "" if issubclass(kind, SOUNDING) or not names else f", or --format {' or '.join(names)}"


def write_file(path: str, data: bytes) -> None:
    """Put what a whole run has come to into a file, whole or not at all. Raises OutputError."""
    target = Path(path)
    with reported(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        part_of(target).write_bytes(data)
        os.replace(part_of(target), target)


def check_single(writing: OutputOptions, option: str) -> None:
    """Raises UsageError where the one JSON file that an option makes cannot go."""
    if writing.format or _place(writing.output)[0] == "folder":
        raise UsageError(f"{option} writes one JSON file: give -o FILE, without --format")


def write_single(writing: OutputOptions, text: str) -> None:
    """Put what a whole run has come to where -o says. Raises OutputError."""
    place, output = _place(writing.output)
    if place == "file":
        write_file(output, text.encode())
        return
    with reported(output):
        if place == "stdout":
            blocking(1)
        with open(1 if place == "stdout" else output, "wb", closefd=place != "stdout") as file:
            file.write(text.encode())


def _place(output: str | None) -> tuple[Place, str]:
    """What kind of place an -o is, and its name."""
    if output is None or output in STDOUT:
        return "stdout", "-"
    if not output:
        raise UsageError("-o is empty: give a file, a folder, or - for standard output")
    if output.endswith(("/", os.sep)) or os.path.isdir(output):
        return "folder", output
    # /dev/null, a named pipe: it is written to, never replaced.
    return "device" if os.path.exists(output) and not os.path.isfile(output) else "file", output


def _form(name: str | None, kind: type, place: Place, output: str, default: str) -> Format:
    """The format that was asked for, else the one that the place stands for. Raises UsageError."""
    suffix = os.path.splitext(output)[1]
    if name is None and place == "folder":
        name = (
            "wav"
            if issubclass(kind, SOUNDING)
            else {Features: "npz", Diarization: "rttm", Transcript: "txt"}.get(kind, "jsonl")
        )
    if name is None and place == "stdout":
        name = "txt" if os.isatty(1) and not issubclass(kind, SOUNDING) else default
    if name is None and place == "device" and not suffix:
        name = default
    if name is not None:
        return by_name(name, kind)
    if not suffix:
        raise UsageError(f"-o {output}: give a suffix or --format for a file, or a / at the end for a new folder")
    return by_suffix(output, kind)


def _files(
    root: Path, forms: Sequence[Format], writing: OutputOptions, options: Mapping[str, Any], *,
    names: Sequence[Path] = (), remember: bool = True,
) -> FilesSink:  # fmt: skip
    if len({form.suffix for form in forms}) < len(forms):
        raise UsageError(f"--plot {forms[0].name} draws what is written anyway: leave it out")
    key = _key(options, forms)
    return FilesSink(
        root, forms, key, resume=writing.resume, force=writing.force, names=names, remember=remember
    )  # fmt: skip


def _one_file(path: Path, forms: Sequence[Format], writing: OutputOptions, options: Mapping[str, Any]) -> FilesSink:
    """The result of a single input, and its picture under the same name; a link stays one, and what it leads to is written."""
    names = [path, *(path.with_suffix(form.suffix) for form in forms[1:])]
    names = [Path(os.path.realpath(name)) if os.path.islink(name) else name for name in names]
    root = names[0].parent
    # A file by itself gets no journal beside it unless somebody resumes here.
    remember = writing.resume or os.path.exists(root / JOURNAL)
    return _files(root, forms, writing, options, names=names, remember=remember)


def _key(options: Mapping[str, Any], forms: Sequence[Format]) -> str:
    """A digest of all that shapes the results."""
    text = json.dumps({**options, "formats": [form.name for form in forms]}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stdout(form: Format, writing: OutputOptions, single: bool) -> JoinedSink:
    if writing.resume:
        raise UsageError("--resume needs -o FILE or -o FOLDER/: standard output remembers nothing")
    if sys.stdout is None:
        raise OutputError("standard output is closed: give -o FILE")
    if form.binary and os.isatty(1):
        raise UsageError(
            f"{form.name} is binary and standard output is a terminal: give -o FILE, or a --format of text"
        )
    blocking(1)  # else a slow reader would look like an error
    return JoinedSink(1, "standard output", form, single=single)


def _device(output: str, form: Format, single: bool) -> JoinedSink:
    with reported(output):
        return JoinedSink(os.open(output, os.O_WRONLY), output, form, single=single)

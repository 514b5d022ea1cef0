"""Texts to speak as a stream of Text: an argument, files, standard input, or the lines of one of them."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath

from ..errors import InputError, UsageError
from ..options import SpeakOptions
from ..records import Failure
from . import pipes, reading
from .sources import Found, Source, reason

ARGUMENT = "text"  # what records call the text of the command line
SLUG = 40  # characters of a text in the name of its file
_FIELD = re.compile(r"\{(index|slug|id|voice)(?::0?(\d{1,2})d?)?\}")


@dataclass(frozen=True)
class Text(Source):
    """A text in memory, or a `path` to read it from; `voice` where a line of a table names one; `remark`: about its name."""

    text: str | None = None
    voice: str | None = None
    remark: str | None = None

    @contextmanager
    def blocks(self) -> Iterator[Iterator[str]]:
        """The text, clean, in blocks as they come. Raises InputError."""
        if self.text is not None:
            yield iter([reading.cleaned(self.text)])
            return
        with _opened(self.path) as descriptor:
            yield reading.blocks(descriptor)


@contextmanager
def _opened(path: str) -> Iterator[int]:
    if path == "-":
        if os.isatty(0):
            raise UsageError(
                "standard input is a terminal: give the text, or pipe it in, as in: echo Hello | audiocli speak -"
            )
        yield pipes.open_stdin().fileno()
        return
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except (OSError, ValueError) as error:
        raise InputError(reason(error) if isinstance(error, OSError) else "is not a file name") from error
    try:
        yield descriptor
    except OSError as error:
        raise InputError(reason(error)) from error
    finally:
        os.close(descriptor)


def find(text: str | None, files: Sequence[str], *, lines: bool, name: str) -> Iterator[Found]:
    """Every text in its order. Raises UsageError, at once."""
    if text is not None and files:
        raise UsageError("give the text or -f FILE, not both")
    if text is None and not files:
        raise UsageError("no text: give it, or -f FILE, or - for standard input")
    if (text == "-") + list(files).count("-") > 1:
        raise UsageError("standard input can be read only once")
    if lines:
        check_name(name)
    whole = _whole(text, files)
    return _lines(whole, name) if lines else whole


def _whole(text: str | None, files: Sequence[str]) -> Iterator[Found]:
    if text is not None and text != "-":
        yield _in_memory(ARGUMENT, slug(text) or ARGUMENT, text)
        return
    for path in files or ["-"]:
        yield _file(path)


def _file(path: str) -> Text | Failure:
    if path == "-":
        return Text(path, PurePath("stdin"))
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        return Failure(path, reason(error) if isinstance(error, OSError) else "is not a file name")
    if os.path.isdir(path):
        return Failure(path, "is a folder: give the files in it")
    known = status.st_mtime_ns if os.path.isfile(path) else None
    return Text(path, PurePath(PurePath(path).name), status.st_size, known)


def _in_memory(path: str, name: str, text: str, voice: str | None = None, remark: str | None = None) -> Text:
    """A text that is not a file: a digest of it takes the place of a modification time, so that --resume sees changes."""
    encoded = text.encode("utf-8", "surrogateescape")
    digest = int.from_bytes(hashlib.sha256(encoded).digest()[:7], "big")
    # The name is not a file's: what follows a dot in it is not a suffix to be removed.
    return Text(path, PurePath(f"{name}.txt"), len(encoded), digest, text, voice, remark)


def _lines(whole: Iterator[Found], name: str) -> Iterator[Found]:
    """The lines that say something, numbered through all files from 1."""
    index, taken = 0, dict[str, int]()
    for source in whole:
        if not isinstance(source, Text):
            yield source
            continue
        try:
            with source.blocks() as blocks:
                for number, line in enumerate(_split(blocks), 1):
                    if line.strip():
                        index += 1
                        yield _line(f"{source.path}:{number}", index, line, name, taken)
        except InputError as error:
            yield Failure(source.path, str(error))


def _split(blocks: Iterator[str]) -> Iterator[str]:
    rest: list[str] = []
    for block in blocks:
        first, *others = block.split("\n")
        rest.append(first)
        for line in others:
            yield "".join(rest)
            rest = [line]
    yield "".join(rest)


def _line(path: str, index: int, line: str, name: str, taken: dict[str, int]) -> Text:
    """A line of text, or of a table: id TAB text, or id TAB voice TAB text; the second of a name that is taken is name-2."""
    own, voice, text = None, None, line
    cells = line.split("\t")
    if len(cells) == 2:
        own, text = cells
    elif len(cells) > 2:
        own, voice, text = cells[0], cells[1], "\t".join(cells[2:])
    names = {"slug": slug(text), "id": slug(own or "") or slug(text), "voice": slug(voice or "")}
    fields: dict[str, str | int] = {"index": index, **names}
    template = "{id}" if own and name == SpeakOptions.name else name
    wanted = filled(template, fields) or f"{index:04d}"
    called = _free(wanted, taken)
    remark = None if called == wanted else f"a line before it is called {wanted}, too: this one is {called}"
    return _in_memory(path, called, text, (voice or "").strip() or None, remark)


def _free(name: str, taken: dict[str, int]) -> str:
    """A name that no line before has, and how often each was wanted: a, a-2, a-3."""
    free = name
    while free in taken:
        taken[name] += 1
        free = f"{name}-{taken[name]}"
    taken[free] = 1
    return free


def check_name(name: str) -> None:
    """Raises UsageError for a --name that is not a template."""
    rest = _FIELD.sub("", name)
    if not _FIELD.search(name) or "{" in rest or "}" in rest or os.path.isabs(name) or ".." in PurePath(name).parts:
        raise UsageError(f"--name {name}: a relative name with some of {{index:04d}}, {{slug}}, {{id}}, {{voice}}")


def filled(name: str, fields: dict[str, str | int]) -> str:
    """A template with its fields; a number after a colon is how many digits, or letters at most."""

    def value(match: re.Match[str]) -> str:
        field, width = fields[match[1]], match[2]
        return str(field).zfill(int(width or 0)) if isinstance(field, int) else str(field)[: int(width or SLUG)]

    return _FIELD.sub(value, name).strip("-_. ")


def slug(text: str) -> str:
    """The beginning of a text as part of a file's name: small letters and digits of any script, words joined by hyphens."""
    plain = unicodedata.normalize("NFKC", text[: 10 * SLUG]).lower()
    words = re.findall(r"[^\W_]+", plain)
    name = ""
    for word in words:
        if name and len(name) + 1 + len(word) > SLUG:
            break
        name = f"{name}-{word}" if name else word[:SLUG]
    return name

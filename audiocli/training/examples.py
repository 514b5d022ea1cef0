"""The files that nets are trained on: folders and manifests, with their columns for each file."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .. import audio
from ..errors import InputError, UsageError
from ..inputs import folders, lists, sources

TABLES, MANIFESTS = (".tsv", ".csv"), (".tsv", ".csv", ".jsonl")


@dataclass(frozen=True)
class Example:
    """A file, and its columns from a manifest or its folder: label, text, speaker, fold..."""

    path: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its class; "" where unknown."""
        return self.fields.get("label", "")

    @property
    def speaker(self) -> str:
        """Its speaker; "" where unknown."""
        return self.fields.get("speaker", "")


def examples(data: Sequence[str], suffixes: frozenset[str] = audio.EXTENSIONS) -> list[Example]:
    """All examples of the --data options: a folder (the folders in it are labels), a manifest, or LABEL=either.

    A manifest is a TSV or CSV with a head line, or JSONL; its `path` stands as seen from the manifest's folder, or from here.
    Raises UsageError when there is nothing, InputError for what cannot be read.
    """
    rows = [example for entry in data for example in _entry(entry, suffixes)]
    if not rows:
        raise UsageError(f"no examples in {', '.join(data)}" if data else "no data: give --data FOLDER or MANIFEST")
    return rows


def _entry(entry: str, suffixes: frozenset[str]) -> Iterator[Example]:
    label, equals, rest = entry.partition("=")
    labelled = bool(equals) and not os.path.exists(entry)
    named = rest if labelled else entry
    path = Path(named)
    if named and path.is_dir():
        rows = _folder(path, suffixes)
    elif path.suffix in MANIFESTS and path.is_file():
        rows = _manifest(path)
    else:
        raise UsageError(f"--data {entry}: is not a folder, and not a manifest ({', '.join(MANIFESTS)})")
    for example in rows:
        yield Example(example.path, {**example.fields, "label": label} if labelled else example.fields)


def _folder(root: Path, suffixes: frozenset[str]) -> Iterator[Example]:
    """The files below a folder, in the order of their names; the first folder on the way to one is its label."""
    problems: list[OSError] = []
    paths = sorted(map(Path, folders.walk(str(root), lambda path: Path(path).suffix.lower() in suffixes, problems)))
    for error in problems:
        raise InputError(f"{os.fsdecode(error.filename or root)}: {sources.reason(error)}")
    for path in paths:
        inside = path.relative_to(root).parts
        yield Example(str(path), {"label": inside[0]} if len(inside) > 1 else {})


def _manifest(path: Path) -> Iterator[Example]:
    try:
        rows = lists.read(path)
    except InputError as error:
        raise UsageError(f"--data {path}: {error}") from error
    for number, row in _rows(path, rows):
        where = row.pop("path", "")
        near = path.parent / where
        if lists.is_comment(rows[number - 1], *([str(near), where] if where else [])):
            continue
        if not where:
            raise UsageError(f"{path}, line {number}: has no path")
        yield Example(str(near if near.exists() else where), row)


def _rows(path: Path, rows: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a manifest with their line numbers. Raises UsageError."""
    if path.suffix in TABLES:
        columns, numbered = lists.table(rows, path.suffix)
        if "path" not in columns:
            raise UsageError(f"{path}: its head line has no column `path`, only {', '.join(columns) or 'nothing'}")
        yield from numbered
        return
    for number, line in enumerate(rows, 1):
        if line.strip() and not lists.is_comment(line):
            yield number, _object(path, number, line)


def _object(path: Path, number: int, line: str) -> dict[str, str]:
    try:
        parsed = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{path}, line {number}: is not JSON") from error
    if not isinstance(parsed, dict):
        raise UsageError(f"{path}, line {number}: is not a JSON object")
    return {key: str(value) for key, value in parsed.items() if isinstance(value, str | int | float)}

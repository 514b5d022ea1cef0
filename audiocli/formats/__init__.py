"""How records become bytes: one row of FORMATS for each format, one writer for each type of record that it takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, BinaryIO

from .. import audio
from ..errors import UsageError
from ..records import Failure, Features, Record, Speech, Stats, Transcript
from . import arrays, pictures, speeches, text, timed
from .place import Place

Kind = Record | Failure


Writer = Callable[[Sequence[Any], BinaryIO, Place], None]


@dataclass(frozen=True)
class Format:
    """A format by name.

    joins: results of several inputs can stand one after the other in one stream. collected: the types of which all results are
    kept and written at the end, as one table or list.
    """

    name: str
    suffix: str
    binary: bool
    writers: dict[type, Writer]
    joins: bool = False
    collected: frozenset[type] = field(default=frozenset())

    def takes_many(self, kind: type) -> bool:
        """Whether one file can hold the results of several inputs."""
        return self.joins or kind in self.collected


_COLLECTED = frozenset({Stats})

FORMATS = {
    form.name: form
    for form in (
        Format("npy", ".npy", True, {Features: arrays.npy}, joins=True),
        Format("npz", ".npz", True, {Features: arrays.npz, Stats: arrays.stats_npz}, collected=_COLLECTED),
        Format("csv", ".csv", False, {Features: text.csv, Stats: text.stats_csv, Transcript: timed.csv}, joins=True),
        Format(
            "json", ".json", False,
            {Features: text.json_object, Stats: text.json_stats, Transcript: timed.json_object, Speech: speeches.json_object},
            collected=_COLLECTED,
        ),
        Format(
            "jsonl", ".jsonl", False,
            {Features: text.jsonl, Stats: text.jsonl_stats, Transcript: timed.jsonl, Failure: text.jsonl_failure},
            joins=True,
        ),
        Format("parquet", ".parquet", True, {Features: arrays.parquet, Stats: arrays.stats_parquet}, collected=_COLLECTED),
        Format("txt", ".txt", False, {Features: text.summary, Stats: text.stats_summary, Transcript: timed.txt}, joins=True),
        Format("srt", ".srt", False, {Transcript: timed.srt, Speech: speeches.srt}),
        Format("vtt", ".vtt", False, {Transcript: timed.vtt}),
        Format("tsv", ".tsv", False, {Transcript: timed.tsv}, joins=True),
        Format("ctm", ".ctm", False, {Transcript: timed.ctm}, joins=True),
        Format("TextGrid", ".TextGrid", False, {Transcript: timed.textgrid}),
        Format("lrc", ".lrc", False, {Transcript: timed.lrc}),
        Format("raw", ".raw", True, {Speech: speeches.raw}, joins=True),
        *(Format(name, f".{name}", True, {Speech: speeches.writer(name)}) for name in audio.encoders.KINDS),
        *(Format(name, f".{name}", name != "svg", {Features: pictures.writer(name)}) for name in ("png", "svg", "pdf")),
    )
}  # fmt: skip
PICTURES = ("png", "svg", "pdf")


def by_name(name: str, kind: type) -> Format:
    """The format of that name for a type of record. Raises UsageError."""
    names = {form.name.lower(): form.name for form in FORMATS.values() if kind in form.writers}
    if name.lower() not in names:
        raise UsageError(f"no format {name!r} here: one of {', '.join(names.values())}")
    return FORMATS[names[name.lower()]]


def by_suffix(path: str, kind: type) -> Format:
    """The format that a file's name asks for. Raises UsageError."""
    suffix = PurePath(path).suffix.lower()
    for form in FORMATS.values():
        if form.suffix.lower() == suffix and kind in form.writers:
            return form
    known = ", ".join(form.suffix for form in FORMATS.values() if kind in form.writers)
    raise UsageError(f"{path}: no format has the suffix {suffix!r}; use one of {known}, or --format")


def write(form: Format, records: Sequence[Kind], stream: BinaryIO, *, output: str | None, first: bool = True) -> None:
    """Write records of one type."""
    form.writers[type(records[0])](records, stream, Place(output, first))

"""From records to bytes: one row of FORMATS for each format, one writer for each type of record that it takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, BinaryIO

from ...errors import UsageError, hint
from ...options.formats import PICTURES
from ...records import (
    Diarization,
    Events,
    Failure,
    Features,
    Labels,
    Match,
    Music,
    Person,
    Recognised,
    Record,
    Recording,
    Speech,
    Stats,
    Transcript,
)
from . import arrays, labels, matches, music, objects, pictures, sound, speech, subtitles, tables, turns
from . import transcripts as timed
from .objects import Place

Kind = Record | Failure


Writer = Callable[[Sequence[Any], BinaryIO, Place], None]


@dataclass(frozen=True)
class Format:
    """A format by name.

    joins: results of several inputs can follow each other in one stream. collected: the types of which all results are
    kept and written at the end, as one table or list. words: it holds words with a time each, and nothing else.
    """

    name: str
    suffix: str
    binary: bool
    writers: dict[type, Writer]
    joins: bool = False
    collected: frozenset[type] = field(default=frozenset())
    words: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether it holds samples of recordings."""
        return self.name in sound.KINDS

    @property
    def keeps_times(self) -> bool:
        """Whether it has room for when each sentence and word is said."""
        return not self.binary

    def takes_many(self, kind: type) -> bool:
        """Whether one file can hold the results of several inputs."""
        return self.joins or kind in self.collected


_PICTURES: dict[str, Writer] = {name: pictures.writer(name) for name in PICTURES}

# The writer for each type of record, by the name of the format.
_WRITERS: dict[type, dict[str, Writer]] = {
    Features: {
        "npy": arrays.npy, "npz": arrays.npz, "csv": tables.csv, "json": tables.json_object, "jsonl": tables.json_object,
        "parquet": arrays.parquet, "txt": tables.summary, music.MIDI: music.tones, **_PICTURES,
    },
    Stats: {
        "npz": arrays.stats_npz, "csv": tables.stats_csv, "json": tables.json_stats, "jsonl": tables.jsonl_stats,
        "parquet": arrays.stats_parquet, "txt": tables.stats_summary,
    },
    Transcript: {
        "csv": timed.csv, "json": timed.json_object, "jsonl": timed.json_object, "txt": timed.txt, "srt": subtitles.srt,
        "vtt": subtitles.vtt, "tsv": timed.tsv, "ctm": timed.ctm, "TextGrid": timed.textgrid, "lrc": timed.lrc,
    },
    Labels: {
        "csv": labels.csv, "json": labels.json_object, "jsonl": labels.json_object, "txt": labels.txt, "tsv": labels.tsv,
        **_PICTURES,
    },
    Events: {
        "csv": labels.events_csv, "json": labels.json_object, "jsonl": labels.json_object, "txt": labels.events_txt,
        "tsv": labels.events_tsv, "TextGrid": labels.textgrid, "rttm": labels.rttm, "labels": labels.track, **_PICTURES,
    },
    Diarization: {
        "rttm": turns.rttm, "csv": turns.csv, "json": turns.json_object, "jsonl": turns.json_object, "txt": turns.txt,
        "srt": turns.srt, "TextGrid": turns.textgrid, "labels": turns.track, **_PICTURES,
    },
    Speech: {
        "srt": speech.srt, "json": speech.json_object, "raw": speech.raw,
        **{name: speech.writer(name) for name in sound.KINDS},
    },
    Match: {
        "txt": matches.txt, "jsonl": matches.jsonl, "json": matches.json_list, "csv": matches.csv, "tsv": matches.tsv,
    },
    Person: {
        "txt": matches.people_txt, "jsonl": matches.people_jsonl, "json": matches.people_json, "csv": matches.people_csv,
        "tsv": matches.people_tsv,
    },
    Recognised: {
        "txt": matches.found_txt, "jsonl": matches.found_json, "json": matches.found_json, "csv": matches.found_csv,
        "tsv": matches.found_tsv,
    },
    Recording: {
        "json": sound.json_object, "jsonl": sound.json_object, "txt": sound.summary,
        **{name: sound.writer(name) for name in sound.KINDS},
    },
    Music: {
        "json": music.json_object, "jsonl": music.json_object, "txt": sound.summary, music.MIDI: music.mid,
        **{name: sound.writer(name) for name in sound.KINDS}, **{name: music.picture(name) for name in PICTURES},
    },
    Failure: {"jsonl": objects.jsonl_failure},
}  # fmt: skip


def _format(
    name: str,
    *,
    binary: bool = False,
    joins: bool = False,
    collected: frozenset[type] = frozenset(),
    words: bool = False,
) -> Format:
    writers = {kind: names[name] for kind, names in _WRITERS.items() if name in names}
    return Format(name, f".{name}", binary, writers, joins, collected, words)


_COLLECTED = frozenset({Stats})
_PAIRS = frozenset({Match, Person})  # neither is an input: pairs are known only when all inputs are

FORMATS = {
    form.name: form
    for form in (
        _format("npy", binary=True),
        _format("npz", binary=True, collected=_COLLECTED),
        _format("csv", joins=True, collected=_PAIRS),
        _format("json", collected=_COLLECTED | _PAIRS),
        _format("jsonl", joins=True, collected=_PAIRS),
        _format("parquet", binary=True, collected=_COLLECTED),
        _format("txt", joins=True, collected=_PAIRS),
        _format("srt"),
        _format("vtt"),
        _format("tsv", joins=True, collected=_PAIRS),
        _format("ctm", joins=True, words=True),
        _format("rttm", joins=True),
        _format("TextGrid"),
        _format("labels"),
        _format("lrc"),
        *(_format(name, binary=name != "svg") for name in PICTURES),
        _format("raw", binary=True, joins=True),
        *(_format(name, binary=True) for name in sound.KINDS),
        _format(music.MIDI, binary=True),
    )
}


def stems(name: str, voices: Sequence[str]) -> list[Format]:
    """A format for each voice by itself, beside the one of that name (wav where that is neither audio nor MIDI)."""
    name = name if name in (*sound.KINDS, music.MIDI) else "wav"
    return [
        Format(f"{name} {voice}", f".{voice}.{name}", True, {Music: music.stem_writer(name, voice)}) for voice in voices
    ]


def by_name(name: str, kind: type) -> Format:
    """The format of that name for a type of record. Raises UsageError."""
    names = {form.name.lower(): form.name for form in FORMATS.values() if kind in form.writers}
    if name.lower() not in names:
        raise UsageError(f"no format {name!r} here: {hint(name, names.values())}")
    return FORMATS[names[name.lower()]]


def by_suffix(path: str, kind: type) -> Format:
    """The format that a file's name asks for. Raises UsageError."""
    suffix = PurePath(path).suffix.lower()
    for form in FORMATS.values():
        if form.suffix.lower() == suffix and kind in form.writers:
            return form
    known = [form.suffix for form in FORMATS.values() if kind in form.writers]
    raise UsageError(f"{path}: no format has the suffix {suffix!r}: {hint(suffix, known)} (or give --format)")


def write(
    form: Format, records: Sequence[Kind], stream: BinaryIO, *, output: str | None, first: bool = True,
    recording: str | None = None,
) -> None:  # fmt: skip
    """Write records of one type, or the one that is called `recording` among several in this output."""
    form.writers[type(records[0])](records, stream, Place(output, first, recording))

"""Matches of speakers and of recordings: a line for people, tables, records."""

from collections.abc import Sequence
from typing import Any, BinaryIO

from ...console import plain
from ...records import Match, Person, Recognised
from .lines import as_bytes, csv_rows, one_line
from .objects import Place, encoded, head

DECIDED = {True: "same", False: "different", None: "undecided"}
COLUMNS = ("a", "b", "score", "threshold", "same", "probability", "label", "status")
CANDIDATE = ("track", "offset", "confidence")
PEOPLE = ("name", "seconds", "recordings", "model")
FOUND = ("path", "track", "offset", "confidence", "hashes", "status")


def txt(records: Sequence[Match], stream: BinaryIO, place: Place) -> None:
    """A line a pair: the decision, what it is built on, and the two names."""
    stream.write(as_bytes("".join(_line(record) for record in records)))


def _line(record: Match) -> str:
    if record.score is None or record.threshold is None:
        return f"{'failed' if record.status == 'failed' else 'undecided':<9}  {plain(record.reason or '')}\n"
    decision = DECIDED[record.same]
    if record.candidates:
        decision = "nobody" if record.name is None else plain(record.name)
    sure = "" if record.probability is None else f"  probability {record.probability:.3f}"
    numbers = f"score {record.score:.3f}  threshold {record.threshold:.3f}{sure}"
    return f"{decision:<9}  {numbers}  {plain(record.a)}  {plain(record.b)}\n"


def _row(record: Match) -> list[str]:
    cells = []
    for name in COLUMNS:
        value = getattr(record, name)
        known = {None: "", True: "1", False: "0"}.get(value) if value is None or isinstance(value, bool) else None
        cells.append(known if known is not None else f"{value:.6f}" if isinstance(value, float) else str(value))
    return cells


def csv(records: Sequence[Match], stream: BinaryIO, place: Place) -> None:
    """A row a pair."""
    stream.write(csv_rows([COLUMNS, *map(_row, records)]))


def tsv(records: Sequence[Match], stream: BinaryIO, place: Place) -> None:
    """The same as csv, with tabs."""
    lines = ["\t".join(COLUMNS), *("\t".join(map(one_line, _row(record))) for record in records)]
    stream.write(as_bytes("\n".join(lines) + "\n"))


def _object(record: Match, place: Place) -> dict[str, Any]:
    """The head, then the fields of the pair that are known."""
    own = ("a", "b", "score", "threshold", "same", "probability", "log_odds", "false_accepts", "false_rejects")
    more = {name: getattr(record, name) for name in ("label", "reason") if getattr(record, name) is not None}
    if record.candidates:
        more |= {"name": record.name, "candidates": [{"name": n, "score": s} for n, s in record.candidates]}
    return {**head(record, place), **{name: getattr(record, name) for name in own}, **more}


def jsonl(records: Sequence[Match], stream: BinaryIO, place: Place) -> None:
    """An object a pair."""
    for record in records:
        stream.write(encoded(_object(record, place)) + b"\n")


def json_list(records: Sequence[Match], stream: BinaryIO, place: Place) -> None:
    """An array of objects."""
    stream.write(b"[" + b",\n ".join(encoded(_object(record, place)) for record in records) + b"]\n")


def people_txt(records: Sequence[Person], stream: BinaryIO, place: Place) -> None:
    """A line a person."""
    for record in records:
        files = f"{record.recordings} recording{'s' if record.recordings != 1 else ''}"
        about = f"{record.duration:.1f} s of speech in {files}"
        stream.write(as_bytes(f"{plain(record.name)}: {about} ({record.model})\n"))


def _person(record: Person) -> list[str]:
    return [record.name, f"{record.duration:.3f}", str(record.recordings), record.model or ""]


def people_csv(records: Sequence[Person], stream: BinaryIO, place: Place) -> None:
    """A row a person."""
    stream.write(csv_rows([PEOPLE, *map(_person, records)]))


def people_tsv(records: Sequence[Person], stream: BinaryIO, place: Place) -> None:
    """The same as csv, with tabs."""
    lines = ["\t".join(PEOPLE), *("\t".join(map(one_line, _person(record))) for record in records)]
    stream.write(as_bytes("\n".join(lines) + "\n"))


def _about(record: Person, place: Place) -> bytes:
    return encoded({**head(record, place), "name": record.name, "recordings": record.recordings})


def people_jsonl(records: Sequence[Person], stream: BinaryIO, place: Place) -> None:
    """An object a person."""
    for record in records:
        stream.write(_about(record, place) + b"\n")


def people_json(records: Sequence[Person], stream: BinaryIO, place: Place) -> None:
    """An array of objects."""
    stream.write(b"[" + b",\n ".join(_about(record, place) for record in records) + b"]\n")


def found_txt(records: Sequence[Recognised], stream: BinaryIO, place: Place) -> None:
    """A line a query: the track, and where in it the query begins."""
    for record in records:
        text = "unknown" if record.status == "ok" else record.status
        if record.track is not None:
            text = f"{plain(record.track)} at {record.offset or 0.0:.2f} s (confidence {record.confidence:.2f})"
            text += "".join(f", or {plain(track)} at {offset:.2f} s" for track, offset, _ in record.candidates[1:])
        stream.write(as_bytes(f"{plain(record.path)}: {text}\n"))


def _found(record: Recognised) -> list[str]:
    offset = "" if record.offset is None else f"{record.offset:.3f}"
    return [record.path, record.track or "", offset, f"{record.confidence:.4f}", str(record.hashes), record.status]


def found_csv(records: Sequence[Recognised], stream: BinaryIO, place: Place) -> None:
    """A row a query."""
    if place.first:
        stream.write(csv_rows([FOUND]))
    stream.write(csv_rows(map(_found, records)))


def found_tsv(records: Sequence[Recognised], stream: BinaryIO, place: Place) -> None:
    """The same as csv, with tabs."""
    if place.first:
        stream.write(as_bytes("\t".join(FOUND) + "\n"))
    for record in records:
        stream.write(as_bytes("\t".join(map(one_line, _found(record))) + "\n"))


def found_json(records: Sequence[Recognised], stream: BinaryIO, place: Place) -> None:
    """The head, then the track and the candidates that were found."""
    for record in records:
        own = {name: getattr(record, name) for name in ("track", "offset", "confidence", "hashes")}
        if len(record.candidates) > 1:
            own["candidates"] = [dict(zip(CANDIDATE, one, strict=True)) for one in record.candidates]
        stream.write(encoded({**head(record, place), **own}) + b"\n")

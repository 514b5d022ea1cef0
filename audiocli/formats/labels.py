"""Sounds by name: a line for people, tables, records."""

from collections.abc import Sequence
from typing import Any, BinaryIO

from ..console import plain
from ..records import Events, Label, Labels, Segment
from .place import Place
from .text import encoded, head, quoted


def txt(records: Sequence[Labels], stream: BinaryIO, place: Place) -> None:
    """A line an input: its labels and how sure the model is of each."""
    for record in records:
        found = "  ".join(f"{plain(label.label)} {label.score:.2f}" for label in record.labels) or f"({record.status})"
        stream.write(f"{plain(record.path)}: {found}\n".encode("utf-8", "surrogateescape"))


def events_txt(records: Sequence[Events], stream: BinaryIO, place: Place) -> None:
    """A line an event; the input before it in a stream of several."""
    for record in records:
        name = "" if place.output else f"{plain(record.path)}: "
        for event in record.segments:
            line = f"{name}{event.start:.2f}-{event.end:.2f} s  {plain(event.text)} {event.probability or 0.0:.2f}\n"
            stream.write(line.encode("utf-8", "surrogateescape"))


def csv(records: Sequence[Labels], stream: BinaryIO, place: Place) -> None:
    """A row a label: path, rank, label, score."""
    for number, record in enumerate(records):
        if place.first and number == 0:
            stream.write(b"path,rank,label,score\n")
        for rank, label in enumerate(record.labels, 1):
            line = f"{quoted(record.path)},{rank},{quoted(label.label)},{label.score:.4f}\n"
            stream.write(line.encode("utf-8", "surrogateescape"))


def tsv(records: Sequence[Labels], stream: BinaryIO, place: Place) -> None:
    """As csv, with tabs."""
    for number, record in enumerate(records):
        if place.first and number == 0:
            stream.write(b"path\trank\tlabel\tscore\n")
        for rank, label in enumerate(record.labels, 1):
            cells = (_cell(record.path), str(rank), _cell(label.label), f"{label.score:.4f}")
            stream.write(("\t".join(cells) + "\n").encode("utf-8", "surrogateescape"))


def _cell(text: str) -> str:
    return " ".join(text.split())


def json_object(records: Sequence[Labels], stream: BinaryIO, place: Place) -> None:
    """One object: the head, the labels, and events where they were asked for."""
    for record in records:
        about: dict[str, Any] = {"labels": [_label(label) for label in record.labels]}
        if isinstance(record, Events):
            about["events"] = [_event(event) for event in record.segments]
        stream.write(encoded({**head(record, place), **about}) + b"\n")


def _label(label: Label) -> dict[str, Any]:
    return {"label": label.label, "score": label.score}


def _event(event: Segment) -> dict[str, Any]:
    return {"start": event.start, "end": event.end, "label": event.text, "score": event.probability}

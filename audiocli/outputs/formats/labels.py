"""Sounds by name, and when: a line for people, tables, records, tracks for Audacity and Praat."""

from collections.abc import Sequence
from typing import Any, BinaryIO

from ...console import plain
from ...records import Events, Label, Labels, Segment
from .lines import as_bytes, audacity, csv_rows, one_line, praat, recording, token
from .objects import Place, encoded, head


def txt(records: Sequence[Labels], stream: BinaryIO, place: Place) -> None:
    """A line an input: its labels and how sure the model is of each."""
    for record in records:
        labels = "  ".join(f"{plain(label.label)} {label.score:.2f}" for label in record.labels) or f"({record.status})"
        stream.write(as_bytes(f"{plain(record.path)}: {labels}\n"))


def events_txt(records: Sequence[Events], stream: BinaryIO, place: Place) -> None:
    """A line an event; the input before it in a stream of several."""
    for record in records:
        name = "" if place.output else f"{plain(record.path)}: "
        for event in record.segments:
            times = f"{event.start:.2f}-{event.end:.2f} s"
            stream.write(as_bytes(f"{name}{times}  {plain(event.text)} {event.probability or 0.0:.2f}\n"))


def csv(records: Sequence[Labels], stream: BinaryIO, place: Place) -> None:
    """A row a label: path, rank, label, score."""
    for number, record in enumerate(records):
        if place.first and number == 0:
            stream.write(b"path,rank,label,score\n")
        ranked = enumerate(record.labels, 1)
        stream.write(csv_rows((record.path, str(rank), label.label, f"{label.score:.4f}") for rank, label in ranked))


def tsv(records: Sequence[Labels], stream: BinaryIO, place: Place) -> None:
    """The same as csv, with tabs."""
    for number, record in enumerate(records):
        if place.first and number == 0:
            stream.write(b"path\trank\tlabel\tscore\n")
        for rank, label in enumerate(record.labels, 1):
            row = f"{one_line(record.path)}\t{rank}\t{one_line(label.label)}\t{label.score:.4f}\n"
            stream.write(as_bytes(row))


def events_csv(records: Sequence[Events], stream: BinaryIO, place: Place) -> None:
    """A row an event: path, start and end (seconds), label, score."""
    for number, record in enumerate(records):
        if place.first and number == 0:
            stream.write(b"path,start,end,label,score\n")
        rows = (
            (record.path, *_times(event), event.text, f"{event.probability or 0.0:.4f}") for event in record.segments
        )
        stream.write(csv_rows(rows))


def events_tsv(records: Sequence[Events], stream: BinaryIO, place: Place) -> None:
    """The same as csv, with tabs."""
    for number, record in enumerate(records):
        if place.first and number == 0:
            stream.write(b"path\tstart\tend\tlabel\tscore\n")
        for event in record.segments:
            cells = (one_line(record.path), *_times(event), one_line(event.text), f"{event.probability or 0.0:.4f}")
            stream.write(as_bytes("\t".join(cells) + "\n"))


def _times(event: Segment) -> tuple[str, str]:
    return f"{event.start:.3f}", f"{event.end:.3f}"


def json_object(records: Sequence[Labels], stream: BinaryIO, place: Place) -> None:
    """One object: the head, the labels, and the events where they were asked for."""
    for record in records:
        about: dict[str, Any] = {"labels": [_label(label) for label in record.labels]}
        if isinstance(record, Events):
            about["events"] = [_event(event) for event in record.segments]
        stream.write(encoded({**head(record, place), **about}) + b"\n")


def _label(label: Label) -> dict[str, Any]:
    return {"label": label.label, "score": label.score}


def _event(event: Segment) -> dict[str, Any]:
    return {"start": event.start, "end": event.end, "label": event.text, "score": event.probability}


def track(records: Sequence[Events], stream: BinaryIO, place: Place) -> None:
    """A label track of Audacity: start, end and label between tabs."""
    for record in records:
        stream.write(audacity((event.start, event.end, event.text) for event in record.segments))


def rttm(records: Sequence[Events], stream: BinaryIO, place: Place) -> None:
    """RTTM (NIST, 2009), with the type EVENT and the label where a speaker stands; the score is its confidence."""
    for record in records:
        name = recording(record.path, place)
        for event in record.segments:
            times = f"{event.start:.3f} {event.end - event.start:.3f}"
            label = token(event.text)
            stream.write(as_bytes(f"EVENT {name} 1 {times} <NA> <NA> {label} {event.probability or 0.0:.4f} <NA>\n"))


def textgrid(records: Sequence[Events], stream: BinaryIO, place: Place) -> None:
    """Praat: an interval tier for each label that is heard, so that sounds may overlap."""
    for record in records:
        names = list(dict.fromkeys(event.text for event in record.segments))
        tiers = [(name, [(e.start, e.end, name) for e in record.segments if e.text == name]) for name in names]
        stream.write(praat(tiers or [("events", [])], record.duration))

"""Transcripts: tables (tsv, csv), records (json, jsonl), labels for linguists (TextGrid, ctm), lyrics (lrc), text.

A transcript without speech is an empty file that is valid in its format.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from ...errors import UsageError
from ...records import Segment, Transcript, Word
from .lines import as_bytes, csv_rows, heading, one_line, praat, recording
from .objects import Place, encoded, head

LEAST = 0.01  # s that a word lasts in ctm


def _spoken(segment: Segment) -> str:
    """The text, with the speaker before it when one is known."""
    text = one_line(segment.text)
    return f"{segment.speaker}: {text}" if segment.speaker else text


def txt(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """A line a segment; the name of the input above in a stream of several."""
    for record in records:
        stream.write(as_bytes(heading(record.path, place)))
        stream.write(as_bytes("".join(f"{_spoken(segment)}\n" for segment in record.segments)))


def lrc(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """Lyrics: a line a segment; with --timestamps word each word has its time (the A2 extension)."""
    for record in records:
        by_word = record.options.get("timestamps") == "word"
        for segment in record.segments:
            text = _spoken(segment)
            if by_word and segment.words:
                who = f"{segment.speaker}: " if segment.speaker else ""
                text = who + " ".join(f"<{_minutes(word.start)}> {one_line(word.text)}" for word in segment.words)
            stream.write(as_bytes(f"[{_minutes(segment.start)}]{text}\n"))


def tsv(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """Start, end (milliseconds, as Whisper has it) and text; the path before them in a stream of several."""
    for number, record in enumerate(records):
        shared = "" if place.output else f"{one_line(record.path)}\t"
        if place.first and number == 0:
            stream.write(b"path\tstart\tend\ttext\n" if shared else b"start\tend\ttext\n")
        for row in rows(record):
            stream.write(as_bytes(f"{shared}{row.start * 1000:.0f}\t{row.end * 1000:.0f}\t{_spoken(row)}\n"))


def csv(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """Start, end (seconds), speaker, probability and text; the path before them in a stream of several."""
    for number, record in enumerate(records):
        shared = [] if place.output else [record.path]
        if place.first and number == 0:
            stream.write(csv_rows([[*(["path"] if shared else []), "start", "end", "speaker", "probability", "text"]]))
        for row in rows(record):
            known = "" if row.probability is None else f"{row.probability:.3f}"
            stream.write(
                csv_rows([[*shared, f"{row.start:.3f}", f"{row.end:.3f}", row.speaker or "", known, row.text]])
            )


def rows(record: Transcript) -> Iterator[Segment]:
    """The segments, or with --timestamps word the words as segments of their own where there are any."""
    for segment in record.segments:
        if record.options.get("timestamps") == "word" and segment.words:
            for word in segment.words:
                yield Segment(
                    word.start, word.end, word.text.strip(), (), word.probability, word.speaker or segment.speaker
                )
        else:
            yield segment


def json_object(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """One object: the head, then text, language, segments with their words, and what was dropped."""
    for record in records:
        about = {
            "text": record.text,
            "language": record.language,
            "segments": [segment_object(segment) for segment in record.segments],
            "dropped": list(record.dropped),
        }
        stream.write(encoded({**head(record, place), **about}) + b"\n")


def segment_object(segment: Segment) -> dict[str, Any]:
    """A segment for JSON, times in seconds to the millisecond; what is unknown is left out."""
    words = [_known(word.text, word) for word in segment.words]
    return _known(segment.text, segment) | {"words": words}


def _known(text: str, part: Word | Segment) -> dict[str, Any]:
    fields: dict[str, Any] = {"start": round(part.start, 3), "end": round(part.end, 3), "text": text}
    if part.probability is not None:
        fields["probability"] = round(part.probability, 4)
    if part.speaker is not None:
        fields["speaker"] = part.speaker
    return fields


def ctm(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """NIST: recording, channel, start, duration, word, confidence. Raises UsageError without word times."""
    for record in records:
        name = recording(record.path, place)
        for segment in record.segments:
            if not segment.words and segment.text.strip():
                raise UsageError("ctm holds words, and there are none: add --timestamps word")
            for word in segment.words:
                text = "_".join(word.text.split())
                known = "" if word.probability is None else f" {word.probability:.3f}"
                line = f"{name} 1 {word.start:.3f} {max(word.end - word.start, LEAST):.3f} {text}{known}\n"
                stream.write(as_bytes(line))


def textgrid(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """Praat: an interval tier of segments, and one of words where there are any."""
    for record in records:
        words = [word for segment in record.segments for word in segment.words]
        tiers: list[tuple[str, Sequence[Segment | Word]]] = [("segments", record.segments)]
        if words:
            tiers.append(("words", words))
        intervals = [(name, [(part.start, part.end, part.text) for part in tier]) for name, tier in tiers]
        stream.write(praat(intervals, record.duration))


def _minutes(seconds: float) -> str:
    """MM:SS.xx as in lyrics."""
    total = max(0, math.floor(seconds * 100 + 0.5))
    return f"{total // 6000:02}:{total // 100 % 60:02}.{total % 100:02}"

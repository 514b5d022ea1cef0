"""Transcripts: subtitles (srt, vtt, lrc), tables (tsv, csv), records (json, jsonl), labels for linguists (TextGrid, ctm), text.

A transcript without speech is an empty file that is valid in its format. How subtitles are broken into lines stands in the
record's options (`max_line_width`, `max_lines`, `timestamps`), because it belongs to the run and not to the place.
"""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO

from ..errors import UsageError
from ..records import UNSPACED, Segment, Transcript, Word
from .lines import as_bytes, clock, one_line, praat, quoted
from .place import Place
from .text import encoded, head

WIDTH, LINES = 42, 2  # of a subtitle, where the record does not say
PAUSE = 1.0  # s between two words that a subtitle does not span
LONGEST = 7.0  # s that a subtitle stands


@dataclass(frozen=True)
class Cue:
    """Lines that stand on the screen from start to end, in seconds."""

    start: float
    end: float
    lines: tuple[str, ...]
    words: tuple[Word, ...] = ()
    speaker: str | None = None


def _spoken(segment: Segment) -> str:
    """The text, with the speaker before it when one is known."""
    text = one_line(segment.text)
    return f"{segment.speaker}: {text}" if segment.speaker else text


def txt(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """A line a segment; an empty line between inputs."""
    for number, record in enumerate(records):
        if number or not place.first:
            stream.write(b"\n")
        stream.write(as_bytes("".join(f"{_spoken(segment)}\n" for segment in record.segments)))


def srt(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """SubRip: no byte order mark (Premiere stumbles over it)."""
    for record in records:
        for number, cue in enumerate(cues(record), 1):
            times = f"{clock(cue.start, ',')} --> {clock(cue.end, ',')}"
            stream.write(as_bytes(f"{number}\n{times}\n{_named(cue)}\n\n"))


def vtt(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """WebVTT (W3C)."""
    for record in records:
        stream.write(b"WEBVTT\n\n")
        for cue in cues(record):
            text = "\n".join(cue.lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            voice = f"<v {one_line(cue.speaker)}>" if cue.speaker else ""
            stream.write(as_bytes(f"{clock(cue.start, '.')} --> {clock(cue.end, '.')}\n{voice}{text}\n\n"))


def _named(cue: Cue) -> str:
    text = "\n".join(cue.lines)
    return f"{cue.speaker}: {text}" if cue.speaker else text


def lrc(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """Lyrics: a line a segment; with --timestamps word each word has its time (the A2 extension)."""
    for record in records:
        by_word = record.options.get("timestamps") == "word"
        for segment in record.segments:
            text = _spoken(segment)
            if by_word and segment.words:
                text = " ".join(f"<{_minutes(word.start)}> {one_line(word.text)}" for word in segment.words)
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
        shared = "" if place.output else f"{quoted(record.path)},"
        if place.first and number == 0:
            stream.write(b"path," * bool(shared) + b"start,end,speaker,probability,text\n")
        for row in rows(record):
            known = "" if row.probability is None else f"{row.probability:.3f}"
            cells = (f"{row.start:.3f}", f"{row.end:.3f}", quoted(row.speaker or ""), known, quoted(row.text))
            stream.write(as_bytes(shared + ",".join(cells) + "\n"))


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
    """A segment for JSON, times in seconds to the millisecond; what is not known is left out."""
    words = [_known(word.text, word) for word in segment.words]
    return _known(segment.text, segment) | {"words": words}


def _known(text: str, part: Word | Segment) -> dict[str, Any]:
    found: dict[str, Any] = {"start": round(part.start, 3), "end": round(part.end, 3), "text": text}
    if part.probability is not None:
        found["probability"] = round(part.probability, 4)
    if part.speaker is not None:
        found["speaker"] = part.speaker
    return found


def ctm(records: Sequence[Transcript], stream: BinaryIO, place: Place) -> None:
    """NIST: recording, channel, start, duration, word, confidence. Raises UsageError without word times."""
    for record in records:
        name = "-".join(PurePath(record.path).stem.split()) or "stdin"
        name = "stdin" if record.path == "-" else name
        for segment in record.segments:
            if not segment.words and segment.text.strip():
                raise UsageError("ctm holds words, and there are none: add --timestamps word")
            for word in segment.words:
                text = "_".join(word.text.split())
                known = "" if word.probability is None else f" {word.probability:.3f}"
                line = f"{name} 1 {word.start:.3f} {max(word.end - word.start, 0.0):.3f} {text}{known}\n"
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


def cues(record: Transcript) -> Iterator[Cue]:
    """The subtitles of a transcript: a word each with --timestamps word, else as many words as their lines hold."""
    width, lines = (int(record.options.get(name) or 0) for name in ("max_line_width", "max_lines"))
    if "max_line_width" not in record.options:
        width, lines = WIDTH, LINES
    gap = "" if record.language in UNSPACED else " "
    for segment in record.segments:
        if record.options.get("timestamps") == "word" and segment.words:
            for word in segment.words:
                yield Cue(word.start, word.end, (word.text.strip(),), (word,), word.speaker or segment.speaker)
        else:
            yield from _broken(segment, width or 1 << 30, lines or 1 << 30, gap)


def _broken(segment: Segment, width: int, lines: int, gap: str) -> Iterator[Cue]:
    """One segment as cues of at most so many lines of at most so many columns; a longer word stands by itself."""
    words = segment.words or tuple(_evenly(segment, gap))
    shown: list[Word] = []
    for word in words:
        texts = [one.text.strip() for one in (*shown, word)]
        late = shown and (word.start - shown[-1].end > PAUSE or word.end - shown[0].start > LONGEST)
        if shown and (late or len(wrapped(texts, width, gap)) > lines):
            yield _cue(shown, width, gap, segment.speaker)
            shown = []
        shown.append(word)
    if shown:
        yield _cue(shown, width, gap, segment.speaker)


def _cue(words: Sequence[Word], width: int, gap: str, speaker: str | None) -> Cue:
    texts = [word.text.strip() for word in words]
    return Cue(words[0].start, words[-1].end, tuple(wrapped(texts, width, gap)), tuple(words), speaker)


def wrapped(words: Sequence[str], width: int, gap: str = " ") -> list[str]:
    """Words in lines of at most `width` columns; one that is longer has a line to itself."""
    lines: list[str] = []
    for word in words:
        if lines and columns(lines[-1] + gap + word) <= width:
            lines[-1] += gap + word
        else:
            lines.append(word)
    return lines


def columns(text: str) -> int:
    """How many columns of a terminal or a subtitle a text takes: Chinese characters take two, accents on their own none."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def _evenly(segment: Segment, gap: str) -> Iterator[Word]:
    """The words of a segment that has no word times, each with its share of the time by its length."""
    texts = segment.text.split() if gap else [c for c in segment.text if not c.isspace()]
    total = sum(len(text) + 1 for text in texts)
    before = 0
    for text in texts:
        first, last = before, before + len(text) + 1
        span = (segment.end - segment.start) / total
        yield Word(text, segment.start + first * span, segment.start + last * span)
        before = last


def _minutes(seconds: float) -> str:
    """MM:SS.xx as in lyrics."""
    total = max(0, math.floor(seconds * 100 + 0.5))
    return f"{total // 6000:02}:{total // 100 % 60:02}.{total % 100:02}"

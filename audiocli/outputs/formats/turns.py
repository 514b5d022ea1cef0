"""Turns of speakers: RTTM for scoring tools, labels for Audacity, tables, records, subtitles and TextGrids."""

from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from ...records import Diarization, Turn
from .lines import Interval, as_bytes, audacity, clock, csv_rows, heading, one_line, praat, recording, token
from .objects import Place, encoded, head


def rttm(records: Sequence[Diarization], stream: BinaryIO, place: Place) -> None:
    """Rich Transcription Time Marked (NIST, 2009): file, channel, start, duration, speaker; no blanks within names."""
    for record in records:
        for turn in record.turns:
            times = f"{turn.start:.3f} {turn.end - turn.start:.3f}"
            where = f"{recording(record.path, place)} {turn.channel}"
            stream.write(as_bytes(f"SPEAKER {where} {times} <NA> <NA> {token(turn.speaker)} <NA> <NA>\n"))


def track(records: Sequence[Diarization], stream: BinaryIO, place: Place) -> None:
    """A label track of Audacity."""
    for record in records:
        stream.write(audacity(_intervals(record.turns)))


def csv(records: Sequence[Diarization], stream: BinaryIO, place: Place) -> None:
    """Start, end (seconds) and speaker; the path before them in a stream of several."""
    for number, record in enumerate(records):
        shared = [] if place.output else [record.path]
        if place.first and number == 0:
            stream.write(csv_rows([[*(["path"] if shared else []), "start", "end", "speaker"]]))
        turns = ((*shared, f"{turn.start:.3f}", f"{turn.end:.3f}", turn.speaker) for turn in record.turns)
        stream.write(csv_rows(turns))


def txt(records: Sequence[Diarization], stream: BinaryIO, place: Place) -> None:
    """A line a turn, for people; the name of the input above in a stream of several."""
    for record in records:
        stream.write(as_bytes(heading(record.path, place)))
        for turn in record.turns:
            times = f"{clock(turn.start, '.')} - {clock(turn.end, '.')}"
            stream.write(as_bytes(f"{times}  {one_line(turn.speaker)}\n"))


def srt(records: Sequence[Diarization], stream: BinaryIO, place: Place) -> None:
    """SubRip: the speaker's name on the screen as long as the turn lasts."""
    for record in records:
        for number, turn in enumerate(record.turns, 1):
            times = f"{clock(turn.start, ',')} --> {clock(turn.end, ',')}"
            stream.write(as_bytes(f"{number}\n{times}\n{one_line(turn.speaker)}\n\n"))


def textgrid(records: Sequence[Diarization], stream: BinaryIO, place: Place) -> None:
    """Praat: an interval tier for each speaker, so that turns may overlap; an empty one where nobody speaks."""
    for record in records:
        tiers = [
            (speaker, _intervals(turn for turn in record.turns if turn.speaker == speaker))
            for speaker in record.seconds
        ]
        stream.write(praat(tiers or [("speakers", [])], record.duration))


def _intervals(turns: Iterable[Turn]) -> list[Interval]:
    return [(turn.start, turn.end, turn.speaker) for turn in turns]


def json_object(records: Sequence[Diarization], stream: BinaryIO, place: Place) -> None:
    """One object: the head, then the speakers with their seconds, and the turns."""
    for record in records:
        about = {
            "exclusive": record.exclusive,
            "speakers": list(_speakers(record)),
            "turns": [_turn(turn) for turn in record.turns],
        }
        stream.write(encoded({**head(record, place), **about}) + b"\n")


def _speakers(record: Diarization) -> Iterator[dict[str, str | float]]:
    for speaker, seconds in record.seconds.items():
        known = {"probability": round(record.known[speaker], 3)} if speaker in record.known else {}
        yield {"speaker": speaker, "seconds": round(seconds, 3), **known}


def _turn(turn: Turn) -> dict[str, str | float]:
    channel = {"channel": turn.channel} if turn.channel != 1 else {}
    return {"start": round(turn.start, 3), "end": round(turn.end, 3), "speaker": turn.speaker, **channel}

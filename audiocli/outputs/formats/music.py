"""Music that is known by its notes: as MIDI, as a piano roll, voice by voice, and in JSON; and notes that were heard, as MIDI."""

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from ...errors import OutputError, UsageError
from ...records import Features, Music
from . import sound
from .objects import Place, encoded, head

MIDI = "mid"
Write = Callable[[Sequence[Music], BinaryIO, Place], None]


def stem_writer(name: str, voice: str) -> Write:
    """The writer of one voice by itself, in an audio format or as MIDI."""

    def write(records: Sequence[Music], stream: BinaryIO, place: Place) -> None:
        (record,) = records
        tags = {**record.tags, "title": f"{record.tags.get('title', '')} ({voice})"}
        if name == MIDI:
            _notes(record, stream, (voice,))
        else:
            sound.put(record.stems[voice], tags, name, stream)

    return write


def mid(records: Sequence[Music], stream: BinaryIO, place: Place) -> None:
    """A MIDI file with a track for each voice; the tags stand in markers at its start."""
    (record,) = records
    _notes(record, stream, None)


def tones(records: Sequence[Features], stream: BinaryIO, place: Place) -> None:
    """A MIDI file of the notes that were heard."""
    from ...music import midi

    (record,) = records
    if list(record.tables) != ["notes"]:
        raise UsageError(f"mid holds notes, not {', '.join(record.tables)}: give --kind notes alone")
    stream.write(midi.tones_file(record.tables["notes"].values()))


def _notes(record: Music, stream: BinaryIO, voices: tuple[str, ...] | None) -> None:
    from ...music import midi

    if record.piece is None:
        raise OutputError(f"{record.model} makes sound, not notes: it cannot be written as MIDI")
    stream.write(midi.file(record.piece, record.program, tuple(record.tags.values()), voices))


def picture(name: str) -> Write:
    """The writer of a piano roll."""

    def draw(records: Sequence[Music], stream: BinaryIO, place: Place) -> None:
        from ..figures import chorale
        from ..figures import tables as plots

        (record,) = records
        if record.piece is None:
            raise OutputError(f"{record.model} makes sound, not notes: it cannot be drawn as a piano roll")
        plots.save(record, stream, name, chorale.figure)

    return draw


def json_object(records: Sequence[Music], stream: BinaryIO, place: Place) -> None:
    """One object: the head, tempo and notes where they are known, and the verb's own fields."""
    for record in records:
        about: dict[str, Any] = {"channels": record.sound.channels, **record.details}
        if record.piece is not None:
            about |= {"pitches": record.piece.grid.tolist(), "onsets": record.piece.onsets.astype(int).tolist()}
        stream.write(encoded({**head(record, place), **about}) + b"\n")

"""wav, flac, ogg, opus, mp3, ...: results that are sound; and their description in JSON and text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from ...audio import fitting, open_writer
from ...audio.encoders import KINDS
from ...console import plain
from ...records import Recording, Sound
from .objects import Place, encoded, head

UNITS = {"level": "dBFS", "snr": "dB", "tempo": "BPM"}

__all__ = ["KINDS", "json_object", "put", "summary", "writer"]


def writer(name: str) -> Callable[[Sequence[Recording], BinaryIO, Place], None]:
    """The writer of one audio format; samples keep their subtype where the format has it."""

    def write(records: Sequence[Recording], stream: BinaryIO, place: Place) -> None:
        (record,) = records
        put(record.sound, record.tags, name, stream)

    return write


def put(sound: Sound, tags: Mapping[str, str], name: str, stream: BinaryIO) -> None:
    """Write a sound in an audio format."""
    subtype = fitting(name, sound.subtype)
    with open_writer(stream, sound.sample_rate, sound.channels, format=name, subtype=subtype, tags=tags) as out:
        for block in sound.blocks():
            out.write(block)


def json_object(records: Sequence[Recording], stream: BinaryIO, place: Place) -> None:
    """One object on each line: the head, the properties of the sound, and the verb's own fields."""
    for record in records:
        sound = record.sound
        about = {
            "duration": round(sound.duration, 6), "sample_rate": sound.sample_rate, "channels": sound.channels,
        }  # fmt: skip
        stream.write(encoded({**head(record, place), "sound": about, **record.details}) + b"\n")


def summary(records: Sequence[Recording], stream: BinaryIO, place: Place) -> None:
    """A line a record and one for each detail: for a look, not for a program."""
    for record in records:
        lines = [f"{plain(record.path)}: {record.sound.duration:.2f} s at {record.sound.sample_rate} Hz"]
        lines += [f"  {name:<20} {value}{_unit(name, value)}" for name, value in _flat(record.details)]
        stream.write(("\n".join(lines) + "\n").encode())


def _unit(name: str, value: str) -> str:
    """The unit of a figure, with a blank before it."""
    unit = UNITS.get(name.rpartition(" ")[2])
    return f" {unit}" if unit and value != "-" else ""


def _flat(details: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values of what may be nested."""
    for name, value in details.items():
        if isinstance(value, dict):
            yield from ((f"{name} {inner}", text) for inner, text in _flat(value))
        else:
            yield name, "-" if value is None else f"{value:.4g}" if isinstance(value, float) else plain(str(value))

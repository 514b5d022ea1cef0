"""Standard MIDI files by their bytes: anything but music is ignored, whatever it holds; damage is reported."""

import struct

import pytest

from audiocli.errors import InputError
from audiocli.music import midi, smf
from audiocli.music.piece import piece_of
from tests.music.test_midi import PIECE

NOTE = b"\x00\x90\x3c\x50\x60\x80\x3c\x00"  # on at 0, off 96 ticks later
END = b"\x00\xff\x2f\x00"


def file(track, ticks=96):
    """A file of one track."""
    return struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, ticks, b"MTrk", len(track)) + track


def notes(data):
    (track,) = smf.parse(data).tracks
    return [(event.time, event.kind, event.data[0]) for event in track if event.kind in (smf.NOTE_ON, smf.NOTE_OFF)]


@pytest.mark.parametrize(
    ("event", "delta"),
    [
        (b"\x00\xff\x59\x02\x0f\x05", 0),  # a key with fifteen sharps, neither major nor minor
        (b"\x00\xff\x59\x00", 0),  # and one that is missing
        (b"\x0a\xff\x60\x01\x00", 10),  # an unknown event, after ten ticks
        (b"\x05\xf0\x02\x7e\xf7", 5),  # system exclusive
        (b"\x00\xff\x51\x01\x07", 0),  # a tempo of one byte
        (b"\x00\xff\x58\x01\x03", 0),  # a meter of one byte
        (b"\x00\xc0\x10\x00\xe0\x00\x40\x00\x10\x40", 0),  # a program, a bend, and one more by running status
    ],
)
def test_what_is_no_note_costs_none(event, delta, tmp_path):
    data = file(event + NOTE + END)
    assert notes(data) == [(delta, smf.NOTE_ON, 60), (delta + 96, smf.NOTE_OFF, 60)]
    (tmp_path / "x.mid").write_bytes(data)
    assert len(midi.melody(str(tmp_path / "x.mid")).grid) == 4


def test_inside_a_riff_file(tmp_path):
    plain = midi.file(piece_of(PIECE, 80.0), 0)
    body = b"RMID" + struct.pack("<4sI3sx", b"DISP", 3, b"abc") + struct.pack("<4sI", b"data", len(plain)) + plain
    (tmp_path / "x.rmi").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert midi.is_midi(str(tmp_path / "x.rmi"))
    assert (midi.read(str(tmp_path / "x.rmi")).grid == PIECE).all()
    with pytest.raises(InputError, match="without the MIDI file"):
        smf.parse(b"RIFF\x04\x00\x00\x00RMID")


@pytest.mark.parametrize("data", [NOTE[:2], b"\x00\x3c\x50", b"\xff\xff\xff\xff\xff", b"\x00\xff\x51\x7f\x00"])
def test_damage(data):
    with pytest.raises(InputError, match="damaged MIDI file"):
        smf.parse(file(data))

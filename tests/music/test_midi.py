"""MIDI files in and out, and those that are none."""

import struct
from contextlib import suppress

import numpy as np
import pytest
import symusic
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiocli.errors import InputError
from audiocli.music import midi
from audiocli.music.grid import REST, VOICES
from audiocli.music.piece import piece_of
from tests.music.test_grid import CADENCE

PIECE = np.repeat(np.array(CADENCE, np.int8), 4, axis=0)


@pytest.fixture
def written(tmp_path):
    """written(data): the path of a file with it."""

    def write(data, name="x.mid"):
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return write


def one_track(notes, tpq=480, drums=False):
    """A file with one track of (ticks, ticks, pitch)."""
    score = symusic.Score(tpq)
    track = symusic.Track("all", 0, drums)
    for start, length, pitch in notes:
        track.notes.append(symusic.Note(start, length, pitch, 90))
    score.tracks.append(track)
    return bytes(score.dumps_midi())


def test_written_and_read_again(written):
    piece = PIECE.copy()
    piece[3:5, 2] = REST
    found = midi.read(written(midi.file(piece_of(piece, 96.0), 19, ("AI-generated",))))
    np.testing.assert_array_equal(found.grid, piece)
    assert found.tempo.changes == ((0.0, pytest.approx(96.0)),)


def test_the_file_says_what_it_is_and_is_always_the_same():
    data = midi.file(piece_of(PIECE, 80.0), 52, ("AI-generated music, model x", "audiocli"))
    assert data == midi.file(piece_of(PIECE, 80.0), 52, ("AI-generated music, model x", "audiocli"))
    score = symusic.Score.from_midi(data)
    assert [mark.text for mark in score.markers] == ["AI-generated music, model x", "audiocli"]
    assert [(track.name, track.program) for track in score.tracks] == [(name, 52) for name in VOICES]


def test_voices_by_name_even_where_they_lie_the_other_way_round(written):
    piece = np.array([[62, 70, 50, 60]] * 3, np.int8)
    np.testing.assert_array_equal(midi.read(written(midi.file(piece_of(piece, 80.0), 0))).grid, piece)


def test_chosen_voices_only():
    score = symusic.Score.from_midi(midi.file(piece_of(PIECE, 80.0), 0, (), ("alto",)))
    assert [track.name for track in score.tracks] == ["alto"]


def test_one_track_with_chords_is_four_voices(written):
    notes = [(120 * 4 * n, 480, pitch) for n, chord in enumerate(CADENCE) for pitch in chord]
    np.testing.assert_array_equal(midi.read(written(one_track(notes))).grid, PIECE)


def test_other_resolutions_and_a_late_start(written):
    notes = [(960 + 96 * n, 96, pitch) for n, chord in enumerate(CADENCE) for pitch in chord]
    np.testing.assert_array_equal(midi.read(written(one_track(notes, tpq=96))).grid, PIECE)


def test_the_highest_notes_are_the_melody(written):
    found = midi.melody(written(midi.file(piece_of(PIECE, 72.0), 0)))
    np.testing.assert_array_equal(found.grid[:, 0], PIECE[:, 0])
    assert found.tempo.first == pytest.approx(72.0)


def test_notes_of_a_voice():
    voice = np.array([[60, 60, REST, 62, 60, 60]], np.int8).T
    piece = piece_of(voice, 80.0)
    assert piece.notes(0) == [(0, 2, 60), (3, 1, 62), (4, 2, 60)]
    piece.onsets[5, 0] = True
    assert piece.notes(0)[2:] == [(4, 1, 60), (5, 1, 60)]
    assert piece_of(voice[:0], 80.0).notes(0) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"RIFF....WAVE", "is not a MIDI file"),
        (b"MThd", "is a damaged MIDI file"),
        (b"MThd" + struct.pack(">IHHH", 6, 1, 0, 480), "holds no notes"),
        (b"MThd" + struct.pack(">IHHH", 6, 1, 4, 480), "damaged MIDI file: it ends too soon"),
        (b"MThd" + struct.pack(">IHHH", 6, 1, 0, 0xE728), "frames of a film"),
        (midi.file(piece_of(PIECE, 80.0), 0)[:60], "damaged"),
        (one_track([]), "holds no notes"),
        (one_track([(0, 480, 40)], drums=True), "holds no notes"),
        (one_track([(0, 480, pitch) for pitch in (72, 67, 64, 60, 48)]), "has 5 notes at once"),
        (one_track([(0, 480, 100)]), "pitches outside the voices"),
        (one_track([(0, 480, 60), (10**8, 480, 62)]), "longer than"),
    ],
)
def test_what_is_no_four_part_music(written, data, message):
    with pytest.raises(InputError, match=message):
        midi.read(written(data))


@given(st.integers(0, 400), st.integers(0, 255), st.integers(14, 400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_anywhere_is_reported_or_ignored(written, place, value, end):
    """One byte is another one, and the end is missing: a piece or a clear error, never a crash."""
    data = bytearray(midi.file(piece_of(PIECE, 80.0), 0))
    data[place % len(data)] = value
    with suppress(InputError):
        midi.read(written(bytes(data[:end])))


def test_files_that_are_not_there(tmp_path):
    for path in (tmp_path / "none.mid", tmp_path):
        with pytest.raises(InputError):
            midi.read(str(path))


def test_damaged_files_end_in_one_kind_of_error(written):
    """Any change of a few bytes gives music or an InputError, soon."""
    random = np.random.default_rng(0)
    good = midi.file(piece_of(PIECE, 80.0), 0)
    for _ in range(150):
        data = bytearray(good)
        for place in random.integers(0, len(data), 4):
            data[place] = random.integers(256)
        with suppress(InputError):
            assert midi.read(written(bytes(data))).grid.shape[1] == 4

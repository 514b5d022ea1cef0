"""Places and times of notes: repeated notes, legato, tempos, meters and rests survive from file to file."""

import io

import mido
import numpy as np
import pytest
import soundfile
import soxr

from audiocli.music import midi, smf, tokens
from audiocli.music.grid import VOICES
from audiocli.music.piece import Tempo, piece_of, steady
from audiocli.options import MusicOptions
from audiocli.tones import voice
from audiocli.verbs.generate_music import melody, plan, render

PITCHES = (60, 60, 67, 67, 69, 69, 67, 65, 65, 64, 64, 62, 62, 60)
SONG = [(pitch, 2 if n in (6, 13) else 1) for n, pitch in enumerate(PITCHES)]


def tune(song=SONG, tempo=120.0, lead=0.0, gap=0.05):
    """(start, end, pitch) in seconds of a song in quarters; a negative gap is an overlap."""
    lengths = np.array([length for _, length in song]) * 60 / tempo
    ends = lead + np.cumsum(lengths)
    return [(start, end - gap, pitch) for start, end, (pitch, _) in zip(ends - lengths, ends, song, strict=True)]


def written(notes, *events, ticks=480):
    """A MIDI file of notes in quarters, and (quarter, meta event)."""
    found = [(start, 1, mido.Message("note_on", note=pitch, velocity=90)) for start, _, pitch in notes]
    found += [(end, 0, mido.Message("note_off", note=pitch)) for _, end, pitch in notes]
    found += [(at, -1, event) for at, event in events]
    track, now = mido.MidiTrack(), 0
    for at, _, message in sorted(found, key=lambda item: item[:2]):
        track.append(message.copy(time=round(at * ticks) - now))
        now = round(at * ticks)
    out = io.BytesIO()
    mido.MidiFile(tracks=[track], ticks_per_beat=ticks).save(file=out)
    return out.getvalue()


def heard(data):
    """(start, pitch) in seconds of every note of the first track that has some, as mido times them."""
    now, found = 0.0, []
    for message in mido.MidiFile(file=io.BytesIO(data)):
        now += message.time
        if message.type == "note_on" and message.velocity and message.channel == 0:
            found.append((round(now, 3), message.note))
    return found


def harmonised(tmp_path, data, **options):
    """The file written of a melody to which nothing is composed."""
    (tmp_path / "x.mid").write_bytes(data)
    own = MusicOptions(melody=str(tmp_path / "x.mid"), **options)
    found = plan.plan(own, plan.given(own), 0)
    grid = np.full((len(found.given), 4), -1, np.int8)
    grid[:, 0] = tokens.grid_of(found.given[:, :1])[:, 0]
    return midi.file(found.piece(grid), 0, (), VOICES[:1])


@pytest.mark.parametrize("gap", [0.1, 0.0, -0.3, -0.5])
def test_every_note_of_a_song_is_kept_on_its_time(tmp_path, gap):
    notes = tune(tempo=60.0, gap=max(gap, 0.0))  # a quarter is a second
    if gap < 0:  # legato, without the repeated notes, which one MIDI channel cannot overlap
        notes = [note for n, note in enumerate(tune(tempo=60.0, gap=gap)) if n % 2 == 0]
    found = heard(harmonised(tmp_path, written(notes)))
    assert found == [(round(start / 2, 3), pitch) for start, _, pitch in notes]  # 120 quarters a minute


def test_tempos_meter_and_a_leading_rest_are_kept(tmp_path):
    notes = [(6.0 + start, 6.0 + end, pitch) for start, end, pitch in tune(tempo=60.0)]
    given = written(
        notes,
        (0.0, mido.MetaMessage("time_signature", numerator=3, denominator=4)),
        (0.0, mido.MetaMessage("set_tempo", tempo=500_000)),
        (8.1, mido.MetaMessage("set_tempo", tempo=1_000_000)),
        (12.0, mido.MetaMessage("set_tempo", tempo=400_000)),
    )
    made = harmonised(tmp_path, given)
    assert heard(made) == heard(given)
    assert [event.data[:2] for event in smf.parse(made).tracks[0] if event.kind == smf.METER] == [b"\x03\x02"]
    slower = harmonised(tmp_path, given, tempo=60.0)
    assert [start for start, _ in heard(slower)] == [round(start, 3) for start, _, _ in notes]


def test_a_melody_is_cut_where_the_seconds_end(tmp_path):
    made = harmonised(tmp_path, written(tune(tempo=60.0)), seconds=5.0)
    assert [start for start, _ in heard(made)] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 4.5]
    assert mido.MidiFile(file=io.BytesIO(made)).length == pytest.approx(5.0, abs=0.01)


def test_notes_that_find_no_sixteenth_are_counted(tmp_path):
    (tmp_path / "x.mid").write_bytes(written([(n / 16, (n + 1) / 16, 60 + n % 5) for n in range(32)]))
    found = midi.melody(str(tmp_path / "x.mid"))
    assert len(found.notes(0)) == 9
    assert found.warnings == ("23 notes that are shorter than a sixteenth were left out",)


@pytest.mark.parametrize(("seconds", "steps"), [(5.0, 26), (10.0, 53)])
def test_what_is_composed_lasts_as_long_as_it_should(seconds, steps):
    found = plan.plan(MusicOptions(seconds=seconds), plan.NOTHING, 0)
    piece = found.piece(np.full((len(found.given), 4), 60, np.int8)).held(found.held)
    assert len(piece.grid) == steps
    assert seconds - 60 / 80 / 4 < piece.seconds <= seconds
    assert len(piece.notes(0)) == 1


def test_seconds_and_steps_are_each_others_inverse():
    tempo = Tempo(((0.0, 120.0), (4.0, 60.0), (12.0, 240.0)))
    assert [tempo.seconds(step) for step in (0.0, 4.0, 8.0, 12.0, 28.0)] == [0.0, 0.5, 1.5, 2.5, 3.5]
    for seconds in (0.0, 0.3, 0.5, 2.4, 2.5, 9.0):
        assert tempo.seconds(tempo.step(seconds)) == pytest.approx(seconds)
    assert steady(120.0).seconds(8.0) == 1.0


def played(notes, program, tempo=120.0):
    """Samples of a tune on an instrument, in the room of generate-music."""
    steps = [(round(start * tempo / 15), round(end * tempo / 15), pitch) for start, end, pitch in notes]
    grid = np.full((steps[-1][1], 4), -1, np.int8)
    piece = piece_of(grid, tempo)
    for start, end, pitch in steps:
        grid[start:end, 0], piece.onsets[start, 0] = pitch, True
    length = round((piece.seconds + 1.0) * render.SAMPLE_RATE)
    mix = render.Performance(piece, program, render.soundfont(None), length).mix
    return soxr.resample(mix.mean(axis=0), render.SAMPLE_RATE, voice.SAMPLE_RATE)


@pytest.mark.parametrize("program", [render.PROGRAMS["piano"], render.PROGRAMS["strings"], render.PROGRAMS["organ"]])
def test_every_note_of_a_recording_is_kept(tmp_path, program):
    notes = tune(lead=1.0, gap=0.0)
    soundfile.write(tmp_path / "x.wav", played(notes, program), voice.SAMPLE_RATE)
    found = melody.heard(str(tmp_path / "x.wav"), None, 80.0)
    assert found.tempo.first == pytest.approx(120.0, rel=0.01)
    assert [note.pitch % 12 for note in found.notes(0)] == [pitch % 12 for _, _, pitch in notes]
    starts = [found.time(note.start) for note in found.notes(0)]
    assert starts == pytest.approx([start for start, _, _ in notes], abs=0.08)


def test_the_tempo_of_strikes():
    random = np.random.default_rng(0)
    for tempo in (66.0, 90.0, 126.0):
        times = [start for start, _, _ in tune(tempo=tempo)] + random.normal(0, 0.005, 14)
        assert melody.tempo_of(times.tolist()) == pytest.approx(tempo, rel=0.01)
    assert melody.tempo_of(np.sort(random.uniform(0, 60, 40)).tolist()) is None
    assert melody.tempo_of([0.0, 1.0]) is None


def test_a_note_that_comes_again_is_let_go_before():
    piece = piece_of(np.full((8, 4), 60, np.int8), 60.0)
    piece.onsets[4, 0] = True
    mix = render.Performance(piece, render.PROGRAMS["organ"], render.soundfont(None), 3 * render.SAMPLE_RATE)._voice(
        "soprano"
    )
    level = np.abs(mix).max(axis=0)
    moment = slice(int(0.96 * render.SAMPLE_RATE), int(1.0 * render.SAMPLE_RATE))
    assert level[moment].min() < 0.2 * level[: render.SAMPLE_RATE // 2].max()

"""From notes to sound: pitch, level, length, stems, soundfonts that are none."""

import numpy as np
import pyloudnorm
import pytest

from audiocli.errors import UsageError
from audiocli.music.grid import REST
from audiocli.music.piece import piece_of
from audiocli.verbs.generate_music import render
from tests.music.test_midi import PIECE

RATE = render.SAMPLE_RATE


def played(piece=PIECE, instrument="organ", seconds=5.0, tempo=60.0):
    program = render.PROGRAMS[instrument]
    return render.Performance(piece_of(piece, tempo), program, render.soundfont(None), round(seconds * RATE))


@pytest.mark.parametrize("instrument", render.PROGRAMS)
def test_even_level_and_no_clipping(instrument):
    found = played(instrument=instrument)
    assert found.mix.shape == (2, 5 * RATE)
    assert np.abs(found.mix).max() <= render.PEAK + 1e-6
    loudness = pyloudnorm.Meter(RATE).integrated_loudness(found.mix.T.astype(float))
    assert render.LOUDNESS - 6 < loudness < render.LOUDNESS + 0.1
    np.testing.assert_allclose(sum(found.stem(n) for n in range(4)), found.mix, atol=1e-6)


@pytest.mark.parametrize(
    ("instrument", "pitch"), [("piano", 69), ("piano", 60), ("strings", 48), ("organ", 72), ("choir", 62)]
)
def test_the_pitch_is_that_of_the_notes(instrument, pitch):
    """Most of the power lies near whole multiples of half the fundamental (organs have a rank an octave lower)."""
    piece = np.full((16, 4), REST, np.int8)
    piece[:, 0] = pitch
    mono = played(piece, instrument, 4.5).mix.mean(axis=0)
    power = np.square(np.abs(np.fft.rfft(mono[RATE : 3 * RATE] * np.hanning(2 * RATE))))
    hertz = np.arange(len(power)) / 2
    parts = hertz / (440 * 2 ** ((pitch - 69) / 12)) * 2
    wanted = np.maximum(np.rint(parts), 1)
    near = np.abs(12 * np.log2(np.maximum(parts, 1e-9) / wanted)) < 0.4  # semitones
    low = parts < 9
    assert power[near & low].sum() > 0.8 * power[low].sum()


def test_it_ends_in_silence_and_each_voice_has_its_place():
    found = played(instrument="choir", seconds=7.0)
    assert np.abs(found.mix[:, -100:]).max() < 1e-3
    assert np.abs(found.mix[:, RATE : 2 * RATE]).max() > 0.05
    left, right = (np.square(found.stem(n)).mean(axis=1) for n in (0, 3))
    assert left[0] > left[1]
    assert right[1] > right[0]


def test_silence_stays_silence_and_moments_are_enough():
    assert render.level(np.zeros((2, 100), np.float32)) == 1.0
    assert np.isfinite(render.level(np.full((2, 100), 0.1, np.float32)))
    assert played(PIECE[:1], seconds=0.1).mix.shape == (2, RATE // 10)


def test_soundfonts_that_are_none(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        render.soundfont(str(tmp_path / "none.sf2"))
    with pytest.raises(UsageError, match="is a folder"):
        render.soundfont(str(tmp_path))
    whole = render.soundfont(None).read_bytes()
    for name, data in (("junk", b"RIFF" + bytes(100)), ("empty", b""), ("cut", whole[: len(whole) // 2])):
        path = tmp_path / f"{name}.sf2"
        path.write_bytes(data)
        with pytest.raises(UsageError, match="is not a readable soundfont"):
            render.player(render.soundfont(str(path)))

"""Pitch in noise by SwiftF0 and by YIN, notes of rendered chorales by Basic Pitch, and the melody that generate-music hears."""

from collections.abc import Callable
from pathlib import Path

import mir_eval
import numpy as np
import soxr
from numpy.typing import NDArray

from audiocli import audio
from audiocli.models import cache, registry
from audiocli.models.load import load
from audiocli.music.grid import REST, Grid
from audiocli.music.piece import Piece, piece_of
from audiocli.options import ModelOptions
from audiocli.tones.hearing import NoteFinder, PitchTracker, Tone, at, whole
from audiocli.tones.models import TASK
from audiocli.tones.voice import OneVoice
from audiocli.training.recipes.music import from_json
from audiocli.verbs.generate_music import melody, render
from bench._common import Row, Score, side_by_side
from bench.music import JSB
from tests.kernels.rhythm_signals import DATA

Floats = NDArray[np.float32]

RATE = 16_000  # Hz
FMIN, FMAX = 60.0, 1_000.0  # Hz
STEP = 0.01  # s
CLIPS, CHORALES, STEPS, TEMPO = 20, 20, 160, 80.0
NOISES = (10, 0)  # dB of signal to noise
INSTRUMENTS = ("choir", "piano", "strings", "organ")
CPU = ModelOptions(device="cpu")


def engine(name: str) -> PitchTracker:
    """A tracker by name."""
    return load(name, TASK, PitchTracker, CPU)


def pitches(tracker: PitchTracker, samples: Floats) -> Floats:
    """Hz each STEP, 0 where unvoiced."""
    stream = tracker.begin(FMIN, FMAX)
    hertz = np.concatenate([stream.push(samples), stream.finish()])
    times = np.arange(0.0, len(samples) / RATE, STEP)
    return np.nan_to_num(at(hertz, tracker.hop_length / tracker.sample_rate, times))


def accuracy(truth: Floats, found: Floats) -> float:
    """Raw pitch accuracy: the share of voiced frames whose pitch is within half a semitone."""
    voicing, cents = mir_eval.melody.freq_to_voicing(truth)[1], mir_eval.melody.hz2cents(truth)
    return float(
        mir_eval.melody.raw_pitch_accuracy(
            voicing, cents, found > 0, mir_eval.melody.hz2cents(found.astype(np.float64))
        )
    )


def spoken() -> list[Floats]:
    """Clips of different speakers, up to 8 s of each."""
    lines = (DATA / "mini-librispeech" / "transcripts.tsv").read_text().splitlines()[1:]
    first = {line.split("\t")[1]: line.split("\t")[0] for line in reversed(lines)}
    paths = [DATA / "mini-librispeech" / path for _, path in sorted(first.items())[:CLIPS]]
    return [audio.read(str(path), sample_rate=RATE, mono=True, duration=8.0).samples[0] for path in paths]


def gliding(seed: int) -> tuple[Floats, Floats]:
    """A made voice of 6 s with vibrato that wanders over an octave, and its pitch each STEP."""
    random = np.random.default_rng(seed)
    times = np.arange(6 * RATE) / RATE
    knots = random.uniform(0.0, 12.0, 7) + random.uniform(0.0, 24.0)
    semitones = np.interp(times, np.arange(7), knots) + 0.3 * np.sin(2 * np.pi * 5.5 * times)
    hertz = 82.4 * 2 ** (semitones / 12)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    sound = sum(np.where(n * hertz < 7_000, np.sin(n * phase) / n, 0.0) for n in range(1, 25))
    return (0.1 * sound).astype(np.float32), hertz[:: round(STEP * RATE)].astype(np.float32)


def noises() -> Callable[[int], Floats]:
    """Rain of ESC-10, or white noise, by turns."""
    rows = [line.split("\t") for line in (DATA / "esc10" / "clips.tsv").read_text().splitlines()[1:]]
    paths = [DATA / "esc10" / row[0] for row in rows if row[1] == "rain"]

    def noise(n: int) -> Floats:
        if n % 2:
            return np.random.default_rng(n).standard_normal(8 * RATE).astype(np.float32)
        return np.tile(audio.read(str(paths[n]), sample_rate=RATE, mono=True).samples[0], 2)

    return noise


def mixed(clean: Floats, noise: Floats, decibels: float) -> Floats:
    """The sum with that ratio of powers."""
    part = noise[: len(clean)]
    gain = np.sqrt(np.mean(clean**2) / np.mean(part**2)) * 10 ** (-decibels / 20)
    return (clean + gain * part).astype(np.float32)


def pitch_scores() -> list[Score]:
    """Raw pitch accuracy of both on noisy clips and noisy made tones."""
    swift, yin, noise = engine("swift-f0"), engine("yin"), noises()
    speech = [(clip, pitches(yin, clip)) for clip in spoken()]
    made = [gliding(n) for n in range(CLIPS)]
    scores = []
    for what, clips in (("speech, against YIN on the clean clip", speech), ("made voices", made)):
        for decibels in NOISES:
            both = []
            for tracker in (swift, yin):
                rates = [
                    accuracy(truth[: len(found)], found[: len(truth)])
                    for n, (clean, truth) in enumerate(clips)
                    for found in [pitches(tracker, mixed(clean, noise(n), decibels))]
                ]
                both.append(float(np.mean(rates)))
            ours, theirs = both
            name = f"raw pitch accuracy in noise of {decibels} dB: {what}"
            scores.append(Score(name, f"{ours:.3f}", "YIN", f"{theirs:.3f}", "above YIN", ours > theirs, "SwiftF0"))
    return scores


def rendered(piece: Piece, instrument: str) -> Floats:
    """A piece as samples at the renderer's rate."""
    length = round((piece.seconds + 1) * render.SAMPLE_RATE)
    played = render.Performance(piece, render.PROGRAMS[instrument], render.soundfont(None), length)
    return np.asarray(played.mix.mean(axis=0), np.float32)


def found_in(sound: Floats, finder: NoteFinder) -> list[Tone]:
    """The notes that are heard in a rendered piece."""
    return whole(finder, np.asarray(soxr.resample(sound, render.SAMPLE_RATE, finder.sample_rate), np.float32))


def chorale(grid: Grid, voices: int) -> Piece:
    """The first bars of a chorale, the upper voices of it."""
    cut = grid[:STEPS].copy()
    cut[:, voices:] = REST
    return piece_of(cut, TEMPO)


def notes_of(piece: Piece) -> list[Tone]:
    """Its notes in seconds."""
    return [
        Tone(piece.time(note.start), piece.time(note.start + note.length), note.pitch)
        for voice in range(4)
        for note in piece.notes(voice)
    ]


def f1(truth: list[Tone], found: list[Tone]) -> float:
    """Note F1: onset within .05 s, pitch within half a semitone, ends not looked at."""
    if not found:
        return 0.0
    parts = [
        (np.array([tone[:2] for tone in tones]), mir_eval.util.midi_to_hz(np.array([tone.pitch for tone in tones])))
        for tones in (truth, found)
    ]
    return float(mir_eval.transcription.precision_recall_f1_overlap(*parts[0], *parts[1], offset_ratio=None)[2])


def note_scores(grids: list[Grid]) -> list[Score]:
    """Note F1 of Basic Pitch; of the soprano alone of the trackers, too."""
    finder = load("basic-pitch", TASK, NoteFinder, CPU)
    voices = [OneVoice(engine(name)) for name in ("swift-f0", "yin")]
    scores = []
    for count, what, target in ((1, "soprano alone", 0.9), (4, "four voices", 0.6)):
        for instrument in INSTRUMENTS:
            pieces = [chorale(grid, count) for grid in grids]
            sounds = [rendered(piece, instrument) for piece in pieces]
            found = [
                np.mean([f1(notes_of(p), found_in(sound, one)) for p, sound in zip(pieces, sounds, strict=True)])
                for one in (finder, *(voices if count == 1 else []))
            ]
            others = " / ".join(f"{value:.3f}" for value in found[1:]) or "-"
            name = f"note F1 of {len(pieces)} chorales, {instrument}: {what}"
            peer = "SwiftF0 / YIN" if count == 1 else "-"
            scores.append(
                Score(name, f"{found[0]:.3f}", peer, others, f">= {target}", bool(found[0] >= target), "Basic Pitch")
            )
    return scores


def melody_scores(grids: list[Grid], folder: Path) -> list[Score]:
    """The share of the steps at which `generate-music --melody` sings what the soprano sang, and the share of voices told apart."""
    import soundfile

    scores = []
    for count, what in ((1, "soprano alone"), (4, "four voices")):
        kept = []
        for grid in grids[:10]:
            piece = chorale(grid, count)
            path = folder / "melody.wav"
            soundfile.write(path, rendered(piece, "piano"), render.SAMPLE_RATE)
            heard = melody.heard(str(path), TEMPO, TEMPO)
            tones = [Tone(heard.time(n.start), heard.time(n.start + n.length), n.pitch) for n in heard.notes(0)]
            kept.append(f1(notes_of(chorale(grid, 1)), tones))
        mean = float(np.mean(kept))
        scores.append(
            Score(f"soprano notes that --melody keeps (F1), piano: {what}", f"{mean:.3f}", "-", "-", "-", True)
        )
    return scores


def speed(sound: Floats) -> list[Row]:
    """SwiftF0 against YIN on a minute."""
    swift, yin = engine("swift-f0"), engine("yin")
    times = side_by_side(lambda: pitches(swift, sound), lambda: pitches(yin, sound), repeats=3)
    return [Row("pitch of a minute, SwiftF0", times[0], "YIN", times[1], "-", True)]


def rows() -> list[Row | Score]:
    """The section of bench.md."""
    import tempfile

    lacking = [name for name in ("swift-f0", "basic-pitch") if not cache.here(registry.MODELS[name])]
    if lacking or not DATA.is_dir():
        return []
    grids = from_json(JSB)["test"][:CHORALES]
    minute = np.concatenate(spoken())[: 60 * RATE]
    with tempfile.TemporaryDirectory() as folder:
        return [*pitch_scores(), *note_scores(grids), *melody_scores(grids, Path(folder)), *speed(minute)]

"""Audio fingerprints: queries of five seconds in noise among many tracks, queries that are in none, and the speed of indexing.

The tracks are made, five minutes each: read speech, half of them over chorales of jsb-chorales on made-up instruments. There is
less speech than that, so every time round it is at another speed: no two tracks share a recording.
AUDIOCLI_BENCH_TRACKS=500 runs the whole of the target, in some minutes; 100 are the default.
"""

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath

import numpy as np
import soundfile
from numpy.typing import NDArray

from audiocli import audio
from audiocli.inputs.sources import Source
from audiocli.options import InputOptions
from audiocli.verbs.verify.recordings.fingerprint import SAMPLE_RATE, fingerprint
from audiocli.verbs.verify.recordings.index import Index, tracks
from audiocli.verbs.verify.recordings.search import search
from audiocli.verbs.verify.recordings.work import Indexing
from bench._common import Score
from tests.kernels.rhythm_signals import DATA

Floats = NDArray[np.float32]

TRACKS = int(os.environ.get("AUDIOCLI_BENCH_TRACKS", "100"))
QUERIES, UNKNOWN = 100, 200
SECONDS = 300
QUERY = 5 * SAMPLE_RATE
INDEXED = 4  # tracks in files, for the speed
SPEEDS = (1.0, 0.85, 1.12, 0.92, 1.2, 0.8, 0.72, 1.25)  # the last one is the fastest; enough for 530 tracks


@cache
def utterances() -> tuple[list[Path], NDArray[np.float64]]:
    """All read speech, and the start of each utterance if they followed one another (s)."""
    paths = sorted((DATA / "mini-librispeech").glob("*/*.opus")) + sorted((DATA / "cmu-arctic").glob("*/*.opus"))
    return paths, np.cumsum([0.0, *(soundfile.info(path).duration for path in paths)])


@cache
def chorales() -> tuple[list[list[int]], ...]:
    parsed = json.loads((DATA / "jsb-chorales" / "jsb-chorales-16th.json").read_text())
    return tuple(piece for part in ("train", "valid", "test") for piece in parsed[part])


@cache
def said(path: Path) -> NDArray[np.float16]:
    """An utterance [n], decoded once for all rounds; its last bits do not matter here."""
    return np.asarray(audio.read(path, sample_rate=SAMPLE_RATE, mono=True).samples[0], np.float16)


def stream(number: int, n: int) -> Floats:
    """A stretch of all read speech [n], the next one for each track; each round is at another speed."""
    paths, begins = utterances()
    around, start = divmod(number * SECONDS * SPEEDS[-1], begins[-1] - SECONDS * SPEEDS[-1])
    speed = SPEEDS[int(around)]
    first = int(np.searchsorted(begins, start, "right")) - 1
    last = int(np.searchsorted(begins, start + n / SAMPLE_RATE * speed)) + 1
    flow = np.concatenate([said(path) for path in paths[first:last]]).astype(np.float32)
    return np.asarray(np.interp(np.arange(n) * speed, np.arange(len(flow)), flow), np.float32)


def music(random: np.random.Generator, n: int) -> Floats:
    """Chorales one after the other: four voices, a wave of a few harmonics each, plucked at every change: [n]."""
    waves = [
        np.sum([random.random() ** 2 / k * np.sin(2 * np.pi * k * np.arange(1024) / 1024) for k in range(1, 9)], 0)
        for _ in range(4)
    ]
    sixteenth = int(random.uniform(0.11, 0.2) * SAMPLE_RATE)
    tuning = random.uniform(-6.0, 6.0)
    notes: list[list[int]] = []
    while len(notes) * sixteenth < n:
        notes += chorales()[random.integers(len(chorales()))]
    out = np.zeros(len(notes) * sixteenth, np.float32)
    for voice, wave in enumerate(waves):
        pitch = np.array([chord[voice] if len(chord) > voice else 0 for chord in notes])
        hertz = np.where(pitch > 0, 440.0 * 2.0 ** ((pitch + tuning - 69) / 12), 0.0)
        phase = np.cumsum(np.repeat(hertz / SAMPLE_RATE * 1024, sixteenth))
        since = np.arange(len(notes)) - np.maximum.accumulate(
            np.where(np.diff(pitch, prepend=-1) != 0, np.arange(len(notes)), 0)
        )
        decay = np.exp(-np.repeat(since, sixteenth) * 0.3 - np.tile(np.linspace(0, 0.3, sixteenth), len(notes)))
        out += (wave[phase.astype(np.int64) % 1024] * decay * np.repeat(hertz > 0, sixteenth)).astype(np.float32)
    return out[:n]


def made(number: int) -> Floats:
    """Track `number`: [SECONDS * SAMPLE_RATE]."""
    random = np.random.default_rng([7, number])
    n = SECONDS * SAMPLE_RATE
    over = level(stream(number, n))
    if number % 2:
        over += random.uniform(0.7, 1.5) * level(music(random, n))
    return np.asarray(0.1 * over, np.float32)


def unknown(number: int) -> Floats:
    """Five seconds that are in no track: one of the other speakers of librispeech-251, over music every second time."""
    random = np.random.default_rng([8, number])
    paths = [
        path
        for path in sorted((DATA / "librispeech-251").glob("*.opus"))
        if not (DATA / "mini-librispeech" / path.name.split("-")[0]).is_dir()
    ]
    query = np.resize(audio.read(paths[number % len(paths)], sample_rate=SAMPLE_RATE, mono=True).samples[0], QUERY)
    return np.asarray(level(query) + (number % 2) * level(music(random, QUERY)), np.float32)


def level(samples: Floats) -> Floats:
    return samples / max(float(np.sqrt(np.mean(np.square(samples)))), 1e-6)


@cache
def sounds() -> tuple[Floats, ...]:
    """Five seconds each, of ESC-10."""
    paths = sorted((DATA / "esc10").glob("*/*.ogg"))
    return tuple(audio.read(path, sample_rate=SAMPLE_RATE, mono=True).samples[0] for path in paths)


def noisy(query: Floats, random: np.random.Generator) -> Floats:
    """A query in as much noise (0 dB): white, or a sound of ESC-10."""
    noise = random.standard_normal(len(query)).astype(np.float32)
    if random.random() < 0.5:
        noise = np.resize(sounds()[random.integers(len(sounds()))], len(query)) + 1e-4 * noise
    return np.asarray(level(query) + level(noise), np.float32)


def through_mp3(query: Floats) -> Floats:
    """A query as mp3 at 32 kbit/s."""
    import av

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "x.mp3"))
        with av.open(path, "w") as file:
            stream_ = file.add_stream("mp3", rate=16_000, options={"b": "32000"}, layout="mono")
            frame = av.AudioFrame.from_ndarray((np.repeat(query, 2)[None] * 32_000).astype(np.int16), "s16p", "mono")
            frame.sample_rate = 16_000
            for packet in (*stream_.encode(frame), *stream_.encode(None)):
                file.mux(packet)
        return np.asarray(audio.read(path, sample_rate=SAMPLE_RATE, mono=True).samples[0])


def telephone(query: Floats) -> Floats:
    """A query between 300 and 3,400 Hz, at a hundredth of the level."""
    spectrum = np.fft.rfft(query)
    hertz = np.fft.rfftfreq(len(query), 1 / SAMPLE_RATE)
    spectrum[(hertz < 300) | (hertz > 3_400)] = 0
    return np.asarray(0.01 * np.fft.irfft(spectrum, len(query)), np.float32)


@dataclass(frozen=True)
class Query:
    """Five seconds [n] of a track, from sample `begin` on."""

    track: int
    begin: int
    samples: Floats


def indexed(db: Path) -> list[Query]:
    """Put the tracks into a database, as the command does it; queries are cut out of them on the way."""
    random = np.random.default_rng(11)
    wanted = Counter(random.integers(TRACKS, size=QUERIES).tolist())
    index, cut = Index(str(db)), list[Query]()
    for number in range(TRACKS):
        whole = made(number)
        index.add(Source(str(number), PurePath(str(number))), fingerprint([whole]))
        begins = random.integers(len(whole) - QUERY, size=wanted[number]).tolist()
        cut += [Query(number, begin, whole[begin : begin + QUERY].copy()) for begin in begins]
    index.close()
    return cut


def rows() -> list[Score]:
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder, "x.db")
        cut = indexed(db)
        size = db.stat().st_size
        known = list(tracks(str(db)))
    random = np.random.default_rng(5)
    ways: dict[str, Callable[[Floats], Floats]] = {
        "0 dB noise": lambda query: noisy(query, random), "mp3 at 32 kbit/s": through_mp3, "telephone band, -40 dB": telephone,
    }  # fmt: skip
    right = dict.fromkeys(ways, 0)
    for query in cut:
        for name, way in ways.items():
            best = search(way(query.samples), known)[0]
            near = abs(best.offset - query.begin / SAMPLE_RATE) < 0.1 + 0.1 * (name[0] == "m")
            right[name] += best.found and PurePath(best.track.path).name == str(query.track) and near
    strangers = [noisy(unknown(n), random) for n in range(UNKNOWN)]
    begin = time.process_time()
    false = sum(search(stranger, known)[0].found for stranger in strangers)
    each = (time.process_time() - begin) / UNKNOWN
    of = f"{TRACKS} tracks, {TRACKS * SECONDS / 3600:.1f} h"
    found = [
        Score(f"5 s queries found, {name}", f"{count} of {QUERIES}", "dejavu (its README, 45 songs)", "5 s: 100 %", ">= 95 %",
              count >= 0.95 * QUERIES, of)
        for name, count in right.items()
    ]  # fmt: skip
    note = f"{of}; {size / 2**20:.0f} MB of database, {1e3 * each:.0f} ms a query"
    left_alone = Score(
        "unknown 5 s queries taken for a track", f"{false} of {UNKNOWN}", "-", "-", "0", false == 0, note
    )
    return [*found, left_alone, speed_row()]


def speed_row() -> Score:
    """Indexing of files by the command's own way, in times of real time, on one core."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.flac") for number in range(INDEXED)]
        for number, path in enumerate(paths):
            soundfile.write(path, np.repeat(made(number), 2), 2 * SAMPLE_RATE)
        index = Index(str(Path(folder, "x.db")))
        work = Indexing(InputOptions())
        begin = time.process_time()
        for path in paths:
            source = Source(str(path), PurePath(path.name), path.stat().st_size, path.stat().st_mtime_ns)
            index.add(source, work([work.read(source)])[0].print)
        took = time.process_time() - begin
        index.close()
    times = INDEXED * SECONDS / took
    return Score("indexing flac files, one core", f"{times:.0f}x real time", "-", "-", ">= 150x", times >= 150)


if __name__ == "__main__":
    for row in rows():
        print(row)

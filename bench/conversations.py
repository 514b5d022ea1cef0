"""Conversations of which it is known who speaks when: made of read speech, with and without overlap, and AMI meetings."""

import csv
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from audiocli import audio
from audiocli.records import Turn
from audiocli.training.mixtures import distortions
from audiocli.vad import cutter
from tests.kernels.rhythm_signals import DATA

Floats = NDArray[np.float32]
Said = Callable[[random.Random, Path], Floats]  # what of an utterance is said in a turn
RATE = 16_000
HELD_OUT = 8  # speakers, those with the highest ids
SHORT_PAUSES = cutter.Cut(silence=0.2, lead=0.1, trail=0.1, comfortable=1e9, longest=1e9)
MEETING = 30.0  # s of each meeting that are annotated

OVERLAP = 0.15  # of the time in which somebody speaks, two do
TURNS = 5  # of each speaker in a conversation with overlap
SNR = (5.0, 20.0)  # dB
STEADY = 0.4  # of the conversations are in steady noise, the others in sounds of the world


def speakers() -> dict[int, list[Path]]:
    """The utterances of each speaker of mini-librispeech."""
    found = defaultdict(list)
    with (DATA / "mini-librispeech" / "transcripts.tsv").open() as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found[int(row["speaker"])].append(DATA / "mini-librispeech" / row["path"])
    return dict(found)


def held_out() -> list[int]:
    """Speakers that no net of ours has been trained on."""
    return sorted(speakers())[-HELD_OUT:]


def piece(draw: random.Random, path: Path) -> Floats:
    """2 to 8 s out of an utterance, cut at pauses, at -26 dBFS."""
    samples = audio.read(path, sample_rate=RATE, mono=True).samples[0]
    span = draw.choice(cutter.merged(cutter.spans(samples, SHORT_PAUSES), draw.uniform(2.0, 8.0)))
    return levelled(samples[int(span.start * RATE) : int(span.end * RATE)][: 8 * RATE])


def levelled(said: Floats) -> Floats:
    """Speech at -26 dBFS."""
    return np.asarray(said / np.sqrt(np.mean(said**2) + 1e-9) * 0.05, np.float32)


def dialogue(
    draw: random.Random, who: Sequence[int], files: dict[int, list[Path]], said_of: Said = piece
) -> tuple[Floats, list[Turn]]:
    """Two to five of the speakers in turns (a piece: 2 to 8 s), pauses of 0.2 to 1.5 s between them, levels at most 6 dB apart."""
    cast = draw.sample(list(who), draw.randint(2, 5))
    gains = {one: 10 ** (draw.uniform(-6.0, 0.0) / 20) for one in cast}
    order = draw.sample(cast, len(cast))
    while len(order) < 4 * len(cast):
        order.append(draw.choice([one for one in cast if one != order[-1]]))
    parts, turns, at = list[Floats](), list[Turn](), 0.0
    for one in order:
        pause = int(draw.uniform(0.2, 1.5) * RATE)
        noise = np.random.default_rng(draw.randrange(1 << 30)).standard_normal(pause)
        said = said_of(draw, draw.choice(files[one])) * np.float32(gains[one])
        parts += [(1e-4 * noise).astype(np.float32), said]
        at += pause / RATE
        turns.append(Turn(at, at + len(said) / RATE, str(one)))
        at += len(said) / RATE
    return np.concatenate(parts), turns


def dialogues(who: Sequence[int], count: int, seed: int) -> list[tuple[Floats, list[Turn]]]:
    """The dialogues, the same in every run."""
    draw, files = random.Random(seed), speakers()
    return [dialogue(draw, who, files) for _ in range(count)]


def conversations(who: Sequence[int], count: int, seed: int, folds: str) -> list[tuple[Floats, list[Turn]]]:
    """The conversations, the same in every run. folds: of esc10, from which the noise is."""
    draw, rooms, files = random.Random(seed), np.random.default_rng(seed), speakers()
    return [conversation(draw, rooms, who, files, folds) for _ in range(count)]


def conversation(
    draw: random.Random, rooms: np.random.Generator, who: Sequence[int], files: dict[int, list[Path]], folds: str,
    said_of: Said = piece,
) -> tuple[Floats, list[Turn]]:  # fmt: skip
    """Two to five of the speakers in places of a room, with OVERLAP and noise."""
    paths = sorted(path for fold in folds for path in (DATA / "esc10").glob(f"*/{fold}-*.ogg"))
    cast = draw.sample(list(who), draw.randint(2, 5))
    speech, turns = _spoken(draw, rooms, cast, files, said_of)
    if draw.random() < STEADY:
        noise = distortions.noise(rooms, len(speech))
    else:
        sound = audio.read(draw.choice(paths), sample_rate=RATE, mono=True).samples[0]
        noise = np.resize(sound, len(speech))
    mixed = distortions.mixed(speech, noise, draw.uniform(*SNR))
    return np.asarray(mixed, np.float32), turns


def _spoken(
    draw: random.Random, rooms: np.random.Generator, cast: Sequence[int], files: dict[int, list[Path]], said_of: Said
) -> tuple[Floats, list[Turn]]:
    """Turns (a piece: 2 to 8 s), each of the cast at a level and in a place of a room of its own.

    The next speaker begins before the one at hand ends as long as there is less than OVERLAP, else after a pause of 0.1 to 1 s.
    """
    gains = {one: 10 ** (draw.uniform(-6.0, 0.0) / 20) for one in cast}
    places = {one: distortions.response(rooms) for one in cast}
    order = draw.sample(list(cast), len(cast))
    while len(order) < TURNS * len(cast):
        order.append(draw.choice([one for one in cast if one != order[-1]]))
    said, turns, end, both = list[tuple[int, Floats]](), list[Turn](), 0.0, 0.0
    for one in order:
        dry = said_of(draw, draw.choice(files[one])) * np.float32(gains[one])
        length = len(dry) / RATE
        shortest = min(length, turns[-1].end - turns[-1].start) if turns else 0.0
        common = draw.uniform(0.3, 0.7) * shortest if both < OVERLAP * end else 0.0
        pause = draw.uniform(0.1, 1.0)
        earliest = turns[-2].end + 0.1 if len(turns) > 1 else 0.0  # no three at once
        start = max(end - common, earliest) if common else end + pause
        both += max(end - start, 0.0)
        end = start + length
        turns.append(Turn(start, end, str(one)))
        said.append((round(start * RATE), fftconvolve(dry, places[one]).astype(np.float32)))
    samples = np.zeros(max(at + len(part) for at, part in said), np.float32)
    for at, part in said:
        samples[at : at + len(part)] += part
    return samples, turns


def meetings() -> dict[str, tuple[Floats, list[Turn]]]:
    """The annotated pieces of AMI by name."""
    found: dict[str, tuple[Floats, list[Turn]]] = {}
    for file in ("trn.rttm", "dev00.rttm", "sample.rttm"):
        for name, turns in rttm((DATA / "ami" / file).read_text()).items():
            path = DATA / "ami" / f"{name}.flac"
            if path.exists():
                samples = audio.read(path, sample_rate=RATE, mono=True).samples[0]
                found[name] = samples if name == "sample" else samples[: int(MEETING * RATE)], turns
    return found


def rttm(text: str) -> dict[str, list[Turn]]:
    """Turns by file."""
    found = defaultdict(list)
    for line in text.splitlines():
        _, name, channel, start, length, _, _, speaker, *_ = line.split()
        found[name].append(Turn(float(start), float(start) + float(length), speaker, int(channel)))
    return dict(found)


def errors(reference: Sequence[Turn], found: Sequence[Turn], end: float) -> dict[str, float]:
    """Seconds of miss, false alarm and confusion, and the DER."""
    from pyannote.core import Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    truth, answer = _annotation(reference), _annotation(found)
    detail: Any = DiarizationErrorRate()(truth, answer, uem=Timeline([Segment(0, end)]), detailed=True)
    return {str(name): float(value) for name, value in detail.items()}


def _annotation(turns: Sequence[Turn]) -> Any:
    from pyannote.core import Annotation, Segment

    found = Annotation()
    for n, turn in enumerate(turns):
        found[Segment(turn.start, turn.end), n] = turn.speaker
    return found

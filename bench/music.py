"""The nets for chorales: nats a token on the test split, the likeness of their music to Bach's, and the time until it is ready."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audiocli.device import Place
from audiocli.models import registry
from audiocli.music import midi, tokens
from audiocli.music.grid import RANGES, REST, STEPS_PER_BAR, VOICES, Grid, key_of
from audiocli.music.piece import piece_of
from audiocli.options import MusicOptions
from audiocli.training.recipes.music import from_json, nll
from audiocli.verbs.generate_music import plan
from audiocli.verbs.generate_music.chorale import compose, read_net
from bench._common import Row, Score, side_by_side
from tests.kernels.rhythm_signals import DATA

JSB = DATA / "jsb-chorales" / "jsb-chorales-16th.json"
PIECES = 150  # in fifty there are some ten parallel fifths, and the rate is off by a third as often as not
USUAL = MusicOptions()
NEAR = 0.25  # of the test set's own value
CONSONANT = (0, 3, 4, 5, 7, 8, 9)  # semitones between two voices, octaves left out
FIFTH = 7
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 9, 10, 11))  # major, minor with its raised sixth and seventh
ASKED = 160  # sixteenths of the pieces in all keys
CACHED_STEPS = (250, 500)  # of the grid: 1,000 and 2,000 tokens
MELODIES = 3
NOWHERE = piece_of(np.empty((0, 4), np.int8), plan.TEMPO)


def histogram(pieces: Sequence[Grid]) -> NDArray[np.float64]:
    """[2, 12]: the share of each degree above the tonic in major and in minor."""
    counts = np.zeros((2, 12))
    for piece in pieces:
        key = key_of(piece)
        degrees = (piece[piece != REST].astype(int) - key) % 12
        counts[key // 12] += np.bincount(degrees, minlength=12)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def overlap(one: Sequence[Grid], other: Sequence[Grid]) -> float:
    """The overlap of the histograms, 0 to 1: the mean of major and minor."""
    return float(np.minimum(histogram(one), histogram(other)).sum(axis=1).mean())


def in_range(pieces: Sequence[Grid]) -> float:
    """Share of the sung sixteenths that lie in the range of their voice in the train split."""
    every = np.concatenate(pieces)
    sung = every != REST
    low, high = np.array(RANGES).T
    return float((sung & (every >= low) & (every <= high)).sum() / sung.sum())


def crossings(pieces: Sequence[Grid]) -> float:
    """Share of the sixteenths at which a voice lies above the one over it."""
    every = np.concatenate(pieces).astype(int)
    both = (every[:, 1:] != REST) & (every[:, :-1] != REST)
    return float(((every[:, 1:] > every[:, :-1]) & both).any(axis=1).mean())


def fifths(pieces: Sequence[Grid]) -> float:
    """Parallel fifths a bar: two voices a fifth apart that move to another fifth, both up or both down."""
    count = 0
    for piece in pieces:
        for before, now in pairwise(piece.astype(int)):
            if (before != now).any():
                count += sum(_parallel(before, now, a, b) for a, b in combinations(range(4), 2))
    return count * STEPS_PER_BAR / sum(map(len, pieces))


def _parallel(before: NDArray[np.int64], now: NDArray[np.int64], a: int, b: int) -> bool:
    if REST in (before[a], before[b], now[a], now[b]):
        return False
    fifth = (before[a] - before[b]) % 12 == FIFTH and (now[a] - now[b]) % 12 == FIFTH
    return bool(fifth and (now[a] - before[a]) * (now[b] - before[b]) > 0)


def consonant(pieces: Sequence[Grid]) -> float:
    """Share of the sixteenths at which every two voices are consonant (unison, thirds, fourth, fifth, sixths)."""
    every = np.concatenate(pieces).astype(int)
    every = every[(every != REST).all(axis=1)]
    apart = np.stack([(every[:, a] - every[:, b]) % 12 for a, b in combinations(range(4), 2)])
    return float(np.isin(apart, CONSONANT).all(axis=0).mean())


SENSES: dict[str, Callable[[Sequence[Grid]], float]] = {
    "voice ranges kept": in_range,
    "voice crossing rate": crossings,
    "parallel fifths a bar": fifths,
    "consonant verticals": consonant,
}


def composed(net: Any, lengths: Sequence[int], keys: Sequence[int], options: MusicOptions = USUAL) -> list[Grid]:
    """A chorale of each length and key."""
    plans = [
        plan.Plan(np.full((length, 4), plan.FREE), tokens.context(length, key), seed, key, NOWHERE, 0.0)
        for seed, (length, key) in enumerate(zip(lengths, keys, strict=True))
    ]
    return [tokens.grid_of(found) for found in compose(net, plans, options)]


def fifty(net: Any, like: Sequence[Grid], options: MusicOptions = USUAL) -> list[Grid]:
    """PIECES chorales as long as the ones of a set, and in their keys."""
    chosen = [like[n % len(like)] for n in range(PIECES)]
    return composed(net, [len(piece) for piece in chosen], [key_of(piece) for piece in chosen], options)


def built_in(name: str) -> Any:
    """The net of a model in audiocli/weights."""
    return read_net(registry.WEIGHTS / name, Place("cpu", "float32"))


def nll_row(nets: dict[str, Any], test: Sequence[Grid]) -> Score:
    found = {name: nll(net, test) for name, net in nets.items()}
    ours, plain = found["chorale-transformer"], found["chorale-lstm"]
    hinted = nll(nets["chorale-transformer"], test, hints=True)
    note = (
        f"nats a frame of four voices: {4 * ours:.2f} (LSTM {4 * plain:.2f}); with key and end given {hinted:.3f}; the peer's: "
        "validation split, ours: test split"
    )
    return Score(
        "nats a token, one token a voice a sixteenth, JSB test", f"{ours:.3f} (LSTM {plain:.3f})",
        "Music Transformer (Huang et al. 2018, table 2)", "0.335", "< the LSTM's", ours < plain, note,
    )  # fmt: skip


def sense_rows(nets: dict[str, Any], data: dict[str, list[Grid]]) -> list[Score]:
    """Likeness to Bach: each value within NEAR of the test set's own; the valid split shows how far Bach is from Bach."""
    made = {name: fifty(net, data["test"]) for name, net in nets.items()}
    rows = [
        _sense_row(
            "pitch-class histogram overlap with the test set",
            {name: overlap(pieces, data["test"]) for name, pieces in made.items()},
            overlap(data["valid"], data["test"]),
            "Bach's is the valid set against the test set",
        )
    ]
    for what, value in SENSES.items():
        found = {name: value(pieces) for name, pieces in made.items()}
        rows.append(_sense_row(what, found, value(data["test"]), f"the valid set's {value(data['valid']):.4f}"))
    return rows


def _sense_row(what: str, found: dict[str, float], wanted: float, note: str) -> Score:
    ours = found["chorale-transformer"]
    reached = abs(ours - wanted) <= NEAR * wanted
    return Score(
        f"{what}, {PIECES} chorales", f"{ours:.4f} (LSTM {found['chorale-lstm']:.4f})", "the test set's own", f"{wanted:.4f}",
        f"within {NEAR:.0%}", reached, note,
    )  # fmt: skip


def command(*args: str) -> float:
    """Seconds of a whole `audiocli generate-music` on one core."""
    cores = sorted(os.sched_getaffinity(0))
    try:
        os.sched_setaffinity(0, cores[:1])
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "audiocli", "generate-music", "-q", *args], check=True)
        return time.perf_counter() - begun
    finally:
        os.sched_setaffinity(0, cores)


def in_scale(piece: Grid, key: int) -> float:
    """Share of the notes that lie in the scale of a key."""
    return float(np.isin((piece[piece != REST].astype(int) - key) % 12, SCALES[key // 12]).mean())


def key_row(net: Any, test: Sequence[Grid]) -> Score:
    """The share of pieces in the key that was asked for, two in each of the 24."""
    keys = [n % 24 for n in range(48)]
    made = composed(net, [ASKED] * len(keys), keys)
    ours = float(np.mean([in_scale(piece, key) for piece, key in zip(made, keys, strict=True)]))
    bach = float(np.mean([in_scale(piece, key_of(piece)) for piece in test]))
    right = sum(key_of(piece) == key for piece, key in zip(made, keys, strict=True))
    what = f"share of the notes in the scale that was asked for, {len(keys)} pieces in 24 keys"
    note = f"the key that fits best is the one asked for in {right} of {len(keys)}"
    return Score(what, f"{ours:.1%}", "Bach, test set", f"{bach:.1%}", ">= Bach's", ours >= bach, note)


def melody_row(test: Sequence[Grid]) -> Score:
    """The soprano of real chorales, given as MIDI, harmonised, and read again from what was written."""
    kept = total = 0
    with tempfile.TemporaryDirectory() as name:
        for n, piece in enumerate(test[:MELODIES]):
            tune, whole = Path(name, f"{n}.mid"), Path(name, f"{n}-whole.mid")
            tune.write_bytes(midi.file(piece_of(piece, plan.TEMPO), 0, (), VOICES[:1]))
            command("--melody", str(tune), "-o", str(whole))
            wanted = midi.melody(str(tune)).grid[:, 0]
            found = midi.read(str(whole)).grid[:, 0]
            kept, total = kept + int((found == wanted).sum()), total + len(wanted)
    share = kept / total
    return Score(f"soprano kept, {MELODIES} melodies of the test set", f"{share:.1%}", "-", "-", "100 %", share == 1.0)


def minute_row() -> Score:
    with tempfile.TemporaryDirectory() as name:
        took = min(command("--seconds", "60", "-o", str(Path(name, f"{n}.wav"))) for n in range(3))
    return Score("60 s of chorale, one core, whole process", f"{took:.1f} s", "-", "-", "<= 15 s", took <= 15.0)


class Uncached:
    """A transformer without its cache: every step goes through all steps before it again."""

    def __init__(self, net: Any) -> None:
        self.net, self.step_out, self.parameters = net, net.step_out, net.parameters

    def start(self) -> None:
        return None

    def step(self, *now: Any) -> Any:
        *inputs, past = now
        past = inputs if past is None else [torch.cat(pair, dim=1) for pair in zip(past, inputs, strict=True)]
        return self.net.states(*past)[:, -1], past


def cache_row(net: Any, steps: int) -> Row:
    found: dict[str, list[Grid]] = {}

    def made(name: str, one: Any) -> Callable[[], None]:
        def run() -> None:
            found[name] = composed(one, [steps], [0])

        return run

    torch.set_num_threads(1)
    ours, peer = side_by_side(made("with", net), made("without", Uncached(net)), repeats=1)
    same = bool((found["with"][0] == found["without"][0]).all())
    note = f"the {'same' if same else 'OTHER'} tokens"
    reached = same and peer >= 5 * ours
    return Row(f"{4 * steps} tokens, one core", ours, "without the cache", peer, ">= 5x", reached, note)


def rows() -> list[Row | Score]:
    data = from_json(JSB)
    nets = {name: built_in(name) for name in ("chorale-transformer", "chorale-lstm")}
    with torch.inference_mode():
        first = nll_row(nets, data["test"])
    return [
        first,
        *sense_rows(nets, data),
        key_row(nets["chorale-transformer"], data["test"]),
        melody_row(data["test"]),
        minute_row(),
        *(cache_row(nets["chorale-transformer"], steps) for steps in CACHED_STEPS),
    ]


if __name__ == "__main__":
    for row in rows():
        print(row)

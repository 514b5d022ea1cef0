"""Voice conversion with no weights: how much nearer to the target it comes by the encoder of verify, and what becomes of the words.

Ten speakers of mini-librispeech, each put into the voices of two others: references of about 20 s, sources of one utterance; the
similarity is to other utterances of the target, which the conversion has not heard.
"""

import csv
import random
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from numpy.typing import NDArray

from audiocli import audio
from audiocli.models import load, timbre, vc_envelope, vc_world
from audiocli.options import ModelOptions, TranscribeOptions
from audiocli.speakers import references, voice
from bench._common import Score
from bench.speak import _heard, normalised
from tests.kernels.rhythm_signals import DATA

SPEAKERS, SHIFTS = 10, (1, 4)
RISES, WORSE = 0.9, 1.3  # share of the pairs that come nearer; factor of the word errors
Floats = NDArray[np.float32]


def speakers() -> dict[str, list[tuple[Path, str]]]:
    """Utterances (path, text) of ten speakers, the same in every run."""
    folder = DATA / "mini-librispeech"
    found: dict[str, list[tuple[Path, str]]] = {}
    with (folder / "transcripts.tsv").open() as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found.setdefault(row["speaker"], []).append((folder / row["path"], row["text"]))
    lot = random.Random(0)
    chosen = lot.sample(sorted(found), SPEAKERS)
    return {name: lot.sample(found[name], 9) for name in chosen}


@lru_cache
def samples(path: Path) -> Floats:
    return audio.read(path, sample_rate=timbre.SAMPLE_RATE, mono=True).samples[0]


def joined(utterances: list[tuple[Path, str]]) -> Floats:
    return np.concatenate([references.levelled(voice.speech(samples(path))) for path, _ in utterances])


def pairs() -> list[tuple[str, str]]:
    names = list(speakers())
    return [(one, names[(n + shift) % len(names)]) for n, one in enumerate(names) for shift in SHIFTS]


def measured(convert: Callable[..., Floats], encoder: Any) -> tuple[list[Floats], np.ndarray, float]:
    """What is made of each pair's source, its similarity to the target, and the time for a second of sound."""
    people = speakers()
    target = {name: timbre.timbre(joined(rows[1:4])) for name, rows in people.items()}
    held = {name: encoder.embed([joined(rows[4:])])[0] for name, rows in people.items()}
    sources = [samples(people[one][0][0]) for one, _ in pairs()]
    own = [timbre.timbre(voice.speech(source)) for source in sources]
    start = time.perf_counter()
    made = [
        convert(source, mine, target[other]) for source, mine, (_, other) in zip(sources, own, pairs(), strict=True)
    ]
    took = time.perf_counter() - start
    near = np.array(
        [voice.hear(encoder, sound).embedding @ held[other] for sound, (_, other) in zip(made, pairs(), strict=True)]
    )
    return made, near, took / sum(len(source) / timbre.SAMPLE_RATE for source in sources)


def wrong(sounds: list[Floats], recogniser: Any) -> float:
    """Word error rate."""
    texts = [normalised(speakers()[one][0][1]) for one, _ in pairs()]
    return float(jiwer.wer(texts, [normalised(_heard(recogniser, sound, timbre.SAMPLE_RATE)) for sound in sounds]))


def rows() -> list[Score]:
    encoder: Any = load(None, "verify", ModelOptions())
    recogniser: Any = load("pocketsphinx", "transcribe", ModelOptions(), TranscribeOptions())
    plain, before, _ = measured(lambda source, own, target: source, encoder)
    errors = wrong(plain, recogniser)
    found = []
    for name, convert in (
        ("cepstral-envelope", vc_envelope.converted),
        ("world", vc_world.converted),
    ):
        made, after, factor = measured(convert, encoder)
        nearer, now = float(np.mean(after > before)), wrong(made, recogniser)
        found += [
            Score(
                f"similarity to the target after {name}, 20 pairs",
                f"{after.mean():.3f}",
                "before",
                f"{before.mean():.3f}",
                "higher",
                bool(after.mean() > before.mean()),
                f"{factor:.3f}x real time",
            ),
            Score(f"pairs that come nearer, {name}", f"{nearer:.0%}", "", "", f">= {RISES:.0%}", nearer >= RISES),
            Score(
                f"words that pocketsphinx gets wrong after {name}",
                f"{now:.1%}",
                "before",
                f"{errors:.1%}",
                f"<= {WORSE:g}x",
                now <= WORSE * errors,
            ),
        ]
    return found


if __name__ == "__main__":
    for row in rows():
        print(row)

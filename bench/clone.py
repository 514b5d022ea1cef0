"""Voice conversion without weights: the gain in similarity to the target by the encoder of verify, and the word errors.

Ten speakers of mini-librispeech by whom the encoder was not trained: the eight that it is tested on and two that it was chosen by.
Each goes into the voices of two others: references of about 30 s, for each pair another short utterance as source; the similarity
is to other utterances of the target, which the conversion has not heard.
"""

import csv
import io
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

import jiwer
import numpy as np
import soundfile
from numpy.typing import NDArray

from audiocli import audio
from audiocli.inputs.sources import Source, Streamed
from audiocli.models.load import load
from audiocli.options import InputOptions, ModelOptions, TranscribeOptions
from audiocli.verbs.clone import envelope, references, world
from audiocli.verbs.transcribe.recogniser import Recogniser
from audiocli.voices import timbre, voice
from audiocli.voices.embeddings import SpeakerEncoder
from bench._common import Score
from tests.kernels.rhythm_signals import DATA

# The numerically highest eight are the encoder's test speakers; of those that it was chosen by, the highest two.
SPEAKERS = ("4680", "5789", "6272", "6848", "7312", "7367", "7859", "8629", "1970", "3526")
SHIFTS = (1, 4)  # in that list, from a speaker to its targets
SHORTEST = 10  # words of a source
RISES, WORSE = 0.9, 1.3  # share of the pairs that come nearer; factor of the word errors
Floats = NDArray[np.float32]
Utterance = tuple[Path, str]


@dataclass(frozen=True)
class Person:
    """Sources with their texts, one for each target; a reference, and recordings to compare the results with."""

    sources: list[Utterance]
    reference: list[Utterance]
    others: list[Utterance]


@lru_cache
def people() -> dict[str, Person]:
    """The sources, the same in every run."""
    folder, found = DATA / "mini-librispeech", dict[str, list[Utterance]]()
    with (folder / "transcripts.tsv").open() as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found.setdefault(row["speaker"], []).append((folder / row["path"], row["text"]))
    return {name: _person(found[name]) for name in SPEAKERS}


def _person(utterances: list[Utterance]) -> Person:
    by_length = sorted(utterances, key=lambda one: len(one[1].split()))
    sources = [one for one in by_length if len(one[1].split()) >= SHORTEST][: len(SHIFTS)]
    rest = random.Random(0).sample([one for one in utterances if one not in sources], 7)
    return Person(sources, rest[:3], rest[3:])


def normalised(text: str) -> str:
    """Lower case, no punctuation."""
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())


def recognised(recogniser: Any, samples: np.ndarray, rate: int) -> str:
    """The recogniser's text for samples, by the way that a file takes."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV")

    class Held(Source):
        def open(self) -> Any:
            return file

    return str(recogniser([Streamed(Held("x.wav", PurePath("x.wav")), InputOptions())])[0].text)


def pairs() -> list[tuple[Utterance, str]]:
    """Sources and the speakers into whose voices they go."""
    return [
        (people()[name].sources[i], SPEAKERS[(n + shift) % len(SPEAKERS)])
        for n, name in enumerate(SPEAKERS) for i, shift in enumerate(SHIFTS)
    ]  # fmt: skip


@lru_cache
def samples(path: Path) -> Floats:
    return np.asarray(audio.read(path, sample_rate=timbre.SAMPLE_RATE, mono=True).samples[0])


def joined(utterances: list[Utterance]) -> Floats:
    return np.concatenate([references.levelled(voice.speech(samples(path))) for path, _ in utterances])


def converted(convert: Callable[..., Floats]) -> tuple[list[Floats], float]:
    """The converted source of each pair, and the time for a second of sound."""
    targets = {name: timbre.timbre(joined(person.reference)) for name, person in people().items()}
    sources = [samples(path) for (path, _), _ in pairs()]
    own = [timbre.timbre(voice.speech(source)) for source in sources]
    start = time.perf_counter()
    made = [convert(one, mine, targets[to]) for one, mine, (_, to) in zip(sources, own, pairs(), strict=True)]
    took = time.perf_counter() - start
    return made, took / sum(len(source) / timbre.SAMPLE_RATE for source in sources)


def likeness(sounds: list[Floats], held: dict[str, Floats], encoder: Any) -> np.ndarray:
    """The similarity of each pair's sound to its target."""
    voices: list[Any] = [voice.hear(encoder, sound).embedding for sound in sounds]
    return np.array([one @ held[to] for one, (_, to) in zip(voices, pairs(), strict=True)])


def wrong(sounds: list[Floats], recogniser: Any) -> float:
    """Word error rate."""
    texts = [normalised(text) for (_, text), _ in pairs()]
    return float(jiwer.wer(texts, [normalised(recognised(recogniser, sound, timbre.SAMPLE_RATE)) for sound in sounds]))


def scores(name: str, before: np.ndarray, after: np.ndarray, errors: float, now: float, factor: float) -> list[Score]:
    """The rows of one converter."""
    count, nearer = len(before), float(np.mean(after > before))
    return [
        Score(
            f"similarity to the target after {name}, {count} pairs", f"{after.mean():.3f}", "before", f"{before.mean():.3f}",
            "higher", bool(after.mean() > before.mean()), f"{factor:.3f}x real time",
        ),
        Score(
            f"pairs that come nearer, {name}", f"{nearer:.0%}", "", "", f">= {RISES:.0%}", nearer >= RISES,
            "the encoder's 8 test speakers, and 2 that it was chosen by",
        ),
        Score(
            f"words that pocketsphinx gets wrong after {name}", f"{now:.1%}", "before", f"{errors:.1%}", f"<= {WORSE:g}x",
            now <= WORSE * errors, f"{now / errors:.2f}x" if errors else "",
        ),
    ]  # fmt: skip


def rows() -> list[Score]:
    encoder = load(None, "verify", SpeakerEncoder, ModelOptions())
    recogniser = load("pocketsphinx", "transcribe", Recogniser, ModelOptions(), TranscribeOptions())
    held = {name: encoder.embed([joined(person.others)])[0] for name, person in people().items()}
    plain = [samples(path) for (path, _), _ in pairs()]
    before, errors = likeness(plain, held, encoder), wrong(plain, recogniser)
    found = []
    for name, convert in (("cepstral-envelope", envelope.converted), ("world", world.converted)):
        made, factor = converted(convert)
        found += scores(name, before, likeness(made, held, encoder), errors, wrong(made, recogniser), factor)
    return found


if __name__ == "__main__":
    for row in rows():
        print(row)

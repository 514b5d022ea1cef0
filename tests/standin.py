"""A stand-in for ../shared where that is missing: the same folders, of speech by espeak-ng.

It is enough for tests that need words at known times, or two distinct voices; what needs people, sounds of the
world or published files asks for the fixture `real` and is skipped.
"""

import csv
from pathlib import Path

import numpy as np
import soundfile
import soxr

from audiocli.verbs.speak import espeak
from tests.models import tiny

RATE = 16_000
# Harvard sentences (IEEE 1969).
SENTENCES = (
    "The birch canoe slid on the smooth planks.", "Glue the sheet to the dark blue background.",
    "It's easy to tell the depth of a well.", "These days a chicken leg is a rare dish.",
    "Rice is often served in round bowls.", "The juice of lemons makes fine punch.",
    "The box was thrown beside the parked truck.", "The hogs were fed chopped corn and garbage.",
    "Four hours of steady work faced us.", "A large size in stockings is hard to sell.",
    "The boy was there when the sun rose.", "A rod is used to catch pink salmon.",
    "The source of the huge river is the clear spring.", "Kick the ball straight and follow through.",
    "Help the woman get back to her feet.", "A pot of tea helps to pass the evening.",
    "Smoky fires lack flame and heat.", "The soft cushion broke the man's fall.",
)  # fmt: skip
MAN, WOMAN = ("en-gb", "m3"), ("en-us", "f4")
VOICES = {"7367": MAN, "6848": WOMAN, "1111": MAN, "2222": WOMAN}


def make(folder: Path) -> Path:
    """A folder like ../shared, with the parts that can be made."""
    _librispeech(folder / "data" / "mini-librispeech")
    _arctic(folder / "data" / "cmu-arctic")
    return folder


def spoken(text: str, voice: tuple[str, str]) -> np.ndarray:
    """Samples [n] at RATE."""
    synthesiser = espeak.synthesiser(*voice)
    samples = synthesiser([text])[0].samples
    return soxr.resample(samples, synthesiser.traits.sample_rate, RATE)


def _librispeech(folder: Path) -> None:
    """The utterances whose words have known times, and longer ones of four speakers."""
    for utterance in tiny.UTTERANCES:
        samples = np.zeros(int((utterance.end + 0.2) * RATE), np.float32)
        for word, start, end in utterance.spans():
            sound = np.trim_zeros(np.where(np.abs(one := spoken(word, MAN)) > 1e-3, one, 0.0))
            # Stretched to its time, so that every letter is heard where the tests expect it.
            first, size = int(start * RATE), int((end - start) * RATE)
            samples[first : first + size] = np.interp(
                np.linspace(0, len(sound) - 1, size), np.arange(len(sound)), sound
            )
        _write(folder / utterance.path, samples)
    rows = []
    for speaker, voice in VOICES.items():
        for n in range(7):
            text = " ".join(SENTENCES[(n + i) % len(SENTENCES)] for i in range(1 + 3 * (n < 2)))
            path = f"{speaker}/{speaker}-0-{n:04}.opus"
            _write(folder / path, spoken(text, voice))
            rows.append({"path": path, "speaker": speaker, "text": text.upper().replace(".", "")})
    _table(folder, rows)


def _arctic(folder: Path) -> None:
    rows = []
    for speaker, voice in (("bdl", MAN), ("slt", WOMAN)):
        for n, text in enumerate(SENTENCES):
            path = f"{speaker}/{n:04}.opus"
            _write(folder / path, spoken(text, voice))
            rows.append({"path": path, "speaker": speaker, "text": text})
    _table(folder, rows)


def _write(path: Path, samples: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, format="OGG", subtype="OPUS")


def _table(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "transcripts.tsv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)

"""The built-in voices: the word errors of the recogniser of transcribe on them, their speed, and the time to the first sound.

Sentences: lists 1 to 4 of the Harvard sentences (IEEE 1969); for voices that are not an engine's default, lists 1 and 2. The ear is
pocketsphinx, not a listener; flite is measured where its program is installed.
"""

import io
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import PurePath
from typing import Any

import jiwer
import numpy as np
import soundfile

from audiocli.inputs.sources import Source, Streamed
from audiocli.models.load import load
from audiocli.options import InputOptions, ModelOptions, TranscribeOptions
from audiocli.verbs.speak import espeak as tts_espeak
from audiocli.verbs.speak import flite
from audiocli.verbs.speak.synthesiser import Synthesiser
from audiocli.verbs.transcribe.recogniser import Recogniser
from bench._common import Score

SENTENCES = """The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background.
It's easy to tell the depth of a well. These days a chicken leg is a rare dish. Rice is often served in round bowls.
The juice of lemons makes fine punch. The box was thrown beside the parked truck. The hogs were fed chopped corn and garbage.
Four hours of steady work faced us. A large size in stockings is hard to sell. The boy was there when the sun rose.
A rod is used to catch pink salmon. The source of the huge river is the clear spring. Kick the ball straight and follow through.
Help the woman get back to her feet. A pot of tea helps to pass the evening. Smoky fires lack flame and heat.
The soft cushion broke the man's fall. The salt breeze came across from the sea. The girl at the booth sold fifty bonds.
The small pup gnawed a hole in the sock. The fish twisted and turned on the bent hook. Press the pants and sew a button on the vest.
The swan dive was far short of perfect. The beauty of the view stunned the young boy. Two blue fish swam in the tank.
Her purse was full of useless trash. The colt reared and threw the tall rider. It snowed, rained, and hailed the same morning.
Read verse out loud for pleasure. Hoist the load to your left shoulder. Take the winding path to reach the lake.
Note closely the size of the gas tank. Wipe the grease off his dirty face. Mend the coat before you go out.
The wrist was badly strained and hung limp. The stray cat gave birth to kittens. The young girl gave no clear response.
The meal was cooked before the bell rang. What joy there is in living."""
TEXTS = re.split(r"(?<=[.])\s+", SENTENCES)
WORST = 0.25  # of the words, by the default voice; flite rms had 18.6 % of twelve of these sentences
FIRST_SOUND = 1.0  # s
FEWER = 20  # sentences, for the voices that must be asked for
REPEATS = 5


def normalised(text: str) -> str:
    """Lower case, no punctuation."""
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())


def round_trip(synthesiser: Synthesiser, recogniser: Any, texts: list[str]) -> tuple[float, float]:
    """Word error rate of the recogniser on the speech, and seconds of synthesis for a second of sound."""
    start = time.perf_counter()
    spoken = [one.samples for one in synthesiser(texts)]
    took = time.perf_counter() - start
    heard = [recognised(recogniser, samples, synthesiser.traits.sample_rate) for samples in spoken]
    seconds = sum(map(len, spoken)) / synthesiser.traits.sample_rate
    return float(jiwer.wer(list(map(normalised, texts)), list(map(normalised, heard)))), took / seconds


def recognised(recogniser: Any, samples: np.ndarray, rate: int) -> str:
    """The recogniser's text for samples, by the way that a file takes."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV")

    class Held(Source):
        def open(self) -> Any:
            return file

    return str(recogniser([Streamed(Held("x.wav", PurePath("x.wav")), InputOptions())])[0].text)


def voices() -> dict[str, Synthesiser]:
    """The voices to measure, the default first where it is installed."""
    found: dict[str, Synthesiser] = {}
    if shutil.which("flite"):
        found |= {f"flite {name}": flite.synthesiser(name, 1.0) for name in ("rms", "slt", "awb", "kal16")}
    own = dict.fromkeys((tts_espeak.VARIANT, "klatt4", "f5", "f3", "m3"))
    found |= {f"espeak-ng en-us+{name}": tts_espeak.synthesiser("en-us", name) for name in own}
    return found


def first_sound(*arguments: str) -> float:
    """Seconds until a process has given its first samples, the median of some."""

    def once() -> float:
        start = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "audiocli", "speak", "-", "--format", "raw", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdin
            assert process.stdout
            process.stdin.write(" ".join(TEXTS).encode())
            process.stdin.close()
            process.stdout.read(2_000)
            took = time.perf_counter() - start
            process.kill()
        return took

    return statistics.median(once() for _ in range(REPEATS))


def score(name: str, count: int, wrong: float, factor: float, default: str) -> Score:
    """A line about a voice; only the default one has a target."""
    chosen = name == default
    return Score(
        f"words of {count} sentences that pocketsphinx gets wrong, {name}", f"{wrong:.1%}", "", "",
        f"<= {WORST:.0%}" if chosen else "", not chosen or wrong <= WORST, f"spoken in {factor:.4f}x real time",
    )  # fmt: skip


def _first(model: str) -> Score:
    took = first_sound("--model", model)
    what = f"first sound of a long text, whole process, {model}"
    return Score(what, f"{took:.2f} s", "", "", f"<= {FIRST_SOUND:g} s", took <= FIRST_SOUND)


def rows() -> list[Score]:
    recogniser = load("pocketsphinx", "transcribe", Recogniser, ModelOptions(), TranscribeOptions())
    found = voices()
    default = next(iter(found))
    mine = {default, f"espeak-ng en-us+{tts_espeak.VARIANT}"}  # the voice of each engine without --voice
    scores = []
    for name, synthesiser in found.items():
        texts = TEXTS if name in mine else TEXTS[:FEWER]
        scores.append(score(name, len(texts), *round_trip(synthesiser, recogniser, texts), default))
    first = [_first(model) for model in ("flite", "espeak-ng") if model != "flite" or shutil.which("flite")]
    return [*scores, *first]


if __name__ == "__main__":
    for row in rows():
        print(row)

"""The built-in voices: the words that whisper-tiny.en hears wrong, their speed on a core, and the time to the first sound.

Forty sentences: thirty with names, numbers, dates and sums as people write them, and the first ten of the Harvard sentences (IEEE
1969); for the other timbres of espeak-ng, and the other voices of flite, twenty of the latter. Both sides go through Whisper's own
normaliser, and notations of one thing become one (4.15 pm is 4:15 p.m.). flite is measured where its program is installed, Piper's
voice where it is on this machine.
"""

import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jiwer
import numpy as np
import soxr
from numpy.typing import NDArray

from audiocli.errors import ModelError
from audiocli.models.locate import locate
from audiocli.options import SpeakOptions
from audiocli.verbs.speak import espeak as tts_espeak
from audiocli.verbs.speak import flite, hibari, piper
from audiocli.verbs.speak.synthesiser import Synthesiser, cut, flow
from bench._common import Score

EAR, EAR_RATE = "whisper-tiny.en", 16_000

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
# What people write: names, numbers, dates, times, sums; behind the bar what is said, where that is not what is written.
WRITTEN = """Doctor Sarah Mitchell moved from Boston to Seattle with her two daughters.
William Shakespeare was born in Stratford and died at the age of fifty two.
Please tell Jonathan Parker that Margaret Thompson called this morning.
Our flight from Chicago to San Francisco was delayed because of heavy fog.
Elizabeth Warren and Bernie Sanders spoke in New Hampshire on Sunday evening.
Professor Robert Jackson teaches modern history at the University of Michigan.
Kevin, Rachel and Andrew are waiting for us at the station in Philadelphia.
The Amazon river flows through Brazil, Colombia and Peru.
Mr. Anderson lives on 5th Avenue. | Mister Anderson lives on fifth avenue.
Dr. Nguyen and Mrs. O'Brien will meet you at 10:30 a.m. | Doctor Nguyen and missus O'Brien will meet you at ten thirty a m.
The meeting is on March 3, 2024, at 4:15 p.m. | The meeting is on March third, twenty twenty four, at four fifteen p m.
She was born on 12/25/1987. | She was born on December twenty fifth, nineteen eighty seven.
The contract ends on 2031-07-14. | The contract ends on July fourteenth, twenty thirty one.
World War II ended in 1945.
In the 1990s, nearly everybody had a telephone at home. | In the nineteen nineties, nearly everybody had a telephone at home.
Columbus reached America on October 12th, 1492. | Columbus reached America on October twelfth, fourteen ninety two.
School starts on Tuesday, September 5. | School starts on Tuesday, September fifth.
The tickets cost $45.50 each. | The tickets cost forty five dollars and fifty cents each.
The company lost $3.2 million in the first quarter. | The company lost three point two million dollars in the first quarter.
About 1,250,000 people live in this city. | About one million two hundred and fifty thousand people live in this city.
The temperature fell to -12 °C last night. | The temperature fell to minus twelve degrees Celsius last night.
He ran 42 km in 3 hours and 27 minutes. | He ran forty two kilometers in three hours and twenty seven minutes.
Only 17% of the students passed the exam. | Only seventeen percent of the students passed the exam.
Add 3/4 cup of sugar and 250 g of flour. | Add three quarters cup of sugar and two hundred fifty grams of flour.
Please call 555-0147 after 6 pm. | Please call five five five zero one four seven after six p m.
There were 101 dalmatians and 7 dwarfs. | There were one hundred one dalmatians and seven dwarfs.
Version 3.11 is faster than version 2.7. | Version three point one one is faster than version two point seven.
The room is 12 ft long and 9 ft wide. | The room is twelve feet long and nine feet wide.
Turn to page 394 and read chapters 7-9. | Turn to page three hundred ninety four and read chapters seven to nine.
The NBA and the FBI have offices in the U.S. | The N B A and the F B I have offices in the U S.""".splitlines()
TEXTS = re.split(r"(?<=[.])\s+", SENTENCES)
FORTY = [*(tuple(part.strip() for part in line.split("|")) for line in WRITTEN), *((text,) for text in TEXTS[:10])]
WORST = 0.06  # of the words, by the default voice
FASTER = 40.0  # times real time on a core
FIRST_SOUND, WHOLE = 0.5, 1.0  # s: of the default voice once libraries are there, and of a process
PIPER_WORST, PIPER_FASTER = 0.12, 8.0  # the same of the voice of Piper
FEWER = 20  # sentences, for the voices that must be asked for
REPEATS = 5
LOADING = """
import gc, sys, time
import onnxruntime, hibari
from audiocli.verbs.speak import hibari
gc.set_threshold(100_000, 50, 100)  # as main() has it
start = time.perf_counter()
hibari.synthesiser("heart")([sys.argv[1]])
print(time.perf_counter() - start)
"""
# (as it may be written, as it is compared), after the normaliser.
NOTATIONS = ((r"(?<=\d)(?:st|nd|rd|th)\b", ""), (r"(?<=\d)[.: ](?=\d)", ""), (r"\b(\w) (?=\w\b)", r"\1"))


@cache
def ear() -> Any:
    """The recogniser that listens, by its own library; it must be on this machine."""
    from faster_whisper import WhisperModel

    return WhisperModel(str(locate(EAR, "transcribe", offline=True).path), "cpu", compute_type="int8", cpu_threads=2)


def plain(text: str) -> str:
    """Words as they are compared."""
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    text = EnglishTextNormalizer({})(text)  # type: ignore[no-untyped-call]
    for written, compared in NOTATIONS:
        text = re.sub(written, compared, text)
    return text


def heard(samples: NDArray[np.float32], rate: int) -> str:
    """The recogniser's text for samples [n]."""
    parts, _ = ear().transcribe(soxr.resample(samples, rate, EAR_RATE), language="en")
    return " ".join(part.text for part in parts)


def spoken(synthesiser: Synthesiser, text: str) -> NDArray[np.float32]:
    """Samples [n] of a text, by the way that the command takes."""
    options = SpeakOptions()
    return np.concatenate([sound for _, sound in flow(cut([text], synthesiser, print), synthesiser, options)])


def round_trip(synthesiser: Synthesiser, pairs: Sequence[tuple[str, ...]]) -> tuple[float, float]:
    """The share of words that are heard wrong of (text, what is said where that differs); seconds of sound in one of a core."""
    spoken(synthesiser, "Hello there, 5 km.")  # what is loaded once
    rate, start = synthesiser.traits.sample_rate, time.process_time()
    sounds = [spoken(synthesiser, pair[0]) for pair in pairs]
    took = time.process_time() - start
    said, understood = [plain(pair[-1]) for pair in pairs], [plain(heard(sound, rate)) for sound in sounds]
    return float(jiwer.wer(said, understood)), sum(map(len, sounds)) / rate / took


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


def first_after_loading() -> float:
    """Seconds to load the default voice and to speak a sentence, libraries aside, the median of some processes."""
    return statistics.median(
        float(
            subprocess.run([sys.executable, "-c", LOADING, TEXTS[0]], capture_output=True, text=True, check=True).stdout
        )
        for _ in range(REPEATS)
    )


def engines() -> dict[str, Callable[[], Synthesiser]]:
    """The built-in engines in their own voices, the default first."""
    made: dict[str, Callable[[], Synthesiser]] = {
        "hibari": lambda: hibari.synthesiser("heart"),
        "espeak-ng": lambda: tts_espeak.synthesiser(tts_espeak.LANGUAGE, tts_espeak.VARIANT),
    }
    return made | ({"flite": lambda: flite.synthesiser("rms", 1.0)} if shutil.which("flite") else {})


def joe() -> Synthesiser | None:
    """Piper's voice where it is on this machine; on one thread, as its speed is told of a core."""
    try:
        folder = locate("piper-joe", "speak", offline=True).path
    except ModelError:
        return None
    assert folder is not None
    files = piper.files(folder)
    return piper.synthesiser(files, piper.chosen(files, SpeakOptions()))


def others() -> dict[str, Synthesiser]:
    """Voices that must be asked for."""
    found: dict[str, Synthesiser] = {
        f"espeak-ng en-us+{name}": tts_espeak.synthesiser("en-us", name) for name in ("klatt4", "f5", "f3", "m3")
    }
    if shutil.which("flite"):
        found |= {f"flite {name}": flite.synthesiser(name, 1.0) for name in ("slt", "awb", "kal16")}
    return found


def rows() -> list[Score]:
    found = {name: round_trip(make(), FORTY) for name, make in engines().items()}
    (wrong, factor), (peer, _) = found["hibari"], found["espeak-ng"]
    soon = first_after_loading()
    what = f"words of {len(FORTY)} sentences that {EAR} hears wrong"
    scores = [
        Score(f"{what}, hibari", f"{wrong:.1%}", "espeak-ng", f"{peer:.1%}", f"<= {WORST:.0%}", wrong <= WORST),
        Score("load and first sentence, hibari", f"{soon:.2f} s", "", "", f"<= {FIRST_SOUND:g} s", soon <= FIRST_SOUND),
        Score("speed on a core, hibari", f"{factor:.0f}x real time", "", "", f">= {FASTER:g}x", factor >= FASTER),
    ]
    if "flite" in found:
        scores.append(Score(f"{what}, flite rms", f"{found['flite'][0]:.1%}", "", "", "", True))
    if voice := joe():
        wrong, factor = round_trip(voice, FORTY)
        scores += [
            Score(f"{what}, piper-joe", f"{wrong:.1%}", "", "", f"<= {PIPER_WORST:.0%}", wrong <= PIPER_WORST),
            Score(
                "speed on a core, piper-joe", f"{factor:.1f}x real time", "", "",
                f">= {PIPER_FASTER:g}x", factor >= PIPER_FASTER,
            ),
        ]  # fmt: skip
    for name, synthesiser in others().items():
        wrong, _ = round_trip(synthesiser, [(text,) for text in TEXTS[:FEWER]])
        scores.append(Score(f"words of {FEWER} plain sentences, {name}", f"{wrong:.1%}", "", "", "", True))
    return [*scores, *map(_first, found)]


def _first(model: str) -> Score:
    took = first_sound("--model", model)
    what = f"first sound of a long text, whole process, {model}"
    return Score(what, f"{took:.2f} s", "", "", f"<= {WHOLE:g} s", took <= WHOLE)


if __name__ == "__main__":
    for row in rows():
        print(row)

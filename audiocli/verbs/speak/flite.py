"""flite (CMU, a BSD-like licence): clear English voices, where its program is installed; one process a text, 0.04 s each."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError, UsageError
from ...models.languages import is_near, is_same
from ...models.registry import ModelSpec
from ...options import SpeakOptions
from .synthesiser import Spoken, Traits, Voice, closest

PROGRAM = "flite"
# The clearest first, by the round trip in bench/speak.py.
KNOWN = {
    "rms": "a man, US English",
    "slt": "a woman, US English",
    "awb": "a man, Scottish English",
    "kal16": "a man, US English",
}
LANGUAGE = "en-us"
RATE, LOW_RATE = 16_000, 8_000  # Hz; the latter of the voice "kal"
LONGEST = 1_000  # characters at once, so that the first sound comes soon
SLOWEST, FASTEST = 0.3, 4.0
TIMEOUT = 120.0  # s; a text takes 0.04 s
HEADER = 44  # bytes of the wav file that it writes


@cache
def voices() -> tuple[str, ...]:
    """The voices of the program on the PATH. Raises ModelError where there is none."""
    listed = _run("-lv")
    names = listed.decode("utf-8", "replace").partition(":")[2].split()
    return tuple(sorted(names, key=lambda name: (list(KNOWN).index(name) if name in KNOWN else len(KNOWN), name)))


def speaks(language: str | None) -> bool:
    """Whether it speaks just this variety of a language; None: no language is asked for."""
    return is_same(language, LANGUAGE)


def _run(*arguments: str) -> bytes:
    program = shutil.which(PROGRAM)
    if program is None:
        raise ModelError("flite is not on the PATH: install it (apt install flite), or leave --model out")
    try:
        done = subprocess.run(
            [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ModelError(f"flite does not work: {error}") from error
    return done.stdout


def load(path: Path | None, spec: ModelSpec, place: Any, options: SpeakOptions | None) -> "Synthesiser":
    """The synthesiser. Raises ModelError without the program, and UsageError for options that it does not have."""
    wanted = options or SpeakOptions()
    if not is_near(wanted.language, LANGUAGE):
        raise UsageError(f"flite speaks US English only, not {wanted.language!r}: give --model espeak-ng")
    if not SLOWEST <= wanted.rate <= FASTEST:
        raise UsageError(f"--rate must be between {SLOWEST:g} and {FASTEST:g} here, not {wanted.rate:g}")
    return synthesiser(wanted.voice or voices()[0], 1 / wanted.rate)


def synthesiser(voice: str, stretch: float) -> "Synthesiser":
    """The synthesiser of a voice. Raises UsageError for an unknown one."""
    if voice not in voices():
        raise UsageError(f"flite has no voice {voice!r}: {closest(voice, voices())}")
    # It has a setting for the pitch, too, which its best voice ignores.
    sample_rate = LOW_RATE if voice == "kal" else RATE
    return Synthesiser(
        Traits(sample_rate, voice, LANGUAGE, LONGEST, knows=str.isascii, paced=True, parallel=True), stretch
    )


@dataclass(frozen=True)
class Synthesiser:
    """Speaks in one voice."""

    traits: Traits
    stretch: float  # times as long

    def voices(self) -> Iterator[Voice]:
        """Those that the program was built with."""
        for name in voices():
            yield Voice(name, LANGUAGE, KNOWN.get(name, ""))

    def in_voice(self, voice: str) -> "Synthesiser":
        """Another voice at the same pace."""
        return synthesiser(voice, self.stretch)

    def __call__(self, texts: Sequence[str]) -> list[Spoken]:
        """Each text in a process of its own."""
        return [self._speak(text) for text in texts]

    def _speak(self, text: str) -> Spoken:
        stretch = f"duration_stretch={self.stretch:.4f}"
        # A blank first, because a text that begins with a dash would be an option.
        wav = _run("-voice", str(self.traits.voice), "--setf", stretch, "-t", f" {text}", "-o", "/dev/stdout")
        return Spoken(np.frombuffer(wav[HEADER:], "<i2").astype(np.float32) / np.float32(32_768))

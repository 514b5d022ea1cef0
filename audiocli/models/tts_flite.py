"""flite (CMU, a BSD-like licence): clear English voices, where its program is installed; one process a text, 0.04 s each."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError, UsageError
from ..options import SpeakOptions
from .registry import FLITE_PROGRAM, ModelSpec
from .speech import Spoken, Voice, closest

# The clearest first, by the round trip in bench/speak.py.
KNOWN = {"rms": "a man, US English", "slt": "a woman, US English", "awb": "a man, Scottish English", "kal16": "a man, US English"}
# Hz, the mean pitch that each voice is given when nobody asks for another; the others' is not known.
MEAN_PITCH = {"rms": 90.0, "slt": 171.0, "awb": 128.0, "kal16": 95.0, "kal": 95.0}
LONGEST = 1_000  # characters at once, so that the first sound comes soon
SLOWEST, FASTEST = 0.3, 4.0
TIMEOUT = 120.0  # s; a text takes 0.04 s
HEADER = 44  # bytes of the wav file that it writes


@cache
def voices() -> tuple[str, ...]:
    """The voices of the program on the PATH. Raises ModelError where there is none."""
    listed = _run("-lv")
    found = listed.decode("utf-8", "replace").partition(":")[2].split()
    return tuple(sorted(found, key=lambda name: (list(KNOWN).index(name) if name in KNOWN else len(KNOWN), name)))


def _run(*arguments: str) -> bytes:
    program = shutil.which(FLITE_PROGRAM)
    if program is None:
        raise ModelError("flite is not on the PATH: install it (apt install flite), or leave --model out")
    try:
        done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise ModelError(f"flite does not work: {error}") from error
    return done.stdout


def load(path: Path | None, spec: ModelSpec, place: Any, options: SpeakOptions | None) -> "Synthesiser":
    """The synthesiser. Raises ModelError without the program, and UsageError for what it cannot do."""
    wanted = options or SpeakOptions()
    if wanted.language is not None and wanted.language.lower().replace("_", "-") not in ("en", "en-us"):
        raise UsageError(f"flite speaks US English only, not {wanted.language!r}: give --model espeak-ng")
    if not SLOWEST <= wanted.rate <= FASTEST:
        raise UsageError(f"--rate must be between {SLOWEST:g} and {FASTEST:g} here, not {wanted.rate:g}")
    there = voices()
    voice = wanted.voice or there[0]
    if voice not in there:
        raise UsageError(f"flite has no voice {voice!r}: {closest(voice, there)}")
    if wanted.pitch and voice not in MEAN_PITCH:
        raise UsageError(f"--pitch: nobody knows the pitch of the voice {voice!r}")
    return Synthesiser(voice, wanted.rate, wanted.pitch)


@dataclass(frozen=True)
class Synthesiser:
    """Speaks in one voice."""

    voice: str
    rate: float = 1.0
    pitch: float = 0.0  # semitones
    language: str = "en-us"
    longest: int = LONGEST
    fill: int = 1
    at_once: int = 1
    spelled_out: bool = True

    @property
    def sample_rate(self) -> int:
        """Hz: one voice is of 8 kHz."""
        return 8_000 if self.voice == "kal" else 16_000

    def voices(self) -> Iterator[Voice]:
        """Those that the program was built with."""
        for name in voices():
            yield Voice(name, self.language, KNOWN.get(name, ""))

    def __call__(self, texts: Sequence[str]) -> list[Spoken]:
        """Each text in a process of its own."""
        return [self._speak(text) for text in texts]

    def _speak(self, text: str) -> Spoken:
        settings = ["--setf", f"duration_stretch={1 / self.rate:.4f}"]
        if self.pitch:
            settings += ["--setf", f"int_f0_target_mean={MEAN_PITCH[self.voice] * 2 ** (self.pitch / 12):.2f}"]
        wav = _run("-voice", self.voice, *settings, "-t", f" {text}", "-o", os.devnull.replace("null", "stdout"))
        return Spoken(np.frombuffer(wav[HEADER:], "<i2").astype(np.float32) / np.float32(32_768))

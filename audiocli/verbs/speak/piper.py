"""Piper (Hansen, MIT): any of its voices, a VITS in an ONNX file with a JSON beside it that names its phonemes and its speakers.

The phonemes come from espeak-ng, as in training. What the net draws at random is given to it, so that a text sounds the same
whatever was said before it.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...device import Place
from ...errors import ModelError, UsageError
from ...models import languages, onnx
from ...models.registry import ModelSpec
from ...options import SpeakOptions
from . import phonemes
from .piper_config import END, ESPEAK, PAD, START, Config, beside, read
from .piper_noise import NOISE, from_outside
from .synthesiser import Spoken, Traits, Voice, closest
from .text.letters import Knows, latin

SLOWEST, FASTEST = 0.5, 2.0  # the paces that its lengths are scaled to; beyond them its sound is stretched
LONGEST = 300  # characters at once, so that the first sound comes soon
LENGTH = 1 << 20  # random numbers for each place that wants some: enough for a minute before they repeat
TAKES = ("input", "input_lengths", "scales")
# The marks of other scripts that end or part sentences, as the voices know them.
MARKS = str.maketrans("。।，、،；؛：？؟！…", "..,,,;;:??!.")  # noqa: RUF001 - meant as they stand here
FLAGS = re.compile(r"\([\w-]+\)")  # espeak-ng's marks where it changes to another language and back


@dataclass(frozen=True)
class Choice:
    """A voice: its file, what is beside it, and the speaker (None: it has but one)."""

    path: Path
    config: Config
    speaker: str | None

    @property
    def name(self) -> str:
        return self.path.stem if self.speaker is None else self.speaker


def load(path: Path, spec: ModelSpec, place: Place, options: SpeakOptions | None) -> "Synthesiser":
    """The synthesiser of an ONNX file, or of one of those in a folder.

    Raises UsageError for a voice or a language that it lacks, and ModelError for files that are damaged, or of something else.
    """
    wanted = options or SpeakOptions()
    found = files(path)
    made = synthesiser(found, chosen(found, wanted), wanted.rate, wanted.seed, place.threads)
    made.ids("a")  # a voice of espeak-ng that is not there is reported before anything is spoken
    return made


def synthesiser(
    found: Sequence[Path], choice: Choice, rate: float = 1.0, seed: int = 0, threads: int = 1
) -> "Synthesiser":
    """The synthesiser of a voice; found: all files that it may be asked to change to."""
    config, paced = choice.config, SLOWEST <= rate <= FASTEST
    traits = Traits(
        config.sample_rate, choice.name, config.language, LONGEST, knows=_knows(config), paced=paced, parallel=True
    )
    net = _net(choice.path, threads)
    if choice.speaker is not None and "sid" not in net.inputs:
        raise ModelError(f"{choice.path} has one speaker, and {beside(choice.path).name} has several")
    return Synthesiser(traits, net, choice, tuple(found), rate, seed, threads)


def _knows(config: Config) -> Knows | None:
    """Whether a voice reads a character; what it does not read is written in other letters, or reported. None: all."""
    if config.phoneme_type == ESPEAK:  # which names the letters of other scripts, but in English one by one
        return latin if config.language.startswith("en") else None
    return lambda one: not one.isalnum() or all(c in config.numbers for c in unicodedata.normalize("NFD", one.lower()))


def files(path: Path) -> list[Path]:
    """The voices that a path stands for. Raises ModelError for none."""
    found = sorted(one for one in path.glob("*.onnx") if beside(one).is_file()) if path.is_dir() else [path]
    if not found:
        raise ModelError(f"{path} has no voice of Piper: NAME.onnx and NAME.onnx.json")
    return found


def chosen(found: Sequence[Path], wanted: SpeakOptions) -> Choice:
    """The voice of a --voice (a file's name, a speaker's, or FILE/SPEAKER) and a --language. Raises UsageError and ModelError."""
    every = [(path, read(path)) for path in found]
    near = [one for one in every if languages.is_near(wanted.language, one[1].language)]
    if not near:
        spoken = ", ".join(sorted({config.language for _, config in every}))
        raise UsageError(f"no voice of Piper here speaks {wanted.language!r}, only {spoken}")
    if wanted.voice is not None:
        return _named(near, wanted.voice)
    if len(near) > 1 and not wanted.list_voices:
        names = ", ".join(path.stem for path, _ in near[:8])
        raise UsageError(f"{found[0].parent} has {len(near)} voices: choose one with --voice ({names})")
    path, config = near[0]
    return Choice(path, config, next(iter(config.speakers), None))


def _named(found: Sequence[tuple[Path, Config]], voice: str) -> Choice:
    """The voice of a name. Raises UsageError for one that is not there."""
    known: dict[str, Choice] = {}
    for path, config in reversed(found):  # of voices with the same name the first is meant
        for speaker in reversed([*config.speakers]):
            choice = Choice(path, config, speaker)
            known |= {f"{name}/{speaker}": choice for name in (config.dataset, path.stem)} | {speaker: choice}
        known |= dict.fromkeys((config.dataset, path.stem), Choice(path, config, next(iter(config.speakers), None)))
    if voice and voice in known:
        return known[voice]
    single = len(found) == 1 and not found[0][1].speakers
    has = f"its one voice is {found[0][0].stem}" if single else closest(voice, filter(None, known))
    raise UsageError(f"this model has no voice {voice!r}: {has}")


@lru_cache(maxsize=4)
def _net(path: Path, threads: int) -> onnx.Net:
    """The net of a voice. Raises ModelError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    return onnx.load(from_outside(content, path.name), name=path.name, device="cpu", threads=threads, takes=TAKES)


@lru_cache(maxsize=4)
def _random(seed: int, draw: int) -> NDArray[np.float32]:
    """The numbers [LENGTH] that a net is given for the nth of its draws."""
    return np.random.default_rng([seed, draw]).standard_normal(LENGTH, np.float32)


@dataclass(frozen=True)
class Synthesiser:
    """Speaks in one voice; several threads may call it."""

    traits: Traits
    net: onnx.Net
    choice: Choice
    found: tuple[Path, ...]
    rate: float
    seed: int
    threads: int

    def voices(self) -> Iterator[Voice]:
        """The files of a folder, and the speakers of each."""
        for path in self.found:
            config = read(path)
            names = config.speakers or (path.stem,)
            ahead = f"{path.stem}/" if config.speakers and len(self.found) > 1 else ""
            yield from (Voice(f"{ahead}{name}", config.language, f"{config.sample_rate} Hz") for name in names)

    def in_voice(self, voice: str) -> "Synthesiser":
        """Another speaker or file at the same pace, from the same seed."""
        choice = chosen(self.found, SpeakOptions(voice=voice))
        return synthesiser(self.found, choice, self.rate, self.seed, self.threads)

    def __call__(self, texts: Sequence[str]) -> list[Spoken]:
        """Each text in one go."""
        return [self._speak(text) for text in texts]

    def _speak(self, text: str) -> Spoken:
        ids, config = self.ids(text), self.choice.config
        if not ids:
            return Spoken(np.zeros(0, np.float32))
        rough, length, rough_lengths = config.scales
        inputs: dict[str, NDArray[Any]] = {
            "input": np.array([ids], np.int64), "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([rough, length / (self.rate if self.traits.paced else 1.0), rough_lengths], np.float32),
        }  # fmt: skip
        if "sid" in self.net.inputs:
            inputs["sid"] = np.array([config.speakers.get(self.choice.speaker or "", 0)], np.int64)
        draws = sum(name.startswith(NOISE) for name in self.net.inputs)
        inputs |= {f"{NOISE}{number}": _random(self.seed, number) for number in range(draws)}
        return Spoken(self.net(**inputs)[0].reshape(-1).astype(np.float32, copy=False))

    def ids(self, text: str) -> list[int]:
        """The numbers of a text's phonemes, a pad between each two; none where the voice knows none of them."""
        numbers = self.choice.config.numbers
        sounds = [one for one in self._phonemes(text) if one in numbers]
        if not any(unicodedata.category(one[0])[0] == "L" for one in sounds):
            return []
        signs = [START, *sounds, END]
        return [number for sign in signs for number in (*numbers[sign], *numbers[PAD])][: -len(numbers[PAD])]

    def _phonemes(self, text: str) -> Iterator[str]:
        """The phonemes of a text, or its letters where the voice reads these; what has two parts as both, as Piper does."""
        config = self.choice.config
        text = text.translate(MARKS)
        spoken = (
            FLAGS.sub("", phonemes.ipa(text, config.espeak_voice)) if config.phoneme_type == ESPEAK else text.lower()
        )
        for sound in unicodedata.normalize("NFD", spoken):
            yield from config.replaced.get(sound, (sound,))

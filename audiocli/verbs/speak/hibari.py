"""hibari (Maureese Williams, Apache-2.0; distilled from voices of Kokoro-82M): clear English, many times as fast as it speaks.

Its package brings the rules of pronunciation, the net and what makes sound of its spectra, and one voice; it would fetch the
others when they are first used. That is never asked of it here: a voice is spoken when its file is on this machine.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DownloadError, ModelError, UsageError
from ...models import onnx
from ...models.languages import is_near, is_same, nearest
from ...models.registry import ModelSpec
from ...options import SpeakOptions
from ...records import Word
from .synthesiser import Spoken, Traits, Voice, closest
from .text.letters import latin

SLOWEST, FASTEST = 0.5, 2.0  # the paces that it was made for; beyond them its sound is stretched
LONGEST = 300  # characters at once, so that the first sound comes soon
CURE = "pip install --force-reinstall hibari-tts"
PERSONS = {"female": "a woman", "male": "a man"}
PAUSES = frozenset(';:,.!?—…"“”() ')  # of its phonemes: those that belong to no word
SPECTRA = 6  # outputs of the net: five parts of a spectrum, and the pitch
DURATIONS = (
    "/Cast_32_output_0"  # inside the net: how many times two frames each phoneme takes, as whole numbers [phonemes]
)


@dataclass(frozen=True)
class Parts:
    """A voice, loaded. numbers: of each phoneme. timed: the net gives durations, too."""

    net: onnx.Net
    timed: bool
    read: Any  # its reader: a text to tokens with phonemes
    numbers: dict[str, int]


def known() -> dict[str, dict[str, Any]]:
    """What the package says of each of its voices, which need not be here."""
    from hibari.voices import VOICES

    return dict(VOICES)


def voices() -> dict[str, Path]:
    """The voices on this machine, its own one first, and their files."""
    from hibari.voices import voice_path

    found = {}
    for name in known():
        try:
            found[name] = Path(voice_path(name, download_missing=False))
        except OSError:
            continue
    return found


def speaks(language: str | None) -> bool:
    """Whether a voice that is here has just this variety of English; None: no language is asked for."""
    return is_near(language, "en") and any(is_same(language, known()[name]["language"]) for name in voices())


def load(path: Path | None, spec: ModelSpec, place: Any, options: SpeakOptions | None) -> "Synthesiser":
    """The synthesiser. Raises UsageError for a voice or a language that it lacks, and DownloadError for a damaged package."""
    wanted = options or SpeakOptions()
    voice = chosen(wanted.voice, wanted.language)
    paced = SLOWEST <= wanted.rate <= FASTEST
    return synthesiser(voice, wanted.rate if paced else 1.0, wanted.seed, paced=paced)


def synthesiser(voice: str, speed: float = 1.0, seed: int = 0, *, paced: bool = True) -> "Synthesiser":
    """The synthesiser of a voice that is here."""
    language = known()[voice]["language"].lower()
    traits = Traits(24_000, voice, language, LONGEST, knows=latin, paced=paced, parallel=True)
    return Synthesiser(traits, _parts(voice), speed, seed)


def chosen(voice: str | None, language: str | None) -> str:
    """The voice of a --voice and a --language. Raises UsageError for one that is not here."""
    here = {name: known()[name]["language"].lower() for name in voices()}
    if voice is not None and voice not in here:
        _refuse(voice, here)
    fitting = {name: code for name, code in here.items() if voice in (None, name) and is_near(language, code)}
    if not fitting:
        own = f"its voice {voice} speaks {here[voice]}" if voice else "it speaks English only"
        raise UsageError(f"hibari does not speak {language!r}, {own}: leave --model out, or give --model espeak-ng")
    code = nearest(language, fitting.values()) if language else None
    return next(name for name in fitting if code in (None, fitting[name]))


def _refuse(voice: str, here: Iterable[str]) -> None:
    """Raises UsageError for a voice that is not here, with what to do about it."""
    if voice in known():
        raise UsageError(
            f"hibari's voice {voice} is not on this machine, and nothing is fetched unasked; "
            f"its own command fetches it once: hibari --voice {voice} hello -o hello.wav"
        )
    raise UsageError(f"hibari has no voice {voice!r}: {closest(voice, here)}")


@cache
def _parts(voice: str) -> Parts:
    """A voice that is here, loaded; the net is read beside the words, which take longer. Raises DownloadError."""
    from hibari.tts import ASSETS

    try:
        with ThreadPoolExecutor(1) as pool:
            net = pool.submit(_net, voices()[voice])
            read, numbers = _reader(bool(known()[voice]["british"])), _numbers(Path(ASSETS))
        return Parts(*net.result(), read, numbers)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DownloadError(f"the package hibari-tts is damaged: {error} ({CURE})") from error


def _net(path: Path) -> tuple[onnx.Net, bool]:
    """The net of a voice, and whether it gives durations: a net of another build may have no value of that name."""
    content, name = path.read_bytes(), f"hibari's {path.name}"
    how: Any = {"name": name, "device": "cpu", "threads": 1, "takes": ("ids", "speed"), "cure": CURE}
    try:
        return onnx.load(onnx.opened(content, DURATIONS), **how), True
    except ModelError:
        return onnx.load(content, **how), False


@cache
def _reader(british: bool) -> Any:
    from hibari.g2p import G2P

    return G2P(british=british)


def _numbers(assets: Path) -> dict[str, int]:
    import json

    return dict(json.loads((assets / "vocab.json").read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Synthesiser:
    """Speaks in one voice; several threads may call it."""

    traits: Traits
    parts: Parts
    speed: float
    seed: int

    def voices(self) -> Iterator[Voice]:
        """Those that are on this machine."""
        for name in voices():
            about = known()[name]
            yield Voice(name, about["language"].lower(), f"{PERSONS[about['gender']]}, {about['accent']} English")

    def in_voice(self, voice: str) -> "Synthesiser":
        """Another voice at the same pace, from the same seed."""
        made = synthesiser(chosen(voice, None), self.speed, self.seed, paced=self.traits.paced)
        return replace(made, traits=replace(made.traits, paced=self.traits.paced))

    def __call__(self, texts: Sequence[str]) -> list[Spoken]:
        """Each text in one go, with the same noise whatever was said before it."""
        return [self._speak(text) for text in texts]

    def _speak(self, text: str) -> Spoken:
        from hibari import dsp

        words, phonemes = self._read(text)
        if PAUSES.issuperset(phonemes):
            return Spoken(np.zeros(0, np.float32))
        numbers = np.array([[0, *(self.parts.numbers[one] for one in phonemes), 0]], np.int64)
        made = self.parts.net(ids=numbers, speed=np.array([self.speed], np.float32))
        samples = dsp.synth(*(one[0] for one in made[:SPECTRA]), np.random.default_rng(self.seed))
        if not self.parts.timed:
            return Spoken(samples)
        ends = np.cumsum(made[SPECTRA]) * (len(samples) / self.traits.sample_rate / made[SPECTRA].sum())
        # Before the first phoneme is one more number, with a duration of its own.
        return Spoken(samples, tuple(Word(word, float(ends[first]), float(ends[last])) for word, first, last in words))

    def _read(self, text: str) -> tuple[list[tuple[str, int, int]], list[str]]:
        """The phonemes that the net knows, and the words: each its text, its first phoneme and the one behind its last."""
        from hibari.g2p import normalize

        words: list[tuple[str, int, int]] = []
        phonemes: list[str] = []
        word, begin = "", 0
        read = self.parts.read
        for token in read.phonemize_tokens(read.tokenize(normalize(text))):
            phonemes += [one for one in token.phonemes or "" if one in self.parts.numbers]
            word += token.text
            if token.whitespace:
                words += _word(word, phonemes, begin)
                phonemes.append(" ")
                word, begin = "", len(phonemes)
        words += _word(word, phonemes, begin)
        return words, phonemes


def _word(text: str, phonemes: Sequence[str], begin: int) -> Iterator[tuple[str, int, int]]:
    """A word without the pauses around it; nothing where it has no sound."""
    sounds = [place for place in range(begin, len(phonemes)) if phonemes[place] not in PAUSES]
    if sounds:
        yield text, sounds[0], sounds[-1] + 1

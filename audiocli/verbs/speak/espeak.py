"""espeak-ng (GPL-3, a library and its voices in the espeakng-loader wheel): a hundred languages, robotic, right after install.

The library holds one state per process, so that all voices of a process share it and are set anew for each text. Its noise begins
with the clock, and its flutter goes on where the text before left it: both begin anew only with the library itself, which is
therefore seeded, and loaded again for each text (0.6 ms), so that a text always sounds the same.
"""

import _ctypes
import ctypes
import re
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError, UsageError
from ...models.languages import NAMES, is_near, nearest
from ...models.registry import ModelSpec
from ...options import SpeakOptions
from ...records import Word
from .synthesiser import Spoken, Traits, Voice, closest
from .text.letters import latin

LANGUAGE = "en-us"
# The clearest of the variants and its words a minute, by the round trip in bench/speak.py.
VARIANT, WORDS_A_MINUTE = "f2", 175
SLOWEST, FASTEST = 80, 450  # words a minute: the library's bounds
# 50 is the voice's own pitch; a semitone is about six steps of the hundred, measured on three voices.
PITCH, PITCH_STEP, PITCH_REACH = 50, 6.1, 8.0
LONGEST = 1_000  # characters at once; the library would take more, but the first sound should come soon
RATE, PITCH_PARAMETER = 1, 3  # espeak_PARAMETER
SYNCHRONOUS, UTF8, WORD_EVENT = 2, 1, 1
_WORD = re.compile(r"\S+")
BUFFER = 200  # ms of samples in a callback


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h; the union at its end is eight bytes."""

    _fields_ = (
        ("type", ctypes.c_int), ("identifier", ctypes.c_uint), ("position", ctypes.c_int), ("length", ctypes.c_int),
        ("time", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("id", ctypes.c_char * 8),
    )  # fmt: skip


class _Voice(ctypes.Structure):
    """espeak_VOICE of speak_lib.h."""

    _fields_ = (
        ("name", ctypes.c_char_p), ("languages", ctypes.c_void_p), ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte), ("age", ctypes.c_ubyte), ("variant", ctypes.c_ubyte), ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int), ("spare", ctypes.c_void_p),
    )  # fmt: skip


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
lock = threading.RLock()  # held during every call of the library


@dataclass(frozen=True)
class _Library:
    """The library, ready; its rate in Hz and the folder of its data."""

    functions: Any
    sample_rate: int
    data: Path


@cache
def _library() -> _Library:
    """Raises ModelError when the wheel's library cannot be used here."""
    import espeakng_loader

    data = Path(espeakng_loader.get_data_path())
    try:
        functions = ctypes.CDLL(espeakng_loader.get_library_path())
    except OSError as error:
        raise ModelError(f"the library of espeakng-loader cannot be loaded: {error}") from error
    functions.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    rate = functions.espeak_Initialize(SYNCHRONOUS, BUFFER, str(data.parent).encode(), 0x8000)
    if rate <= 0:
        raise ModelError(f"espeak-ng does not find its data in {data}")
    return _Library(functions, rate, data)


def version() -> str:
    """The library's version. Raises ModelError when it cannot be used here."""
    with lock:
        information = _library().functions.espeak_Info
        information.restype = ctypes.c_char_p
        return str(information(None).decode())


def _unload() -> None:
    """Unload the library; it is loaded anew when it is needed."""
    if _library.cache_info().currsize:
        functions = _library().functions
        functions.espeak_Terminate()
        close: Any = getattr(_ctypes, "dlclose", None) or vars(_ctypes)["FreeLibrary"]  # the latter on Windows
        close(functions._handle)
        _library.cache_clear()


@cache
def _listed() -> dict[str, tuple[str, str]]:
    """Each language code that espeak-ng speaks: its name, and the file of its voice."""
    listed: dict[str, tuple[str, str]] = {}
    with lock:
        for pointer in _until_null(_library().functions.espeak_ListVoices(None)):
            voice = pointer.contents
            if not voice.identifier.startswith(b"mb/"):  # voices of MBROLA, whose data nobody has
                code = ctypes.string_at(voice.languages + 1).decode()
                listed[code] = (voice.name.decode(), voice.identifier.decode())
    return listed


@cache
def _place() -> tuple[int, Path]:
    """The library's rate in Hz and the folder of its data, which stay."""
    with lock:
        return _library().sample_rate, _library().data


def languages() -> dict[str, str]:
    """The name of each language code that espeak-ng speaks."""
    return {code: name for code, (name, _) in _listed().items()}


def _until_null(pointers: Any) -> Iterator[Any]:
    number = 0
    while pointers[number]:
        yield pointers[number]
        number += 1


@cache
def variants() -> tuple[str, ...]:
    """The timbres that every language can be spoken in."""
    return tuple(sorted(path.name for path in (_place()[1] / "voices" / "!v").iterdir()))


def load(path: Path | None, spec: ModelSpec, place: Any, options: SpeakOptions | None) -> "Synthesiser":
    """The synthesiser. Raises UsageError for a voice or a language that it lacks."""
    wanted = options or SpeakOptions()
    language, variant = chosen(wanted.voice, wanted.language)
    pace = WORDS_A_MINUTE * wanted.rate
    if not SLOWEST <= pace <= FASTEST:
        raise UsageError(
            f"--rate must be between {SLOWEST / WORDS_A_MINUTE:.2f} and {FASTEST / WORDS_A_MINUTE:g} here, not {wanted.rate:g}"
        )
    within = abs(wanted.pitch) <= PITCH_REACH
    pitch = round(PITCH + PITCH_STEP * wanted.pitch) if within else PITCH
    made = synthesiser(language, variant, round(pace), pitch, wanted.seed)
    return made if within else replace(made, traits=replace(made.traits, pitched=False))


def synthesiser(
    language: str, variant: str, words_a_minute: int = WORDS_A_MINUTE, pitch: int = PITCH, seed: int = 0
) -> "Synthesiser":
    """The synthesiser of a language and a variant, both of which exist."""
    # Its own rules for numbers, abbreviations and units know many languages, but those for English here know more.
    english = language.startswith("en")
    traits = Traits(
        _place()[0], f"{language}+{variant}", language, LONGEST,
        spelled_out=english, knows=latin if english else None, paced=True, pitched=True,
    )  # fmt: skip
    return Synthesiser(traits, words_a_minute, pitch, seed)


def chosen(voice: str | None, language: str | None) -> tuple[str, str]:
    """Language and variant of a --voice (a language, a variant, or language+variant) and a --language. Raises UsageError."""
    timbres = {name.lower(): name for name in variants()}
    spoken, _, variant = (voice or "").lower().rpartition("+")
    if not spoken and variant and variant not in timbres and nearest(variant, languages()):
        spoken, variant = variant, ""
    if variant and variant not in timbres:
        raise UsageError(f"espeak-ng has no voice {voice!r}: {closest(variant, [*variants(), *languages()])}")
    code = _language(spoken or language or LANGUAGE)
    if spoken and not is_near(language, code):
        raise UsageError(f"--voice {voice} speaks {code}, and --language is {language}: leave one of them out")
    return code, timbres[variant] if variant else VARIANT


def _language(wanted: str) -> str:
    """The code of a language, or of the nearest. Raises UsageError."""
    own = {name: code for code, name in languages().items()}
    code = nearest(wanted, languages(), {**NAMES, **own})
    if code is None:
        raise UsageError(f"espeak-ng does not speak {wanted!r}: {closest(wanted, [*languages(), *own])}")
    return code


def select(voice: str) -> Any:
    """The functions of the library, set to language[+variant]. Raises ModelError."""
    functions = _library().functions
    code, plus, variant = voice.partition("+")
    file = _listed()[code][1] if code in _listed() else code  # it knows some languages by more codes than it lists
    if functions.espeak_SetVoiceByName(f"{file}{plus}{variant}".encode()):
        raise ModelError(f"espeak-ng has no voice {voice!r}, or cannot load it")
    return functions


@dataclass(frozen=True)
class Synthesiser:
    """Speaks in one voice; calls take turns."""

    traits: Traits
    words_a_minute: int
    pitch: int
    seed: int

    def voices(self) -> Iterator[Voice]:
        """The languages, then the variants that go with each of them."""
        for code, name in sorted(languages().items()):
            yield Voice(code, code, name.replace("_", " "))
        for variant in variants():
            yield Voice(f"+{variant}", "", "a timbre for any language")

    def in_voice(self, voice: str) -> "Synthesiser":
        """Another voice at the same pace and pitch, from the same seed."""
        made = synthesiser(*chosen(voice, None), self.words_a_minute, self.pitch, self.seed)
        return replace(made, traits=replace(made.traits, pitched=self.traits.pitched))

    def __call__(self, texts: Sequence[str]) -> list[Spoken]:
        """Each text in one go."""
        with lock:
            return [self._speak(text) for text in texts]

    def _set(self) -> None:
        """The library as new, in this voice."""
        _unload()
        functions = select(str(self.traits.voice))
        functions.espeak_SetParameter(RATE, self.words_a_minute, 0)
        functions.espeak_SetParameter(PITCH_PARAMETER, self.pitch, 0)
        functions.espeak_ng_SetRandSeed(ctypes.c_long(self.seed % 2**31))

    def _speak(self, text: str) -> Spoken:
        self._set()
        parts: list[Any] = []
        words: list[tuple[float, int]] = []  # s, first character counted from 1

        def take(samples: Any, size: int, events: Any) -> int:
            if samples and size:
                parts.append(np.ctypeslib.as_array(samples, (size,)).copy())
            words.extend((e.time / 1000, e.position) for e in _until_end(events) if e.type == WORD_EVENT)
            return 0

        functions, callback, encoded = _library().functions, _CALLBACK(take), text.encode()
        functions.espeak_SetSynthCallback(callback)
        if functions.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, UTF8, None, None):
            raise ModelError("espeak-ng cannot speak this text")
        samples = np.concatenate([*parts, np.zeros(0, np.int16)]).astype(np.float32) / np.float32(32_768)
        return Spoken(samples, tuple(_words(text, words, len(samples) / self.traits.sample_rate)))


def _until_end(events: Any) -> Iterator[_Event]:
    number = 0
    while events[number].type:
        yield events[number]
        number += 1


def _words(text: str, events: Sequence[tuple[float, int]], end: float) -> Iterator[Word]:
    """The words between blanks, each until the next one begins; events inside one (the parts of a number) are not reported."""
    starts: dict[int, float] = {}  # of each word of the text that an event points at
    places = [match.start() for match in _WORD.finditer(text)]
    for time, position in events:
        starts.setdefault(bisect_right(places, position - 1) - 1, time)
    texts, times = text.split(), [*starts.values(), end]
    for number, (place, start) in enumerate(starts.items()):
        yield Word(texts[max(place, 0)], start, max(start, times[number + 1]))

"""The pronunciation of texts for models that read phonemes: by espeak-ng, in IPA or, of English, as CMU writes it (ARPAbet)."""

import ctypes
import re
from collections.abc import Iterator
from typing import Any

from . import espeak

VOICE = "en-us+" + espeak.VARIANT
UTF8, IPA = 1, 2  # espeak_TextToPhonemes: the encoding of the text, and that of the answer
PAUSES = re.compile(r"([.,;:!?…]+)")
STRESSES = {"ˈ": "1", "ˌ": "2"}
VOWELS = {
    "iː": "IY", "i": "IY", "ɪ": "IH", "ᵻ": "IH", "eɪ": "EY", "ɛ": "EH", "æ": "AE", "ɑː": "AA", "ɑ": "AA", "ɒ": "AA", "ɔː": "AO",
    "ɔ": "AO", "oː": "AO", "oʊ": "OW", "ʊ": "UH", "uː": "UW", "u": "UW", "ʌ": "AH", "ə": "AH", "ɐ": "AH", "ɚ": "ER", "ɜː": "ER",
    "ɜ": "ER", "aɪ": "AY", "aʊ": "AW", "ɔɪ": "OY", "a": "AE", "e": "EH", "o": "OW",
}  # fmt: skip
CONSONANTS = {
    "b": "B", "d": "D", "ð": "DH", "dʒ": "JH", "f": "F", "ɡ": "G", "g": "G", "h": "HH", "j": "Y", "k": "K", "l": "L", "m": "M",
    "n": "N", "ŋ": "NG", "p": "P", "ɹ": "R", "r": "R", "s": "S", "ʃ": "SH", "t": "T", "tʃ": "CH", "ɾ": "T", "ʔ": "T", "θ": "TH",
    "v": "V", "w": "W", "z": "Z", "ʒ": "ZH", "x": "K",
}  # fmt: skip
_SYMBOL = re.compile("|".join(sorted({**VOWELS, **CONSONANTS, **STRESSES}, key=len, reverse=True)) + "| ")


def ipa(text: str, voice: str = VOICE) -> str:
    """A sentence in IPA with stresses, as a voice of espeak-ng says it; its punctuation stays where it was. Raises ModelError."""
    parts = (part if PAUSES.fullmatch(part) else _phonemes(part, voice) for part in PAUSES.split(text) if part.strip())
    return re.sub(r" ([.,;:!?…])", r"\1", " ".join(parts))


def _phonemes(text: str, voice: str = VOICE) -> str:
    with espeak.lock:
        translate: Any = espeak.select(voice).espeak_TextToPhonemes
        translate.restype, translate.argtypes = ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
        rest = ctypes.c_char_p(text.encode())
        clauses = []
        while rest.value is not None:
            clauses.append(translate(ctypes.byref(rest), UTF8, IPA).decode())
    return " ".join(clause.strip() for clause in clauses if clause.strip())


def arpabet(text: str) -> list[str]:
    """A sentence as CMU's phones (vowels with their stress), blanks and punctuation."""
    return [
        symbol
        for part in PAUSES.split(text) if part.strip()
        for symbol in ([part.strip()[0]] if PAUSES.fullmatch(part) else _phones(_phonemes(part)))
    ]  # fmt: skip


def _phones(sounds: str) -> Iterator[str]:
    """IPA as CMU's phones: a stress stands before its vowel there, behind it here."""
    stress = "0"
    for symbol in _SYMBOL.findall(sounds):
        if symbol in STRESSES:
            stress = STRESSES[symbol]
        elif symbol in VOWELS:
            yield VOWELS[symbol] + stress
            stress = "0"
        else:
            yield CONSONANTS.get(symbol, symbol)

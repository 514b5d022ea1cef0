"""The interface of every synthesiser, and its pieces as one stream of sound: trimmed, levelled, with pauses."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import partial
from itertools import islice
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ...errors import near
from ...inputs.reading import speakable
from ...options import SpeakOptions
from ...records import Segment, Word, later
from .text import english, markup, numbers
from .text.letters import Knows, reader
from .text.sentences import Piece, pieces, sentences

Floats = NDArray[np.float32]
SILENCE = -50.0  # dB below the peak of a piece; quieter ends are cut off ...
HEAD, TAIL = 0.02, 0.06  # ... but for so many seconds
PARAGRAPH = 2.0  # times the pause between sentences
METER_BLOCK = 0.4  # s that a loudness meter needs (ITU-R BS.1770)
CEILING = 0.99  # of full scale, for what the wanted loudness would overdrive


@dataclass(frozen=True)
class Spoken:
    """Samples [n] in [-1, 1], and the words with their times where the model gives them."""

    samples: Floats
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Wanted(SpeakOptions):
    """The user's options with what adapters need besides. words_of: understands speech [n] of a voice file (timbre.SAMPLE_RATE)."""

    words_of: Callable[[Floats], str] | None = None


@dataclass(frozen=True)
class Voice:
    """A line of --list-voices."""

    name: str
    language: str = ""
    description: str = ""


@dataclass(frozen=True)
class Traits:
    """The properties of a synthesiser.

    longest: characters that it takes at once. fill: shorter sentences are spoken together with the next ones up to here.
    at_once: pieces in a batch. spelled_out: it wants numbers and abbreviations in words. knows: whether it reads a character
    (None: all). paced, pitched: it follows --rate and --pitch itself; else its sound is stretched. parallel: several threads may
    speak at the same time.
    """

    sample_rate: int
    voice: str | None
    language: str | None
    longest: int
    fill: int = 1
    at_once: int = 1
    spelled_out: bool = True
    knows: Knows | None = None
    paced: bool = False
    pitched: bool = False
    parallel: bool = False


@runtime_checkable
class Synthesiser(Protocol):
    """A loaded model with a voice: texts in, as many results out, each the same whatever else is in the batch."""

    @property
    def traits(self) -> Traits: ...

    def voices(self) -> Iterable[Voice]: ...

    def in_voice(self, voice: str) -> "Synthesiser":
        """The same model with another voice. Raises UsageError for one that it lacks."""

    def __call__(self, texts: Sequence[str]) -> list[Spoken]: ...


def cut(blocks: Iterable[str], synthesiser: Synthesiser, tell: Callable[[str], None]) -> Iterator[Piece]:
    """A text that comes in blocks as pieces for a synthesiser, each as soon as it is whole; `tell` gets messages."""
    traits = synthesiser.traits
    words, read = _speller(traits), reader(traits.knows, tell) if traits.knows else str
    parts = pieces(
        sentences(markup.plain(blocks)), limit=traits.longest, fill=traits.fill, spell=lambda text: read(words(text))
    )
    return (piece for piece in parts if speakable(piece.spoken))


def _speller(traits: Traits) -> Callable[[str], str]:
    if not traits.spelled_out or traits.language is None:
        return str
    return english.spelled if traits.language.startswith("en") else partial(numbers.spelled, language=traits.language)


def flow(
    parts: Iterable[Piece], synthesiser: Synthesiser, options: SpeakOptions
) -> Iterator[tuple[Segment, Floats]]:  # fmt: skip
    """Each piece as it is spoken: its segment in the time of the whole, and the samples [n] with the pause before them."""
    traits, position, pause = synthesiser.traits, 0, 0.0
    rate, spell = traits.sample_rate, _speller(traits)
    for piece, spoken in _spoken_pieces(iter(parts), synthesiser):
        silence = np.zeros(round(pause * rate), np.float32)
        segment, samples = finished(piece, _bent(spoken, traits, options), rate, options.loudness, spell)
        position += len(silence)
        yield later([segment], position / rate)[0], np.concatenate([silence, samples])
        position += len(samples)
        pause = options.pause * (PARAGRAPH if piece.last else 1.0)


def _spoken_pieces(parts: Iterator[Piece], synthesiser: Synthesiser) -> Iterator[tuple[Piece, Spoken]]:
    """The first piece by itself, because somebody is waiting for it, the others in batches."""
    size = 1
    while batch := list(islice(parts, size)):
        yield from zip(batch, synthesiser([piece.spoken for piece in batch]), strict=True)
        size = synthesiser.traits.at_once


def _bent(spoken: Spoken, traits: Traits, options: SpeakOptions) -> Spoken:
    """Faster or higher, where the model itself cannot do that: stretched, and for the pitch read at another rate."""
    faster = 1.0 if traits.paced else options.rate
    higher = 1.0 if traits.pitched else 2.0 ** (options.pitch / 12)
    if faster == higher == 1.0:
        return spoken
    import soxr

    from ...kernels.stretch import stretch

    samples = stretch(spoken.samples, faster / higher, traits.sample_rate)
    if higher != 1.0:
        samples = soxr.resample(samples, traits.sample_rate * higher, traits.sample_rate).astype(np.float32)
    words = tuple(replace(word, start=word.start / faster, end=word.end / faster) for word in spoken.words)
    return Spoken(samples, words)


def finished(
    piece: Piece, spoken: Spoken, rate: int, loudness: float | None, spell: Callable[[str], str] = str
) -> tuple[Segment, Floats]:
    """A piece without silence at its ends and at the level that is wanted; times from its own beginning."""
    first, last = edges(spoken.samples, rate)
    samples, seconds = spoken.samples[first:last], (last - first) / rate
    words = _shifted(aligned(list(_written(piece.text)), spoken.words, spell), -first / rate, seconds)
    samples = samples if loudness is None else levelled(samples, rate, loudness)
    return Segment(0.0, seconds, piece.text, words), samples


def edges(samples: Floats, rate: int) -> tuple[int, int]:
    """The beginning and end of the sound, a little before and behind it."""
    loud = np.abs(samples)
    audible = np.flatnonzero(loud > 10 ** (SILENCE / 20) * loud.max(initial=0.0))
    if not audible.size:
        return 0, len(samples)
    return max(int(audible[0]) - round(HEAD * rate), 0), min(int(audible[-1]) + 1 + round(TAIL * rate), len(samples))


def levelled(samples: Floats, rate: int, loudness: float) -> Floats:
    """Samples [n] at a loudness in LUFS, or as near to it as full scale lets them."""
    import pyloudnorm

    if not len(samples):
        return samples
    repeats = -(-round(METER_BLOCK * rate + 1) // len(samples))  # a meter hears nothing in less than a block
    measured = pyloudnorm.Meter(rate).integrated_loudness(np.tile(samples, repeats).astype(np.float64))
    if not np.isfinite(measured):
        return samples
    gain = min(10 ** ((loudness - measured) / 20), CEILING / float(np.abs(samples).max()))
    return (samples * np.float32(gain)).astype(np.float32)


def _shifted(words: Sequence[Word], seconds: float, end: float) -> tuple[Word, ...]:
    """Words later, within 0 and end."""
    times = [(min(max(word.start + seconds, 0.0), end), min(max(word.end + seconds, 0.0), end)) for word in words]
    return tuple(replace(word, start=start, end=stop) for word, (start, stop) in zip(words, times, strict=True))


def _written(text: str) -> Iterator[str]:
    """The words of a text; a dash by itself goes with the word before it."""
    word = ""
    for part in text.split():
        if word and speakable(part):
            yield word
            word = part
        else:
            word = f"{word} {part}".strip()
    yield word


def aligned(written: Sequence[str], spoken: Sequence[Word], spell: Callable[[str], str] = str) -> tuple[Word, ...]:
    """The words as written, with the times of those as spoken: "$5" has the time of "five dollars"."""
    if not spoken:
        return ()
    plain = [_plain(text) for text in written]
    words: list[Word] = []
    for _, a, b, c, d in SequenceMatcher(None, plain, [_plain(word.text) for word in spoken], False).get_opcodes():
        if b - a == d - c:
            words += [replace(word, text=text) for text, word in zip(written[a:b], spoken[c:d], strict=True)]
        elif b > a:
            words += _shared(written[a:b], spoken, c, d, spell)
    return tuple(words)


def _shared(
    written: Sequence[str], spoken: Sequence[Word], first: int, last: int, spell: Callable[[str], str]
) -> Iterator[Word]:
    """Words side by side that are said in others: each takes as many as it is by itself; all have one time where that fails."""
    counts = [len(spell(text).split()) for text in written]
    if sum(counts) != last - first or 0 in counts:
        yield Word(" ".join(written), *_span(spoken, first, last))
        return
    for text, count in zip(written, counts, strict=True):
        yield Word(text, *_span(spoken, first, first + count))
        first += count


def _span(words: Sequence[Word], first: int, last: int) -> tuple[float, float]:
    """From the first of some words to the last; where there is none, the moment between its neighbours."""
    if last > first:
        return words[first].start, words[last - 1].end
    moment = words[first - 1].end if first else words[0].start
    return moment, moment


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def closest(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name."""
    names = list(known)
    similar = near(name, names, cutoff=0.5)
    similar += [one for one in names if one.lower().startswith(name.lower()[:2]) and one not in similar]
    close = ", ".join(similar[:4])
    return f"did you mean {close}? (--list-voices shows all)" if close else "--list-voices shows what there is"

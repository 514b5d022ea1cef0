"""Made-up conversations of read speech, of which it is known who speaks when: turns, pauses, people at once, rooms and lines.

Each window is a piece of a conversation as meetings have them: somebody holds the floor, others agree in a word or two, begin
before the end of a turn, or let a pause pass. Filters and changes of speed are one multiplication of a spectrum.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from . import distortions
from .distortions import SAMPLE_RATE, Floats
from .speaker_batches import Samples, piece

Active = NDArray[np.bool_]

FRAME = 320  # samples: the grain of who speaks when
LEAD = 0.8  # s before a window, for what still rings in it
RAMP = 80  # samples at either end of a piece of speech, so that no click tells of a turn
SPEECH_LEVEL = 0.05  # root mean square of a speaker's clips


@dataclass(frozen=True)
class Talk:
    """The properties of the conversations; shares of them, and ranges that are drawn from evenly."""

    people: tuple[int, ...] = (1, 2, 2, 3, 3, 4, 5)
    nobody: float = 0.05  # noise alone
    turn: tuple[float, float] = (0.7, 7.0)  # s, the usual length, from which single turns differ by a factor of 2 or so
    pause: tuple[float, float] = (0.05, 1.5)  # s, the mean
    silence: float = 0.06  # of the pauses are 1 to 5 s long
    early: tuple[float, float] = (0.0, 0.6)  # share of the turns that begin before the last one ends
    nods: tuple[float, float] = (0.0, 0.25)  # words of others a second of speech
    rooms: float = 0.75
    direct: tuple[float, float] = (-8.0, 12.0)  # dB of the direct sound above the echoes
    decay: tuple[float, float] = (0.15, 0.9)  # s until echoes are 60 dB down
    spread: float = 12.0  # dB between the levels of the speakers at most
    noise: float = 0.85
    snr: tuple[float, float] = (0.0, 35.0)  # dB
    steady: float = 0.6  # of the noise is steady, the rest is of the world
    colour: float = 0.6
    band: float = 0.15
    speed: float = 0.1  # by which speech is faster or slower at most
    level: tuple[float, float] = (-50.0, -10.0)  # dBFS


@dataclass(frozen=True)
class Turn:
    """A stretch of speech in a window, in seconds; it may begin before the window."""

    who: int
    start: float
    length: float


@dataclass(frozen=True)
class People:
    """The clips of each speaker, and sounds [samples] to be heard behind them. heard: the frames in which a clip has speech."""

    names: tuple[str, ...]
    clips: tuple[tuple[Samples, ...], ...]
    sounds: tuple[Samples, ...]
    heard: Callable[[int, int], Active]  # of a speaker's clip

    @cached_property
    def odds(self) -> NDArray[np.float64]:
        """The odds of each speaker, by the root of the amount of speech."""
        odds = np.sqrt([sum(map(len, own)) for own in self.clips])
        return np.asarray(odds / odds.sum())


def window(
    people: People, talk: Talk, seconds: float, speakers: int, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """A piece of a conversation [samples], and who speaks in it [frames, speakers], 1 or 0."""
    n = round(seconds * SAMPLE_RATE)
    turns = [] if random.random() < talk.nobody else loudest(plan(talk, seconds, random), seconds, speakers)
    cast = sorted({turn.who for turn in turns})
    chosen = random.choice(len(people.names), len(cast), replace=False, p=people.odds)
    lead = round(LEAD * SAMPLE_RATE) // FRAME * FRAME
    spectrum = np.zeros((n + lead) // 2 + 1, np.complex64)
    speaking = np.zeros((n // FRAME, speakers), np.float32)
    place = room(talk, random)
    for column, (who, speaker) in enumerate(zip(cast, chosen, strict=True)):
        own = [turn for turn in turns if turn.who == who]
        track, active = spoken(people, int(speaker), own, (n + lead) / SAMPLE_RATE, talk.speed, random)
        gain = 10.0 ** (-random.uniform(0.0, talk.spread) / 20.0) * (n + lead) / len(track)
        own_spectrum = np.asarray(scipy.fft.rfft(track), np.complex64)[: len(spectrum)]
        if place is not None:
            own_spectrum = own_spectrum * scipy.fft.rfft(place(), n + lead)[: len(own_spectrum)]
        spectrum[: len(own_spectrum)] += np.complex64(gain) * own_spectrum
        times = lead // FRAME + np.arange(n // FRAME)
        speaking[:, column] = active[np.minimum((times * len(track) / (n + lead)).astype(int), len(active) - 1)]
    sound = on_the_line(people, talk, spectrum, n + lead, random)[lead:]
    return at_level(sound, random.uniform(*talk.level)), speaking


def plan(talk: Talk, seconds: float, random: np.random.Generator) -> list[Turn]:
    """Turns of a conversation of which the window [0, seconds] is a piece."""
    number = int(random.choice(talk.people))
    usual, pause = np.exp(random.uniform(*np.log(talk.turn))), np.exp(random.uniform(*np.log(talk.pause)))
    early, nods = random.uniform(*talk.early), random.uniform(*talk.nods)
    turns, time, who = list[Turn](), -random.uniform(0.0, 2.0 * usual), int(random.integers(number))
    while time < seconds:
        length = float(np.clip(usual * np.exp(random.normal(0.0, 0.7)), 0.25, 15.0))
        turns.append(Turn(who, time, length))
        for _ in range(random.poisson(nods * length) if number > 1 else 0):
            other = (who + int(random.integers(1, number))) % number
            turns.append(Turn(other, time + random.uniform(0.0, length), random.uniform(0.25, 1.2)))
        if number > 1 and random.random() < early:
            time += length - random.uniform(0.1, min(length, 3.0))
        else:
            time += length + (random.uniform(1.0, 5.0) if random.random() < talk.silence else random.exponential(pause))
        who = (who + int(random.integers(1, number))) % number if number > 1 and random.random() < 0.85 else who
    return turns


def loudest(turns: Sequence[Turn], seconds: float, speakers: int) -> list[Turn]:
    """The turns in a window of those who speak most in it."""
    inside = [turn for turn in turns if turn.start < seconds and turn.start + turn.length > -LEAD]
    total: dict[int, float] = {}
    for turn in inside:
        within = min(turn.start + turn.length, seconds) - max(turn.start, 0.0)
        total[turn.who] = total.get(turn.who, 0.0) + max(within, 0.0)
    kept = sorted(total, key=lambda who: -total[who])[:speakers]
    return [turn for turn in inside if turn.who in kept]


def spoken(
    people: People, speaker: int, turns: Sequence[Turn], seconds: float, speed: float, random: np.random.Generator
) -> tuple[Floats, Active]:
    """A speaker's turns as a track that is to last `seconds`, and which of its frames have speech.

    The track has more samples than that, or fewer: as many make the speaker faster or slower.
    """
    size = scipy.fft.next_fast_len(round(seconds * SAMPLE_RATE * random.uniform(1.0 - speed, 1.0 + speed)), real=True)
    factor = size / (seconds * SAMPLE_RATE)
    track, active = np.zeros(size, np.float32), np.zeros(-(-size // FRAME), np.bool_)
    for turn in turns:
        first = round((turn.start + LEAD) * SAMPLE_RATE * factor / FRAME)
        last = min(round((turn.start + LEAD + turn.length) * SAMPLE_RATE * factor / FRAME), size // FRAME)
        first = max(first, 0)
        for samples, speech in said(people, speaker, last - first, random):
            track[first * FRAME : first * FRAME + len(samples)] += samples
            active[first : first + len(speech)] |= speech
            first += len(speech)
    return track, active


def said(people: People, speaker: int, frames: int, random: np.random.Generator) -> Iterator[tuple[Floats, Active]]:
    """So many frames of a speaker, from as many clips as they take: samples, and which frames have speech."""
    while frames > 0:
        number = int(random.integers(len(people.clips[speaker])))
        clip, heard = people.clips[speaker][number], people.heard(speaker, number)
        begins = np.flatnonzero(heard)
        if not len(begins):
            return
        begin = int(begins[random.integers(len(begins))]) if frames < len(heard) else int(begins[0])
        begin = min(begin, max(int(begins[-1]) - frames + 1, int(begins[0])))
        end = min(begin + frames, int(begins[-1]) + 1)
        samples = clip[begin * FRAME : end * FRAME].astype(np.float32)
        level = np.sqrt(np.mean(np.square(samples))) + 1e-3
        samples *= np.float32(SPEECH_LEVEL) / level
        ramp = np.linspace(0.0, 1.0, RAMP, dtype=np.float32)
        samples[:RAMP] *= ramp
        samples[-RAMP:] *= ramp[::-1]
        yield samples, heard[begin:end]
        frames -= end - begin


def room(talk: Talk, random: np.random.Generator) -> Callable[[], Floats] | None:
    """A function for the way [samples] from one place in a room to the microphone; None for no room."""
    if random.random() >= talk.rooms:
        return None
    n, decay = round(LEAD * SAMPLE_RATE), random.uniform(*talk.decay)
    dying = (10.0 ** (-3.0 * np.arange(n) / SAMPLE_RATE / decay)).astype(np.float32)
    nearest = random.uniform(*talk.direct)

    def way() -> Floats:
        echoes = random.standard_normal(n, np.float32) * dying
        echoes[: int(SAMPLE_RATE * random.uniform(0.001, 0.012))] = 0.0  # until the first wall answers
        above = nearest - random.uniform(0.0, 6.0)
        echoes *= np.float32(10.0 ** (-above / 20.0)) / np.sqrt(np.square(echoes).sum())
        echoes[0] = 1.0
        return echoes

    return way


def on_the_line(
    people: People, talk: Talk, spectrum: NDArray[np.complex64], n: int, random: np.random.Generator
) -> Floats:
    """Speech with this spectrum as samples [n], after a microphone, noise and a line."""
    frequencies = np.linspace(0.0, SAMPLE_RATE / 2, len(spectrum), dtype=np.float32)
    speech = np.asarray(scipy.fft.irfft(spectrum, n), np.float32)
    silent = not speech.any()
    if silent or random.random() < talk.noise:
        behind = background(people, talk, n, random)
        speech = behind if silent else distortions.mixed(speech, behind, random.uniform(*talk.snr))
    gain = np.ones(len(frequencies), np.float32)
    if random.random() < talk.colour:
        gain = gain * distortions.colour(random, frequencies)
    if random.random() < talk.band:
        gain = gain * distortions.band(random, frequencies)
    elif gain[0] == 1.0:
        return speech
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(speech) * gain, n), np.float32)


def background(people: People, talk: Talk, n: int, random: np.random.Generator) -> Floats:
    """A sound [n] behind the speech: steady noise, or a sound of the world."""
    if random.random() < talk.steady or not people.sounds:
        return distortions.noise(random, n)
    return piece(people.sounds[random.integers(len(people.sounds))], n, random)


def at_level(sound: Floats, level: float) -> Floats:
    """A sound with this effective value in dBFS, or less where its peaks would be cut; in steps of 16 bits."""
    gain = 10.0 ** (level / 20.0) / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-9)
    gain = min(gain, 0.99 / max(float(np.abs(sound).max()), 1e-9))
    return np.asarray(np.rint(sound * np.float32(gain * 32_768.0)) / np.float32(32_768.0), np.float32)

"""Crops of many speakers, each on another way through rooms, lines and noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from . import distortions
from .distortions import SAMPLE_RATE, Floats

Samples = NDArray[np.int16]

SPEEDS = (1.0, 0.9, 1.1)  # a voice at another speed is another voice: three times the speakers (Yamamoto et al., 2019)
SPEED_ODDS = (0.7, 0.15, 0.15)
QUIET = 0.05  # of a clip's loudest frame (-26 dB): quieter ends are cut off
FRAME = 320  # samples
SHORT = 8.0  # s: speakers with less than that
SHORT_ODDS = 0.7  # count for a little less, and at one speed
ROOM, COLOUR, BAND, NOISE, CODEC = 0.3, 0.7, 0.2, 0.75, 0.1  # share of the crops that gets each of them
SNR = (0.0, 20.0)  # dB


@dataclass(frozen=True)
class Voices:
    """One array of samples [n] a speaker, sounds to be heard behind them, and rooms [samples] to be heard in.

    speeds: of each speaker, a class each; drift: the share by which they may be off and are still that class.
    """

    names: tuple[str, ...]
    samples: tuple[Samples, ...]
    sounds: tuple[Samples, ...]
    rooms: tuple[Floats, ...]
    speeds: tuple[float, ...] = SPEEDS
    drift: float = 0.0

    @property
    def seconds(self) -> NDArray[np.float64]:
        """The amount of speech of each speaker."""
        return np.array([len(one) for one in self.samples]) / SAMPLE_RATE

    @cached_property
    def odds(self) -> NDArray[np.float64]:
        """The odds of each speaker: by the root of the amount of speech, so that single words do not fill all batches."""
        odds = np.sqrt(self.seconds) * np.where(self.seconds < SHORT, SHORT_ODDS, 1.0)
        return np.asarray(odds / odds.sum())

    def speeds_of(self, seconds: float) -> tuple[float, ...]:
        """The speeds at which a speaker with so much speech is a class each."""
        return self.speeds[:1] if seconds < SHORT else self.speeds

    @cached_property
    def first_class(self) -> NDArray[np.int64]:
        """The class of each speaker at the first speed, [speakers + 1]; the last is the number of classes."""
        return np.concatenate([[0], np.cumsum([len(self.speeds_of(one)) for one in self.seconds.tolist()])])


def rooms(seed: int, count: int = 300) -> tuple[Floats, ...]:
    """Rooms to choose from."""
    random = np.random.default_rng(seed)
    return tuple(distortions.response(random) for _ in range(count))


def trimmed(samples: Samples) -> Samples:
    """A clip without the quiet at its ends."""
    whole = len(samples) // FRAME * FRAME
    if not whole:
        return samples
    loudness = np.sqrt(np.square(samples[:whole].astype(np.float32)).reshape(-1, FRAME).mean(axis=1))
    loud = np.flatnonzero(loudness > QUIET * loudness.max())
    return samples[loud[0] * FRAME : (loud[-1] + 1) * FRAME] if len(loud) else samples


def joined(clips: Sequence[Samples]) -> Samples:
    """The clips of a speaker one after the other, each as loud as the others."""
    parts = [trimmed(clip) for clip in clips]
    level = [max(float(np.sqrt(np.square(part.astype(np.float32)).mean())), 1.0) for part in parts]
    scaled = [part * np.float32(2_000.0 / one) for part, one in zip(parts, level, strict=True)]
    return np.clip(np.concatenate(scaled), -32_768, 32_767).astype(np.int16)


@dataclass(frozen=True)
class Crops:
    """Crops [size, samples], their classes [size], and the samples of their speakers' recordings at their middle [size]."""

    samples: Floats
    classes: NDArray[np.int64]
    middle: NDArray[np.int64]


def batch(voices: Voices, size: int, lengths: Sequence[float], random: np.random.Generator) -> Crops:
    """Random crops of one of the lengths (s)."""
    n = round(random.choice(lengths) * SAMPLE_RATE)
    speakers = random.choice(len(voices.samples), size, p=voices.odds)
    speeds = np.zeros(size, np.int64)
    if len(voices.speeds) > 1:
        speeds = random.choice(len(voices.speeds), size, p=SPEED_ODDS) * (voices.seconds[speakers] >= SHORT)
    crops, middle = np.empty((size, n), np.float32), np.empty(size, np.int64)
    for row, (who, speed) in enumerate(zip(speakers, speeds, strict=True)):
        span = round(n * _drifting(voices, voices.speeds[speed], random))
        begin = begin_of(voices.samples[who], span, random)
        crops[row] = on_a_way(voices, part(voices.samples[who], begin, span), n, random)
        middle[row] = begin + span // 2
    return Crops(crops, voices.first_class[speakers] + speeds, middle)


def crop(voices: Voices, speaker: int, speed: float, n: int, random: np.random.Generator) -> Floats:
    """Samples [n] of a speaker, after random distortions."""
    span = round(n * _drifting(voices, speed, random))
    return on_a_way(voices, piece(voices.samples[speaker], span, random), n, random)


def _drifting(voices: Voices, speed: float, random: np.random.Generator) -> float:
    return speed * random.uniform(1.0 - voices.drift, 1.0 + voices.drift) if voices.drift else speed


def on_a_way(voices: Voices, samples: Floats, n: int, random: np.random.Generator) -> Floats:
    """Samples as n samples, through random rooms, lines and noise."""
    frequencies = np.linspace(0.0, SAMPLE_RATE / 2, n // 2 + 1, dtype=np.float32)
    gain = np.ones(len(frequencies), np.complex64)
    if random.random() < COLOUR:
        gain = gain * distortions.colour(random, frequencies)
    if random.random() < ROOM:
        gain = gain * scipy.fft.rfft(voices.rooms[random.integers(len(voices.rooms))], n)
    samples = distortions.filtered(samples, gain, n)
    if random.random() < NOISE:
        samples = distortions.mixed(samples, _background(voices, n, random), random.uniform(*SNR))
    if random.random() < BAND:
        samples = distortions.filtered(samples, distortions.band(random, frequencies).astype(np.complex64), n)
    if random.random() < CODEC:
        samples = _coded(samples, random)
    return samples


def piece(samples: Samples, n: int, random: np.random.Generator) -> Floats:
    """Samples [n] from anywhere in a recording, which is repeated where it is shorter, in [-1, 1]."""
    return part(samples, begin_of(samples, n, random), n)


def begin_of(samples: Samples, n: int, random: np.random.Generator) -> int:
    """A place in a recording from which there are n samples."""
    return int(random.integers(max(len(samples) - n, 0) + 1))


def part(samples: Samples, begin: int, n: int) -> Floats:
    """Samples [n] of a recording from `begin`, repeated where it ends, in [-1, 1]."""
    return np.resize(samples[begin : begin + n], n).astype(np.float32) / np.float32(32_768.0)


def _background(voices: Voices, n: int, random: np.random.Generator) -> Floats:
    """A sound [n] behind the speech: of the world, of several other people, or steady noise."""
    kind = random.random()
    if kind < 0.4 and voices.sounds:
        return piece(voices.sounds[random.integers(len(voices.sounds))], n, random)
    if kind < 0.65:
        others = random.integers(len(voices.samples), size=random.integers(3, 8))
        return np.asarray(np.sum([piece(voices.samples[other], n, random) for other in others], axis=0), np.float32)
    return distortions.noise(random, n)


def _coded(samples: Floats, random: np.random.Generator) -> Floats:
    """Samples [n] through one codec or another."""
    if random.random() < 0.5:
        return distortions.companded(samples, int(random.integers(6, 9)))
    return distortions.thinned(samples, random.uniform(18.0, 35.0))

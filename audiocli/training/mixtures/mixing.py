"""Noisy speech made as it goes: speech in simulated rooms with noise of many kinds, each mixture with its target."""

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import fft

from ..data import Clips, crop

Sound = NDArray[np.float32]

QUIET = 1e-6  # mean square below which a crop holds nothing: -60 dBFS
EARLY = 0.03  # s of a room's response that belong to the speech
HUM = (50.0, 60.0)  # Hz of the mains


@dataclass(frozen=True)
class Mixing:
    """The properties of the mixtures; shares of them, and ranges that are drawn from evenly."""

    seconds: float = 2.0
    snr: tuple[float, float] = (-5.0, 20.0)  # dB
    level: tuple[float, float] = (-45.0, -15.0)  # dBFS of the mixture
    rooms: float = 0.25
    clean: float = 0.05  # with noise 30 to 50 dB below
    babble: float = 0.05  # a net of this size cannot separate one voice from others: a larger share teaches it little
    coloured: float = 0.12
    hum: float = 0.06
    two: float = 0.25  # two recorded noises together
    speed: float = 0.5  # speech at another speed, and so another pitch


@dataclass(frozen=True)
class Mixer:
    """Makes pairs of a mixture and the speech in it out of clips of speech and of noise at one sample rate."""

    speech: Clips
    noise: Clips
    mixing: Mixing

    @property
    def length(self) -> int:
        """Samples of a mixture."""
        return round(self.mixing.seconds * self.speech.sample_rate)

    def pair(self, number: int, random: np.random.Generator) -> tuple[Sound, Sound]:
        """(mixture, speech) [samples] of the speech clip with this number."""
        mixing = self.mixing
        wanted = self._speech(number, random)
        speech = wanted
        if random.random() < mixing.rooms:
            speech, wanted = in_room(wanted, self.speech.sample_rate, random)
        clean = random.random() < mixing.clean
        snr = random.uniform(30.0, 50.0) if clean else random.uniform(*mixing.snr)
        noise = at_snr(self._noise(random), speech, snr)
        mixture = speech + noise
        gain = 10 ** (random.uniform(*mixing.level) / 20) / np.sqrt(np.mean(mixture**2) + 1e-12)
        gain = np.float32(min(gain, 0.99 / np.abs(mixture).max(initial=1e-6)))
        return mixture * gain, wanted * gain

    def _speech(self, number: int, random: np.random.Generator) -> Sound:
        clip = self.speech[number]
        if random.random() < self.mixing.speed:
            factor = random.uniform(0.85, 1.15)
            clip = crop(clip, int(self.length * factor) + 1, random)
            clip = soxr.resample(clip, factor, 1.0, quality="LQ")
        return loud_crop(clip, self.length, random)

    def _noise(self, random: np.random.Generator) -> Sound:
        mixing, rate = self.mixing, self.speech.sample_rate
        lot = random.random()
        if lot < mixing.babble:
            return self._babble(random)
        if lot < mixing.babble + mixing.coloured:
            return coloured(self.length, random)
        if lot < mixing.babble + mixing.coloured + mixing.hum:
            return hum(self.length, rate, random)
        noise = self._recorded(random)
        if random.random() < mixing.two:
            other = self._recorded(random)
            noise = noise + at_snr(other, noise, random.uniform(-10, 10))
        return noise

    def _recorded(self, random: np.random.Generator) -> Sound:
        """A crop of a clip of noise, at another speed and with another tilt of its spectrum."""
        clip = self.noise[int(random.integers(len(self.noise)))]
        factor = random.uniform(0.8, 1.25)
        piece = loud_crop(clip, int(self.length * factor) + 2, random)
        places = np.arange(self.length, dtype=np.float32) * np.float32(factor)
        noise = np.interp(places, np.arange(len(piece), dtype=np.float32), piece).astype(np.float32)
        return tilted(noise, random.uniform(-0.6, 0.6))

    def _babble(self, random: np.random.Generator) -> Sound:
        """Several people at once."""
        babble = np.zeros(self.length, np.float32)
        for _ in range(int(random.integers(2, 7))):
            voice = loud_crop(self.speech[int(random.integers(len(self.speech)))], self.length, random)
            babble += voice / np.sqrt(np.mean(voice**2) + QUIET) * np.float32(random.uniform(0.5, 1.0))
        return babble


def loud_crop(samples: Sound, length: int, random: np.random.Generator, tries: int = 3) -> Sound:
    """A crop with sound in it, if one is found."""
    piece = crop(samples, length, random)
    for _ in range(tries - 1):
        if np.mean(piece**2) > QUIET:
            break
        piece = crop(samples, length, random)
    return piece


def at_snr(noise: Sound, speech: Sound, snr: float) -> Sound:
    """The noise so loud that the speech is `snr` dB above it."""
    power, wanted = float(np.mean(noise**2)), float(np.mean(speech**2)) / 10 ** (snr / 10)
    louder: Sound = noise * np.float32(np.sqrt(wanted / max(power, 1e-12)))
    return louder


def tilted(noise: Sound, slope: float) -> Sound:
    """Darker (above 0) or brighter (below 0), by a filter of two taps."""
    changed = noise.copy()
    changed[1:] += np.float32(slope) * noise[:-1]
    return changed


def coloured(length: int, random: np.random.Generator) -> Sound:
    """White to brown noise whose level goes up and down slowly."""
    spectrum = fft.rfft(random.standard_normal(length, np.float32))
    spectrum *= (1.0 + np.arange(len(spectrum), dtype=np.float32)) ** -np.float32(random.uniform(0.0, 1.2))
    places = np.linspace(0, length, 6)
    envelope = np.interp(np.arange(length), places, 10 ** (random.uniform(-6, 6, 6) / 20))
    return (fft.irfft(spectrum, length) * envelope).astype(np.float32)


def hum(length: int, sample_rate: int, random: np.random.Generator) -> Sound:
    """The mains and its overtones, over a little noise."""
    pitch = random.choice(HUM) * random.uniform(0.995, 1.005)
    times = np.arange(length, dtype=np.float32) * np.float32(2 * np.pi * pitch / sample_rate)
    sound = np.zeros(length, np.float32)
    for overtone in range(1, int(random.integers(3, 20))):
        sound += np.float32(random.uniform(0, 1) / overtone) * np.sin(overtone * times + random.uniform(0, 2 * np.pi))
    return sound + at_snr(coloured(length, random), sound, random.uniform(5, 40))


def in_room(speech: Sound, sample_rate: int, random: np.random.Generator) -> tuple[Sound, Sound]:
    """(speech in a room, its direct and early part): noise that decays after the direct sound (Polack's model, 1988)."""
    decay = random.uniform(0.1, 0.6)  # s until it is 60 dB down
    n = int(decay * sample_rate)
    tail = random.standard_normal(n, np.float32) * np.exp(-6.9 * np.arange(n, dtype=np.float32) / n)
    tail[: int(random.uniform(0.001, 0.01) * sample_rate)] = 0.0
    tail *= np.float32(10 ** (-random.uniform(0, 15) / 20) / np.sqrt(np.sum(tail**2) + 1e-12))
    tail[0] = 1.0
    size = fft.next_fast_len(len(speech) + n, real=True)
    spectrum = fft.rfft(speech, size)
    echoing = fft.irfft(spectrum * fft.rfft(tail, size), size)[: len(speech)]
    early = fft.irfft(spectrum * fft.rfft(tail[: int(EARLY * sample_rate)], size), size)[: len(speech)]
    return echoing.astype(np.float32), early.astype(np.float32)

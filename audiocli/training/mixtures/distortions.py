"""Distortions of speech on its way: rooms, microphones, telephones, codecs, noise and other people. Plain numpy.

Filters and changes of speed are one multiplication of a spectrum, so that a clip is transformed only once.
"""

import numpy as np
import scipy.fft
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SAMPLE_RATE = 16_000  # Hz


def response(random: np.random.Generator, seconds: float = 0.6) -> Floats:
    """A made-up room [samples]: the direct sound, some reflections, and noise that dies away by 60 dB in 0.1 to 0.8 s."""
    n = int(seconds * SAMPLE_RATE)
    time = np.arange(n) / SAMPLE_RATE
    tail = random.standard_normal(n) * 10.0 ** (-3.0 * time / random.uniform(0.1, 0.8))
    tail[: int(SAMPLE_RATE * random.uniform(0.002, 0.02))] = 0.0  # until the first wall answers
    tail *= 10.0 ** (-random.uniform(0.0, 15.0) / 20.0) / max(float(np.sqrt(np.square(tail).sum())), 1e-9)
    tail[0] = 1.0
    return tail.astype(np.float32)


def colour(random: np.random.Generator, frequencies: Floats) -> Floats:
    """The gain of a microphone at frequencies [bins] in Hz: a smooth curve within 8 dB."""
    knots = np.linspace(0.0, SAMPLE_RATE / 2, 8)
    return np.asarray(10.0 ** (np.interp(frequencies, knots, random.uniform(-8.0, 8.0, 8)) / 20.0), np.float32)


def band(random: np.random.Generator, frequencies: Floats) -> Floats:
    """The gain of a line at frequencies [bins] in Hz: a telephone's 300 to 3,400 Hz, or all below 3 to 7 kHz."""
    telephone = random.random() < 0.6
    low = random.uniform(150.0, 350.0) if telephone else 20.0
    high = random.uniform(3_200.0, 3_900.0) if telephone else random.uniform(3_000.0, 7_000.0)
    edges = 1.0 / (1.0 + (low / np.maximum(frequencies, 1.0)) ** 8) / (1.0 + (frequencies / high) ** 30)
    return np.asarray(np.sqrt(edges), np.float32)


def filtered(samples: Floats, gain: NDArray[np.complex64], n: int) -> Floats:
    """Samples as n samples, so that a longer clip is said faster and higher, with the gain [n // 2 + 1] on its spectrum."""
    spectrum = scipy.fft.rfft(samples)
    bins = min(len(spectrum), len(gain))
    shaped = np.zeros(len(gain), np.complex64)
    shaped[:bins] = spectrum[:bins] * gain[:bins]
    return np.asarray(scipy.fft.irfft(shaped, n) * (n / len(samples)), np.float32)


def noise(random: np.random.Generator, n: int) -> Floats:
    """Steady noise [n]: white, or falling by up to 6 dB an octave."""
    spectrum = scipy.fft.rfft(random.standard_normal(n, np.float32))
    spectrum *= np.maximum(np.arange(len(spectrum)), 20) ** -random.uniform(0.0, 1.0)
    return np.asarray(scipy.fft.irfft(spectrum, n), np.float32)


def mixed(speech: Floats, other: Floats, snr: float) -> Floats:
    """Speech [n] with another sound [n] that is snr decibels below it."""
    power, against = (float(np.square(sound).mean()) for sound in (speech, other))
    return speech + other * np.float32(np.sqrt(power / max(against, 1e-12) / 10.0 ** (snr / 10.0)))


def companded(samples: Floats, bits: int) -> Floats:
    """Samples through a mu-law codec of so many bits a sample."""
    peak = max(float(np.abs(samples).max()), 1e-6)
    steps, mu = 2.0 ** (bits - 1), 255.0
    codes = np.round(np.sign(samples) * np.log1p(mu * np.abs(samples / peak)) / np.log1p(mu) * steps) / steps
    return np.asarray(np.sign(codes) * np.expm1(np.abs(codes) * np.log1p(mu)) / mu * peak, np.float32)


def thinned(samples: Floats, below: float) -> Floats:
    """Samples [n] as a codec at a low rate leaves them: bins `below` decibels under the loudest of a frame are gone."""
    frames = scipy.fft.rfft(np.pad(samples, (0, -len(samples) % 512)).reshape(-1, 512), axis=1)
    size = np.abs(frames)
    frames[size < size.max(axis=1, keepdims=True) * 10.0 ** (-below / 20.0)] = 0.0
    return np.asarray(scipy.fft.irfft(frames, 512, axis=1).ravel()[: len(samples)], np.float32)

"""What a decoder made of one window, and when it is to be asked again (Radford et al. 2022, 4.5)."""

from collections.abc import Callable
from dataclasses import dataclass

from ..loops import LOG_PROBABILITY, RATIO

NO_SPEECH = 0.6  # with a guess, and this probability of silence, nothing was said
HOTTER = 0.2  # the rise of the temperature after a failure, up to 1


@dataclass(frozen=True)
class Reading:
    """The decoder's reading of one window: text and timestamp tokens, mean log probability, probability of no speech."""

    tokens: list[int]
    log_probability: float
    no_speech: float
    ratio: float

    @property
    def failed(self) -> bool:
        """Whether it should be tried again."""
        return not self.empty and (self.ratio > RATIO or self.log_probability < LOG_PROBABILITY)

    @property
    def empty(self) -> bool:
        """Whether nothing was said."""
        return self.no_speech > NO_SPEECH and self.log_probability < LOG_PROBABILITY


def best(tried: list[Reading]) -> Reading:
    """The best of several readings of a window."""
    return max(tried, key=lambda reading: (not reading.failed, reading.ratio <= RATIO, reading.log_probability))


def hotter(first: Reading, temperature: float, read: Callable[[float], Reading]) -> Reading:
    """The first reading that does not fail, or the best: `read` reads the window again at a temperature that rises to 1."""
    tried = [first]
    while tried[-1].failed and temperature < 1.0:
        temperature = min(round(temperature + HOTTER, 6), 1.0)
        tried.append(read(temperature))
    return best(tried)

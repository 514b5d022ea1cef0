"""The effect of denoising in figures: level, an estimate of the signal-to-noise ratio, and DNSMOS."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from ...errors import ModelError

Floats = NDArray[np.float32]

FRAME = 0.02  # s
LOWEST, STEPS = -120.0, 240  # dBFS of the histogram of frames, and its steps of half a decibel up to 0 dBFS
QUIETEST = 0.1  # share of the frames that are taken for pauses
CLEANEST = 60.0  # dB; above that an estimate says nothing

DNSMOS_RATE = 16_000
DNSMOS_LENGTH = 144_160  # samples that the model hears at once, 9.01 s
# From the model's raw scores to mean opinions of signal, background, all: polynomials of DNSMOS P.835 (Reddy et al. 2022).
_OPINIONS = {
    "sig": (-0.08397278, 1.22083953, 0.0052439),
    "bak": (-0.13166888, 1.60915514, -0.39604546),
    "ovr": (-0.06766283, 1.11546468, 0.04602535),
}

Scorer = Callable[[Floats], dict[str, float]]


class Levels:
    """A histogram of the levels of frames: constant memory for any length."""

    def __init__(self, sample_rate: int) -> None:
        self._frame = max(1, round(FRAME * sample_rate))
        self._counts = np.zeros(STEPS, np.int64)
        self._rest = np.zeros(0, np.float32)
        self._power, self._n = 0.0, 0

    def push(self, samples: Floats) -> None:
        """One channel [n]."""
        joined = np.concatenate([self._rest, samples])
        whole = len(joined) // self._frame * self._frame
        frames, self._rest = joined[:whole].reshape(-1, self._frame), joined[whole:]
        powers = np.mean(frames.astype(np.float64) ** 2, axis=1)
        self._power += float(powers.sum())
        self._n += len(powers)
        steps = (10 * np.log10(powers + 1e-12) - LOWEST) / -LOWEST * STEPS
        np.add.at(self._counts, np.clip(steps.astype(int), 0, STEPS - 1), 1)

    @property
    def too_short(self) -> bool:
        """Whether there is not even one frame."""
        return not self._n

    @property
    def level(self) -> float | None:
        """dBFS; None for silence."""
        return 10 * float(np.log10(self._power / self._n)) if self._power > 0 else None

    @property
    def snr(self) -> float | None:
        """The ratio in dB of all above the pauses to the pauses, for which the quietest frames are taken; None without sound."""
        if not self._power > 0:
            return None
        powers = 10 ** ((LOWEST + (np.arange(STEPS) + 0.5) * -LOWEST / STEPS) / 10)
        share = np.clip(QUIETEST * self._n - (np.cumsum(self._counts) - self._counts), 0, self._counts)
        noise = float((share * powers).sum() / share.sum())
        signal = max(self._power / self._n - noise, 1e-12)
        return min(10 * float(np.log10(signal / noise)), CLEANEST)


class Report:
    """Figures of the sound before and after, of the mean of the channels."""

    def __init__(self, sample_rate: int, scorer: Scorer | None) -> None:
        self._levels = Levels(sample_rate), Levels(sample_rate)
        self._rate, self._scorer = sample_rate, scorer
        self._kept: tuple[list[Floats], list[Floats]] = ([], [])
        self._seconds = 0.0

    def push(self, before: Floats, after: Floats) -> None:
        """The next samples of both, [channels, n]."""
        for side, sound in enumerate((before, after)):
            mono = sound.mean(axis=0, dtype=np.float32)
            self._levels[side].push(mono)
            if self._scorer and self._seconds < 600.0:  # ten minutes say enough of an hour
                self._kept[side].append(mono)
        self._seconds += before.shape[1] / self._rate

    def figures(self) -> dict[str, Any]:
        """The figures for the record."""
        figures: dict[str, Any] = {}
        for side, levels, pieces in zip(("before", "after"), self._levels, self._kept, strict=True):
            figures[side] = {"level": _round(levels.level), "snr": _round(levels.snr)}
            if self._scorer:
                sound = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
                scores = self._scorer(np.asarray(soxr.resample(sound, self._rate, DNSMOS_RATE), np.float32))
                figures[side]["dnsmos"] = {name: round(value, 2) for name, value in scores.items()}
        return figures

    @property
    def missing(self) -> tuple[str, ...]:
        """The reasons why figures are missing, if any are."""
        before, after = self._levels
        if before.too_short:
            return (f"is too short to be measured: {FRAME:g} s are the least",)
        if before.level is None:
            return ("has no level and no signal-to-noise ratio: it is silent",)
        return () if after.level is not None else ("has no level any more: only silence is left of it",)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def dnsmos(path: str) -> Scorer:
    """The DNSMOS P.835 model (sig_bak_ovr.onnx) in a file. Raises ModelError."""
    from ...models import onnx

    net = onnx.load(Path(path), name=path, device="cpu", threads=1)
    name, *more = net.inputs
    if more or net.inputs[name][-1] != DNSMOS_LENGTH:
        raise ModelError(f"{path} is not DNSMOS P.835: give sig_bak_ovr.onnx")
    return lambda samples: _opinions(lambda batch: net(**{name: batch})[0], samples)


def _opinions(run: Callable[[Floats], Floats], samples: Floats) -> dict[str, float]:
    """Mean opinions (1 to 5) over windows a second apart; short sound is repeated, as the authors do it."""
    if not len(samples):
        return {}
    sound = np.tile(samples, -(-DNSMOS_LENGTH // len(samples))) if len(samples) < DNSMOS_LENGTH else samples
    starts = range(0, len(sound) - DNSMOS_LENGTH + 1, DNSMOS_RATE)
    raw = np.mean([run(sound[None, start : start + DNSMOS_LENGTH])[0] for start in starts], axis=0)
    return {kind: float(np.polyval(curve, x)) for (kind, curve), x in zip(_OPINIONS.items(), raw, strict=True)}

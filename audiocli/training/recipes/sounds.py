"""The recipe of the sound encoder: the speaker encoder's net and loss, but each recording is a class of its own.

The distortions of a recording (noise, a room, a band, a codec, another level, a slightly different speed) are those that a
near-duplicate of it may have undergone.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ...console import Console
from ...errors import UsageError
from ...options import TrainOptions
from ...voices.error_rates import curve
from ..data import chosen, load_parts
from ..examples import Example, examples
from ..mixtures.distortions import SAMPLE_RATE, Floats
from ..mixtures.speaker_batches import crop
from ..settings import About, configured
from .speaker import Embed, Own, SpeakerRecipe, Utterances, as_16_bits, utterances, voices_of

SHORTEST = SAMPLE_RATE // 2  # samples of a recording that is held out
DRIFT = 0.03  # of the speed: half a semitone
PIECE = 2 * SAMPLE_RATE
FAR = 0.01  # of other recordings, at the threshold in config.json


def make(options: TrainOptions, console: Console) -> "SoundRecipe":
    """Read the data and make the net. Raises UsageError, InputError."""
    own = configured(Own(), options)
    train, valid, test = load_parts(named(examples(options.data)), SAMPLE_RATE, options, console)
    if len(train) < 2:
        raise UsageError("one recording is not enough: give --data a folder of many")
    known = voices_of(train, chosen(train, lambda row: False), options.seed)
    voices = replace(known, speeds=(1.0,), drift=DRIFT)
    return SoundRecipe(options, own, voices, utterances(valid, SHORTEST), utterances(test, SHORTEST))


def named(rows: Sequence[Example]) -> list[Example]:
    """Examples whose path stands for the speaker."""
    return [Example(row.path, {**row.fields, "speaker": row.path}) for row in rows]


class SoundRecipe(SpeakerRecipe):
    """Trains nets.siamese on recordings."""

    speech = False

    def _scored(self, embed: Embed, some: Utterances) -> dict[str, float]:
        if len(some.samples) < 2:
            return {}
        known = embed(some.samples)
        rates = {}
        for name, pieces in (("whole", False), ("2 s", True)):
            cosines = embed(self._copies(some, pieces)) @ known.T
            own = np.eye(len(known), dtype=bool)
            rates[f"EER {name}"] = 100.0 * curve(cosines.ravel(), own.ravel()).equal_error_rate()
            rates[f"found {name}"] = 100.0 * float((cosines.argmax(1) == np.arange(len(known))).mean())
        return {"EER": (rates["EER whole"] + rates["EER 2 s"]) / 2, **rates}

    def _copies(self, some: Utterances, pieces: bool) -> list[Floats]:
        """Each recording as it may come back: all of it, or two seconds, the same ones every time."""
        random = np.random.default_rng(self.options.seed)
        room = replace(self.voices, names=some.speakers, samples=tuple(as_16_bits(one) for one in some.samples))
        lengths = [min(len(one), PIECE) if pieces else len(one) for one in some.samples]
        return [crop(room, n, 1.0, length, random) for n, length in enumerate(lengths)]

    def config(self) -> dict[str, Any]:
        """The fields of config.json; the threshold is the score that FAR of the copies of other recordings reach."""
        config: dict[str, Any] = {
            "model_type": "audiocli-siamese", "speech": False, "sizes": asdict(self.net.sizes),
            "classes": len(self.net.directions), "settings": asdict(self.settings), "own": asdict(self.own),
        }  # fmt: skip
        if len(self._valid.samples) > 1:
            embed = self.encoder(self.net).embed
            cosines = embed(self._copies(self._valid, pieces=False)) @ embed(self._valid.samples).T
            others = cosines[~np.eye(len(cosines), dtype=bool)]
            config["threshold"] = round(float(np.quantile(others, 1.0 - FAR)), 4)
        return config

    def files(self) -> dict[str, bytes]:
        """No files besides the net's: a cohort is for speakers."""
        return {}

    def about(self) -> About:
        """The texts of the card."""
        seconds = self.voices.seconds.sum()
        return replace(
            super().about(),
            what="Turns a sound into a vector: the cosine of two vectors is high where one is a copy of the other, noisy or not.",
            data=f"{len(self.voices.names)} recordings, {seconds / 60:.1f} min, from {', '.join(self.options.data)}; held out to "
            f"choose by: {self.options.valid or 'a tenth'}; to test on: {self.options.test or 'none'}",
            scores="Copies of recordings that are held out, made in noise, rooms, narrow bands and through codecs, against the "
            "recordings themselves, in percent. EER: equal error rate over all pairs, of `whole` copies and of `2 s` of them; "
            "found: how many are nearest to their own. `held-out` scores are on those by which nothing was chosen.",
        )

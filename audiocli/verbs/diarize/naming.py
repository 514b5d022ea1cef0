"""The names of speakers, by the voices that `audiocli verify --enroll` put into a database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...inputs.sources import Streamed
from ...models.config import default
from ...models.load import build
from ...models.locate import locate
from ...models.registry import by_name
from ...options import ModelOptions, VerifyOptions
from ...records import Diarization
from ...voices.embeddings import SpeakerEncoder
from ...voices.people import Enrolled, everyone, read
from ...voices.voice import SHORTEST, Floats, Voice, snr
from ..verify.judge import Judge, judge_of
from ..verify.work import model_id

ENCODER = "siamese-speakers"
ENOUGH = 60.0  # s of one speaker; more would make the voice no better
SCENE = 300.0  # s of the input by which its noise is judged


def namer(path: str, choice: ModelOptions, tell: Callable[[str], None]) -> "Namer":
    """The Namer for the voices of a database. Raises InputError when none of them is of an encoder that is known."""
    located = locate(encoder_of(path), "verify", offline=choice.offline, tell=tell)
    people = read(path, model_id(located))
    encoder = build(located, SpeakerEncoder, choice)
    # The share of false accepts holds for all people together, as with verify --identify.
    judge = judge_of(encoder, located.spec.revision, {}, VerifyOptions().far / len(people), None)
    return Namer(encoder, judge, people)


def encoder_of(path: str) -> str:
    """The encoder of a database's voices: the one of verify, the built-in one, or another one that goes by a name."""
    there = {row.model.partition("@")[0] for row in everyone(path)}
    known = [name for name in sorted(there) if (spec := by_name(name)) and spec.task == "verify"]
    return next((name for name in (default("verify"), ENCODER, *known) if name in there), ENCODER)


@dataclass(frozen=True)
class Namer:
    """Hears the input again, now that the turns are known."""

    encoder: SpeakerEncoder
    judge: Judge
    people: Sequence[Enrolled]

    def __call__(self, item: Streamed, found: Diarization) -> Diarization:
        """The record with the names of those who are known; speakers that are one person become one. Raises InputError."""
        names = {speaker: self._name(voice) for speaker, voice in voices(self.encoder, item, found).items()}
        known = {name: sure for name, sure in filter(None, names.values()) if sure is not None}
        turns = tuple(replace(turn, speaker=(names.get(turn.speaker) or (turn.speaker,))[0]) for turn in found.turns)
        return replace(found, turns=turns, known=known)

    def _name(self, voice: Voice) -> tuple[str, float | None] | None:
        """The person whose threshold a voice passes by most, and how likely it is; None for nobody."""
        judged = self.judge.judge([voice] * len(self.people), [person.voice for person in self.people])
        best = max(range(len(judged)), key=lambda n: judged[n]["score"] - judged[n]["threshold"])
        if not judged[best]["same"]:
            return None
        return self.people[best].name, judged[best].get("probability")


def voices(encoder: SpeakerEncoder, item: Streamed, record: Diarization) -> dict[str, Voice]:
    """The voices of those who speak long enough, each of at most ENOUGH of its first seconds. Raises InputError."""
    rate = encoder.sample_rate
    parts: dict[str, list[Floats]] = {speaker: [] for speaker in record.seconds}
    scene, position = list[Floats](), 0
    with item.open(rate) as stream:
        for block in stream.blocks:
            samples = block[0]
            if position < SCENE * rate:
                scene.append(samples)
            for turn in record.turns:
                first, last = (round(time * rate) - position for time in (turn.start, turn.end))
                if last > 0 and first < len(samples) and sum(map(len, parts[turn.speaker])) < ENOUGH * rate:
                    parts[turn.speaker].append(samples[max(first, 0) : last].copy())
            position += len(samples)
    noise = snr(np.concatenate(scene)) if scene else 0.0
    spoken = {speaker: np.concatenate(some) for speaker, some in parts.items() if some}
    able = {speaker: samples for speaker, samples in spoken.items() if len(samples) >= SHORTEST * rate}
    embedded = encoder.embed(list(able.values())) if able else ()
    return {
        speaker: Voice(vector, len(samples) / rate, noise)
        for (speaker, samples), vector in zip(able.items(), embedded, strict=True)
    }

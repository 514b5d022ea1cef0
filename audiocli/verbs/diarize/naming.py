"""The names of speakers, by the voices in a database: those of `audiocli verify --enroll`, and those that are put there here."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...errors import InputError, UsageError
from ...inputs.sources import Streamed
from ...models.config import default
from ...models.load import build
from ...models.locate import Located, locate
from ...models.registry import by_name
from ...options import ModelOptions, VerifyOptions
from ...records import Diarization, Turn
from ...voices.embeddings import SpeakerEncoder
from ...voices.people import Enrolled, add, everyone, read
from ...voices.voice import SHORTEST, Floats, Voice, snr
from ..verify.judge import Judge, judge_of
from ..verify.work import model_id

ENCODER = "siamese-speakers"
ENOUGH = 60.0  # s of one speaker; more would make the voice no better
SCENE = 300.0  # s of the input by which its noise is judged


def namer(path: str, choice: ModelOptions, tell: Callable[[str], None]) -> "Namer":
    """The Namer for the voices of a database. Raises InputError when none of them is of an encoder that is known."""
    located = locate(encoder_of(path), "verify", offline=choice.offline, tell=tell)
    people = read(path, model_id(located))  # before the encoder is loaded in vain
    return _among(people, located, build(located, SpeakerEncoder, choice))


def _among(people: Sequence[Enrolled], located: Located, encoder: SpeakerEncoder) -> "Namer":
    """The Namer for people; the share of false accepts holds for all of them together, as with verify --identify."""
    judge = judge_of(encoder, located.spec.revision, {}, VerifyOptions().far / len(people), None)
    return Namer(encoder, judge, people)


def enroller(path: str, wanted: Mapping[str, str], choice: ModelOptions, tell: Callable[[str], None]) -> "Enroller":
    """What puts speakers into a database, which is made if there is none. wanted: names by speaker. Raises InputError."""
    located = locate(encoder_of(path), "verify", offline=choice.offline, tell=tell)
    encoder = build(located, SpeakerEncoder, choice)
    model = model_id(located)
    return Enroller(encoder, model, path, wanted, lambda: _among(read(path, model), located, encoder), tell)


def wanted(entries: Sequence[str]) -> dict[str, str]:
    """The names of speakers by NAME=SPEAKER entries. Raises UsageError."""
    pairs = [entry.rpartition("=")[::2] for entry in entries]
    for entry, (name, speaker) in zip(entries, pairs, strict=True):
        if not name.strip() or not speaker.strip():
            raise UsageError(f"--enroll-as takes NAME=SPEAKER, as in Ann=SPEAKER_00, not {entry!r}")
    names = {speaker.strip(): name.strip() for name, speaker in pairs}
    if len(names) < len(pairs):
        raise UsageError("--enroll-as gives one speaker two names")
    return names


def encoder_of(path: str) -> str:
    """The encoder of a database's voices: the one of verify, the built-in one, or another one that goes by a name."""
    if not os.path.exists(path):
        return default("verify")
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
        return self.called(found, voices(self.encoder, item, found), {})

    def called(self, found: Diarization, heard: Mapping[str, Voice], given: Mapping[str, str]) -> Diarization:
        """The record with names, by what was heard of its speakers; some have names whether or not the voice would do for them."""
        judged = {speaker: self._name(voice) for speaker, voice in heard.items() if speaker not in given}
        sure = [one for one in judged.values() if one is not None]
        names = {speaker: one[0] for speaker, one in judged.items() if one is not None} | dict(given)
        turns = tuple(replace(turn, speaker=names.get(turn.speaker, turn.speaker)) for turn in found.turns)
        return replace(found, turns=turns, known={name: how for name, how in sure if how is not None})

    def _name(self, voice: Voice) -> tuple[str, float | None] | None:
        """The person whose threshold a voice passes by most, and how likely it is; None for nobody."""
        judged = self.judge.judge([voice] * len(self.people), [person.voice for person in self.people])
        best = max(range(len(judged)), key=lambda n: judged[n]["score"] - judged[n]["threshold"])
        if not judged[best]["same"]:
            return None
        return self.people[best].name, judged[best].get("probability")


@dataclass(frozen=True)
class Enroller:
    """Puts speakers into a database, and then calls all those by name who are in it."""

    encoder: SpeakerEncoder
    model: str  # which net in which state
    path: str
    wanted: Mapping[str, str]  # names by speaker
    namer: Callable[[], Namer]  # once they are in it
    tell: Callable[[str], None]

    def __call__(self, item: Streamed, found: Diarization) -> Diarization:
        """The record with names. Raises InputError for a speaker who is not there, or says too little."""
        for speaker in self.wanted:
            if speaker not in found.seconds:
                raise InputError(f"there is no {speaker}, only {', '.join(sorted(found.seconds))}: nobody was enrolled")
        heard = voices(self.encoder, item, found)
        for speaker in self.wanted:
            if speaker not in heard:
                raise InputError(f"{speaker} says too little to be known again: nobody was enrolled")
        for speaker, name in self.wanted.items():
            total = add(self.path, self.model, Enrolled(name, 1, heard[speaker]))
            more = (
                f", {total.voice.seconds:.1f} s in {total.clips} recordings with what was known"
                if total.clips > 1
                else ""
            )
            self.tell(f"{name}: {heard[speaker].seconds:.1f} s of {speaker}, enrolled in {self.path}{more}")
        return self.namer().called(found, heard, self.wanted)


def alone(turns: Sequence[Turn]) -> list[Turn]:
    """The parts of turns in which nobody else speaks, in order."""
    edges = sorted((time, ends, n) for n, turn in enumerate(turns) for ends, time in enumerate((turn.start, turn.end)))
    speaking, found, since = set[int](), list[Turn](), 0.0
    for time, ends, n in edges:
        if time - since > 0.0 and len({turns[one].speaker for one in speaking}) == 1:
            found.append(replace(turns[min(speaking)], start=since, end=time))
        (speaking.discard if ends else speaking.add)(n)
        since = time
    return found


def voices(encoder: SpeakerEncoder, item: Streamed, record: Diarization) -> dict[str, Voice]:
    """The voices of those who speak long enough, each of at most ENOUGH of its first seconds. Raises InputError."""
    rate = encoder.sample_rate
    single = alone(record.turns)
    seconds = replace(record, turns=tuple(single)).seconds
    # Those whom nobody lets speak are heard in company.
    turns = [*single, *(turn for turn in record.turns if seconds.get(turn.speaker, 0.0) < SHORTEST)]
    parts: dict[str, list[Floats]] = {speaker: [] for speaker in record.seconds}
    scene, position = list[Floats](), 0
    with item.open(rate) as stream:
        for block in stream.blocks:
            samples = block[0]
            if position < SCENE * rate:
                scene.append(samples)
            for turn in turns:
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

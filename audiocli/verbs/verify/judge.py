"""From voices to records: scores, thresholds, decisions and probabilities of pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...records import Match
from ...run.mapped import Results
from ...voices import calibration
from ...voices.calibration import Calibration
from ...voices.embeddings import SpeakerEncoder
from ...voices.voice import NO_SPEECH, SHORTEST, TOO_SHORT, Floats, Voice
from .hearing import InputVoice

FAILED = "failed"


@dataclass(frozen=True)
class Judge:
    """A judge of pairs, by the calibration of the model at `far`, or by a bare threshold."""

    model: str
    revision: str | None
    options: dict[str, Any]
    far: float
    threshold: float
    calibration: Calibration | None
    cohort: Floats | None = None  # strangers whose embeddings [strangers, embedding] the calibration uses

    def matches(
        self, pairs: Sequence[tuple[str, str, bool | None]], voices: Mapping[str, Voice], heard: Results[InputVoice]
    ) -> list[Match]:
        """A record for each pair of names and its label; what could not be read or decided says so."""
        able = [
            n for n, (a, b, _) in enumerate(pairs)
            if all(name in voices and voices[name].embedding is not None for name in (a, b))
        ]  # fmt: skip
        known = [(voices[pairs[n][0]], voices[pairs[n][1]]) for n in able]
        judged = dict(zip(able, self.judge(*zip(*known, strict=True)), strict=True)) if able else {}
        return [self._match(pair, judged.get(n), voices, heard) for n, pair in enumerate(pairs)]

    def judge(self, a: Sequence[Voice], b: Sequence[Voice]) -> list[dict[str, Any]]:
        """The fields of a decision for each pair of voices that have an embedding."""
        if self.calibration is None:
            return [
                {"score": score, "threshold": self.threshold, "same": score >= self.threshold}
                for score in calibration.between(a, b).scores.round(6).tolist()
            ]
        pairs = calibration.between(a, b, self.cohort)
        judged = self.calibration.judge(pairs, self.far)
        columns = (
            pairs.cosine(pairs.scores), judged.threshold, judged.probability, judged.log_odds, judged.false_rejects
        )  # fmt: skip
        rows = zip(*(column.round(6).tolist() for column in columns), judged.same.tolist(), strict=True)
        return [
            {
                "score": score, "threshold": threshold, "same": same, "probability": probability, "log_odds": log_odds,
                "false_accepts": self.far, "false_rejects": missed,
            }
            for score, threshold, probability, log_odds, missed, same in rows
        ]  # fmt: skip

    def _match(
        self,
        pair: tuple[str, str, bool | None],
        judged: dict[str, Any] | None,
        voices: Mapping[str, Voice],
        heard: Results[InputVoice],
    ) -> Match:
        a, b, label = pair
        status, reason = ("ok", None) if judged is not None else _why_not(pair[:2], voices, heard)
        record = heard.records.get(a)
        return Match(
            path=a, duration=record.duration if record else 0.0, sample_rate=record.sample_rate if record else 0,
            task="verify", model=self.model, revision=self.revision, options=self.options, status=status, a=a, b=b,
            label=label, reason=reason, **(judged or {}),
        )  # fmt: skip


def judge_of(
    encoder: SpeakerEncoder, revision: str | None, options: dict[str, Any], far: float, threshold: float | None
) -> Judge:
    """The judge of a model; a threshold of the user's own takes the place of its calibration."""
    fitted = calibration.from_dict(encoder.calibration) if encoder.calibration and threshold is None else None
    bare = encoder.threshold if threshold is None else threshold
    return Judge(encoder.spec.name, revision, options, far, bare, fitted, encoder.cohort)


def _why_not(names: Sequence[str], voices: Mapping[str, Voice], heard: Results[InputVoice]) -> tuple[str, str]:
    """Status and reason of a pair that cannot be judged."""
    for name in names:
        if name in heard.failures:
            return FAILED, f"{name}: {heard.failures[name]}"
    for name in names:
        if name in voices and voices[name].embedding is None:
            return undecided(name, voices[name])
    return FAILED, f"{names[0]}: was not read"


def undecided(name: str, voice: Voice) -> tuple[str, str]:
    """Status and reason for a recording that has too little speech."""
    if voice.status == NO_SPEECH:
        return NO_SPEECH, f"cannot decide: no speech in {name}"
    return TOO_SHORT, f"cannot decide: {voice.seconds:.1f} s of speech in {name}, and {SHORTEST:g} s are the least"


def voices_of(heard: Mapping[str, InputVoice]) -> dict[str, Voice]:
    """The voices by path."""
    return {path: record.voice for path, record in heard.items()}

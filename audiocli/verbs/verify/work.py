"""What `audiocli verify` does with voices: compare pairs, enroll people, find out who it is."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...console import Console
from ...errors import InputError
from ...inputs import sources
from ...inputs.sources import Found
from ...models.locate import Located
from ...options import InputOptions
from ...records import Match
from ...run import batch
from ...run.mapped import Results, mapped
from ...voices import people as voices
from ...voices.alone import APART, furthest
from ...voices.embeddings import SpeakerEncoder
from ...voices.models import GE2E_FILE
from ...voices.voice import Voice, mean
from .hearing import InputVoice, Work
from .judge import Judge, undecided, voices_of
from .trials import Trial, located

KEPT = 5  # candidates that an identification tells


@dataclass(frozen=True)
class Run:
    """A loaded encoder and how inputs are read."""

    encoder: SpeakerEncoder
    model: str  # which net in which state, for databases
    reading: InputOptions
    console: Console
    jobs: int

    def hear(self, found: Iterable[Found], *, single: bool = False) -> tuple[Results[InputVoice], batch.Tally]:
        """The voice of every input, each heard once; single: of one person, else there are warnings."""
        return mapped(found, Work(self.encoder, self.reading, single), self.console, jobs=self.jobs)


def model_id(spec: Located) -> str:
    """Which net in which state: embeddings of another one cannot be compared with its own."""
    revision = spec.spec.revision
    for name in ("model.safetensors", GE2E_FILE):
        if revision is None and spec.path and (spec.path / name).is_file():
            revision = hashlib.sha256((spec.path / name).read_bytes()).hexdigest()[:12]
    return f"{spec.spec.name}@{revision}" if revision else spec.spec.name


def files(paths: Iterable[str]) -> list[Found]:
    """Inputs by their names, each once."""
    return [sources.named(path) for path in dict.fromkeys(paths)]


def compare(run: Run, judge: Judge, trials: Sequence[Trial], listed_in: str = "") -> tuple[list[Match], batch.Tally]:
    """A record for each trial."""
    known, named, tally = of_trials(run, trials, listed_in)
    return judge.matches([(trial.a, trial.b, trial.label) for trial in trials], known, named), tally


def of_trials(
    run: Run, trials: Sequence[Trial], listed_in: str
) -> tuple[dict[str, Voice], Results[InputVoice], batch.Tally]:
    """The voices that trials name, and what became of their recordings, by the names in the list."""
    places = {name: located(name, listed_in) if listed_in else name for trial in trials for name in (trial.a, trial.b)}
    kept, tally = run.hear(files(places.values()))
    by_place = voices_of(kept.records)
    known = {name: by_place[place] for name, place in places.items() if place in by_place}
    named = Results(
        {name: kept.records[place] for name, place in places.items() if place in kept.records},
        {name: kept.failures[place] for name, place in places.items() if place in kept.failures},
    )
    return known, named, tally


def against(
    run: Run, judge: Judge, found: Iterable[Found], references: Sequence[str]
) -> tuple[list[Match], batch.Tally]:
    """A record for each input against one person, of whom there are one or more recordings."""
    kept, tally = run.hear(files(references), single=True)
    voice = _person(kept, references)
    _check_one_person(run, judge, kept)
    name = " + ".join(references)
    heard, more = run.hear(found)
    known = {**voices_of(heard.records), name: voice}
    names = [*heard.records, *heard.failures]
    return judge.matches([(path, name, None) for path in names], known, heard), _both(tally, more)


def _person(kept: Results[InputVoice], names: Sequence[str]) -> Voice:
    """One voice of recordings of a person. Raises InputError where nothing can be made of them."""
    if kept.failures:
        name, reason = next(iter(kept.failures.items()))
        raise InputError(f"{name}: {reason}")
    voice = mean([kept.records[name].voice for name in dict.fromkeys(names)])
    if voice.embedding is None:
        raise InputError(undecided(" + ".join(names), voice)[1])
    return voice


def _check_one_person(run: Run, judge: Judge, kept: Results[InputVoice]) -> None:
    """Tell of recordings that should be one person's and hardly are."""
    heard = list(kept.records.values())
    if apart := furthest([record.voice for record in heard], judge.judge):
        run.console.error(f"{heard[apart[0]].path} and {heard[apart[1]].path} {APART}")


def enroll(run: Run, judge: Judge, found: Iterable[Found], name: str, path: str) -> batch.Tally:
    """Put the voice of a person into a database, beside what is known of it."""
    kept, tally = run.hear(found, single=True)
    if not kept.records:
        raise InputError(f"no recording of {name} could be read")
    clips = [record.voice for record in kept.records.values()]
    voice = mean(clips)
    if voice.embedding is None:
        raise InputError(undecided("the recordings", voice)[1])
    _check_one_person(run, judge, kept)
    usable = sum(clip.embedding is not None for clip in clips)
    before = voices.named(path, run.model, name)
    if before and furthest([before.voice, voice], judge.judge):
        run.console.error(f"{name}: the recordings and those that are enrolled already {APART}")
    total = voices.add(path, run.model, voices.Enrolled(name, usable, voice))
    more = f"; with those of before {total.voice.seconds:.1f} s in {total.clips}" if total.clips > usable else ""
    run.console.note(
        f"{name}: {voice.seconds:.1f} s of speech in {usable} of {len(clips)} recordings, enrolled in {path}{more}"
    )
    return tally


def identify(run: Run, judge: Judge, found: Iterable[Found], path: str) -> tuple[list[Match], batch.Tally]:
    """A record for each input: who of a database it is, or nobody. The share of false accepts holds for all of them together."""
    people = voices.read(path, run.model)
    strict = replace(judge, far=judge.far / len(people))
    heard, tally = run.hear(found)
    return [_identified(strict, judge.far, name, people, heard) for name in (*heard.records, *heard.failures)], tally


def _identified(
    judge: Judge, far: float, name: str, people: Sequence[voices.Enrolled], heard: Results[InputVoice]
) -> Match:
    """The best of the people by how far each is above its own threshold."""
    known = voices_of(heard.records)
    if name not in known or known[name].embedding is None:
        return judge.matches([(name, "", None)], known, heard)[0]
    judged = judge.judge([known[name]] * len(people), [person.voice for person in people])
    order = sorted(range(len(people)), key=lambda n: judged[n]["threshold"] - judged[n]["score"])
    best = people[order[0]]
    match = judge.matches([(name, best.name, None)], {**known, best.name: best.voice}, heard)[0]
    expected = None if match.false_accepts is None else far
    candidates = tuple((people[n].name, float(judged[n]["score"])) for n in order[:KEPT])
    return replace(match, name=best.name if match.same else None, candidates=candidates, false_accepts=expected)


def _both(first: batch.Tally, second: batch.Tally) -> batch.Tally:
    return batch.Tally(
        first.done + second.done, first.skipped + second.skipped, first.failed + second.failed, first.bugs + second.bugs,
        first.seconds + second.seconds, first.interrupted or second.interrupted, first.stuck or second.stuck,
    )  # fmt: skip

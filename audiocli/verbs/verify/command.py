"""`audiocli verify`: is this the same speaker, who of those we know is it, and is this the same recording."""

import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ...errors import InputError, UsageError
from ...options import InputOptions, ModelOptions, OutputOptions, VerifyOptions, shaping
from ...options.formats import MATCH, PICTURES, either, picture
from ...run import job as common
from ...run.verb import Inputs, verb

if TYPE_CHECKING:
    from ...console import Console
    from ...outputs.sinks import Sink
    from ...records import Match
    from ...run.batch import Tally
    from .judge import Judge
    from .work import Run

KEEPING = ("--list", "--remove", "--rename")  # what is done to a database, without any recording


def check(inputs: list[str], options: VerifyOptions, reading: InputOptions) -> None:
    """Raises UsageError for what does not fit together."""
    ways = {
        "--trials": options.trials, "--reference": options.reference, "--enroll": options.enroll,
        "--identify": options.identify, "--recording": options.recording, "--list": options.listing,
        "--remove": options.remove is not None, "--rename": options.rename is not None,
    }  # fmt: skip
    given = [name for name, value in ways.items() if value]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} do different things: give one of them")
    if options.enroll == "" or (options.rename and not all(options.rename)):
        raise UsageError("--enroll and --rename need a name")
    if given and given[0] not in ("--trials", "--reference") and not options.db:
        raise UsageError(f"{given[0]} needs --db FILE")
    if given and given[0] in KEEPING and (inputs or reading.files_from):
        raise UsageError(f"{given[0]} is about --db alone: leave the INPUTs out")
    if options.index and not options.recording:
        raise UsageError("--index goes with --recording")
    if options.db and (not given or given[0] in ("--trials", "--reference")):
        raise UsageError(
            "--db goes with --enroll NAME, --identify, --list, --remove NAME, --rename OLD NEW or --recording"
        )
    if options.recording and (options.exit_code or options.threshold is not None):
        raise UsageError("--exit-code and --threshold are about speakers: leave them out with --recording")
    if options.trials and (inputs or reading.files_from):
        raise UsageError("--trials names all recordings: leave the INPUTs out")
    if not given and (len(inputs) != 2 or reading.files_from):
        raise UsageError(
            f"give two recordings to compare, not {len(inputs)}; or --reference, --trials, --identify, ..."
        )
    if options.plot and (not options.trials or not picture(options.plot)):
        raise UsageError(f"--plot goes with --trials, and is a file with one of .{', .'.join(PICTURES)}")
    check_numbers(options)


def check_numbers(options: VerifyOptions) -> None:
    """Raises UsageError for rates and thresholds that do not exist."""
    if not 0.0 < options.far < 1.0:
        raise UsageError(f"--far must lie between 0 and 1, not {options.far:g}")
    if options.threshold is not None and not -1.0 <= options.threshold <= 1.0:
        raise UsageError(f"--threshold must lie between -1 and 1, not {options.threshold:g}")


@verb(
    help={
        "model": "A model by name, a hub id org/name, or a folder (the built-in one).",
        "format": f"{either(MATCH)} (default: the suffix of -o, else txt).",
    },
    without=("resume",),
)
def verify(
    inputs: Inputs, options: VerifyOptions, choice: ModelOptions, reading: InputOptions, writing: OutputOptions
) -> int:
    """Compare two recordings: the same speaker, or not, and how sure that is. Or find out who speaks, or which track it is.

    Two INPUTs are compared with each other; --reference, --trials, --enroll, --identify and --recording do more. The threshold
    follows from --far, the length of the speech and the noise.
    """
    check(inputs, options, reading)
    common.check_model(choice)
    common.check_input(reading)
    jobs = common.cores(writing.jobs)
    console = common.console_for(writing)
    if options.listing or options.remove is not None or options.rename:
        return _people(options, writing, console)
    if options.recording:
        return _recordings(inputs, options, reading, writing, console, jobs)
    return _speakers(inputs, options, choice, reading, writing, console, jobs)


def _people(options: VerifyOptions, writing: OutputOptions, console: "Console") -> int:
    """Tell who is in a database, or change it."""
    from ...inputs.sources import Source
    from ...outputs.destination import destination, open_sink
    from ...outputs.sinks import Claim
    from ...records import Person
    from ...voices import people

    db = options.db or ""
    if options.remove is not None:
        people.remove(db, options.remove)
        console.note(f"{options.remove} is no longer in {db}")
        return 0
    if options.rename:
        old, new = options.rename
        people.rename(db, old, new)
        console.note(f"{old} is now called {new} in {db}")
        return 0
    sink = open_sink(destination(writing, Person, single=False, default="txt"), {}).sink
    known = people.everyone(db)
    for row in known:
        record = Person(
            path=db,
            duration=row.seconds,
            sample_rate=0,
            task="verify",
            model=row.model,
            name=row.name,
            recordings=row.clips,
        )
        sink.commit(Claim(Source(db, PurePath(db))), record)
    sink.close()
    if not known:
        console.note(f"nobody is enrolled in {db}")
    return 0


def _recordings(
    inputs: list[str],
    options: VerifyOptions,
    reading: InputOptions,
    writing: OutputOptions,
    console: "Console",
    jobs: int,
) -> int:
    """Index tracks, and look up what there is to look up."""
    from ...outputs.destination import destination, open_sink
    from ...records import Recognised
    from .recordings.index import tracks
    from .recordings.work import Asking

    db, told = options.db or "", shaping(reading)
    code = _indexed(options.index, db, reading, console, jobs) if options.index else 0
    if options.index and not inputs and reading.files_from is None:
        return code
    single = common.is_single(inputs, reading)
    key = {"task": "verify", "db": os.path.abspath(db), **told}
    opened = open_sink(destination(writing, Recognised, single=single, default="txt"), key)
    known = list(tracks(db))
    if not known:
        raise InputError(f"{db} holds no tracks: put them in with --index DIR")
    asking = Asking(reading, known, told)
    return common.go_through(inputs, reading, asking, opened, console, jobs=jobs) or code


def _indexed(folder: str, db: str, reading: InputOptions, console: "Console", jobs: int) -> int:
    """Put the tracks of a folder, or one, into the database; those that are in it already are left out."""
    from ...outputs.destination import Opened
    from .recordings.index import Index
    from .recordings.work import Indexing, IntoIndex

    index = Index(db)
    work = Indexing(InputOptions(raw=reading.raw, channel=reading.channel))
    there = InputOptions(glob=reading.glob)
    code = common.go_through([folder], there, work, Opened(IntoIndex(index)), console, jobs=jobs)
    for path, other in index.equal():
        console.note(f"{path} is the same recording as {other}: both are in {db}, and a search names both")
    if gone := index.gone():
        console.note(
            f"{gone[0]}{f' and {len(gone) - 1} more' if len(gone) > 1 else ''}: no such file any more; still in {db}"
        )
    console.note(f"{len(index)} tracks in {db}")
    return code


def _speakers(
    inputs: list[str], options: VerifyOptions, choice: ModelOptions, reading: InputOptions, writing: OutputOptions,
    console: "Console", jobs: int,
) -> int:  # fmt: skip
    """Load the encoder, and compare, enroll or identify."""
    from ...inputs import sources
    from ...models import locate as models
    from ...models.load import build
    from ...outputs.destination import destination, open_sink
    from ...records import Match
    from ...voices.embeddings import SpeakerEncoder
    from . import judge as judging
    from . import trials, work

    pairs = (
        trials.read(options.trials)
        if options.trials
        else [trials.Trial(inputs[0], inputs[1])]
        if len(inputs) == 2
        else []
    )
    opened = None if options.enroll else open_sink(destination(writing, Match, single=False, default="txt"), {})
    located = models.locate(choice.model, "verify", offline=choice.offline, tell=console.note)
    encoder = build(located, SpeakerEncoder, choice)
    job = work.Run(encoder, work.model_id(located), reading, console, jobs)
    judge = judging.judge_of(
        encoder, located.spec.revision, described(options, choice, reading), options.far, options.threshold
    )
    if judge.calibration is None and options.threshold is None:
        console.note(
            f"{located.spec.name} has no calibration: a bare threshold of {judge.threshold:g}, no probabilities"
        )
    if options.enroll:
        found = sources.find(inputs, glob=reading.glob, files_from=reading.files_from)
        return common.finish(work.enroll(job, judge, found, options.enroll, options.db or ""), console)
    matches, tally = _matches(inputs, options, reading, job, judge, pairs)
    assert opened is not None
    return _finished(matches, tally, options, opened.sink, console)


def _matches(
    inputs: list[str], options: VerifyOptions, reading: InputOptions, job: "Run", judge: "Judge", pairs: list[Any]
) -> "tuple[list[Match], Tally]":
    """What was found out."""
    from ...inputs import sources
    from . import work

    if not (options.reference or options.identify):
        return work.compare(job, judge, pairs, options.trials or "")
    found = sources.find(inputs, glob=reading.glob, files_from=reading.files_from)
    if options.identify:
        return work.identify(job, judge, found, options.db or "")
    return work.against(job, judge, found, options.reference)


def described(options: VerifyOptions, choice: ModelOptions, reading: InputOptions) -> dict[str, Any]:
    """The options as records tell them: those that shape the result."""
    return {"far": options.far, "threshold": options.threshold, "precision": choice.precision, **shaping(reading)}


def _finished(matches: "list[Match]", tally: "Tally", options: VerifyOptions, sink: "Sink", console: "Console") -> int:
    """Write the records and tell the error rates; the exit code."""
    from ...inputs.sources import Source
    from ...outputs.sinks import Claim

    for match in matches:
        sink.commit(Claim(Source(match.path, PurePath(match.path))), match)
        if match.same is None and match.status != "failed":
            console.note(match.reason or match.status)
    sink.close(not tally.interrupted)
    if matches and matches[0].label is not None:
        _told_rates(matches, options, console)
    code = common.finish(tally, console)
    alike = all(match.same for match in matches)
    return code or int(options.exit_code and not alike)


def _told_rates(matches: "list[Match]", options: VerifyOptions, console: "Console") -> None:
    """Equal error rate and detection cost of labelled trials, and their picture."""
    from ...outputs.destination import write_picture
    from ...outputs.figures import tables as plots
    from ...voices import error_rates

    known = [match for match in matches if match.score is not None]
    try:
        curve = error_rates.of(known)
    except ValueError as error:
        console.error(f"{options.trials}: {error}")
        return
    accepts, rejects = error_rates.decided(known)
    console.note(
        f"{len(known)} trials: EER {100 * curve.equal_error_rate():.2f} %, minDCF {curve.min_dcf():.3f}; at the thresholds "
        f"{100 * accepts:.2f} % false accepts, {100 * rejects:.2f} % false rejects"
    )
    if options.plot:
        form = str(picture(options.plot))
        rates = curve.false_accepts, curve.false_rejects
        write_picture(options.plot, plots.tradeoff(rates, curve.equal_error_rate(), (accepts, rejects), form))

"""`audiocli verify`: is this the same speaker, who of those we know is it, and is this the same recording."""

import os
from dataclasses import replace
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

WITHOUT_DB = ("--trials", "--calibrate", "--reference")
KEEPING = ("--list", "--remove", "--rename")  # what is done to a database, without any recording


def check(inputs: list[str], options: VerifyOptions, reading: InputOptions, writing: OutputOptions) -> None:
    """Raises UsageError for what does not fit together."""
    ways = {
        "--trials": options.trials, "--calibrate": options.calibrate, "--reference": options.reference, "--enroll": options.enroll,
        "--identify": options.identify, "--recording": options.recording, "--list": options.listing,
        "--remove": options.remove is not None, "--rename": options.rename is not None,
    }  # fmt: skip
    given = [name for name, value in ways.items() if value]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} do different things: give one of them")
    if options.enroll == "" or (options.rename and not all(options.rename)):
        raise UsageError("--enroll and --rename need a name")
    if given and given[0] not in WITHOUT_DB and not options.db:
        raise UsageError(f"{given[0]} needs --db FILE")
    if given and given[0] in KEEPING and (inputs or reading.listed):
        raise UsageError(f"{given[0]} is about --db alone: leave the INPUTs out")
    if options.index and not options.recording:
        raise UsageError("--index goes with --recording")
    if options.db and (not given or given[0] in WITHOUT_DB):
        raise UsageError(
            "--db goes with --enroll NAME, --identify, --list, --remove NAME, --rename OLD NEW or --recording"
        )
    if options.recording and (options.exit_code or options.threshold is not None):
        raise UsageError("--exit-code and --threshold are about speakers: leave them out with --recording")
    if given and given[0] in ("--trials", "--calibrate") and (inputs or reading.listed):
        raise UsageError(f"{given[0]} names all recordings: leave the INPUTs out")
    check_calibration(given, options, writing)
    if not given and (len(inputs) != 2 or reading.listed):
        raise UsageError(
            f"give two recordings to compare, not {len(inputs)}; or --reference, --trials, --identify, ..."
        )
    if options.plot and (not options.trials or not picture(options.plot)):
        raise UsageError(f"--plot goes with --trials, and is a file with one of .{', .'.join(PICTURES)}")
    check_numbers(options)


def check_calibration(given: list[str], options: VerifyOptions, writing: OutputOptions) -> None:
    """Raises UsageError for what makes or takes a calibration and does not fit together."""
    if options.calibration and (given and given[0] in (*KEEPING, "--recording", "--calibrate")):
        raise UsageError(f"--calibration is about decisions on speakers: leave it out with {given[0]}")
    if options.calibration and options.threshold is not None:
        raise UsageError("--calibration and --threshold both decide: give one of them")
    if options.calibrate and (options.threshold is not None or options.exit_code):
        raise UsageError("--calibrate decides nothing: leave --threshold and --exit-code out")
    if options.calibrate:
        from ...outputs.destination import check_single

        check_single(writing, "--calibrate")


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
    check(inputs, options, reading, writing)
    job = common.begin("verify", writing, inputs, choice=choice, reading=reading)
    if options.listing or options.remove is not None or options.rename:
        return _people(options, job)
    if options.recording:
        return _recordings(options, reading, job)
    return _speakers(options, reading, job)


def _people(options: VerifyOptions, job: common.Job) -> int:
    """List who is in a database, or change it."""
    from ...inputs.sources import Source
    from ...outputs.sinks import Claim
    from ...records import Person
    from ...voices import people

    db, console = options.db or "", job.console
    if options.remove is not None:
        people.remove(db, options.remove)
        console.note(f"{options.remove} is no longer in {db}")
        return 0
    if options.rename:
        old, new = options.rename
        people.rename(db, old, new)
        console.note(f"{old} is now called {new} in {db}")
        return 0
    sink = job.opened(job.target(Person, default="txt", single=False), {}).sink
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


def _recordings(options: VerifyOptions, reading: InputOptions, job: common.Job) -> int:
    """Index tracks, and look up what there is to look up."""
    from ...records import Recognised
    from .recordings.index import tracks
    from .recordings.work import Asking

    db = options.db or ""
    code = _indexed(options.index, db, reading, job) if options.index else 0
    if options.index and not job.inputs and not reading.listed:
        return code
    opened = job.opened(job.target(Recognised, default="txt"), {"db": os.path.abspath(db)})
    known = list(tracks(db))
    if not known:
        raise InputError(f"{db} holds no tracks: put them in with --index DIR")
    return job.through(Asking(reading, known, shaping(reading)), opened) or code


def _indexed(folder: str, db: str, reading: InputOptions, job: common.Job) -> int:
    """Put the tracks of a folder, or one, into the database; those that are in it already are left out."""
    from ...outputs.destination import Opened
    from .recordings.index import Index
    from .recordings.work import Indexing, IntoIndex

    index, console = Index(db), job.console
    work = Indexing(InputOptions(raw=reading.raw, channel=reading.channel))
    there = replace(job, inputs=[folder], reading=InputOptions(glob=reading.glob))
    code = there.through(work, Opened(IntoIndex(index)))
    for path, other in index.equal():
        console.note(f"{path} is the same recording as {other}: both are in {db}, and a search names both")
    if gone := index.gone():
        console.note(
            f"{gone[0]}{f' and {len(gone) - 1} more' if len(gone) > 1 else ''}: no such file any more; still in {db}"
        )
    console.note(f"{len(index)} tracks in {db}")
    return code


def _speakers(options: VerifyOptions, reading: InputOptions, job: common.Job) -> int:
    """Load the encoder, and compare, enroll or identify."""
    from ...models.load import build
    from ...records import Match
    from ...voices.embeddings import SpeakerEncoder
    from . import judge as judging
    from . import recalibration, trials, work

    listed = options.trials or options.calibrate
    pairs = (
        trials.read(listed) if listed else [trials.Trial(job.inputs[0], job.inputs[1])] if len(job.inputs) == 2 else []
    )
    silent = options.enroll or options.calibrate
    opened = None if silent else job.opened(job.target(Match, default="txt", single=False), {})
    located = job.located()
    encoder = build(located, SpeakerEncoder, job.choice)
    model = work.model_id(located)
    if options.calibration:
        encoder = replace(encoder, calibration=recalibration.read(options.calibration, model))
    run = work.Run(encoder, model, reading, job.console, job.jobs)
    if options.calibrate:
        return _calibrated(options, job, run, pairs)
    judge = judging.judge_of(
        encoder, located.spec.revision, described(options, job.choice, reading), options.far, options.threshold
    )
    if judge.calibration is None and options.threshold is None:
        job.console.note(
            f"{located.spec.name} has no calibration: a bare threshold of {judge.threshold:g}, no probabilities"
        )
    if options.enroll:
        tally = work.enroll(run, judge, job.sources(), options.enroll, options.db or "")
        return common.finish(tally, job.console)
    matches, tally = _matches(options, job, run, judge, pairs)
    assert opened is not None
    return _finished(matches, tally, options, opened.sink, job.console)


def _calibrated(options: VerifyOptions, job: common.Job, run: "Run", pairs: list[Any]) -> int:
    """Fit a calibration, write it, and report what it changes."""
    from ...outputs.destination import write_single
    from . import recalibration

    fitted, tally = recalibration.fit(run, pairs, options.calibrate or "", options.far)
    write_single(job.writing, recalibration.as_json(run, fitted.calibration))
    job.console.note(recalibration.summary(fitted, options.far))
    return common.finish(tally, job.console)


def _matches(
    options: VerifyOptions, job: common.Job, run: "Run", judge: "Judge", pairs: list[Any]
) -> "tuple[list[Match], Tally]":
    """What was found out."""
    from . import work

    if options.identify:
        return work.identify(run, judge, job.sources(), options.db or "")
    if options.reference:
        return work.against(run, judge, job.sources(), options.reference)
    return work.compare(run, judge, pairs, options.trials or "")


def described(options: VerifyOptions, choice: ModelOptions, reading: InputOptions) -> dict[str, Any]:
    """The options as records tell them: those that shape the result."""
    fitted = {"calibration": options.calibration} if options.calibration else {}
    return {
        "far": options.far,
        "threshold": options.threshold,
        **fitted,
        "precision": choice.precision,
        **shaping(reading),
    }


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
        _report_rates(matches, options, console)
    code = common.finish(tally, console)
    alike = all(match.same for match in matches)
    return code or int(options.exit_code and not alike)


def _report_rates(matches: "list[Match]", options: VerifyOptions, console: "Console") -> None:
    """Equal error rate and detection cost of labelled trials, and their picture."""
    from ...outputs.destination import write_file
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
        write_file(options.plot, plots.tradeoff(rates, curve.equal_error_rate(), (accepts, rejects), form))

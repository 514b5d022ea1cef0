"""`audiocli classify`: which sounds there are, and when."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from ...errors import UsageError, check_choice
from ...options import ClassifyOptions, InputOptions, ModelOptions, OutputOptions, shaping
from ...run import job as common

DEFAULT, MODEL, INPUT, OUTPUT = ClassifyOptions(), ModelOptions(), InputOptions(), OutputOptions()
PICTURES = ("png", "svg", "pdf")
TIMED = ("textgrid", "rttm", "labels")  # formats that hold events only


def classify(
    inputs: common.Inputs = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="A model by name, a hub id org/name, or a folder (the built-in everyday-sounds).",
            metavar="NAME",
        ),
    ] = MODEL.model,
    top: Annotated[int, typer.Option(help="Labels that are told of each input.", metavar="N")] = DEFAULT.top,
    threshold: Annotated[
        float | None,
        typer.Option(help="Leave out what is less likely (0; with --events 0.5: where an event begins).", metavar="P"),
    ] = DEFAULT.threshold,
    labels: Annotated[
        str | None,
        typer.Option(
            help="Choose among these only: a file with one a line, or 'dog,rain'. CLAP takes any words, others their own.",
            metavar="LABELS",
        ),
    ] = DEFAULT.labels,
    prompt_template: Annotated[
        str, typer.Option(help="What CLAP is told of a label, which goes in for {}.", metavar="TEXT")
    ] = DEFAULT.prompt_template,
    events: Annotated[bool, typer.Option("--events", help="When each sound begins and ends.")] = DEFAULT.events,
    window: Annotated[
        float | None,
        typer.Option(help="What is judged at once (the model's own; with --events 1).", metavar="SECONDS"),
    ] = DEFAULT.window,
    hop: Annotated[
        float | None, typer.Option(help="From one window to the next (a window; with --events 0.1).", metavar="SECONDS")
    ] = DEFAULT.hop,
    smooth: Annotated[
        float, typer.Option(help="Of the probabilities over time, before events are found.", metavar="SECONDS")
    ] = DEFAULT.smooth,
    gap: Annotated[
        float, typer.Option(help="Events of one label with a shorter pause between them are one.", metavar="SECONDS")
    ] = DEFAULT.gap,
    shortest: Annotated[float, typer.Option(help="Shorter events are left out.", metavar="SECONDS")] = DEFAULT.shortest,
    plot: Annotated[
        str | None,
        typer.Option(
            help=f"Also draw the probabilities under the spectrogram: {', '.join(PICTURES)}; with -o.", metavar="FORMAT"
        ),
    ] = DEFAULT.plot,
    output: common.Output = OUTPUT.output,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            help="txt, csv, tsv, json or jsonl; for events also TextGrid, labels (Audacity) and rttm (default: the suffix of -o, "
            "else txt).",
            metavar="FORMAT",
        ),
    ] = OUTPUT.format,
    glob: common.Glob = None,
    files_from: common.FilesFrom = INPUT.files_from,
    raw: common.Raw = INPUT.raw,
    start: common.Start = INPUT.start,
    duration: common.Duration = INPUT.duration,
    channel: common.Channel = INPUT.channel,
    resume: common.Resume = OUTPUT.resume,
    force: common.Force = OUTPUT.force,
    jobs: common.Jobs = OUTPUT.jobs,
    device: common.Device = MODEL.device,
    precision: common.Precision = MODEL.precision,
    memory: common.Memory = MODEL.memory,
    offline: common.Offline = MODEL.offline,
    quiet: common.Quiet = OUTPUT.quiet,
) -> None:
    """Sounds by name: whole folders, hours of audio; ten everyday sounds, speech and silence right after install, offline.

    Other labels come with other models, or with one of your own: 'audiocli train classifier' makes it from a folder a label.
    """  # fmt: skip
    own = ClassifyOptions(top, threshold, labels, prompt_template, events, window, hop, smooth, gap, shortest, plot)
    choice = ModelOptions(model, device, precision, memory, offline)
    reading = InputOptions(tuple(glob or ()), files_from, raw, start, duration, channel)
    writing = OutputOptions(output, format, resume, force, jobs, quiet)
    common.start(lambda: run(list(inputs or ()), own, choice, reading, writing))


def check(options: ClassifyOptions) -> None:
    """Raises UsageError for values that mean nothing."""
    if options.top < 1:
        raise UsageError(f"--top must be 1 or more, not {options.top}")
    if options.threshold is not None and not 0.0 <= options.threshold <= 1.0:
        raise UsageError(f"--threshold must lie between 0 and 1, not {options.threshold:g}")
    for name in ("window", "hop"):
        value = getattr(options, name)
        if value is not None and not 0.01 <= value <= 600.0:
            raise UsageError(f"--{name} must lie between 0.01 and 600, not {value:g}")
    for name in ("smooth", "gap", "shortest"):
        value = getattr(options, name)
        if not 0.0 <= value <= 600.0:
            raise UsageError(f"--{name} must lie between 0 and 600, not {value:g}")
    if options.plot is not None:
        check_choice("--plot", options.plot, PICTURES)


def run(
    inputs: list[str], options: ClassifyOptions, choice: ModelOptions, reading: InputOptions, writing: OutputOptions
) -> int:
    """Check, load the model, go through the inputs; the exit code."""
    check(options)
    common.check_model(choice)
    common.check_input(reading)
    jobs = common.cores(writing.jobs)
    if writing.wanted in TIMED and not options.events:
        raise UsageError(f"{writing.wanted} holds events: add --events")

    from ...models import locate as models
    from ...models.load import build
    from ...outputs.destination import open_sink
    from ...records import Events, Labels
    from .work import Tagger, Work, named

    console = common.console_for(writing)
    located = models.locate(choice.model, "classify", offline=choice.offline, tell=console.note)
    told = described(options, choice)
    if options.labels:
        told["labels"] = list(named(options.labels))  # a file may have other lines the next time
    spec = located.spec
    key = {"task": "classify", **told, "model": spec.name, "revision": spec.revision, **shaping(reading)}
    single = common.is_single(inputs, reading)
    kind = Events if options.events else Labels
    opened = open_sink(writing, kind, key, single=single, default="txt", plot=options.plot)
    tagger = build(located, Tagger, choice, options)
    work = Work(tagger, options, reading, told, spec.name, spec.revision)
    return common.go_through(inputs, reading, work, opened, console, jobs=jobs)


def described(options: ClassifyOptions, choice: ModelOptions) -> dict[str, Any]:
    """The options as records tell them: those that shape the result."""
    told = asdict(options)
    del told["plot"]
    return {**told, "precision": choice.precision}

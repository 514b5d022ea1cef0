"""`audiocli denoise`: noise off speech."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import UsageError
from ...options import DenoiseOptions, InputOptions, ModelOptions, OutputOptions, shaping
from ...run import job as common

if TYPE_CHECKING:
    from ...console import Console

DEFAULT, MODEL, INPUT, OUTPUT = DenoiseOptions(), ModelOptions(), InputOptions(), OutputOptions()
TOLD = ("txt", "json", "jsonl")  # formats of what is said about the sound


def denoise(
    inputs: common.Inputs = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="rnnoise (the default), enhancer, conv-enhancer, spectral, or a folder that 'audiocli train' wrote.",
            metavar="NAME",
        ),
    ] = MODEL.model,
    strength: Annotated[
        float | None,
        typer.Option(
            help="0 leaves the sound as it is, 1 takes all of the noise that is found (the model's best).", metavar="S"
        ),
    ] = DEFAULT.strength,
    stream: Annotated[
        bool,
        typer.Option(
            "--stream",
            help="Standard input to standard output as it comes, in the format that came in (WAV, AIFF, AU, CAF, raw PCM), "
            "or as WAV if that is compressed; with INPUT -. "
            "At its own rate a model is late by 30 ms (rnnoise), 32 ms (enhancer, spectral) or 10 ms (conv-enhancer); "
            "resampling adds up to 0.1 s, from 8 kHz up to 0.3 s.",
        ),
    ] = DEFAULT.stream,
    report: Annotated[
        bool, typer.Option("--report", help="Measure level and signal-to-noise ratio (estimated) before and after.")
    ] = DEFAULT.report,
    dnsmos: Annotated[
        str | None,
        typer.Option(
            help="The DNSMOS P.835 model (sig_bak_ovr.onnx): its opinions in the report, too.", metavar="FILE"
        ),
    ] = DEFAULT.dnsmos,
    json: Annotated[
        bool, typer.Option("--json", help="A JSONL record of each file on standard output, once the file is written.")
    ] = DEFAULT.json,
    output: common.Output = OUTPUT.output,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            help="wav, flac, ogg, opus, mp3, aiff, au, caf, w64 or rf64 (default: the suffix of -o, else wav); json, jsonl and "
            "txt write the report without the sound.",
            metavar="FORMAT",
        ),
    ] = OUTPUT.format,
    glob: common.Glob = None,
    files_from: common.FilesFrom = INPUT.files_from,
    raw: common.Raw = INPUT.raw,
    start: common.Start = INPUT.start,
    duration: common.Duration = INPUT.duration,
    resume: common.Resume = OUTPUT.resume,
    force: common.Force = OUTPUT.force,
    jobs: common.Jobs = OUTPUT.jobs,
    device: common.Device = MODEL.device,
    precision: common.Precision = MODEL.precision,
    memory: common.Memory = MODEL.memory,
    offline: common.Offline = MODEL.offline,
    quiet: common.Quiet = OUTPUT.quiet,
) -> None:
    """Noise off speech: sample rate, channels, length and level stay as they are; any length, whole folders, or live.

    With -o FOLDER/ a file for each input. Samples keep their type (24 bits, float) where the format has it.
    """
    own = DenoiseOptions(strength, stream, report or dnsmos is not None, dnsmos, json)
    choice = ModelOptions(model, device, precision, memory, offline)
    reading = InputOptions(tuple(glob or ()), files_from, raw, start, duration)
    writing = OutputOptions(output, format, resume, force, jobs, quiet)
    common.start(lambda: run(list(inputs or ()), own, choice, reading, writing))


def check(options: DenoiseOptions, writing: OutputOptions) -> None:
    """Raises UsageError for values that mean nothing, and for a terminal as the place for sound."""
    if options.strength is not None and not 0.0 <= options.strength <= 1.0:
        raise UsageError(f"--strength must lie between 0 and 1, not {options.strength:g}")
    if writing.format and writing.wanted in TOLD and options.json:
        raise UsageError(f"--json tells of files, and --format {writing.format} writes none: leave one out")


def check_stream(inputs: list[str], options: DenoiseOptions, reading: InputOptions, writing: OutputOptions) -> None:
    """Raises UsageError for what cannot be streamed."""
    if inputs != ["-"] or reading.files_from is not None:
        raise UsageError("--stream reads standard input: give - as the only input")
    if writing.output not in (None, "-") or writing.format is not None:
        raise UsageError("--stream writes to standard output, in the format that came in")
    if options.report or options.json:
        raise UsageError("--stream gives sound only: leave --report and --json out")
    if reading.start or reading.duration is not None:
        raise UsageError("--stream goes from the first sample to the last: leave --start and --duration out")
    if os.isatty(1):
        raise UsageError("standard output is a terminal: send the sound into a file or a pipe")


def run(
    inputs: list[str], options: DenoiseOptions, choice: ModelOptions, reading: InputOptions, writing: OutputOptions
) -> int:
    """Check, load the model, go through the inputs; the exit code."""
    check(options, writing)
    common.check_model(choice)
    common.check_input(reading)
    jobs = common.cores(writing.jobs)
    if options.stream:
        check_stream(inputs, options, reading, writing)
        return _live(options, choice, reading, common.console_for(writing))

    from ...models import locate as models
    from ...models.load import build
    from ...outputs.destination import open_sink
    from ...records import Recording
    from .loudness import dnsmos
    from .work import Denoiser, Work, strength

    console = common.console_for(writing)
    located = models.locate(choice.model, "denoise", offline=choice.offline, tell=console.note)
    spec = located.spec
    key = {
        "task": "denoise",
        "strength": options.strength,
        "model": spec.name,
        "revision": spec.revision,
        **shaping(reading),
    }
    announce = "jsonl" if options.json else "txt" if options.report and _writes_sound(writing) else None
    single = common.is_single(inputs, reading)
    opened = open_sink(writing, Recording, key, single=single, default="wav", announce=announce)
    scorer = None if options.dnsmos is None else dnsmos(options.dnsmos)
    denoiser = build(located, Denoiser, choice, options)
    told = {"strength": strength(options, denoiser)}
    work = Work(denoiser, reading, options, told, spec.name, spec.revision, scorer)
    return common.go_through(inputs, reading, work, opened, console, jobs=jobs)


def _writes_sound(writing: OutputOptions) -> bool:
    """Whether the files that are written hold sound, so that the report needs another place."""
    return writing.wanted not in TOLD


def _live(options: DenoiseOptions, choice: ModelOptions, reading: InputOptions, console: "Console") -> int:
    """Standard input to standard output."""
    from ...inputs import live
    from ...models import locate as models
    from ...models.load import build
    from .work import Denoiser, pass_through

    live.check_stdin("arecord -f S16_LE -r 16000 | audiocli denoise --stream - | aplay")
    located = models.locate(choice.model, "denoise", offline=choice.offline, tell=console.note)
    denoiser = build(located, Denoiser, choice, options)
    return pass_through(denoiser, options, reading.raw, console)

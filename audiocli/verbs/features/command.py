"""`audiocli features`: numbers and plots from audio."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...errors import UsageError, check_choice, hint
from ...options import FRONT_ENDS, KINDS, FeaturesOptions, InputOptions, OutputOptions, described, front_end, shaping
from ...run import job as common

if TYPE_CHECKING:
    from ...console import Console
    from ...records import Record
    from ...run.batch import Work

DEFAULT, INPUT, OUTPUT = FeaturesOptions(), InputOptions(), OutputOptions()
USES_MEL = frozenset({"mel", "log-mel", "mfcc"})
PICTURES = ("png", "svg", "pdf")
LEAST_RATE = 4  # frames a second in which a beat can be seen


def features(
    inputs: common.Inputs = None,
    kind: Annotated[
        list[str],
        typer.Option("--kind", "-k", help=f"What to compute (repeatable, or a,b): {', '.join(KINDS)}.", metavar="KIND"),
    ] = list(DEFAULT.kind),  # noqa: B006 - typer copies it
    preset: Annotated[
        str, typer.Option(help=f"Whose front end to give the numbers of: {', '.join(FRONT_ENDS)}.", metavar="NAME")
    ] = DEFAULT.preset,
    sample_rate: Annotated[
        int | None, typer.Option(help="Resample to this rate first (16000).", metavar="HZ")
    ] = DEFAULT.sample_rate,
    n_fft: Annotated[int | None, typer.Option(help="Samples in one FFT (512).", metavar="N")] = DEFAULT.n_fft,
    win_length: Annotated[
        int | None, typer.Option(help="Samples under the window (400).", metavar="N")
    ] = DEFAULT.win_length,
    hop_length: Annotated[
        int | None, typer.Option(help="Samples from frame to frame (160).", metavar="N")
    ] = DEFAULT.hop_length,
    window: Annotated[
        str | None, typer.Option(help="hann, hamming, blackman, rectangular, povey or bartlett.", metavar="NAME")
    ] = DEFAULT.window,
    center: Annotated[
        bool | None, typer.Option("--center/--no-center", help="Frames centred on their times, the ends padded.")
    ] = DEFAULT.center,
    power: Annotated[
        float | None, typer.Option(help="Exponent of the magnitude: 2 for power, 1 for magnitude.", metavar="P")
    ] = DEFAULT.power,
    n_mels: Annotated[int | None, typer.Option(help="Mel bands (80).", metavar="N")] = DEFAULT.n_mels,
    fmin: Annotated[float | None, typer.Option(help="Lower edge of the lowest mel band.", metavar="HZ")] = DEFAULT.fmin,
    fmax: Annotated[
        float | None, typer.Option(help="Upper edge of the highest mel band (half the rate).", metavar="HZ")
    ] = DEFAULT.fmax,
    mel_scale: Annotated[str | None, typer.Option(help="slaney, htk or kaldi.", metavar="NAME")] = DEFAULT.mel_scale,
    norm: Annotated[
        str | None,
        typer.Option(help="Height of the mel triangles: slaney (area 1) or none (height 1).", metavar="NAME"),
    ] = DEFAULT.norm,
    db: Annotated[
        bool | None, typer.Option("--db/--log", help="Log-mel in decibels, or as natural logarithms.")
    ] = DEFAULT.db,
    top_db: Annotated[
        float | None, typer.Option(help="Raise log-mel values further than this below the loudest to it.", metavar="DB")
    ] = DEFAULT.top_db,
    n_mfcc: Annotated[int | None, typer.Option(help="Cepstral coefficients (13).", metavar="N")] = DEFAULT.n_mfcc,
    tuning: Annotated[
        float | None,
        typer.Option(
            help="Of chroma: semitones above A4 = 440 Hz (default: estimated for each input).", metavar="SEMITONES"
        ),
    ] = DEFAULT.tuning,
    deltas: Annotated[
        bool, typer.Option("--deltas", help="MFCCs with their first and second derivatives.")
    ] = DEFAULT.deltas,
    mu: Annotated[int, typer.Option(help="Mu-law levels less one: 2^n - 1.", metavar="MU")] = DEFAULT.mu,
    pitch_fmin: Annotated[float, typer.Option(help="Lowest pitch to look for.", metavar="HZ")] = DEFAULT.pitch_fmin,
    pitch_fmax: Annotated[float, typer.Option(help="Highest pitch to look for.", metavar="HZ")] = DEFAULT.pitch_fmax,
    stats: Annotated[
        bool, typer.Option("--stats", help="One row a file: mean, std, min and max of every column.")
    ] = DEFAULT.stats,
    plot: Annotated[
        str | None, typer.Option(help="Also draw a png, svg or pdf beside each output.", metavar="FORMAT")
    ] = DEFAULT.plot,
    show: Annotated[bool, typer.Option("--show", help="Also draw a picture in the terminal.")] = DEFAULT.show,
    output: common.Output = OUTPUT.output,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            help="npy, npz, csv, json, jsonl, parquet, txt, png, svg or pdf "
            "(default: the suffix of -o; npz in a folder; npy into a pipe, jsonl of several; txt on a terminal).",
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
    device: common.Device = DEFAULT.device,
    quiet: common.Quiet = OUTPUT.quiet,
) -> None:
    """Spectrograms, mel and MFCC, chroma, beats, pitch and more; as arrays, tables or plots.

    With -o FOLDER/ a file for each input; else everything goes to standard output or to the one file.
    """
    own = FeaturesOptions(
        _kinds(kind), preset, sample_rate, n_fft, win_length, hop_length, window, center, power, n_mels,
        fmin, fmax, mel_scale, norm, db, top_db, n_mfcc, tuning, deltas, mu, pitch_fmin, pitch_fmax, stats, plot, show, device,
    )  # fmt: skip
    reading = InputOptions(tuple(glob or ()), files_from, raw, start, duration, channel)
    writing = OutputOptions(output, format, resume, force, jobs, quiet)
    common.start(lambda: run(list(inputs or ()), own, reading, writing))


def _kinds(given: list[str]) -> tuple[str, ...]:
    """The kinds of "mfcc", "pitch" or "mfcc,pitch", each once."""
    parts = (part.strip() for entry in given for part in entry.split(","))
    return tuple(dict.fromkeys(filter(None, parts)))


def check(options: FeaturesOptions) -> None:
    """Raises UsageError for values that no front end has; needs no numpy."""
    if not options.kind:
        raise UsageError(f"--kind is empty: give one of {', '.join(KINDS)}")
    if unknown := [kind for kind in options.kind if kind not in KINDS]:
        raise UsageError(f"no kind {unknown[0]!r}: {hint(unknown[0], KINDS)}")
    if options.preset not in FRONT_ENDS:
        raise UsageError(f"no preset {options.preset!r}: {hint(options.preset, FRONT_ENDS)}")
    if options.plot is not None:
        check_choice("--plot", options.plot, PICTURES)
    if options.stats and (options.plot is not None or options.show):
        raise UsageError("--plot and --show draw features, and --stats gives none: leave one out")
    if options.mu < 1 or options.mu & (options.mu + 1) or options.mu > 65_535:
        raise UsageError(f"--mu must be 2^n - 1 and at most 65535, not {options.mu}")
    if options.deltas and "mfcc" not in options.kind:
        raise UsageError("--deltas are derivatives of MFCCs: add --kind mfcc")
    if options.tuning is not None and not -12 <= options.tuning <= 12:
        raise UsageError(f"--tuning must be between -12 and 12 semitones, not {options.tuning:g}")
    front = front_end(options)
    highest = front.sample_rate / 2
    if {"tempo", "beats"} & set(options.kind) and front.hop_length > front.sample_rate / LEAST_RATE:
        raise UsageError(
            f"tempo and beats need {LEAST_RATE} frames a second: a smaller --hop-length than {front.hop_length}"
        )
    if "pitch" in options.kind and not 10 <= options.pitch_fmin < options.pitch_fmax <= highest:
        raise UsageError(f"--pitch-fmin and --pitch-fmax must lie in order between 10 and {highest:g} Hz")


def run(inputs: list[str], options: FeaturesOptions, reading: InputOptions, writing: OutputOptions) -> int:
    """Check, open the sink, go through the inputs; the exit code."""
    check(options)
    common.check_input(reading)
    jobs = common.cores(writing.jobs)

    from ...outputs.destination import Opened, open_sink
    from ...records import Features, Stats

    console = common.console_for(writing, draws=options.show)
    _warn(options, console)
    single = common.is_single(inputs, reading)
    key = {"task": "features", **described(options), "stats": options.stats, **shaping(reading)}
    record = Stats if options.stats else Features
    default = "csv" if options.stats else "jsonl" if not single else "npy" if len(options.kind) == 1 else "npz"
    opened = open_sink(writing, record, key, single=single, default=default, plot=options.plot)
    if options.show:
        from ...outputs.terminal import Shown

        opened = Opened(Shown(opened.sink), opened.folder)
    # One input shares the threads among its blocks, many have a thread each.
    work = _runner(options, reading, threads=jobs if single else 1)
    return common.go_through(inputs, reading, work, opened, console, jobs=1 if single else jobs)


def _warn(options: FeaturesOptions, console: "Console") -> None:
    """Tell what the user may not have meant. Raises UsageError for values that no front end has."""
    from . import frontend

    front = front_end(options)
    if (empty := frontend.empty_bands(front)) and USES_MEL & set(options.kind):
        bands = f"{empty} of {front.n_mels} mel bands hold no bin and stay empty"
        console.note(f"{bands}: fewer --n-mels or a larger --n-fft")


def _runner(options: FeaturesOptions, reading: InputOptions, *, threads: int) -> "Work[Any, Record]":
    """The runner for a device; torch is imported only for one that is not the processor."""
    from ... import device
    from .work import Runner

    if device.on_cpu(options.device):
        return Runner(options, reading, threads)
    chosen = device.choose(options.device)
    from .batched import BatchRunner

    return BatchRunner(options, reading, chosen)

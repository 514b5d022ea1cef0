"""`audiocli denoise`: noise off speech."""

import os
from dataclasses import replace

from ...errors import UsageError
from ...options import DenoiseOptions, InputOptions, ModelOptions, OutputOptions
from ...options.formats import SOUND, either
from ...run import job as common
from ...run.verb import Inputs, verb

TOLD = ("txt", "json", "jsonl")  # formats of what is said about the sound


def check(options: DenoiseOptions, writing: OutputOptions) -> None:
    """Raises UsageError for values that mean nothing, and for a terminal as the place for sound."""
    if options.strength is not None and not 0.0 <= options.strength <= 1.0:
        raise UsageError(f"--strength must lie between 0 and 1, not {options.strength:g}")
    if writing.format and writing.wanted in TOLD and options.json:
        raise UsageError(f"--json tells of files, and --format {writing.format} writes none: leave one out")


def check_stream(options: DenoiseOptions, writing: OutputOptions) -> None:
    """Raises UsageError for what cannot be streamed."""
    if not writing.to_stdout or writing.format is not None:
        raise UsageError("--stream writes to standard output, in the format that came in")
    if options.report or options.json:
        raise UsageError("--stream gives sound only: leave --report and --json out")
    if os.isatty(1):
        raise UsageError("standard output is a terminal: send the sound into a file or a pipe")


@verb(
    help={
        "model": "rnnoise (the default), deepfilternet3, enhancer, conv-enhancer, spectral, or a folder: of DeepFilterNet3, "
        "or one that 'audiocli train' wrote.",
        "format": f"{either(SOUND)} (default: the suffix of -o, else wav); json, jsonl and txt write the report without the sound.",
    },
    without=("channel",),
)
def denoise(
    inputs: Inputs, options: DenoiseOptions, choice: ModelOptions, reading: InputOptions, writing: OutputOptions
) -> int:
    """Noise off speech: sample rate, channels, length and level stay as they are; any length, whole folders, or live.

    With -o FOLDER/ a file for each input. Samples keep their type (24 bits, float) where the format has it.
    """
    options = replace(options, report=options.report or options.dnsmos is not None)
    check(options, writing)
    job = common.begin("denoise", writing, inputs, choice=choice, reading=reading)
    if options.stream:
        job.check_stream()
        check_stream(options, writing)
        return _live(options, choice, reading, job)

    from ...models.load import build
    from ...records import Recording
    from .loudness import dnsmos
    from .work import Denoiser, Work, strength

    located = job.located()
    spec = located.spec
    target = job.target(Recording, default="wav")
    # The report needs another place than the sound.
    announce = "jsonl" if options.json else "txt" if options.report and target.format.is_sound else None
    opened = job.opened(target, {"strength": options.strength}, spec, announce=announce)
    scorer = None if options.dnsmos is None else dnsmos(options.dnsmos)
    denoiser = build(located, Denoiser, choice, options)
    recorded = {"strength": strength(options, denoiser)}
    work = Work(denoiser, reading, options, recorded, spec.name, spec.revision, scorer)
    return job.through(work, opened)


def _live(options: DenoiseOptions, choice: ModelOptions, reading: InputOptions, job: common.Job) -> int:
    """Standard input to standard output."""
    from ...inputs import live
    from ...models.load import build
    from .work import Denoiser, pass_through

    live.check_stdin("arecord -f S16_LE -r 16000 | audiocli denoise --stream - | aplay")
    denoiser = build(job.located(), Denoiser, choice, options)
    return pass_through(denoiser, options, reading.raw, job.console)

"""`audiocli generate-music`: chorales by nets of our own, and whatever a text asks for by MusicGen."""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...errors import InputError, UsageError, check_choice
from ...models.registry import MUSICGEN
from ...options import INSTRUMENTS, LONGEST_MUSIC, ModelOptions, MusicOptions, OutputOptions
from ...run import job as common

if TYPE_CHECKING:
    from ...models.locate import Located
    from .work import Wish

DEFAULT, MODEL, OUTPUT = MusicOptions(), ModelOptions(), OutputOptions()
TASK = "generate-music"
SLUG = 40  # characters of a prompt in the name of its file


def generate_music(
    prompt: Annotated[
        str | None,
        typer.Argument(help="What it shall be like; only for models that take a text (MusicGen).", metavar="[PROMPT]"),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="chorale-transformer (built in), chorale-lstm (built in), musicgen-small and others by name, or a folder.",
        ),
    ] = MODEL.model,
    seconds: Annotated[
        float | None, typer.Option(help="How long, up to an hour (30, or as long as the melody).", metavar="SECONDS")
    ] = DEFAULT.seconds,
    count: Annotated[int, typer.Option(help="How many, each with a seed of its own.", metavar="N")] = DEFAULT.count,
    seed: Annotated[
        int, typer.Option(help="The same one gives the same music; --count counts on from it.", metavar="N")
    ] = DEFAULT.seed,
    temperature: Annotated[
        float | None,
        typer.Option(help="Below 1 more usual, above 1 wilder, 0 the likeliest (the model's).", metavar="T"),
    ] = DEFAULT.temperature,
    top_k: Annotated[int | None, typer.Option(help="Choose among the N likeliest.", metavar="N")] = DEFAULT.top_k,
    top_p: Annotated[
        float | None, typer.Option(help="Choose among the likeliest that have this probability together.", metavar="P")
    ] = DEFAULT.top_p,
    guidance: Annotated[
        float, typer.Option(help="How closely MusicGen keeps to the prompt.", metavar="SCALE")
    ] = DEFAULT.guidance,
    tempo: Annotated[
        float | None, typer.Option(help="Quarters a minute (the primer's or the melody's, else 80).", metavar="BPM")
    ] = DEFAULT.tempo,
    key: Annotated[str | None, typer.Option(help='As in "D minor" (by lot).', metavar="KEY")] = DEFAULT.key,
    primer: Annotated[
        str | None, typer.Option(help="Go on from this four-part MIDI file.", metavar="FILE.mid")
    ] = DEFAULT.primer,
    melody: Annotated[
        str | None,
        typer.Option(
            help="Harmonise this (MIDI, or a recording of one voice); for MusicGen Melody: follow it.", metavar="FILE"
        ),
    ] = DEFAULT.melody,
    instrument: Annotated[
        str, typer.Option(help=f"{', '.join(INSTRUMENTS[:-1])} or {INSTRUMENTS[-1]}.", metavar="NAME")
    ] = DEFAULT.instrument,
    soundfont: Annotated[
        str | None, typer.Option(help="Play it with the instruments of this file.", metavar="FILE.sf2")
    ] = DEFAULT.soundfont,
    stems: Annotated[bool, typer.Option("--stems", help="A file for each voice, too.")] = DEFAULT.stems,
    plot: Annotated[
        str | None, typer.Option(help="Draw a piano roll beside the file: png, svg or pdf.", metavar="FORMAT")
    ] = DEFAULT.plot,
    lines: Annotated[
        str | None, typer.Option(help="One piece for each line of this file of prompts.", metavar="FILE")
    ] = DEFAULT.lines,
    output: common.Output = OUTPUT.output,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="wav, flac, ogg, opus, mp3, aiff, au, caf, w64, rf64, mid, json, jsonl or txt (the suffix of -o, else wav).",
        ),
    ] = OUTPUT.format,
    resume: common.Resume = OUTPUT.resume,
    force: common.Force = OUTPUT.force,
    device: common.Device = MODEL.device,
    precision: common.Precision = MODEL.precision,
    memory: common.Memory = MODEL.memory,
    offline: common.Offline = MODEL.offline,
    quiet: common.Quiet = OUTPUT.quiet,
) -> None:
    """Music from nothing, from a beginning, from a melody, or from a text.

    The built-in models compose four-part chorales after Bach, offline and in seconds; they take no text. Every file says in its
    metadata that it is AI-generated. With -o FOLDER/ a file for each piece.
    """  # fmt: skip
    own = MusicOptions(
        seconds, count, seed, temperature, top_k, top_p, guidance, tempo, key, primer, melody, instrument, soundfont, stems,
        plot, lines,
    )  # fmt: skip
    choice = ModelOptions(model, device, precision, memory, offline)
    writing = OutputOptions(output, format, resume, force, None, quiet)
    common.start(lambda: run(prompt, own, choice, writing))


def check(prompt: str | None, options: MusicOptions) -> None:
    """Raises UsageError for values that mean nothing, and for options that exclude each other."""
    _check_numbers(options)
    check_choice("--instrument", options.instrument, INSTRUMENTS)
    if prompt is not None and options.lines is not None:
        raise UsageError("give a prompt or --lines FILE, not both")
    if options.primer is not None and options.melody is not None:
        raise UsageError("--primer is gone on with and --melody is harmonised: give one of them")
    if options.key is not None and (options.primer or options.melody) is not None:
        raise UsageError("--key is for music from nothing: a primer or a melody has its own")


def _check_numbers(options: MusicOptions) -> None:
    if options.seconds is not None and not 0.0 < options.seconds <= LONGEST_MUSIC:
        raise UsageError(f"--seconds must be above 0 and at most {LONGEST_MUSIC:g}, not {options.seconds:g}")
    if options.count < 1:
        raise UsageError(f"--count must be 1 or more, not {options.count}")
    if options.seed < 0:
        raise UsageError(f"--seed must be 0 or more, not {options.seed}")
    if options.temperature is not None and not 0.0 <= options.temperature < math.inf:
        raise UsageError(f"--temperature must be 0 or more, not {options.temperature:g}")
    if options.top_k is not None and options.top_k < 1:
        raise UsageError(f"--top-k must be 1 or more, not {options.top_k}")
    if options.top_p is not None and not 0.0 < options.top_p <= 1.0:
        raise UsageError(f"--top-p must be above 0 and at most 1, not {options.top_p:g}")
    if not 0.0 < options.guidance < math.inf:
        raise UsageError(f"--guidance must be above 0, not {options.guidance:g}")
    if options.tempo is not None and not 20.0 <= options.tempo <= 400.0:
        raise UsageError(f"--tempo must be from 20 to 400, not {options.tempo:g}")


def run(prompt: str | None, options: MusicOptions, choice: ModelOptions, writing: OutputOptions) -> int:
    """Check, load the model, make every piece; the exit code."""
    check(prompt, options)
    common.check_model(choice)
    from ...models import locate as models
    from ...models.load import build
    from ...music.grid import VOICES
    from ...outputs.destination import open_sink
    from ...records import Music
    from ...run import batch
    from . import plan
    from .work import Composer, Work

    if options.key is not None:
        plan.key_number(options.key)  # a wrong one is told before torch is imported
    console = common.console_for(writing)
    located = models.locate(choice.model, TASK, offline=choice.offline, tell=console.note)
    check_text(prompt, options, located)
    wishes = list(_wishes(prompt, options, located.spec.name))
    told = described(options, choice)
    key = {"task": TASK, **told, "model": located.spec.name, "revision": located.spec.revision}
    stems = VOICES if options.stems else ()
    opened = open_sink(
        writing, Music, key, single=len(wishes) == 1, default="wav", plot=options.plot, stems=stems
    )  # fmt: skip
    work = Work(build(located, Composer, choice, options), told, located.spec.name, located.spec.revision)
    total = float(len(wishes))
    tally = batch.run(iter(wishes), work, opened.sink, console, total=total)
    return common.finish(tally, console)


def check_text(prompt: str | None, options: MusicOptions, located: "Located") -> None:
    """Raises UsageError where the model takes no text and there is one, and where it needs one and there is none."""
    text = prompt is not None or options.lines is not None
    name = located.spec.name
    if located.spec.adapter == MUSICGEN:
        if not text and options.melody is None:
            raise UsageError(f'{name} needs a text: audiocli generate-music -m {name} "a slow waltz for piano"')
    elif text:
        raise UsageError(
            f"{name} composes chorales and takes no text; models that do: musicgen-small, musicgen-medium, musicgen-large, "
            "musicgen-melody, musicgen-stereo-small (after 'audiocli models pull'); leave the text out for a chorale"
        )


def _wishes(prompt: str | None, options: MusicOptions, model: str) -> Iterator["Wish"]:
    """Every piece that is to be made."""
    from .work import Wish

    texts = [prompt] if options.lines is None else _lines(options.lines)
    for number, text in enumerate(texts):
        for n in range(options.count):
            seed = options.seed + n
            stem = f"{slug(text) if text else model}-{seed}"
            name = f"{number + 1:04d}-{stem}" if options.lines is not None else stem
            digest = int.from_bytes(hashlib.sha256((text or "").encode()).digest()[:7], "big")
            # In place of a time of change stands a digest, so that --resume sees another prompt.
            yield Wish(name, PurePath(f"{name}.txt"), 1, digest, prompt=text, seed=seed)


def _lines(path: str) -> list[str | None]:
    """The prompts in a file, one a line. Raises InputError."""
    from ...inputs.lists import read

    try:
        found: list[str | None] = [line.strip() for line in read(path) if line.strip()]
    except InputError as error:
        raise InputError(f"--lines {path}: {error}") from error
    if not found:
        raise InputError(f"--lines {path}: holds no prompt")
    return found


def slug(text: str) -> str:
    """A text as a part of a file name."""
    kept = "".join(char if char.isalnum() else "-" for char in text.lower())
    return "-".join(filter(None, kept.split("-")))[:SLUG].strip("-") or "music"


def described(options: MusicOptions, choice: ModelOptions) -> dict[str, Any]:
    """The options as records tell them: those that shape the music."""
    told = asdict(options)
    for name in ("count", "seed", "stems", "plot", "lines"):
        del told[name]
    return {**told, "precision": choice.precision}

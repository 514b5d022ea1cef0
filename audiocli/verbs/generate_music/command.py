"""`audiocli generate-music`: chorales by nets of our own, and whatever a text asks for by MusicGen."""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...errors import InputError, UsageError, check_choice
from ...options import INSTRUMENTS, LONGEST_MUSIC, ModelOptions, MusicOptions, OutputOptions
from ...options.formats import MUSIC, either
from ...run import job as common
from ...run.verb import verb
from .models import MUSICGEN

if TYPE_CHECKING:
    from ...models.locate import Located
    from .work import Wish

Prompt = Annotated[
    str | None,
    typer.Argument(help="What it shall be like; only for models that take a text (MusicGen).", metavar="[PROMPT]"),
]
TASK = "generate-music"
SLUG = 40  # characters of a prompt in the name of its file


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


@verb(
    help={
        "model": "chorale-transformer (built in), chorale-lstm (built in), musicgen-small and others by name, or a folder.",
        "format": f"{either(MUSIC)} (the suffix of -o, else wav).",
    },
    without=("jobs",),
)
def generate_music(prompt: Prompt, options: MusicOptions, choice: ModelOptions, writing: OutputOptions) -> int:
    """Music from nothing, from a beginning, from a melody, or from a text.

    The built-in models compose four-part chorales after Bach, offline and in seconds; they take no text. Every file says in its
    metadata that it is AI-generated. With -o FOLDER/ a file for each piece.
    """
    check(prompt, options)
    job = common.begin(TASK, writing, choice=choice)
    from ...models.load import build
    from ...music.grid import VOICES
    from ...records import Music
    from . import plan
    from .work import Composer, Work

    if options.key is not None:
        plan.key_number(options.key)  # a wrong one is reported before torch is imported
    located = job.located()
    check_text(prompt, options, located)
    wishes = list(_wishes(prompt, options, located.spec.name))
    recorded = described(options, choice)
    target = job.target(Music, default="wav", single=len(wishes) == 1)
    opened = job.opened(target, recorded, located.spec, plot=options.plot, stems=VOICES if options.stems else ())
    work = Work(build(located, Composer, choice, options), recorded, located.spec.name, located.spec.revision)
    return job.through(work, opened, sources=wishes, jobs=1)


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
    recorded = asdict(options)
    for name in ("count", "seed", "stems", "plot", "lines"):
        del recorded[name]
    return {**recorded, "precision": choice.precision}

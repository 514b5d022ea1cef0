"""`audiocli features`: numbers and plots from audio."""

import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...errors import UsageError, check_choice, hint
from ...options import (
    FRONT_ENDS,
    KINDS,
    PICTURES,
    FeaturesOptions,
    InputOptions,
    ModelOptions,
    OutputOptions,
    described,
    front_end,
)
from ...options.formats import FEATURES, either
from ...run import job as common
from ...run.verb import Inputs, verb

if TYPE_CHECKING:
    from ...console import Console
    from ...records import Record
    from ...run.batch import Work
    from ...tones.hearing import Ears

USES_MEL = frozenset({"mel", "log-mel", "mfcc"})
LEAST_RATE = 4  # frames a second in which a beat can be seen


def _kinds(given: tuple[str, ...]) -> tuple[str, ...]:
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


@verb(
    help={
        "format": f"{either(FEATURES)} "
        "(default: the suffix of -o; npz in a folder; npy into a pipe, jsonl of several; txt on a terminal).",
        "model": "What hears pitch (yin, swift-f0) and notes (basic-pitch, or one of these for one voice).",
        "offline": "Never download it.",
    },
    without=("precision", "memory"),
)
def features(
    inputs: Inputs, options: FeaturesOptions, choice: ModelOptions, reading: InputOptions, writing: OutputOptions
) -> int:
    """Spectrograms, mel and MFCC, chroma, beats, pitch, notes and more; as arrays, tables, plots or MIDI.

    With -o FOLDER/ a file for each input; else everything goes to standard output or to the one file.
    """
    options = replace(options, kind=_kinds(options.kind))
    check(options)
    if writing.wanted == "mid" and options.kind != ("notes",):
        raise UsageError(f"mid holds notes, not {', '.join(options.kind)}: give --kind notes alone")
    job = common.begin("features", writing, inputs, reading=reading, draws=options.show)

    from ...records import Features, Stats
    from ...tones import choice as tones

    _warn(options, job.console)
    chosen = tones.choose(options.kind, choice, job.console.note)
    default = "csv" if options.stats else "jsonl" if not job.single else "npy" if len(options.kind) == 1 else "npz"
    target = job.target(Stats if options.stats else Features, default=default)
    shaped = {**described(options), "stats": options.stats, **({"model": chosen.names} if chosen.names else {})}
    opened = job.opened(target, shaped, plot=options.plot)
    if options.show:
        from ...outputs.terminal import Shown

        opened = replace(opened, sink=Shown(opened.sink))
    ears = tones.ears(chosen, choice)
    # One input shares the threads among its blocks, many have a thread each.
    work = _runner(options, reading, choice.device, ears, threads=job.jobs if job.single else 1)
    with _patience(job.console):
        return job.through(work, opened, jobs=1 if job.single else None)


def _patience(console: "Console") -> AbstractContextManager[object]:
    """On a terminal, say why the first run after an installation takes seconds longer than all others."""
    from ...kernels._jit import watched

    if sys.stderr is None or not sys.stderr.isatty():
        return nullcontext()
    watch: AbstractContextManager[object] = watched(
        lambda: console.note("compiling the kernels for this processor, once")
    )
    return watch


def _warn(options: FeaturesOptions, console: "Console") -> None:
    """Tell what the user may not have meant. Raises UsageError for values that no front end has."""
    from . import frontend

    front = front_end(options)
    if (empty := frontend.empty_bands(front)) and USES_MEL & set(options.kind):
        bands = f"{empty} of {front.n_mels} mel bands hold no bin and stay empty"
        console.note(f"{bands}: fewer --n-mels or a larger --n-fft")


def _runner(
    options: FeaturesOptions, reading: InputOptions, name: str, ears: "Ears", *, threads: int
) -> "Work[Any, Record]":
    """The runner for a device; torch is imported only for one that is not the processor."""
    from ... import device
    from .work import Runner

    if device.on_cpu(name):
        return Runner(options, reading, threads, ears=ears)
    chosen = device.choose(name)
    from .batched import BatchRunner

    return BatchRunner(options, reading, chosen)

"""`audiocli classify`: which sounds there are, and when."""

from dataclasses import asdict
from typing import Any

from ...errors import UsageError, check_choice
from ...options import PICTURES, ClassifyOptions, InputOptions, ModelOptions, OutputOptions
from ...options.formats import EVENTS, LABELS, either
from ...run import job as common
from ...run.verb import Inputs, verb

TIMED = [name.lower() for name in EVENTS]  # formats that hold events only


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


@verb(
    help={
        "model": "A model by name, a hub id org/name, or a folder (the built-in everyday-sounds).",
        "format": f"{either(LABELS)}; for events also {either(EVENTS, ' and ')} (default: the suffix of -o, else txt).",
    }
)
def classify(
    inputs: Inputs, options: ClassifyOptions, choice: ModelOptions, reading: InputOptions, writing: OutputOptions
) -> int:
    """Sounds by name: whole folders, hours of audio; ten everyday sounds, speech and silence right after install, offline.

    Other labels come with other models, or with one of your own: 'audiocli train classifier' makes it from a folder a label.
    """
    check(options)
    job = common.begin("classify", writing, inputs, choice=choice, reading=reading)
    if writing.wanted in TIMED and not options.events:
        raise UsageError(f"{writing.wanted} holds events: add --events")

    from ...models.load import build
    from ...records import Events, Labels
    from .tagger import Tagger
    from .work import Work, named

    located = job.located()
    recorded = described(options, choice)
    if options.labels:
        recorded["labels"] = list(named(options.labels))  # a file may have other lines the next time
    spec = located.spec
    target = job.target(Events if options.events else Labels, default="txt")
    opened = job.opened(target, recorded, spec, plot=options.plot)
    tagger = build(located, Tagger, choice, options)
    work = Work(tagger, options, reading, recorded, spec.name, spec.revision)
    return job.through(work, opened)


def described(options: ClassifyOptions, choice: ModelOptions) -> dict[str, Any]:
    """The options as records tell them: those that shape the result."""
    recorded = asdict(options)
    del recorded["plot"]
    return {**recorded, "precision": choice.precision}

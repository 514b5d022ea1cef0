"""`audiocli diarize`: who speaks when."""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from ...errors import UsageError, check_choice
from ...options import PICTURES, DiarizeOptions, InputOptions, ModelOptions, OutputOptions, shaping
from ...options.formats import TURNS, either
from ...run import job as common
from ...run.verb import Inputs, verb

if TYPE_CHECKING:
    from ...console import Console
    from ...models.locate import Located
    from .work import Diarizer, Namer

DEFAULT = InputOptions()


def check(options: DiarizeOptions, reading: InputOptions) -> None:
    """Raises UsageError for what cannot be."""
    for name in ("speakers", "min_speakers", "max_speakers"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be 1 or more, not {value}")
    least, most = options.min_speakers, options.max_speakers
    if options.speakers is not None and (least or most):
        raise UsageError("--speakers is the number itself: leave --min-speakers and --max-speakers out")
    if least and most and least > most:
        raise UsageError(f"--min-speakers {least} is more than --max-speakers {most}")
    common.check_vad_threshold(options.vad_threshold)
    if options.channels and (options.speakers or least or most):
        raise UsageError("--channels makes a speaker of each channel: leave the number of speakers out")
    if options.enroll_as and not options.db:
        raise UsageError("--enroll-as needs --db FILE")
    if options.channels and reading.channel != DEFAULT.channel:
        raise UsageError("--channels hears each channel by itself: leave --channel out")
    if options.plot is not None:
        check_choice("--plot", options.plot, PICTURES)


@verb(
    help={
        "model": "sinc-segmenter (built in), siamese-clusters (built in: faster, one speaker at a time), pyannote-segmentation, "
        "others by name, a hub id org/name, or a folder of pyannote's or of `audiocli train segmentation`.",
        "format": f"{either(TURNS)} (default: the suffix of -o; txt on a terminal, else rttm).",
    }
)
def diarize(
    inputs: Inputs, options: DiarizeOptions, choice: ModelOptions, reading: InputOptions, writing: OutputOptions
) -> int:
    """Who speaks when: whole folders, hours of audio; right after install, offline.

    With -o FOLDER/ a file for each input; else everything goes to standard output or to the one file.
    """
    check(options, reading)
    job = common.begin("diarize", writing, inputs, choice=choice, reading=reading)
    if options.enroll_as and not job.single:
        raise UsageError("--enroll-as is about the speakers of one INPUT: give no more")

    from ...records import Diarization
    from .clustering import bounds
    from .work import Work

    recorded = described(options, choice, reading)
    located = None if options.channels else job.located()
    target = job.target(Diarization, default="rttm")
    opened = job.opened(target, recorded, located.spec if located else None, plot=options.plot)
    namer = _namer(options, choice, job.console)
    work = Work(_diarizer(located, options, choice), reading, bounds(options), recorded, namer)
    # One after the other: the model has all cores to itself, and cuts the next windows while it hears some.
    return job.through(work, opened, jobs=1)


def described(options: DiarizeOptions, choice: ModelOptions, reading: InputOptions) -> dict[str, Any]:
    """The options as records tell them: those that shape the turns."""
    recorded = asdict(options)
    del recorded["plot"], recorded["enroll_as"]
    return {**recorded, "precision": choice.precision, **shaping(reading)}


def _diarizer(located: "Located | None", options: DiarizeOptions, choice: ModelOptions) -> "Diarizer":
    """What finds the turns."""
    if located is None:
        from .channels import Channels
        from .clustering import speech

        return Channels(speech(options))
    from ...models.load import build
    from .work import Diarizer

    return build(located, Diarizer, choice, options)


def _namer(options: DiarizeOptions, choice: ModelOptions, console: "Console") -> "Namer | None":
    """What knows the voices of a database, or puts some there; whatever finds the turns."""
    if not options.db:
        return None
    from .naming import enroller, namer, wanted

    choice = replace(choice, model=None)
    if options.enroll_as:
        return enroller(options.db, wanted(options.enroll_as), choice, console.note)
    return namer(options.db, choice, console.note)

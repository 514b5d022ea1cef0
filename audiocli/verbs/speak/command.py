"""`audiocli speak`: text to speech, sentence by sentence, as files, as one file a line, or into a pipe."""

import itertools
import math
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...errors import UsageError, check_choice
from ...options import ModelOptions, OutputOptions, SpeakOptions
from ...options.formats import SPEECH, either
from ...run import job as common
from ...run.verb import verb

if TYPE_CHECKING:
    from ...console import Console
    from ...models.locate import Located
    from .synthesiser import Synthesiser
    from .vocoders import Vocoder

DEFAULT = SpeakOptions()
Text = Annotated[
    str | None, typer.Argument(metavar="TEXT", help="What to say, or - for standard input.", show_default=False)
]
TIMESTAMPS = ("srt", "json")
ENGLISH = ("hibari", "flite")  # of the built-in ones; they are clearer than the last, which speaks a hundred languages
ADVICE = (
    "this is espeak-ng, which is hard to understand; a voice that is as clear as a person's, after one install: "
    "pip install 'audiocli[models]'"
)
OF_TEXTS = ("lines", "voice", "list_voices", "language", "rate", "pitch", "pause", "loudness", "timestamps")
# (option, least, most) of what any model can do, or our own stretching.
BOUNDS = (
    ("rate", 0.25, 4.0), ("pitch", -24.0, 24.0), ("pause", 0.0, 60.0), ("loudness", -70.0, 0.0), ("temperature", 0.0, 2.0),
)  # fmt: skip


def dashes(arguments: Sequence[str]) -> str | None:
    """What to say after a usage error where a text was taken for an option, or an option for a text."""
    if arguments[:1] != ["speak"]:
        return None
    ahead = [*itertools.takewhile(lambda argument: argument != "--", arguments)]
    if any(re.match(r"-[^A-Za-z-]|-.*\s", argument) for argument in ahead):
        return "a text that begins with a dash stands at the end, behind --, as in: audiocli speak -o x.wav -- '-5 degrees'"
    if any(argument.startswith("-") for argument in arguments[len(ahead) + 2 :]):
        return "what stands behind -- is text: options go before it"
    return None


def check(options: SpeakOptions) -> None:
    """Raises UsageError for values that no model has."""
    for name, least, most in BOUNDS:
        value = getattr(options, name)
        if value is not None and not (math.isfinite(value) and least <= value <= most):
            raise UsageError(f"--{name} must be between {least:g} and {most:g}, not {value:g}")
    if options.timestamps is not None:
        check_choice("--timestamps", options.timestamps, TIMESTAMPS)
    if not 0 <= options.seed < 2**63:
        raise UsageError(f"--seed must be 0 or more, not {options.seed}")
    if options.name != DEFAULT.name and not options.lines:
        raise UsageError("--name names the files of --lines: add it, or leave --name out")


@verb(
    help={
        "model": "A model by name, a hub id org/name, a folder, or a Piper voice FILE.onnx (hibari for English, else "
        "espeak-ng, which is GPL-3).",
        "format": f"{either(SPEECH)} (default: the suffix of -o, else wav).",
    }
)
def speak(text: Text, options: SpeakOptions, choice: ModelOptions, writing: OutputOptions) -> int:
    """Text to speech: a sentence, a book, a file for each line; wav and raw go into a pipe as each sentence is ready.

    Every file says of itself that it is AI-generated.
    """
    check(options)
    job = common.begin("speak", writing, choice=choice)
    if options.from_mel:
        return _from_mel(text, options, job)
    if options.list_voices:
        return _list(loaded(replace(options, voice=None), choice, job.console)[1], options)
    return _speak(text, options, job)


def _speak(text: str | None, options: SpeakOptions, job: common.Job) -> int:
    """Every text through the model and into the sink."""
    from ...inputs import texts
    from ...records import Speech
    from .work import Work

    found = texts.find(text, options.file, lines=options.lines, name=options.name)
    single = not options.lines and len(options.file) <= 1
    target = job.target(Speech, default="wav", single=single)
    if options.timestamps and target.is_stdout:
        raise UsageError("--timestamps writes beside the audio: give -o FILE or -o FOLDER/")
    if options.lines and not target.is_folder:
        raise UsageError("--lines makes a file for each line: give -o FOLDER/")
    located, synthesiser = loaded(options, job.choice, job.console)
    _notes(text, options, synthesiser, job.console)
    recorded = described(options, job.choice)
    opened = job.opened(target, recorded, located.spec, plot=options.timestamps)
    keep = options.timestamps is not None or target.format.keeps_times
    work = Work(synthesiser, options, recorded, located.spec.name, located.spec.revision, keep)
    return job.through(work, opened, sources=found, jobs=None if synthesiser.traits.parallel else 1)


def _from_mel(text: str | None, options: SpeakOptions, job: common.Job) -> int:
    """Every mel spectrogram through the vocoder and into the sink."""
    from ...inputs.sources import named
    from ...records import Speech
    from .mel.work import FromMel

    if text is not None or options.file or job.choice.model is not None:
        raise UsageError(
            "--from-mel makes sound of spectrograms: leave the text and --model out; --vocoder says by what"
        )
    for name in OF_TEXTS:
        if getattr(options, name) != getattr(DEFAULT, name):
            raise UsageError(f"--{name.replace('_', '-')} is of texts: leave it out with --from-mel")
    target = job.target(Speech, default="wav", single=len(options.from_mel) == 1)
    name, engine = _mel_vocoder(options, job)
    recorded = described(options, job.choice)
    work = FromMel(engine, name, recorded)
    opened = job.opened(target, {**recorded, "model": name})
    return job.through(work, opened, sources=map(named, options.from_mel))


def _mel_vocoder(options: SpeakOptions, job: common.Job) -> tuple[str, "Vocoder"]:
    """What makes sound of a mel of our own, by its name. Raises ModelError, UsageError."""
    from ...models import locate as models
    from ...models.load import build
    from . import vocoders
    from .models import GRIFFIN_LIM, HIFIGAN

    name = options.vocoder or GRIFFIN_LIM
    if name == GRIFFIN_LIM:
        return name, vocoders.GriffinLim(vocoders.OURS)
    located = models.locate(name, "vocoder", offline=job.choice.offline, tell=job.console.note)
    if located.spec.adapter == HIFIGAN:
        raise UsageError(f"--vocoder {name} takes another mel than that of 'features --preset vocoder'")
    return located.spec.name, build(located, vocoders.Vocoder, job.choice, options)


def _notes(text: str | None, options: SpeakOptions, synthesiser: "Synthesiser", console: "Console") -> None:
    """What somebody may have meant otherwise: a file's name that is given as a text, a variety of a language that is not there."""
    from ...models.languages import variety

    if text is not None and text != "-" and os.path.isfile(text):
        console.note(f"the words {text!r} are spoken; what is in that file is spoken with -f {text}")
    other = variety(options.language, synthesiser.traits.language)
    if other:
        console.note(other)


def loaded(options: SpeakOptions, choice: ModelOptions, console: "Console") -> tuple["Located", "Synthesiser"]:
    """The model and what makes sound of its spectrograms, both on this machine now."""
    from ...models import locate as models
    from ...models.load import build
    from .synthesiser import Synthesiser

    name = _default(options, console) if choice.model is None else choice.model
    located = models.locate(name, "speak", offline=choice.offline, tell=console.note)
    from .synthesiser import Wanted

    samples = vocoder(options.vocoder, located, choice, console)
    own = Wanted(**{**vars(options), "vocoder": samples}, words_of=_words_of)
    return located, build(located, Synthesiser, choice, own)


def _words_of(speech: Any) -> str:
    """The words of a reference, for a model that asks for them."""
    from .listener import words_of  # a recogniser is slow to import

    return words_of(speech)


def vocoder(wanted: str | None, located: "Located", choice: ModelOptions, console: "Console") -> str | None:
    """What a model's adapter makes samples with: a folder or file on this machine, or a way without; None: as it likes."""
    from ...models import locate as models
    from .models import GRIFFIN_LIM, WAVERNN

    name = located.spec.vocoder if wanted is None else wanted
    if name in (None, GRIFFIN_LIM, WAVERNN) or os.path.isfile(name):
        return wanted
    return str(models.locate(name, "vocoder", offline=choice.offline, tell=console.note).path)


def _default(options: SpeakOptions, console: "Console") -> str:
    """The user's model, else the clearest of the built-in ones that can do what is asked for."""
    from ...models import config

    found = config.choice("speak", lambda name: name not in ENGLISH or _suits(name, options))
    if found.origin == "built-in" and found.name not in ENGLISH and _lacks_better(options):
        common.advise(console, "better-voices", ADVICE)
    return found.name


def _suits(name: str, options: SpeakOptions) -> bool:
    """Whether one of the voices of English can do what is asked for."""
    from . import flite, hibari

    speaks, voices = (hibari.speaks, hibari.known) if name == "hibari" else (flite.speaks, flite.voices)
    return speaks(options.language) and (options.voice is None or _meant(options.voice, voices()))


def _meant(voice: str, own: Collection[str]) -> bool:
    """Whether a voice is one of these, or a slip of the hand from one and none of another engine's."""
    import shutil
    from difflib import get_close_matches

    from . import espeak, flite

    if voice in own:
        return True
    others = {one.lower() for one in (*espeak.languages(), *espeak.variants())}
    if shutil.which(flite.PROGRAM):
        others.update(flite.voices())
    return voice.lower() not in others and "+" not in voice and bool(get_close_matches(voice, own))


def _lacks_better(options: SpeakOptions) -> bool:
    """Whether the clearest voice could say it, were its package installed."""
    from ...models.languages import is_same
    from ...models.registry import missing
    from .models import HIBARI

    return bool(missing(HIBARI)) and options.voice is None and is_same(options.language, "en-us")


def _list(synthesiser: "Synthesiser", options: SpeakOptions) -> int:
    """The voices, a line each: name, language, what it is like."""
    from ...models.languages import is_near

    for voice in synthesiser.voices():
        if options.language is None or (voice.language and is_near(options.language, voice.language)):
            typer.echo("\t".join((voice.name, voice.language, voice.description)).rstrip())
    return 0


def described(options: SpeakOptions, choice: ModelOptions) -> dict[str, Any]:
    """The options as records tell them: those that shape the sound."""
    recorded = asdict(options)
    for name in ("file", "lines", "name", "list_voices", "from_mel"):
        del recorded[name]
    return {**recorded, "precision": choice.precision}

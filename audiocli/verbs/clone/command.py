"""`audiocli clone`: texts spoken, or recordings spoken again, in the voice of a reference."""

import os
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...errors import ModelError, UsageError
from ...options import CloneOptions, InputOptions, ModelOptions, OutputOptions, SpeakOptions
from ...options.formats import RECORDING
from ...run import job as common
from ...run.verb import verb
from ..speak import command as speaking

if TYPE_CHECKING:
    from ...console import Console
    from ...models.locate import Located
    from ...models.registry import ModelSpec
    from ...voices.embeddings import SpeakerEncoder
    from ...voices.files import Target
    from ..speak.synthesiser import Synthesiser
    from .converter import Move
    from .work import Judged

Text = Annotated[
    str | None,
    typer.Argument(metavar="TEXT", help="What to say in that voice, or - for standard input.", show_default=False),
]


def check(text: str | None, options: CloneOptions, reading: InputOptions) -> None:
    """Raises UsageError for what does not go together."""
    says, converts = text is not None or options.file, options.source or reading.listed
    if says and converts:
        raise UsageError("give a text, or speech with --source, not both")
    if not (says or converts or options.save_voice):
        raise UsageError("nothing to say: give a TEXT, -f FILE, or speech with --source")
    if bool(options.reference) == bool(options.voice):
        raise UsageError(
            "whose voice? give --reference FILE (speech of that person), or --voice FILE of an earlier --save-voice"
        )
    if options.voice and options.save_voice:
        raise UsageError("--save-voice keeps the voice of --reference; --voice is kept already")
    speaking.check(_speak_options(options))


def _speak_options(options: CloneOptions) -> SpeakOptions:
    return SpeakOptions(file=options.file, seed=options.seed, pause=options.pause, vocoder=options.vocoder)


@verb(
    help={
        "model": "cepstral-envelope (built in), world, speecht5-vc, knn-vc; for texts speecht5, bark; or a folder.",
        "format": f"{', '.join(RECORDING)} (default: the suffix of -o, else wav).",
    }
)
def clone(
    text: Text, options: CloneOptions, choice: ModelOptions, reading: InputOptions, writing: OutputOptions
) -> int:
    """Speech in the voice of a recording: of a text, or of other speech; how like that voice it is, before and after, is measured.

    Only for voices whose owners agree. Every file says of itself that it is AI-generated.
    """
    check(text, options, reading)
    job = common.begin("clone", writing, options.source, choice=choice, reading=reading)
    console = job.console
    located = _located(choice, console, says=text is not None or bool(options.file))
    encoder = _encoder(None, choice, console)
    target, warnings = _target(options, choice, reading.channel, encoder, console)
    if options.save_voice:
        _save(target, options, encoder)
    if text is None and not (options.file or options.source or reading.listed):
        for warning in warnings:
            console.note(warning)
        return 0
    recorded = described(options, choice)
    judged = _judged(target, encoder, located, recorded, warnings)
    if options.source or reading.listed:
        return _convert(options, reading, judged, located, job)
    return _say(text, options, judged, located, replace(job, reading=None))


def _located(choice: ModelOptions, console: "Console", *, says: bool) -> "Located":
    """A model of this verb, or for texts one of `speak` that takes a voice from a file. Raises ModelError."""
    from ...models import config, registry
    from ...models import locate as models

    name = config.default("clone") if choice.model is None else choice.model
    try:
        return models.locate(name, "clone", offline=choice.offline, tell=console.note)
    except ModelError:
        if not says:
            raise
    _check_imitates(registry.by_name(name))  # before anything is fetched
    located = models.locate(name, "speak", offline=choice.offline, tell=console.note)
    _check_imitates(located.spec)
    return located


def _check_imitates(spec: "ModelSpec | None") -> None:
    from ..speak.models import IMITATORS

    if spec and spec.task == "speak" and spec.adapter not in IMITATORS:
        raise ModelError(
            f"{spec.name} speaks in voices of its own only: take a SpeechT5 or a Bark, or leave --model out"
        )


def _encoder(name: str | None, choice: ModelOptions, console: "Console") -> "SpeakerEncoder":
    """A speaker encoder; without a name, the one of verify."""
    from ...models import locate as models
    from ...models.load import build
    from ...voices.embeddings import SpeakerEncoder

    found = models.locate(name, "verify", offline=choice.offline, tell=console.note)
    return build(found, SpeakerEncoder, replace(choice, model=None))


def _target(
    options: CloneOptions, choice: ModelOptions, channel: str, encoder: "SpeakerEncoder", console: "Console"
) -> "tuple[Target, list[str]]":
    """The voice that is wanted, with a speaker vector where SpeechT5 needs one."""
    from . import references

    if options.voice:
        target, warnings = references.saved(options.voice, encoder), list[str]()
    else:
        target, warnings = references.target(options.reference, encoder, channel)
    if options.speaker_model:
        other = _encoder(options.speaker_model, choice, console)
        target = replace(target, vectors={"xvector": other.embed([target.speech])[0]})
    return target, warnings


def _save(target: "Target", options: CloneOptions, encoder: "SpeakerEncoder") -> None:
    """Write --save-voice."""
    from pathlib import Path

    about = {"references": target.name, "encoder": encoder.spec.name}
    target.write(Path(str(options.save_voice)), about)


def _judged(
    target: "Target", encoder: "SpeakerEncoder", located: "Located", recorded: dict[str, Any], warnings: list[str]
) -> "Judged":
    from .work import Judged

    return Judged(target, encoder, located.spec.name, located.spec.revision, recorded, tuple(warnings))


def _convert(
    options: CloneOptions, reading: InputOptions, judged: "Judged", located: "Located", job: common.Job
) -> int:
    """Every source through the converter and into the sink."""
    from ...records import Recording
    from .work import Conversion

    work = Conversion(_move(located, judged, options, job.choice, job.console), judged, reading)
    opened = job.opened(job.target(Recording, default="wav"), judged.recorded, located.spec)
    return job.through(work, opened)


def _move(
    located: "Located", judged: "Judged", options: CloneOptions, choice: ModelOptions, console: "Console"
) -> "Move":
    """The way from any voice to the one that is wanted."""
    from ...models.load import build
    from .converter import Converter

    own = replace(options, vocoder=speaking.vocoder(options.vocoder, located, choice, console))
    # --device is the encoder's where the converter has no weights.
    place = replace(choice, device="auto") if located.spec.built_in else choice
    return build(located, Converter, place, own).towards(judged.target)


def _say(text: str | None, options: CloneOptions, judged: "Judged", located: "Located", job: common.Job) -> int:
    """Every text in that voice and into the sink."""
    from ...inputs import texts
    from ...records import Recording
    from .work import Spoken

    own, choice, console = _speak_options(options), job.choice, job.console
    found = texts.find(text, options.file, lines=False, name=own.name)
    move = None
    if located.spec.task == "clone":
        move = _move(located, judged, options, choice, console)
        plain = replace(choice, model=None, device="auto")
        _, synthesiser = speaking.loaded(replace(own, vocoder=None), plain, console)
    else:
        synthesiser = _in_that_voice(own, choice, judged, console)
    target = job.target(Recording, default="wav", single=len(options.file) <= 1)
    work = Spoken(synthesiser, move, judged, own)
    return job.through(work, job.opened(target, judged.recorded, located.spec), sources=found, jobs=1)


def _in_that_voice(own: SpeakOptions, choice: ModelOptions, judged: "Judged", console: "Console") -> "Synthesiser":
    """A synthesiser that speaks in that voice itself."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "voice.safetensors"
        judged.target.write(path, {})
        return speaking.loaded(replace(own, voice=str(path)), choice, console)[1]


def described(options: CloneOptions, choice: ModelOptions) -> dict[str, Any]:
    """The options as records tell them: those that shape the sound; of the references what is in them, for --resume."""
    recorded = asdict(options)
    for name in ("file", "source", "save_voice"):
        del recorded[name]
    changed = [
        os.stat(path).st_mtime_ns for path in (*options.reference, options.voice) if path and os.path.exists(path)
    ]
    return {**recorded, "reference": list(options.reference), "changed": changed, "precision": choice.precision}

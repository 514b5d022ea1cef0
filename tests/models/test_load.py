"""Whether what the adapters of the registry make is of the kind that their verbs ask for."""

import shutil
from importlib import import_module
from importlib.util import find_spec
from types import FunctionType
from typing import get_args, get_type_hints

import pytest

from audiocli.models import registry
from audiocli.models.load import build
from audiocli.models.locate import locate
from audiocli.options import (
    ClassifyOptions,
    CloneOptions,
    DenoiseOptions,
    DiarizeOptions,
    ModelOptions,
    MusicOptions,
    SpeakOptions,
    TranscribeOptions,
    VerifyOptions,
)
from audiocli.tones.hearing import NoteFinder, PitchTracker
from audiocli.tones.models import BASIC_PITCH
from audiocli.verbs.classify.work import Tagger
from audiocli.verbs.clone.converter import Converter
from audiocli.verbs.denoise.work import Denoiser
from audiocli.verbs.diarize.work import Diarizer
from audiocli.verbs.generate_music.work import Composer
from audiocli.verbs.speak.synthesiser import Synthesiser
from audiocli.verbs.speak.vocoders import Vocoder
from audiocli.verbs.transcribe.recogniser import Recogniser
from audiocli.voices.embeddings import SpeakerEncoder

KINDS = {
    "transcribe": (Recogniser, TranscribeOptions()),
    "classify": (Tagger, ClassifyOptions()),
    "denoise": (Denoiser, DenoiseOptions()),
    "verify": (SpeakerEncoder, VerifyOptions()),
    "diarize": (Diarizer, DiarizeOptions()),
    "speak": (Synthesiser, SpeakOptions()),
    "clone": (Converter, CloneOptions()),
    "generate-music": (Composer, MusicOptions()),
    "vocoder": (Vocoder, None),
    "features": (PitchTracker, None),
}
OF_ADAPTERS = {BASIC_PITCH: (NoteFinder, None)}  # of another kind than the rest of their task
BUILT_IN = [name for name, spec in registry.MODELS.items() if spec.built_in]
ADAPTERS = {spec.adapter: spec.task for spec in registry.MODELS.values()} | {
    adapter: task for task, adapter in registry.FAMILIES.values() if adapter
}


def lacking(name):
    """What this machine has not, so that the model cannot be built."""
    if name == "world" and find_spec("pyworld") is None:
        return "pyworld"
    program = registry.MODELS[name].program
    return program if program and shutil.which(program) is None else None


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_model_is_of_its_kind(name):
    if missing := lacking(name):
        pytest.skip(f"{missing} is not installed")
    kind, options = KINDS[registry.MODELS[name].task]
    located = locate(name, registry.MODELS[name].task)
    assert isinstance(build(located, kind, ModelOptions(device="auto"), options), kind)


def methods(kind):
    """The public methods that a Protocol or a class has, and whether it is called."""
    own = {name for name, value in vars(kind).items() if isinstance(value, FunctionType)}
    return {name for name in own if not name.startswith("_") or name == "__call__"}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_promises_the_methods_of_its_kind(adapter):
    """By its return type, because most models are too large to be built here."""
    module, _, function = adapter.partition(":")
    promised = get_type_hints(getattr(import_module(module), function))["return"]
    kind, _ = OF_ADAPTERS.get(adapter) or KINDS[ADAPTERS[adapter]]
    for one in get_args(promised) or (promised,):  # either of two, perhaps
        assert methods(kind) <= set(dir(one))

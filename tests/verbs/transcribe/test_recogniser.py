"""Which options each recogniser takes."""

from importlib import import_module
from typing import get_type_hints

import pytest

from audiocli.errors import UsageError
from audiocli.models.registry import MODELS
from audiocli.options import TranscribeOptions
from audiocli.verbs.transcribe.recogniser import OPTIONAL, TRAITS, Traits, check_takes

GIVEN = {
    "translate": True, "prompt": "x", "hotwords": ("x",), "beam": 4, "temperature": 0.5, "batch_size": "4", "lm": "x.arpa",
}  # fmt: skip
TAKEN = {
    "pocketsphinx": "",
    "whisper-tiny": "translate prompt hotwords beam temperature batch_size",
    "faster-whisper-tiny": "translate prompt hotwords beam temperature batch_size",
    "moonshine-tiny": "beam batch_size",
    "wav2vec2-base-960h": "hotwords beam batch_size lm",
}


def test_every_adapter_and_option_is_here():
    assert {MODELS[name].adapter for name in TAKEN} == TRAITS.keys()
    assert {spec.adapter for spec in MODELS.values() if spec.task == "transcribe"} == TRAITS.keys()
    assert GIVEN.keys() == OPTIONAL.keys()


@pytest.mark.parametrize("option", GIVEN)
@pytest.mark.parametrize("model", TAKEN)
def test_what_a_model_does_not_take_is_refused(model, option):
    options = TranscribeOptions(**{option: GIVEN[option]})
    if option in TAKEN[model].split():
        check_takes(MODELS[model], options)
        return
    words = f"{model} has no --{option.replace('_', '-')}: leave it out, or use {OPTIONAL[option]}"
    with pytest.raises(UsageError, match=words):
        check_takes(MODELS[model], options)


@pytest.mark.parametrize("model", TAKEN)
def test_what_no_option_was_given_for_is_never_refused(model):
    check_takes(MODELS[model], TranscribeOptions())


@pytest.mark.parametrize("adapter", TRAITS)
def test_an_engine_has_the_traits_of_its_adapter(adapter):
    module, _, function = adapter.partition(":")
    engine = get_type_hints(getattr(import_module(module), function))["return"]
    assert engine.traits == TRAITS[adapter]
    assert isinstance(engine.traits, Traits)

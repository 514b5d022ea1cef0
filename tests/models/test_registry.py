"""Names, resolution, defaults, devices, and how models are loaded."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Protocol, runtime_checkable

import pytest

from audiocli import device
from audiocli.errors import DeviceError, DownloadError, ModelError, UsageError
from audiocli.models import cache, config, registry
from audiocli.models import locate as models
from audiocli.models.load import load
from audiocli.models.registry import MODELS, ModelSpec
from audiocli.options import ModelOptions
from audiocli.verbs.classify import models as classifiers
from audiocli.verbs.transcribe import models as recognisers
from audiocli.voices import models as encoders
from tests.models.hub_server import Hub, safetensors, tiny

ROOT = Path(__file__).parents[2]
CPU = ModelOptions(device="cpu")


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch, no_packages):
    """No models, no settings but those of the test."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "AUDIOCLI_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv(config.variable("transcribe"), raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody is there
    monkeypatch.setattr("platformdirs.user_config_path", lambda *args, **options: tmp_path / "settings")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def fake(monkeypatch):
    """A family "fake" whose adapter notes its arguments."""
    calls = []

    def load(path, spec, place, options):
        calls.append(SimpleNamespace(path=path, spec=spec, place=place, options=options))
        return SimpleNamespace(sample_rate=spec.sample_rate, number=len(calls))

    module = ModuleType("fake_adapter")
    module.load = load
    monkeypatch.setitem(sys.modules, "fake_adapter", module)
    monkeypatch.setitem(registry.FAMILIES, "fake", ("transcribe", "fake_adapter:load"))
    monkeypatch.setitem(registry.FAMILIES, "labels", ("classify", "fake_adapter:load"))
    return calls


def folder_of(path, model_type="fake", **more):
    path.mkdir(parents=True, exist_ok=True)
    (path / "config.json").write_text(json.dumps({"model_type": model_type, **more}))
    (path / "model.safetensors").write_bytes(safetensors(1000))
    return path


def in_cache(repo_id, model_type="fake", commit="a" * 40):
    """A model in the cache as an older library leaves it: no links, no listing."""
    repo = cache.Repo(repo_id)
    (repo.folder / "refs").mkdir(parents=True)
    (repo.folder / "refs" / "main").write_text(commit)
    return folder_of(repo.folder / "snapshots" / commit, model_type)


# ---- the rows


@pytest.mark.parametrize("spec", MODELS.values(), ids=list(MODELS))
def test_rows_are_complete(spec):
    assert spec.licence
    assert spec.task in (*registry.VERBS, "vocoder")
    assert spec.sample_rate == 16_000 if spec.task == "transcribe" else 8_000 <= spec.sample_rate <= 48_000
    assert 0 < spec.memory_gib < 100
    assert spec.half in ("float16", "bfloat16")
    assert not spec.on_hub or cache.parse(spec.source)
    module, _, function = spec.adapter.partition(":")
    assert module.startswith(("audiocli.verbs.", "audiocli.voices.", "audiocli.tones."))
    assert importlib.util.find_spec(module), module
    if spec.built_in or "asr_" in module:
        assert callable(getattr(importlib.import_module(module), function))


def test_names_are_unique():
    assert not set(registry.ALIASES) & set(MODELS)
    assert set(registry.ALIASES.values()) <= set(MODELS)
    sources = [spec.source for spec in MODELS.values() if spec.on_hub]
    assert len(set(sources)) == len(sources)
    assert all(MODELS[name].task == task for task, names in registry.BUILT_IN.items() for name in names)
    assert all(cache.here(MODELS[names[-1]]) for names in registry.BUILT_IN.values())


@pytest.mark.parametrize(
    ("config_json", "expected"),
    [
        ({"model_type": "whisper"}, ("transcribe", recognisers.WHISPER)),
        ({"model_type": "moonshine"}, ("transcribe", recognisers.MOONSHINE)),
        ({"model_type": "hubert", "architectures": ["HubertForCTC"]}, ("transcribe", recognisers.CTC)),
        ({"model_type": "wav2vec2"}, ("transcribe", recognisers.CTC)),
        ({"model_type": "parakeet_ctc", "architectures": ["ParakeetForCTC"]}, ("transcribe", recognisers.CTC)),
        (
            {"model_type": "wav2vec2", "architectures": ["Wav2Vec2ForSequenceClassification"]},
            ("classify", classifiers.SOUNDS_BY_NAME),
        ),
        ({"model_type": "wavlm", "architectures": ["WavLMForXVector"]}, ("verify", encoders.XVECTOR)),
        ({"model_type": "wav2vec2", "architectures": ["Wav2Vec2ForPreTraining"]}, None),
        ({"model_type": "bert"}, None),
        ({}, None),
    ],
)
def test_families(config_json, expected):
    assert registry.family(config_json) == expected


def test_registry_needs_the_standard_library_only():
    code = (
        "import sys, audiocli.models.locate\n"
        "heavy = {'torch', 'numpy', 'transformers', 'huggingface_hub', 'platformdirs', 'typer'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout == "[]\n"


# ---- from a name to a model


def test_registry_comes_before_a_folder_of_that_name(fake, tmp_path):
    folder_of(tmp_path / "pocketsphinx")
    assert models.locate("pocketsphinx", "transcribe").path is None
    assert models.locate("./pocketsphinx", "transcribe").spec.adapter == "fake_adapter:load"


def test_folder_comes_before_the_hub(fake, tmp_path):
    in_cache("org/name")
    assert models.locate("org/name", "transcribe").path == cache.cached(cache.Repo("org/name"))
    folder_of(tmp_path / "org" / "name")
    located = models.locate("org/name", "transcribe")
    assert located.path.resolve() == tmp_path / "org" / "name"
    assert (located.spec.name, located.spec.revision, located.spec.task) == ("name", None, "transcribe")


def test_hub_id_of_a_row_is_that_row():
    path = in_cache("openai/whisper-tiny", "whisper")
    located = models.locate("openai/whisper-tiny", "transcribe")
    assert located.path == path
    assert (located.spec.name, located.spec.licence, located.spec.revision) == ("whisper-tiny", "Apache-2.0", "a" * 40)
    assert models.locate("whisper-tiny", "transcribe") == located
    with pytest.raises(DownloadError):
        models.locate("openai/whisper-tiny@v2", "transcribe", offline=True)


@pytest.mark.parametrize("offline", ["option", "AUDIOCLI_OFFLINE", "HF_HUB_OFFLINE"])
def test_not_here_and_offline(monkeypatch, offline):
    if offline != "option":
        monkeypatch.setenv(offline, "1")
    with pytest.raises(DownloadError, match="run 'audiocli models pull turbo' first") as caught:
        models.locate("turbo", "transcribe", offline=offline == "option")
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("whisper-tny", "did you mean whisper-tiny"),
        ("Turbo", "turbo"),
        ("large-v3", "whisper-large-v3"),
        ("xyzzy", "'audiocli models list' shows them"),
        ("./nowhere", "there is no folder"),
        ("a/b/c", "there is no folder"),
    ],
)
def test_unknown_names(name, text):
    with pytest.raises(ModelError, match=text) as caught:
        models.locate(name, "transcribe")
    assert caught.value.exit_code == 2


def test_wrong_family(fake, tmp_path):
    folder_of(tmp_path / "labels", "labels")
    with pytest.raises(ModelError, match="labels is not a model for transcribe: 'audiocli classify' takes it"):
        models.locate("./labels", "transcribe")
    with pytest.raises(ModelError, match="whisper-tiny is not a model for diarize: 'audiocli transcribe' takes it"):
        models.locate("whisper-tiny", "diarize")
    folder_of(tmp_path / "bert", "bert")
    with pytest.raises(ModelError, match="no verb takes: 'bert'"):
        models.locate("./bert", "transcribe")
    folder_of(tmp_path / "bare", "wav2vec2", architectures=["Wav2Vec2ForPreTraining"])
    with pytest.raises(ModelError, match="trained for no task yet"):
        models.locate("./bare", "transcribe")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"no config\.json"):
        models.locate("./empty", "transcribe")


def test_wrong_family_is_refused_before_its_weights_come(monkeypatch):
    with Hub().serving() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        server.repos["org/labels"] = tiny(architectures=["Wav2Vec2ForSequenceClassification"])
        with pytest.raises(ModelError, match="'audiocli classify' takes it"):
            models.locate("org/labels", "transcribe")
        assert not server.asked("model.safetensors")


def test_download_on_demand_then_no_socket(fake, monkeypatch):
    messages = []
    with Hub().serving() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        server.repos["org/fake"] = tiny("fake")
        load("org/fake", "transcribe", object, CPU, "options", tell=messages.append)
        asked = len(server.log)
        monkeypatch.setattr("socket.socket.connect", None)
        load("org/fake", "transcribe", object, CPU)
        assert len(server.log) == asked
    assert messages == ["fetching org/fake: 4 files, 280 kB"]
    assert fake[0].spec.source == "org/fake"
    assert fake[0].spec.revision == fake[0].path.name
    assert fake[0].options == "options"
    assert fake[0].spec.memory_gib == pytest.approx(70_000 * 4 * 1.2 / 2**30)


# ---- broken files


def test_corrupt_cache_says_which_file_and_what_to_do(fake):
    path = in_cache("org/name") / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        DownloadError, match=r"model\.safetensors is damaged: run 'audiocli models pull --force org/name'"
    ):
        load("org/name", "transcribe", object, CPU)
    (path.parent / "config.json").write_text("{")
    with pytest.raises(DownloadError, match=r"config\.json is damaged: run 'audiocli models pull --force org/name'"):
        load("org/name", "transcribe", object, CPU)


def test_wrong_bytes_are_found_when_the_adapter_fails(fake, monkeypatch):
    def fail(*args):
        raise KeyError("no such weight")

    sys.modules["fake_adapter"].load = fail
    with Hub().serving() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        server.repos["org/fake"] = tiny("fake")
        models.fetch("org/fake")
    with pytest.raises(KeyError):  # every file is what it should be: a bug
        load("org/fake", "transcribe", object, CPU)
    weights = cache.cached(cache.Repo("org/fake")) / "model.safetensors"
    weights.resolve().write_bytes(weights.read_bytes()[:-1] + b"!")
    with pytest.raises(DownloadError, match=r"model\.safetensors has a wrong hash"):
        load("org/fake", "transcribe", object, CPU)


def test_folder_of_the_users_gets_no_hint_to_pull(fake, tmp_path):
    path = folder_of(tmp_path / "mine") / "model.safetensors"
    path.write_bytes(b"")
    with pytest.raises(DownloadError, match=r"model\.safetensors is damaged: copy the model again"):
        load(str(tmp_path / "mine"), "transcribe", object, CPU)


def test_only_models_of_the_task_are_suggested():
    for task, name, other in (("speak", "whisper-bas", "whisper-base"), ("transcribe", "speecht", "speecht5")):
        with pytest.raises(ModelError, match=f"did you mean .*{other}"):
            models.resolve(name)
        with pytest.raises(ModelError) as caught:
            models.resolve(name, task)
        assert other not in str(caught.value)
    for task, name, meant in (("transcribe", "whisper-bas", "whisper-base"), ("speak", "flit", "flite")):
        with pytest.raises(ModelError, match=f"did you mean .*{meant}"):
            models.resolve(name, task)


# ---- the user's own choice


def test_default_model(monkeypatch):
    assert config.default("transcribe") == "pocketsphinx"
    config.use("transcribe", "whisper-small")
    assert config.default("transcribe") == "whisper-small"
    assert models.resolve(config.default("transcribe"))[0].name == "whisper-small"
    monkeypatch.setenv("AUDIOCLI_TRANSCRIBE_MODEL", "turbo")
    assert config.choice("transcribe") == config.Choice("turbo", "AUDIOCLI_TRANSCRIBE_MODEL")
    with pytest.raises(DownloadError, match="turbo is not on this machine"):
        models.locate(None, "transcribe", offline=True)
    monkeypatch.delenv("AUDIOCLI_TRANSCRIBE_MODEL")
    config.use("transcribe", None)
    assert config.default("transcribe") == "pocketsphinx"
    assert config.variable("generate-music") == "AUDIOCLI_GENERATE_MUSIC_MODEL"
    with pytest.raises(UsageError, match="name one with --model"):
        config.default("vocoder")


def test_a_better_model_is_the_default_once_it_is_on_this_machine(monkeypatch):
    monkeypatch.setitem(registry.BUILT_IN, "transcribe", ("whisper-tiny", "pocketsphinx"))
    assert config.choice("transcribe") == config.Choice("pocketsphinx", "built-in")
    in_cache("openai/whisper-tiny")
    assert config.choice("transcribe") == config.Choice("whisper-tiny", "built-in")
    assert config.choice("transcribe", lambda name: name != "whisper-tiny").name == "pocketsphinx"
    config.use("transcribe", "pocketsphinx")  # a choice, although of the model that is last by default
    assert config.choice("transcribe") == config.Choice("pocketsphinx", str(config.path()))


@pytest.mark.parametrize("name", ["", None])
def test_an_empty_name_is_no_default(name):
    with pytest.raises(ModelError, match="name of a model is empty"):
        load(name, "transcribe", object, ModelOptions(model=""))


def test_config_file_keeps_what_else_is_in_it():
    config.path().parent.mkdir()
    config.path().write_text('{"colour": "blue", "models": {"verify": "x"}}')
    config.use("transcribe", "turbo")
    kept = {"colour": "blue", "models": {"verify": "x", "transcribe": "turbo"}}
    assert json.loads(config.path().read_text()) == kept
    assert [path.name for path in config.path().parent.iterdir()] == ["config.json"]


@pytest.mark.parametrize("text", ["{", "[]", '{"models": 3}', '{"models": {"transcribe": 3}}', "\xff"])
def test_broken_config_file_is_named(text):
    config.path().parent.mkdir()
    config.path().write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match=r"config\.json"):
        config.default("transcribe")


# ---- where it goes


def test_place_on_the_processor():
    place = device.place("cpu", "auto")
    assert (str(place.device), place.dtype) == ("cpu", "float32")
    assert device.place("cpu", "bfloat16").dtype == "bfloat16"
    without = device.place("auto", "auto", processor_only=True)
    assert (without.device, without.dtype) == (None, "float32")


@pytest.mark.parametrize(
    ("there", "native", "half", "expected"),
    [
        (True, True, "float16", ("cuda", "float16")),
        (True, True, "bfloat16", ("cuda", "bfloat16")),
        (True, False, "bfloat16", ("cuda", "float32")),
        (False, False, "bfloat16", ("cpu", "float32")),
    ],
)
def test_auto(monkeypatch, there, native, half, expected):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: int(there))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    place = device.place("auto", "auto", half=half)
    assert (str(place.device), place.dtype) == expected


def test_absent_device_is_an_error(fake, tmp_path, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    folder_of(tmp_path / "mine")
    with pytest.raises(DeviceError):
        load("./mine", "transcribe", object, ModelOptions(device="cuda:7"))
    with pytest.raises(UsageError, match="--device must be"):
        load("./mine", "transcribe", object, ModelOptions(device="tpu"))
    with pytest.raises(UsageError, match="--precision must be"):
        load("./mine", "transcribe", object, ModelOptions(precision="int4"))
    with pytest.raises(UsageError, match="pocketsphinx runs on the processor only"):
        load("pocketsphinx", "transcribe", object, ModelOptions(device="cuda"))
    with pytest.raises(UsageError, match="one precision only"):
        load("pocketsphinx", "transcribe", object, ModelOptions(precision="float16"))
    assert not fake


def test_memory_budget_of_one(fake, monkeypatch):
    big = ModelSpec("big", "transcribe", "fake_adapter:load", "org/big", "MIT", 16_000, 3.0)
    monkeypatch.setitem(MODELS, "big", big)
    in_cache("org/big")
    with pytest.raises(ModelError, match=r"big needs about 3\.0 GiB, and --memory is 2"):
        load("big", "transcribe", object, ModelOptions(device="cpu", memory=2.0))
    load("big", "transcribe", object, ModelOptions(device="cpu", memory=2.0, precision="bfloat16"))
    assert fake[0].place.dtype == "bfloat16"


@runtime_checkable
class Hearing(Protocol):
    sample_rate: int

    def hear(self) -> str: ...


def test_an_engine_that_is_not_of_its_kind_is_a_bug(fake, tmp_path):
    folder_of(tmp_path / "a")
    with pytest.raises(TypeError, match="fake_adapter:load makes a SimpleNamespace, which is not a Hearing"):
        load("./a", "transcribe", Hearing, CPU)
    sys.modules["fake_adapter"].load = lambda *args: SimpleNamespace(sample_rate=8_000, hear=str)
    assert load("./a", "transcribe", Hearing, CPU).sample_rate == 8_000


def test_the_library_is_sealed_while_a_model_loads(fake, tmp_path):
    from huggingface_hub import constants

    seen = []
    sys.modules["fake_adapter"].load = lambda *args: seen.append(constants.HF_HUB_OFFLINE)
    folder_of(tmp_path / "a")
    load("./a", "transcribe", object, CPU)
    assert seen == [True]
    assert not constants.HF_HUB_OFFLINE


def test_a_model_of_an_extra_says_what_to_install_before_anything_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    words = r"needs the extra 'speechbrain': pip install 'audiocli\[speechbrain\]'"
    with pytest.raises(ModelError, match=f"ecapa {words}"):
        models.locate("ecapa", "verify")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "embedding_model.ckpt").write_bytes(b"12345678")
    with pytest.raises(ModelError, match=words):
        models.locate(str(tmp_path / "mine"), "verify")
    monkeypatch.setattr(registry, "find_spec", lambda name: object())
    assert models.locate(str(tmp_path / "mine"), "verify").spec.adapter == encoders.SPEECHBRAIN


def test_a_built_in_model_without_its_extra_is_not_here(monkeypatch):
    world = registry.MODELS["world"]
    monkeypatch.setattr(registry, "find_spec", lambda name: object())
    assert cache.here(world)
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    assert not cache.here(world)
    with pytest.raises(ModelError, match=r"world needs the extra 'world': pip install 'audiocli\[world\]'"):
        models.locate("world", "clone")


def test_a_folder_that_ctranslate2_has_converted_is_a_whisper(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text(json.dumps({"suppress_ids": [], "lang_ids": [1]}))
    (tmp_path / "mine" / "model.bin").write_bytes(b"12345678")
    assert models.locate(str(tmp_path / "mine"), "transcribe").spec.adapter == recognisers.FASTER


def test_hub_ids_of_packed_models_are_repositories_of_the_hub():
    """The short name is the packed one; the checkpoint for transformers goes by its id."""
    path = in_cache("openai/whisper-base", "whisper")
    located = models.locate("openai/whisper-base", "transcribe")
    assert (located.path, located.spec.adapter) == (path, recognisers.WHISPER)
    assert MODELS["whisper-base"].packed

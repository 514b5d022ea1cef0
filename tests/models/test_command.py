"""`audiocli models` as users run it, in processes of their own, against a hub on loopback."""

import json

import pytest

from audiocli.models.registry import MODELS
from tests.models.hub_server import COMMIT, Hub, tiny


@pytest.fixture
def server():
    with Hub().serving() as running:
        running.repos["org/tiny"] = tiny()
        running.repos["openai/whisper-tiny"] = tiny("whisper", architectures=["WhisperForConditionalGeneration"])
        yield running


@pytest.fixture
def models(call, server, tmp_path, monkeypatch, no_packages):
    """models(*args): (exit code, standard output, standard error)."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "AUDIOCLI_OFFLINE", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AUDIOCLI_TRANSCRIBE_MODEL", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setattr("platformdirs.user_config_path", lambda *args, **options: tmp_path / "settings")

    def inside(*args):
        code, out, err = call("models", *args)
        return code, out.decode(), err

    return inside


def test_life_of_a_model(models, server, tmp_path):
    code, out, err = models("where", "whisper-tiny")
    assert (code, out) == (1, "")
    assert "'audiocli models pull whisper-tiny' fetches it" in err
    code, folder, err = models("pull", "whisper-tiny")
    assert code == 0
    assert "fetching openai/whisper-tiny: 4 files, 280 kB" in err
    assert folder.strip() == str(tmp_path / "hf/hub/models--openai--whisper-tiny/snapshots" / COMMIT)
    assert models("where", "openai/whisper-tiny") == (0, folder, "")
    asked = len(server.log)
    assert models("pull", "whisper-tiny")[:2] == (0, folder)
    assert len(server.log) == asked
    rows = {row["name"]: row for row in json.loads(models("list", "--json")[1])}
    assert (rows["whisper-tiny"]["here"], rows["whisper-tiny"]["revision"]) == (True, COMMIT)
    assert not rows["whisper-base"]["here"]
    assert models("verify", "whisper-tiny")[0] == 0
    code, out, err = models("rm", "whisper-tiny")
    assert (code, out) == (0, "")
    assert "removed openai/whisper-tiny, 28" in err
    assert models("where", "whisper-tiny")[0] == 1
    assert models("rm", "whisper-tiny")[0] == 1


def test_verify_and_force(models, tmp_path):
    weights = tmp_path / models("pull", "org/tiny")[1].strip() / "model.safetensors"
    good = weights.read_bytes()
    weights.resolve().write_bytes(good[:-1] + b"!")
    code, out, err = models("verify", "org/tiny")
    assert code == 1
    assert "model.safetensors: has a wrong hash" in out.splitlines()
    assert "config.json: ok" in out.splitlines()
    assert "run 'audiocli models pull --force org/tiny'" in err
    assert models("pull", "--force", "org/tiny")[0] == 0
    assert weights.read_bytes() == good
    weights.unlink()
    code, out, err = models("verify", "org/tiny")
    assert code == 1
    assert "some of its files: are missing" in out
    assert "run 'audiocli models pull --force org/tiny'" in err


def test_list(models):
    code, out, _ = models("list")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["name", "task", "here", "memory", "licence", "source"]
    assert [line.split()[0] for line in lines if "*" in line and " transcribe " in line] == ["pocketsphinx*"]
    assert len(lines) == 1 + len(MODELS)
    models("pull", "org/tiny")
    assert "org/tiny" in models("list", "--task", "transcribe")[1]
    assert {row["task"] for row in json.loads(models("list", "--task", "diarize", "--json")[1])} == {"diarize"}
    code, _, err = models("list", "--task", "juggle")
    assert code == 2
    assert "no task 'juggle'" in err


def test_show(models):
    code, out, _ = models("show", "turbo")
    assert code == 0
    assert "licence: MIT" in out
    assert "get it with: audiocli models pull turbo" in out
    models("pull", "org/tiny")
    shown = json.loads(models("show", "org/tiny", "--json")[1])
    assert (shown["task"], shown["here"]) == ("transcribe", True)
    assert models("show", "pocketsphinx")[0] == 0
    assert models("show", "nonsense")[0] == 2


def test_use(models, tmp_path, monkeypatch):
    assert models("use", "transcribe", "turbo")[0] == 0
    assert "whisper-large-v3-turbo*" in models("list")[1]
    code, _, err = models("use", "diarize", "turbo")
    assert code == 2
    assert "'audiocli transcribe' takes it" in err
    assert models("use", "transcribe", "trubo")[0] == 2
    assert models("use", "juggle", "turbo")[0] == 2
    monkeypatch.setenv("AUDIOCLI_TRANSCRIBE_MODEL", "whisper-base")
    assert "AUDIOCLI_TRANSCRIBE_MODEL is set" in models("use", "transcribe", "whisper-small")[2]
    assert "whisper-base*" in models("list")[1]
    monkeypatch.delenv("AUDIOCLI_TRANSCRIBE_MODEL")
    assert "whisper-small*" in models("list")[1]
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "whisper"}')
    assert models("use", "transcribe", "./mine")[0] == 0
    assert json.loads((tmp_path / "settings/config.json").read_text()) == {"models": {"transcribe": str(folder)}}
    assert "transcribe takes pocketsphinx" in models("use", "transcribe")[2]


@pytest.mark.parametrize("command", ["where", "verify", "rm"])
def test_built_in_has_no_folder(models, command):
    code, _, err = models(command, "pocketsphinx")
    assert code == 2
    assert ("built in" if command == "rm" else "package") in err
    assert "pip" not in err
    assert models("pull", "pocketsphinx")[0] == 0


@pytest.mark.parametrize("command", ["where", "verify", "rm", "pull", "show"])
def test_an_empty_name_is_no_model(models, command):
    code, out, err = models(command, "")
    assert (code, out) == (2, "")
    assert "name of a model is empty" in err


@pytest.mark.parametrize("verb", ["transcribe", "classify", "denoise", "verify", "diarize", "speak", "clone"])
def test_no_verb_takes_an_empty_name_for_its_default(call, speech, verb):
    inputs = {"verify": (speech, speech), "speak": ("Hello.",), "clone": ("--source", speech, "--reference", speech)}
    code, out, err = call(verb, *inputs.get(verb, (speech,)), "-m", "")
    assert (code, out) == (2, b"")
    assert "name of a model is empty" in err


def test_pull_in_a_process_of_its_own(run, server, tmp_path):
    """A wrong hash, a 401, offline, no hub; then all well: what a shell sees."""
    env = {"HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": server.url, "HF_TOKEN": ""}
    server.forged["model.safetensors"] = b"!" * len(server.repos["org/tiny"]["model.safetensors"])
    ended = run("models", "pull", "org/tiny", env=env)
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert b"model.safetensors came with a wrong hash" in ended.stderr.splitlines()[-1]
    server.forged.clear()
    server.file_status = (401, "GatedRepo")
    ended = run("models", "pull", "org/tiny", env=env)
    assert ended.returncode == 1
    assert ended.stderr.count(b"\n") <= 2
    assert b"is gated: accept its terms at " + server.url.encode() + b"/org/tiny" in ended.stderr
    server.file_status = None
    asked = len(server.log)
    assert run("models", "pull", "org/tiny", env={**env, "AUDIOCLI_OFFLINE": "1"}).returncode == 1
    assert run("models", "pull", "org/tiny", "--offline", env=env).returncode == 1
    assert len(server.log) == asked
    ended = run("models", "pull", "org/tiny", "-q", env=env)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.decode().strip().endswith(COMMIT)

"""Downloads from a hub on loopback, and the state of the cache afterwards."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from audiocli.errors import DownloadError, ModelError
from audiocli.models import cache
from audiocli.models.cache import Repo
from audiocli.models.sources import hub
from tests.models.hub_server import COMMIT, Hub, safetensors, sha256, tiny

ROOT = Path(__file__).parents[3]
REPO = Repo("org/tiny")
BLOCK = 10 * 1024 * 1024  # bytes that the library writes at once; a cut loses less than that


@pytest.fixture
def server(tmp_path, monkeypatch):
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", *hub.OFFLINE):
        monkeypatch.delenv(name, raising=False)
    with Hub().serving() as running:
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        running.repos["org/tiny"] = tiny()
        yield running


@pytest.fixture
def hasty(monkeypatch):
    """No pauses between tries, neither ours nor the library's."""
    monkeypatch.setattr(hub, "PAUSE", 0.0)
    monkeypatch.setattr("huggingface_hub.file_download.time", SimpleNamespace(sleep=lambda seconds: None))


def blobs():
    return sorted(path.name for path in (REPO.folder / "blobs").iterdir())


def test_pull_fetches_what_is_needed_and_no_more(server):
    folder = hub.pull(REPO)
    assert folder == cache.cached(REPO) == REPO.snapshot
    assert folder.name == COMMIT
    wanted = ["config.json", "model.safetensors", "preprocessor_config.json", "vocab.json"]
    assert sorted(path.name for path in folder.iterdir()) == wanted
    assert all((folder / name).read_bytes() == server.repos["org/tiny"][name] for name in wanted)
    assert not any(problem for _, problem in cache.problems(folder, thorough=True))
    assert [len(server.asked(name)) for name in wanted] == [1, 2, 1, 1]  # the redirect of the weights counts


def test_pull_is_what_the_library_itself_finds(server):
    from huggingface_hub import snapshot_download

    folder = hub.pull(REPO)
    there = snapshot_download("org/tiny", cache_dir=cache.cache(), local_files_only=True, allow_patterns=["*.json"])
    assert there == str(folder)


def test_config_comes_first_and_may_refuse(server):
    def check(config):
        raise ModelError(config["model_type"])

    with pytest.raises(ModelError, match="wav2vec2"):
        hub.pull(REPO, check=check)
    assert not server.asked("model.safetensors")
    assert cache.cached(REPO) is None


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_cut_in_mid_file_resumes(server, hasty, reset):
    data = server.repos["org/tiny"]["model.safetensors"] = safetensors(count=6_000_000)
    server.reset = reset
    server.cuts["model.safetensors"] = [11_000_000, 1_000, 11_000_000]
    folder = hub.pull(REPO)
    assert (folder / "model.safetensors").read_bytes() == data
    if not reset:  # what was on its way when a line is reset is lost
        asked = list(filter(None, server.asked("model.safetensors")))
        assert list(dict.fromkeys(asked)) == [f"bytes={n * BLOCK}-" for n in (1, 2)]
    assert not any(name.endswith(".part") for name in blobs())


def test_cut_for_good_keeps_what_came(server, hasty):
    data = server.repos["org/tiny"]["model.safetensors"] = safetensors(count=6_000_000)
    server.reset = True
    server.cuts["model.safetensors"] = [0] * 100
    with pytest.raises(DownloadError, match="try again, what came is kept"):
        hub.pull(REPO)
    assert cache.cached(REPO) is None
    server.cuts.clear()
    assert (hub.pull(REPO) / "model.safetensors").read_bytes() == data


def test_killed_in_mid_file_goes_on(server, tmp_path):
    """kill -9 while the weights come: the next pull asks for the rest only."""
    data = safetensors(count=6_000_000)  # more than the library holds in memory at once
    server.repos["org/tiny"]["model.safetensors"] = data
    server.cuts["model.safetensors"] = [22_000_000] + [0] * 100
    code = "from audiocli.models.sources import hub; hub.pull(hub.Repo('org/tiny'))"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    part = REPO.folder / "blobs" / f"{sha256(data)}.part"
    end = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size > 10_000_000):
        assert time.monotonic() < end
        time.sleep(0.02)
    process.kill()
    process.wait()
    have = part.stat().st_size
    assert cache.cached(REPO) is None
    server.cuts.clear()
    server.log.clear()
    folder = hub.pull(REPO)
    assert (folder / "model.safetensors").read_bytes() == data
    assert set(server.asked("model.safetensors")) == {f"bytes={have}-"}


def test_leftover_that_is_no_beginning_is_fetched_anew(server):
    data = server.repos["org/tiny"]["model.safetensors"]
    part = REPO.folder / "blobs" / f"{sha256(data)}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    assert (hub.pull(REPO) / "model.safetensors").read_bytes() == data


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_wrong_hash(server, name):
    server.forged[name] = server.repos["org/tiny"][name][:-1] + b"!"
    with pytest.raises(DownloadError, match=f"{name} came with a wrong hash"):
        hub.pull(REPO)
    assert cache.cached(REPO) is None
    assert not any(sha256(server.repos["org/tiny"]["model.safetensors"]) in blob for blob in blobs())


def test_too_short_is_an_error(server, hasty):
    server.forged["model.safetensors"] = b"short"
    with pytest.raises(DownloadError):
        hub.pull(REPO)
    assert cache.cached(REPO) is None


def test_registry_knows_the_weights(server):
    right = sha256(server.repos["org/tiny"]["model.safetensors"])
    with pytest.raises(DownloadError, match="SHA-256 differs"):
        hub.pull(REPO, sha256="0" * 64)
    assert not server.asked("model.safetensors")
    assert hub.pull(REPO, sha256=right)


@pytest.mark.parametrize(
    ("api", "files", "text"),
    [
        ((401, None), None, "gated, private or does not exist"),
        ((403, None), None, "is gated: accept its terms at http.*/org/tiny, then set HF_TOKEN"),
        (None, (401, "GatedRepo"), "is gated: accept its terms"),
        (None, (403, "GatedRepo"), "is gated: accept its terms"),
        ((404, "RepoNotFound"), None, "there is no model 'org/tiny'"),
        ((500, None), None, "answered 500"),
    ],
)
def test_refusals(server, api, files, text):
    server.api_status, server.file_status = api, files
    with pytest.raises(DownloadError, match=text) as caught:
        hub.pull(REPO)
    assert "\n" not in str(caught.value)
    assert cache.cached(REPO) is None


def test_no_revision_and_no_safe_weights(server):
    with pytest.raises(DownloadError, match="no revision 'v9'"):
        hub.pull(Repo("org/tiny", "v9"))
    server.repos["org/tiny"] = {"config.json": b"{}", "model.ckpt": b"pickle", "tf_model.h5": b""}
    with pytest.raises(DownloadError, match="no weights that can be read safely"):
        hub.pull(REPO)


def test_nobody_there(server, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(DownloadError, match=r"cannot be fetched from http://127"):
        hub.pull(REPO)


@pytest.mark.parametrize("setting", ["--offline", "AUDIOCLI_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_opens_no_socket(server, monkeypatch, setting):
    if setting != "--offline":
        monkeypatch.setenv(setting, "1")
    with pytest.raises(DownloadError, match=setting):
        hub.pull(REPO, offline=setting == "--offline")
    assert not server.log


def test_revisions_and_force(server):
    folder = hub.pull(Repo("org/tiny", "v1"))
    assert cache.cached(REPO) is None  # main was not asked for
    assert cache.cached(Repo("org/tiny", COMMIT)) == cache.cached(Repo("org/tiny", "v1")) == folder
    weights = folder / "model.safetensors"
    weights.resolve().write_bytes(weights.read_bytes()[:-3] + b"bad")
    assert [name for name, problem in cache.problems(folder, thorough=True) if problem] == ["model.safetensors"]
    hub.pull(Repo("org/tiny", "v1"))  # what is there is not fetched twice
    assert weights.read_bytes().endswith(b"bad")
    hub.pull(Repo("org/tiny", "v1"), force=True)
    assert weights.read_bytes() == server.repos["org/tiny"]["model.safetensors"]


def test_shards_must_all_be_there(server):
    files = server.repos["org/tiny"]
    del files["model.safetensors"]
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    files |= dict.fromkeys(shards.values(), safetensors(10)) | {
        "model.fp32-00001-of-00001.safetensors": b"twice as wide"
    }
    files["model.safetensors.index.json"] = json.dumps({"weight_map": shards}).encode()
    folder = hub.pull(REPO)
    assert sorted(path.name for path in folder.glob("*.safetensors")) == sorted(shards.values())
    assert cache.cached(REPO)
    (folder / shards["b"]).unlink()
    assert cache.cached(REPO) is None
    (REPO.folder / "trees" / f"{COMMIT}.json").unlink()  # as an older library leaves it
    assert cache.cached(REPO) is None


def test_cache_without_links(server, monkeypatch):
    """Without symbolic links the library copies; the listing of the commit has the hashes."""
    folder = hub.pull(REPO)
    weights = folder / "model.safetensors"
    data = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(data[:-1] + b"!")
    assert [name for name, problem in cache.problems(folder, thorough=True) if problem] == ["model.safetensors"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["config.json", "pytorch_model.bin", "training_args.bin"], ["config.json", "pytorch_model.bin"]),
        (["config.json", "pytorch_model.bin", "model.safetensors"], ["config.json", "model.safetensors"]),
        (["config.json", "onnx/config.json", "model.safetensors"], ["config.json", "model.safetensors"]),
        (["config.json", "parakeet.nemo", "model.safetensors"], ["config.json", "model.safetensors"]),
        (["config.json", "model.ckpt"], []),
    ],
)
def test_chosen(names, expected):
    assert cache.chosen(names) == expected
    assert cache.chosen(names, ("*.ckpt",)) == [name for name in names if name.endswith(".ckpt")]


@pytest.mark.parametrize("text", ["a/b", "a/b@main", "a-b.c/d_e@0123"])
def test_ids(text):
    assert str(cache.parse(text)) == text.removesuffix("@main")


@pytest.mark.parametrize(
    "text", ["a", "a/b/c", "../b", "a/..", "/a", "a/b@", "a b/c", "ä/b", "./b", "a/b--c", "a/" + 96 * "b"]
)
def test_no_ids(text):
    assert cache.parse(text) is None


def test_cut_off_weights_are_seen_at_once(tmp_path):
    data = safetensors(100)
    for name, content in (("a", data), ("b", data[:-1]), ("c", b""), ("d", b"\xff" * 20)):
        (tmp_path / f"{name}.safetensors").write_bytes(content)
    (tmp_path / "e.json").write_text("{")
    (tmp_path / "f.json").symlink_to("nowhere")
    found = dict(cache.problems(tmp_path))
    assert [name[0] for name, problem in found.items() if problem] == ["b", "c", "d", "e", "f"]
    assert cache.tensors(tmp_path / "a.safetensors") == 100

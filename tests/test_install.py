"""The installed package: the versions that were tested, a wheel that holds everything, a diagnosis of broken parts."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from audiocli.errors import libraries
from audiocli.verbs.doctor import work as doctor

ROOT = Path(__file__).resolve().parent.parent
PINS = dict(
    line.strip().split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")
)
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


# The versions


def distributions():
    """What is installed, by canonical name; when setuptools is imported it puts what it carries inside itself on the path, too."""
    found = metadata.distributions(path=[path for path in sys.path if Path(path).name != "_vendor"])
    return {canonical(one.metadata["Name"]): one for one in reversed(list(found))}


def test_what_is_installed_is_what_was_tested():
    installed = {name: one.version.partition("+")[0] for name, one in distributions().items()}
    different = {name: (installed[name], pin) for name, pin in PINS.items() if installed.get(name, pin) != pin}
    assert not different, "installed, pinned: make clean, or make lock and test what it brings"


def test_everything_that_audiocli_stands_on_is_pinned():
    """Transitive ones too; what a marker of another system or an extra of another package asks for is not installed."""
    installed, seen, left = distributions(), set(), ["audiocli"]
    while left:
        name = left.pop()
        if name in seen or name not in installed:
            continue
        seen.add(name)
        required = [line for line in installed[name].requires or () if name == "audiocli" or "extra ==" not in line]
        left += [canonical(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in required]
    assert len(seen) > 60
    assert seen - {"audiocli"} <= PINS.keys()


def test_a_pin_is_a_version_and_nothing_else():
    for name, pin in PINS.items():
        assert re.fullmatch(r"[a-z0-9-]+", name), name
        assert re.fullmatch(r"[0-9][0-9a-z.]*", pin), name
    assert {"pip", "setuptools", "torch", "torchaudio"} <= PINS.keys()


# The wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout, and the output of its build."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("audiocli", "kernels", "man"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    built = subprocess.run(
        [*PIP, "wheel", ".", "--verbose", "--no-deps", "--no-build-isolation", "--no-index", "-w", made],
        cwd=source, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    return next(made.glob("*.whl")), built.stdout + built.stderr


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder with the wheel in it and no dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([*PIP, "install", "--quiet", "--no-deps", "--target", folder, wheel[0]], check=True)
    return folder


def test_the_wheel_is_built_without_a_warning(wheel):
    said = [line for line in wheel[1].splitlines() if "warning" in line.lower() and "byte-compiling" not in line]
    assert not said


def test_the_wheel_holds_everything(wheel):
    with zipfile.ZipFile(wheel[0]) as archive:
        names = set(archive.namelist())
    for folder, prefix in (("audiocli", "audiocli"), ("kernels", "audiocli/kernels")):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{prefix}/{path.relative_to(ROOT / folder).as_posix()}" in names
    pages = {name.rpartition("/")[2] for name in names if "/share/man/man1/" in name}
    assert pages == {path.name for path in (ROOT / "man").glob("*.1")}
    assert not any(name.startswith(("tests/", "bench/", "kernels/")) for name in names)


def inside(installed, folder, *arguments):
    """audiocli of the installed folder, and not of this checkout."""
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); sys.argv = ['audiocli', *sys.argv[1:]]\n"
        "import audiocli.cli, audiocli.kernels\n"
        f"assert audiocli.kernels.__file__.startswith({str(installed)!r}), audiocli.kernels.__file__\n"
        "audiocli.cli.main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=folder, capture_output=True, check=False
    )


def test_what_was_installed_works(installed, recording, tmp_path):
    assert b"generate-music" in inside(installed, tmp_path, "--help").stdout
    for arguments in (
        ("features", recording, "-o", "x.npz"),
        ("denoise", recording, "-m", "enhancer", "-o", "x.wav"),
        ("generate-music", "--seconds", "4", "-o", "x.mid"),
    ):
        done = inside(installed, tmp_path, *arguments)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / arguments[-1]).stat().st_size > 100


# Something is broken


@pytest.fixture
def broken_torchaudio(tmp_path):
    """The environment of a process in which torchaudio was built for another torch."""
    package = tmp_path / "broken" / "torchaudio"
    package.mkdir(parents=True)
    reason = "Could not load this library: /x/libtorchaudio.so"
    (package / "__init__.py").write_text(f"raise OSError({reason!r})\n")
    return {"PYTHONPATH": str(tmp_path / "broken")}


@pytest.mark.parametrize(
    "arguments",
    [("classify", "{}"), ("diarize", "{}"), ("verify", "{}", "{}"), ("denoise", "{}", "-m", "enhancer", "-o", "x.wav")],
    ids=lambda arguments: arguments[0],
)
def test_verbs_that_need_no_torchaudio_work_without_it(arguments, broken_torchaudio, run, recording):
    done = run(*(argument.format(recording) for argument in arguments), env=broken_torchaudio)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_needs_torchaudio_says_so_in_one_line(broken_torchaudio, run, tmp_path):
    tacotron = tmp_path / "tacotron"
    tacotron.mkdir()
    (tacotron / "config.json").write_text(json.dumps({"model_type": "tacotron2"}))
    done = run("speak", "Hello.", "-m", "tacotron", "-o", "x.wav", env=broken_torchaudio)
    (line,) = done.stderr.decode().splitlines()
    assert done.returncode == 1
    torch, torchaudio = (f"{name}=={PINS[name]}" for name in libraries.PAIR)
    assert f"torchaudio {PINS['torchaudio']} beside torch {PINS['torch']} does not load" in line
    assert line.endswith(f"pip install {torch} {torchaudio}")


def test_an_error_of_a_file_is_not_taken_for_a_broken_library():
    assert libraries.is_broken(OSError("Could not load this library: x.so"))
    assert libraries.is_broken(ImportError("No module named 'x'", name="x"))
    assert not libraries.is_broken(FileNotFoundError(2, "No such file", "x"))
    assert not libraries.is_broken(ValueError("x"))


# The doctor


def test_imports_that_fail_or_kill_their_process_are_reported(monkeypatch, tmp_path):
    (tmp_path / "good_one.py").write_text("print('chatter')")
    (tmp_path / "bad_one.py").write_text("raise OSError('undefined symbol: x')")
    (tmp_path / "killer.py").write_text("import os; os.abort()")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(libraries, "version", lambda name: None if name == "absent" else "1.0")
    found = doctor.imports(["good-one", "absent", "killer", "bad-one"])
    assert found["good-one"] == {"error": None, "facts": {}}
    assert found["absent"] == {"error": None, "facts": {}}
    assert found["killer"]["error"] == "importing it ends the process with exit code -6"
    assert found["bad-one"]["error"] == "undefined symbol: x"


def test_doctor_reports_what_is_there(call):
    code, out, err = call("doctor", "--json")
    report = json.loads(out)
    assert (code, err) == (0 if report["ok"] else 1, "")
    assert report["packages"]["torch"] == {"state": "ok", "detail": PINS["torch"]}
    assert report["engines"]["torch and torchaudio"]["state"] == "ok"
    assert report["defaults"].keys() == {
        "transcribe", "classify", "denoise", "verify", "diarize", "speak", "clone", "generate-music", "features",
    }  # fmt: skip
    assert report["defaults"]["denoise"] == {"state": "ok", "detail": "rnnoise (built-in)"}
    states = {one["state"] for section in report.values() if isinstance(section, dict) for one in section.values()}
    assert report["ok"] == ("broken" not in states)


def test_doctor_finds_the_pair_that_does_not_fit(broken_torchaudio, run):
    done = run("doctor", env=broken_torchaudio)
    assert done.returncode == 1
    assert b"do not load: pip install torch==" in b" ".join(done.stdout.split())


def test_an_engine_that_is_not_there_is_missing_and_not_broken(monkeypatch):
    monkeypatch.setenv("PATH", "")
    flite = next(one for one in doctor._speakers() if one.name == "flite")
    assert flite.state == doctor.MISSING

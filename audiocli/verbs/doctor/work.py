"""What is on this machine and whether it works: libraries, engines, devices, folders, and the model that each verb takes.

A library that is broken may take its process down, so all of them are imported in a child, which reports one after the other.
"""

import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

from ... import __version__
from ...errors import AudiocliError, libraries

OK, MISSING, BROKEN = "ok", "missing", "broken"
TIMEOUT = 120.0  # s for all imports together; they take 5 to 10
CHILD = "import sys; from audiocli.verbs.doctor.work import report; report(sys.argv[1:])"


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked at, its state (ok, missing or broken), and a version or the cure."""

    section: str
    name: str
    state: str
    detail: str


def examine() -> list[Finding]:
    """Look at everything; takes as long as importing every library does."""
    required, extras = requirements()
    imported = imports([*required, *(name for names in extras.values() for name in names)])
    program = f"audiocli {__version__}, Python {platform.python_version()} ({sys.executable}), {platform.platform()}"
    return [
        Finding("program", "audiocli", OK, program),
        *(_package("packages", name, imported[name], "") for name in required),
        *(
            _package("extras", name, imported[name], extra)
            for extra, names in extras.items()
            for name in names
            if name not in required
        ),
        _pair(imported),
        *_facts(imported),
        *_speakers(),
        *_folders(),
        *_defaults(),
    ]


def requirements() -> tuple[list[str], dict[str, list[str]]]:
    """The distributions that audiocli stands on, and those of each extra."""
    required: list[str] = []
    extras: dict[str, list[str]] = {}
    for line in metadata.requires("audiocli") or ():
        name, extra = re.split(r"[^\w.-]", line, maxsplit=1)[0], re.search(r"extra == ['\"]([\w-]+)", line)
        (extras.setdefault(extra[1], []) if extra else required).append(name)
    return required, extras


def carriers() -> set[str]:
    """The distributions that are nothing but files of models."""
    from ...models.registry import MODELS

    carried = (carrier for spec in MODELS.values() for carrier in spec.carriers)
    return {wheel.distribution for carrier in carried for wheel in carrier.wheels}


def imports(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What came of importing each distribution that is installed: {"error": None or a reason, "facts": {...}}.

    Carriers of models are not imported: only their files are wanted.
    """
    found: dict[str, dict[str, Any]] = {name: {"error": None, "facts": {}} for name in names}
    left = [name for name in found if libraries.version(name) and name not in carriers()]
    while left:
        lines, end = _child(left)
        for line in lines:
            found[left.pop(0)] = line
        if left:  # the next one took the process down
            found[left.pop(0)] = {"error": end, "facts": {}}
    return found


def _child(names: Sequence[str]) -> tuple[list[dict[str, Any]], str]:
    """The reports of a process that imports these, as far as it came, and how it ended."""
    command = [sys.executable, "-c", CHILD, *names]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        output, end = done.stdout, f"importing it ends the process with exit code {done.returncode}"
    except subprocess.TimeoutExpired as error:
        output, end = (error.stdout or b"").decode(), f"importing it takes longer than {TIMEOUT:g} s"
    return [json.loads(line) for line in output.splitlines()], end


def report(names: Sequence[str]) -> None:
    """In the child: import each distribution and write a line of JSON about it."""
    output, sys.stdout = sys.stdout, sys.stderr  # what a library prints is not ours
    for name in names:
        error, facts = None, {}
        try:
            module = import_module(_module(name))
            facts = FACTS[name](module) if name in FACTS else {}
        except Exception as failure:
            error = (str(failure).strip() or type(failure).__name__).splitlines()[0]
        print(json.dumps({"error": error, "facts": facts}), file=output, flush=True)


def _module(distribution: str) -> str:
    """The package that a distribution installs: of its own name, or as its top_level.txt has it."""
    name = distribution.replace("-", "_")
    if find_spec(name):
        return name
    return (metadata.distribution(distribution).read_text("top_level.txt") or name).split()[0]


def _gpus(torch: Any) -> dict[str, str]:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return {"GPU": ", ".join(torch.cuda.get_device_name(number) for number in range(count))}


FACTS = {
    "soundfile": lambda module: {"libsndfile": module.__libsndfile_version__},
    "av": lambda module: {"FFmpeg": module.ffmpeg_version_info},
    "torch": _gpus,
}  # what only a library itself can say


def _package(section: str, name: str, result: dict[str, Any], extra: str) -> Finding:
    version = libraries.version(name)
    if version is None:
        install = f"pip install 'audiocli[{extra}]'" if extra else f"pip install {name}"
        return Finding(section, name, MISSING if extra else BROKEN, f"not installed: {install}")
    if result["error"]:
        return Finding(section, name, BROKEN, f"{version} does not load: {result['error']}")
    return Finding(section, name, OK, version)


def _pair(imported: dict[str, dict[str, Any]]) -> Finding:
    """Whether torch and torchaudio fit each other."""
    versions = " with ".join(f"{name} {libraries.version(name) or '(not installed)'}" for name in libraries.PAIR)
    if any(imported[name]["error"] or libraries.version(name) is None for name in libraries.PAIR):
        return Finding("engines", "torch and torchaudio", BROKEN, f"{versions} do not load: {libraries.cure()}")
    return Finding("engines", "torch and torchaudio", OK, versions)


def _facts(imported: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    facts: dict[str, str] = {}
    for result in imported.values():
        facts |= result["facts"]
    yield Finding("engines", "GPU", OK if facts.get("GPU") else MISSING, facts.get("GPU") or "none that torch can use")
    for name in ("FFmpeg", "libsndfile"):
        yield Finding("engines", name, OK if name in facts else BROKEN, facts.get(name, "its package does not load"))


def _speakers() -> Iterator[Finding]:
    """The engines of speak that are not Python packages."""
    from ..speak import espeak
    from ..speak import flite as tts_flite

    try:
        yield Finding("engines", "espeak-ng", OK, espeak.version())
    except AudiocliError as error:
        yield Finding("engines", "espeak-ng", BROKEN, str(error))
    program = shutil.which(tts_flite.PROGRAM)
    if program is None:
        yield Finding("engines", "flite", MISSING, "not on the PATH: apt install flite")
        return
    try:
        yield Finding("engines", "flite", OK, f"{program}, voices {' '.join(tts_flite.voices())}")
    except AudiocliError as error:
        yield Finding("engines", "flite", BROKEN, str(error))


def _folders() -> Iterator[Finding]:
    from platformdirs import user_cache_path

    from ...models import cache, config

    for name, folder in (
        ("cache", user_cache_path("audiocli")),
        ("models", cache.cache()),
        ("settings", config.path().parent),
    ):
        files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
        size = sum(path.stat().st_size for path in files)
        yield Finding("folders", name, OK, f"{folder}, {size / 1e6:.1f} MB" if files else f"{folder}, empty")


def _defaults() -> Iterator[Finding]:
    """The model that each verb takes, and whether it is on this machine."""
    from ...models import config, registry
    from ...models import locate as models

    for verb in registry.VERBS:
        try:
            choice = config.choice(verb)
            models.locate(choice.name, verb, offline=True)
        except AudiocliError as error:
            yield Finding("defaults", verb, BROKEN, str(error))
        else:
            yield Finding("defaults", verb, OK, f"{choice.name} ({choice.origin})")


def as_json(findings: Sequence[Finding]) -> str:
    """One object: ok, and the findings of each section by name."""
    sections: dict[str, dict[str, dict[str, str]]] = {}
    for one in findings:
        sections.setdefault(one.section, {})[one.name] = {"state": one.state, "detail": one.detail}
    return json.dumps({"ok": healthy(findings), **sections}, indent=2, ensure_ascii=False)


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """The report for people: the packages that load in one paragraph, everything else a line each."""
    width = max(len(one.name) for one in findings)
    good = [one for one in findings if one.section == "packages" and one.state == OK]
    section = ""
    for one in findings:
        if one.section != section:
            section = one.section
            yield f"{section}:"
            if section == "packages" and good:
                yield f"  {len(good)} load: {', '.join(f'{each.name} {each.detail}' for each in good)}"
        if one not in good:
            mark = "" if one.state == OK else f"{one.state.upper()}: " if one.state == BROKEN else "- "
            yield f"  {one.name:{width}}  {mark}{one.detail}"


def healthy(findings: Sequence[Finding]) -> bool:
    """Whether nothing is broken; what is optional may be missing."""
    return all(one.state != BROKEN for one in findings)

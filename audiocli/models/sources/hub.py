"""Downloads from the Hugging Face hub into its cache: resumed, hashed, never when offline."""

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ...errors import DownloadError, ModelError
from ..cache import Repo, cache, chosen, digest

TRIES = 3  # in a row without one new byte
PAUSE = 1.0  # s, between them
OFFLINE = ("AUDIOCLI_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
TRANSPORT = {"httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3"}  # whose exceptions mean: no way through
HASH = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # the library reads it when it is imported


def endpoint() -> str:
    """The address of the hub."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def forbidden(asked: bool = False) -> str | None:
    """The setting that forbids the network, if any does: --offline or an environment variable."""
    if asked:
        return "--offline"
    on = (name for name in OFFLINE if os.environ.get(name, "").lower() not in ("", "0", "no", "off", "false"))
    return next((f"{name}={os.environ[name]}" for name in on), None)


@dataclass(frozen=True)
class File:
    """A file of a commit: its name, and the hash that names it."""

    name: str
    size: int
    hash: str


def pull(
    repo: Repo,
    *,
    patterns: tuple[str, ...] = (),
    sha256: str | None = None,
    force: bool = False,
    offline: bool = False,
    check: Callable[[dict[str, Any]], object] = lambda config: None,
    tell: Callable[[str], None] = lambda text: None,
    bars: bool = False,
) -> Path:
    """Fetch the missing files of a model; the folder that it is in then. Each file is hashed before it gets its name.

    `check` sees the parsed config.json before the weights are fetched, and may raise. Cut off, the next call goes on in the
    middle of the file. Raises DownloadError.
    """
    if reason := forbidden(offline):
        raise DownloadError(f"{repo} cannot be fetched with {reason}")
    with _explained(repo), _alone(repo):
        commit, files = _files(repo, patterns, sha256)
        blobs = repo.folder / "blobs"
        blobs.mkdir(parents=True, exist_ok=True)
        files.sort(key=lambda file: (file.name != "config.json", file.size))
        missing = [file for file in files if force or not (blobs / file.hash).exists()]
        if missing:
            tell(f"fetching {repo}: {len(missing)} files, {size(sum(file.size for file in missing))}")
        for file in files:
            if file in missing:
                _fetch(repo, commit, file, blobs / file.hash, bars)
            if file.name == "config.json":
                check(json.loads((blobs / file.hash).read_text()))
        return _link(repo, commit, files, force)


def size(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _files(repo: Repo, patterns: tuple[str, ...], sha256: str | None) -> tuple[str, list[File]]:
    """The commit, and its files that are wanted. One question to the hub."""
    from huggingface_hub import HfApi

    info = HfApi(endpoint=endpoint()).model_info(repo.id, revision=repo.revision, files_metadata=True)
    listed = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    names = chosen(listed, patterns)
    if not names or info.sha is None:
        raise DownloadError(f"{repo} has no weights that can be read safely (safetensors, or pytorch_model.bin)")
    files = []
    for name in names:
        sibling = listed[name]
        files.append(File(name, sibling.size or 0, sibling.lfs.sha256 if sibling.lfs else sibling.blob_id or ""))
    if not all(HASH.fullmatch(file.hash) for file in files):
        raise DownloadError(f"{endpoint()} gives no hashes for {repo}: its files cannot be checked")
    if sha256 and sha256 not in {file.hash for file in files}:
        raise DownloadError(
            f"the weights of {repo} on {endpoint()} are not the ones that audiocli knows (SHA-256 differs)"
        )
    return info.sha, files


def _fetch(repo: Repo, commit: str, file: File, blob: Path, bars: bool) -> None:
    """Download one file to blobs/HASH.part, going on where an earlier try was cut off, then rename it if the hash is right."""
    part = blob.with_name(blob.name + ".part")
    if _length(part) > file.size:
        part.unlink()
    resumed = _length(part) > 0
    _get_in_tries(repo, commit, file, part, bars)
    if resumed and digest(part, file.hash) != file.hash:  # what lay there was not the beginning of this file
        part.unlink()
        _get_in_tries(repo, commit, file, part, bars)
    if digest(part, file.hash) != file.hash:
        part.unlink()
        raise DownloadError(
            f"{repo}: {file.name} came with a wrong hash and was thrown away: try again, or another HF_ENDPOINT"
        )
    os.replace(part, blob)


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _get_in_tries(repo: Repo, commit: str, file: File, part: Path, bars: bool) -> None:
    """Go on as long as each try brings something, or TRIES times; the library itself goes on after some kinds of cuts."""
    tries = TRIES
    while tries:
        before = _length(part)
        try:
            _get(repo, commit, file, part, before, bars)
            return
        except Exception as error:
            grown = _length(part) > before
            tries = TRIES if grown else tries - 1
            if not _passing(error, grown) or not tries:
                raise
            time.sleep(PAUSE)


def _get(repo: Repo, commit: str, file: File, part: Path, have: int, bars: bool) -> None:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get

    _library(bars)
    headers = import_module("huggingface_hub.utils").build_hf_headers()
    url = hf_hub_url(repo.id, file.name, revision=commit, endpoint=endpoint())
    with part.open("ab") as stream:
        http_get(url, stream, resume_size=have, headers=headers, expected_size=file.size, displayed_filename=file.name)


def _library(bars: bool) -> None:
    """Whether the library draws bars; never its warnings, such as the one of each cut after which it goes on."""
    utils: Any = import_module("huggingface_hub.utils")
    utils.logging.set_verbosity_error()
    (utils.enable_progress_bars if bars else utils.disable_progress_bars)()


def _passing(error: Exception, grown: bool) -> bool:
    """Whether another try may do better: the line was cut, or too little came; not when the hub said no."""
    return _transport(error) or (grown and isinstance(error, OSError) and "Consistency check" in str(error))


def _transport(error: Exception) -> bool:
    return type(error).__module__.split(".")[0] in TRANSPORT or isinstance(error, ConnectionError)


def _link(repo: Repo, commit: str, files: list[File], force: bool) -> Path:
    """Let the library put the names on the blobs; where it fetched something again by itself, that is hashed here."""
    from huggingface_hub import snapshot_download

    _library(bars=False)
    folder = repo.folder / "snapshots" / commit
    if force:
        for file in files:
            (folder / file.name).unlink(missing_ok=True)
    names = [re.sub(r"([*?\[])", r"[\1]", file.name) for file in files]
    folder = Path(
        snapshot_download(
            repo.id, revision=repo.revision, cache_dir=cache(), endpoint=endpoint(), allow_patterns=names, max_workers=2
        )
    )
    for file in files:
        path = folder / file.name
        if path.resolve().name != file.hash and digest(path, file.hash) != file.hash:
            _drop(path)
            raise DownloadError(f"{repo}: {file.name} came with a wrong hash and was thrown away: try again")
    return folder


def _drop(path: Path) -> None:
    """Remove a file of a snapshot and the blob that it points to."""
    path.resolve().unlink(missing_ok=True)
    path.unlink(missing_ok=True)


@contextmanager
def _alone(repo: Repo) -> Iterator[None]:
    """One process at a time fetches a repository; another waits."""
    from filelock import FileLock

    locks = cache() / ".locks" / repo.folder.name
    locks.mkdir(parents=True, exist_ok=True)
    with FileLock(locks / "audiocli.lock"):
        yield


@contextmanager
def _explained(repo: Repo) -> Iterator[None]:
    """Turn errors between here and the hub into one line that says what to do."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        if (text := _explanation(error, repo)) is None:
            raise
        raise DownloadError(text) from error


def _explanation(error: Exception, repo: Repo) -> str | None:
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    code = error.response.status_code if isinstance(error, HfHubHTTPError) else None
    terms = (
        f"accept its terms at {endpoint()}/{repo.id}, then set HF_TOKEN to a token of yours (or run 'hf auth login')"
    )
    if isinstance(error, RevisionNotFoundError):
        return f"{repo.id} has no revision {repo.revision!r} on {endpoint()}"
    if isinstance(error, GatedRepoError) or code == 403:
        return f"{repo} is gated: {terms}"
    if code == 401:  # the hub also answers this for names that it does not have
        return f"{repo} is gated, private or does not exist: check the name; if it is gated, {terms}"
    if isinstance(error, RepositoryNotFoundError):
        return f"there is no model {repo.id!r} on {endpoint()}: check the name"
    if code is not None:
        return f"{endpoint()} answered {code} for {repo}: try again later"
    if _transport(error):
        return f"{repo} cannot be fetched from {endpoint()} ({type(error).__name__}): try again, what came is kept"
    return f"{repo} cannot be fetched: {error}" if isinstance(error, OSError) else None


@contextmanager
def sealed() -> Iterator[None]:
    """Keep the hub's library from opening sockets meanwhile, whatever a library above it would like to look up."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def interactive() -> bool:
    """Whether standard error is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()

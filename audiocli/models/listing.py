"""What `audiocli models list` and `show` say of models."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import UsageError, hint
from . import cache, config, registry
from .locate import files
from .registry import ModelSpec
from .sources import hub, wheel

COLUMNS = ("name", "task", "here", "memory", "licence", "source")


def rows(task: str | None) -> list[dict[str, Any]]:
    """The models of the registry, and those in the cache that it does not have and a verb takes. Raises UsageError."""
    if task is not None and task not in registry.VERBS:
        raise UsageError(f"no task {task!r}: {hint(task, registry.VERBS)}")
    return [row for row in (*map(_described, registry.MODELS.values()), *_others()) if task in (None, row["task"])]


def _others() -> Iterator[dict[str, Any]]:
    """Models in the cache that the registry does not have and a verb takes."""
    for repo in cache.present():
        folder = cache.cached(repo)
        if folder is None or registry.by_source(repo.id):
            continue
        family = registry.family(parsed(folder))
        if family:
            yield {
                "name": repo.id, "task": family[0], "default": _is_default(repo.id, family[0]), "here": True,
                "memory_gib": round(cache.memory(folder), 1), "licence": "not known", "source": repo.id,
                "sample_rate": None, "revision": folder.name,
            }  # fmt: skip


def parsed(folder: Path) -> dict[str, Any]:
    """What the config.json of a folder says; nothing where there is none."""
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _described(spec: ModelSpec) -> dict[str, Any]:
    """A row of the registry, and whether it is on this machine."""
    return {
        "name": spec.name, "task": spec.task, "default": _is_default(spec.name, spec.task),
        "here": cache.here(spec), "memory_gib": spec.memory_gib, "licence": spec.licence,
        "source": spec.source, "sample_rate": spec.sample_rate, "revision": _revision(spec),
    }  # fmt: skip


def _revision(spec: ModelSpec) -> str | None:
    """Which version of a model is here, or would be fetched."""
    if spec.packed:
        held = wheel.find(spec)
        return wheel.key(held.carrier if held else spec.carriers[0])
    folder = cache.cached(cache.Repo(spec.source, spec.revision or "main"), spec.files) if spec.on_hub else None
    return folder.name if folder else spec.revision


def _is_default(name: str, task: str) -> bool:
    try:
        chosen = config.default(task)
    except UsageError:
        return False
    spec = registry.by_name(chosen) or registry.by_source(chosen)
    return name in (chosen, spec and spec.name)


def lines(described: list[dict[str, Any]]) -> Iterator[str]:
    """A table with columns as wide as they need to be."""
    cells = [COLUMNS]
    for row in described:
        here, memory = "yes" if row["here"] else "-", f"{row['memory_gib']:g} GiB"
        name = row["name"] + ("*" if row["default"] else "")
        cells.append((name, row["task"], here, memory, row["licence"], row["source"]))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def known(name: str) -> dict[str, Any]:
    """All that is known of a model. Raises ModelError for a name that none has."""
    spec, folder, repo = files(name)
    row = _described(spec) if spec else {"name": name}
    if spec is not None and spec.packed:
        row |= _provenance(spec)
    elif folder is not None:
        family = registry.family(parsed(folder))
        row |= {"task": family[0] if family else None, "here": True}
    if folder is not None:
        row |= {
            "folder": str(folder),
            "size": sum(path.stat().st_size for path in (folder, *folder.rglob("*")) if path.is_file()),
        }
    elif repo is not None or (spec is not None and spec.packed and not row["here"]):
        row |= {"here": False, "get it with": f"audiocli models pull {name}"}
    if repo is not None:
        row |= {"source": repo.id, "cache": str(cache.cache())}
    return row


def _provenance(spec: ModelSpec) -> dict[str, Any]:
    """Who made a packed model and who packed it, what its packages are, and which of them it was taken from."""
    held = wheel.find(spec)
    carriers = [
        {
            "packager": carrier.packager,
            "packages": [f"{one.distribution} {one.version} ({hub.size(one.size)})" for one in carrier.wheels],
            "sha256": {one.distribution: one.sha256 for one in carrier.wheels},
            "files": {file.name: file.sha256 for file in carrier.files},
        }
        for carrier in spec.carriers
    ]
    taken = {"taken from": held.carrier.packager, "lies in": "cache" if held.cached else "packages"} if held else {}
    return {"author": spec.author, **taken, "carriers": carriers}


def details(row: dict[str, Any]) -> Iterator[str]:
    """What is known of a model, line by line; what has parts is indented below its name."""
    for key, value in row.items():
        if key != "carriers":
            yield f"{key}: {value}"
            continue
        for carrier in value:
            yield f"packed by {carrier['packager']}: {', '.join(carrier['packages'])}"
            yield from (f"  {name} sha256:{sha256}" for name, sha256 in carrier["sha256"].items())
            yield from (f"    {name} sha256:{sha256}" for name, sha256 in carrier["files"].items())

"""The house in figures: the rooms that one run meets, circles, `Any` at the main wall, the cost of a common option."""

import ast
import json
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from unittest.mock import patch

import numpy as np
import soundfile

from audiocli import audio
from bench._common import Score
from tests.kernels.rhythm_signals import DATA

ROOT = Path(__file__).resolve().parent.parent
OPTIMIZED = 0x01  # the flag of a function's code: the bodies of modules and classes lack it
PEER = "the first plan"
OPTION = "files_from"  # an option of every verb that takes files, whose name means nothing else
STRING = re.compile(r"audiocli(?:\.\w+)+:\w+")  # "module:function"
MODULE = re.compile(r'"(audiocli(?:\.\w+)+)"')

# What was counted before verbs became folders (rooms, files), and what is wanted.
RUNS = {
    "transcribe": ((15, 29), (11, 26)),
    "denoise": ((17, 27), (12, 24)),
    "verify --trials": ((18, 41), (13, 33)),
    "speak": ((16, 27), (10, 24)),
}


def product() -> list[Path]:
    """Every installed module of ours."""
    return sorted([*(ROOT / "audiocli").rglob("*.py"), *(ROOT / "kernels").rglob("*.py")])


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def dotted(path: Path) -> str:
    """The name by which a module is imported."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return f"audiocli.{name}" if name.startswith("kernels") else name


def room(path: Path) -> str:
    """The room of a file: a name in audiocli/, the folder of a verb, or the kernels."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if parts[0] == "kernels" else "/".join(parts[1:3] if parts[1] == "verbs" else parts[1:2])


def trace(target: str, *arguments: str) -> int:
    """Run audiocli in this process, and write which files had a function called, on any thread, as JSON; the exit code."""
    from audiocli.cli import main

    seen: set[str] = set()

    def called(frame: FrameType | None, event: str, _: object) -> None:
        name = frame.f_code.co_filename if frame else ""
        if event != "call" or name in seen or not name.startswith(str(ROOT)):
            return
        while frame and (frame.f_code.co_flags & OPTIMIZED or not frame.f_code.co_filename.startswith(str(ROOT))):
            frame = frame.f_back
        if frame is None or frame.f_code.co_filename == __file__:  # else it is a module that is being imported
            seen.add(name)

    sys.argv = ["audiocli", *arguments]
    threading.setprofile(called)
    sys.setprofile(called)
    code = 1
    try:
        with patch("os._exit", sys.exit):
            main()
    except SystemExit as end:
        code = int(end.code or 0)
    sys.setprofile(None)
    Path(target).write_text(json.dumps(sorted(seen)))
    return code


def walked(work: Path, *arguments: str) -> list[Path]:
    """The files of ours that a run executes."""
    target = work / "seen.json"
    command = [sys.executable, "-m", "bench.house", str(target), *arguments]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    seen = {Path(name).resolve() for name in json.loads(target.read_text())}
    return [path for path in product() if path in seen]


def clips(work: Path) -> tuple[Path, Path]:
    """Two recordings of ten seconds: real speech, or noise where ../shared is absent."""
    paths = sorted((DATA / "mini-librispeech").glob("*/*.opus"))[:2]
    found = [audio.read(path, sample_rate=16_000, mono=True).samples[0][:160_000] for path in paths]
    found = found or [np.random.default_rng(seed).normal(0.0, 0.1, 160_000).astype(np.float32) for seed in (0, 1)]
    for n, samples in enumerate(found):
        soundfile.write(work / f"{n}.wav", samples, 16_000)
    return work / "0.wav", work / "1.wav"


def run_rows() -> Iterator[Score]:
    """The number of rooms and files that each of four ordinary runs meets."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        one, other = clips(work)
        trials = work / "trials.txt"
        trials.write_text(f"1 {one} {one}\n0 {one} {other}\n")
        runs = {
            "transcribe": ("transcribe", str(one)),
            "denoise": ("denoise", str(one), "-o", str(work / "clean.wav")),
            "verify --trials": ("verify", "--trials", str(trials)),
            "speak": ("speak", "The house has many rooms.", "-o", str(work / "said.wav")),
        }
        for run, arguments in runs.items():
            before, most = RUNS[run]
            files = walked(work, *arguments)
            rooms = sorted({room(path) for path in files})
            ours = len(rooms), len(files)
            reached = ours[0] <= most[0] and ours[1] <= most[1]
            what, target = f"{run}: rooms met, files executed", f"<= {most[0]}, {most[1]}"
            yield Score(what, "{}, {}".format(*ours), PEER, "{}, {}".format(*before), target, reached, " ".join(rooms))


def imports(path: Path, *, typing: bool = False) -> Iterator[str]:
    """Our modules that a file imports, inside functions, too; `typing`: and what only type checkers read."""
    name = dotted(path)
    here = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    todo: list[ast.AST] = [tree(path)]
    while todo:
        node = todo.pop()
        if not typing and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            todo += node.orelse
            continue
        if isinstance(node, ast.ImportFrom):
            above = here[: len(here) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in modules() else base
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        todo += ast.iter_child_nodes(node)


@cache
def modules() -> dict[str, Path]:
    return {dotted(path): path for path in product()}


def named(path: Path) -> set[str]:
    """Modules that the "module:function" strings of a file name."""
    return {text.partition(":")[0] for text in STRING.findall(path.read_text(encoding="utf-8"))} & modules().keys()


def graph(strings: bool) -> dict[str, set[str]]:
    """Which module imports which; with strings, a module that resolves them imports what they name.

    The strings of "module:function" may stand in any module that its resolver reaches.
    """
    result = {name: set(imports(path)) & modules().keys() - {name} for name, path in modules().items()}
    if not strings:
        return result
    text = {name: path.read_text(encoding="utf-8") for name, path in modules().items()}
    for name, source in text.items():
        if "import_module(name)" in source:
            result[name] |= set(MODULE.findall(source)) & modules().keys()
    reach = {name: reached(result, name) for name in result}
    for name, found in reach.items():
        if 'partition(":")' in text[name] and "import_module(" in text[name]:
            result[name] = result[name].union(*(named(modules()[other]) for other in {name, *found}))
    return result


def reached(edges: dict[str, set[str]], start: str) -> set[str]:
    """All modules to which the edges lead from one."""
    seen, todo = set[str](), [start]
    while todo:
        new = edges[todo.pop()] - seen
        seen |= new
        todo += new
    return seen


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that reach each other."""
    reach = {name: reached(edges, name) for name in edges}
    groups = {
        tuple(sorted(other for other in reach[name] if name in reach[other])) for name in edges if name in reach[name]
    }
    return [[name.removeprefix("audiocli.") for name in group] for group in sorted(groups)]


def circle_rows() -> Iterator[Score]:
    """Circles by import statements alone, and with strings."""
    for what, strings, before in (("", False, "1"), (", strings included", True, "2")):
        found = circles(graph(strings))
        note = "; ".join(", ".join(one) for one in found)
        yield Score(f"circles between files{what}", str(len(found)), PEER, before, "0", not found, note)


def loose(path: Path) -> int:
    """The number of places where the main wall has no type: a model built into `Any`, a `work: Any`, a build that gives Any."""
    n_loose = 0
    for node in ast.walk(tree(path)):
        kind = getattr(node, "annotation", None) or getattr(node, "returns", None)
        if kind is not None and "Any" in ast.unparse(kind):
            n_loose += bool(re.match(r"work: Any|\w+: Any = (\w+\.)?(build|load)\(|def build\(", ast.unparse(node)))
    return n_loose


def names(path: Path, word: str) -> bool:
    """Whether a file has this name as a variable, parameter, keyword or attribute."""
    return any(word in (getattr(node, field, None) for field in ("id", "arg", "attr")) for node in ast.walk(tree(path)))


def size_rows() -> Iterator[Score]:
    """All rows that need no run."""
    home = ROOT / "audiocli"
    entries = {"weights", *(path.relative_to(home).parts[0] for path in home.rglob("*.py"))}
    flat = Counter(str(path.parent.relative_to(ROOT)) for path in product())
    folder, n_flat = flat.most_common(1)[0]
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in product()}
    long = [f"{dotted(path)} {n}" for path, n in lines.items() if n > 300]
    wall = {dotted(path): loose(path) for path in product()}
    touched = [dotted(path) for path in product() if names(path, OPTION)]
    total = sum(lines.values())

    def row(what: str, ours: int, before: str, target: str, reached: bool, note: str = "") -> Score:
        return Score(what, f"{ours:,}", PEER, before, target, reached, note.replace("audiocli.", ""))

    yield row("entries in audiocli/", len(entries), "39", "<= 24", len(entries) <= 24)
    yield row("files in the largest folder", n_flat, "62", "<= 20", n_flat <= 20, folder)
    n_any, note = sum(wall.values()), ", ".join(name for name, n in wall.items() if n)
    yield row("`Any` at the main wall", n_any, "13", "0", not n_any, note)
    note = f"those that name `{OPTION}`: {', '.join(touched)}"
    yield row("product files of a common option", len(touched), "10", "<= 2", len(touched) <= 2, note)
    yield row("modules over 300 lines", len(long), "5", "0", not long, ", ".join(long))
    yield row("product lines", total, "25,828", "fewer", total < 25_828)


def rows() -> list[Score]:
    return [*size_rows(), *circle_rows(), *run_rows()]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(trace(*sys.argv[1:]))
    else:
        print("\n".join(f"{row.what}: {row.ours} ({row.target}; before: {row.peer}) {row.note}" for row in rows()))

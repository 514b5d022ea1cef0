"""Run every script here and write bench.md: `python -m bench` (all) or `python -m bench spectral mulaw` (their sections only)."""

import importlib
import os
import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path

from bench._common import Row, Score

SCRIPTS = (
    "spectral", "mulaw", "descriptors", "rhythm", "transcribe", "live", "real_models", "batching", "classify", "denoise",
    "verify", "recordings", "diarize", "speaker_words", "speak", "generation", "clone", "music", "tones", "processes", "house",
)  # fmt: skip
LIBRARIES = ("numpy", "numba", "scipy", "soundfile", "soxr", "librosa", "torch", "torchaudio")
TARGET = Path(__file__).parent.parent / "bench.md"


def machine() -> str:
    """Processor and cores that this process may use."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        name = names[0] if names else name
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores (shared), {platform.system()}, Python {platform.python_version()}"


def duration(value: float) -> str:
    """Seconds in the most readable unit."""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.3g} ms" if value >= 1e-3 else f"{value * 1e6:.3g} µs"


def line(row: Row | Score) -> str:
    """A row of the table."""
    want = row.target if row.reached else f"{row.target} **missed**"
    if isinstance(row, Score):
        cells = (row.what, row.ours, row.peer_name, row.peer, "", want, row.note)
    else:
        cells = (row.what, duration(row.ours), row.peer_name, duration(row.peer), f"{row.ratio:.3g}x", want, row.note)
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def table(script: str) -> list[str]:
    """A section of bench.md."""
    module = importlib.import_module(f"bench.{script}")
    head = ["what", "ours", "peer", "the peer's", "ratio (peer / ours)", "wanted", "note"]
    title = (module.__doc__ or script).strip().split("\n\n")[0].replace("\n", " ")
    lines = [
        f"## {script}",
        "",
        title,
        "",
        "| " + " | ".join(head) + " |",
        "| " + " | ".join(["---"] * len(head)) + " |",
    ]
    print("\n".join(lines), flush=True)
    try:
        for row in module.rows():  # each is shown as it comes: some take minutes
            lines.append(line(row))
            print(lines[-1], flush=True)
    except KeyboardInterrupt:
        print("stopped: the rows so far are kept", file=sys.stderr)
    return [*lines, ""]


def written() -> dict[str, list[str]]:
    """The sections that bench.md has, by script."""
    text = TARGET.read_text() if TARGET.exists() else ""
    parts = re.split(r"^## (\w+)$", text, flags=re.MULTILINE)
    return {
        name: [f"## {name}", "", *body.strip("\n").split("\n"), ""]
        for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def main(scripts: list[str]) -> None:
    """Run scripts (all of them when none is named), print their results, and put them in their place in bench.md."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    head = [
        "# Benchmarks",
        "",
        "Written by `make bench`, not by hand. Each row was taken with its peer in one run, in turn, after a warm-up; times are",
        "medians. The cores are shared with other work: the ratios say more than the times.",
        "",
        f"{machine()}; {versions}.",
        "",
    ]
    sections = written()
    for script in scripts or SCRIPTS:
        sections[script] = table(script)
        page = head + [line for name in SCRIPTS if name in sections for line in sections[name]]
        TARGET.write_text("\n".join(page).rstrip() + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

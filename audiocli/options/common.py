"""Options that several verbs share: what is read, where results go, which model is used."""

import os
from dataclasses import dataclass
from typing import Any

from .option import option

CHANNEL = r"mix|best|left|right|[1-9][0-9]*"  # a regular expression; numbers count from 1
STDOUT = ("-", "/dev/stdout")  # as -o
QUIET = "No progress and no notes; errors are still reported."
PRECISIONS = ("auto", "float32", "float16", "bfloat16")


def device_option() -> str:
    """--device, which verbs without a model have, too."""
    return option("auto", "auto, cpu, cuda, or cuda:N.", metavar="DEVICE", section="device")


def precision_option() -> str:
    """--precision."""
    return option("auto", f"Of the model's numbers: {', '.join(PRECISIONS)}.", metavar="TYPE", section="device")


def jobs_option() -> int | None:
    """--jobs."""
    words = "Files or blocks at work at once (default: the number of cores)."
    return option(None, words, metavar="N", short="-j", section="run")


def quiet_option() -> bool:
    """--quiet."""
    return option(False, QUIET, short="-q", section="quiet")


@dataclass(frozen=True)
class InputOptions:
    """What every verb reads."""

    glob: tuple[str, ...] = option(
        (), "In folders, take the files whose names match (repeatable).", metavar="PATTERN", section="input"
    )
    files_from: str | None = option(
        None,
        "Read inputs from a file or - : one path a line, NUL-separated, or JSONL records of an earlier verb.",
        metavar="FILE",
        section="input",
    )
    raw: str | None = option(
        None, "Inputs are headerless PCM, e.g. s16le:16000:1.", metavar="FORMAT:RATE:CHANNELS", section="input"
    )
    start: float = option(
        0.0,
        "Skip this much of each input: seconds, or a time such as 1:30 or 1:02:03.5.",
        metavar="TIME",
        section="input",
    )
    duration: float | None = option(None, "Take at most this much of each input.", metavar="TIME", section="input")
    channel: str = option(
        "mix",
        "What is heard of several channels: mix (the mean), best, left, right, or a number from 1.",
        metavar="CHANNEL",
        section="input",
    )

    @property
    def listed(self) -> bool:
        """Whether a list names inputs, beside the arguments."""
        return self.files_from is not None


@dataclass(frozen=True)
class OutputOptions:
    """Where every verb writes, and how the run goes."""

    output: str | None = option(
        None,
        "A file, a folder (existing, or ending in /; mirrors the inputs), or - for standard output (default).",
        metavar="PATH",
        short="-o",
        section="output",
    )
    format: str | None = option(
        None, "How results are written (default: the suffix of -o).", metavar="FORMAT", short="-f", section="output"
    )
    resume: bool = option(False, "Skip what an earlier run with the same options has finished.", section="run")
    force: bool = option(False, "Write outputs again that exist.", section="run")
    jobs: int | None = jobs_option()
    quiet: bool = quiet_option()

    @property
    def to_stdout(self) -> bool:
        """Whether results go to standard output."""
        return self.output is None or self.output in STDOUT

    @property
    def wanted(self) -> str:
        """The format that was asked for, in lower case: --format, else the suffix of -o; empty where there is neither."""
        return (self.format or os.path.splitext(self.output or "")[1][1:]).lower()


@dataclass(frozen=True)
class ModelOptions:
    """Which model a verb uses, and on what; None: the user's default for the task, else the built-in one."""

    model: str | None = option(
        None, "A model by name, a hub id org/name, or a folder.", metavar="NAME", short="-m", section="model"
    )
    device: str = device_option()
    precision: str = precision_option()
    memory: float | None = option(None, "Refuse a model that needs more.", metavar="GIB", section="device")
    offline: bool = option(False, "Never download a model.", section="device")


def shaping(reading: InputOptions) -> dict[str, Any]:
    """What of the reading shapes the result for one input; which inputs there are does not."""
    return {"raw": reading.raw, "start": reading.start, "duration": reading.duration, "channel": reading.channel}

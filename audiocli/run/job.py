"""How a command's job is checked, run and ended."""

import os
import re
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from ..console import Console, debugging
from ..errors import AudiocliError, UsageError, check_choice
from ..options import CHANNEL, PRECISIONS, InputOptions, ModelOptions, OutputOptions, shaping

if TYPE_CHECKING:
    from pathlib import Path

    from ..inputs.sources import Found
    from ..models.locate import Located
    from ..models.registry import ModelSpec
    from ..outputs.destination import Destination, Opened
    from ..records import Record
    from .batch import Tally, Work

Item = TypeVar("Item")
BUG_HINT = "AUDIOCLI_DEBUG=1 shows where a bug is, 'audiocli doctor' what is broken on this machine"


def check_input(reading: InputOptions) -> None:
    """Raises UsageError for a cut that cannot be made, and for a channel that cannot be."""
    start, duration = reading.start, reading.duration
    if not 0.0 <= start < float("inf"):
        raise UsageError(f"--start must be 0 or more, not {start:g}")
    if duration is not None and not 0.0 < duration < float("inf"):
        raise UsageError(f"--duration must be above 0, not {duration:g}")
    if not re.fullmatch(CHANNEL, reading.channel):
        raise UsageError(f"--channel must be mix, best, left, right or a number from 1, not {reading.channel!r}")


def check_vad_threshold(threshold: float) -> None:
    """Raises UsageError for what is not a probability that can be reached."""
    if not 0.0 < threshold < 1.0:
        raise UsageError(f"--vad-threshold must lie between 0 and 1, not {threshold:g}")


def check_model(choice: ModelOptions) -> None:
    """Raises UsageError for values that no model takes."""
    check_choice("--precision", choice.precision, PRECISIONS)
    if choice.memory is not None and not choice.memory > 0.0:
        raise UsageError(f"--memory must be above 0, not {choice.memory:g}")


def cores(jobs: int | None) -> int:
    """How many threads --jobs asks for. Raises UsageError."""
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs must be 1 or more, not {jobs}")
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return jobs or available


def console_for(writing: OutputOptions, *, draws: bool = False) -> Console:
    """The console of a run; no bar where results, or what the verb draws, come out on the same terminal."""
    return Console(writing.quiet, bar=not draws and not (writing.to_stdout and os.isatty(1)))


@dataclass(frozen=True)
class Job:
    """What a command was asked for, with what all commands do: find the model, open the output, walk the inputs.

    reading: None where the inputs are not audio.
    """

    task: str
    choice: ModelOptions
    writing: OutputOptions
    reading: InputOptions | None
    inputs: Sequence[str]
    console: Console
    jobs: int

    @property
    def single(self) -> bool:
        """Whether there is one input, so that its result may have the output to itself."""
        listed = self.reading is not None and self.reading.listed
        return len(self.inputs) == 1 and not listed and not os.path.isdir(self.inputs[0])

    def check_stream(self) -> None:
        """Raises UsageError for inputs that --stream cannot read."""
        assert self.reading is not None
        if self.inputs != ["-"] or self.reading.listed:
            raise UsageError("--stream reads standard input: give - as the only input")
        if self.reading.start or self.reading.duration is not None:
            raise UsageError("--stream goes from the first sample to the last: leave --start and --duration out")

    def located(self) -> "Located":
        """The model, on this machine now. Raises ModelError."""
        from ..models.locate import locate

        return locate(self.choice.model, self.task, offline=self.choice.offline, tell=self.console.note)

    def target(self, kind: type, *, default: str, single: bool | None = None) -> "Destination":
        """Where records of type kind go. default: the format for a pipe. Raises UsageError."""
        from ..outputs.destination import destination

        return destination(self.writing, kind, single=self.single if single is None else single, default=default)

    def opened(
        self,
        target: "Destination",
        options: Mapping[str, Any],
        model: "ModelSpec | None" = None,
        *,
        plot: str | None = None,
        announce: str | None = None,
        stems: Sequence[str] = (),
    ) -> "Opened":
        """The sink there; what shapes the results is the model, the options, and how inputs are read."""
        from ..outputs.destination import open_sink

        key = {"task": self.task, **options}
        if model:
            key |= {"model": model.name, "revision": model.revision}
        if self.reading:
            key |= shaping(self.reading)
        return open_sink(target, key, plot=plot, announce=announce, stems=stems)

    def sources(self, leave_out: "Path | None" = None) -> "Iterable[Found]":
        """Every input. Raises UsageError."""
        from ..inputs.sources import find

        assert self.reading is not None
        found = find(self.inputs, self.reading, leave_out=leave_out)
        # A list may come slowly through a pipe; files and folders are all known before the first is opened.
        return found if self.reading.listed else list(found)

    def through(
        self,
        work: "Work[Item, Record]",
        opened: "Opened",
        *,
        sources: "Iterable[Found] | None" = None,
        jobs: int | None = None,
    ) -> int:
        """Run every input through the work and into the sink; the exit code. sources: other ones; jobs: at once (None: --jobs)."""
        from ..inputs.sources import Source
        from . import batch

        found = self.sources(opened.folder) if sources is None else sources
        total = sum(one.size for one in found if isinstance(one, Source)) if isinstance(found, list) else None
        tally = batch.run(found, work, opened.sink, self.console, jobs=jobs or self.jobs, total=total)
        return finish(tally, self.console)


def begin(
    task: str,
    writing: OutputOptions,
    inputs: Sequence[str] = (),
    *,
    choice: ModelOptions | None = None,
    reading: InputOptions | None = None,
    draws: bool = False,
) -> Job:
    """A job whose common options are checked. draws: the verb writes on the terminal itself. Raises UsageError."""
    if choice:
        check_model(choice)
    if reading:
        check_input(reading)
    jobs = cores(writing.jobs)
    console = console_for(writing, draws=draws)
    return Job(task, choice or ModelOptions(), writing, reading, inputs, console, jobs)


def advise(console: Console, topic: str, text: str) -> None:
    """Say once on this machine what gets better results; where that cannot be remembered, say it again."""
    from contextlib import suppress

    from platformdirs import user_cache_path

    said = user_cache_path("audiocli") / f"told-of-{topic}"
    if console.quiet or said.exists():
        return
    console.note(text)
    with suppress(OSError):
        said.parent.mkdir(parents=True, exist_ok=True)
        said.touch()


def finish(tally: "Tally", console: Console) -> int:
    """Tell how a run went; its exit code."""
    if tally.skipped:
        console.note(f"{tally.done} done, {tally.skipped} were done before")
    if tally.bugs:
        console.error(f"{BUG_HINT}; please report it")
    if tally.interrupted:
        console.error(f"interrupted: {tally.done} done, {tally.failed} failed; with -o, --resume goes on from here")
        return 130
    if tally.failed and tally.total > 1:
        console.error(f"{'stopped early, ' if tally.stuck else ''}{tally.failed} of {tally.total} failed")
    return 3 if tally.bugs else 1 if tally.failed else 0


def start(job: Callable[[], int]) -> None:
    """Run a command's job and end the process with the right exit code; only main() is above this."""
    try:
        code = job()
    except BrokenPipeError:
        # Whoever read our output has gone: end quietly, and let nothing be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 1
    except AudiocliError as error:
        say(str(error))
        code = error.exit_code
    raise typer.Exit(code)


def say(text: str) -> None:
    """One line on stderr."""
    Console().error(text)


def report_bug(error: Exception) -> int:
    """Tell of an exception that nobody expected, in one line unless debugging; exit code 3."""
    if debugging():
        traceback.print_exception(error)
    else:
        say(f"a bug in audiocli: {type(error).__name__}: {error} ({BUG_HINT})")
    return 3

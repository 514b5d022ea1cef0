"""Messages and progress on standard error; standard output carries results only and is not touched here."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class Progress(Protocol):
    """Progress of a run, input by input."""

    def advance(self, weight: float, seconds: float) -> None:
        """Count one more input as settled: its share of the whole, and the seconds of audio in it."""


class Steps(Protocol):
    """Progress of a run of many small steps."""

    def step(self, count: int = 1, remark: str = "") -> None:
        """Count so many more steps as done, with a remark about them."""


def debugging() -> bool:
    """Whether a bug should show its traceback."""
    return bool(os.environ.get("AUDIOCLI_DEBUG"))


def plain(text: str) -> str:
    """Text that is safe on one line of a terminal: control characters and undecodable bytes are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


class Console:
    """Writes lines to stderr, above the progress bar when there is one."""

    def __init__(self, quiet: bool = False, *, bar: bool = True) -> None:
        self.quiet, self._may_draw = quiet, bar and not quiet
        self._bar: Any = None

    def error(self, text: str) -> None:
        """A line that is never left out."""
        line = f"audiocli: {plain(text)}"
        if self._bar is not None:
            self._bar.console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)
        elif sys.stderr is not None:
            _write(line + "\n")

    def note(self, text: str) -> None:
        """A line that --quiet leaves out."""
        if not self.quiet:
            self.error(text)

    def restore(self) -> None:
        """Give the terminal its cursor back before the process ends at once."""
        if self._bar is not None:
            _write("\x1b[?25h\n")

    @contextmanager
    def progress(self, total: float | None) -> Iterator[Progress]:
        """A bar with the rate in times real time and the time left; nothing when quiet or not on a terminal."""
        with self._drawn("{task.fields[done]} done", "{task.fields[rate]}") as bar:
            yield _Bar(bar, total) if bar else _Silent()

    @contextmanager
    def bar(self, total: float | None, title: str) -> Iterator[Steps]:
        """A bar of steps, each with a remark, and the time left; nothing when quiet or not on a terminal."""
        with self._drawn("{task.description}", "{task.completed:.0f}/{task.total:.0f} {task.fields[remark]}") as bar:
            yield _Steps(bar, total, title) if bar else _Silent()

    @contextmanager
    def _drawn(self, before: str, after: str) -> Iterator[Any]:
        """A bar of rich between two texts, or None where nothing is drawn."""
        if not self._may_draw or sys.stderr is None or not sys.stderr.isatty():
            yield None
            return
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns = (
            TextColumn(before),
            BarColumn(),
            TextColumn(after),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with RichProgress(*columns, console=RichConsole(stderr=True), transient=True) as bar:
            self._bar = bar
            try:
                yield bar
            finally:
                self._bar = None


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        # Nobody is left to report this to; and what was not written must not fail once more at exit, with another code.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    except RuntimeError:
        pass  # Ctrl-C came in the middle of another message, and its own must not go into that


class _Silent:
    def advance(self, weight: float, seconds: float) -> None:
        """Nobody is watching."""

    def step(self, count: int = 1, remark: str = "") -> None:
        """Nobody is watching."""


class _Steps:
    """Steps drawn by rich."""

    def __init__(self, bar: Any, total: float | None, title: str) -> None:
        self._bar = bar
        self._task = bar.add_task(title, total=total, remark="")

    def step(self, count: int = 1, remark: str = "") -> None:
        self._bar.update(self._task, advance=count, remark=remark)


class _Bar:
    """Progress drawn by rich."""

    def __init__(self, bar: Any, total: float | None) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=total, done=0, rate="")
        self._start = time.monotonic()
        self._done = 0
        self._seconds = 0.0

    def advance(self, weight: float, seconds: float) -> None:
        self._done += 1
        self._seconds += seconds
        rate = self._seconds / max(time.monotonic() - self._start, 1e-9)
        self._bar.update(self._task, advance=weight, done=self._done, rate=f"{rate:.0f}x real time")

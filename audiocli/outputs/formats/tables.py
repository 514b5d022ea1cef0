"""Tables of features: csv, json, jsonl and a short table for people."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ...console import plain
from ...errors import UsageError
from ...records import Features, Stats, Table
from .lines import as_bytes, csv_rows
from .objects import Place, encoded, head


def one_grid(features: Features, form: str) -> list[tuple[str, Table]]:
    """The tables, when all have the same rows in time. Raises UsageError when one file of columns cannot hold them."""
    tables = list(features.tables.items())
    grids = {(table.step, table.start, table.n_frames) for _, table in tables}
    if len(grids) > 1:
        names = ", ".join(features.tables)
        raise UsageError(f"{form} holds kinds with the same times only, not {names} together: use npz or jsonl")
    return tables


def columns(tables: list[tuple[str, Table]]) -> list[str]:
    """Names of the columns of all tables: a kind with one column gives its own name."""
    return [kind if len(table.columns) == 1 else f"{kind} {name}" for kind, table in tables for name in table.columns]


def rows(tables: list[tuple[str, Table]]) -> Iterator[tuple[NDArray[Any] | None, NDArray[Any]]]:
    """Blocks of times [n] in seconds (None for rows that are not frames) and values [n, columns]."""
    first = tables[0][1]
    position = 0
    for blocks in zip(*(table.blocks() for _, table in tables), strict=True):
        values = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)
        times = None
        if first.step is not None:
            times = first.start + np.arange(position, position + len(values)) * first.step
        position += len(values)
        yield times, values


def csv(records: Sequence[Features], stream: BinaryIO, place: Place) -> None:
    """A row a frame: path (in a stream of several), time, values; the parameters in a comment line above."""
    for number, record in enumerate(records):
        tables = one_grid(record, "csv")
        shared = [] if place.output else [record.path]
        if place.first and number == 0:
            stream.write(b"# audiocli features " + encoded(record.options) + b"\n")
            timed = ["time"] if tables[0][1].step is not None else []
            names = [*(["path"] if shared else []), *timed, *columns(tables)]
            stream.write(csv_rows([names]))
        for times, values in rows(tables):
            stream.write(csv_rows(_cells(shared, times, values)))


def _cells(shared: list[str], times: NDArray[Any] | None, values: NDArray[Any]) -> Iterator[list[str]]:
    """Rows of a table: what they share, the time if there are times, the values; nothing for NaN."""
    line = ",".join(["%d" if values.dtype.kind in "iu" else "%.7g"] * values.shape[1])
    for n, row in enumerate(values.tolist()):
        numbers = (line % tuple(row)).replace("nan", "").split(",")  # one format for all of them is quicker
        yield [*shared, *([] if times is None else [f"{times[n]:.6f}"]), *numbers]


def stats_csv(records: Sequence[Stats], stream: BinaryIO, place: Place) -> None:
    """A row a file."""
    for record in records:
        if place.first:
            stream.write(b"# audiocli features " + encoded(record.options) + b"\n")
            stream.write(csv_rows([["path", "duration", *record.values]]))
        numbers = ("" if math.isnan(value) else f"{value:.7g}" for value in record.values.values())
        stream.write(csv_rows([[record.path, f"{record.duration:.6f}", *numbers]]))


def json_object(records: Sequence[Features], stream: BinaryIO, place: Place) -> None:
    """One object: the head, then for each kind its columns and a list of numbers a frame."""
    for record in records:
        stream.write(encoded(head(record, place))[:-1] + b', "features": {')
        for number, (kind, table) in enumerate(record.tables.items()):
            stream.write((b", " if number else b"") + encoded(kind) + b": ")
            _json_table(table, stream)
        stream.write(b"}}\n")


def _json_table(table: Table, stream: BinaryIO) -> None:
    about = {"columns": table.columns, "unit": table.unit, "start": table.start, "step": table.step}
    stream.write(encoded(about)[:-1] + b', "values": [')
    single = len(table.columns) == 1
    number = "%d" if table.dtype.kind in "iu" else "%.7g"
    line = number if single else "[" + ", ".join([number] * len(table.columns)) + "]"
    separator = ""
    for block in table.blocks():
        text = separator + ", ".join(line % tuple(row) for row in block.tolist())
        # JSON has neither NaN nor infinity.
        stream.write(text.replace("nan", "null").replace("-inf", "null").replace("inf", "null").encode())
        separator = ", " if len(block) else separator
    stream.write(b"]}")


def _stats_object(record: Stats, place: Place) -> dict[str, Any]:
    values = {name: float(f"{value:.7g}") if math.isfinite(value) else None for name, value in record.values.items()}
    return {**head(record, place), "stats": values}


def json_stats(records: Sequence[Stats], stream: BinaryIO, place: Place) -> None:
    """An array with an object for each file."""
    stream.write(b"[" + b",\n ".join(encoded(_stats_object(record, place)) for record in records) + b"]\n")


def jsonl_stats(records: Sequence[Stats], stream: BinaryIO, place: Place) -> None:
    """An object a line."""
    for record in records:
        stream.write(encoded(_stats_object(record, place)) + b"\n")


def summary(records: Sequence[Features], stream: BinaryIO, place: Place) -> None:
    """What is in the file and what came out, a line a kind: for a look, not for a program."""
    for record in records:
        lines = [f"{plain(record.path)}: {record.duration:.2f} s at {record.sample_rate} Hz"]
        if record.tables.keys() - {"notes"}:
            lines.append(
                f"  {'kind':<12} {'shape':>13} {'step':>9} {'mean':>11} {'std':>11} {'min':>11} {'max':>11}  unit"
            )
        lines += [_summary_line(kind, table) for kind, table in record.tables.items()]
        stream.write(("\n".join(lines) + "\n").encode())


def _summary_line(kind: str, table: Table) -> str:
    if kind == "notes":
        return f"  {kind:<12} {_notes(table)}"
    shape = f"{len(table.columns)} x {table.n_frames}"
    step = "" if table.step is None else f"{table.step * 1000:.4g} ms"
    numbers = " ".join(f"{value:>11.4g}" for value in table.moments(overall=True)[:, 0])
    return f"  {kind:<12} {shape:>13} {step:>9} {numbers}  {table.unit}"


def _notes(table: Table) -> str:
    """How many notes there are, how high and how long; means of their times would say nothing."""
    rows = np.concatenate([np.zeros((0, len(table.columns))), *table.blocks()])
    if not len(rows):
        return "no notes"
    lowest, highest, length = rows[:, 2].min(), rows[:, 2].max(), (rows[:, 1] - rows[:, 0]).sum()
    return f"{len(rows)} {'note' if len(rows) == 1 else 'notes'}, MIDI pitch {lowest:g} to {highest:g}, {length:.4g} s in all"


def stats_summary(records: Sequence[Stats], stream: BinaryIO, place: Place) -> None:
    """A line for each column of each file."""
    for record in records:
        lines = [f"{plain(record.path)}: {record.duration:.2f} s"]
        lines += [f"  {name:<40} {value:.6g}" for name, value in record.values.items()]
        stream.write(as_bytes("\n".join(lines) + "\n"))

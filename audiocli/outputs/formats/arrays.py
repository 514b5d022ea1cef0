"""npy, npz and parquet: arrays for programs.

In npy and npz a kind is [columns, frames], as librosa, torchaudio and Whisper have it, or [frames] when it has one column. In
memory and in the file the values of a frame stand together (Fortran order), so that a file can grow while it is written.
"""

import json
import zipfile
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from ...errors import UsageError
from ...records import Features, Stats, Table
from .objects import Place, head
from .tables import columns, one_grid, rows


def npy(records: Sequence[Features], stream: BinaryIO, place: Place) -> None:
    """The bare array of one kind; the format has no room for parameters."""
    for record in records:
        if len(record.tables) > 1:
            raise UsageError(f"npy holds one kind, not {', '.join(record.tables)} together: use npz")
        for table in record.tables.values():
            _array(table, stream)


def _array(table: Table, stream: Any) -> None:
    single = len(table.columns) == 1
    shape = (table.n_frames,) if single else (len(table.columns), table.n_frames)
    header = {"descr": np.dtype(table.dtype).str, "fortran_order": not single, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    for block in table.blocks():
        stream.write(np.ascontiguousarray(block, table.dtype).data)


def npz(records: Sequence[Features], stream: BinaryIO, place: Place) -> None:
    """An array a kind, and `parameters`: the head of the record, the columns and times of each kind, as JSON."""
    (record,) = records
    about = {
        kind: {"columns": table.columns, "unit": table.unit, "start": table.start, "step": table.step}
        for kind, table in record.tables.items()
    }
    parameters = json.dumps({**head(record, place), "kinds": about})
    with zipfile.ZipFile(stream, "w") as archive:
        for kind, table in record.tables.items():
            with archive.open(f"{kind}.npy", "w", force_zip64=True) as member:
                _array(table, member)
        _member(archive, "parameters", np.array(parameters))


def stats_npz(records: Sequence[Stats], stream: BinaryIO, place: Place) -> None:
    """`values` [files, columns], `columns`, `paths` and `parameters`."""
    with zipfile.ZipFile(stream, "w") as archive:
        _member(archive, "values", np.array([list(record.values.values()) for record in records]))
        _member(archive, "columns", np.array(list(records[0].values)))
        _member(archive, "paths", np.array([record.path for record in records]))
        _member(archive, "parameters", np.array(json.dumps(records[0].options)))


def _member(archive: zipfile.ZipFile, name: str, array: np.ndarray[Any, Any]) -> None:
    with archive.open(f"{name}.npy", "w") as member:
        np.lib.format.write_array(member, array, allow_pickle=False)


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError("parquet needs pyarrow: pip install 'audiocli[parquet]'") from error
    return pyarrow


def parquet(records: Sequence[Features], stream: BinaryIO, place: Place) -> None:
    """A row a frame; the head of the record as JSON under `audiocli` in the metadata of the schema."""
    pyarrow = _pyarrow()
    (record,) = records
    tables = one_grid(record, "parquet")
    timed = tables[0][1].step is not None
    fields = [pyarrow.field("time", pyarrow.float64())] if timed else []
    types = [table.dtype for _, table in tables for _ in table.columns]
    fields += [
        pyarrow.field(name, pyarrow.from_numpy_dtype(dtype)) for name, dtype in zip(columns(tables), types, strict=True)
    ]
    schema = pyarrow.schema(fields, metadata={"audiocli": json.dumps(head(record, place))})
    with pyarrow.parquet.ParquetWriter(stream, schema) as writer:
        for times, values in rows(tables):
            data = ([times] if timed else []) + [np.ascontiguousarray(column) for column in values.T]
            arrays = [pyarrow.array(column).cast(f.type) for column, f in zip(data, schema, strict=True)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def stats_parquet(records: Sequence[Stats], stream: BinaryIO, place: Place) -> None:
    """A row a file."""
    pyarrow = _pyarrow()
    data: dict[str, Any] = {"path": [r.path.encode("utf-8", "backslashreplace").decode() for r in records]}
    data["duration"] = [record.duration for record in records]
    data |= {name: [record.values[name] for record in records] for name in records[0].values}
    table = pyarrow.table(data).replace_schema_metadata({"audiocli": json.dumps(records[0].options)})
    pyarrow.parquet.write_table(table, stream)

"""What all writers share: where their bytes go, and the JSON object of a record, with the same head for every verb."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from ...records import Failure, Record


@dataclass(frozen=True)
class Place:
    """The name of the output (None: a stream that results share), and whether nothing stands in it yet.

    recording: what the input is called where several share the output; None: it has the output to itself.
    """

    output: str | None
    first: bool = True
    recording: str | None = None


def head(record: Record, place: Place) -> dict[str, Any]:
    """The fields that every verb's JSON record begins with."""
    return {
        "path": record.path,
        "output": place.output,
        "duration": round(record.duration, 6),
        "sample_rate": record.sample_rate,
        "task": record.task,
        "model": record.model,
        "revision": record.revision,
        "options": record.options,
        "status": record.status,
        "warnings": list(record.warnings),
    }


def encoded(value: Any) -> bytes:
    r"""JSON in UTF-8; names that are not UTF-8 on disk come out as \udcXX escapes, which find the same file again."""
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def jsonl_failure(records: Sequence[Failure], stream: BinaryIO, place: Place) -> None:
    """An input that failed has its line, too, so that lines and inputs stay in step."""
    for record in records:
        line = {"path": record.path, "output": None, "status": "failed", "error": record.reason}
        stream.write(encoded(line) + b"\n")

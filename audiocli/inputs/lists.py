"""Lists and tables that people write: in the encoding that their first bytes mark, with comments, as CSV or TSV."""

import codecs
import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import InputError
from . import pipes

CHUNK = 65_536  # bytes at once
COMMENT = "#"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


class Decoder:
    """Bytes to text as they come: UTF-8 unless their first ones mark another Unicode encoding.

    errors: what is done with bytes that are not in the encoding, in Python's words; "surrogateescape" keeps them, so that the
    name of a file that is not UTF-8 finds that file.
    """

    def __init__(self, errors: str = "surrogateescape") -> None:
        self.encoding = ""  # unknown before the first bytes
        self._errors, self._head = errors, b""
        self._decoder: codecs.IncrementalDecoder | None = None

    def decode(self, chunk: bytes, final: bool = False) -> str:
        """The text of the next bytes. Raises UnicodeDecodeError where errors is "strict"."""
        if self._decoder is None:
            self._head += chunk
            if not final and any(self._head != mark and mark.startswith(self._head) for mark, _ in _MARKS):
                return ""
            self.encoding = next((name for mark, name in _MARKS if self._head.startswith(mark)), "utf-8")
            escapes = self._errors == "surrogateescape" and not self.encoding.startswith("utf-8")
            self._decoder = codecs.getincrementaldecoder(self.encoding)("replace" if escapes else self._errors)
            chunk = self._head
        return self._decoder.decode(chunk, final)


def lines(file: BinaryIO | io.BufferedIOBase, errors: str = "strict") -> Iterator[str]:
    """The lines of a file without their ends, be these Unix's, Windows's or those of an old Mac. Raises UnicodeDecodeError."""
    decoder, ends = Decoder(errors), io.IncrementalNewlineDecoder(None, translate=True)
    rest, chunk = "", b"."
    while chunk:
        chunk = file.read(CHUNK)
        *whole, rest = (rest + ends.decode(decoder.decode(chunk, not chunk), not chunk)).split("\n")
        yield from whole
    if rest:
        yield rest


def read(path: str | os.PathLike[str], errors: str = "strict") -> list[str]:
    """The lines of a file, or of standard input ("-"). Raises InputError with a reason and without a name."""
    try:
        with pipes.open_stdin() if path == "-" else Path(path).open("rb") as file:
            return list(lines(file, errors))
    except OSError as error:
        raise InputError((error.strerror or str(error)).lower()) from error
    except UnicodeDecodeError as error:
        raise InputError(f"is not text in {error.encoding.upper()}: save it as UTF-8") from error


def is_comment(line: str, *names: str) -> bool:
    """Whether a line of a list is a comment: it begins with #, and the files that it would name do not exist."""
    return line.startswith(COMMENT) and not any(map(os.path.lexists, names))


def fields(line: str, delimiter: str = ",") -> list[str]:
    """The fields of a line of CSV without the blanks around them; quotes hold delimiters. Repeated blanks count as one."""
    row = next(csv.reader([line.strip()], delimiter=delimiter, skipinitialspace=True), [])
    return [field.strip() for field in row if field or delimiter != " "]


def table(rows: list[str], suffix: str) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """The columns that the head line of a table names, and its rows: the number of the line, and what stands in each column.

    suffix: ".tsv" has tabs and no quotes; ".csv" has commas, or semicolons or tabs where its head line has more of these.
    """
    first = next((number for number, row in enumerate(rows) if row.strip() and not is_comment(row)), len(rows))
    head = rows[first] if first < len(rows) else ""
    delimiter = "\t" if suffix == ".tsv" else max(",;\t", key=head.count)
    quoting: Any = csv.QUOTE_NONE if suffix == ".tsv" else csv.QUOTE_MINIMAL
    lines_left = (row + "\n" for row in rows[first:])
    reader = csv.DictReader(lines_left, delimiter=delimiter, quoting=quoting, skipinitialspace=suffix != ".tsv")
    numbered = ((first + reader.line_num, {k: v for k, v in row.items() if k and v}) for row in reader)
    return list(reader.fieldnames or ()), numbered

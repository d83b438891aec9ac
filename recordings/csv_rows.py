"""Reading a CSV file (RFC 4180) whose first line names its columns, and saying of every bad row where and why."""

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

import msgspec

NOT_UTF_8 = re.compile("[\udc80-\udcff]")  # what bytes that are not UTF-8 are read as


class BadRow(msgspec.Struct, frozen=True):
    """Something that is wrong in a file. `line` is the one on which the row begins."""

    line: int
    reason: str


class CsvRow(msgspec.Struct, frozen=True):
    """One row: where it begins, and its cells by the name of their column."""

    line: int
    cells: dict[str, str]


def read_rows(path: Path, columns: Sequence[str]) -> tuple[list[CsvRow], list[BadRow]]:
    """Return the rows of a file and everything that is wrong with it. Columns may come in any order, and more of them.

    Raises OSError when the file cannot be read.
    """
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return [], [BadRow(1, "the file is UTF-16: save it as UTF-8")]
    text = content.decode("utf-8-sig", errors="surrogateescape")
    records = _records(text)
    header = next(records, None)
    if header is None or isinstance(header, BadRow):
        return [], [header or BadRow(1, "the file is empty: its first line must name the columns")]
    names = [name.strip() for name in header[1]]
    if faults := _header_faults(names, columns):
        return [], faults
    found = [record if isinstance(record, BadRow) else _row(record, names) for record in records]
    rows = [row for row in found if isinstance(row, CsvRow)]
    return rows, [row for row in found if isinstance(row, BadRow)]


def _records(text: str) -> Iterator[tuple[int, list[str]] | BadRow]:
    """Yield each record with the line on which it begins. Empty lines are no records."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(line, f"is no CSV: {error}")
            continue
        if record:
            yield line, record


def _header_faults(names: Sequence[str], columns: Sequence[str]) -> list[BadRow]:
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        return [BadRow(1, "the columns are not separated by commas: save the file with commas between them")]
    mend = "add it to the first line, and a cell to every row"
    missing = [BadRow(1, f"column {name} is missing: {mend}") for name in columns if name not in names]
    twice = [BadRow(1, f"column {name} is there twice: remove one") for name in columns if names.count(name) > 1]
    return missing + twice


def _row(record: tuple[int, list[str]], names: Sequence[str]) -> CsvRow | BadRow:
    line, cells = record
    if len(cells) != len(names):
        return BadRow(line, f"has {len(cells)} cells, but the first line names {len(names)} columns")
    if any(NOT_UTF_8.search(cell) for cell in cells):
        return BadRow(line, "is not UTF-8: save the file as UTF-8")
    return CsvRow(line, dict(zip(names, cells, strict=True)))

"""Lists of students: a text with an id on each line, or a table with a column for it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from derive.errors import ProblemError
from derive.problem.wording import listing, shown

LONGEST = 80  # characters of an id
MOST = 100_000
MOST_BYTES = 20_000_000
COLUMNS = ("student", "id")


def read_students(path: Path | str) -> tuple[str, ...]:
    """The ids in a file, in its order: the column ``student`` or ``id`` of a table, else one a line.

    Empty lines are skipped. Raises ``ProblemError`` with file and line for an id that is empty, stands twice, or is no
    plain text.
    """
    file = str(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ProblemError(f"cannot read the list of students: {error.strerror or error}", file=file) from None
    return students_from(data, file)


def students_from(data: bytes, file: str) -> tuple[str, ...]:
    """The same from the content of a file."""
    if len(data) > MOST_BYTES:
        raise ProblemError(f"a list of students of {len(data):,} bytes; the most is {MOST_BYTES:,}", file=file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ProblemError("this is no UTF-8 text", file=file, line=line) from None
    found: dict[str, int] = {}
    for line, id in _ids(text, file):
        wrong = plain_id(id)
        if wrong is not None:
            raise ProblemError(wrong, file=file, line=line)
        if id in found:
            raise ProblemError(f"the student {shown(id)} stands on line {found[id]} already", file=file, line=line)
        if len(found) >= MOST:
            raise ProblemError(f"more than {MOST:,} students", file=file, line=line)
        found[id] = line
    if not found:
        raise ProblemError("there are no students in this file", file=file, hint="it has one id on each line")
    return tuple(found)


def plain_id(id: str) -> str | None:
    """What is wrong with an id; ``None`` for any short plain text that is not empty.

    What a spreadsheet would take for a formula is kept as it is: who writes it into a table has to escape it.
    """
    if not id.strip():
        return "the id of a student is empty"
    if len(id) > LONGEST:
        return f"the id of a student has {len(id)} characters; the most is {LONGEST}"
    if not id.isprintable():
        return f"the id {shown(id)} has characters that cannot be printed"
    if id != id.strip():
        return f"the id {shown(id)} begins or ends with a space"
    return None


def _ids(text: str, file: str) -> list[tuple[int, str]]:
    """Each id with its line."""
    rows = _rows(text, file)
    if not rows:
        return []
    head = [cell.strip().casefold() for cell in rows[0][1]]
    column = next((head.index(name) for name in COLUMNS if name in head), None)
    if column is None:
        if len(rows[0][1]) > 1:
            raise ProblemError(
                f"the table has the columns {listing([shown(cell) for cell in rows[0][1]], 'and')}",
                file=file,
                line=rows[0][0],
                hint='one of them has to be called "student" or "id"',
            )
        column, body = 0, rows
    else:
        body = rows[1:]
    found = []
    for line, cells in body:
        if len(cells) <= column:
            raise ProblemError("the row has no id of a student", file=file, line=line)
        if len(cells) > len(head):
            raise ProblemError(
                f"the row has {len(cells)} cells, and the first line has {len(head)}",
                file=file,
                line=line,
                hint="an id with a comma stands in quotes",
            )
        found.append((line, cells[column].strip()))
    return found


def _rows(text: str, file: str) -> list[tuple[int, Sequence[str]]]:
    """The rows of a table with the lines that they begin on, empty ones left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[tuple[int, Sequence[str]]] = []
    begin = 1
    try:
        for cells in reader:
            if cells:
                found.append((begin, cells))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise ProblemError(f"this is no table: {error}", file=file, line=reader.line_num or 1) from None
    return found

"""Lists of students: a text with an id on each line, or a table with a column for it."""

from __future__ import annotations

from pathlib import Path

from derive.errors import ProblemError
from derive.exam.tables import decoded, rows, wrong_id
from derive.problem.wording import listing, shown

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
    found: dict[str, int] = {}
    for line, id in _ids(decoded(data, file), file):
        wrong = wrong_id(id)
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


def _ids(text: str, file: str) -> list[tuple[int, str]]:
    """Each id with its line."""
    every = list(rows(text, file))
    if not every:
        return []
    head = [cell.strip().casefold() for cell in every[0][1]]
    column = next((head.index(name) for name in COLUMNS if name in head), None)
    if column is None:
        if len(every[0][1]) > 1:
            raise ProblemError(
                f"the table has the columns {listing([shown(cell) for cell in every[0][1]], 'and')}",
                file=file,
                line=every[0][0],
                hint='one of them has to be called "student" or "id"',
            )
        column, body = 0, every
    else:
        body = every[1:]
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

"""Files of rows that a teacher or a spreadsheet wrote: UTF-8, cells of text, nothing in them evaluated."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from derive.errors import ProblemError
from derive.problem.wording import shown

SEPARATORS = (",", ";", "\t")
LONGEST_ID = 80  # characters


def decoded(content: bytes, file: str) -> str:
    """The text of a file in UTF-8. Raises ``ProblemError`` for any other encoding, and for the character NUL."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ProblemError("the file is in UTF-16, expected is UTF-8", file=file, hint="save it as CSV UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ProblemError("the file is not in UTF-8", file=file, line=line, hint="save it as CSV UTF-8") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ProblemError("the file has the character NUL in it", file=file, line=line)
    return text


def rows(text: str, file: str) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows of a table, one at a time, with the lines that they begin on; empty lines are left out.

    The first line tells whether commas, semicolons or tabs separate. Raises ``ProblemError`` with file and line.
    """
    separator = max(SEPARATORS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begin = 1
    try:
        for cells in reader:
            if cells:
                yield begin, cells
            begin = reader.line_num + 1
    except csv.Error as error:
        why = str(error).replace("field larger than field limit", "a cell is longer than the limit")
        raise ProblemError(f"this is no CSV: {why}", file=file, line=max(reader.line_num, 1)) from None


def wrong_id(id: str) -> str | None:
    """What is wrong with a student's id; ``None`` for any short plain text that is not empty.

    What a spreadsheet would take for a formula is kept as it is: who writes it into a table has to escape it.
    """
    if not id.strip():
        return "the id of a student is empty"
    if len(id) > LONGEST_ID:
        return f"the id of a student has {len(id)} characters; the most is {LONGEST_ID}"
    if not id.isprintable():
        return f"the id {shown(id)} has characters that cannot be printed"
    if id != id.strip():
        return f"the id {shown(id)} begins or ends with a space"
    return None

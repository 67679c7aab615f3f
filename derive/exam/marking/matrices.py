"""A whole quantity written into one cell: ``[[1, 2], [3, 4]]``, ``1 2; 3 4``, ``1,5 2,5``."""

from __future__ import annotations

import re

from derive.errors import ProblemError
from derive.problem.wording import shown

Shape = tuple[int, ...]
LONGEST = 20_000  # characters of one cell
HINT = 'a matrix is written "1 2; 3 4" or "[[1, 2], [3, 4]]"'


def entries_of(text: str, shape: Shape) -> list[str]:
    """The texts of all entries, row by row. Raises ``ProblemError`` (without a place) for another shape."""
    if len(text) > LONGEST:
        raise ProblemError(f"a cell has {len(text)} characters, at most {LONGEST} are allowed")
    bare = text.strip()
    rows = _bracketed(bare) if bare.startswith("[") else [_row(row) for row in re.split(r"[;\n]", bare)]
    return laid_out(rows, shape, text)


def laid_out(rows: list[list[str]], shape: Shape, text: object) -> list[str]:
    """Rows of entries as one list, if they are of the shape; a row or a column may be written as either."""
    flat = [entry for row in rows for entry in row]
    size = 1
    for length in shape:
        size *= length
    long = [length for length in shape if length > 1]
    fits = [len(row) for row in rows] == [shape[-1]] * (size // shape[-1]) if shape else len(flat) == 1
    straight = len(rows) == 1 or all(len(row) == 1 for row in rows)  # a row or a column, none that is ragged
    if len(flat) == size and (fits or (straight and len(long) <= 1)):
        return flat
    have = f"{len(rows)} × {len(rows[0])}" if len({len(row) for row in rows}) == 1 else f"{len(flat)} numbers"
    want = " × ".join(map(str, shape)) or "one number"
    raise ProblemError(f"{shown(text)} is {have}, expected is {want}", hint=HINT)


def _bracketed(text: str) -> list[list[str]]:
    inner = text
    while inner.startswith("[[["):  # a stack of matrices is read row by row
        inner = inner[1:-1].strip() if inner.endswith("]") else ""
    rows = re.findall(r"\[([^\[\]]*)\]", inner)
    left = re.sub(r"\[[^\[\]]*\]", "", inner)
    if not rows or re.sub(r"[\[\],;\s]", "", left):
        raise ProblemError(f"{shown(text)} is no matrix", hint=HINT)
    if len(rows) == 1 and ";" in rows[0]:  # as Matlab writes it
        return [_row(row) for row in rows[0].split(";")]
    return [[entry.strip() for entry in row.split(",")] if "," in row else _row(row) for row in rows]


def _row(row: str) -> list[str]:
    """A comma separates where a blank follows it; otherwise blanks do, and commas are decimal marks."""
    row = row.strip()
    if re.search(r",\s", row):
        return [entry.strip() for entry in re.split(r",\s+", row)]
    return row.split() or [""]

"""Columns of numbers aligned at their decimal signs: in matrices, in tables, and on a terminal.

What lacks decimals beside the longest number of its column has as many unseen ones behind it, and then columns are
set flush right. Digits are equally wide in every font of mathematics, so a nought that is not seen stands for any.
Columns that hold anything but plain numbers (symbols, fractions, powers of ten) stay centred.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from derive.report.document import Math, Spans, Table

_MATRIX = re.compile(r"\\begin\{pmatrix\} ((?:(?!\\begin|\\end).)*?) \\end\{pmatrix\}", re.DOTALL)
_NUMBER = re.compile(r"(-?)(\d+)(?:[.,](\d+))?")
_DOTS = frozenset((r"\cdots", r"\vdots", r"\ddots"))
_DIGIT, _POINT, _MINUS, _VDOTS = 0.5, 0.28, 0.78, 0.28  # em


def unseen(column: Sequence[str]) -> list[str] | None:
    """For each number of a column the decimals that it lacks, as noughts (``.00`` with the sign that it lacks too).

    ``None`` where something else than numbers stands in the column; dots, for what is left out, lack nothing.
    """
    numbers = [None if text in _DOTS else _NUMBER.fullmatch(text) for text in column]
    if any(number is None and text not in _DOTS for number, text in zip(numbers, column, strict=True)):
        return None
    decimals = [len(number[3] or "") if number is not None else None for number in numbers]
    most = max((count for count in decimals if count is not None), default=0)
    return ["" if count is None or count == most else "." * (count == 0) + "0" * (most - count) for count in decimals]


def in_columns(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The rows of a matrix in plain text, each column padded to one width, its numbers at their decimal signs."""
    columns = []
    for column in map(list, zip(*rows, strict=True)):
        behind = unseen(column) or [""] * len(column)
        shown = [text + " " * len(more) for text, more in zip(column, behind, strict=True)]
        columns.append([text.rjust(max(map(len, shown))) for text in shown])
    return [list(row) for row in zip(*columns, strict=True)]


def aligned(latex: str) -> str:
    """The formula with its matrices of numbers aligned, where centred columns would not be."""
    if r"\begin{pmatrix}" not in latex or r"\\" not in latex:
        return latex
    return _MATRIX.sub(lambda match: _array(match[1]) or match[0], latex)


def _array(body: str) -> str | None:
    """The entries of a matrix as an array of right-aligned columns; ``None`` where it stands aligned as it is."""
    rows = [line.split(" & ") for line in body.split(r" \\ ")]
    if len(rows) == 1 or len({len(row) for row in rows}) != 1:
        return None
    columns = [list(column) for column in zip(*rows, strict=True)]
    if all(unseen(column) is None or _alike(column) for column in columns):
        return None
    letters, made = "", []
    for column in columns:
        lacking = unseen(column)
        letters += "c" if lacking is None else "r"
        made.append(column if lacking is None else _padded(column, lacking))
    lines = r" \\ ".join(" & ".join(row) for row in zip(*made, strict=True))
    return rf"\left(\begin{{array}}{{{letters}}} {lines} \end{{array}}\right)"


def _alike(column: Sequence[str]) -> bool:
    """Whether the numbers of a column have as many digits before the sign as behind it, and the same minus."""
    numbers = [match for text in column if (match := _NUMBER.fullmatch(text))]
    return len({(match[1], len(match[2]), len(match[3] or "")) for match in numbers}) <= 1


def _padded(column: Sequence[str], lacking: Sequence[str]) -> list[str]:
    """The column with its unseen decimals; dots in the middle of it."""
    width = max((_width(text + more) for text, more in zip(column, lacking, strict=True)), default=0.0)
    middle = "0" * round(max(width - _VDOTS, 0.0) / 2 / _DIGIT)
    behind = [middle if text == r"\vdots" else more for text, more in zip(column, lacking, strict=True)]
    return [text + (rf"\phantom{{{more}}}" if more else "") for text, more in zip(column, behind, strict=True)]


def _width(text: str) -> float:
    if text in _DOTS:
        return 0.0
    return sum(_MINUS if c == "-" else _POINT if c == "." else _DIGIT for c in text)


def aligned_table(table: Table) -> Table:
    """The table with the numbers of its right-aligned columns at their decimal signs."""
    rows = [list(row) for row in table.rows]
    for place, letter in enumerate(table.align):
        filled = [row for row in rows if row[place]]
        column = [_formula(row[place]) for row in filled]
        lacking = unseen(column) if letter == "r" else None
        for row, text, more in zip(filled, column, lacking or (), strict=False):
            if more:
                row[place] = (Math(rf"{text}\phantom{{{more}}}"),)
    return replace(table, rows=tuple(map(tuple, rows)))


def _formula(cell: Spans) -> str:
    """The formula that a cell holds and nothing else; no number where it holds more."""
    return cell[0].latex if len(cell) == 1 and isinstance(cell[0], Math) else ""

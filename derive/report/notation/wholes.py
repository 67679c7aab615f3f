"""Matrices as wholes in print: tr A, det A, log |det A|, A^{-1}, and norms; in entries as one works them out by hand.

A determinant of two or three rows is written out (Leibniz, along the first row); a larger one stays one. The inverse
of two rows is the adjugate over the determinant, a larger one a matrix with the exponent -1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flint import fmpq

from derive.graph.expression import Expression
from derive.report.notation import cells
from derive.report.notation.cells import ATOM, PRODUCT, Cell, bracketed, rounded

WRITTEN_OUT = 3  # rows of the largest determinant that is written out
MINUS = cells.number(fmpq(-1))

Entry = Callable[[int, int], Cell]


def symbolic(node: Expression, inner: Cell, under: str) -> Cell:
    """The notation of a whole over its operand; ``under`` is the operand as it stands under an exponent."""
    match node.op:
        case "trace":
            return Cell(rf"\operatorname{{tr}}{rounded(inner.text)}")
        case "det":
            return Cell(rf"\det{rounded(inner.text)}")
        case "logdet":
            return Cell(rf"\log {bars(determinant(inner).text)}", PRODUCT)
        case "inv":
            return Cell(rf"{under}^{{-1}}")
        case "norm" if node.at[0] is None:
            return norm(inner, 1 not in node.args[0].shape)
        case "squared_norm" if node.at[0] is None:
            return cells.power(norm(inner, 1 not in node.args[0].shape), fmpq(2))
    squares, axis = Cell(rf"{inner.base()}^{{\odot 2}}"), node.at[0]
    summed = rf"\mathbf{{1}}^{{\top}} {squares.text}" if axis == 0 else rf"{squares.text} \mathbf{{1}}"
    return Cell(summed, PRODUCT) if node.op == "squared_norm" else Cell(rf"{bracketed(summed)}^{{\odot 1/2}}")


def determinant(inner: Cell) -> Cell:
    """det A between bars; of anything but a name or a matrix in its own brackets det(...)."""
    if inner.binding == ATOM and not inner.negative:
        return Cell(rf"\det {inner.text}", PRODUCT)
    return Cell(rf"\det{rounded(inner.text)}")


def bars(text: str) -> str:
    """Between the bars of an absolute value."""
    return rf"\left|{text}\right|"


def norm(inner: Cell, matrix: bool) -> Cell:
    """Between double bars, with an F where it is a matrix's (Frobenius)."""
    tall = any(mark in inner.text for mark in (r"\frac", r"\begin", r"\sum"))
    left, right = (r"\left\lVert ", r" \right\rVert") if tall else (r"\lVert ", r" \rVert")
    return Cell(f"{left}{inner.text}{right}" + ("_F" if matrix else ""))


def entries(node: Expression, entry: Entry) -> Cell | None:
    """The number that a whole is, worked out in the entries of its operand; ``None`` where that is too long."""
    rows = int(node.args[0].shape[0]) if node.args[0].shape else 1
    match node.op:
        case "trace":
            return cells.add([entry(k, k) for k in range(rows)])
        case "det":
            return _leibniz(entry, list(range(rows)), list(range(rows))) if rows <= WRITTEN_OUT else None
        case "logdet":
            inside = _leibniz(entry, list(range(rows)), list(range(rows))) if rows <= WRITTEN_OUT else None
            return None if inside is None else Cell(rf"\log {bars(inside.text)}", PRODUCT)
    return None


def _leibniz(entry: Entry, rows: Sequence[int], columns: Sequence[int]) -> Cell:
    """The determinant along its first row."""
    first, *rest = rows
    if not rest:
        return entry(first, columns[0])
    terms = []
    for k, column in enumerate(columns):
        minor = _leibniz(entry, rest, [other for other in columns if other != column])
        term = cells.multiply([entry(first, column), minor])
        terms.append(cells.multiply([MINUS, term]) if k % 2 else term)
    return cells.add(terms)


def cramer(size: int, entry: Entry) -> tuple[Cell, list[list[Cell]]] | None:
    """One over the determinant, and the adjugate, of a matrix of two rows; ``None`` for a larger one."""
    if size != 2:
        return None
    (a, b), (c, d) = ((entry(i, j) for j in range(2)) for i in range(2))
    front = cells.divide(Cell("1", numeric=True), _leibniz(entry, (0, 1), (0, 1)))
    return front, [[d, _minus(b)], [_minus(c), a]]


def _minus(x: Cell) -> Cell:
    if x.negative and x.binding == ATOM:
        return Cell(x.text[1:].lstrip(), x.binding, x.numeric)
    return cells.multiply([MINUS, x])


def squares(terms: Sequence[Cell]) -> Cell:
    """The root of a sum of squares."""
    return Cell(rf"\sqrt{{{cells.add([cells.power(term, fmpq(2)) for term in terms]).text}}}")

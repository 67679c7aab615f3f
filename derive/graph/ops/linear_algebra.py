"""A matrix as a whole: trace, determinant and its logarithm, inverse; and the norm.

    d tr A = tr dA      d det A = det A tr(A⁻¹ dA)      d log|det A| = tr(A⁻¹ dA)      d A⁻¹ = -A⁻¹ dA A⁻¹

(Magnus and Neudecker, Matrix Differential Calculus, chapter 8; Petersen and Pedersen, The Matrix Cookbook, section 2).
``logdet`` is the logarithm of the absolute value, as the second result of NumPy's ``slogdet``: it exists for every
matrix that has an inverse.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

from flint import fmpq

from derive.graph import sizes
from derive.graph.expression import Expression, constant
from derive.graph.ops.table import NoSum, apply, row
from derive.graph.ops.words import divide, matmul, multiply, negate, spread, transpose
from derive.graph.sizes import ShapeError
from derive.problem.problem import Shape, Size


def unit(size: Size) -> Expression:
    """The unit matrix."""
    return apply("diag", spread(constant(1), (1, size)))


def _square(what: str) -> Callable[[tuple[Shape, ...], tuple[Any, ...]], Size]:
    """The number of rows of a square matrix. Raises ``ShapeError`` for any other."""

    def size(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Size:
        (shape,) = shapes
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ShapeError(f"{what} needs a square matrix, and this is {sizes.describe(shape)}")
        return shape[0]

    return size


def _scalar_of_square(what: str) -> Callable[[tuple[Shape, ...], tuple[Any, ...]], Shape]:
    square = _square(what)

    def shape(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
        square(shapes, at)
        return ()

    return shape


def _square_of_square(what: str) -> Callable[[tuple[Shape, ...], tuple[Any, ...]], Shape]:
    square = _square(what)
    return lambda shapes, at: (square(shapes, at),) * 2


row(
    "trace",
    shape=_scalar_of_square("a trace"),
    value=lambda kind, node, v: kind.trace(v[0]),
    pullback=lambda G, node: (multiply(G, unit(node.args[0].shape[0])),),
    index=lambda e, node, *i: e.total(node.args[0].shape[0], lambda q: e.operand(0, q, q)),
)


def _leibniz(e: Any, rows: list[int], columns: list[int]) -> Any:
    """The determinant of those rows and columns of the operand: the sum over permutations, each with its sign."""
    whole = e.number(fmpq(0))
    for order in permutations(range(len(columns))):
        swaps = sum(order[i] > order[j] for j in range(len(order)) for i in range(j))
        term = e.number(fmpq((-1) ** swaps))
        for k, place in enumerate(order):
            term = term * e.operand(0, rows[k], columns[place])
        whole = whole + term
    return whole


def _places(node: Expression) -> list[int]:
    size = node.args[0].shape[0]
    if not isinstance(size, int):
        raise NoSum(f"an entry of {node.op} is a sum over all permutations of the rows, not over indices")
    return list(range(size))


row(
    "det",
    shape=_scalar_of_square("a determinant"),
    value=lambda kind, node, v: kind.determinant(v[0]),
    pullback=lambda G, node: (multiply(G, node, transpose(apply("inv", node.args[0]))),),
    index=lambda e, node, *i: _leibniz(e, _places(node), _places(node)),
)

row(
    "logdet",
    shape=_scalar_of_square("logdet"),
    value=lambda kind, node, v: kind.log_determinant(v[0]),
    pullback=lambda G, node: (multiply(G, transpose(apply("inv", node.args[0]))),),
    index=lambda e, node, *i: e.function("log", (), e.function("abs", (), _leibniz(e, _places(node), _places(node)))),
)


def _cofactor(e: Any, node: Expression, i: Any, j: Any) -> Any:
    """Cramer's rule: entry (i, j) of the inverse is the cofactor of (j, i) over the determinant."""
    places = _places(node)
    minor = _leibniz(e, [k for k in places if k != j], [k for k in places if k != i])
    return e.number(fmpq((-1) ** (i + j))) * minor / _leibniz(e, places, places)


row(
    "inv",
    shape=_square_of_square("an inverse"),
    value=lambda kind, node, v: kind.inverse(v[0]),
    pullback=lambda G, node: (negate(matmul(matmul(transpose(node), G), transpose(node))),),
    index=_cofactor,
)


def _norm_shape(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    return sizes.reduce(shapes[0], at[0])


def _squares(e: Any, node: Expression, *i: Any) -> Any:
    """The entry of the sum of squares."""
    axis, shape = node.at[0], node.args[0].shape

    def square(*place: Any) -> Any:
        return e.power(e.operand(0, *place), fmpq(2))

    rows, columns = shape
    if axis == 0:
        return e.total(rows, lambda p: square(p, i[1]))
    if axis == 1:
        return e.total(columns, lambda q: square(i[0], q))
    return e.total(rows, lambda p: e.total(columns, lambda q: square(p, q)))


def _sum_of_squares(kind: Any, node: Expression, v: tuple[Any, ...]) -> Any:
    return kind.settle(kind.total(kind.power(v[0], fmpq(2)), node.at[0]), node)


def _norm(kind: Any, node: Expression, v: tuple[Any, ...]) -> Any:
    """The root of the sum; of a single entry its absolute value, which no root has to be taken for."""
    axis, shape = node.at[0], node.args[0].shape
    if all(size == 1 for size in (shape if axis is None else shape[axis : axis + 1])):
        return kind.function("abs", (), kind.settle(kind.total(v[0], axis), node))
    return kind.power(_sum_of_squares(kind, node, v), fmpq(1, 2))


# The root of the sum of squares, of all entries (Frobenius) or along an axis; and its square, which is smooth at 0.
row(
    "norm",
    shape=_norm_shape,
    value=_norm,
    pullback=lambda G, node: (multiply(G, divide(node.args[0], node)),),
    index=lambda e, node, *i: e.power(_squares(e, node, *i), fmpq(1, 2)),
)

row(
    "squared_norm",
    shape=_norm_shape,
    value=_sum_of_squares,
    pullback=lambda G, node: (multiply(constant(2), G, node.args[0]),),
    index=_squares,
)

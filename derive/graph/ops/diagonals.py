"""The diagonal matrix of a vector and the diagonal of a matrix."""

from __future__ import annotations

from typing import Any

from derive.graph import sizes
from derive.graph.ops.table import apply, row
from derive.graph.sizes import ShapeError
from derive.problem.problem import Shape


def _vector(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    if len(shapes[0]) != 2 or 1 not in shapes[0]:
        raise ShapeError(f"a diagonal needs a vector, and this is {sizes.describe(shapes[0])}")
    size = shapes[0][1] if shapes[0][0] == 1 else shapes[0][0]
    return (size, size)


def _diagonal(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    (shape,) = shapes
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ShapeError(f"only a square matrix has its diagonal taken, and this is {sizes.describe(shape)}")
    return (1, shape[0]) if at[0] == 0 else (shape[0], 1)


# The diagonal matrix of a vector, and the diagonal of a matrix as a row (``at`` 0) or a column (1).
row(
    "diag",
    shape=_vector,
    value=lambda kind, node, v: kind.diag(v[0]),
    pullback=lambda G, node: (apply("diagonal", G, at=(0 if node.args[0].shape[0] == 1 else 1,)),),
    index=lambda e, node, i, j: (
        e.delta(i, j) * (e.operand(0, 0, j) if node.args[0].shape[0] == 1 else e.operand(0, i, 0))
    ),
)

row(
    "diagonal",
    shape=_diagonal,
    value=lambda kind, node, v: kind.diagonal(v[0], node.at[0]),
    pullback=lambda G, node: (apply("diag", G),),
    index=lambda e, node, i, j: e.operand(0, j, j) if node.at[0] == 0 else e.operand(0, i, i),
)

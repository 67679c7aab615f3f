"""What the language's functions of whole matrices mean as rows of the op table: ``diag`` both ways, ``outer``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from derive.graph import ops, sizes
from derive.graph.expression import Expression
from derive.graph.sizes import ShapeError

Options = Mapping[str, Any]


def _diag(x: Expression, options: Options) -> Expression:
    """Of a row or column the diagonal matrix; of a square matrix its diagonal, which is a row (as a flat list is)."""
    if len(x.shape) == 2 and 1 not in x.shape:
        return ops.apply("diagonal", x, at=(0,))
    return ops.apply("diag", x)


def _norm(x: Expression, options: Options) -> Expression:
    """The root of the sum of squares, of all entries or along an axis; of a number its absolute value."""
    axis = options["axis"]
    if not x.shape:
        return ops.apply("abs", x)
    return ops.apply("norm", x, at=(sizes.axis_of(x.shape, None if axis is None else int(axis)),))


CALLS: Mapping[str, Callable[[Expression, Options], Expression]] = {
    "diag": _diag,
    "norm": _norm,
    "trace": lambda x, options: ops.apply("trace", x),
    "det": lambda x, options: ops.apply("det", x),
    "logdet": lambda x, options: ops.apply("logdet", x),
    "inv": lambda x, options: ops.apply("inv", x),
}


def outer(a: Expression, b: Expression) -> Expression:
    """The first vector as a column times the second as a row. Raises ``ShapeError`` for what is no vector."""
    for x in (a, b):
        if len(x.shape) != 2 or 1 not in x.shape:
            raise ShapeError(f"outer takes two vectors, and one operand is {sizes.describe(x.shape)}")
    column = a if a.shape[1] == 1 else ops.transpose(a)
    row = b if b.shape[0] == 1 else ops.transpose(b)
    return ops.matmul(column, row)

"""Sums, products, quotients and powers; the matrix product and the transpose; sums along axes and their undoing."""

from __future__ import annotations

from typing import Any

from flint import fmpq

from derive.graph import sizes
from derive.graph.expression import Expression, constant
from derive.graph.ops.shared import broadcast, fold, no_operands, others, same
from derive.graph.ops.table import row
from derive.graph.ops.words import divide, matmul, multiply, negate, power, spread, sum_to, transpose
from derive.graph.sizes import ShapeError
from derive.problem.problem import Shape

row(
    "add",
    shape=broadcast,
    value=lambda kind, node, v: fold(v, lambda a, b: a + b),
    pullback=lambda G, node: tuple(sum_to(G, x.shape) for x in node.args),
    index=lambda e, node, *i: sum((e.operand(k, *i) for k in range(1, len(node.args))), e.operand(0, *i)),
    elementwise=True,
)

row(
    "multiply",
    shape=broadcast,
    value=lambda kind, node, v: fold(v, lambda a, b: a * b),
    pullback=lambda G, node: tuple(sum_to(multiply(G, *others(node, k)), x.shape) for k, x in enumerate(node.args)),
    index=lambda e, node, *i: fold(tuple(e.operand(k, *i) for k in range(len(node.args))), lambda a, b: a * b),
    elementwise=True,
)

row(
    "divide",
    shape=broadcast,
    value=lambda kind, node, v: kind.divide(*v),
    pullback=lambda G, node: (
        sum_to(divide(G, node.args[1]), node.args[0].shape),
        sum_to(negate(divide(multiply(G, node.args[0]), power(node.args[1], 2))), node.args[1].shape),
    ),
    index=lambda e, node, *i: e.operand(0, *i) / e.operand(1, *i),
    elementwise=True,
)

row(
    "power",
    shape=same,
    value=lambda kind, node, v: kind.power(v[0], node.at[0]),
    pullback=lambda G, node: (multiply(G, constant(node.at[0]), power(node.args[0], node.at[0] - 1)),),
    index=lambda e, node, *i: e.power(e.operand(0, *i), node.at[0]),
    elementwise=True,
)

row(
    "matmul",
    shape=lambda shapes, at: sizes.matmul(*shapes),
    value=lambda kind, node, v: kind.matmul(*v),
    pullback=lambda G, node: (matmul(G, transpose(node.args[1])), matmul(transpose(node.args[0]), G)),
    index=lambda e, node, i, j: e.total(node.args[0].shape[1], lambda q: e.operand(0, i, q) * e.operand(1, q, j)),
)


def _transposed(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    if len(shapes[0]) != 2:
        raise ShapeError(f"only a matrix has a transpose, and this is {sizes.describe(shapes[0])}")
    return shapes[0][::-1]


row(
    "transpose",
    shape=_transposed,
    value=lambda kind, node, v: v[0].T,
    pullback=lambda G, node: (transpose(G),),
    index=lambda e, node, i, j: e.operand(0, j, i),
)


def _sum_entry(e: Any, node: Expression, *index: Any) -> Any:
    axis, shape = node.at[0], node.args[0].shape
    if axis is not None:
        return e.total(shape[axis], lambda p: e.operand(0, *index[:axis], p, *index[axis + 1 :]))

    def inner(*places: Any) -> Any:
        if len(places) == len(shape):
            return e.operand(0, *places)
        return e.total(shape[len(places)], lambda p: inner(*places, p))

    return inner()


row(
    "sum",
    shape=lambda shapes, at: sizes.reduce(shapes[0], at[0]),
    value=lambda kind, node, v: kind.total(v[0], node.at[0]),
    pullback=lambda G, node: (spread(G, node.args[0].shape),),
    index=_sum_entry,
)

# Repeats its operand; the node carries the shape to fill.
row(
    "spread",
    shape=same,
    value=lambda kind, node, v: kind.spread(v[0], node.shape),
    pullback=lambda G, node: (sum_to(G, node.args[0].shape),),
    index=lambda e, node, *i: e.operand(0, *i),
)

# Zeros of the node's shape: the gradient by a name that the loss does not depend on.
row(
    "zeros",
    shape=lambda shapes, at: at[0],
    value=lambda kind, node, v: kind.spread(kind.number(fmpq(0)), node.shape),
    pullback=no_operands,
    index=lambda e, node, *i: e.number(fmpq(0)),
)

row(
    "constant",
    shape=lambda shapes, at: (),
    value=lambda kind, node, v: kind.number(node.at[0]),
    pullback=no_operands,
    index=lambda e, node, *i: e.number(node.at[0]),
    elementwise=True,
)

# A size that is a name, as a number: the N of a mean.
row(
    "size",
    shape=lambda shapes, at: (),
    value=lambda kind, node, v: kind.size(node.at[0]),
    pullback=no_operands,
    index=lambda e, node, *i: e.size(node.at[0]),
    elementwise=True,
)

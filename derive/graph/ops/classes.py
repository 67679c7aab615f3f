"""What normalises along an axis: softmax, its logarithm, and the cross-entropy of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flint import fmpq

from derive.graph import sizes
from derive.graph.expression import Expression, constant
from derive.graph.ops.table import apply, row, value_of
from derive.graph.ops.words import multiply, negate, subtract, total
from derive.graph.sizes import ShapeError
from derive.problem.problem import Shape


def _along(entry: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The index form of an op that normalises along ``node.at[0]``: ``entry(x_place, sum of exp(x) along it)``."""

    def index(e: Any, node: Expression, *place: Any) -> Any:
        axis = node.at[0]

        def power(p: Any) -> Any:
            return e.function("exp", (), e.operand(0, *place[:axis], p, *place[axis + 1 :]))

        return entry(e, (e.operand(0, *place), e.total(node.args[0].shape[axis], power)))

    return index


def _class_axis(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    if len(shapes[0]) < 2:
        raise ShapeError(f"a softmax needs an axis to run along, and this is {sizes.describe(shapes[0])}")
    return shapes[0]


row(
    "softmax",
    shape=_class_axis,
    value=lambda kind, node, v: kind.softmax(v[0], node.at[0]),
    pullback=lambda G, node: (multiply(node, subtract(G, total(multiply(G, node), node.at[0]))),),
    index=_along(lambda e, x: e.function("exp", (), x[0]) / x[1]),
)

row(
    "log_softmax",
    shape=_class_axis,
    value=lambda kind, node, v: kind.log_softmax(v[0], node.at[0]),
    pullback=lambda G, node: (subtract(G, multiply(apply("softmax", node.args[0], at=node.at), total(G, node.at[0]))),),
    index=_along(lambda e, x: x[0] - e.function("log", (), x[1])),
)


def _per_sample(node: Expression) -> Expression:
    """The factor of a mean over samples: 1 over the number of them; the axis that is not the classes'."""
    axis, reduction = node.at
    if reduction == "sum":
        return constant(1)
    samples = node.args[0].shape[1 - axis]
    if isinstance(samples, int):
        return constant(fmpq(1, samples))
    return apply("divide", constant(1), Expression("size", (), (samples,), ()))


def _cross_entropy_shape(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    logits, labels = shapes
    if len(logits) != 2:
        raise ShapeError(f"a cross-entropy needs a matrix of logits, and this is {sizes.describe(logits)}")
    if logits != labels:
        raise ShapeError(f"logits of {sizes.describe(logits)} and labels of {sizes.describe(labels)} differ in size")
    return ()


def _cross_entropy_entry(e: Any, node: Expression, i: Any, j: Any) -> Any:
    (axis, reduction), (rows, columns) = node.at, node.args[0].shape

    def log_softmax(p: Any, q: Any) -> Any:
        if axis == 0:
            normal = e.total(rows, lambda r: e.function("exp", (), e.operand(0, r, q)))
        else:
            normal = e.total(columns, lambda r: e.function("exp", (), e.operand(0, p, r)))
        return e.operand(0, p, q) - e.function("log", (), normal)

    whole = e.total(rows, lambda p: e.total(columns, lambda q: e.operand(1, p, q) * log_softmax(p, q)))
    return -whole / e.size((rows, columns)[1 - axis]) if reduction == "mean" else -whole


# Minus the sum of y log softmax(z), a mean over samples; y are any weights, so the adjoint carries their row sums.
row(
    "cross_entropy",
    shape=_cross_entropy_shape,
    value=lambda kind, node, v: (
        -value_of(kind, _per_sample(node)) * kind.total(v[1] * kind.log_softmax(v[0], node.at[0]), None)
    ),
    pullback=lambda G, node: (
        multiply(
            _per_sample(node),
            G,
            subtract(
                multiply(apply("softmax", node.args[0], at=node.at[:1]), total(node.args[1], node.at[0])),
                node.args[1],
            ),
        ),
        negate(multiply(_per_sample(node), G, apply("log_softmax", node.args[0], at=node.at[:1]))),
    ),
    index=_cross_entropy_entry,
)

"""What chooses: the largest entry along an axis, clipping, comparisons; class numbers as rows with a single 1; pi.

A choice is flat but for what it chooses: the derivative goes to the entry that was taken and to no other. Of several
largest (smallest) entries the first is taken; at the ends of a ``clip``, and of a comparison anywhere, the derivative
is 0.
"""

from __future__ import annotations

from typing import Any

from flint import fmpq

from derive.graph import sizes
from derive.graph.expression import Expression
from derive.graph.ops.shared import broadcast, no_operands, same
from derive.graph.ops.table import Array, apply, row
from derive.graph.ops.words import multiply, sum_to
from derive.problem.problem import Shape

REDUCING = ("max", "min")


def _flat(G: Expression, node: Expression) -> tuple[Expression, ...]:
    """Nothing comes back: the op is flat wherever it has a derivative."""
    return tuple(Expression("zeros", (), (arg.shape,), arg.shape) for arg in node.args)


def first_of(node: Expression) -> Expression:
    """Where the entry stands that a ``max`` or ``min`` takes, of equals the first: a 1 there and 0 elsewhere."""
    return apply("first_of", node.args[0], at=(node.op, *node.at))


def extreme_of(mask: Expression) -> Expression:
    """The ``max`` or ``min`` whose choice a ``first_of`` is."""
    return apply(mask.at[0], mask.args[0], at=mask.at[1:])


def _winners(kind: Any, op: str, axis: int | None, x: Array) -> Array:
    """The 0s and 1s of ``first_of``: each line of entries along the axis is a row for ``kind.wins``."""
    signed = x if op == "max" else -x
    if axis is None:
        return kind.wins(signed.reshape(1, -1)).reshape(x.shape)
    lines = signed.swapaxes(axis, -1)
    return kind.wins(lines.reshape(-1, lines.shape[-1])).reshape(lines.shape).swapaxes(axis, -1)


def _entry(e: Any, node: Expression, *index: Any) -> Any:
    """The sum of what is taken, each entry times the 0 or 1 that says whether it is."""
    op, axis = (node.at[0], node.at[1]) if node.op == "first_of" else (node.op, node.at[0])
    if node.op == "first_of":
        return e.taken(op, axis, *index)

    def term(*place: Any) -> Any:
        return e.taken(op, axis, *place) * e.operand(0, *place)

    rows, columns = node.args[0].shape or (1, 1)
    if axis is None:
        return e.total(rows, lambda p: e.total(columns, lambda q: term(p, q)))
    if axis == 0:
        return e.total(rows, lambda p: term(p, index[1]))
    return e.total(columns, lambda q: term(index[0], q))


def _reduction(op: str) -> None:
    row(
        op,
        shape=lambda shapes, at: sizes.reduce(shapes[0], at[0]),
        value=lambda kind, node, v: kind.total(
            kind.settle(_winners(kind, op, node.at[0], v[0]) * v[0], node), node.at[0]
        ),
        pullback=lambda G, node: (multiply(G, first_of(node)),),
        index=_entry,
    )


for _name in REDUCING:
    _reduction(_name)

row(
    "first_of",
    shape=same,
    value=lambda kind, node, v: _winners(kind, node.at[0], node.at[1], v[0]),
    pullback=_flat,
    index=_entry,
)

# 1 where the relation in ``at`` holds, else 0.
row(
    "compare",
    shape=broadcast,
    value=lambda kind, node, v: kind.choice("compare", node.at, v),
    pullback=_flat,
    index=lambda e, node, *i: e.choice("compare", node.at, tuple(e.operand(k, *i) for k in (0, 1))),
    elementwise=True,
)


def _clipped(G: Expression, node: Expression) -> tuple[Expression, ...]:
    a, low, high = node.args
    masks = (
        apply("inside", a, low, high),
        apply("compare", a, low, at=("<",)),
        apply("compare", a, high, at=(">",)),
    )
    return tuple(sum_to(multiply(G, mask), arg.shape) for mask, arg in zip(masks, node.args, strict=True))


for _name, _pullback in (("clip", _clipped), ("inside", _flat)):  # ``inside`` is 1 where low < a < high, else 0
    row(
        _name,
        shape=broadcast,
        value=lambda kind, node, v: kind.choice(node.op, node.at, v),
        pullback=_pullback,
        index=lambda e, node, *i: e.choice(node.op, node.at, tuple(e.operand(k, *i) for k in (0, 1, 2))),
        elementwise=True,
    )


def _one_hot(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    _, chosen, classes = at
    return (len(chosen), classes)


# Class numbers as rows with a single 1; ``at`` holds the name of the data, the numbers and how many classes there are.
row(
    "one_hot",
    shape=_one_hot,
    value=lambda kind, node, v: kind.one_hot(*node.at[1:]),
    pullback=no_operands,
    index=lambda e, node, i, j: e.number(fmpq(int(node.at[1][i] == j))),
)

row(
    "pi",
    shape=lambda shapes, at: (),
    value=lambda kind, node, v: kind.pi(),
    pullback=no_operands,
    index=lambda e, node, *i: e.pi(),
    elementwise=True,
)

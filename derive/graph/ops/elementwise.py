"""What acts on each entry alone: activations and their slopes, larger and smaller of two, binary cross-entropy."""

from __future__ import annotations

from flint import fmpq

from derive.graph.expression import Expression, constant
from derive.graph.ops.shared import broadcast, same
from derive.graph.ops.table import apply, row
from derive.graph.ops.words import derivative, divide, multiply, subtract, sum_to

# The functions that act on each entry alone. Their formulas, derivatives and rewrites are calculus' business.
FUNCTIONS = (
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "softplus",
    "gelu",
    "silu",
    "exp",
    "log",
    "log2",
    "sqrt",
    "abs",
    "sin",
    "cos",
    "own",  # a function of the problem's own; its name is the first thing in ``at``
)


def _function(name: str) -> None:
    row(
        name,
        shape=same,
        value=lambda kind, node, v: kind.function(name, node.at, v[0]),
        pullback=lambda G, node: (multiply(G, derivative(name, node.at, node.args[0])),),
        notation="function",
        index=lambda e, node, *i: e.function(name, node.at, e.operand(0, *i)),
        elementwise=True,
    )


for _name in FUNCTIONS:
    _function(_name)

# f' of one of the functions above, as a symbol; differentiating it again is work for second derivatives.
row(
    "derivative",
    shape=same,
    value=lambda kind, node, v: kind.derivative(node.at[0], node.at[1:], v[0]),
    pullback=lambda G, node: (multiply(G, apply("derivative", node.args[0], at=("derivative", *node.at))),),
    index=lambda e, node, *i: e.function("derivative", node.at, e.operand(0, *i)),
    elementwise=True,
)


def _extreme(kind_of: str) -> None:
    """max or min of two, entry by entry; on a tie the first operand wins, as in NumPy's ``argmax``."""
    row(
        kind_of,
        shape=broadcast,
        value=lambda kind, node, v: (
            (wins := kind.first_wins(kind_of, *v)) * v[0] + (kind.number(fmpq(1)) - wins) * v[1]
        ),
        pullback=lambda G, node: tuple(
            sum_to(multiply(G, wins), x.shape)
            for x, wins in zip(
                node.args,
                (
                    apply("first_wins", *node.args, at=(kind_of,)),
                    subtract(constant(1), apply("first_wins", *node.args, at=(kind_of,))),
                ),
                strict=True,
            )
        ),
        index=lambda e, node, *i: e.function(kind_of, (), (e.operand(0, *i), e.operand(1, *i))),
        elementwise=True,
    )


_extreme("maximum")
_extreme("minimum")

# 1 where the first operand of a maximum (minimum) wins, else 0; flat almost everywhere.
row(
    "first_wins",
    shape=broadcast,
    value=lambda kind, node, v: kind.first_wins(node.at[0], *v),
    pullback=lambda G, node: tuple(Expression("zeros", (), (x.shape,), x.shape) for x in node.args),
    index=lambda e, node, *i: e.function("first_wins", node.at, (e.operand(0, *i), e.operand(1, *i))),
    elementwise=True,
)


def _bce_parts(node: Expression) -> tuple[Expression, Expression, Expression, Expression]:
    p, t = node.args
    return p, t, subtract(constant(1), p), subtract(constant(1), t)


# -(t log p + (1 - t) log(1 - p)), entry by entry.
row(
    "binary_cross_entropy",
    shape=broadcast,
    value=lambda kind, node, v: (
        -(
            v[1] * kind.function("log", (), v[0])
            + (kind.number(fmpq(1)) - v[1]) * kind.function("log", (), kind.settle(kind.number(fmpq(1)) - v[0], node))
        )
    ),
    pullback=lambda G, node: (
        sum_to(
            multiply(G, divide(subtract(node.args[0], node.args[1]), multiply(node.args[0], _bce_parts(node)[2]))),
            node.args[0].shape,
        ),
        sum_to(
            multiply(G, subtract(apply("log", _bce_parts(node)[2]), apply("log", node.args[0]))), node.args[1].shape
        ),
    ),
    index=lambda e, node, *i: (
        -(
            e.operand(1, *i) * e.function("log", (), e.operand(0, *i))
            + (e.number(fmpq(1)) - e.operand(1, *i)) * e.function("log", (), e.number(fmpq(1)) - e.operand(0, *i))
        )
    ),
    elementwise=True,
)

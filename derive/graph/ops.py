"""The op table: one row per operation.

A row says how the shape follows, what the value is over any kind of number, how an upstream adjoint ``G`` is pulled
back to each operand, under which key the printer finds it, and what entry ``i, j`` of the result is. Adding an
operation means adding its row; a test walks the table for holes, proves the rule on entries, and compares it with an
outside autodiff.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from flint import fmpq

from derive.graph import sizes
from derive.graph.expression import Expression, constant, is_constant, leaf
from derive.graph.sizes import ShapeError
from derive.problem.problem import Shape, Size
from derive.records import dataclass

Array = Any  # a NumPy object array over one kind of number


class Arithmetic(Protocol):
    """One kind of number: what ``+ - * /`` of an array do not say. Arrays keep their rank; ``axis`` counts from 0."""

    def number(self, value: fmpq) -> Array: ...
    def size(self, name: str) -> Array: ...
    def matmul(self, a: Array, b: Array) -> Array: ...
    def power(self, a: Array, exponent: fmpq) -> Array: ...
    def divide(self, a: Array, b: Array) -> Array: ...
    def function(self, name: str, at: tuple[Any, ...], a: Array) -> Array: ...
    def derivative(self, name: str, at: tuple[Any, ...], a: Array) -> Array: ...
    def first_wins(self, kind: str, a: Array, b: Array) -> Array: ...
    def log_softmax(self, a: Array, axis: int) -> Array: ...
    def softmax(self, a: Array, axis: int) -> Array: ...
    def total(self, a: Array, axis: int | None) -> Array: ...
    def spread(self, a: Array, shape: Shape) -> Array: ...


class Entries(Protocol):
    """The operands of one node, entry by entry, for the index form of its result."""

    def operand(self, k: int, i: Any, j: Any) -> Any: ...
    def total(self, size: Size, term: Callable[[Any], Any]) -> Any: ...
    def function(self, name: str, at: tuple[Any, ...], x: Any) -> Any: ...
    def power(self, x: Any, exponent: fmpq) -> Any: ...
    def number(self, value: fmpq) -> Any: ...
    def size(self, size: Size) -> Any: ...
    def delta(self, i: Any, j: Any) -> Any: ...


Pullback = Callable[[Expression, Expression], tuple[Expression, ...]]


@dataclass(frozen=True, slots=True)
class Op:
    """One row. ``value(kind, node, operands)``, ``pullback(G, node)``, ``index(entries, node, i, j)``."""

    name: str
    shape: Callable[[tuple[Shape, ...], tuple[Any, ...]], Shape]
    value: Callable[[Any, Expression, tuple[Array, ...]], Array]
    pullback: Pullback
    notation: str
    index: Callable[[Any, Expression, Any, Any], Any]
    elementwise: bool = False


OPS: dict[str, Op] = {}

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


def apply(op: str, *args: Expression, at: tuple[Any, ...] = ()) -> Expression:
    """The node ``op(*args)``, its shape worked out by the row. Raises ``ShapeError``."""
    return Expression(op, args, at, OPS[op].shape(tuple(arg.shape for arg in args), at))


# ── words for building expressions: they drop what changes nothing, and no more ─────────────────────────────────


def add(*terms: Expression) -> Expression:
    """The sum; sums inside it are opened, zeros left out (unless they give the sum its shape)."""
    flat = [part for term in terms for part in (term.args if term.op == "add" else (term,))]
    kept = [part for part in flat if not is_constant(part, 0) and part.op != "zeros"] or flat[:1]
    return kept[0] if len(kept) == 1 else apply("add", *kept)


def multiply(*factors: Expression) -> Expression:
    """The entrywise product; products inside it are opened, ones and needless spreading left out."""
    flat = [part for factor in factors for part in (factor.args if factor.op == "multiply" else (factor,))]
    flat = [part for part in flat if not is_constant(part, 1)] or flat[:1]
    if len(flat) > 1:
        flat = _without_spreading(flat)
    return flat[0] if len(flat) == 1 else apply("multiply", *flat)


def _without_spreading(factors: list[Expression]) -> list[Expression]:
    """``spread(g) * X`` is ``g * X`` as soon as the product has the shape without it."""
    shape = apply("multiply", *factors).shape
    kept: list[Expression] = list(factors)
    for k, factor in enumerate(factors):
        if factor.op == "spread":
            smaller = [*kept[:k], factor.args[0], *kept[k + 1 :]]
            try:
                fits = apply("multiply", *smaller).shape == shape
            except ShapeError:
                fits = False
            if fits:
                kept = smaller
    return [part for part in kept if not is_constant(part, 1)] or kept[:1]


def negate(x: Expression) -> Expression:
    """``-x``"""
    return multiply(constant(-1), x)


def subtract(a: Expression, b: Expression) -> Expression:
    """``a - b``"""
    return add(a, negate(b))


def divide(a: Expression, b: Expression) -> Expression:
    """``a / b``; by a number it is a multiple."""
    if b.op == "constant" and b.number != 0:
        return multiply(constant(1 / b.number), a)
    return apply("divide", a, b)


def power(x: Expression, exponent: fmpq | int) -> Expression:
    """``x ** exponent`` with a constant exponent."""
    exponent = fmpq(exponent)
    return x if exponent == 1 else constant(1) if exponent == 0 and not x.shape else apply("power", x, at=(exponent,))


def matmul(a: Expression, b: Expression) -> Expression:
    """``a @ b``"""
    return apply("matmul", a, b)


def transpose(x: Expression) -> Expression:
    """``x.T``; twice is not at all, and one entry has none."""
    if x.op == "transpose":
        return x.args[0]
    return x if all(size == 1 for size in x.shape) else apply("transpose", x)


def total(x: Expression, axis: int | None = None) -> Expression:
    """The sum of the entries along an axis, or of all."""
    return x if not x.shape else apply("sum", x, at=(axis,))


def mean(x: Expression, axis: int | None = None) -> Expression:
    """The sum over the number of its terms."""
    number, names = sizes.count(x.shape, axis)
    parts = [total(x, axis), constant(fmpq(1, number))]
    parts += [apply("divide", constant(1), Expression("size", (), (name,), ())) for name in names]
    return multiply(*reversed(parts))


def spread(x: Expression, shape: Shape) -> Expression:
    """``x`` repeated along the axes that ``shape`` has more of."""
    return x if x.shape == shape else Expression("spread", (x,), (), shape)


def sum_to(x: Expression, shape: Shape) -> Expression:
    """The adjoint of broadcasting: what was repeated is added up again."""
    if x.shape == shape:
        return x
    if all(size == 1 for size in shape):
        return spread(total(x), shape)
    for axis, (have, want) in enumerate(zip(x.shape, shape, strict=True)):
        if want == 1 and have != 1:
            return sum_to(total(x, axis), shape)
    return spread(x, shape)


def derivative(name: str, at: tuple[Any, ...], x: Expression) -> Expression:
    """f'(x), entry by entry, as a symbol."""
    return apply("derivative", x, at=(name, *at))


# ── the rows ────────────────────────────────────────────────────────────────────────────────────────────────────


def _row(name: str, **columns: Any) -> None:
    OPS[name] = Op(name, **{"notation": name, **columns})


def _no_operands(G: Expression, node: Expression) -> tuple[Expression, ...]:
    return ()


def _broadcast(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    shape = shapes[0]
    for other in shapes[1:]:
        shape = sizes.broadcast(shape, other)
    return shape


def _same(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    return shapes[0]


def _fold(values: tuple[Array, ...], join: Callable[[Array, Array], Array]) -> Array:
    result = values[0]
    for value in values[1:]:
        result = join(result, value)
    return result


def _others(node: Expression, k: int) -> tuple[Expression, ...]:
    return node.args[:k] + node.args[k + 1 :]


_row(
    "add",
    shape=_broadcast,
    value=lambda kind, node, v: _fold(v, lambda a, b: a + b),
    pullback=lambda G, node: tuple(sum_to(G, x.shape) for x in node.args),
    index=lambda e, node, i, j: sum((e.operand(k, i, j) for k in range(1, len(node.args))), e.operand(0, i, j)),
    elementwise=True,
)

_row(
    "multiply",
    shape=_broadcast,
    value=lambda kind, node, v: _fold(v, lambda a, b: a * b),
    pullback=lambda G, node: tuple(sum_to(multiply(G, *_others(node, k)), x.shape) for k, x in enumerate(node.args)),
    index=lambda e, node, i, j: _fold(tuple(e.operand(k, i, j) for k in range(len(node.args))), lambda a, b: a * b),
    elementwise=True,
)

_row(
    "divide",
    shape=_broadcast,
    value=lambda kind, node, v: kind.divide(*v),
    pullback=lambda G, node: (
        sum_to(divide(G, node.args[1]), node.args[0].shape),
        sum_to(negate(divide(multiply(G, node.args[0]), power(node.args[1], 2))), node.args[1].shape),
    ),
    index=lambda e, node, i, j: e.operand(0, i, j) / e.operand(1, i, j),
    elementwise=True,
)

_row(
    "power",
    shape=_same,
    value=lambda kind, node, v: kind.power(v[0], node.at[0]),
    pullback=lambda G, node: (multiply(G, constant(node.at[0]), power(node.args[0], node.at[0] - 1)),),
    index=lambda e, node, i, j: e.power(e.operand(0, i, j), node.at[0]),
    elementwise=True,
)

_row(
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


_row(
    "transpose",
    shape=_transposed,
    value=lambda kind, node, v: v[0].T,
    pullback=lambda G, node: (transpose(G),),
    index=lambda e, node, i, j: e.operand(0, j, i),
)


def _sum_entry(e: Any, node: Expression, i: Any, j: Any) -> Any:
    axis, (rows, columns) = node.at[0], node.args[0].shape
    if axis == 0:
        return e.total(rows, lambda p: e.operand(0, p, j))
    if axis == 1:
        return e.total(columns, lambda q: e.operand(0, i, q))
    return e.total(rows, lambda p: e.total(columns, lambda q: e.operand(0, p, q)))


_row(
    "sum",
    shape=lambda shapes, at: sizes.reduce(shapes[0], at[0]),
    value=lambda kind, node, v: kind.total(v[0], node.at[0]),
    pullback=lambda G, node: (spread(G, node.args[0].shape),),
    index=_sum_entry,
)

# Repeats its operand; the node carries the shape to fill.
_row(
    "spread",
    shape=_same,
    value=lambda kind, node, v: kind.spread(v[0], node.shape),
    pullback=lambda G, node: (sum_to(G, node.args[0].shape),),
    index=lambda e, node, i, j: e.operand(0, i, j),
)

# Zeros of the node's shape: the gradient by a name that the loss does not depend on.
_row(
    "zeros",
    shape=lambda shapes, at: at[0],
    value=lambda kind, node, v: kind.spread(kind.number(fmpq(0)), node.shape),
    pullback=_no_operands,
    index=lambda e, node, i, j: e.number(fmpq(0)),
)

_row(
    "constant",
    shape=lambda shapes, at: (),
    value=lambda kind, node, v: kind.number(node.at[0]),
    pullback=_no_operands,
    index=lambda e, node, i, j: e.number(node.at[0]),
    elementwise=True,
)

# A size that is a name, as a number: the N of a mean.
_row(
    "size",
    shape=lambda shapes, at: (),
    value=lambda kind, node, v: kind.size(node.at[0]),
    pullback=_no_operands,
    index=lambda e, node, i, j: e.size(node.at[0]),
    elementwise=True,
)


def _function(name: str) -> None:
    _row(
        name,
        shape=_same,
        value=lambda kind, node, v: kind.function(name, node.at, v[0]),
        pullback=lambda G, node: (multiply(G, derivative(name, node.at, node.args[0])),),
        notation="function",
        index=lambda e, node, i, j: e.function(name, node.at, e.operand(0, i, j)),
        elementwise=True,
    )


for _name in FUNCTIONS:
    _function(_name)

# f' of one of the functions above, as a symbol; differentiating it again is work for second derivatives.
_row(
    "derivative",
    shape=_same,
    value=lambda kind, node, v: kind.derivative(node.at[0], node.at[1:], v[0]),
    pullback=lambda G, node: (multiply(G, apply("derivative", node.args[0], at=("derivative", *node.at))),),
    index=lambda e, node, i, j: e.function("derivative", node.at, e.operand(0, i, j)),
    elementwise=True,
)


def _extreme(kind_of: str) -> None:
    """max or min of two, entry by entry; on a tie the first operand wins, as in NumPy's ``argmax``."""
    _row(
        kind_of,
        shape=_broadcast,
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
        index=lambda e, node, i, j: e.function(kind_of, (), (e.operand(0, i, j), e.operand(1, i, j))),
        elementwise=True,
    )


_extreme("maximum")
_extreme("minimum")

# 1 where the first operand of a maximum (minimum) wins, else 0; flat almost everywhere.
_row(
    "first_wins",
    shape=_broadcast,
    value=lambda kind, node, v: kind.first_wins(node.at[0], *v),
    pullback=lambda G, node: tuple(Expression("zeros", (), (x.shape,), x.shape) for x in node.args),
    index=lambda e, node, i, j: e.function("first_wins", node.at, (e.operand(0, i, j), e.operand(1, i, j))),
    elementwise=True,
)


def _along(entry: Callable[[Any, Any], Any]) -> Callable[[Any, Expression, Any, Any], Any]:
    """The index form of an op that normalises along ``node.at[0]``: ``entry(x_ij, sum of exp(x) along the axis)``."""

    def index(e: Any, node: Expression, i: Any, j: Any) -> Any:
        axis, (rows, columns) = node.at[0], node.args[0].shape
        if axis == 0:
            normal = e.total(rows, lambda p: e.function("exp", (), e.operand(0, p, j)))
        else:
            normal = e.total(columns, lambda q: e.function("exp", (), e.operand(0, i, q)))
        return entry(e, (e.operand(0, i, j), normal))

    return index


def _class_axis(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    if len(shapes[0]) != 2:
        raise ShapeError(f"a softmax needs a matrix, and this is {sizes.describe(shapes[0])}")
    return shapes[0]


_row(
    "softmax",
    shape=_class_axis,
    value=lambda kind, node, v: kind.softmax(v[0], node.at[0]),
    pullback=lambda G, node: (multiply(node, subtract(G, total(multiply(G, node), node.at[0]))),),
    index=_along(lambda e, x: e.function("exp", (), x[0]) / x[1]),
)

_row(
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
    _class_axis(shapes, at)
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
_row(
    "cross_entropy",
    shape=_cross_entropy_shape,
    value=lambda kind, node, v: (
        -_value(kind, _per_sample(node)) * kind.total(v[1] * kind.log_softmax(v[0], node.at[0]), None)
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


def _bce_parts(node: Expression) -> tuple[Expression, Expression, Expression, Expression]:
    p, t = node.args
    return p, t, subtract(constant(1), p), subtract(constant(1), t)


# -(t log p + (1 - t) log(1 - p)), entry by entry.
_row(
    "binary_cross_entropy",
    shape=_broadcast,
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
    index=lambda e, node, i, j: (
        -(
            e.operand(1, i, j) * e.function("log", (), e.operand(0, i, j))
            + (e.number(fmpq(1)) - e.operand(1, i, j)) * e.function("log", (), e.number(fmpq(1)) - e.operand(0, i, j))
        )
    ),
    elementwise=True,
)


def _vector(shapes: tuple[Shape, ...], at: tuple[Any, ...]) -> Shape:
    if len(shapes[0]) != 2 or 1 not in shapes[0]:
        raise ShapeError(f"a diagonal needs a vector, and this is {sizes.describe(shapes[0])}")
    size = shapes[0][1] if shapes[0][0] == 1 else shapes[0][0]
    return (size, size)


def _diagonal_matrix(kind: Any, vector: Array) -> Array:
    size = vector.size
    result = kind.spread(kind.number(fmpq(0)), (size, size)).copy()
    for k, entry in enumerate(vector.ravel()):
        result[k, k] = entry
    return result


# The diagonal matrix of a vector, and the diagonal of a matrix as a row (``at`` 0) or a column (1).
_row(
    "diag",
    shape=_vector,
    value=lambda kind, node, v: _diagonal_matrix(kind, v[0]),
    pullback=lambda G, node: (apply("diagonal", G, at=(0 if node.args[0].shape[0] == 1 else 1,)),),
    index=lambda e, node, i, j: (
        e.delta(i, j) * (e.operand(0, 0, j) if node.args[0].shape[0] == 1 else e.operand(0, i, 0))
    ),
)

_row(
    "diagonal",
    shape=lambda shapes, at: (1, shapes[0][0]) if at[0] == 0 else (shapes[0][0], 1),
    value=lambda kind, node, v: v[0].diagonal().reshape(node.shape),
    pullback=lambda G, node: (apply("diag", G),),
    index=lambda e, node, i, j: e.operand(0, j, j) if node.at[0] == 0 else e.operand(0, i, i),
)


def _value(kind: Any, expression: Expression) -> Array:
    return OPS[expression.op].value(kind, expression, tuple(_value(kind, arg) for arg in expression.args))


def evaluate(expression: Expression, env: Callable[[Any], Array], kind: Any) -> Array:
    """The value of an expression over one kind of number; ``env`` gives the value of a name."""
    if expression.op == "name":
        return env(expression.name)
    operands = tuple(evaluate(arg, env, kind) for arg in expression.args)
    return kind.settle(OPS[expression.op].value(kind, expression, operands), expression)


__all__ = ["FUNCTIONS", "OPS", "Arithmetic", "Array", "Entries", "Op", "Pullback", "apply", "evaluate", "leaf"]

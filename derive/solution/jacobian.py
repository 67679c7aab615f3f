"""Chains of Jacobians, multiplied from the loss inwards.

The Jacobian of an equation by one of its operands has a row for each entry on the left and a column for each entry of
the operand. It is read off the pullback: a row adjoint is multiplied from the right by exactly this matrix.
"""

from __future__ import annotations

import math

from derive.calculus.closed_form import close, named_values
from derive.calculus.functions import Functions
from derive.errors import Unsupported
from derive.graph import ops
from derive.graph.collect import collect, transposed
from derive.graph.expression import Adjoint, Expression, constant, leaf
from derive.graph.network import Network
from derive.graph.ops.rearranging import Slice, put, take
from derive.graph.reverse import pull
from derive.graph.sizes import describe, is_scalar
from derive.problem.problem import Shape
from derive.records import dataclass

MOST_CHAINS = 12


@dataclass(frozen=True, slots=True)
class Factor:
    """d ``of`` / d ``by``, one equation's Jacobian: an expression in the names of the network."""

    of: str
    by: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Chain:
    """The product of ``factors``, first the loss's."""

    factors: tuple[Factor, ...]

    @property
    def product(self) -> Expression:
        """The factors multiplied, scalars in front."""
        whole: Expression | None = None
        for factor in self.factors:
            if whole is None:
                whole = factor.value
            elif is_scalar(whole.shape) or is_scalar(factor.value.shape):
                whole = ops.multiply(whole, factor.value)
            else:
                whole = ops.matmul(whole, factor.value)
        assert whole is not None
        return whole


def chains(network: Network, functions: Functions, of: str, by: str) -> tuple[Chain, ...]:
    """One chain for each way from ``by`` to ``of`` through the equations; their sum is d ``of`` / d ``by``.

    Raises ``Unsupported`` where a name on the way is a matrix, or where there are more than ``MOST_CHAINS`` ways.
    """
    above, users = network.ancestors(of), network.users()
    found: list[Chain] = []
    stack: list[tuple[str, tuple[tuple[str, str], ...]]] = [(by, ())]
    while stack:
        here, links = stack.pop()
        if here == of:
            found.append(Chain(tuple(local(network, functions, upper, lower) for upper, lower in links)))
            if len(found) > MOST_CHAINS:
                raise Unsupported(f"d{of}/d{by} has more than {MOST_CHAINS} chains of Jacobians; use style matrix")
            continue
        stack += [(user, ((user, here), *links)) for user in reversed(users[here]) if user in above]
    return tuple(found)


def local(network: Network, functions: Functions, of: str, by: str) -> Factor:
    """The Jacobian of the equation for ``of`` by its operand ``by``; both are scalars or vectors."""
    upper, lower = network.shape(of), network.shape(by)
    for name, shape in ((of, upper), (by, lower)):
        if not is_scalar(shape) and (len(shape) != 2 or 1 not in shape):
            raise Unsupported(
                f"chains of Jacobians are built for vectors, and {name} is {describe(shape)}; use style matrix"
            )
    outputs = named_values(network)
    value = network.equation(of).value
    if value.op == "softmax" and value.args[0].op == "name":
        return Factor(of, by, _softmax(leaf(of, upper)))
    upstream = ops.spread(constant(1), upper) if is_scalar(upper) else leaf(Adjoint("", of), upper)
    parts = [part for _, part in pull(upstream, value, frozenset({by}))]
    handed = collect(close(collect(ops.add(*parts)), outputs, functions))
    if handed.op == "zeros":
        columns, rows = (math.prod(map(int, shape)) for shape in (lower, upper))
        return Factor(of, by, Expression("zeros", (), ((rows, columns),), (rows, columns)))
    if is_scalar(upper):
        return Factor(of, by, handed if is_scalar(lower) or lower[0] == 1 else transposed(handed))
    return Factor(of, by, collect(_read(handed, upstream, of, by)))


def _softmax(s: Expression) -> Expression:
    """diag(s) - s s^T, for s a row or a column."""
    outer = ops.matmul(ops.transpose(s), s) if s.shape[0] == 1 else ops.matmul(s, ops.transpose(s))
    return ops.subtract(ops.apply("diag", s), outer)


def _read(handed: Expression, upstream: Expression, of: str, by: str) -> Expression:
    """The matrix J by which ``upstream``, laid out as a row, has to be multiplied to give ``handed`` as a row."""

    def read(node: Expression) -> Expression:
        if node == upstream:
            return ops.apply("diag", _ones(upstream.shape))
        moving = [arg for arg in node.args if _holds(arg, upstream)]
        match node.op:
            case "add" if len(moving) == len(node.args):
                return ops.add(*(_stretched(read(arg), arg, node) for arg in node.args))
            case "matmul" if len(moving) == 1:
                a, b = node.args
                fixed = b if moving[0] is a else a
                if is_scalar(fixed.shape):
                    return ops.multiply(fixed, read(moving[0]))
                return _times(read(a), b) if moving[0] is a else _times(read(b), transposed(a))
            case "multiply" if len(moving) == 1:
                others = [arg for arg in node.args if arg is not moving[0]]
                scalars = [arg for arg in others if is_scalar(arg.shape)]
                vectors = [arg for arg in others if not is_scalar(arg.shape)]
                whole = read(moving[0])
                if vectors and is_scalar(moving[0].shape):
                    whole = _times(whole, _row(ops.multiply(*vectors)))
                elif vectors:
                    whole = _times(whole, ops.apply("diag", ops.multiply(*vectors)))
                return ops.multiply(*scalars, whole)
            case "divide" if moving == [node.args[0]]:
                below = node.args[1]
                if is_scalar(below.shape):
                    return ops.multiply(ops.divide(constant(1), below), read(moving[0]))
                return _times(read(moving[0]), ops.apply("diag", ops.divide(constant(1), below)))
            case "sum" if len(moving) == 1:
                return _times(read(node.args[0]), _column(_ones(node.args[0].shape)))
            case "slice" if len(moving) == 1:
                parts = [part for part in node.at if part is not None]
                return _columns(read(node.args[0]), parts[0]) if len(parts) == 1 else read(node.args[0])
            case "entry":
                return _columns(read(node.args[0]), Slice(max(node.at), 1))
            case "place":
                whole, (part,) = (
                    read(node.args[0]),
                    [p for p, size in zip(node.at, node.shape, strict=False) if size != 1],
                )
                return put(whole, (None, part), (whole.shape[0], math.prod(map(int, node.shape))))
            case "reshape" if len(moving) == 1:
                return read(node.args[0])
            case "spread" if len(moving) == 1:
                return _stretched(read(node.args[0]), node.args[0], node)
            case "transpose" if len(moving) == 1:
                return read(node.args[0])
        raise Unsupported(f"the Jacobian d{of}/d{by} of this equation is not built yet; use style matrix")

    return read(handed)


def _holds(node: Expression, upstream: Expression) -> bool:
    return any(inner == upstream for inner in node.nodes())


def _ones(shape: Shape) -> Expression:
    return ops.spread(constant(1), shape)


def _stretched(whole: Expression, part: Expression, node: Expression) -> Expression:
    """One column for the one entry of ``part``, repeated for each entry of ``node``."""
    if is_scalar(part.shape) and not is_scalar(node.shape):
        return _times(whole, _row(_ones(node.shape)))
    return whole


def _columns(whole: Expression, part: Slice) -> Expression:
    """Some columns of a matrix; of a unit matrix a smaller one among zeros."""
    if whole.shape[1] == 1:
        return whole
    if whole.op == "diag" and whole.args[0].op == "spread":
        unit = _ones((1, 1)) if part.count == 1 else ops.apply("diag", _ones((1, part.count)))
        return put(unit, (part, None), (whole.shape[0], part.count))
    return take(whole, (None, part))


def _row(vector: Expression) -> Expression:
    return vector if vector.shape[0] == 1 else _turned(vector)


def _column(vector: Expression) -> Expression:
    return vector if vector.shape[1] == 1 else _turned(vector)


def _turned(vector: Expression) -> Expression:
    if vector.op == "spread":
        return _ones(vector.shape[::-1])
    return ops.transpose(vector)


def _times(a: Expression, b: Expression) -> Expression:
    """The product, unless one side is a unit matrix, or a diagonal is summed."""
    if a.op == "diag":
        if a.args[0].op == "spread":
            return b
        if b.op == "spread" and b.shape[1] == 1:
            return _column(a.args[0])
    return ops.matmul(a, b)

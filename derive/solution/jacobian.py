"""Chains of Jacobians, multiplied from the loss inwards.

The Jacobian of an equation by one of its operands has a row for each entry on the left and a column for each entry of
the operand. It is read off the pullback: a row adjoint is multiplied from the right by exactly this matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

from derive.calculus.closed_form import close, named_values
from derive.calculus.functions import Functions
from derive.errors import Unsupported
from derive.graph import ops
from derive.graph.collect import collect, transposed
from derive.graph.expression import Adjoint, Expression, constant, leaf
from derive.graph.network import Network
from derive.graph.reverse import pull
from derive.graph.sizes import describe, is_scalar

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
    if is_scalar(upper):
        return Factor(of, by, handed if is_scalar(lower) or lower[0] == 1 else transposed(handed))
    return Factor(of, by, collect(_read(handed, upstream, of, by)))


def _softmax(s: Expression) -> Expression:
    """diag(s) - s s^T, for s a row or a column."""
    outer = ops.matmul(ops.transpose(s), s) if s.shape[0] == 1 else ops.matmul(s, ops.transpose(s))
    return ops.subtract(ops.apply("diag", s), outer)


def _read(handed: Expression, upstream: Expression, of: str, by: str) -> Expression:
    """The matrix J in ``handed = upstream J`` (rows) or ``J^T upstream`` (columns)."""
    row = upstream.shape[0] == 1
    if handed == upstream:
        ones = ops.spread(constant(1), upstream.shape)
        return ops.apply("diag", ones)
    match handed.op:
        case "matmul":
            a, b = handed.args
            if a == upstream and row:
                return b
            if b == upstream and not row:
                return transposed(a)
        case "multiply":
            scalars = [part for part in handed.args if not part.shape]
            rest = [part for part in handed.args if part.shape]
            if upstream in rest:
                rest.remove(upstream)
                if not rest:
                    return ops.multiply(*scalars, ops.apply("diag", ops.spread(constant(1), upstream.shape)))
                inner = ops.multiply(*rest)
                if inner.shape == upstream.shape:
                    return ops.multiply(*scalars, ops.apply("diag", inner))
            elif len(rest) == 1:
                return ops.multiply(*scalars, _read(rest[0], upstream, of, by))
        case "add":
            return ops.add(*(_read(part, upstream, of, by) for part in handed.args))
        case "sum" | "spread" if handed.args[0] == upstream and is_scalar(handed.shape):
            return ops.spread(constant(1), (upstream.shape[0] * upstream.shape[1], 1))  # type: ignore[operator]
    raise Unsupported(f"the Jacobian d{of}/d{by} of this equation is not built yet; use style matrix")

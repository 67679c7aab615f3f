"""From f'(z) to a formula in names: through the output where an equation has named it, else in z."""

from __future__ import annotations

from collections.abc import Mapping

import sympy
from flint import fmpq

from derive.calculus.functions import Functions, H, rational_of, short_slope
from derive.graph import ops
from derive.graph.expression import Expression, constant, leaf
from derive.graph.network import Network


def named_values(network: Network) -> dict[Expression, Expression]:
    """What each equation computes, and the name it gave to it: the table that ``close`` looks outputs up in."""
    found: dict[Expression, Expression] = {}
    for equation in network.equations:
        if equation.value.op != "name" and equation.value.names():  # a constant is called by no name
            found.setdefault(equation.value, leaf(equation.name, equation.value.shape))
    return found


def close(expression: Expression, outputs: Mapping[Expression, Expression], functions: Functions) -> Expression:
    """The same value with every f'(z) written out that has a short form, and named values called by their names.

    A function whose derivative is a matter of cases (ReLU) or of a long formula (GELU) keeps its prime.
    """

    def change(node: Expression) -> Expression:
        if node in outputs:
            return outputs[node]
        if node.op != "derivative" or node.at[0] == "derivative":
            return node
        (name, *at), (z,) = node.at, node.args
        quotient = functions.through_output(name, tuple(at))
        if quotient is not None:
            h = outputs.get(Expression(name, (z,), tuple(at), z.shape), ops.apply(name, z, at=tuple(at)))
            top, bottom = (_polynomial(side, h) for side in quotient)
            return _shaped(ops.divide(top, bottom) if bottom.op != "constant" else _over(top, bottom.number), node)
        slope = functions.derivative(name, tuple(at))
        written = None if slope is None else _written(slope, z)
        return node if written is None else _shaped(written, node)

    return expression.rebuild(change)


def _shaped(value: Expression, node: Expression) -> Expression:
    return ops.spread(value, node.shape)


def _over(top: Expression, number: fmpq) -> Expression:
    return top if number == 1 else ops.multiply(constant(1 / number), top)


def _polynomial(side: sympy.Expr, h: Expression) -> Expression:
    """A polynomial in ``H`` as a lecturer writes it: the common power in front, then ascending powers."""
    if not side.has(H):
        return constant(rational_of(side))
    terms = sorted((power, number) for (power,), number in sympy.Poly(side, H).terms())
    lowest = terms[0][0]
    rest = [_monomial(rational_of(number), power - lowest, h) for power, number in terms]
    factors = ([ops.power(h, lowest)] if lowest else []) + [ops.add(*rest)]
    return ops.multiply(*factors)


def _monomial(coefficient: fmpq, power: int, h: Expression) -> Expression:
    return ops.multiply(constant(coefficient), *([ops.power(h, power)] if power else []))


def _written(slope: sympy.Expr, z: Expression) -> Expression | None:
    """A short derivative in z: 1/z, cos z, the sigmoid of a softplus; ``None`` for anything longer."""
    short = short_slope(slope)
    if short is None:
        return None
    ratio, name = short
    value = ops.apply("divide", constant(1), z) if name == "1/z" else ops.apply(name, z)
    return ops.multiply(constant(rational_of(ratio)), value)

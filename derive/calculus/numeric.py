"""A SymPy formula as a function of certified numbers: the definition itself is what gets evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy
from flint import fmpq

from derive.calculus.explicit import Elementwise, FirstIsLarger, FirstIsSmaller
from derive.calculus.functions import Z
from derive.numbers import functions as elementary
from derive.numbers.balls import Number

Evaluated = Callable[[Mapping[sympy.Symbol, Number]], Number]

_ONE_PLACE: Mapping[type, Callable[[Number], Number]] = {
    sympy.exp: elementary.exp,
    sympy.log: elementary.log,
    sympy.sin: elementary.sin,
    sympy.cos: elementary.cos,
    sympy.erf: elementary.erf,
    sympy.Abs: elementary.absolute,
}


def of_one_variable(formula: sympy.Expr) -> Callable[[Number], Number]:
    """The function that puts a number for ``Z``."""
    evaluated = compiled(formula)
    return lambda x: evaluated({Z: x})


def compiled(expression: sympy.Expr) -> Evaluated:
    """A closure that works the expression out, exact as long as its numbers are.

    Raises ``TypeError`` for what has no numbers (an unspecified function), and what the elementary functions raise:
    ``DomainError`` and ``UndecidedSign``.
    """
    if expression.is_Symbol:
        return lambda env: env[expression]
    if expression.is_Rational:
        value = fmpq(int(expression.p), int(expression.q))
        return lambda env: value
    if expression is sympy.pi:
        return lambda env: elementary.pi()
    if expression is sympy.E:
        return lambda env: elementary.exp(fmpq(1))
    if isinstance(expression, sympy.Piecewise):
        return _by_cases(expression)
    if isinstance(expression, Elementwise):
        formula = expression.formula()
        if formula is expression:
            raise TypeError(f"{expression.func} has no formula")
        return compiled(formula)
    parts = [compiled(arg) for arg in expression.args]
    if expression.is_Add:
        return lambda env: _fold(parts, env, lambda a, b: a + b)
    if expression.is_Mul:
        return _product(expression)
    if expression.is_Pow:
        return _power(expression)
    if isinstance(expression, FirstIsLarger | FirstIsSmaller):
        relation = ">=" if isinstance(expression, FirstIsLarger) else "<="
        a, b = parts
        return lambda env: fmpq(int(elementary.compare(relation, a(env), b(env))))
    (x,) = parts
    function = _ONE_PLACE[expression.func]
    return lambda env: function(x(env))


def _fold(
    parts: list[Evaluated], env: Mapping[sympy.Symbol, Number], join: Callable[[Number, Number], Number]
) -> Number:
    value = parts[0](env)
    for part in parts[1:]:
        value = join(value, part(env))
    return value


def _product(expression: sympy.Expr) -> Evaluated:
    """A product with a denominator is one division, so that an exact quotient stays exact and a zero is noticed."""
    top, bottom = expression.as_numer_denom() if any(_is_reciprocal(arg) for arg in expression.args) else (None, None)
    if top is None or bottom is None or bottom == 1:
        parts = [compiled(arg) for arg in expression.args]
        return lambda env: _fold(parts, env, lambda a, b: a * b)
    above, below = compiled(top), compiled(bottom)
    return lambda env: elementary.divide(above(env), below(env))


def _is_reciprocal(factor: sympy.Expr) -> bool:
    return bool(factor.is_Pow and factor.exp.is_Rational and factor.exp < 0)


def _power(expression: sympy.Expr) -> Evaluated:
    base, exponent = compiled(expression.base), expression.exp
    if expression.base is sympy.E:
        inner = compiled(exponent)
        return lambda env: elementary.exp(inner(env))
    if not exponent.is_Rational:
        raise TypeError(f"{expression} has an exponent that is no number")
    value = fmpq(int(exponent.p), int(exponent.q))
    return lambda env: elementary.power(base(env), value)


def _by_cases(expression: sympy.Piecewise) -> Evaluated:
    cases: list[tuple[Callable[[Mapping[sympy.Symbol, Number]], bool], Evaluated]] = [
        (_condition(condition), compiled(value)) for value, condition in expression.args
    ]

    def choose(env: Mapping[sympy.Symbol, Number]) -> Number:
        for holds, value in cases:
            if holds(env):
                return value(env)
        raise TypeError(f"no case of {expression} applies")

    return choose


def _condition(condition: sympy.Basic) -> Callable[[Mapping[sympy.Symbol, Number]], bool]:
    if condition == sympy.true:
        return lambda env: True
    left, right = compiled(condition.lhs), compiled(condition.rhs)
    relation = str(condition.rel_op)
    return lambda env: elementary.compare(relation, left(env), right(env))

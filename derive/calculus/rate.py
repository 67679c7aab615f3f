"""One derivative for many variables: SymPy differentiates an expression once, along a direction left open.

Every variable x moves with t at a speed of its own, a symbol: dx/dt = v. The derivative by t is then the sum of v
times the derivative by x, over all x, so that two gradients are the same exactly if their sums are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy

_T = sympy.Dummy("t", real=True)


class _Moving(sympy.Function):
    """x(t) where x is the second argument and its speed the third."""

    nargs = 3
    is_real = True

    @classmethod
    def eval(cls, *args: Any) -> None:
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """The speed: nothing but t moves, so that this is only ever asked for the first argument."""
        speed: sympy.Expr = self.args[2]
        return speed


def speeds(variables: Iterable[sympy.Symbol]) -> dict[sympy.Symbol, sympy.Symbol]:
    """A speed for each variable."""
    return {x: sympy.Dummy(f"v_{x.name}", real=True) for x in variables}


def rate(expression: sympy.Expr, moving: Mapping[sympy.Symbol, sympy.Symbol]) -> sympy.Expr:
    """The sum over all variables of their speed times SymPy's derivative of the expression by them."""
    places = {x: _Moving(_T, x, speed) for x, speed in moving.items()}
    slope = sympy.diff(expression.xreplace(places), _T)
    return slope.xreplace({place: x for x, place in places.items()})


def along(rate: sympy.Expr, moving: Mapping[sympy.Symbol, sympy.Symbol], x: sympy.Symbol) -> sympy.Expr:
    """The derivative by one variable: its speed is 1, and no other moves."""
    return rate.xreplace({speed: sympy.Integer(other == x) for other, speed in moving.items()})

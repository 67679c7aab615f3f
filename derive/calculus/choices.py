"""What chooses, as SymPy functions: comparisons, ``clip``, and whether an entry lies between two others.

Each is flat almost everywhere, or the identity; what a derivative is at a kink is the convention of the op table: 0.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import sympy

ORDERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


class Indicator(sympy.Function):
    """1 where ``a relation b`` holds, else 0; its derivative is 0 wherever it has one."""

    nargs = 2
    relation = "<"

    @classmethod
    def eval(cls, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr | None:
        """1 or 0 of two numbers, itself of anything else."""
        if a.is_Number and b.is_Number:
            return sympy.Integer(bool(ORDERS[cls.relation](a, b)))
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Zero."""
        return sympy.S.Zero


INDICATORS: Mapping[str, type[Indicator]] = {
    relation: type(f"Indicator_{name}", (Indicator,), {"relation": relation})
    for relation, name in (("<", "lt"), ("<=", "le"), (">", "gt"), (">=", "ge"), ("==", "eq"), ("!=", "ne"))
}


class Inside(sympy.Function):
    """1 where ``low < a < high``, else 0."""

    nargs = 3

    @classmethod
    def eval(cls, a: sympy.Expr, low: sympy.Expr, high: sympy.Expr) -> sympy.Expr | None:
        """1 or 0 of three numbers, itself of anything else."""
        if a.is_Number and low.is_Number and high.is_Number:
            return sympy.Integer(bool(low < a) and bool(a < high))
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Zero."""
        return sympy.S.Zero


class Clip(sympy.Function):
    """``a`` inside the bounds, the nearer bound outside."""

    nargs = 3

    @classmethod
    def eval(cls, a: sympy.Expr, low: sympy.Expr, high: sympy.Expr) -> sympy.Expr | None:
        """The number of three numbers, itself of anything else."""
        if a.is_Number and low.is_Number and high.is_Number:
            return low if a <= low else high if a >= high else a
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """By ``a`` 1 inside; by a bound 1 beyond it; 0 at the bounds."""
        a, low, high = self.args
        if argindex == 1:
            return Inside(a, low, high)
        return INDICATORS["<"](a, low) if argindex == 2 else INDICATORS[">"](a, high)


CHOICES: Mapping[str, Callable[..., sympy.Expr]] = {"clip": Clip, "inside": Inside}


def choice(name: str, at: tuple[Any, ...], operands: tuple[sympy.Expr, ...]) -> sympy.Expr:
    """A choosing op of the graph's table over SymPy expressions."""
    return INDICATORS[at[0]](*operands) if name == "compare" else CHOICES[name](*operands)

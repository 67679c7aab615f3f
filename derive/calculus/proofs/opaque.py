"""Functions of which a proof knows nothing but that f' is their derivative: what it proves holds for every f.

SymPy must not know them either: its own ``exp`` of a ``Sum`` turns itself into a ``Product``. Only where the index form
of an op is written with e^x or log x (softmax, cross-entropy) are their slopes needed; they come from ``functions``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy

from derive.calculus.explicit import Extreme, FirstIsLarger, FirstIsSmaller
from derive.calculus.functions import Functions, Key, Z

OPENED = ("exp", "log")  # functions whose slope is written out


class Opaque(sympy.Function):
    """f (``order`` 0), f' (1), … of the function ``name`` with the parameters ``at``, never evaluated."""

    name: str
    at: Key
    order: int

    @classmethod
    def eval(cls, *args: Any) -> None:
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """f' of the argument."""
        return slope(self.name, self.at, self.order + 1, self.args[0])


def opaque(name: str, at: Key = (), order: int = 0) -> type[Opaque]:
    """The class of one function, the same one for the same function."""
    return _opaque(name, at, order)


@cache
def _opaque(name: str, at: Key, order: int) -> type[Opaque]:
    label = "_".join(map(str, (name, *at))) + "'" * order
    return type(label, (Opaque,), {"name": name, "at": at, "order": order, "nargs": 1})


def slope(name: str, at: Key, order: int, x: sympy.Expr) -> sympy.Expr:
    """The derivative of that order of a function at ``x``."""
    return _opened(name, order).xreplace({Z: x}) if name in OPENED else opaque(name, at, order)(x)


@cache
def _opened(name: str, order: int) -> sympy.Expr:
    """The derivative in Z and in f itself: e^z for e^z and 1/z for log z, by SymPy from the one definition."""
    definition = Functions.definition_of(name)
    found = sympy.diff(definition, Z, order)
    return found.xreplace({definition: opaque(name)(Z)})


def first_wins(kind: str, a: sympy.Expr, b: sympy.Expr) -> Extreme:
    """1 where the first operand of a maximum (minimum) wins, else 0; its derivative is zero where the two differ."""
    return (FirstIsLarger if kind == "maximum" else FirstIsSmaller)(a, b)

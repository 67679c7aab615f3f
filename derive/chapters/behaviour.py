"""How an activation function behaves, worked out from its one definition: limits, saturation, steepest slope, dips."""

from __future__ import annotations

from functools import cache

import sympy
from flint import fmpq

from derive.calculus.functions import Functions, H, Z
from derive.calculus.numeric import of_one_variable
from derive.numbers.balls import midpoint, sign
from derive.problem.problem import Problem
from derive.records import dataclass

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Limits of a function and of its slope, towards minus and plus infinity (SymPy numbers, infinite ones too)."""

    low: sympy.Expr
    high: sympy.Expr
    slope_low: sympy.Expr
    slope_high: sympy.Expr

    @property
    def saturates(self) -> tuple[bool, bool]:
        """Whether the slope dies out on the left and on the right."""
        return self.slope_low == 0, self.slope_high == 0


@cache
def functions() -> Functions:
    """The built-in functions, with the usual convention at kinks."""
    return Functions(Problem("activations", {}, ()))


@cache
def behaviour(name: str, at: Key = ()) -> Behaviour:
    """The limits of f and f', by SymPy; a function by cases by its outer branches."""
    f, slope = functions().definition(name, at), functions().derivative(name, at)
    return Behaviour(_end(f, -1), _end(f, 1), _end(slope, -1), _end(slope, 1))


def _end(formula: sympy.Expr | None, side: int) -> sympy.Expr:
    assert formula is not None
    if isinstance(formula, sympy.Piecewise):
        formula = formula.args[0 if side > 0 else 1][0]
    return sympy.limit(formula, Z, side * sympy.oo)


def steepest(name: str) -> tuple[sympy.Expr, sympy.Expr]:
    """Where a smooth function with flat ends is steepest, and its slope there: f'' vanishes nowhere else.

    Raises ``ValueError`` where SymPy finds no single such point.
    """
    slope = functions().derivative(name)
    assert slope is not None
    level = sympy.solveset(sympy.together(sympy.diff(slope, Z)), Z, sympy.S.Reals)
    if not isinstance(level, sympy.FiniteSet) or len(level) != 1 or not all(behaviour(name).saturates):
        raise ValueError(f"{name} has no single steepest place")
    (place,) = level
    return place, sympy.nsimplify(slope.subs(Z, place))


def rises(name: str, at: Key = ()) -> bool:
    """Whether SymPy knows the slope to be nowhere negative."""
    slope = functions().derivative(name, at)
    assert slope is not None
    branches = [branch for branch, _ in slope.args] if isinstance(slope, sympy.Piecewise) else [slope]
    through = functions().through_output(name, at)
    if through == (1 - H**2, sympy.S.One):  # 1 - h^2, of an output whose limits are -1 and 1
        ends = behaviour(name, at)
        return bool(abs(ends.low) <= 1 and abs(ends.high) <= 1)
    return all(branch.is_nonnegative for branch in branches)


def dip(name: str, near: float = -1.0) -> tuple[fmpq, fmpq]:
    """Two rationals, closer than 10^-9, between which the slope changes from falling to rising.

    Raises ``ValueError`` where balls do not show the two signs.
    """
    slope = functions().derivative(name)
    assert slope is not None
    place = sympy.nsolve(slope, Z, near, prec=30)
    middle = fmpq(int(sympy.floor(place * 10**12)), 10**12)
    value, width = of_one_variable(slope), fmpq(1, 10**10)
    low, high = middle - width, middle + width
    if sign(value(low)) != -1 or sign(value(high)) != 1:
        raise ValueError(f"the slope of {name} does not change its sign near {place}")
    return low, high


def points(formula: sympy.Expr, left: int, right: int, pieces: int = 96) -> tuple[tuple[float, float], ...]:
    """A curve of a function of ``Z`` for a plot: the ends and the places between them that cut into equal pieces."""
    value = of_one_variable(formula)
    places = [fmpq(left) + fmpq(right - left) * k / pieces for k in range(pieces + 1)]
    return tuple((float(x.p) / float(x.q), midpoint(value(x))) for x in places)

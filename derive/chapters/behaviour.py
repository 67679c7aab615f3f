"""How an activation function behaves, worked out from its one definition: limits, saturation, steepest slope, dips."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

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


def turns(name: str) -> int:
    """How often the slope changes its sign, which is how many zeros it has.

    Between the places where it is level a slope is monotone, so its signs there and at both ends tell. What is looked
    at is the slope, or else its numerator without positive factors, whichever SymPy finds the level places of. Raises
    ``ValueError`` where it finds neither, or a zero at such a place.
    """
    slope = functions().derivative(name)
    assert slope is not None
    for monotone in (slope, _without_positive(sympy.numer(sympy.together(slope)))):
        level = sympy.solveset(_without_positive(sympy.diff(monotone, Z)), Z, sympy.S.Reals)
        if not isinstance(level, sympy.FiniteSet | sympy.sets.sets.EmptySet):
            continue
        inner = [monotone.subs(Z, place) for place in sorted(level)]
        ends = [sympy.limit(monotone, Z, side * sympy.oo) for side in (-1, 1)]
        signs = [value.is_extended_positive for value in (ends[0], *inner, ends[1]) if value != 0]
        if None in signs or len(signs) < len(inner) or any(value == 0 for value in inner):
            break
        return sum(one != other for one, other in pairwise(signs))
    raise ValueError(f"the zeros of the slope of {name} cannot be counted")


def _without_positive(formula: sympy.Expr) -> sympy.Expr:
    """What has the sign of a formula, less its positive factors."""
    return sympy.Mul(*(factor for factor in sympy.Mul.make_args(sympy.factor(formula)) if not factor.is_positive))


def through(name: str, at: Key = ()) -> sympy.Expr | None:
    """The slope as a function of the output ``H``: by cases, each branch inverted by SymPy, and proved by putting back.

    The cases are told apart by the sign of the output, which is proved to be that of the input. ``None`` for a function
    whose slope changes its sign: it takes a value twice, with different slopes.
    """
    formula, slope = functions().definition(name, at), functions().derivative(name, at)
    assert formula is not None
    assert slope is not None
    if not rises(name, at):
        return None
    if not isinstance(formula, sympy.Piecewise):
        return _inverted(formula, slope)
    (right, _), (left, _) = formula.args
    (right_slope, _), (left_slope, _), *_ = slope.args
    if right.subs(Z, 0) != 0 or left.subs(Z, 0) != 0 or not (right_slope.is_positive and left_slope.is_nonnegative):
        raise ValueError(f"the output of {name} has not the sign of its input")
    return sympy.Piecewise((_inverted(right, right_slope), H > 0), (_inverted(left, left_slope), True))


def _inverted(formula: sympy.Expr, slope: sympy.Expr) -> sympy.Expr:
    """One branch of a slope in terms of the output. Raises ``ValueError`` where SymPy has no single inverse."""
    if Z not in slope.free_symbols:
        return slope
    inverse = sympy.solve(sympy.Eq(formula, H), Z)
    if len(inverse) != 1:
        raise ValueError(f"{formula} has no single inverse")
    found = sympy.simplify(slope.subs(Z, inverse[0]))
    if sympy.simplify(found.subs(H, formula) - slope) != 0:
        raise ValueError(f"the slope of {formula} through its output does not come back")
    return found


def dip(name: str, near: float = -1.0) -> tuple[fmpq, fmpq]:
    """Two rationals, closer than 10^-9, between which the slope has its one zero, where falling turns into rising.

    Raises ``ValueError`` where balls do not show the two signs, or where there is more than one turn.
    """
    slope = functions().derivative(name)
    assert slope is not None
    if turns(name) != 1:
        raise ValueError(f"{name} does not turn exactly once")
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

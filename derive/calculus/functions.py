"""Each elementwise function, defined once as a SymPy expression; everything else about it is worked out from that.

``Z`` is the input and ``H`` the output. The derivative is SymPy's; its form through the output (sigma' = h (1 - h)) is
found by eliminating the exponential or the root between the definition and the derivative, and proved by putting the
definition back.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import sympy
from flint import fmpq
from sympy.polys.domains import QQ
from sympy.polys.orderings import lex
from sympy.polys.rings import PolyElement, PolyRing

from derive.calculus.vanish import in_one_variable, vanishes
from derive.errors import ProblemError, Unsupported
from derive.problem.problem import Problem
from derive.problem.syntax import Binary, Call, Compare, Name, Negate, Node, Number

Z = sympy.Symbol("z", real=True)
H = sympy.Symbol("h", real=True)
_U = sympy.Symbol("u", positive=True)
_H = PolyRing((H,), QQ, lex).gens[0]

Key = tuple[Any, ...]  # the parameters of a function, as its node carries them in ``at``


def rational(value: fmpq) -> sympy.Expr:
    """The same number for SymPy."""
    return sympy.Rational(int(value.p), int(value.q))


def rational_of(number: sympy.Expr) -> fmpq:
    """A rational of SymPy's, for FLINT."""
    return fmpq(int(number.p), int(number.q))


def _pieces(right: sympy.Expr, left: sympy.Expr) -> sympy.Expr:
    return sympy.Piecewise((right, Z > 0), (left, True))


DEFINITIONS: Mapping[str, Callable[..., sympy.Expr]] = {
    "sigmoid": lambda: 1 / (1 + sympy.exp(-Z)),
    "tanh": lambda: (sympy.exp(Z) - sympy.exp(-Z)) / (sympy.exp(Z) + sympy.exp(-Z)),
    "relu": lambda: _pieces(Z, sympy.S.Zero),
    "leaky_relu": lambda slope: _pieces(Z, rational(slope) * Z),
    "elu": lambda: _pieces(Z, sympy.exp(Z) - 1),
    "softplus": lambda: sympy.log(1 + sympy.exp(Z)),
    "gelu": lambda: Z * (1 + sympy.erf(Z / sympy.sqrt(2))) / 2,
    "silu": lambda: Z / (1 + sympy.exp(-Z)),
    "exp": lambda: sympy.exp(Z),
    "log": lambda: sympy.log(Z),
    "log2": lambda: sympy.log(Z) / sympy.log(2),
    "sqrt": lambda: sympy.sqrt(Z),
    "abs": lambda: _pieces(Z, -Z),
    "sin": lambda: sympy.sin(Z),
    "cos": lambda: sympy.cos(Z),
}

# Where the two branches meet with different slopes, the derivative is what the convention says.
KINKED = ("relu", "leaky_relu", "abs")


class Functions:
    """The functions of one problem: the built-in ones, its own formulas, and its conventions at kinks."""

    def __init__(self, problem: Problem) -> None:
        self._own = problem.functions
        for name, formula in self._own.items():
            if formula is not None:
                _smooth(problem, name, formula[1])
        self._relu_at_zero = rational(problem.convention.relu_at_zero)

    @staticmethod
    def definition_of(name: str) -> sympy.Expr:
        """f(``Z``) of a built-in function without parameters."""
        return _definition(name, ())

    def definition(self, name: str, at: Key = ()) -> sympy.Expr | None:
        """f(``Z``); ``None`` for a function without a formula."""
        if name == "own":
            formula = self._own[at[0]]
            return None if formula is None else _formula(formula[1], formula[0])
        if name == "derivative":
            return self.derivative(at[0], at[1:])
        return _definition(name, at)

    def derivative(self, name: str, at: Key = ()) -> sympy.Expr | None:
        """f'(``Z``), SymPy's; at a kink the declared value."""
        if name == "own":
            definition = self.definition(name, at)
            return None if definition is None else sympy.diff(definition, Z)
        if name == "derivative":  # of f' in turn: f''
            slope = self.derivative(at[0], at[1:])
            return None if slope is None else sympy.diff(slope, Z)
        slope = _slope(name, at)
        if name not in KINKED:
            return slope
        (right, _), (left, _) = slope.args
        at_zero = sympy.S.Zero if name == "abs" else left + (right - left) * self._relu_at_zero
        return sympy.Piecewise((right, Z > 0), (left, Z < 0), (at_zero, True))

    def through_output(self, name: str, at: Key = ()) -> tuple[sympy.Expr, sympy.Expr] | None:
        """f' in terms of ``H`` = f(``Z``), as numerator and denominator; ``None`` where there is no short one."""
        return None if name == "own" else _through_output(name, at)


def short_slope(slope: sympy.Expr) -> tuple[sympy.Expr, str] | None:
    """A derivative that is a multiple of a function with a name: the number and the name, ``"1/z"`` being one.

    The slope of a softplus is the sigmoid, that of a sine the cosine; ``None`` for anything longer.
    """
    if slope == 1 / Z:
        return sympy.S.One, "1/z"
    if sympy.cancel(slope - Functions.definition_of("sigmoid")) == 0:
        return sympy.S.One, "sigmoid"
    for name in ("sin", "cos", "exp"):
        ratio = slope / Functions.definition_of(name)
        if ratio.is_Rational:
            return ratio, name
    return None


def _smooth(problem: Problem, name: str, formula: Node) -> None:
    """A formula of the problem's own may hold what SymPy can differentiate everywhere; raises ``ProblemError``."""
    file, line = problem.file, problem.line("functions", name)
    for node in _walk(formula):
        if isinstance(node, Compare):
            raise ProblemError(
                f"the formula of {name} jumps ({node.operator}), where no value is declared for its derivative",
                hint="equations have relu, abs, maximum and clip, where the convention is known",
                file=file,
                line=line,
            )
        if not isinstance(node, Call):
            continue
        if node.function in (*KINKED, "maximum", "minimum", "clip"):
            raise ProblemError(
                f"the formula of {name} has a kink ({node.function}), where no value is declared for its derivative",
                hint=f"write {node.function} into the equations, where the convention for it is known",
                file=file,
                line=line,
            )
        if node.function != "square" and node.function not in DEFINITIONS:
            raise Unsupported(f"{node.function} in the formula of {name} is not built yet", file=file, line=line)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case Negate(operand):
            yield from _walk(operand)
        case Binary(_, left, right):
            yield from _walk(left)
            yield from _walk(right)
        case Call(_, arguments):
            for argument in arguments:
                yield from _walk(argument)


@cache
def _definition(name: str, at: Key) -> sympy.Expr:
    return DEFINITIONS[name](*at)


@cache
def _slope(name: str, at: Key) -> sympy.Expr:
    return sympy.diff(_definition(name, at), Z)


@cache
def _through_output(name: str, at: Key) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Eliminates u = e^z or the root of z between h = f(z) and f'(z), where h is a quotient of lines in a power of u.

    From h = (a u^s + b) / (c u^s + d) follows u^s = (d h - b) / (a - c h); f' is a quotient of polynomials in u^s.
    """
    for generator in (sympy.exp(Z), sympy.sqrt(Z)):
        put = {generator: _U, 1 / generator: 1 / _U}
        f, slope = (side.xreplace(put) for side in (_definition(name, at), _slope(name, at)))
        if f.free_symbols != {_U} or slope.free_symbols != {_U}:
            continue
        value, rate = in_one_variable(f, _U), in_one_variable(slope, _U)
        if value is None or rate is None:
            continue
        (n, d), (p, q) = value, rate
        step = max(*n, *d)
        if step == 0 or not {*n, *d} <= {0, step} or any(power % step for power in (*p, *q)):
            continue
        above = _H * d.get(0, 0) - n.get(0, 0)
        below = -_H * d.get(step, 0) + n.get(step, 0)
        most = max(*p, *q) // step
        top, bottom = (
            sum((number * above ** (k // step) * below ** (most - k // step) for k, number in side.items()), _H * 0)
            for side in (p, q)
        )
        top, bottom = top.cancel(bottom)
        rewritten = top.as_expr() / bottom.as_expr()
        if not vanishes(rewritten.xreplace({H: f}) - slope):
            raise AssertionError(f"the derivative of {name} through its output does not come back")
        return _common_power_out(top), _common_power_out(bottom)
    return None


def _common_power_out(polynomial: PolyElement) -> sympy.Expr:
    """h - h^2 as h (1 - h)."""
    lowest = min(power for (power,) in polynomial)
    rest = sympy.Add(*(_number(number) * H ** (power - lowest) for (power,), number in polynomial.terms()))
    return H**lowest * rest


def _number(x: Any) -> sympy.Expr:
    return sympy.Rational(int(x.numerator), int(x.denominator))


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}


def _formula(node: Node, variable: str) -> sympy.Expr:
    """A formula of the equation language in one variable, for SymPy."""
    match node:
        case Number(value):
            return rational(value)
        case Name(id):
            return sympy.pi if id == "pi" and variable != "pi" else Z
        case Negate(operand):
            return -_formula(operand, variable)
        case Binary(sign, left, right):
            return _OPERATORS[sign](_formula(left, variable), _formula(right, variable))
        case Call("square", (operand,)):
            return _formula(operand, variable) ** 2
        case Call(function, (operand,)) if function in DEFINITIONS:
            at = tuple(value for _, value in node.options)
            return _definition(function, at).subs(Z, _formula(operand, variable))
    raise TypeError(f"a formula cannot hold {type(node).__name__}")

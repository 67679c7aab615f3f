"""A SymPy formula as a function of certified numbers: the definition itself is what gets evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy
from flint import fmpq

from derive.calculus.explicit import Elementwise, FirstIsLarger, FirstIsSmaller, FirstLargest
from derive.calculus.functions import Z
from derive.numbers import functions as elementary
from derive.numbers.balls import Number

Numbers = Mapping[sympy.Symbol, Number]
Evaluated = Callable[[Numbers], Number]
Node = Callable[["_State"], Number]


class _State:
    """One evaluation: the numbers that are put in, and what has been worked out from them so far."""

    __slots__ = ("env", "known")

    def __init__(self, env: Numbers) -> None:
        self.env = env
        self.known: dict[int, Number] = {}


_ONE_PLACE: Mapping[type, Callable[[Number], Number]] = {
    sympy.exp: elementary.exp,
    sympy.log: elementary.log,
    sympy.sin: elementary.sin,
    sympy.cos: elementary.cos,
    sympy.erf: elementary.erf,
    sympy.Abs: elementary.absolute,
    sympy.sign: lambda x: fmpq(elementary.certain_sign(x)),
}


def _first_wins(relation: str, a: Number, b: Number) -> Number:
    """1 where the relation holds. One and the same number is its own equal, however wide its ball."""
    return fmpq(int(a is b or elementary.compare(relation, a, b)))


def of_one_variable(formula: sympy.Expr) -> Callable[[Number], Number]:
    """The function that puts a number for ``Z``."""
    evaluated = compiled(formula)
    return lambda x: evaluated({Z: x})


def compiled(expression: sympy.Expr) -> Evaluated:
    """A closure that works the expression out, exact as long as its numbers are; what occurs twice is done once.

    Raises ``TypeError`` for what has no numbers (an unspecified function), and what the elementary functions raise:
    ``DomainError`` and ``UndecidedSign``.
    """
    root = _Compiler().node(expression)
    return lambda env: root(_State(env))


class _Compiler:
    """The closures of one expression, one for each of its different parts."""

    def __init__(self) -> None:
        self._nodes: dict[sympy.Basic, Node] = {}

    def node(self, expression: sympy.Expr) -> Node:
        """The closure of a part; its value is kept for as long as one evaluation lasts."""
        if expression not in self._nodes:
            self._nodes[expression] = self._kept(self._node(expression), len(self._nodes))
        return self._nodes[expression]

    @staticmethod
    def _kept(node: Node, key: int) -> Node:
        def value(state: _State) -> Number:
            found = state.known.get(key)
            if found is None:
                found = state.known[key] = node(state)
            return found

        return value

    def _node(self, expression: sympy.Expr) -> Node:
        if expression.is_Symbol:
            return lambda state: state.env[expression]
        if expression.is_Rational:
            value = fmpq(int(expression.p), int(expression.q))
            return lambda state: value
        if expression is sympy.pi:
            return lambda state: elementary.pi()
        if expression is sympy.E:
            return lambda state: elementary.exp(fmpq(1))
        if isinstance(expression, sympy.Piecewise):
            return self._by_cases(expression)
        if isinstance(expression, Elementwise):
            formula = expression.formula()
            if formula is expression:
                raise TypeError(f"{expression.func} has no formula")
            return self.node(formula)
        if expression.is_Mul:
            return self._product(expression)
        if expression.is_Pow:
            return self._power(expression)
        parts = [self.node(arg) for arg in expression.args]
        if expression.is_Add:
            return lambda state: _fold(parts, state, lambda a, b: a + b)
        if isinstance(expression, FirstIsLarger | FirstIsSmaller):
            relation = ">=" if isinstance(expression, FirstIsLarger) else "<="
            a, b = parts
            return lambda state: _first_wins(relation, a(state), b(state))
        if isinstance(expression, FirstLargest):
            which, entries = int(expression.args[0]), parts[1:]
            return lambda state: fmpq(int(elementary.first_largest([entry(state) for entry in entries]) == which))
        if expression.func not in _ONE_PLACE:
            return _choosing(expression, parts)
        (x,) = parts
        function = _ONE_PLACE[expression.func]
        return lambda state: function(x(state))

    def _product(self, expression: sympy.Expr) -> Node:
        """With a denominator it is one division, so that an exact quotient stays exact and a zero is noticed."""
        above = [self.node(arg) for arg in expression.args if not _is_reciprocal(arg)]
        below = [self.node(1 / arg) for arg in expression.args if _is_reciprocal(arg)]
        if not below:
            return lambda state: _fold(above, state, lambda a, b: a * b)
        return lambda state: elementary.divide(
            _fold(above, state, lambda a, b: a * b), _fold(below, state, lambda a, b: a * b)
        )

    def _power(self, expression: sympy.Expr) -> Node:
        exponent = expression.exp
        if expression.base is sympy.E:
            inner = self.node(exponent)
            return lambda state: elementary.exp(inner(state))
        if not exponent.is_Rational:
            raise TypeError(f"{expression} has an exponent that is no number")
        base, value = self.node(expression.base), fmpq(int(exponent.p), int(exponent.q))
        if value == fmpq(1, 2):
            return lambda state: elementary.sqrt(base(state))
        return lambda state: elementary.power(base(state), value)

    def _by_cases(self, expression: sympy.Piecewise) -> Node:
        """Only the case that applies is worked out: the others may not exist."""
        cases = [(self._condition(condition), self.node(value)) for value, condition in expression.args]

        def choose(state: _State) -> Number:
            for holds, value in cases:
                if holds(state):
                    return value(state)
            raise TypeError(f"no case of {expression} applies")

        return choose

    def _condition(self, condition: sympy.Basic) -> Callable[[_State], bool]:
        if condition == sympy.true:
            return lambda state: True
        left, right = self.node(condition.lhs), self.node(condition.rhs)
        relation = str(condition.rel_op)
        return lambda state: elementary.compare(relation, left(state), right(state))


def _choosing(expression: sympy.Expr, parts: list[Node]) -> Node:
    """A comparison, a clip, or whether a value lies within bounds."""
    from derive.calculus.choices import Indicator  # few problems choose, and starting up is a budget
    from derive.numbers.choices import chooser

    name = expression.func.__name__.lower()
    choose = chooser("compare", (expression.relation,)) if isinstance(expression, Indicator) else chooser(name, ())
    return lambda state: choose(*(part(state) for part in parts))


def _fold(parts: list[Node], state: _State, join: Callable[[Number, Number], Number]) -> Number:
    if not parts:
        return fmpq(1)
    value = parts[0](state)
    for part in parts[1:]:
        value = join(value, part(state))
    return value


def _is_reciprocal(factor: sympy.Expr) -> bool:
    return bool(factor.is_Pow and factor.exp.is_Rational and factor.exp < 0)

"""Every entry of a small network as a SymPy expression, under the entry names that the problem gives.

Each equation's entries stand in terms of the entries of the names on its right-hand side, so nothing grows. A
function stays a function there (``sigmoid(z_1)``) whose derivative SymPy takes through ``fdiff``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from copy import copy
from functools import cache, cached_property
from typing import Any

import numpy as np
import sympy
from flint import fmpq

from derive.calculus.functions import DEFINITIONS, Functions, H, Key, Z, rational, short_slope
from derive.graph.expression import Adjoint, Expression, Name
from derive.graph.network import Network
from derive.graph.ops import evaluate
from derive.numbers.rearranged import Rearranged
from derive.problem.problem import Shape
from derive.records import dataclass

Array = Any

TOTAL = frozenset(DEFINITIONS) - {"log", "log2", "sqrt"}  # real for every real argument, and so are their derivatives


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a name, counted from 0."""

    name: Name
    index: tuple[int, ...]


class Explicit:
    """The entries of a network. ``entry_names`` maps a name to the texts of its entries, row by row."""

    def __init__(self, network: Network, functions: Functions, entry_names: Mapping[str, tuple[str, ...]]) -> None:
        self.network, self.functions = network, functions
        self._texts = entry_names
        self._symbols: dict[Name, Array] = {}
        self.entry_of: dict[sympy.Symbol, Entry] = {}
        self._equations: dict[str, Array] = {}
        self._once: dict[Any, Any] = {}

    def over(self, network: Network) -> Explicit:
        """The same entries over a network that differs in its numbers alone; what one works out is known to both."""
        twin = copy(self)
        twin.network = network
        return twin

    def once(self, key: Hashable, work: Callable[[], Any]) -> Any:
        """What ``work`` finds about these expressions, for all numbers: worked out when it is first asked for."""
        if key not in self._once:
            self._once[key] = work()
        return self._once[key]

    def symbols(self, name: Name) -> Array:
        """The entries of a name as an array of symbols of its shape."""
        if name not in self._symbols:
            shape = self.network.shape(name.by if isinstance(name, Adjoint) else str(name))
            if isinstance(name, Adjoint) and name.numerator:
                shape = shape[::-1]
            array: Array = np.empty(tuple(map(int, shape)), dtype=object)
            texts = self._texts.get(name) if isinstance(name, str) else None
            for flat, index in enumerate(np.ndindex(array.shape)):
                text = texts[flat] if texts else f"{name}[{','.join(map(str, index))}]" if index else str(name)
                symbol = sympy.Symbol(text, real=True)
                array[index] = symbol
                self.entry_of[symbol] = Entry(name, index)
            self._symbols[name] = array
        return self._symbols[name]

    def equation(self, name: str) -> Array:
        """The right-hand sides of an equation, entry by entry, in terms of the entries of what it uses."""
        if name not in self._equations:
            self._equations[name] = self.entries(self.network.equation(name).value)
        return self._equations[name]

    def entries(self, expression: Expression) -> Array:
        """The entries of any expression in the symbols of its names."""
        return evaluate(expression, self.symbols, self._kind)

    @cached_property
    def _kind(self) -> Symbolic:
        return Symbolic(self.functions)

    @cached_property
    def called_by_name(self) -> dict[sympy.Expr, sympy.Expr]:
        """What an entry of an equation computes, where it is a bare function of one entry, and the entry's symbol."""
        found: dict[sympy.Expr, sympy.Expr] = {}
        for equation in self.network.equations:
            name = str(equation.name)
            for value, symbol in zip(self.equation(name).ravel(), self.symbols(name).ravel(), strict=True):
                if isinstance(value, Elementwise):
                    found.setdefault(value, symbol)
        return found

    def written_out(self, value: sympy.Expr, within: Iterable[str] | None = None) -> sympy.Expr:
        """``value`` with every name replaced by its right-hand side, down to the data (to names not in ``within``)."""
        for equation in reversed(self.network.equations):
            name = str(equation.name)
            if within is not None and name not in within:
                continue
            there = value.free_symbols
            if not there.isdisjoint(self.symbols(name).flat):
                rights = zip(self.symbols(name).flat, self.equation(name).flat, strict=True)
                value = value.xreplace({symbol: right for symbol, right in rights if symbol in there})
        return value

    def with_definitions(self, value: sympy.Expr) -> sympy.Expr:
        """``value`` with every function replaced by its formula."""
        found: sympy.Expr = self.once(("with definitions", value), lambda: self._with_definitions(value))
        return found

    def _with_definitions(self, value: sympy.Expr) -> sympy.Expr:
        while formulas := {call: call.formula() for call in value.atoms(Elementwise) if call.formula() is not call}:
            value = value.xreplace(formulas)  # an argument may hold further ones
        return value


class Elementwise(sympy.Function):
    """f or f' of one of the problem's functions, unevaluated; SymPy differentiates it by ``fdiff``."""

    name: str
    at: Key
    functions: Functions
    order: int

    @classmethod
    def eval(cls, *args: Any) -> None:
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """The derivative: through this very output where that is short, else with a prime."""
        (z,) = self.args
        quotient = self.functions.through_output(self.name, self.at) if self.order == 0 else None
        if quotient is None:
            slope = self.functions.derivative(self.name, self.at) if self.order == 0 and self.name != "own" else None
            short = None if slope is None else short_slope(slope)
            if short is not None:
                ratio, name = short
                return ratio * (1 / z if name == "1/z" else elementwise(self.functions, name, ())(z))
            return elementwise(self.functions, self.name, self.at, self.order + 1)(z)
        top, bottom = quotient
        return top.xreplace({H: self}) / bottom.xreplace({H: self})

    def formula(self) -> sympy.Expr:
        """The definition (or its derivative) at the argument; itself where there is none."""
        found = self.functions.definition(self.name, self.at)
        if self.order == 1:
            found = self.functions.derivative(self.name, self.at)
        elif self.order > 1 and found is not None:
            found = sympy.diff(found, Z, self.order)
        return self if found is None else found.subs(Z, self.args[0])


@cache
def elementwise(functions: Functions, name: str, at: Key, order: int = 0) -> type[Elementwise]:
    """The SymPy function class for f (``order`` 0), f' (1), …"""
    shown = at[0] if name == "own" else name
    label = str(shown) + "".join(f"_{value}" for value in (at[1:] if name == "own" else at)) + "'" * order
    body = {"name": name, "at": at, "functions": functions, "order": order, "nargs": 1}
    if name in TOTAL:
        body["is_real"] = True  # else SymPy tries to find out, each time that it meets a call
    return type(label, (Elementwise,), body)


class Extreme(sympy.Function):
    """1 where the first operand of a maximum or minimum wins, else 0; flat almost everywhere."""

    nargs = 2
    sign = 1

    @classmethod
    def eval(cls, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr | None:
        """1 or 0 of two numbers, itself of anything else; of equals the first wins."""
        if a.is_Number and b.is_Number:
            return sympy.Integer(bool(cls.sign * (a - b) >= 0))
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Zero."""
        return sympy.S.Zero


class FirstIsLarger(Extreme):
    """For ``maximum``."""


class FirstIsSmaller(Extreme):
    """For ``minimum``."""

    sign = -1


class FirstLargest(sympy.Function):
    """1 where, of the arguments behind the first, the one that the first counts (from 0) is the first largest; else 0.

    Flat almost everywhere.
    """

    @classmethod
    def eval(cls, which: sympy.Integer, *entries: sympy.Expr) -> sympy.Expr | None:
        """1 or 0 of numbers, itself of anything else."""
        if all(entry.is_Number for entry in entries):
            k = int(which)
            before, after = entries[:k], entries[k + 1 :]
            wins = all(entry < entries[k] for entry in before) and all(entry <= entries[k] for entry in after)
            return sympy.Integer(bool(wins))
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Zero."""
        return sympy.S.Zero


class Symbolic(Rearranged):
    """SymPy expressions as a kind of number for the graph's op table."""

    zero, one = sympy.S.Zero, sympy.S.One

    def __init__(self, functions: Functions) -> None:
        self.functions = functions

    def settle(self, value: Any, expression: Expression) -> Array:
        """An array again, where NumPy has unwrapped a scalar."""
        return _array(value)

    def number(self, value: fmpq) -> Array:
        return _array(rational(value))

    def size(self, name: str) -> Array:
        return _array(sympy.Symbol(name, integer=True, positive=True))

    def matmul(self, a: Array, b: Array) -> Array:
        return a @ b

    def power(self, a: Array, exponent: fmpq) -> Array:
        return _each(lambda x: self._called_abs(x ** rational(exponent)), a)

    def _called_abs(self, value: sympy.Expr) -> sympy.Expr:
        """The root of a square is the absolute value, which is a function of the problem's."""
        return value.replace(sympy.Abs, elementwise(self.functions, "abs", ())) if value.has(sympy.Abs) else value

    def divide(self, a: Array, b: Array) -> Array:
        return _array(a / b)

    def function(self, name: str, at: Key, a: Array) -> Array:
        return _each(elementwise(self.functions, name, at), a)

    def derivative(self, name: str, at: Key, a: Array) -> Array:
        order = 1
        while name == "derivative":
            name, at, order = at[0], at[1:], order + 1
        return _each(elementwise(self.functions, name, at, order), a)

    def first_wins(self, kind: str, a: Array, b: Array) -> Array:
        wins = FirstIsLarger if kind == "maximum" else FirstIsSmaller
        return _each(lambda x, y: wins(x, y), *np.broadcast_arrays(a, b))

    def softmax(self, a: Array, axis: int) -> Array:
        powers = _each(sympy.exp, a)
        return _array(powers / self.total(powers, axis))

    def log_softmax(self, a: Array, axis: int) -> Array:
        return _array(a - _each(sympy.log, self.total(_each(sympy.exp, a), axis)))

    def total(self, a: Array, axis: int | None) -> Array:
        if axis is None:
            return _array(sympy.Add(*a.ravel()))
        return np.apply_along_axis(lambda line: np.array([sympy.Add(*line)], dtype=object), axis, a)

    def spread(self, a: Array, shape: Shape) -> Array:
        return np.broadcast_to(a, tuple(map(int, shape)))

    def choice(self, name: str, at: Key, operands: tuple[Array, ...]) -> Array:
        from derive.calculus.choices import choice  # few problems choose, and starting up is a budget

        return _each(lambda *entries: choice(name, at, entries), *np.broadcast_arrays(*operands))

    def pi(self) -> Array:
        return _array(sympy.pi)

    def diag(self, vector: Array) -> Array:
        result = np.full((vector.size, vector.size), sympy.S.Zero, dtype=object)
        np.fill_diagonal(result, vector.ravel())
        return result

    def diagonal(self, a: Array, axis: int) -> Array:
        return a.diagonal().reshape((1, -1) if axis == 0 else (-1, 1))

    def wins(self, rows: Array) -> Array:
        if rows.shape[1] == 1:
            return np.full(rows.shape, sympy.S.One, dtype=object)
        array = np.empty(rows.shape, dtype=object)
        for place in np.ndindex(rows.shape):
            array[place] = FirstLargest(sympy.Integer(place[1]), *rows[place[0]])
        return array

    def trace(self, a: Array) -> Array:
        return _array(sympy.Add(*a.diagonal()))

    def determinant(self, a: Array) -> Array:
        return _array(_matrix(a).det(method="berkowitz"))

    def log_determinant(self, a: Array) -> Array:
        return _array(self.function("log", (), _array(self.determinant(a) ** 2)) / 2)  # smooth on both sides of 0

    def inverse(self, a: Array) -> Array:
        matrix = _matrix(a)
        cofactors = matrix.adjugate(method="berkowitz")
        return _array(np.array(cofactors.tolist(), dtype=object) / matrix.det(method="berkowitz"))


def _array(value: Any) -> Array:
    if isinstance(value, np.ndarray):
        return value
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def _matrix(a: Array) -> sympy.Matrix:
    return sympy.Matrix(a.shape[0], a.shape[1], a.ravel().tolist())


def _each(f: Any, *arrays: Array) -> Array:
    first = arrays[0]
    result = np.empty(first.shape, dtype=object)
    for index in np.ndindex(first.shape):
        result[index] = f(*(array[index] for array in arrays))
    return result

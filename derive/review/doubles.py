"""Doubles as a kind of number for the graph's op table: for trying many wrong formulas, never for a verdict.

What has no value (a logarithm of a negative number, say) is NaN, and NaN lies in no interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy
from flint import fmpq

from derive.calculus.functions import Functions, Key
from derive.numbers.rearranged import joined, put, taken
from derive.problem.problem import Shape

Floats = npt.NDArray[np.float64]
COMPARED: dict[str, Any] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip


class Doubles:
    """Each method takes and gives float arrays; a number is an array of shape ``()``."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._compiled: dict[tuple[bool, str, Key], Callable[[Floats], Any]] = {}

    def settle(self, value: Any, expression: Any) -> Any:
        """The value: doubles are as they are."""
        return value

    def number(self, value: fmpq) -> Any:
        return np.float64(int(value.p) / int(value.q))

    def size(self, name: str) -> Any:
        raise TypeError(f"the size {name} has no number")

    def matmul(self, a: Any, b: Any) -> Any:
        return a @ b

    def power(self, a: Any, exponent: fmpq) -> Any:
        return np.power(a, float(self.number(exponent)))

    def divide(self, a: Any, b: Any) -> Any:
        return np.divide(a, b)

    def function(self, name: str, at: Key, a: Any) -> Any:
        return self._call(False, name, at, a)

    def derivative(self, name: str, at: Key, a: Any) -> Any:
        return self._call(True, name, at, a)

    def first_wins(self, kind: str, a: Any, b: Any) -> Any:
        return np.where(np.greater_equal(a, b) if kind == "maximum" else np.less_equal(a, b), 1.0, 0.0)

    def softmax(self, a: Any, axis: int) -> Any:
        powers = np.exp(a - np.max(a, axis=axis, keepdims=True))
        return powers / np.sum(powers, axis=axis, keepdims=True)

    def log_softmax(self, a: Any, axis: int) -> Any:
        top = a - np.max(a, axis=axis, keepdims=True)
        return top - np.log(np.sum(np.exp(top), axis=axis, keepdims=True))

    def total(self, a: Any, axis: int | None) -> Any:
        return np.sum(a) if axis is None else np.sum(a, axis=axis, keepdims=True)

    def spread(self, a: Any, shape: Shape) -> Any:
        return np.broadcast_to(a, tuple(map(int, shape)))

    def take(self, a: Any, slices: Sequence[Any]) -> Any:
        return taken(a, slices)

    def put(self, a: Any, slices: Sequence[Any], shape: Shape) -> Any:
        return put(a, slices, np.zeros(tuple(map(int, shape))))

    def join(self, parts: Sequence[Any], axis: int) -> Any:
        return joined([np.asarray(part) for part in parts], axis)

    def entry(self, a: Any, place: tuple[int, ...]) -> Any:
        return a[place]

    def reshape(self, a: Any, shape: Shape) -> Any:
        return np.reshape(a, tuple(map(int, shape)))

    def one_hot(self, chosen: Sequence[int], classes: int) -> Any:
        return np.eye(classes)[list(chosen)]

    def choice(self, name: str, at: Key, operands: tuple[Any, ...]) -> Any:
        if name == "compare":
            return np.where(COMPARED[at[0]](*operands), 1.0, 0.0)
        a, low, high = operands
        return np.clip(a, low, high) if name == "clip" else np.where((low < a) & (a < high), 1.0, 0.0)

    def pi(self) -> Any:
        return np.pi

    def wins(self, rows: Any) -> Any:
        return np.eye(rows.shape[1])[np.argmax(rows, axis=1)]

    def diag(self, vector: Any) -> Any:
        return np.diag(np.ravel(vector))

    def diagonal(self, a: Any, axis: int) -> Any:
        return np.diagonal(a).reshape((1, -1) if axis == 0 else (-1, 1))

    def trace(self, a: Any) -> Any:
        return np.trace(a)

    def determinant(self, a: Any) -> Any:
        return np.linalg.det(a)

    def log_determinant(self, a: Any) -> Any:
        return np.linalg.slogdet(a)[1]

    def inverse(self, a: Any) -> Any:
        return np.linalg.inv(a) if np.linalg.matrix_rank(a) == len(a) else np.full(np.shape(a), np.nan)

    def _call(self, slope: bool, name: str, at: Key, a: Any) -> Any:
        key = (slope, name, at)
        if key not in self._compiled:
            formula = (self._functions.derivative if slope else self._functions.definition)(name, at)
            if formula is None:
                raise TypeError(f"{at[0]} has no formula")
            self._compiled[key] = _compiled(formula)
        return self._compiled[key](np.asarray(a, dtype=float))


def _compiled(formula: sympy.Expr) -> Callable[[Floats], Any]:
    """A formula in ``Z`` as a NumPy function; its constants are stretched to the argument's shape."""
    node = _node(formula)
    return lambda a: node(a) + np.zeros_like(a)


def _node(formula: sympy.Expr) -> Callable[[Floats], Any]:
    if formula.is_Symbol:
        return lambda a: a
    if formula.is_number:
        value = float(formula)
        return lambda a: value
    if isinstance(formula, sympy.Piecewise):
        cases = [(_holds(condition), _node(value)) for value, condition in formula.args]
        return lambda a: np.select([holds(a) for holds, _ in cases], [value(a) + 0 * a for _, value in cases], np.nan)
    parts = [_node(arg) for arg in formula.args]
    if formula.is_Add:
        return lambda a: reduce(np.add, [part(a) for part in parts])
    if formula.is_Mul:
        return lambda a: reduce(np.multiply, [part(a) for part in parts])
    if formula.is_Pow:
        return lambda a: np.power(parts[0](a), parts[1](a))
    call = _FUNCTIONS[formula.func]
    return lambda a: call(parts[0](a))


def _holds(condition: Any) -> Callable[[Floats], Any]:
    if condition == sympy.true:
        return lambda a: np.full(np.shape(a), True)
    left, right, compare = _node(condition.lhs), _node(condition.rhs), COMPARED[str(condition.rel_op)]
    return lambda a: compare(left(a), right(a))


_FUNCTIONS: dict[type, Callable[[Any], Any]] = {
    sympy.exp: np.exp, sympy.log: np.log, sympy.sin: np.sin, sympy.cos: np.cos,
    sympy.erf: np.vectorize(math.erf, otypes=[float]), sympy.Abs: np.abs, sympy.sign: np.sign,
}  # fmt: skip

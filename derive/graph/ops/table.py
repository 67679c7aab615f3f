"""The op table: one row per operation.

A row says how the shape follows, what the value is over any kind of number, how an upstream adjoint ``G`` is pulled
back to each operand, under which key the printer finds it, and what an entry of the result is. The rows stand in the
modules beside this one, by idea; adding an operation means adding its row. A test walks the table for holes, proves the
rule on entries, and compares it with an outside autodiff.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from flint import fmpq

from derive.graph.expression import Expression
from derive.problem.problem import Shape, Size
from derive.records import dataclass

Array = Any  # a NumPy object array over one kind of number


class Arithmetic(Protocol):
    """One kind of number: what ``+ - * /`` of an array do not say. Arrays keep their rank; ``axis`` counts from 0."""

    def number(self, value: fmpq) -> Array: ...
    def size(self, name: str) -> Array: ...
    def matmul(self, a: Array, b: Array) -> Array: ...
    def power(self, a: Array, exponent: fmpq) -> Array: ...
    def divide(self, a: Array, b: Array) -> Array: ...
    def function(self, name: str, at: tuple[Any, ...], a: Array) -> Array: ...
    def derivative(self, name: str, at: tuple[Any, ...], a: Array) -> Array: ...
    def first_wins(self, kind: str, a: Array, b: Array) -> Array: ...
    def log_softmax(self, a: Array, axis: int) -> Array: ...
    def softmax(self, a: Array, axis: int) -> Array: ...
    def total(self, a: Array, axis: int | None) -> Array: ...
    def spread(self, a: Array, shape: Shape) -> Array: ...


class Entries(Protocol):
    """The operands of one node, entry by entry, for the index form of its result."""

    def operand(self, k: int, *index: Any) -> Any: ...
    def total(self, size: Size, term: Callable[[Any], Any]) -> Any: ...
    def function(self, name: str, at: tuple[Any, ...], x: Any) -> Any: ...
    def power(self, x: Any, exponent: fmpq) -> Any: ...
    def number(self, value: fmpq) -> Any: ...
    def size(self, size: Size) -> Any: ...
    def delta(self, i: Any, j: Any) -> Any: ...


Pullback = Callable[[Expression, Expression], tuple[Expression, ...]]


@dataclass(frozen=True, slots=True)
class Op:
    """One row. ``value(kind, node, operands)``, ``pullback(G, node)``, ``index(entries, node, i, j)``,
    with as many indices as the result has axes."""

    name: str
    shape: Callable[[tuple[Shape, ...], tuple[Any, ...]], Shape]
    value: Callable[[Any, Expression, tuple[Array, ...]], Array]
    pullback: Pullback
    notation: str
    index: Callable[..., Any]
    elementwise: bool = False


OPS: dict[str, Op] = {}


def row(name: str, **columns: Any) -> None:
    """Adds a row; the printer's key is the name unless ``notation`` says otherwise."""
    OPS[name] = Op(name, **{"notation": name, **columns})


def apply(op: str, *args: Expression, at: tuple[Any, ...] = ()) -> Expression:
    """The node ``op(*args)``, its shape worked out by the row. Raises ``ShapeError``."""
    return Expression(op, args, at, OPS[op].shape(tuple(arg.shape for arg in args), at))


def value_of(kind: Any, expression: Expression) -> Array:
    """The value of an expression without names, such as a factor that a row builds."""
    return OPS[expression.op].value(kind, expression, tuple(value_of(kind, arg) for arg in expression.args))


def evaluate(expression: Expression, env: Callable[[Any], Array], kind: Any) -> Array:
    """The value of an expression over one kind of number; ``env`` gives the value of a name."""
    if expression.op == "name":
        return env(expression.name)
    operands = tuple(evaluate(arg, env, kind) for arg in expression.args)
    return kind.settle(OPS[expression.op].value(kind, expression, operands), expression)

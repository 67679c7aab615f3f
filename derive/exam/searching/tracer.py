"""The kind of number that writes down what it is asked to do: a program of operations on single numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from flint import fmpq

from derive.calculus.functions import KINKED, Key
from derive.calculus.numeric import of_one_variable
from derive.exam.searching.program import Group, Instruction, Untraceable, Value
from derive.numbers import arrays, choices, functions, linear
from derive.numbers.balls import Number
from derive.numbers.rearranged import Rearranged
from derive.problem.problem import Shape
from derive.solution import Part

SATURATING = ("sigmoid", "tanh")
MOST_INSTRUCTIONS = 200_000


class Scalar:
    """A number that is not known yet: a slot of the program that is being written."""

    __slots__ = ("slot", "tracer")

    def __init__(self, tracer: Tracer, slot: int) -> None:
        self.tracer, self.slot = tracer, slot

    def __add__(self, other: Any) -> Any:
        return self.tracer.sum((self, other)) if isinstance(other, Scalar) else NotImplemented

    def __sub__(self, other: Any) -> Any:
        return self.tracer.sum((self, -other)) if isinstance(other, Scalar) else NotImplemented

    def __mul__(self, other: Any) -> Any:
        return self.tracer.product(self, other) if isinstance(other, Scalar) else NotImplemented

    def __neg__(self) -> Scalar:
        return self.tracer.negative(self)


class Tracer(Rearranged):
    """The kind of number that writes a program. ``quantity`` is what is being worked out now."""

    zero: Scalar
    one: Scalar

    def __init__(self, part: Part) -> None:
        self._functions, self._formulas = part.functions, dict[tuple[bool, str, Key], Value]()
        self.instructions: list[Instruction] = []
        self.literals: dict[int, fmpq] = {}  # numbers of the formulas: an operation by one of these folds
        self.fixed: dict[int, fmpq] = {}
        self.layers: list[Group] = []
        self.saturating: list[Group] = []
        self.kinks: dict[tuple[str, tuple[int, ...]], Group] = {}
        self.quantity = ""
        self.slots = 0
        self._known: dict[Any, Scalar] = {}
        self._literal: dict[fmpq, Scalar] = {}
        self.zero, self.one = self.literal(fmpq(0)), self.literal(fmpq(1))

    # ── numbers ──

    def fresh(self) -> Scalar:
        """A new slot."""
        self.slots += 1
        return Scalar(self, self.slots - 1)

    def literal(self, value: fmpq) -> Scalar:
        """A number of a formula; an operation by 0, 1 or -1 of these leaves no instruction."""
        if value not in self._literal:
            one = self._literal[value] = self.fresh()
            self.literals[one.slot] = self.fixed[one.slot] = value
        return self._literal[value]

    def given(self, value: fmpq) -> Scalar:
        """A number of the data that does not vary: an operand like any other."""
        one = self.fresh()
        self.fixed[one.slot] = value
        return one

    def _is(self, x: Scalar, value: int) -> bool:
        return self.literals.get(x.slot) == value

    def write(
        self, op: str, inputs: Sequence[Scalar], value: Value | None = None, most: int = 0, key: Any = None
    ) -> Scalar:
        """An instruction, or the one that does the same for the same quantity already."""
        slots = tuple(one.slot for one in inputs)
        again = (self.quantity, op, slots, key)
        if again not in self._known:
            if len(self.instructions) >= MOST_INSTRUCTIONS:
                raise Untraceable(f"more than {MOST_INSTRUCTIONS:,} operations")
            result = self._known[again] = self.fresh()
            self.instructions.append(Instruction(op, slots, result.slot, self.quantity, most, value))
        return self._known[again]

    def sum(self, terms: Sequence[Scalar]) -> Scalar:
        """The sum of some terms, zeros of formulas left out."""
        kept = [one for one in terms if not self._is(one, 0)]
        if not kept:
            return self.zero
        return kept[0] if len(kept) == 1 else self.write("sum", kept, most=len(kept) - 1)

    def product(self, a: Scalar, b: Scalar) -> Scalar:
        """``a`` times ``b``."""
        for x, y in ((a, b), (b, a)):
            if self._is(x, 0):
                return self.zero
            if self._is(x, 1):
                return y
            if self._is(x, -1):
                return self.negative(y)
        return self.write("product", (a, b), most=1)

    def negative(self, x: Scalar) -> Scalar:
        """``-x``, which is no operation on two numbers."""
        if x.slot in self.literals:
            return self.literal(-self.literals[x.slot])
        return self.write("negative", (x,), lambda v: -v)

    # ── the kind of number ──

    def settle(self, value: Any, expression: Any) -> Any:
        """An array again, where NumPy has unwrapped a scalar."""
        return arrays.wrap(value)

    def number(self, value: fmpq) -> Any:
        return arrays.wrap(self.literal(value))

    def size(self, name: str) -> Any:
        raise Untraceable(f"the size {name} has no number")

    def matmul(self, a: Any, b: Any) -> Any:
        rows, inner, columns = a.shape[0], a.shape[1], b.shape[1]
        found = [
            self.sum([self.product(a[i, k], b[k, j]) for k in range(inner)])
            for i in range(rows)
            for j in range(columns)
        ]
        return filled((rows, columns), found)

    def _each(self, one: Callable[..., Scalar], *operands: Any) -> Any:
        spread = np.broadcast_arrays(*operands)
        flat = zip(*(part.ravel().tolist() for part in spread), strict=True)
        return filled(spread[0].shape, [one(*entries) for entries in flat])

    def power(self, a: Any, exponent: fmpq) -> Any:
        most = abs(int(exponent.p)) - 1 + (exponent < 0) if exponent.q == 1 else 0
        return self._each(
            lambda x: self.write("power", (x,), lambda v: functions.power(v, exponent), most, exponent), a
        )

    def divide(self, a: Any, b: Any) -> Any:
        return self._each(lambda x, y: self.write("divide", (x, y), functions.divide, 1), a, b)

    def function(self, name: str, at: Key, a: Any) -> Any:
        if name == "relu":
            self.layers.append(self._group("relu", a))
        if name in SATURATING:
            self.saturating.append(self._group(name, a))
        return self._call(False, name, at, a)

    def derivative(self, name: str, at: Key, a: Any) -> Any:
        return self._call(True, name, at, a)

    def _call(self, slope: bool, name: str, at: Key, a: Any) -> Any:
        key = (slope, name, at)
        if key not in self._formulas:
            formula = (self._functions.derivative if slope else self._functions.definition)(name, at)
            if formula is None:
                raise Untraceable(f"{name} has no formula")
            self._formulas[key] = of_one_variable(formula)
        if name in KINKED:
            for x in a.ravel().tolist():
                self._kink(name, (x,))
        value = self._formulas[key]
        return self._each(lambda x: self.write("call", (x,), value, key=key), a)

    def first_wins(self, kind: str, a: Any, b: Any) -> Any:
        relation = ">=" if kind == "maximum" else "<="
        return self._each(lambda x, y: self._compared(relation, x, y), a, b)

    def extreme(self, kind: str, a: Any, b: Any) -> Any:
        """The larger or the smaller of two, one choice an entry."""
        value = functions.maximum if kind == "maximum" else functions.minimum
        if kind == "maximum" and any(self._is(x, 0) for x in (*a.ravel().tolist(), *b.ravel().tolist())):
            self.layers.append(self._group("relu", b if self._is(a.ravel()[0], 0) else a))

        def one(x: Scalar, y: Scalar) -> Scalar:
            self._kink(kind, (x, y))
            return self.write(kind, (x, y), value)

        return self._each(one, a, b)

    def choice(self, name: str, at: Key, operands: tuple[Any, ...]) -> Any:
        if name == "compare":
            return self._each(lambda x, y: self._compared(at[0], x, y), *operands)

        def one(*entries: Scalar) -> Scalar:
            for end in entries[1:]:
                self._kink("clip", (entries[0], end))
            return self.write(name, entries, choices.chooser(name, at), key=at)

        return self._each(one, *operands)

    def _compared(self, relation: str, x: Scalar, y: Scalar) -> Scalar:
        if relation not in ("==", "!="):
            self._kink(relation, (x, y))
        return self.write("compare", (x, y), lambda a, b: choices.holds(relation, a, b), key=relation)

    def wins(self, rows: Any) -> Any:
        def one(entries: list[Scalar], k: int) -> Scalar:
            return self.write(f"wins {k}", entries, lambda *v: fmpq(int(functions.first_largest(v) == k)))

        for row in rows:
            self._kink("largest", tuple(row.tolist()))
        return filled(rows.shape, [one(row.tolist(), k) for row in rows for k in range(rows.shape[1])])

    def log_softmax(self, a: Any, axis: int) -> Any:
        powers = self._exponentials(a, axis)
        log = self._call(False, "log", (), self.total(powers, axis))
        return a - np.broadcast_to(log, a.shape)

    def softmax(self, a: Any, axis: int) -> Any:
        powers = self._exponentials(a, axis)
        return self.divide(powers, self.total(powers, axis))

    def _exponentials(self, a: Any, axis: int) -> Any:
        self.saturating.append(self._group("softmax", a))
        return self._call(False, "exp", (), a)

    def total(self, a: Any, axis: int | None) -> Any:
        if axis is None:
            return arrays.wrap(self.sum(a.ravel().tolist()))
        lines = np.moveaxis(a, axis, -1)
        sums = [self.sum(line.tolist()) for line in lines.reshape(-1, lines.shape[-1])]
        return np.expand_dims(filled(lines.shape[:-1], sums), axis)

    def spread(self, a: Any, shape: Shape) -> Any:
        return np.broadcast_to(a, tuple(map(int, shape)))

    def pi(self) -> Any:
        return arrays.wrap(self.write("pi", (), functions.pi))

    def diag(self, vector: Any) -> Any:
        result = filled((vector.size, vector.size), [self.zero] * vector.size**2)
        np.fill_diagonal(result, vector.ravel())
        return result

    def diagonal(self, a: Any, axis: int) -> Any:
        return a.diagonal().reshape((1, -1) if axis == 0 else (-1, 1))

    def trace(self, a: Any) -> Any:
        return arrays.wrap(self.sum(a.diagonal().tolist()))

    def _whole(self, name: str, value: Callable[[arrays.Array], Number], a: Any, key: Any = None) -> Scalar:
        """A number that a matrix has as a whole: one instruction."""
        return self.write(name, a.ravel().tolist(), lambda *v: value(filled(a.shape, v)), key=key)

    def determinant(self, a: Any) -> Any:
        return arrays.wrap(self._whole("det", lambda m: linear.determinant(m).item(), a))

    def log_determinant(self, a: Any) -> Any:
        return arrays.wrap(self._whole("logdet", lambda m: linear.log_determinant(m).item(), a))

    def inverse(self, a: Any) -> Any:
        def one(place: tuple[int, ...]) -> Scalar:
            return self._whole("inv", lambda m: linear.inverse(m)[place], a, place)

        return filled(a.shape, [one(place) for place in np.ndindex(*a.shape)])

    # ── what constraints are put on ──

    def _group(self, function: str, a: Any) -> Group:
        return Group(function, self.quantity, tuple(x.slot for x in a.ravel().tolist()))

    def _kink(self, function: str, entries: Sequence[Scalar]) -> None:
        slots = tuple(x.slot for x in entries)
        self.kinks.setdefault((function, slots), Group(function, self.quantity, slots))


def filled(shape: tuple[int, ...], entries: Sequence[Any]) -> Any:
    """The array of ``shape`` with these entries, row by row."""
    result = np.empty(shape, dtype=object)
    if result.ndim:
        result.reshape(-1)[:] = entries
    else:
        result[()] = entries[0]
    return result

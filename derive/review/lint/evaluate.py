"""A tree worked out: printed decimals as whatever they are taken for, names by their values where they have any."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from flint import arb, fmpq

from derive.numbers.balls import Number
from derive.review.lint.cursor import literal
from derive.review.lint.functions import FUNCTIONS, SLOPES, divide, larger, power, smaller
from derive.review.lint.tree import Misfit, Node, Unread
from derive.review.lint.values import (
    EYE,
    ONE,
    ONES,
    ZERO,
    ZEROS,
    Value,
    ball,
    combined,
    flint_matrix,
    grid,
    inverse,
    meets,
    scalar,
    times,
)


class Setting(Protocol):
    """What names stand for."""

    axis: int

    def value(self, key: Any) -> Value:
        """The value of a name."""

    def partial(self, above: Any, below: Any, direct: bool) -> Value:
        """A derivative of one name by another."""

    def running(self, key: Any) -> tuple[Value, str]:
        """A name with running indices: its value, and the letters."""

    def function(self, name: Any, primes: int) -> Callable[[Number], Number]:
        """A function, or its derivative."""


class Nameless:
    """No names: what holds for every formula of numbers."""

    axis = 1

    def value(self, key: Any) -> Value:
        """Raises ``Unread``."""
        raise Unread("symbolic", str(key))

    def partial(self, above: Any, below: Any, direct: bool) -> Value:
        """Raises ``Unread``."""
        raise Unread("symbolic", str(above))

    def running(self, key: Any) -> tuple[Value, str]:
        """Raises ``Unread``."""
        raise Unread("symbolic", str(key))

    def function(self, name: Any, primes: int) -> Callable[[Number], Number]:
        """A function that everyone knows. Raises ``Unread`` for one with parameters."""
        table = (FUNCTIONS, SLOPES)
        if primes > 1 or name not in table[primes]:
            raise Unread("symbolic", str(name))
        return table[primes][name]


Decimal = Callable[[Node], Number]


def literally(node: Node) -> Number:
    """A printed decimal as the rational that it spells."""
    return literal(*node.at)


def half_unit(node: Node) -> fmpq:
    """Half a unit of the last digit that is printed."""
    digits, exponent = node.at
    half: fmpq = fmpq(10) ** (exponent - len(digits.partition(".")[2])) / 2
    return half


_HOLDS: Mapping[str, tuple[Callable[[Number, Number], Any], Callable[[Number, Number], Any]]] = {
    "<": (operator.lt, operator.ge), r"\leq": (operator.le, operator.gt),
    ">": (operator.gt, operator.le), r"\geq": (operator.ge, operator.lt),
}  # fmt: skip


def _indicated(relation: str) -> Callable[[Number, Number], Number]:
    """1 where a relation holds, else 0; a ball from 0 to 1 where intervals do not tell."""

    def value(x: Number, y: Number) -> Number:
        if relation in ("=", r"\neq"):
            holds, fails = bool(x == y), not meets(x, y)
            if not holds and not fails and isinstance(x, arb) and isinstance(y, arb):
                holds = x.rel_accuracy_bits() > 50 and y.rel_accuracy_bits() > 50
            if relation == r"\neq":
                holds, fails = fails, holds
        else:
            holds, fails = (bool(test(x, y)) for test in _HOLDS[relation])
        if not holds and not fails:
            raise Unread("unbounded", "1[…]")
        return ONE if holds else ZERO

    return value


class Evaluator:
    """Works trees out. ``decimal`` gives the number that a printed decimal is taken for."""

    def __init__(self, setting: Setting, decimal: Decimal) -> None:
        self.setting, self.decimal = setting, decimal
        self._at: dict[str, int] = {}

    def value(self, node: Node) -> Value:
        """The value of a piece. Raises ``Unread`` and ``Misfit``."""
        match node.kind:
            case "num" | "sci":
                return scalar(self.decimal(node))
            case "name":
                return self._name(node.at[0])
            case "partial":
                return self.setting.partial(*node.at)
            case "bracket":
                return self.value(node.kids[0])
            case "sized":
                return self.value(node.kids[0]).fitted(node.at)
            case "neg":
                return combined(operator.neg, self.value(node.kids[0]))
            case "add":
                return self._added(node)
            case "mul":
                whole = self.value(node.kids[0])
                for kid in node.kids[1:]:
                    whole = times(whole, self.value(kid))
                return whole
            case "odot":
                return combined(operator.mul, *map(self.value, node.kids))
            case "oslash" | "frac":
                a, b = map(self.value, node.kids)
                if node.kind == "frac" and not b.lone:  # entry by entry, one supposes
                    raise Unread("ambiguous", "a matrix below a line")
                return combined(divide, a, b)
            case "pow" | "entry_pow":
                base, exponent = self.value(node.kids[0]), node.at[0]
                if node.kind == "pow" and not base.lone:
                    if exponent == -1:
                        return inverse(base)
                    raise Unread("ambiguous", "a power of a matrix")
                return combined(lambda x: power(x, exponent), base)
            case "transpose":
                return self.value(node.kids[0]).turned
            case "norm":
                inner = self.value(node.kids[0])
                squares = sum((power(ball(x), fmpq(2)) for x in inner.entries), arb(0))
                return scalar(FUNCTIONS["sqrt"](squares))
            case "call":
                return self._call(node)
            case "sum" | "extreme":
                return self._over(node)
            case "index":
                return self._picked(self._apart(node.kids[0]), node.at[0])
            case "matrix":
                if node.elided:
                    raise Unread("elided", "…")
                rows, columns = node.at
                return grid(rows, columns, [self.value(kid) for kid in node.kids])
            case "indicator":
                return self._indicator(node)
            case "star" | "window":
                from derive.review.lint import windows

                parts = [self.value(kid) for kid in node.kids]
                if node.kind == "star":
                    return windows.star(parts[0], parts[1], node.at[0])
                return windows.word(node.at[0], node.at[1], parts)
            case "ones":
                return ONES
            case "eye":
                return EYE
            case "zeros":
                return ZEROS
            case "pi":
                return scalar(arb.pi())
        raise Unread("elided" if node.kind == "dots" else "syntax", node.kind)

    def _apart(self, node: Node) -> Value:
        return Evaluator(self.setting, self.decimal).value(node)

    def _added(self, node: Node) -> Value:
        total: Value | None = None
        for sign, kid in zip(node.at, node.kids, strict=True):
            part = self.value(kid)
            part = part if sign > 0 else combined(operator.neg, part)
            total = part if total is None else combined(operator.add, total, part)
        assert total is not None
        return total

    def _name(self, key: Any) -> Value:
        if getattr(key, "letters", None):
            return self._picked(*self.setting.running(key))
        return self.setting.value(key)

    def _picked(self, whole: Value, letters: str) -> Value:
        place = []
        for axis, letter in enumerate("ij"):
            size = whole.shape[axis]
            if letter in letters:
                if letter not in self._at:
                    raise Unread("symbolic", letter)
                if self._at[letter] >= size:
                    raise Misfit(f"{letter} > {size}")
                place.append(self._at[letter])
            elif size == 1:
                place.append(0)
            else:
                raise Misfit(f"{whole.rows} × {whole.columns}, {letters}")
        return scalar(whole.at(*place))

    def _over(self, node: Node) -> Value:
        """A sum (or an extreme) over all values of its running indices."""
        (body,), (what, last) = node.kids, node.at
        letters = what if node.kind == "sum" else last
        join: Callable[[Number, Number], Number] = operator.add
        if node.kind == "extreme":
            join = larger if what == "max" else smaller
        before, total = dict(self._at), None
        sizes = [self._size(letter, body) for letter in letters]
        if node.kind == "sum" and last is not None and sizes != [last]:
            raise Misfit(f"{letters} = 1, …, {last}")
        for k in range(sizes[0] * (sizes[1] if len(sizes) > 1 else 1)):
            places = divmod(k, sizes[1]) if len(sizes) > 1 else (k,)
            self._at.update(zip(letters, places, strict=True))
            part = self.value(body)
            total = part if total is None else combined(join, total, part)
        self._at = before
        assert total is not None
        return total

    def _size(self, letter: str, body: Node) -> int:
        axis, sizes = "ij".index(letter), set()
        for node in body.walk():
            if node.kind == "name" and letter in getattr(node.at[0], "letters", ""):
                sizes.add(self.setting.running(node.at[0])[0].shape[axis])
            elif node.kind == "index" and letter in node.at[0]:
                sizes.add(self._apart(node.kids[0]).shape[axis])
        if len(sizes) != 1:
            raise Unread("symbolic", rf"\sum_{letter}")
        return int(sizes.pop())

    def _call(self, node: Node) -> Value:
        name, primes = node.at[0], node.at[1]
        parts = [self.value(kid) for kid in node.kids]
        match name:
            case "max" | "min" if not primes:
                extreme = larger if name == "max" else smaller
                if len(parts) == 1:
                    return scalar(_joined(extreme, parts[0].entries))
                return combined(lambda *entries: _joined(extreme, entries), *parts)
            case "clip":
                return combined(lambda x, low, high: smaller(larger(x, low), high), *parts)
            case "diag":
                return _diagonal(parts[0])
            case "tr" | "det":
                matrix = flint_matrix(parts[0])
                if name == "det":
                    return scalar(matrix.det())
                return scalar(sum((matrix[k, k] for k in range(parts[0].rows)), ZERO))
            case "softmax":
                axis = node.at[3] - 1 if len(node.at) > 3 and node.at[3] else self.setting.axis
                return softmax(parts[0], axis)
        return combined(self.setting.function(name, primes), parts[0])

    def _indicator(self, node: Node) -> Value:
        """0s and 1s. Where what is largest in its line is compared with its entries, the first equal counts."""
        sides = [self.value(kid) for kid in node.kids]
        found: Value | None = None
        for relation, a, b in zip(node.at, sides, sides[1:], strict=False):
            here = combined(_indicated(relation), a, b)
            found = here if found is None else combined(operator.mul, found, here)
        assert found is not None
        if node.at == ("=",) and len(sides[1].entries) < len(sides[0].entries):
            return _first(found, sides[1])
        return found


def _first(marks: Value, least: Value) -> Value:
    """Of several ones in a line only the first: in the whole, in each row or in each column."""
    turn = not least.lone and least.columns != 1
    marks = marks.turned if turn else marks
    flat: list[Number] = []
    met = False
    for r in range(marks.rows):
        met = met and least.lone
        for x in marks.row(r):
            flat.append(ZERO if met else x)
            met = met or x == 1
    found = Value(marks.rows, marks.columns, tuple(flat))
    return found.turned if turn else found


def _joined(join: Callable[[Number, Number], Number], entries: tuple[Number, ...]) -> Number:
    found = entries[0]
    for x in entries[1:]:
        found = join(found, x)
    return found


def _diagonal(vector: Value) -> Value:
    if vector.rows != 1 and vector.columns != 1:
        if vector.rows != vector.columns:
            raise Misfit(f"{vector.rows} × {vector.columns}")
        return Value(1, vector.rows, tuple(vector.at(k, k) for k in range(vector.rows)))
    if vector.free != (False, False):
        return Value(1, 1, vector.entries, eye=True)
    size = len(vector.entries)
    flat = [vector.entries[r] if r == c else ZERO for r in range(size) for c in range(size)]
    return Value(size, size, tuple(flat))


def softmax(a: Value, axis: int) -> Value:
    """Along rows (axis 1) or columns; of a single row or column along it."""
    axis = 1 if a.rows == 1 else 0 if a.columns == 1 else axis
    lines = a if axis == 1 else a.turned
    flat: list[Number] = []
    for r in range(lines.rows):
        row = lines.row(r)
        for x in row:  # 1 / Σ exp(z_j - z_i): in every entry the argument stands once on each side
            flat.append(1 / sum((FUNCTIONS["exp"](y - x) if y is not x else ONE for y in row), ZERO))
    found = Value(lines.rows, lines.columns, tuple(flat))
    return found if axis == 1 else found.turned

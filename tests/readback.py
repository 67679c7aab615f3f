r"""A strict reader of printed mathematics: LaTeX back to numbers.

It knows the grammar of ``derive/report/notation/GRAMMAR.md`` and nothing of the printer. A chain ``left = a ≈ b`` is
read link by link; every side is worked out in FLINT balls, with the certified values of the problem's names put for the
names. A printed decimal is taken three ways: *literally*, as the *interval* of all values that round to it, and
*sharply*, as the certified value it must have been rounded from (one that occurs in the symbolic links of its chain).

* ``=`` holds if both sides are equal when every decimal is taken literally.
* ``≈`` holds if the intervals of both sides meet and the sharp value of the new side is the value of the chain's left.

What is not in the grammar is a ``Slip`` (it should not have been printed), what the reader cannot work out is ``NotRead``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb, fmpq

import readback_windows as windows
from readback_grammar import Node
from readback_tokens import NotRead, Slip
from readback_values import (
    FUNCTIONS,
    INDICATED,
    Number,
    Value,
    _divide,
    _larger,
    _power,
    _smaller,
    ball,
    combined,
    mapped,
    matrix_inverse,
    matrix_of,
    times,
)

# ── working a side out ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Setting:
    """What names and functions stand for.

    ``value(key)`` is the value of a name, ``partial(above, below, direct)`` that of a fraction of partials, ``own(name)`` a
    function of the problem with its parameters and its derivative. ``axis`` is that of a softmax.
    """

    value: Callable[[Any], Value]
    partial: Callable[[Any, Any, bool], Value]
    function: Callable[[Any, int], Callable[[Number], Number]]
    axis: int = 1


class Reader:
    """Works a parsed side out; ``decimal`` gives the number a printed decimal stands for."""

    def __init__(self, setting: Setting, decimal: Callable[[Node], Number]) -> None:
        self.setting, self.decimal = setting, decimal
        self.running: dict[str, int] = {}
        self.seen: list[Value] | None = None  # every value met on the way, where they are collected

    def value(self, node: Node) -> Value:
        """The value of a piece."""
        found = self._value(node)
        if self.seen is not None:
            self.seen.append(found)
        return found

    def _value(self, node: Node) -> Value:
        match node.kind:
            case "num" | "sci":
                return Value.scalar(self.decimal(node))
            case "name":
                return self._name(node.at[0])
            case "partial":
                return self.setting.partial(*node.at)
            case "neg":
                return mapped(lambda x: -x, self.value(node.kids[0]))
            case "add":
                total: Value | None = None
                for sign, kid in zip(node.at, node.kids, strict=True):
                    part = mapped((lambda x: x) if sign > 0 else (lambda x: -x), self.value(kid))
                    total = part if total is None else combined(lambda x, y: x + y, total, part)
                assert total is not None
                return total
            case "mul":
                return self._product([self.value(kid) for kid in node.kids])
            case "odot":
                return combined(lambda x, y: x * y, *map(self.value, node.kids))
            case "star" | "window":
                return self._windows(node)
            case "oslash" | "frac":
                a, b = map(self.value, node.kids)
                if node.kind == "frac" and not b.lone:
                    raise Slip("a fraction under whose line a matrix stands")
                return combined(_divide, a, b)
            case "pow":
                base = self.value(node.kids[0])
                if not base.lone:
                    if node.at[0] != -1:
                        raise Slip("a power of a matrix")
                    return Value(matrix_inverse(base.array))
                return mapped(lambda x: _power(x, node.at[0]), base)
            case "entry_pow":
                return mapped(lambda x: _power(x, node.at[0]), self.value(node.kids[0]))
            case "transpose":
                base = self.value(node.kids[0])
                return Value(base.array.T, base.free[::-1])
            case "norm":
                return self._norm(node)
            case "exp" | "log" | "log2" | "sqrt" | "abs":
                return mapped(FUNCTIONS[node.kind], self.value(node.kids[0]))
            case "call":
                return self._call(node)
            case "sum":
                return self._sum(node)
            case "index":
                return self._index(node)
            case "matrix":
                return self._matrix(node)
            case "ones":
                array = Value.scalar(fmpq(1)).array
                return Value(array, (True, False))
            case "eye":
                return Value(Value.scalar(fmpq(1)).array, eye=True)
            case "zeros" if node.at:
                return Value(np.full(node.at, fmpq(0), dtype=object))
            case "reshape":
                return Value(self.value(node.kids[0]).array.reshape(node.at))
            case "slice":
                return self._slice(self.value(node.kids[0]), node.at[0])
            case "zeros":
                return Value(Value.scalar(fmpq(0)).array, (True, True))
            case "indicator":
                return self._indicator(node)
            case "onehot":
                numbers = [int(x) for x in self.value(node.kids[0]).array.ravel()]
                return Value(np.array([[fmpq(int(k == n)) for k in range(node.at[0])] for n in numbers], dtype=object))
            case "extreme":
                return self._over(node, _larger if node.at[0] == "max" else _smaller)
            case "cases":
                return self._cases(node)
            case "pi":
                return Value.scalar(arb.pi())
        raise NotRead(node.kind)

    def _norm(self, node: Node) -> Value:
        inner = self.value(node.kids[0]).array
        if node.at[0] != (1 not in inner.shape):
            raise Slip("an F belongs to the norm of a matrix, and to no other")
        return Value.scalar(ball(sum(ball(x) ** 2 for x in inner.ravel())).sqrt())

    def _name(self, key: Any) -> Value:
        if isinstance(key, Running):
            whole = self.setting.value(key.name)
            return self._picked(whole, key.letters)
        return self.setting.value(key)

    def _picked(self, whole: Value, letters: str) -> Value:
        place = []
        for axis, letter in enumerate("ij"):
            size = whole.array.shape[axis]
            if letter in letters:
                if letter not in self.running:
                    raise Slip(f"{letter} runs over nothing")
                if self.running[letter] >= size:
                    raise Slip(f"{letter} runs too far")
                place.append(self.running[letter])
            elif size != 1:
                raise Slip(f"an entry without its index {letter}")
            else:
                place.append(0)
        return Value.scalar(whole.array[tuple(place)])

    def _product(self, parts: list[Value]) -> Value:
        """From the left; ones of open size wait for a neighbour that says it."""
        whole = parts[0]
        for part in parts[1:]:
            whole = times(whole, part)
            if self.seen is not None:
                self.seen.append(whole)
        return whole

    def _call(self, node: Node) -> Value:
        name, primes, *axis = node.at
        parts = [self.value(kid) for kid in node.kids]
        match name:
            case "max" | "min":
                extreme = _larger if name == "max" else _smaller
                return combined(lambda *entries: windows.most(extreme, entries), *parts)
            case "clip":
                return combined(lambda x, low, high: _smaller(_larger(x, low), high), *parts)
            case "diag":
                return self._diag(parts[0])
            case "tr" | "det":
                return self._of_square(name, parts[0])
            case "softmax":
                powers = np.vectorize(lambda x: ball(x).exp(), otypes=[object])(parts[0].array)
                return Value(powers / powers.sum(axis=axis[0] if axis else self.setting.axis, keepdims=True))
        return mapped(self.setting.function(name, primes), parts[0])

    @staticmethod
    def _of_square(name: str, a: Value) -> Value:
        """Trace and determinant."""
        if a.array.shape[0] != a.array.shape[1]:
            raise Slip(f"{name} of a matrix that is not square")
        if name == "tr":
            return Value.scalar(sum(a.array.diagonal(), fmpq(0)))
        return Value.scalar(matrix_of(a.array).det())

    def _windows(self, node: Node) -> Value:
        parts = [self.value(kid) for kid in node.kids]
        if any(any(part.free) or part.eye for part in parts):
            raise NotRead("a window on a matrix of ones")
        try:
            if node.kind == "star":
                return Value(windows.star(parts[0].array, parts[1].array, node.at[0]))
            return Value(windows.word(node.at[0], node.at[1], [part.array for part in parts]))
        except windows.Misread as misread:
            raise Slip(str(misread)) from None
        except windows.Unread as unread:
            raise NotRead(str(unread)) from None

    @staticmethod
    def _diag(vector: Value) -> Value:
        if any(vector.free) and vector.array.shape == (1, 1):
            return Value(vector.array, eye=True)
        if 1 not in vector.array.shape:
            if vector.array.shape[0] != vector.array.shape[1]:
                raise Slip("diag of a matrix that is not square")
            return Value(vector.array.diagonal().reshape(1, -1))
        flat = list(vector.array.ravel())
        array = np.empty((len(flat), len(flat)), dtype=object)
        array[:] = fmpq(0)
        for k, x in enumerate(flat):
            array[k, k] = x
        return Value(array)

    def _indicator(self, node: Node) -> Value:
        """0s and 1s. Where what is largest (smallest) in its line is compared with its entries, the first equal counts."""
        sides = [self.value(kid) for kid in node.kids]
        found: Value | None = None
        for relation, a, b in zip(node.at, sides, sides[1:], strict=False):
            here = combined(lambda x, y, holds=INDICATED[relation]: fmpq(int(bool(holds(x, y)))), a, b)
            found = here if found is None else combined(lambda x, y: x * y, found, here)
        assert found is not None
        if node.at == ("=",) and sides[1].array.size < sides[0].array.size:
            marks = found.array.copy()
            lines = [marks.reshape(1, -1)] if sides[1].lone else [marks if sides[1].array.shape[1] == 1 else marks.T]
            for line in (line for rows in lines for line in rows):
                line[1:] = [x * fmpq(int(not any(line[:k]))) for k, x in enumerate(line[1:], start=1)]
            return Value(marks)
        return found

    def _over(self, node: Node, join: Callable[[Number, Number], Number]) -> Value:
        """Entries (or columns, or rows) joined over all values of running indices."""
        letters, body = node.at[-1], node.kids[0]
        sizes = [self._size(letter, body) for letter in letters]
        before, whole = dict(self.running), None
        for place in np.ndindex(*sizes):
            self.running.update(zip(letters, place, strict=True))
            part = self.value(body)
            whole = part if whole is None else combined(join, whole, part)
        self.running = before
        assert whole is not None
        return whole

    def _sum(self, node: Node) -> Value:
        letters, body = node.at[0], node.kids[0]
        sizes = {letter: self._size(letter, body) for letter in letters}
        total: Value | None = None
        before = dict(self.running)
        for place in np.ndindex(*(sizes[letter] for letter in letters)):
            self.running.update(zip(letters, place, strict=True))
            part = self.value(body)
            total = part if total is None else combined(lambda x, y: x + y, total, part)
        self.running = before
        assert total is not None
        return total

    def _size(self, letter: str, body: Node) -> int:
        axis = "ij".index(letter)
        sizes = set()
        for node in body.walk():
            if node.kind == "name" and isinstance(node.at[0], Running) and letter in node.at[0].letters:
                sizes.add(self.setting.value(node.at[0].name).array.shape[axis])
            elif node.kind == "slice" and letter in node.at[0]:
                sizes.add(Reader(self.setting, self.decimal).value(node.kids[0]).array.shape[node.at[0].index(letter)])
            elif node.kind == "index" and letter in node.at[0]:
                sizes.add(Reader(self.setting, self.decimal).value(node.kids[0]).array.shape[axis])
        if not sizes:
            Reader(self.setting, self.decimal).value(body)  # of a stack, whose axes have letters of their own, not read
        if len(sizes) != 1:
            raise Slip(f"{letter} runs over {sorted(sizes) or 'nothing'}")
        return int(sizes.pop())

    def _index(self, node: Node) -> Value:
        return self._picked(Reader(self.setting, self.decimal).value(node.kids[0]), node.at[0])

    def _slice(self, whole: Value, places: tuple[tuple[int, ...] | str | None, ...]) -> Value:
        array = whole.array
        places = tuple((self.running[some],) if isinstance(some, str) else some for some in places)
        if any(whole.free):
            raise Slip("a slice of what has no size")
        if len(places) == 1:
            places = (None, *places) if array.shape[0] == 1 else (*places, None) if array.shape[1] == 1 else ()
        if len(places) != 2:
            raise Slip("a slice with one index of a matrix")
        for axis, some in enumerate(places):
            if some is not None and (not some or max(some) >= array.shape[axis]):
                raise Slip(f"a slice that reaches beyond {array.shape}")
            array = array if some is None else np.take(array, list(map(int, some)), axis=axis)
        return Value(array)

    def _matrix(self, node: Node) -> Value:
        """Entries, or blocks; a unit matrix among them has the size that the others leave it."""
        rows, columns = node.at
        if any(kid.kind == "dots" for kid in node.kids):
            raise NotRead("elided matrix")
        grid: Any = np.empty((rows, columns), dtype=object)
        for place, kid in zip(np.ndindex(rows, columns), node.kids, strict=True):
            grid[place] = self.value(kid)
        sized = [
            [{block.array.shape[axis] for block in line if not (block.eye or block.free[axis])} for line in lines]
            for axis, lines in ((0, grid), (1, grid.T))
        ]
        if any(len(sizes) > 1 for lines in sized for sizes in lines):
            raise Slip("blocks that do not fit")
        body = []
        for place in np.ndindex(rows, columns):
            sizes = [next(iter(sized[axis][k]), None) for axis, k in enumerate(place)]
            if grid[place].eye:
                sizes = [sizes[0] or sizes[1]] * 2
            if None in sizes:
                raise Slip("a block whose size nothing says")
            body.append(grid[place].fitted(tuple(sizes)))
        return Value(np.block([body[k * columns : (k + 1) * columns] for k in range(rows)]))

    def _cases(self, node: Node) -> Value:
        for k, relation in enumerate(node.at):
            value, left, right = node.kids[3 * k : 3 * k + 3]
            a, b = (self.value(side).array[0, 0] for side in (left, right))
            holds = {r"\ge": a >= b, r"\le": a <= b, ">": a > b, "<": a < b, "=": a == b}[relation]
            if holds:
                return self.value(value)
        raise Slip("no case applies")


@dataclass(frozen=True)
class Running:
    """A name with running indices, as in a sum."""

    name: Any
    letters: str


# ── numbers as printed ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Digits:
    """How many digits are shown: what has fewer stands there whole, as it is."""

    decimals: int | None
    significant: int | None

    def whole(self, node: Node) -> bool:
        """Whether a printed decimal has fewer digits than are shown."""
        digits, _ = node.at
        count = len(digits.replace(".", "").lstrip("0"))
        if self.significant is not None:
            return count < self.significant
        assert self.decimals is not None
        if node.kind == "sci":
            return count < max(self.decimals, 2)
        return len(digits.partition(".")[2]) < self.decimals

    def half(self, node: Node) -> Number:
        """Half a unit of the last digit."""
        digits, exponent = node.at
        return fmpq(10) ** (exponent - len(digits.partition(".")[2])) / 2


# ── chains ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Side:
    """One side of a relation, as printed and as parsed."""

    relation: str
    latex: str
    node: Node

    @cached_property
    def decimals(self) -> tuple[Node, ...]:
        """The printed decimals that may be rounded."""
        return tuple(node for node in self.node.walk() if node.kind in ("num", "sci"))

    @cached_property
    def symbolic(self) -> bool:
        """Whether names of the problem occur."""
        return any(node.kind in ("name", "partial") for node in self.node.walk())


@dataclass(frozen=True)
class Finding:
    """What is wrong with a chain, or why a part of it was not read."""

    kind: str  # "slip", "wrong", "not read", "timid"
    where: str
    latex: str
    why: str

    def __str__(self) -> str:
        return f"[{self.kind}] {self.where}: {self.latex}\n        {self.why}"


@dataclass
class Report:
    """What reading a document found."""

    findings: list[Finding] = field(default_factory=list)
    links: int = 0
    numbers: int = 0

    def of(self, *kinds: str) -> list[Finding]:
        """The findings of some kinds."""
        return [finding for finding in self.findings if finding.kind in kinds]

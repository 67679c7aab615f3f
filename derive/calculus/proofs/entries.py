"""Entry (i, j) of an expression of any size, as a SymPy sum over indexed letters.

Nothing about an op is said here: the ``index`` column of its row says what the entry is in terms of the entries of the
operands. An axis of size 1 has the index 1, whatever is asked for: that is broadcasting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import sympy
from flint import fmpq

from derive.calculus.choices import choice
from derive.calculus.functions import Key, rational
from derive.calculus.proofs.opaque import first_wins, opaque, slope
from derive.graph.expression import Expression, Name
from derive.graph.ops import OPS, NoSum
from derive.problem.problem import Shape, Size
from derive.problem.size_terms import terms

TAKEN = "w"  # the letter of the 0s and 1s that say which entries a max or min takes


def size(value: Size) -> sympy.Expr:
    """A size as a number, as a positive whole symbol, or as a sum of such."""
    number, names = terms(value)
    return sympy.Integer(number) + sympy.Add(*(factor * index(name) for name, factor in names.items()))


def index(letter: str) -> sympy.Symbol:
    """A running index, counted from 1."""
    return sympy.Symbol(letter, integer=True, positive=True)


def entry_of(name: Name, shape: Shape, i: sympy.Expr, j: sympy.Expr) -> sympy.Expr:
    """The letter of one entry; a scalar has no index."""
    if not shape:
        return sympy.Symbol(str(name))
    return sympy.IndexedBase(str(name))[places(shape, i, j)]


def places(shape: Shape, i: sympy.Expr, j: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """The indices of an entry: 1 along an axis of size 1."""
    rows, columns = shape or (1, 1)
    return (sympy.S.One if rows == 1 else i), (sympy.S.One if columns == 1 else j)


@dataclass
class Fresh:
    """Bound indices of one proof, each used for one sum only, so that no sum can capture another's.

    ``taken`` has the letter for each choice of a largest or smallest entry.
    """

    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    taken: dict[tuple[str, int | None, Expression], str] = field(default_factory=dict)

    def index(self) -> sympy.Symbol:
        """One that nobody has."""
        return index(f"q{next(self.numbers):03d}")


def entry(expression: Expression, i: sympy.Expr, j: sympy.Expr, fresh: Fresh) -> sympy.Expr:
    """Entry (``i``, ``j``) of an expression; a scalar has but one, and so has an axis of size 1."""
    if expression.op == "name":
        return entry_of(expression.name, expression.shape, i, j)
    if expression.shape:
        i, j = places(expression.shape, i, j)
    return sympy.sympify(OPS[expression.op].index(_Entries(expression, fresh), expression, i, j))


class _Entries:
    """The operands of one node, for the ``index`` column of its row (the protocol ``graph.ops.Entries``)."""

    def __init__(self, node: Expression, fresh: Fresh) -> None:
        self.node, self.fresh = node, fresh

    def operand(self, k: int, i: Any, j: Any) -> sympy.Expr:
        return entry(self.node.args[k], _place(i), _place(j), self.fresh)

    def total(self, extent: Size, term: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Expr:
        if extent == 1:
            return term(sympy.S.One)
        running = self.fresh.index()
        return sympy.Sum(term(running), (running, 1, size(extent)))

    def function(self, name: str, at: Key, x: Any) -> sympy.Expr:
        if name == "derivative":
            order = 1
            while at[0] == "derivative":
                at, order = at[1:], order + 1
            return slope(at[0], at[1:], order, x)
        if name == "first_wins":
            return first_wins(at[0], *x)
        if name == "picked":
            raise NoSum("the largest entry of a window is a choice, not a sum over indices")
        if name in ("maximum", "minimum"):
            wins = first_wins(name, *x)
            return wins * x[0] + (1 - wins) * x[1]
        return opaque(name, at)(x)

    def power(self, x: sympy.Expr, exponent: fmpq) -> sympy.Expr:
        return x ** rational(exponent)

    def number(self, value: fmpq) -> sympy.Expr:
        return rational(value)

    def size(self, extent: Size) -> sympy.Expr:
        return size(extent)

    def choice(self, name: str, at: Key, operands: tuple[sympy.Expr, ...]) -> sympy.Expr:
        return choice(name, at, operands)

    def taken(self, op: str, axis: int | None, i: Any, j: Any) -> sympy.Expr:
        """A letter that stands still: which entry is taken does not change as the entries move a little.

        Another operand, axis or choice has a letter of its own.
        """
        letter = self.fresh.taken.setdefault((op, axis, self.node.args[0]), f"{TAKEN}{len(self.fresh.taken) or ''}")
        return entry_of(letter, self.node.args[0].shape, _place(i), _place(j))

    def pi(self) -> sympy.Expr:
        return sympy.pi

    def fixed(self, place: Size) -> sympy.Expr:
        return size(place) + 1

    def shifted(self, i: sympy.Expr, start: Size, step: int) -> sympy.Expr:
        return step * (i - 1) + size(start) + 1

    def reread(self, i: tuple[Any, ...], of: Shape, to: Shape) -> tuple[Any, ...]:
        raise NoSum("an entry of a reshape is found by a division with remainder, which is no sum over indices")

    def reached(self, i: Any, p: Any, stride: int, padding: int) -> sympy.Expr:
        """From 1: what lies beyond the border is called by an index outside, and its letter stands for 0."""
        return stride * (_place(i) - 1) + _place(p) - padding

    def delta(self, i: sympy.Expr, j: sympy.Expr) -> sympy.Expr:
        return sympy.KroneckerDelta(i, j)


def _place(i: Any) -> sympy.Expr:
    """The index columns count the only place of an axis from 0, as Python does; on paper it is the first."""
    return sympy.S.One if isinstance(i, int) else i

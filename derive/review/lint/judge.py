"""One chain judged: each side against the one before it, against the first, and number by number against its symbols.

*Wrong* is only what cannot be right: intervals that do not meet, sizes that do not fit, a number that is not the
rounding of what stands in its place. *Right* is what meets. Everything else is not read, with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from flint import fmpq

from derive.numbers.balls import Number
from derive.records import dataclass
from derive.review.lint.align import Mended, Odd, Overlay, plain
from derive.review.lint.book import Book
from derive.review.lint.cursor import literal
from derive.review.lint.evaluate import Evaluator, Nameless, half_unit, literally
from derive.review.lint.shown import certainly, number, shown
from derive.review.lint.tree import Misfit, Node, Unread
from derive.review.lint.values import Value, bounded, combined, meets, scalar, widened

RIGHT, WRONG, CARRIED, UNREAD = "right", "wrong", "carried", "not read"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a link. ``why`` is a key for the words, ``printed`` and ``right`` what disagrees, ``entry`` where.

    ``value`` is what the left neighbour works out to, where the link is judged.
    """

    kind: str
    why: str = ""
    printed: str = ""
    right: str = ""
    entry: tuple[int, int] | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class Printed:
    """A side as printed: its relation, and its tree, or why it is not read."""

    relation: str
    tree: Node | None
    unread: Unread | None = None

    @property
    def symbolic(self) -> bool:
        """Whether names occur in it."""
        return self.tree is not None and self.tree.symbolic


@dataclass(frozen=True, slots=True)
class Digits:
    """What tells rounded numbers from exact ones: the problem's own numbers, and the significant digits shown."""

    constants: frozenset[fmpq] = frozenset()
    significant: int | None = None
    decimals: int | None = None

    def decimal(self, sides: Sequence[Printed], wary: bool) -> Callable[[Node], Number]:
        """What each printed number of a chain stands for: itself, or all that round to it.

        A whole number is itself, and so is a number of the problem, unless it ends in zeros as a rounded number does;
        ``wary``: only one with fewer digits than are shown.
        """
        numbers = [n for side in sides if side.tree for n in side.tree.walk() if n.kind in ("num", "sci")]
        rounded = [n for n in numbers if literally(n) not in self.constants and "." in n.at[0] and n.kind == "num"]
        longest = max((_decimals(n) for n in rounded), default=0 if wary else 1000)

        def exact(node: Node, spelled: fmpq) -> bool:
            digits = node.at[0]
            if node.kind == "num" and "." not in digits:
                long = self.significant is not None and len(digits) >= max(self.significant, 2)
                return not (long or self.decimals == 0) or (spelled in self.constants and not wary)
            if spelled not in self.constants:
                return False
            if self.significant is not None:
                short = len(digits.replace(".", "").lstrip("0")) < self.significant
            else:
                short = node.kind == "num" and _decimals(node) < longest
            return short or not (wary or (digits.endswith("0") and "." in digits))

        def value(node: Node) -> Number:
            spelled = literal(*node.at)
            return spelled if exact(node, spelled) else widened(spelled, half_unit(node))

        return value


def _decimals(node: Node) -> int:
    return len(node.at[0].partition(".")[2])


def judged(
    sides: Sequence[Printed], book: Book | None, digits: Digits, hand: Book | None = None, strict: bool = False
) -> list[Verdict]:
    """The verdicts on a chain. What is wrong is so, too, if its numbers that occur in the problem were rounded.

    ``strict``: each number that can be laid over a symbol has to fit, for a reading that is to excuse what is printed.
    """
    found = Judge(sides, book, digits, hand, strict=strict).verdicts()
    if digits.constants and any(verdict.kind == WRONG for verdict in found):
        again = Judge(sides, book, digits, hand, wary=True, strict=strict).verdicts()
        return found if cost(again) == cost(found) else again
    return found


def cost(verdicts: Sequence[Verdict]) -> tuple[int, int]:
    """Of two readings of a chain the one that reads more is meant, and of those the one that finds less wrong."""
    kinds = [verdict.kind for verdict in verdicts]
    return kinds.count(UNREAD), kinds.count(WRONG)


class Judge:
    """One chain under one reading of its names."""

    def __init__(
        self,
        sides: Sequence[Printed],
        book: Book | None,
        digits: Digits,
        hand: Book | None = None,
        *,
        wary: bool = False,
        strict: bool = False,
    ) -> None:
        self.book, self.hand, self.digits, self.strict = book, hand, digits, strict
        self.sides = _assigned(sides)
        setting: Any = book or Nameless()
        decimal = digits.decimal(sides, wary)
        self.wide = Evaluator(setting, decimal)
        self.literal = Evaluator(setting, literally)
        # What symbols are worth when numbers are put in: the displayed values, where those are carried on.
        self.put_in = Evaluator(hand or setting, decimal)
        self.values = [self._value(side) for side in sides]
        self.source = 0  # the side that says what the chain is about
        self.target, self.shown = self._target()

    def _value(self, side: Printed) -> Value | Unread | Misfit:
        if side.tree is None:
            assert side.unread is not None
            return side.unread
        try:
            found = self.wide.value(side.tree)
        except (Unread, Misfit) as reason:
            return reason
        except (ValueError, OverflowError, ZeroDivisionError, MemoryError):
            return Unread("unbounded", "")
        return found if bounded(found) else Unread("unbounded", "")

    def _target(self) -> tuple[Value | None, Value | None]:
        """What the chain is about, in certified and in displayed values: its first side of symbols."""
        first = self.sides[0].tree
        if len(self.sides) > 1 and self.sides[1].relation == r"\leftarrow":
            if first is None or first.kind != "name" or self.book is None:
                return None, None
            found = self.book.after(first.at[0])
            shown = self.hand.after(first.at[0]) if self.hand is not None else None
            return found, shown
        for k, (side, value) in enumerate(zip(self.sides, self.values, strict=True)):
            if side.symbolic and isinstance(value, Value):
                assert side.tree is not None
                self.source = k
                try:
                    return value, self.put_in.value(side.tree) if self.hand is not None else None
                except (Unread, Misfit):
                    return value, None
        return None, None

    # ── links ──

    def verdicts(self) -> list[Verdict]:
        """One for each link, in order."""
        found = [self._link(k) for k in range(1, len(self.sides))]
        first, last = self.values[0], self.values[-1]
        numeric = not self.sides[0].symbolic and self.sides[1].relation != r"\leftarrow"
        if numeric and len(found) > 1 and isinstance(first, Value) and isinstance(last, Value):
            ends = self._compared(last, first, "ends")
            found[-1] = ends if ends is not None and found[-1].kind == RIGHT else found[-1]
        return found

    def _link(self, k: int) -> Verdict:
        side, value = self.sides[k], self.values[k]
        if side.tree is not None and side.tree.elided:
            return self._in_part(side.tree)
        if isinstance(value, Unread):
            return Verdict(UNREAD, value.reason, value.what)
        if isinstance(value, Misfit):
            return Verdict(WRONG, "sizes", str(value))
        if side.relation == r"\leftarrow" and self.target is None:
            return self._alone(k) if self.book is None else Verdict(UNREAD, "symbolic", "←")
        before = self._before(k)
        target = self.target if self.source < k else None
        if before is None and target is None:
            return self._alone(k)
        try:
            wrong = self._against(k, value, before)
        except Misfit as reason:
            return Verdict(WRONG, "sizes", str(reason))
        if wrong is not None:
            return wrong
        return Verdict(RIGHT, value=shown(target if target is not None and certainly(target) else before or target))

    def _alone(self, k: int) -> Verdict:
        """Nothing to the left is read: the reason is the one of what stands there."""
        left = self.values[k - 1]
        if isinstance(left, Misfit):
            return Verdict(WRONG, "sizes", str(left))
        if isinstance(left, Unread):
            return Verdict(UNREAD, left.reason, left.what)
        return Verdict(UNREAD, "symbolic" if self.book is None else "alone")

    def _before(self, k: int) -> Value | None:
        """The nearest side to the left that is read; not what stands left of an assignment."""
        for j in range(k - 1, -1, -1):
            value = self.values[j]
            if self.sides[j + 1].relation == r"\leftarrow":
                return None
            if isinstance(value, Value):
                if self.hand is not None and self.sides[j].symbolic != self.sides[k].symbolic:
                    return None  # displayed values have been put in: they are held against what they are displayed from
                return value
        return None

    def _against(self, k: int, value: Value, before: Value | None) -> Verdict | None:
        side = self.sides[k]
        assert side.tree is not None
        if before is not None:
            wrong = self._compared(value, before, "neighbour")
            if wrong is not None:
                return wrong
        if self.target is None or self.source >= k:
            return None
        if side.symbolic:
            return self._compared(value, self.target, "left")
        if self.hand is None:
            return self._compared(value, self.target, "left") or self._laid(side.tree)
        if self._by_hand(k, value):
            return None if plain(side.tree) else self._laid(side.tree)
        verdicts = [self._compared(value, goal, "left") for goal in self._goals()]
        if None not in verdicts:
            return verdicts[0]
        return None if plain(side.tree) else self._laid(side.tree)

    def _goals(self) -> list[Value]:
        """What numbers may come to in work by hand: the displayed value, or what displayed values put in come to."""
        assert self.target is not None
        shown = self.shown if self.shown is not None else self.target
        if any(isinstance(value, Unread) for value in self.values):
            # The symbols that numbers were put in for are not read: what they come to is displayed as the value.
            unit = fmpq(10) ** -(self.digits.decimals or 0)
            rounded = combined(lambda x: widened(x, unit), shown)
            return [shown, self.target, rounded, *self._put_in]
        return [shown, self.target, *self._put_in]

    @cached_property
    def _put_in(self) -> list[Value]:
        found = []
        for side in self.sides:
            if side.symbolic and side.tree is not None:
                try:
                    found.append(self.put_in.value(side.tree))
                except (Unread, Misfit):
                    continue
        shape = self.target.shape if self.target is not None else (1, 1)
        return [value for value in found if value.shape == shape]

    def _by_hand(self, k: int, value: Value) -> bool:
        """Whether it is the rounding of the numbers to its left, digit for digit, which were put in there."""
        left = self.sides[k - 1]
        if k == 1 or left.symbolic or left.tree is None:
            return False
        try:
            exact = self.literal.value(left.tree)
            return self._compared(value, exact, "") is None
        except (Unread, Misfit):
            return False

    def _compared(self, value: Value, other: Value, why: str) -> Verdict | None:
        """``None`` where every entry meets. Raises ``Misfit`` for sizes that differ."""
        a, b = _alike(value, other)
        for place, (x, y) in enumerate(zip(a.entries, b.entries, strict=True)):
            if not meets(x, y):
                entry = None if a.lone else (place // a.columns + 1, place % a.columns + 1)
                return Verdict(WRONG, why, number(x), number(y), entry)
        return None

    # ── number by number ──

    def _laid(self, tree: Node) -> Verdict | None:
        """The numbers of a side over the symbols of the chain: each has to be what stands in its place."""
        best = None
        for side in self.sides[self.sides[1].relation == r"\leftarrow" :]:  # what is assigned is new, all else is old
            if side.symbolic and side.tree is not None and not side.tree.elided:
                laid = Overlay(self.put_in, self.wide).lay(side.tree, tree)
                if laid is not None and (best is None or laid.cost < best.cost):
                    best = laid
        if best is None or not best.odd or best.loose == best.numbers:  # as a whole it has been judged
            return None
        odd = best.odd[0]
        other = 2 * len(best.odd) > best.numbers > 1 or not self._mended(tree, best.odd)
        if other and not self.strict:
            return None  # not the line that was laid under it: what it comes to has been judged
        return Verdict(WRONG, "place", number(odd.printed), number(odd.right))

    def _mended(self, tree: Node, odd: Sequence[Odd]) -> bool:
        """Whether the line comes to the chain's value with the right numbers in place of the odd ones.

        If not, it was laid over symbols that it does not come from.
        """
        assert self.target is not None
        mended = Mended(self.wide, odd)
        try:
            goals = self._goals() if self.hand is not None else [self.target]
            value = mended.value(tree)
            return mended.done and any(self._compared(value, goal, "") is None for goal in goals)
        except (Unread, Misfit):
            return False

    # ── matrices with dots ──

    def _in_part(self, tree: Node) -> Verdict:
        """A matrix printed in part: the entries that are shown, against those of the chain's value."""
        goal = self.target
        if goal is None or tree.kind != "matrix" or (self.hand is not None and self.shown is None):
            return Verdict(UNREAD, "elided")
        part = visible(tree, goal.shape)
        if part is None:
            return Verdict(UNREAD, "elided")
        nodes, rows, columns = part
        goal = self.shown if self.hand is not None and self.shown is not None and not tree.symbolic else goal
        try:
            for k, node in enumerate(nodes):
                row, column = rows[k // len(columns)], columns[k % len(columns)]
                entry = self.wide.value(node)
                right = scalar(goal.at(row, column))
                wrong = self._compared(entry, right, "left")
                if wrong is not None:
                    return Verdict(WRONG, "left", wrong.printed, wrong.right, (row + 1, column + 1))
        except Unread as reason:
            return Verdict(UNREAD, reason.reason, reason.what)
        except Misfit as reason:
            return Verdict(WRONG, "sizes", str(reason))
        return Verdict(RIGHT, "shown")


def _assigned(sides: Sequence[Printed]) -> Sequence[Printed]:
    """``w = w - 0.01 dE/dw`` is an assignment: what stands on both sides is new on the left and old on the right."""
    if len(sides) < 2 or sides[0].tree is None or sides[1].tree is None or sides[0].tree.kind != "name":
        return sides
    tree, other = sides[0].tree, sides[1]
    if other.tree is None or other.tree.kind not in ("add", "neg", "mul") or other.relation == r"\leftarrow":
        return sides
    if not any(node.kind == "name" and node.at == tree.at for node in other.tree.walk()):
        return sides
    return [sides[0], Printed(r"\leftarrow", other.tree), *sides[2:]]


def _alike(a: Value, b: Value) -> tuple[Value, Value]:
    """Both with one size. Raises ``Misfit``."""
    if a.shape == b.shape and a.free == b.free and a.eye == b.eye:
        return a, b
    if a.eye or a.free != (False, False):
        return a.fitted(b.shape), b
    if b.eye or b.free != (False, False):
        return a, b.fitted(a.shape)
    raise Misfit(f"{b.rows} × {b.columns}, {a.rows} × {a.columns}")


def visible(tree: Node, shape: tuple[int, int]) -> tuple[list[Node], list[int], list[int]] | None:
    """A matrix without its dots: its entries, and the rows and columns they stand in; ``None`` where none can tell."""
    rows, columns = tree.at
    grid = [tree.kids[k * columns : (k + 1) * columns] for k in range(rows)]
    down = [r for r in range(rows) if all(kid.kind == "dots" for kid in grid[r])]
    across = [c for c in range(columns) if all(row[c].kind == "dots" for row in grid)]
    if len(down) > 1 or len(across) > 1:
        return None
    places = []
    for size, count, gaps in ((shape[0], rows, down), (shape[1], columns, across)):
        if not gaps:
            if size != count:
                return None
            places.append(list(range(size)))
            continue
        after = count - 1 - gaps[0]
        if size < count - 1:
            return None
        places.append([*range(gaps[0]), *range(size - after, size)])
    nodes = [kid for r, row in enumerate(grid) for c, kid in enumerate(row) if r not in down and c not in across]
    if any(kid.kind == "dots" for kid in nodes):
        return None
    return nodes, places[0], places[1]
